"""A door's relay on a GPIO pin, through gpiozero.

The output starts de-energised whatever the pin did before, its polarity is always said, and two
clocks end a pulse: the controller's deadline, and here the door's own maximum, which a hung
controller cannot extend:

    energised at t0, released again at t1, t2...    secured at t0 + max_pulse_s at the latest

After the process's death neither runs: the service's ExecStopPost then opens each output at rest
(``gate-agent secure-outputs``). The line itself promises nothing then: see ``pins.lgpio``.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpiozero import OutputDevice
from gpiozero.exc import PinUnknownPi
from gpiozero.pins.mock import MockFactory

from agent.adapters.pins.simulated import FilePinFactory
from agent.errors import UnavailableError

if TYPE_CHECKING:  # what secures a dead agent's outputs imports this, and needs no more
    from agent.config.base import PinFactory
    from agent.ports import Clock

_RETRY_S = 0.25


def open_pins(kind: "PinFactory", pins_file: Path | None = None) -> Any:
    """A gpiozero pin factory of exactly this kind; nothing else is tried.

    ``mock`` pins die with the process, ``simulated`` ones live on in ``pins_file``. Doors on the
    same header share one factory, so that gpiozero refuses two doors on one pin; ``close()`` it
    after its doors.

    Raises:
        UnavailableError: the library or the chip is missing, or the file is none of ours.
    """
    if kind == "mock":
        return MockFactory()
    if kind == "simulated":
        if pins_file is None:
            raise UnavailableError("simulated pins need a pins_file")
        return FilePinFactory(pins_file)
    try:
        from agent.adapters.pins.lgpio import SteadyFactory  # noqa: PLC0415 - only a Pi has lgpio

        return SteadyFactory()
    except ImportError as error:
        fix = "sudo apt install python3-lgpio; off a Pi: pin_factory = 'mock'"
        raise UnavailableError(f"no GPIO here: {error}", fix) from error
    except PinUnknownPi as error:
        fix = (
            "see what the board says of itself: cat /proc/device-tree/model. A Raspberry Pi newer"
            " than gpiozero needs a newer system; off a Pi: pin_factory = 'mock'"
        )
        raise UnavailableError(f"no GPIO here: {error}", fix) from error
    except Exception as error:  # lgpio raises its own class, which is not importable without it
        fix = (
            "join the gpio group (or run as root) on a Raspberry Pi, from a folder that may be"
            " written to (lgpio puts a pipe there); off a Pi: pin_factory = 'mock'"
        )
        raise UnavailableError(f"no GPIO here: {type(error).__name__}: {error}", fix) from error


class GpioDoor:
    """One output; thread-safe, since its maximum fires from the clock's thread."""

    def __init__(
        self, pins: Any, pin: int, *, active_high: bool, max_pulse_s: float, clock: "Clock"
    ) -> None:
        """Take the pin, at rest.

        Raises:
            UnavailableError: another process or door has the pin.
        """
        self._pin = pin
        self._max_pulse_s = max_pulse_s
        self._clock = clock
        self._lock = threading.RLock()
        self._cancel: Callable[[], None] | None = None
        self._armed = 0
        self._energised_s: float | None = None
        try:
            self._output = OutputDevice(
                pin, active_high=active_high, initial_value=False, pin_factory=pins
            )
        except Exception as error:  # lgpio's own errors share no class with gpiozero's
            fix = "stop what else uses the pin (gpioinfo names it), or configure another one"
            raise UnavailableError(f"GPIO {pin} cannot be had: {error}", fix) from error

    def release(self, pulse_s: float) -> None:
        """Energise for at most ``pulse_s``; further calls never pass the first one's maximum.

        A pulse that is no positive number secures.

        Raises:
            UnavailableError: the pin does not obey, or the door is closed; the maximum stays
                armed, and tries to secure until it can.
        """
        with self._lock:
            now_s = self._clock.now().monotonic_s
            if self._energised_s is None:
                self._energised_s = now_s
            self._free(min(pulse_s, self._energised_s + self._max_pulse_s - now_s))

    def hold(self, for_s: float) -> None:
        """Energise until ``for_s`` from now, and no longer than the maximum from now.

        Said again in time it holds for ever, which a hung controller cannot: then it ends.

        Raises:
            UnavailableError: as ``release``.
        """
        with self._lock:
            # A pulse that follows has its own maximum, counted from here.
            self._energised_s = self._clock.now().monotonic_s
            self._free(min(for_s, self._max_pulse_s))

    def secure(self) -> None:
        """De-energise now; does nothing once closed.

        Raises:
            UnavailableError: the pin does not obey; the maximum stays armed.
        """
        with self._lock:
            if self._output.closed:
                return
            self._write(self._output.off)
            self._energised_s = None
            self._disarm()

    def close(self) -> None:
        """Secure and let the pin go.

        Raises:
            UnavailableError: the pin does not obey; it is kept, and the maximum stays armed.
        """
        with self._lock:
            if not self._output.closed:
                self.secure()
                self._write(self._output.close)

    def _free(self, for_s: float) -> None:
        if self._output.closed:
            raise UnavailableError(f"GPIO {self._pin} is closed")
        if not for_s > 0.0:
            self.secure()
            return
        # Armed first: an output must never be on without something that turns it off.
        self._arm(for_s)
        self._write(self._output.on)

    def _arm(self, delay_s: float) -> None:
        self._disarm()
        self._armed += 1
        number = self._armed
        self._cancel = self._clock.after(delay_s, lambda: self._maximum_reached(number))

    def _disarm(self) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def _maximum_reached(self, number: int) -> None:
        with self._lock:
            # A timer that lost the race for the lock must not cut the pulse that won it.
            if number != self._armed or self._cancel is None or self._output.closed:
                return
            try:
                self.secure()
            except UnavailableError as error:
                import structlog  # noqa: PLC0415 - a running agent has it, who only secures does not

                log = structlog.get_logger(__name__)
                log.critical("output_stays_energised", pin=self._pin, error=str(error))
                self._arm(_RETRY_S)

    def _write(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except Exception as error:  # lgpio's own errors share no class with gpiozero's
            fix = "check the chip and its permissions; switch the door's supply off meanwhile"
            raise UnavailableError(f"GPIO {self._pin} does not obey: {error}", fix) from error
