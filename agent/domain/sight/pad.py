"""Presentation attack detection (PAD): one score out of several looks at one face.

Whoever looks (a model pack, later a cue of another kind) gives a *part*: a name and how likely the
face is bona fide, 0 to 1, with the threshold of its own at which that is undecided. Parts are
fused by the sum of their log-odds, as if they erred apart from each other (the product rule: J.
Kittler et al., "On combining classifiers", PAMI 1998), and each is bounded first:

    evidence = bound * tanh((logit(probability) - logit(threshold)) / bound)

A network is surer of itself than it is right, so none may claim more than what it says of a typical
bona fide photograph: ``bound`` is the median of its log-odds there. So a pack that is right more
clearly also weighs more, and one that errs loudly cannot outvote it. With one part alone the fused
score decides as that part does by its own threshold.

A score is 0 to 1, higher is more alive; what is no number is no living face.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median_low

PAD_THRESHOLD = 0.5
"""The least fused score of a bona fide face where the config says nothing: even odds.

docs/attack-detection.md has what was measured with it.
"""
_SUREST = 16.0
"""Log-odds beyond which a probability in float32 says nothing any more."""


@dataclass(frozen=True, slots=True)
class PadPart:
    """What one that looked says of one face.

    ``bound`` is the greatest evidence, in log-odds, that it may bring for or against.
    """

    name: str
    probability: float
    threshold: float = PAD_THRESHOLD
    bound: float = _SUREST

    @property
    def evidence(self) -> float:
        """Log-odds for a bona fide face, within the bound; NaN where it said no number."""
        if self.bound <= 0.0:
            return 0.0
        odds = log_odds(self.probability) - log_odds(self.threshold)
        return self.bound * math.tanh(odds / self.bound)


def fused(parts: Sequence[PadPart]) -> float | None:
    """The score of one frame's face; None where nobody looked, NaN where one said no number."""
    return probability(sum(part.evidence for part in parts)) if parts else None


def over_frames(scores: Iterable[float]) -> float | None:
    """The score of a track by those of its frames; None where there are none.

    Their median, of two the lower: frames of one face repeat one look at it, they do not add to it.
    The least of many would refuse the more people the longer one looked, and by their mean one
    frame that a model is sure of would outvote all others. One that is no number makes the whole 0.
    """
    found = [log_odds(score) for score in scores]
    if not found:
        return None
    if any(math.isnan(one) for one in found):
        return 0.0
    return probability(median_low(found))


def log_odds(score: float) -> float:
    """The log-odds of a probability, bounded; NaN for what is none."""
    if not 0.0 <= score <= 1.0:
        return math.nan
    if score in (0.0, 1.0):
        return math.copysign(_SUREST, score - 0.5)
    return max(-_SUREST, min(_SUREST, math.log(score) - math.log1p(-score)))


def probability(odds: float) -> float:
    """The probability that has these log-odds; NaN for NaN."""
    return 0.5 * (1.0 + math.tanh(odds / 2.0))
