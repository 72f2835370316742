"""Whether every thread still gets on: one that hangs is as dead as one that died, and says less.

    thread    came_round() ......... each round of its loop, whether anything was there or not
    looker    hung() ............... once a round of the control loop, which feeds the watchdog

    came round within its time                      it gets on
    did not, and its fault was told                 the rules know of it: a restart mends no camera
    did not, and nobody was told                    hung: the agent ends, systemd starts it again
    the looker itself did not look for seconds      the process was halted: all begin to count anew

Only threads are looked at whose hanging leaves a gate that seems well and is not: what sees, reads
and hears. One that waits for the broker or for the disk is not among them: both have a fault of
their own, and a new start mends neither.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

HUNG_S = 60.0
"""No round takes so long: a face costs 2 s on an emulated board."""
_HALTED_S = 5.0

_here = threading.local()


def _never() -> bool:
    return False


@dataclass(slots=True)
class Round:
    """When a thread last came round, how long it may take, and whether its fault is told.

    ``within_s`` None is a thread that is not looked at.
    """

    name: str
    within_s: float | None = None
    told: Callable[[], bool] = _never
    last_s: float | None = field(default=None, init=False)

    def begin(self) -> None:
        """Called by the thread itself, before its loop; ``came_round`` is its word from then on."""
        _here.round = self
        self.last_s = time.monotonic()

    def end(self) -> None:
        """It has nothing to do any more."""
        self.last_s = None


def came_round() -> None:
    """This thread gets on; of a thread that nobody looks at it means nothing."""
    here: Round | None = getattr(_here, "round", None)
    if here is not None:
        here.last_s = time.monotonic()


class Rounds:
    """All threads' rounds, looked at by one thread only."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._all: tuple[Round, ...] = ()
        self._looked_s: float | None = None

    def watch(self, rounds: Iterable[Round]) -> None:
        """Look at these from now on."""
        self._all = tuple(one for one in rounds if one.within_s is not None)

    def hung(self) -> str | None:
        """The name of a thread that hangs and told nothing of it; None where there is none."""
        now_s = self._now_s()
        halted = self._looked_s is not None and now_s - self._looked_s > _HALTED_S
        self._looked_s = now_s
        for one in self._all:
            last_s = one.last_s
            if last_s is None or one.within_s is None:
                continue
            if halted:
                one.last_s = now_s
            elif now_s - last_s > one.within_s and not one.told():
                return one.name
        return None
