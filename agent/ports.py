"""What the agent asks of the world: protocols of one to three methods, and the values they pass.

An adapter that cannot start raises ``UnavailableError`` with the fix; one that fails later raises
too, and its thread's owner turns that into a fault. Nothing here waits without a timeout.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from agent.domain.access.indication import Indication, Standing
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.credential.id_document import IdDocument
from agent.domain.door.antipassback import Position
from agent.domain.door.door_mode import Latches
from agent.domain.door.signal import InputChange
from agent.domain.hours.instant import Instant
from agent.domain.record.events import Event
from agent.domain.sight.image import DetectedFace, Frame, Image, Landmarks, Template
from agent.domain.sight.symbol import Symbol
from agent.domain.skin.baseline import Baseline
from agent.domain.skin.reading import TemperatureReading

__all__ = [
    "Broker",
    "Camera",
    "Clock",
    "DetectedFace",
    "Door",
    "FaceEngine",
    "Frame",
    "Gallery",
    "HolderStore",
    "IdReader",
    "Image",
    "Indicator",
    "Inputs",
    "Journal",
    "Landmarks",
    "LatchStore",
    "Loudspeaker",
    "PassLedger",
    "PhotoDecoder",
    "Reference",
    "StoredEvent",
    "SymbolReader",
    "Template",
    "Thermometer",
]


class Camera(Protocol):
    """Frames of one camera, newest first come."""

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame, or None at the end of a finite source.

        Raises:
            UnavailableError: no frame came within ``timeout_s``, or the device is gone.
        """

    def close(self) -> None:
        """Let the device go; safe to call twice."""


class FaceEngine(Protocol):
    """Finds faces and makes templates of them by one model pack."""

    def detect(self, image: Image) -> list[DetectedFace]:
        """Faces by falling area; empty where there is none."""

    def locate(self, image: Image, face: DetectedFace) -> DetectedFace | None:
        """``face`` with its landmarks and refined box; None where they show no face."""

    def embed(self, image: Image, face: DetectedFace) -> Template:
        """The template of a located face."""


class SymbolReader(Protocol):
    """Reads the symbols of a camera's frames, one frame after the other."""

    def look(self, image: Image) -> list[Symbol]:
        """The symbols of one frame; empty for most."""


class IdReader(Protocol):
    """A reader of ID documents."""

    def read(self, timeout_s: float) -> IdDocument | None:
        """The document that was laid on the reader, or None where none came within ``timeout_s``.

        One that is on the reader by then is read to its end, which may take some seconds more. One
        that stays there may be given again.

        Raises:
            UnavailableError: the reader does not answer, or has failed; it is tried anew next time.
            RefusedError: the reader is well, and what lies on it is no document that it can read.
        """

    def close(self) -> None:
        """Let the port go; safe to call twice."""


class PhotoDecoder(Protocol):
    """Opens the photograph of an ID document; only the reader's maker can."""

    def decode(self, photo: bytes) -> Image:
        """The photograph.

        Raises:
            RefusedError: it cannot be opened.
        """


class Thermometer(Protocol):
    """A skin temperature sensor."""

    def read(self) -> TemperatureReading:
        """A reading taken now.

        Raises:
            UnavailableError: the sensor does not answer or answers nonsense.
        """

    def close(self) -> None:
        """Let the bus go."""


class Door(Protocol):
    """The output that frees one access point, secured whenever in doubt."""

    def release(self, pulse_s: float) -> None:
        """Free it for at most ``pulse_s``, and never longer than the door's own maximum."""

    def hold(self, for_s: float) -> None:
        """Free it until ``for_s`` from now, however long it has been free: free passage.

        Never longer than the door's own maximum at a time: whoever wants more says it again.
        """

    def secure(self) -> None:
        """Secure it now; safe to call at any time and twice."""

    def close(self) -> None:
        """Secure and let the pin go."""


class Inputs(Protocol):
    """The contacts and buttons of one kiosk, debounced.

    What stays for 400 ms is never missed, and is told once for each change.
    """

    def take(self, timeout_s: float) -> Sequence[InputChange]:
        """The changes since the last call, oldest first; waits ``timeout_s`` for the first.

        The first call tells every input's level as it was found (``initial``).

        Raises:
            UnavailableError: the pins cannot be read any more.
        """

    def unsteady(self) -> Collection[str]:
        """The inputs whose lines oscillate now: short pulses there are missed."""

    def close(self) -> None:
        """Let the pins go; safe to call twice."""


