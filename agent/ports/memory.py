"""What of the gate outlives its agent, beside journal and registry."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.domain.door.antipassback import Position
from agent.domain.door.door_mode import Latches
from agent.domain.skin.baseline import Baseline


class PassLedger(Protocol):
    """How often passes with limited uses were used here."""

    def uses(self) -> Mapping[PassId, int]:
        """How often each pass was used; those never used are not named."""

    def consume(self, one: PassId, limit: int, valid_until: datetime) -> bool:
        """Count one more use, on the disk before it returns; False where ``limit`` was reached.

        Raises:
            StoreError: it could not be written; the pass must not open.
        """

    def check(self) -> None:
        """Write as a use is written, and change nothing.

        Raises:
            StoreError: no use could be counted now.
        """


class TrustedTime(Protocol):
    """The latest time that was surely true."""

    def latest_trusted(self) -> datetime | None:
        """It is at least so late now; None where no time was ever trusted."""

    def note_trusted(self, utc: datetime) -> None:
        """It is ``utc``, surely; an earlier one than before changes nothing.

        Raises:
            StoreError: it could not be written.
        """

    def set_trusted(self, utc: datetime) -> None:
        """It is ``utc`` by a person's word, also where that is earlier than before.

        Raises:
            StoreError: it could not be written.
        """


class BudgetStore(Protocol):
    """What is left of the expected false grants of each access point."""

    def budgets(self) -> Mapping[str, float]:
        """As they were kept last; an access point that is not named has all of it."""

    def keep_budgets(self, left: Mapping[str, float]) -> None:
        """Replace them.

        Raises:
            StoreError: they could not be written.
        """


class StateKeeper(Protocol):
    """Knows how far each file of the state had come, and which of them is in fault."""

    def look(self) -> Mapping[str, str]:
        """What is wrong, by file; changes nothing."""

    def accept(self, name: str, reason: str, by: str) -> None:
        """The file counts as it is from now on.

        Raises:
            RefusedError: ``unknown_file``, ``no_fault``, ``unreadable``.
            StoreError: something cannot be written.
        """


class LatchStore(Protocol):
    """What of the gate outlives its agent: modes, latched faults, and where holders are."""

    def latches(self) -> Latches:
        """As they were saved last."""

    def save(self, latches: Latches) -> None:
        """Replace them, durable before it returns.

        Raises:
            StoreError: they could not be written.
        """

    def positions(self) -> Mapping[HolderId, Position]:
        """Where each holder was last seen to go."""

    def inside(self) -> Mapping[str, int]:
        """How many holders were last seen to go into each area."""

    def move(self, holder: HolderId | None, position: Position | None) -> None:
        """A holder went there; None for nowhere, and no holder for everybody.

        Survives the process at once, and a power failure within seconds.

        Raises:
            StoreError: it could not be written.
        """

    def baseline(self) -> Baseline:
        """What most people's skin had here, as it was learnt last."""

    def learn(self, baseline: Baseline) -> None:
        """Replace that.

        Raises:
            StoreError: it could not be written.
        """
