"""Pins that outlive the process, as a real header does: their levels live in a file.

gpiozero's mock pins die with the interpreter, so a killed agent could never be seen leaving a relay
energised. Here each pin is one record of a memory-mapped file: what it is driven to, when that last
changed, and how often. Nothing writes when a process dies, so the level stays, which is the worst
that a real line does. One process drives a pin at a time, as on a header; any may look.

    "GATEPINS"    then 64 records of 24 bytes: level (0 or 1), changed_s, changes
"""

import mmap
import os
import struct
import time
from pathlib import Path
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPin

from agent.errors import UnavailableError

_PINS = 64
_MAGIC = b"GATEPINS"
_RECORD = struct.Struct("<qdq")
_SIZE = len(_MAGIC) + _PINS * _RECORD.size


class PinBank:
    """The header itself: levels by BCM number, shared by whoever opens the file."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it with every pin low.

        Raises:
            UnavailableError: it cannot be opened, or is some other file: that stays as it is.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            fix = "name a pins_file in a folder that the agent may write to"
            raise UnavailableError(f"{path}: {error.strerror}", fix) from error
        try:
            begins = os.read(descriptor, len(_MAGIC))
            if begins not in (b"", _MAGIC):
                raise UnavailableError(f"{path} is no pins file", "name another pins_file")
            os.ftruncate(descriptor, _SIZE)
            self._map = mmap.mmap(descriptor, _SIZE)
        finally:
            os.close(descriptor)
        self._map[: len(_MAGIC)] = _MAGIC

    def level(self, pin: int) -> bool:
        """The electrical level now."""
        return bool(self._record(pin)[0])

    def changed_s(self, pin: int) -> float:
        """When the level last changed, on the monotonic clock; 0.0 for never."""
        return float(self._record(pin)[1])

    def changes(self, pin: int) -> int:
        """How often the level has changed: a blip that nobody saw still counts."""
        return int(self._record(pin)[2])

    def drive(self, pin: int, *, level: bool) -> None:
        """Put a level on the pin."""
        if level != self.level(pin):
            at = len(_MAGIC) + pin * _RECORD.size
            _RECORD.pack_into(self._map, at, int(level), time.monotonic(), self.changes(pin) + 1)

    def _record(self, pin: int) -> tuple[Any, ...]:
        return _RECORD.unpack_from(self._map, len(_MAGIC) + pin * _RECORD.size)


class FilePin(MockPin):  # type: ignore[misc] # gpiozero has no types
    """A mock pin that writes what it drives into the bank, and begins with what is there."""

    def __init__(self, factory: Any, info: Any) -> None:
        super().__init__(factory, info)
        self._state = factory.bank.level(self._number)

    def _change_state(self, value: bool) -> bool:  # noqa: FBT001 - gpiozero's signature
        changed = bool(super()._change_state(value))
        if self.function == "output":
            self.factory.bank.drive(self._number, level=bool(value))
        return changed

    def _set_function(self, value: str) -> None:
        super()._set_function(value)
        if value == "output":
            self.factory.bank.drive(self._number, level=bool(self._state))

    def close(self) -> None:
        """Let go; the level stays, as a real line may leave it."""
        self.when_changed = None
        self._function = "input"


class FilePinFactory(MockFactory):  # type: ignore[misc] # gpiozero has no types
    """A pin factory over a bank in a file."""

    def __init__(self, path: Path) -> None:
        self.bank = PinBank(path)
        super().__init__(pin_class=FilePin)
