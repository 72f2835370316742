"""Two wires on the Pi's header, by the kernel's own times of their falling edges.

The debounced inputs cannot serve: a pulse of 50 us is what they take for a bounce, and a frame for
a storm. Here each wire is claimed for alerts of falling edges alone, so the kernel stamps each
pulse once, and its callback only queues. Where more than 3000 edges come in a second (a reader
sends 30 to 1000) both wires are let go for a second: a floating wire would drown the process in
callbacks, and the doors' own inputs with it. Not yet run on hardware.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from agent.domain.reader.pulses import Pulse
from agent.errors import UnavailableError

_QUEUED = 1024
_MOST_A_SECOND = 3000
_CALM_S = 1.0


class LgpioLines:
    """Implements ``PulseLines``; ``gpio`` is the module lgpio, ``handle`` an open chip of it."""

    def __init__(self, gpio: Any, handle: int, d0: int, d1: int, *, pull_up: bool) -> None:
        """Listen to the BCM numbers ``d0`` and ``d1``.

        Raises:
            UnavailableError: a pin is in use, or there is none.
        """
        self._gpio = gpio
        self._handle = handle
        self._pins = {d0: 0, d1: 1}
        self._flags = gpio.SET_PULL_UP if pull_up else gpio.SET_PULL_NONE
        self._heard: deque[Pulse] = deque(maxlen=_QUEUED)
        self._condition = threading.Condition()
        self._callbacks: list[Any] = []
        self._claimed: list[int] = []
        self._calm_until_s: float | None = None
        self._count, self._since_s = 0, time.monotonic()
        self._closed = False
        self._listen()

    def take(self) -> Sequence[Pulse]:
        """What was heard since the last call.

        Raises:
            UnavailableError: the pins cannot be listened to again.
        """
        now_s = time.monotonic()
        with self._condition:
            drowning = self._count > _MOST_A_SECOND
            taken = [*self._heard]
            self._heard.clear()
        if self._closed:
            raise UnavailableError("the reader is closed")
        if drowning and self._calm_until_s is None:
            self._calm_until_s = now_s + _CALM_S
            self._let_go()
        elif self._calm_until_s is not None and now_s >= self._calm_until_s:
            self._calm_until_s, self._count = None, 0
            self._listen()
        return taken

    def wait(self, timeout_s: float) -> None:
        """Until a pulse was heard, or ``timeout_s``."""
        with self._condition:
            if not self._heard:
                self._condition.wait(timeout_s)

    @property
    def drowned(self) -> bool:
        """Whether the wires were let go for a moment."""
        return self._calm_until_s is not None

    def close(self) -> None:
        """Let the pins go; safe to call twice."""
        self._closed = True
        self._let_go()

    def _alert(self, _chip: int, pin: int, level: int, at_ns: int) -> None:
        """What lgpio calls for each falling edge, in its own thread."""
        if level != 0:
            return  # its watchdog, which is no edge
        now_s = time.monotonic()
        with self._condition:
            if now_s - self._since_s > 1.0:
                self._count, self._since_s = 0, now_s
            self._count += 1
            self._heard.append(Pulse(at_ns, self._pins[pin]))
            self._condition.notify_all()

    def _listen(self) -> None:
        try:
            for pin in self._pins:
                self._gpio.gpio_claim_alert(self._handle, pin, self._gpio.FALLING_EDGE, self._flags)
                self._claimed.append(pin)
                self._callbacks.append(
                    self._gpio.callback(self._handle, pin, self._gpio.FALLING_EDGE, self._alert)
                )
        except Exception as error:  # lgpio's own errors share no class
            self._let_go()
            fix = "stop what else uses the pin (gpioinfo names it), or configure another one"
            raise UnavailableError(
                f"GPIO {pin} (a reader's) cannot be had: {error}", fix
            ) from error

    def _let_go(self) -> None:
        for one in self._callbacks:
            one.cancel()
        for pin in self._claimed:
            self._gpio.gpio_free(self._handle, pin)
        self._callbacks, self._claimed = [], []


def lines_of(factory: Any, d0: int, d1: int, *, pull_up: bool) -> LgpioLines:
    """The wires on the header of gpiozero's lgpio ``factory``, on the chip that it has open.

    Raises:
        UnavailableError: a pin is in use, or there is none.
    """
    # Importable only where lgpio is, which the factory has seen to.
    from gpiozero.pins import lgpio as backend  # noqa: PLC0415 - as above

    handle: Any = factory._handle  # noqa: SLF001 - gpiozero has no other way to it
    return LgpioLines(backend.lgpio, handle, d0, d1, pull_up=pull_up)
