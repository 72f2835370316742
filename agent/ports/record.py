"""What happened, on its way to the broker, and what is told of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agent.domain.record.events import Event
from agent.domain.record.message import Chained, Place
from agent.domain.record.topics import CLOUD_EVENT

TOO_LARGE = "Packet too large"
"""How the refusal begins of a message that is larger than the broker takes."""


class Broker(Protocol):
    """A connection to the community's broker; publishing is the outbox's."""

    @property
    def window(self) -> int:
        """How many QoS 1 messages may be handed over and not acknowledged at a time."""

    @property
    def largest_bytes(self) -> int | None:
        """The largest packet that it takes; None where it does not say."""

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, kind: str = CLOUD_EVENT
    ) -> int | None:
        """Hand one QoS 1 message over; its message id, or None while not connected.

        ``kind`` is what MQTT 5 says of the content.
        """

    def say(self, topic: str, payload: bytes) -> None:
        """Hand one JSON message over at QoS 0: it comes once, or never; none waits."""

    def connected(self) -> bool:
        """Whether the broker has accepted this client."""

    def close(self, timeout_s: float) -> None:
        """Say goodbye within ``timeout_s``."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A journal row: the event, its place in the stream, and whether the broker has it.

    ``row`` orders the file, ``(epoch, sequence)`` the stream: rows salvaged from an earlier file
    keep the place that they had there. ``chained`` is None for what was recorded before the chain.
    """

    row: int
    epoch: str
    sequence: int
    event: Event
    published: bool
    chained: Chained | None = None

    def place(self, source: str) -> Place:
        """Where it stands; ``source`` is where the kiosk stands now, for what was not chained."""
        return Place(source, self.epoch, self.sequence, self.chained)


@dataclass(frozen=True, slots=True)
class Tip:
    """The newest event of a stream: its place, and its link (32 bytes)."""

    source: str
    epoch: str
    sequence: int
    link: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """Events that the journal gave up before anybody got them.

    ``counts`` by type, ``first`` and ``last`` the times of the oldest and the newest. ``ranges``
    has by epoch the first and the last sequence number: what nobody got between them is lost.
    """

    counts: Mapping[str, int]
    first: datetime
    last: datetime
    ranges: Mapping[str, tuple[int, int]]


LostEvent = Callable[[Lost], Event]
"""Makes the event that tells of them."""


class Journal(Protocol):
    """The truth about what happened: append, then publish, then mark."""

    def append(self, event: Event | Callable[[], Event]) -> int:
        """Commit an event and return its sequence number.

        A callable is asked for the event once the row can be written, so that it can say how late
        that was. An event whose id is there already changes nothing.

        Raises:
            StoreError: the row could not be written.
        """

    def tip(self) -> Tip | None:
        """Where the stream ends; None while nothing in it is chained.

        Within a callable that ``append`` asks it is what the event will stand right behind.
        """

    def make_durable(self) -> None:
        """What was appended so far survives a power failure from now on."""

    def unpublished(self, limit: int, *, after_row: int = 0) -> Sequence[StoredEvent]:
        """The oldest durable rows after ``after_row`` not yet acknowledged, in their order."""

    def newest_row(self) -> int:
        """The number of the newest row; 0 before the first."""

    def mark_published(self, rows: Sequence[int]) -> None:
        """The broker has acknowledged these rows."""

    def mark_refused(self, row: int, why: str) -> None:
        """No broker will ever take this row; it stays in the journal and is sent no more."""


class EventLog(Protocol):
    """A journal that can be read."""

    def read(
        self,
        *,
        after_row: int = 0,
        since: datetime | None = None,
        kind: str | None = None,
        newest: int | None = None,
    ) -> Iterator[StoredEvent]:
        """Stored events in order; ``newest`` keeps only the last so many of those that fit.

        ``kind`` is a type or a pattern (``access.*``).
        """


class RangeLog(Protocol):
    """A journal whose events can be had again, by their numbers."""

    @property
    def epoch(self) -> str:
        """The name of the stream that new rows join."""

    def last_sequence(self) -> int:
        """The last sequence number given in this epoch; 0 before the first."""

    def between(self, epoch: str, first: int, last: int, limit: int) -> Sequence[StoredEvent]:
        """The durable ones of an epoch from ``first`` to ``last``, in their order.

        Raises:
            StoreError: it cannot be read.
        """


class Stream(Protocol):
    """How far the journal has come, and how far the broker is behind."""

    @property
    def epoch(self) -> str:
        """The name of the stream that new rows join."""

    def last_sequence(self) -> int:
        """The last sequence number given in this epoch; 0 before the first."""

    def pending(self) -> int:
        """How many rows the broker does not have yet."""


class AgingStream(Stream, Protocol):
    """A stream that does not grow for ever."""

    def prune(self, before: datetime, *, published_only: bool = True) -> int:
        """Forget published rows older than ``before``; how many.

        What the broker does not have keeps its place and loses its covered values, unless there is
        no broker: not ``published_only``.
        """
