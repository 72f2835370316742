"""What the gate perceives with: cameras, readers, sensors, contacts."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from agent.domain.credential.id_document import IdDocument
from agent.domain.door.signal import InputChange
from agent.domain.reader.decoder import Heard
from agent.domain.sight.image import Frame, Image
from agent.domain.sight.symbol import Symbol
from agent.domain.sight.track import Box
from agent.domain.skin.reading import TemperatureReading


class Camera(Protocol):
    """Frames of one camera, newest first come."""

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame, or None at the end of a finite source.

        Raises:
            UnavailableError: no frame came within ``timeout_s``, or the device is gone.
        """

    def close(self) -> None:
        """Let the device go; safe to call twice."""


class SymbolReader(Protocol):
    """Reads the symbols of a camera's frames, one frame after the other."""

    def look(self, image: Image) -> list[Symbol]:
        """The symbols of one frame; empty for most."""

    @property
    def unread(self) -> list[Box]:
        """Where the last frame showed a code that could not be read; empty for most."""


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


class CardReader(Protocol):
    """A reader of cards, which may have a keypad."""

    def read(self, timeout_s: float) -> Sequence[Heard]:
        """What was shown or entered, oldest first; empty where nothing was within ``timeout_s``.

        What is no card, because a bit was lost or somebody plays with the wires, is told as such.

        Raises:
            UnavailableError: nothing can be read by it; it is tried anew next time.
        """

    @property
    def counts(self) -> Mapping[str, int]:
        """How often it read what: ``card``, ``keys``, ``noise``, ``length``, ``parity``."""

    def close(self) -> None:
        """Let it go; safe to call twice."""


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
