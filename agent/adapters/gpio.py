"""A door's relay on a GPIO pin, through gpiozero.

The output starts de-energised whatever the pin did before, its polarity is always said, and two
clocks end a pulse: the controller's deadline, and here the door's own maximum, which a hung
controller cannot extend. After the process's death neither runs: the service's ExecStopPost then
opens each output at rest (``gate-agent secure-outputs``).
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from gpiozero import GPIOZeroError, OutputDevice
from gpiozero.pins.mock import MockFactory

from agent.adapters.simulators.pins import FilePinFactory
from agent.errors import UnavailableError
from agent.ports import Clock

PinFactory = Literal["lgpio", "mock", "simulated"]


def open_pins(kind: PinFactory, pins_file: Path | None = None) -> Any:
    """A gpiozero pin factory of exactly this kind; nothing else is tried.

    Raises:
        UnavailableError: the library or the chip is missing.
    """
    if kind == "mock":
        return MockFactory()
    if kind == "simulated":
        if pins_file is None:
            raise UnavailableError("simulated pins need a pins_file")
        return FilePinFactory(pins_file)
    try:
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415 - only a Pi has it

        return LGPIOFactory()
    except Exception as error:  # lgpio raises its own class, which is not importable without it
        fix = "apt install python3-lgpio, and join the gpio group; off a Pi: pin_factory = 'mock'"
        raise UnavailableError(f"no GPIO here: {type(error).__name__}: {error}", fix) from error


class GpioDoor:
    """One output; thread-safe, since its maximum fires from the clock's thread."""

    def __init__(
        self, pins: Any, pin: int, *, active_high: bool, max_pulse_s: float, clock: Clock
    ) -> None:
        """Take the pin, at rest.

        Raises:
            UnavailableError: another process or door has the pin.
        """
        self._max_pulse_s = max_pulse_s
        self._clock = clock
        self._lock = threading.RLock()
        self._cancel: Callable[[], None] | None = None
        self._energised_s: float | None = None
        try:
            self._output = OutputDevice(
                pin, active_high=active_high, initial_value=False, pin_factory=pins
            )
        except (GPIOZeroError, OSError) as error:
            fix = "stop what else uses the pin, or name another one in the config"
            raise UnavailableError(f"GPIO {pin} cannot be had: {error}", fix) from error

    def release(self, pulse_s: float) -> None:
        """Energise for at most ``pulse_s``; further calls never pass the first one's maximum."""
        with self._lock:
            now_s = self._clock.now().monotonic_s
            if self._energised_s is None:
                self._energised_s = now_s
            left_s = min(pulse_s, self._energised_s + self._max_pulse_s - now_s)
            if left_s <= 0.0:
                self.secure()
                return
            self._disarm()
            # Armed first: an output must never be on without something that turns it off.
            self._cancel = self._clock.after(left_s, self._maximum_reached)
            self._output.on()

    def secure(self) -> None:
        """De-energise now."""
        with self._lock:
            self._output.off()
            self._energised_s = None
            self._disarm()

    def close(self) -> None:
        """Secure and let the pin go."""
        with self._lock:
            if not self._output.closed:
                self.secure()
                self._output.close()

    def _maximum_reached(self) -> None:
        with self._lock:
            if not self._output.closed:
                self.secure()

    def _disarm(self) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
