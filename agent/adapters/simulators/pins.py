"""Pins that outlive the process, as a real header does: their levels live in a file.

gpiozero's mock pins die with the interpreter, so a killed agent could never be seen leaving a relay
energised. Here each pin is one record of a memory-mapped file: its level, and when it last changed.
One process drives a pin at a time, as on a header; any may look.
"""

import mmap
import os
import struct
import time
from pathlib import Path
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPin

_PINS = 64
_RECORD = struct.Struct("<qd")  # level (0 or 1), monotonic seconds of the last change


class PinBank:
    """The header itself: levels by BCM number, shared by whoever opens the file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(descriptor, _PINS * _RECORD.size)
            self._map = mmap.mmap(descriptor, _PINS * _RECORD.size)
        finally:
            os.close(descriptor)

    def level(self, pin: int) -> bool:
        """The electrical level now."""
        return bool(_RECORD.unpack_from(self._map, pin * _RECORD.size)[0])

    def changed_s(self, pin: int) -> float:
        """When the level last changed, on the monotonic clock; 0.0 for never."""
        return float(_RECORD.unpack_from(self._map, pin * _RECORD.size)[1])

    def drive(self, pin: int, *, level: bool) -> None:
        """Put a level on the pin."""
        if level != self.level(pin):
            _RECORD.pack_into(self._map, pin * _RECORD.size, int(level), time.monotonic())


class FilePin(MockPin):  # type: ignore[misc] # gpiozero has no types
    """A mock pin that writes what it drives into the bank, and begins with what is there."""

    def __init__(self, factory: Any, info: Any) -> None:
        super().__init__(factory, info)
        self._number = _number_of(info)
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


def _number_of(info: Any) -> int:
    for name in (info.name, *info.names):
        text = str(name)
        if text.startswith("GPIO") and text[4:].isdigit():
            return int(text[4:])
    raise ValueError(f"{info.name} is no GPIO")
