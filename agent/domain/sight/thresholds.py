"""The curve by which a gate decides: the pack's, the people's who stand there, or the prior.

No pack's curve holds in every community: the score that one stranger in ten thousand reaches among
one group of people a fifth of them may reach among another. At each FMR the threshold is the
strictest of

    pack     the pack's own curve
    people   bound                       where bound <= prior
             prior + w (bound - prior)   where it lies above

with ``bound`` the upper confidence bound of this gallery's own impostor scores
(``impostor_bound``), ``prior`` the worst of the groups that the pack was measured on, and w the
bound's credibility, from 0 with hardly anybody to 1. So the prior stands for people of whom nothing
is known; whoever they turn out to be replaces it, downwards as soon as the bound says so, upwards
as far as it can be believed; nothing jumps as one more person is enrolled.

A threshold past what a holder's own face reaches is none: beyond ``ceiling``, the score that half
of all genuine comparisons miss where somebody measured that, and at most that of a template with
itself, the face alone opens nothing.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from agent.domain.sight.impostor_bound import RATES, SiteBound
from agent.domain.sight.operating_point import CurvePoint, ThresholdCurve, threshold_at

_LEAST_STEP = 1e-9
_ROUNDING = 1e-6
_HALF = 0.5
_MIXED_UP, _MIXED_UP_HERE = 1e-3, 1e-2


class Source(StrEnum):
    """What decides a threshold; the value is the word in status and JSON."""

    PACK = "pack"
    SITE = "site"
    PRIOR = "prior"


@dataclass(frozen=True, slots=True)
class Group:
    """People whom a pack was measured on."""

    name: str
    curve: ThresholdCurve


@dataclass(frozen=True, slots=True)
class Told:
    """What each source says at one FMR, and whose word it is; None where it says nothing."""

    fmr: float
    threshold: float
    decided_by: Source
    pack: float
    prior: float | None
    prior_group: str | None
    site: float | None
    site_fitted: float | None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Everything that is known of these people's scores, and the curve that follows from it."""

    pack: ThresholdCurve
    groups: tuple[Group, ...]
    site: SiteBound | None
    curve: ThresholdCurve
    ceiling: float | None

    def told(self, fmr: float) -> Told:
        """What is said at ``fmr``; never of a looser one than the curve's first point."""
        return _told(self.pack, self.groups, self.site, min(fmr, self.curve.loosest_fmr))

    def same_person(self) -> float:
        """The score at which two photographs that are brought as one person's are believed.

        A mix-up is one comparison, made by whoever enrols, and no attempt: the pack's curve at FMR
        1e-3, raised as far as these people's own best estimate (no bound) at 1e-2 is believed. Any
        stricter and it would be true pairs that are turned away.
        """
        least = threshold_at(self.pack, _MIXED_UP)
        if self.site is None:
            return least
        own = threshold_at(self.site.fitted_curve, _MIXED_UP_HERE)
        return least + self.site.credibility * max(own - least, 0.0)

    def references_served(self, max_false_grant_rate: float) -> float:
        """How many references the face alone can serve at this rate for an attempt."""
        return max_false_grant_rate / self.curve.furthest_fmr

    def references_measured(self, max_false_grant_rate: float) -> float:
        """So many of them by what was measured; for more a fitted tail stands in."""
        curve = self.curve
        return max_false_grant_rate / max(curve.last_measured_fmr, curve.furthest_fmr)


