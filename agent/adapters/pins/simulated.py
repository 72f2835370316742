"""Pins that outlive the process, as a real header does: their levels live in a file.

gpiozero's mock pins die with the interpreter, so a killed agent could never be seen leaving a relay
energised. Here each pin is one record of a memory-mapped file: what it is driven to, when that last
changed, and how often. Nothing writes when a process dies, so the level stays, which is the worst
that a real line does. One process drives a pin at a time, as on a header; any may look.

What is wired to an input stands outside the agent's process and puts its level there with
``set_input``; ``leave_input`` cuts the wire, and the pin falls to its pull. An input hears no edge
of that: it is read, as a pin whose interrupts are lost.

    "GATEPINS"    then 64 records of 24 bytes: level, changed_s, changes
    level         bit 0: the electrical level; bit 1: something outside drives it;
                  bits 2 and 3: the pull of an input, up and down
"""

import mmap
import os
import struct
import time
from pathlib import Path
from typing import Any

from gpiozero.exc import PinFixedPull
from gpiozero.pins.mock import MockFactory, MockPin

from agent.errors import UnavailableError

_PINS = 64
_MAGIC = b"GATEPINS"
_RECORD = struct.Struct("<qdq")
_SIZE = len(_MAGIC) + _PINS * _RECORD.size
_HIGH, _OUTSIDE, _UP, _DOWN = 1, 2, 4, 8
_PULLS = {"up": _UP, "down": _DOWN, "floating": 0}


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
        return bool(self._record(pin)[0] & _HIGH)

    def changed_s(self, pin: int) -> float:
        """When the level last changed, on the monotonic clock; 0.0 for never."""
        return float(self._record(pin)[1])

    def changes(self, pin: int) -> int:
        """How often the level has changed: a blip that nobody saw still counts."""
        return int(self._record(pin)[2])

    def drive(self, pin: int, *, level: bool) -> None:
        """Put a level on the pin: the process drives it as an output."""
        self._write(pin, int(level))

    def set_input(self, pin: int, level: bool) -> None:  # noqa: FBT001 - a level reads as it is
        """Put a level on the pin from outside, as a contact or a button does."""
        self._write(pin, int(level) | _OUTSIDE | self._record(pin)[0] & (_UP | _DOWN))

    def leave_input(self, pin: int) -> None:
        """Cut the wire to the pin: an input falls to its pull, a floating one keeps its level."""
        self._fall(pin, self._record(pin)[0] & (_UP | _DOWN))

    def pull(self, pin: int, pull: str) -> None:
        """Make the pin an input with this pull (up, down, floating); what drives it wins."""
        flags = self._record(pin)[0]
        if flags & _OUTSIDE:
            self._write(pin, flags & (_HIGH | _OUTSIDE) | _PULLS[pull])
        else:
            self._fall(pin, _PULLS[pull])

    def _fall(self, pin: int, pull: int) -> None:
        level = int(self.level(pin)) if pull == 0 else int(pull == _UP)
        self._write(pin, level | pull)

    def _write(self, pin: int, flags: int) -> None:
        before, changed_s, changes = self._record(pin)
        if flags == before:
            return
        if (flags ^ before) & _HIGH:
            changed_s, changes = time.monotonic(), changes + 1
        _RECORD.pack_into(self._map, len(_MAGIC) + pin * _RECORD.size, flags, changed_s, changes)

    def _record(self, pin: int) -> tuple[Any, ...]:
        return _RECORD.unpack_from(self._map, len(_MAGIC) + pin * _RECORD.size)


class FilePin(MockPin):  # type: ignore[misc] # gpiozero has no types
    """A mock pin that writes what it drives into the bank, and reads there what drives it."""

    def __init__(self, factory: Any, info: Any) -> None:
        super().__init__(factory, info)
        self._state = factory.bank.level(self._number)

    def _get_state(self) -> bool:
        if self.function == "input":
            return bool(self.factory.bank.level(self._number))
        return bool(self._state)

    def _change_state(self, value: bool) -> bool:  # noqa: FBT001 - gpiozero's signature
        if self.function == "input":
            # Whoever drives it from outside may have done so from another process meanwhile.
            self._state = self.factory.bank.level(self._number)
        changed = bool(super()._change_state(value))
        if self.function == "output":
            self.factory.bank.drive(self._number, level=bool(value))
        else:
            self.factory.bank.set_input(self._number, bool(value))
        return changed

    def _set_function(self, value: str) -> None:
        super()._set_function(value)
        if value == "output":
            self.factory.bank.drive(self._number, level=bool(self._state))

    def _set_pull(self, value: str) -> None:
        if self.info.pull and value != self.info.pull:
            raise PinFixedPull(f"{self!r} has a fixed pull resistor")
        self._pull = value
        self.factory.bank.pull(self._number, value)
        self._state = self.factory.bank.level(self._number)

    def close(self) -> None:
        """Let go; the level stays, as a real line may leave it."""
        self.when_changed = None
        self._function = "input"


class FilePinFactory(MockFactory):  # type: ignore[misc] # gpiozero has no types
    """A pin factory over a bank in a file."""

    def __init__(self, path: Path) -> None:
        self.bank = PinBank(path)
        super().__init__(pin_class=FilePin)
