"""A header that outlives its processes within one process: whoever looks is told of every move.

Each simulated agent opens it anew, as ``FilePinFactory`` opens its file; what the last one drove
stays. A pin may be told not to obey, and what is wired to an input may be put there with an edge or
without one.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path

from gpiozero.pins.mock import MockFactory

from agent.adapters.pins.simulated import FilePin, FilePinFactory, PinBank


class WatchedBank(PinBank):
    """The pins themselves; ``moved`` hears of each level that an agent drives."""

    def __init__(self, path: Path, moved: Callable[[int, bool], None]) -> None:
        """Open the file, or make it with every pin low.

        Raises:
            UnavailableError: it cannot be opened, or is some other file.
        """
        super().__init__(path)
        self.broken: set[int] = set()
        """Pins that raise whatever is driven onto them, and keep their level."""
        self._moved = moved

    def drive(self, pin: int, *, level: bool) -> None:
        """Put a level on the pin: the process drives it as an output.

        Raises:
            OSError: the pin does not obey.
        """
        if pin in self.broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        before = self.level(pin)
        super().drive(pin, level=level)
        if level is not before:
            self._moved(pin, level)


class OpenedHeader(FilePinFactory):
    """The pins as one process has them."""

    def __init__(self, bank: WatchedBank) -> None:
        MockFactory.__init__(self, pin_class=FilePin)
        self.bank = bank

    def put(self, pin: int, *, level: bool) -> None:
        """What is wired to an input drives it, and its edge is heard."""
        wired = self.pin(f"GPIO{pin}")
        if wired.function != "input":
            self.bank.set_input(pin, level)
        elif level:
            wired.drive_high()
        else:
            wired.drive_low()
