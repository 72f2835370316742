"""Which frames are embedded: so many a second at most, and of those that come the better ones.

Embedding is the dearest step by far. What it may cost is bounded for the camera, whoever stands
there and however many; and a frame that shows a face worse than its others did waits for the next
one, for a quarter of a second at most.
"""

from statistics import median

EMBEDDINGS_A_S = 10.0
_AT_ONCE = 3.0
"""So that a face is agreed on in its first fifth of a second."""
_WORSE = 0.6
"""Of what the track's frames had as a rule, below which the next frame is waited for."""
_PATIENCE_S = 0.25
_REMEMBERED = 5


class EmbeddingBudget:
    """What one camera may embed; times are captures on the monotonic clock."""

    def __init__(self, a_second: float = EMBEDDINGS_A_S) -> None:
        self._a_second = a_second
        self._left = _AT_ONCE
        self._at_s: float | None = None

    def spend(self, captured_s: float) -> bool:
        """Whether one may be embedded now; then it has been paid for.

        Time that runs backwards brings nothing.
        """
        since_s = 0.0 if self._at_s is None else captured_s - self._at_s
        if since_s > 0.0:
            self._left = min(self._left + since_s * self._a_second, _AT_ONCE)
        self._at_s = captured_s
        if self._left < 1.0 - 1e-6:
            return False
        self._left -= 1.0
        return True


class BestFrames:
    """How good one presentation's embedded frames were."""

    def __init__(self) -> None:
        self._presentation: int | None = None
        self._taken: list[float] = []
        self._taken_s = 0.0

    def worth(self, presentation: int, goodness: float, captured_s: float) -> bool:
        """Whether this frame is to be embedded, or a better one waited for."""
        if presentation != self._presentation or not self._taken:
            return True
        waited = not 0.0 <= captured_s - self._taken_s < _PATIENCE_S
        return waited or goodness >= _WORSE * median(self._taken)

    def took(self, presentation: int, goodness: float, captured_s: float) -> None:
        """It was embedded."""
        if presentation != self._presentation:
            self._presentation, self._taken = presentation, []
        self._taken = [*self._taken, goodness][-_REMEMBERED:]
        self._taken_s = captured_s
