"""The one thread that owns the controller and the outputs."""

from collections.abc import Callable

from agent.app.gate.executor import Executor
from agent.app.threads.inbox import Inbox
from agent.controller.inputs import Input, Stop, Tick
from agent.controller.kiosk import Kiosk
from agent.ports import Clock

_LONGEST_WAIT_S = 0.5


class ControlLoop:
    """Takes inputs, asks the controller, executes; beats once a round so that a watchdog sees."""

    def __init__(
        self,
        kiosk: Kiosk,
        inbox: Inbox,
        executor: Executor,
        clock: Clock,
        beat: Callable[[], None],
    ) -> None:
        self._kiosk = kiosk
        self._inbox = inbox
        self._executor = executor
        self._clock = clock
        self._beat = beat

    def run(self) -> str:
        """Until a ``Stop`` comes; the outputs are secured by then, and its reason is returned."""
        self.start()
        while True:
            self._beat()
            happened = self.step(self._wait_s())
            if isinstance(happened, Stop):
                return happened.why

    def start(self) -> None:
        """The first effects: every output secured, then what held before."""
        self._executor.execute(self._kiosk.start(self._clock.now()))

    def step(self, timeout_s: float) -> Input:
        """Take one input, or a ``Tick`` after ``timeout_s``, and do what follows; what it was."""
        happened = self._inbox.take(timeout_s) or Tick()
        self._executor.execute(self._kiosk.handle(happened, self._clock.now()))
        return happened

    @property
    def expected_false_grants(self) -> float:
        """What faces alone risked in this process, in expected false grants."""
        return self._kiosk.expected_false_grants(self._clock.now().monotonic_s)

    @property
    def deadline_s(self) -> float | None:
        """When a ``Tick`` is due next, on the monotonic clock; None while nothing is due."""
        return self._kiosk.deadline_s

    def _wait_s(self) -> float:
        deadline_s = self._kiosk.deadline_s
        if deadline_s is None:
            return _LONGEST_WAIT_S
        return min(max(deadline_s - self._clock.now().monotonic_s, 0.0), _LONGEST_WAIT_S)
