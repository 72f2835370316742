"""The one thread that owns the controller and the outputs."""

from collections.abc import Callable

from agent.app.executor import Executor
from agent.app.inbox import Inbox
from agent.controller.inputs import Stop, Tick
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
        self._executor.execute(self._kiosk.start(self._clock.now()))
        while True:
            self._beat()
            happened = self._inbox.take(self._wait_s())
            now = self._clock.now()
            self._executor.execute(self._kiosk.handle(happened or Tick(), now))
            if isinstance(happened, Stop):
                return happened.why

    def _wait_s(self) -> float:
        deadline_s = self._kiosk.deadline_s
        if deadline_s is None:
            return _LONGEST_WAIT_S
        return min(max(deadline_s - self._clock.now().monotonic_s, 0.0), _LONGEST_WAIT_S)
