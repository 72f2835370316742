"""Contacts and buttons on GPIO pins, through gpiozero.

    pin edge --callback--> queue of its line --.
                                               +--> Debouncer --> changes
    take ----------------> poll of each pin ---'

Edges come with the kernel's time, so a pulse is known though nobody looked while it lasted. They
may be lost (a full queue in the kernel, a callback that was never made), so each ``take`` polls all
pins too, 20 times a second while it waits. A line that oscillates (a loose wire beside a motor)
would drown the process in callbacks: past ``_MOST_EDGES`` in a second its edges are switched off
for ``_CALM_S`` and it is polled only, where a level must last ``_STORM_DEBOUNCE_S``; it is
``unsteady`` until its edges have been few again, and counted in ``storms``.

It has no thread of its own: gpiozero's callbacks only queue. Not yet run on hardware.
"""

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gpiozero import InputDevice

from agent.domain.door.debounce import Debouncer
from agent.domain.door.signal import InputChange
from agent.errors import UnavailableError
from agent.ports import Clock

Pull = Literal["up", "down", "none"]

_POLL_S = 0.05
_MOST_EDGES = 200
_WINDOW_S = 1.0
_CALM_S = 5.0
_STORM_DEBOUNCE_S = 0.3
_LATEST_EDGE_S = 2.0
_PULL_UP: Mapping[Pull, bool | None] = {"up": True, "down": False, "none": None}


@dataclass(frozen=True, slots=True)
class InputPin:
    """One input: ``pins`` is its gpiozero factory, ``pin`` a BCM number.

    ``active_high`` is the level that means active. ``pull`` ``none`` relies on a resistor outside.
    """

    name: str
    pins: Any
    pin: int
    active_high: bool
    pull: Pull
    debounce_s: float


class GpioInputs:
    """Implements ``ports.Inputs``; ``take`` is for one thread, callbacks come from any."""

    def __init__(
        self, wanted: Sequence[InputPin], clock: Clock, *, edge_times: bool = False
    ) -> None:
        """Take the pins as inputs.

        ``edge_times``: the factories' times are of the clock's own monotonic time, as on a real
        header under the system's clock; else an edge counts from when its callback comes.

        Raises:
            UnavailableError: a pin is in use, or cannot have its pull.
        """
        self._clock = clock
        self._condition = threading.Condition()
        self._told = False
        self._closed = False
        self._lines: list[_Line] = []
        try:
            for one in wanted:
                self._lines.append(_Line(one, clock, self._condition, edge_times=edge_times))
        except BaseException:
            self.close()
            raise

    def take(self, timeout_s: float) -> Sequence[InputChange]:
        """The changes since the last call, oldest first; waits ``timeout_s`` for the first.

        Raises:
            UnavailableError: a pin cannot be read; the others' changes come with the next call.
        """
        ends_s = time.monotonic() + timeout_s
        with self._condition:
            while True:
                found = self._news()
                left_s = ends_s - time.monotonic()
                if found or left_s <= 0.0:
                    return found
                due_s = self._pending_s()
                wait_s = min(left_s, _POLL_S)
                if due_s is not None:
                    wait_s = min(wait_s, max(due_s - self._clock.now().monotonic_s, 0.001))
                self._condition.wait(wait_s)

    @property
    def deadline_s(self) -> float | None:
        """The monotonic second at which ``take`` has something by debounce; None for nothing."""
        with self._condition:
            if not self._told:
                return self._clock.now().monotonic_s
            for line in self._lines:
                line.sample()
            return self._pending_s()

    @property
    def storms(self) -> Mapping[str, int]:
        """How often each input's line was found to oscillate."""
        return {line.name: line.storms for line in self._lines}

    def unsteady(self) -> frozenset[str]:
        """The inputs whose lines oscillate: they are polled only, and what is short is missed."""
        return frozenset(line.name for line in self._lines if line.unsteady)

    def close(self) -> None:
        """Let the pins go; safe to call twice."""
        with self._condition:
            self._closed = True
            for line in self._lines:
                line.close()
            self._condition.notify_all()

    def _news(self) -> list[InputChange]:
        initial = self._initial()
        try:
            return initial + self._look()
        except UnavailableError:
            # What was found at the start is told even where a pin cannot be read by now.
            if self._closed or not initial:
                raise
            return initial

    def _initial(self) -> list[InputChange]:
        if self._told:
            return []
        self._told = True
        return [line.found for line in self._lines]

    def _look(self) -> list[InputChange]:
        if self._closed:
            raise UnavailableError("the inputs are closed")
        now_s = self._clock.now().monotonic_s
        failed: UnavailableError | None = None
        for line in self._lines:
            try:
                line.sample()
            except UnavailableError as error:
                # One pin that fails must not hide what the others say.
                failed = error
        changes = [change for line in self._lines for change in line.debouncer.settle(now_s)]
        if failed is not None and not changes:
            raise failed
        return sorted(changes, key=lambda change: change.at_s)

    def _pending_s(self) -> float | None:
        due = [line.debouncer.deadline_s for line in self._lines]
        return min((moment for moment in due if moment is not None), default=None)


