"""What strangers may still try before the day's expected false grants are used up.

Each attempt that ends without a grant draws the chance at which it could have opened. The sum of
what was drawn is the expected number of false grants if all of them were strangers, so a bound on
the sum is a bound on the expectation, however many try and however short each attempt is. It is a
token bucket: at most ``C`` is left, and ``C`` comes back within a day.

    left <= C,  back by C a day,  C = per_day / 2     so any 24 hours draw at most per_day

What an attempt may cost follows from what is left: ``rate = left / K``, never above the rate that
the config allows for one attempt nor below the least that the pack's curve reaches. K is 25 and the
attempts of the last hour, so that a crowd of them makes each cheaper: after m attempts in a row
about ``25 C / m`` is left, and not a power of it. A lower rate is a higher threshold, and a clear
match still opens. With n attempts a day, evenly, each comes to cost ``C / n``.

    left >= least rate      the face alone may open, at the threshold of its rate
    left <  least rate      it may not, for 15 minutes: no threshold is strict enough
    after them              the next attempt is let, whatever is left: nobody is locked out for good

The last row alone can draw more than is left: one attempt at the least rate a quarter of an hour.
"""

import math
from collections import deque
from dataclasses import dataclass

DAY_S = 86_400.0
HOUR_S = 3_600.0
LONGEST_CLOSED_S = 900.0
_SHARES = 25.0


@dataclass(frozen=True, slots=True)
class Draw:
    """What one attempt costs; ``allowed`` False where the face alone may not open for it."""

    rate: float
    allowed: bool
    drawn_s: float


class GrantBudget:
    """The budget of one access point; times are on the monotonic clock and never go back."""

    def __init__(self, per_day: float, left: float | None = None) -> None:
        """``left`` is what the last process had; what came back while none ran does not count.

        Raises:
            ValueError: ``per_day`` is not above 0.
        """
        if not per_day > 0.0:
            raise ValueError("a budget is above 0")
        self.capacity = per_day / 2.0
        if left is None or not math.isfinite(left):
            left = self.capacity
        self._left = min(max(left, 0.0), self.capacity)
        self._now_s: float | None = None
        self._recent = 0.0
        self._closed_until_s: float | None = None
        self._hours: deque[tuple[float, float]] = deque()

    def draw(self, most: float, least: float, now_s: float) -> Draw:
        """The cost of an attempt that begins now, taken at once.

        ``most`` is the chance of a false grant that the config allows for one attempt, ``least``
        that at the strictest threshold there is. Where even that is not left nothing is drawn: a
        face that cannot open is no attempt at it.
        """
        if self.closed(now_s):
            return Draw(0.0, allowed=False, drawn_s=now_s)
        waited, self._closed_until_s = self._closed_until_s is not None, None
        rate = self.rate(most, least, now_s)
        if rate > self._left and not waited:
            self._closed_until_s = now_s + LONGEST_CLOSED_S
            return Draw(0.0, allowed=False, drawn_s=now_s)
        self._left = max(self._left - rate, 0.0)
        self._recent += 1.0
        self._note(rate, now_s)
        return Draw(rate, allowed=True, drawn_s=now_s)

    def rate(self, most: float, least: float, now_s: float) -> float:
        """What the next attempt would cost."""
        self._pass_time(now_s)
        return max(min(most, self._left / (_SHARES + self._recent)), least)

    def give_back(self, draw: Draw) -> None:
        """The attempt ended with a grant: it was no stranger's, as far as anybody knows."""
        self._left = min(self._left + draw.rate, self.capacity)
        self._recent = max(self._recent - 1.0, 0.0)
        self._note(-draw.rate, draw.drawn_s)

    def left(self, now_s: float) -> float:
        """What may still be drawn, in expected false grants."""
        self._pass_time(now_s)
        return self._left

    def closed(self, now_s: float) -> bool:
        """Whether the face alone opens for nobody now."""
        self._pass_time(now_s)
        return self._closed_until_s is not None and now_s < self._closed_until_s

    def expected_last_day(self, now_s: float) -> float:
        """The expected false grants of the last 24 hours, by the hour, since the process began."""
        self._pass_time(now_s)
        return max(math.fsum(drawn for _, drawn in self._hours), 0.0)

    def _pass_time(self, now_s: float) -> None:
        since_s = 0.0 if self._now_s is None else max(now_s - self._now_s, 0.0)
        self._now_s = now_s if self._now_s is None else max(now_s, self._now_s)
        self._left = min(self._left + self.capacity * since_s / DAY_S, self.capacity)
        self._recent *= math.exp(-since_s / HOUR_S)
        while self._hours and self._hours[0][0] <= self._now_s - DAY_S:
            self._hours.popleft()

    def _note(self, drawn: float, at_s: float) -> None:
        hour_s = math.floor(at_s / HOUR_S) * HOUR_S
        for i in range(len(self._hours) - 1, -1, -1):
            if self._hours[i][0] == hour_s:
                self._hours[i] = (hour_s, self._hours[i][1] + drawn)
                return
        if drawn > 0.0:
            self._hours.append((hour_s, drawn))
