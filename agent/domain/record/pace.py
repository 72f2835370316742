"""How fast a backlog goes to the broker: a token bucket whose rate follows the answers.

A broker acknowledges what it has put into its subscribers' queues, not what they have read; with
Mosquitto's defaults it drops whatever is beyond 1,000 there. So events that waited go as slowly as
the config says. Where the answers come late, the rate is halved, once a second at most, and rises
by one a second for each second of answers in time (additive increase, multiplicative decrease:
D. Chiu and R. Jain, "Analysis of the Increase and Decrease Algorithms", 1989).
"""

from collections.abc import Callable

LATE_S = 1.0
LEAST_PER_S = 1.0
_BURST_S = 0.5
_WAKE_S = 0.2
_UNBOUNDED = 1_000_000


class Pace:
    """The bucket; of one thread."""

    def __init__(self, most_per_s: float, now_s: Callable[[], float]) -> None:
        """``most_per_s`` events a second at most, 0 for as many as there are.

        ``now_s`` is a monotonic clock.
        """
        self._most = most_per_s
        self._now_s = now_s
        self.per_s = most_per_s
        self._tokens = 0.0
        self._filled_s = self._cut_s = now_s()

    @property
    def now_s(self) -> float:
        """The time as the bucket has it."""
        return self._now_s()

    @property
    def allowance(self) -> int:
        """How many may go now."""
        if not self._most:
            return _UNBOUNDED
        now_s = self._now_s()
        filled = self._tokens + (now_s - self._filled_s) * self.per_s
        self._tokens = min(filled, max(1.0, self.per_s * _BURST_S))
        self._filled_s = now_s
        return int(self._tokens)

    @property
    def wait_s(self) -> float:
        """For how long it is not worth while to ask for more."""
        return max(_WAKE_S, 1.0 / self.per_s) if self._most else 0.0

    def took(self, count: int) -> None:
        """So many went."""
        if self._most:
            self._tokens -= count

    def answered(self, after_s: float) -> None:
        """One of them was acknowledged, so long after it went."""
        if not self._most:
            return
        if after_s <= LATE_S:
            self.per_s = min(self._most, self.per_s + 1.0 / self.per_s)
        elif (now_s := self._now_s()) - self._cut_s >= LATE_S:
            self.per_s = max(min(LEAST_PER_S, self._most), self.per_s / 2.0)
            self._cut_s = now_s
