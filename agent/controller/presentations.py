"""What was shown at one access point: each presentation is judged once, no credential too often.

    believed, and worth something    judged when its own interval is over, whatever else is shown
    refused by itself                told one after the other, with growing patience for all of them

So a sheet of codes that open nothing costs an event now and then, and a pass that opens never waits
behind them; nor does another access point.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable

from agent.controller.pacer import Pacer
from agent.domain.credential.presented import CredentialId, Presented

_REMEMBERED = 64
_MOST_CREDENTIALS = 256


class Presentations:
    """Times are seconds on the monotonic clock."""

    def __init__(self, interval_s: float, interval_max_s: float) -> None:
        self._interval_s = interval_s
        self._interval_max_s = interval_max_s
        self._refusals = self._pacer()
        self._pacers: OrderedDict[CredentialId, Pacer] = OrderedDict()
        # Apart, so that what a stranger shows makes nobody's pass be judged twice.
        self._judged: deque[int] = deque(maxlen=_REMEMBERED)
        self._refused: deque[int] = deque(maxlen=_REMEMBERED)

    def due(self, presented: Presented, now_s: float) -> bool:
        """Whether it is to be judged now: it was not yet, and its credential need not wait."""
        if presented.id in self._judged or presented.id in self._refused:
            return False
        pacer = self._pacers.get(presented.credential) if presented.credential else None
        return pacer is None or now_s >= pacer.not_before_s

    def refusable(self, now_s: float) -> bool:
        """Whether one that opens nothing by itself may be told of now."""
        return now_s >= self._refusals.not_before_s

    def judged(self, presented: Presented) -> None:
        """It is judged now, or as a part of a combination later."""
        self._judged.append(presented.id)

    def refused(self, presented: Presented, now_s: float) -> None:
        """It opened nothing by itself, and that was told."""
        self._refused.append(presented.id)
        self._refusals.judged(granted=False, now_s=now_s)
        if presented.credential is not None:
            self.concluded((presented.credential,), granted=False, now_s=now_s)

    def concluded(
        self, credentials: Iterable[CredentialId], *, granted: bool, now_s: float
    ) -> None:
        """What these came to; their own next attempt waits."""
        for one in credentials:
            pacer = self._pacers.setdefault(one, self._pacer())
            pacer.judged(granted=granted, now_s=now_s)
            self._pacers.move_to_end(one)
        while len(self._pacers) > _MOST_CREDENTIALS:
            self._pacers.popitem(last=False)

    def _pacer(self) -> Pacer:
        return Pacer(self._interval_s, self._interval_max_s)
