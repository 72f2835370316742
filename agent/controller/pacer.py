"""How long the next attempt waits: the interval, doubled by each denial in a row.

A grant, or a quiet minute, makes it short again: nobody fills the journal with denials. Whoever is
recognised waits for the single interval only, because it was not they who were denied.
"""

from dataclasses import dataclass

_QUIET_S = 60.0


@dataclass(slots=True)
class Pacer:
    """Intervals in seconds on the monotonic clock."""

    interval_s: float
    interval_max_s: float
    not_before_s: float = float("-inf")
    recognised_not_before_s: float = float("-inf")
    _last_s: float = float("-inf")
    _denials: int = 0

    def judged(self, *, granted: bool, now_s: float) -> None:
        """An attempt was judged just now."""
        if granted or now_s - self._last_s > _QUIET_S:
            self._denials = 0
        if not granted:
            self._denials += 1
        self._last_s = now_s
        doubled = self.interval_s * 2.0 ** max(min(self._denials, 32) - 1, 0)
        self.not_before_s = now_s + min(doubled, self.interval_max_s)
        self.recognised_not_before_s = now_s + self.interval_s
