"""Several photographs of a person become one reference: the mean of those that agree.

A photograph holds the person and the moment, and a mean holds less of the moment. Two bars decide,
both read off the pack's own curve and not off any photographs:

    agreeing   the score that one impostor pair in a thousand reaches (the pack's same-person bar)
    least      the score at the curve's first point, one impostor pair in a hundred

- Photographs of a person hang together: from each to each other one lead steps of photographs that
  agree. One to which none leads, or that lies below ``least`` with any, shows somebody else as far
  as the pack can tell.
- Photographs that all agree with each other (complete link) make one reference. One that agrees
  with some and not with all (glasses, years) stands apart and makes a second one.

The grouping starts from single photographs and joins, as long as there is one, the two groups whose
least alike photographs are most alike; whichever order they came in, the groups are the same. So a
photograph that is added later comes where it would have come at first, and one that is taken away
leaves what there would have been without it.

A mean lies nearer to its person than its parts do, and it may lie nearer to strangers as well: by
distance, references averaged of two photographs were met by 1.9 times the strangers that meet those
of one at the same threshold, by cosine 1.05 times (40 people of one camera, dlib's network and
MobileFaceNet). The bound on a site's own impostor scores sees that, since it compares such
references; a pack's curve, measured on single photographs, does not.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agent.domain.sight.comparison import Metric, Template, row_scores

Scores = npt.NDArray[np.float64]
"""Templates x templates."""


@dataclass(frozen=True, slots=True)
class Merging:
    """By which scores photographs of one person are held to be alike, and how they are averaged."""

    agreeing: float
    least: float
    metric: Metric
    unit_length: bool


@dataclass(frozen=True, slots=True)
class Misfit:
    """A photograph that shows somebody else: which, nearest to which other, by what score."""

    which: int
    other: int
    score: float
    bar: float


def pair_scores(templates: Sequence[Template], metric: Metric) -> Scores:
    """The score of each template with each; symmetric."""
    rows = np.stack(templates)
    found = np.stack([row_scores(rows, one, metric) for one in rows])
    # A product may round otherwise the other way round, and the groups must not depend on it.
    return np.asarray(np.minimum(found, found.T))


def misfit(templates: Sequence[Template], merging: Merging, known: int = 0) -> Misfit | None:
    """The first photograph that does not belong to the others; None where all are one person's.

    The first ``known`` are one person's whatever their scores, as they were enrolled before.
    """
    if len(templates) < 2:
        return None
    scores = pair_scores(templates, merging.metric)
    reached = set(range(max(known, 1)))
    left = [n for n in range(len(templates)) if n not in reached]
    while left:
        which, other = max(
            itertools.product(left, sorted(reached)), key=lambda two: float(scores[two])
        )
        if scores[which, other] < merging.agreeing:
            return Misfit(which, other, float(scores[which, other]), merging.agreeing)
        reached.add(which)
        left.remove(which)
    pairs = itertools.combinations(range(len(templates)), 2)
    new = [(one, other) for one, other in pairs if other >= known]
    worst = min(new, key=lambda two: float(scores[two]), default=None)
    if worst is not None and scores[worst] < merging.least:
        return Misfit(worst[1], worst[0], float(scores[worst]), merging.least)
    return None


def grouped(templates: Sequence[Template], merging: Merging) -> list[tuple[int, ...]]:
    """The photographs that make a reference each, by their numbers; every one is in one group."""
    if not templates:
        return []
    scores = pair_scores(templates, merging.metric)
    groups: list[tuple[int, ...]] = [(n,) for n in range(len(templates))]
    while len(groups) > 1:
        one, other = max(itertools.combinations(groups, 2), key=lambda two: _link(scores, *two))
        if _link(scores, one, other) < merging.agreeing:
            break
        groups = [group for group in groups if group not in (one, other)]
        groups.append(tuple(sorted(one + other)))
        groups.sort()
    return groups


def mean_of(parts: Sequence[Template], metric: Metric, *, unit_length: bool) -> Template:
    """The reference of photographs that agree; of one it is that one's, to the bit.

    For the cosine each part has the same say, whatever its length.
    """
    if len(parts) == 1:
        return parts[0]
    rows = np.stack(parts).astype(np.float64)
    if metric is Metric.COSINE:
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(float).tiny)
    mean = rows.mean(axis=0)
    length = float(np.linalg.norm(mean))
    if (unit_length or metric is Metric.COSINE) and length > 0.0:
        mean /= length
    return np.asarray(mean, dtype=np.float32)


def _link(scores: Scores, one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """The score of the two least alike photographs of two groups."""
    return float(scores[np.ix_(one, other)].min())
