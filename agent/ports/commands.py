"""Which signed commands have run, and which replies are owed; times are UTC in whole seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agent.domain.record.command import CommandReason, Outcome


@dataclass(frozen=True, slots=True)
class Noted:
    """A command that is about to run; ``topic`` and ``correlation`` are its reply's."""

    id: bytes
    key_id: bytes
    verb: str
    issued: int
    expires: int
    topic: str
    correlation: bytes | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """A reply that nobody has acknowledged yet."""

    number: int
    topic: str
    correlation: bytes | None
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Horizon:
    """What was issued before ``utc_s`` does not run; ``pending`` until a time is trusted again."""

    utc_s: int
    pending: bool


class CommandStore(Protocol):
    """Lets each command run once, whatever is restarted, put back or set."""

    def begin(self, epoch: str, *, doubtful: bool, at_least: int) -> Sequence[Noted]:
        """What was running when the last agent ended; the horizon rises where it must.

        ``epoch`` is the journal's: it is another one after a copy was put back. ``doubtful``: this
        file is in fault. ``at_least`` is a time that surely was.

        Raises:
            StoreError: it cannot be read or written.
        """

    def horizon(self) -> Horizon:
        """From when on commands count."""

    def raise_horizon(self, utc_s: int) -> None:
        """A time is trusted: where the horizon waited for one, it is that.

        Raises:
            StoreError: it cannot be written.
        """

    def outcome(self, command_id: bytes) -> Outcome | None:
        """How the command of this id ended; None where it is not known, or runs."""

    def note(
        self, one: Noted, subjects: Sequence[str], *, late: bool = False
    ) -> CommandReason | None:
        """Let it run, durable before this returns; or why it must not.

        ``subjects`` is what it is about; it becomes the newest about them, but where it is one that
        may come ``late``: that only must not be older.

        Raises:
            StoreError: it cannot be written, and must not run.
        """

    def outdate(self, subject: str, utc_s: int) -> None:
        """What was issued about ``subject`` before ``utc_s`` is late from now on.

        Raises:
            StoreError: it cannot be written.
        """

    def outdate_unsettled(self, subject: str, monotonic_s: float) -> None:
        """As ``outdate``, while no time is trusted: ``settle`` says which it was.

        Raises:
            StoreError: it cannot be written.
        """

    def settle(self, latest_s: float, monotonic_s: float) -> None:
        """It is no later than ``latest_s``: what was outdated before has its time.

        Raises:
            StoreError: it cannot be read or written.
        """

    def at_most(self, utc_s: int) -> None:
        """Nothing is outdated beyond ``utc_s``: where a clock was wrong, it is that late at most.

        Raises:
            StoreError: it cannot be written.
        """

    def end(self, one: Noted, outcome: Outcome, reply: bytes | None) -> None:
        """It has ended so, and this reply is owed, if any.

        Raises:
            StoreError: it cannot be written: the next start will call it interrupted.
        """

    def owe(
        self,
        key_id: bytes,
        topic: str,
        correlation: bytes | None,
        reply: bytes,
        *,
        first: bool = False,
    ) -> None:
        """A reply to what did not run is owed; those that are ``first`` go before the others.

        Raises:
            StoreError: it cannot be written.
        """

    def owed(self) -> Sequence[Owed]:
        """The replies that nobody has acknowledged: the first ones, then the oldest first."""

    def acknowledged(self, number: int) -> None:
        """The broker has this reply.

        Raises:
            StoreError: it cannot be written; the reply will be sent once more.
        """

    def prune(self, utc_s: int, longest_s: int) -> None:
        """Forget what surely has expired at ``utc_s``; no command is valid beyond ``longest_s``.

        Raises:
            StoreError: it cannot be written.
        """