class Indicator(Protocol):
    """Tells whoever stands at one access point how it stands."""

    def show(self, indication: Indication) -> None:
        """Say it now, in the place of what was said before; returns at once.

        Raises:
            UnavailableError: it cannot be said; the gate goes on.
        """

    def stand(self, standing: Standing) -> None:
        """How the access point stands while nobody is being told anything; returns at once.

        Raises:
            UnavailableError: it cannot be said; the gate goes on.
        """

    def close(self) -> None:
        """Dark and silent; safe to call twice."""


class Loudspeaker(Protocol):
    """Plays one file at a time; ``play`` belongs to one thread, ``cut`` to any."""

    def play(self, file: Path, wanted: Callable[[], bool]) -> None:
        """Play a WAV file to its end, or until it is cut; never longer than it may last.

        ``wanted`` is asked once no ``cut`` can be missed any more; where it says no, nothing plays.

        Raises:
            UnavailableError: it cannot be played.
        """

    def cut(self) -> None:
        """End what is played now; safe at any time."""


class Broker(Protocol):
    """A connection to the community's broker; publishing is the outbox's."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        """Hand one QoS 1 message over; its message id, or None while not connected."""

    def connected(self) -> bool:
        """Whether the broker has accepted this client."""

    def close(self, timeout_s: float) -> None:
        """Say goodbye within ``timeout_s``."""


class Journal(Protocol):
    """The truth about what happened: append, then publish, then mark."""

    def append(self, event: "Event | Callable[[], Event]") -> int:
        """Commit an event and return its sequence number.

        A callable is asked for the event once the row can be written, so that it can say how late
        that was. An event whose id is there already changes nothing.

        Raises:
            StoreError: the row could not be written.
        """

    def make_durable(self) -> None:
        """What was appended so far survives a power failure from now on."""

    def unpublished(self, limit: int) -> Sequence["StoredEvent"]:
        """The oldest durable rows not yet acknowledged, in their order."""

    def mark_published(self, rows: Sequence[int]) -> None:
        """The broker has acknowledged these rows."""

    def mark_refused(self, row: int, why: str) -> None:
        """No broker will ever take this row; it stays in the journal and is sent no more."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A journal row: the event, its place in the stream, and whether the broker has it.

    ``row`` orders the file, ``(epoch, sequence)`` the stream: rows salvaged from an earlier file
    keep the place that they had there.
    """

    row: int
    epoch: str
    sequence: int
    event: Event
    published: bool


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """One enrolled template of a holder, made by one version of one pack."""

    holder: HolderId
    pack: str
    pack_version: str
    template: Template = field(repr=False)


StillHolds = Callable[[Holder | None], bool]
"""Whether a change may be made to the holder as stored at that very moment, None for nobody."""


def whoever(_stored: Holder | None) -> bool:
    """A change that does not build on what was stored."""
    return True


class HolderStore(Protocol):
    """Holders, and the changes made to them."""

    def holders(self) -> Sequence[Holder]:
        """Every holder, by id."""

    def put(self, holder: Holder, *, by: str, now: Instant, if_still: StillHolds = whoever) -> None:
        """Add or change a holder; the change and its event are one transaction.

        Raises:
            RefusedError: ``changed_meanwhile``: ``if_still`` says no to the holder as stored now.
        """

    def remove(self, holder: HolderId, *, by: str, now: Instant) -> bool:
        """Forget a holder and all references; False where there is none."""


class Gallery(Protocol):
    """Sealed references at rest, opened into memory only."""

    def references(self, pack: str, pack_version: str) -> Sequence[Reference]:
        """Every reference made by this pack, by holder.

        Raises:
            KeyUnavailableError: the key is not the one that sealed them.
            StoreError: a row fails its seal: it was altered, or copied from elsewhere.
        """

    def enrol(
        self, holder: Holder, references: Sequence[Reference], *, by: str, now: Instant
    ) -> None:
        """Put the holder and replace their references for the pack, in one transaction."""


class PassLedger(Protocol):
    """How often passes with limited uses were used here."""

    def uses(self) -> Mapping[PassId, int]:
        """How often each pass was used; those never used are not named."""

    def consume(self, one: PassId, limit: int, valid_until: datetime) -> bool:
        """Count one more use, on the disk before it returns; False where ``limit`` was reached.

        Raises:
            StoreError: it could not be written; the pass must not open.
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


class Clock(Protocol):
    """The only way to the time of day and to timers."""

    def now(self) -> Instant:
        """This moment on both clocks."""

    def after(self, delay_s: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call ``call`` once after ``delay_s`` from a thread of the clock's; returns a cancel."""