def thresholds(
    pack: ThresholdCurve,
    groups: tuple[Group, ...],
    site: SiteBound | None,
    ceiling: float | None = None,
) -> Thresholds:
    """The curve that follows from all of it; the pack's own where there is nothing beside it.

    Beyond ``ceiling`` there is no threshold that a holder's own face reaches; None: nobody knows.
    """
    if not groups and site is None:
        return Thresholds(pack, groups, site, pack, ceiling)
    furthest = pack.furthest_fmr
    knots = {point.fmr for curve in (pack, *(g.curve for g in groups)) for point in curve.points}
    knots |= {furthest, *RATES}
    rates = sorted((f for f in knots if furthest <= f <= pack.loosest_fmr), reverse=True)
    points: list[CurvePoint] = []
    measured = math.inf
    all_measured = True
    for fmr in rates:
        told = _told(pack, groups, site, fmr)
        all_measured = all_measured and fmr >= _measured_to(pack, groups, site, told) * (
            1.0 - _ROUNDING
        )
        measured = fmr if all_measured else measured
        least = points[-1].threshold + _LEAST_STEP if points else -math.inf
        points.append(CurvePoint(fmr, max(told.threshold, least)))
    believed = _reached(points, ceiling)
    curve = ThresholdCurve(tuple(points), measured_to=measured, believed_to=believed)
    return Thresholds(pack, groups, site, curve, ceiling)


def pairs_of(references: int) -> int:
    """So many comparisons a gallery makes with itself, and never fewer than one probe makes of it.

    A bar at which all of them together pass by chance no oftener than one attempt may keeps
    enrolment from taking two people of a community for one.
    """
    return max(references * (references - 1) // 2, references)


def settled(fresh: SiteBound, before: tuple[float, ...] | None) -> SiteBound:
    """With the bound that is in force: it rises at once and falls with a dead band.

    ``before`` is what was in force, a score at each of ``RATES``. While it lies above the fresh
    bound by half a standard error at most it stays, so that one person who comes and goes moves
    nothing back and forth; further off the fresh one holds. It is never below the fresh bound.
    """
    if before is None or len(before) != len(RATES):
        return fresh
    near = all(
        old <= new + error / 2.0
        for old, new, error in zip(before, fresh.bound, fresh.error, strict=True)
    )
    if not near:
        return fresh
    stands = tuple(max(old, new) for old, new in zip(before, fresh.bound, strict=True))
    return replace(fresh, bound=stands)


def _told(
    pack: ThresholdCurve, groups: tuple[Group, ...], site: SiteBound | None, fmr: float
) -> Told:
    own = threshold_at(pack, fmr)
    worst = max(groups, key=lambda group: threshold_at(group.curve, fmr), default=None)
    known = None if worst is None else threshold_at(worst.curve, fmr)
    bound = fitted = None
    prior = own if known is None else max(known, own)
    people, source = prior, Source.PRIOR
    if site is not None:
        bound, fitted = threshold_at(site.curve, fmr), threshold_at(site.fitted_curve, fmr)
        weight = 1.0 if bound <= prior else site.credibility
        people = prior + weight * (bound - prior)
        source = Source.SITE if weight >= _HALF else Source.PRIOR
    decided = Source.PACK if own >= people else source
    name = None if worst is None else worst.name
    return Told(fmr, max(own, people), decided, own, known, name, bound, fitted)


def _measured_to(
    pack: ThresholdCurve, groups: tuple[Group, ...], site: SiteBound | None, told: Told
) -> float:
    """Down to which FMR the source that decides was measured."""
    if told.decided_by is Source.SITE and site is not None:
        return site.measured_to
    if told.decided_by is Source.PRIOR:
        return max(g.curve.last_measured_fmr for g in groups if g.name == told.prior_group)
    return pack.last_measured_fmr


def _reached(points: list[CurvePoint], ceiling: float | None) -> float:
    """The least FMR whose threshold stays below the ceiling; 1, which serves nobody, where none."""
    if ceiling is None or points[-1].threshold <= ceiling:
        return points[-1].fmr
    if points[0].threshold > ceiling:
        return 1.0
    for looser, stricter in pairwise(points):
        if stricter.threshold > ceiling:
            part = (ceiling - looser.threshold) / (stricter.threshold - looser.threshold)
            return float(looser.fmr * (stricter.fmr / looser.fmr) ** max(part, 0.0))
    return points[0].fmr