class _Line:
    """One pin: its callback queues, ``sample`` feeds the debouncer."""

    def __init__(
        self, wanted: InputPin, clock: Clock, condition: threading.Condition, *, edge_times: bool
    ) -> None:
        self.name = wanted.name
        self.storms = 0
        self.unsteady = False
        self._calm_s: float | None = None
        self._wanted = wanted
        self._clock = clock
        self._condition = condition
        self._edge_times = edge_times
        self._edges: deque[tuple[float, bool]] = deque(maxlen=_MOST_EDGES)
        self._count, self._window_s, self._listening_s = 0, 0.0, 0.0
        self._device = _take(wanted)
        now_s = clock.now().monotonic_s
        try:
            active = self._read()
            self._listen()
        except BaseException:
            self._device.close()
            raise
        self.found = InputChange(wanted.name, active, now_s, initial=True)
        self.debouncer = Debouncer(wanted.name, wanted.debounce_s, active=active, at_s=now_s)

    def sample(self) -> None:
        """Feed what the callbacks have queued, and the level now."""
        # Before the level is read: an edge in between then stands behind the poll, not before it.
        now_s = self._clock.now().monotonic_s
        self._judge_storm(now_s)
        while self._edges:
            at_s, active = self._edges.popleft()
            self.debouncer.edge(at_s, active=active)
        self.debouncer.poll(now_s, active=self._read())

    def heard(self, ticks: Any, state: Any) -> None:
        """What gpiozero calls: queue the edge and wake the reader."""
        if state not in (0, 1):
            return  # lgpio's watchdog, which is no level
        with self._condition:
            now_s = self._clock.now().monotonic_s
            if now_s - self._window_s > _WINDOW_S:
                self._count, self._window_s = 0, now_s
            self._count += 1
            self._edges.append(
                (self._moment(ticks, now_s), bool(state) is self._wanted.active_high)
            )
            if self._count <= _MOST_EDGES + 1:
                self._condition.notify_all()

    def close(self) -> None:
        """Let the pin go."""
        if not self._device.closed:
            self._device.pin.when_changed = None
            self._device.close()

    def _judge_storm(self, now_s: float) -> None:
        listening = self._calm_s is None
        if listening and self._count > _MOST_EDGES:
            self._device.pin.when_changed = None
            self._calm_s = now_s + _CALM_S
            self.storms += not self.unsteady
            self.unsteady = True
            self.debouncer.debounce_s = _STORM_DEBOUNCE_S
        elif self._calm_s is not None and now_s >= self._calm_s:
            self._calm_s = None
            self._count, self._window_s, self._listening_s = 0, now_s, now_s
            self._listen()
        elif listening and self.unsteady and now_s - self._listening_s > _WINDOW_S:
            self.unsteady = False
            self.debouncer.debounce_s = self._wanted.debounce_s

    def _listen(self) -> None:
        try:
            self._device.pin.when_changed = self.heard
        except Exception as error:  # lgpio's own errors share no class with gpiozero's
            raise self._lost(error) from error

    def _read(self) -> bool:
        try:
            return bool(self._device.pin.state) is self._wanted.active_high
        except Exception as error:  # lgpio's own errors share no class with gpiozero's
            raise self._lost(error) from error

    def _moment(self, ticks: Any, now_s: float) -> float:
        """When the edge was, on the clock; now where the factory's time cannot be meant."""
        if self._edge_times and isinstance(ticks, float):
            late_s = now_s - ticks
            if 0.0 <= late_s <= _LATEST_EDGE_S:
                return ticks
        return now_s

    def _lost(self, error: BaseException) -> UnavailableError:
        fix = "check the chip and its permissions: gpioinfo"
        message = f"GPIO {self._wanted.pin} (input {self.name}) cannot be read: {error}"
        return UnavailableError(message, fix)


def _take(wanted: InputPin) -> InputDevice:
    device: InputDevice | None = None
    try:
        device = InputDevice(
            wanted.pin,
            pull_up=_PULL_UP[wanted.pull],
            active_state=True if wanted.pull == "none" else None,
            pin_factory=wanted.pins,
        )
        if wanted.pull == "none":
            # gpiozero takes a line as it is for one that floats: the Pi's own pull would stay.
            device.pin.pull = "floating"
    except Exception as error:  # lgpio's own errors share no class with gpiozero's
        if device is not None:
            device.close()
        fix = (
            "stop what else uses the pin (gpioinfo names it), or configure another one;"
            " GPIO 2 and 3 have a pull-up on the board"
        )
        message = f"GPIO {wanted.pin} (input {wanted.name}) cannot be had: {error}"
        raise UnavailableError(message, fix) from error
    return device
