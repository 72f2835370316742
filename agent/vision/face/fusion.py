"""The best frames of a track as one template.

Noise of the sensor, a blink, a word said: what one frame has and the next has not averages out. But
a mean lies nearer to *everybody*: at a threshold measured on single comparisons, the bare mean of
six frames let in one and a half to seven times as many (docs/face.md has the table). So its score
is brought back to the scale of single comparisons, by what averaging took away:

    euclidean   d^2 of the frames on average = d^2 of their mean + their mean squared distance to it
    cosine      the frames' cosine on average = the cosine of their mean x the length of that mean

That is exact for one reference (cosine: for templates of length one), and costs one comparison.
"""

from dataclasses import dataclass, field

import numpy as np

from agent.domain.sight.comparison import Metric
from agent.domain.sight.image import Template

MOST = 5
"""Templates in a mean; past some five the noise that is left is no longer the frames'."""
_OLDEST_S = 2.0
"""Than the newest: who stood there before that has moved and changed."""


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """A mean template and what its averaging took away."""

    template: Template = field(repr=False)
    frames: int
    _metric: Metric
    _lost: float

    def on_scale(self, score: float) -> float:
        """The ``score`` of the mean as one of single frames, which it never exceeds by averaging.

        A cosine below zero is no likeness, and stays as it is.
        """
        if self._metric is Metric.EUCLIDEAN:
            return -float(np.sqrt(score * score + self._lost))
        return score * self._lost if score > 0.0 else score


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    template: Template = field(repr=False)
    goodness: float
    captured_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Best:
    """The templates of a track's best frames, of one person."""

    kept: tuple[_Kept, ...] = ()

    def with_newest(self, template: Template, goodness: float, captured_s: float) -> "Best":
        """With this one where it is among the best; those too old are left out."""
        recent = [one for one in self.kept if 0.0 <= captured_s - one.captured_s <= _OLDEST_S]
        ranked = sorted([*recent, _Kept(template, goodness, captured_s)], key=_rank)
        return Best(tuple(ranked[:MOST]))

    def fused(self, metric: Metric) -> Fused | None:
        """Their mean; None of fewer than two."""
        if len(self.kept) < 2:
            return None
        rows = np.stack([one.template for one in self.kept]).astype(np.float64)
        if metric is Metric.EUCLIDEAN:
            mean = rows.mean(axis=0)
            lost = float(((rows - mean) ** 2).sum(axis=1).mean())
        else:
            rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
            mean = rows.mean(axis=0)
            lost = float(np.linalg.norm(mean))
        return Fused(mean.astype(np.float32), len(rows), metric, lost)


def _rank(one: _Kept) -> tuple[float, float]:
    """Best first; of equals the newest."""
    return -one.goodness, -one.captured_s
