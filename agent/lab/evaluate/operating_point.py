"""The operating point of a site from photographs of the people there, one folder a person.

Of each person the first two photographs that are good enough make one reference, as enrolment makes
it. What all references score with each other is bounded by persons (``domain.sight
.impostor_bound``), as at the gate; at a rate that the further photographs carry, held against the
references of others, their own threshold counts where it is stricter and no look-alikes make it.

A fit is believed three decades below what the pairs show (``REACH_DECADES``), so a rate takes so
many persons; with fewer, or with a bound that is believed to less than half, nothing is told. An
FNMR is measured, not fitted: it is told where the comparisons with others themselves carry the
rate.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from agent.app.open.thresholds import counts, curve_of, groups_of, unknown_people
from agent.config import OperatingPointConfig
from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Metric, ReferenceIndex, row_scores
from agent.domain.sight.error_rates import Scores, carries, fnmr_at, pairs_needed, threshold_at
from agent.domain.sight.gallery_safety import upper_bound
from agent.domain.sight.image import Template
from agent.domain.sight.impostor_bound import FEWEST_PEOPLE, SiteBound, site_bound
from agent.domain.sight.merging import mean_of
from agent.domain.sight.operating_point import REACH_DECADES
from agent.domain.sight.operating_point import threshold_at as on_curve
from agent.domain.sight.resampling import Persons, fnmr_bound
from agent.errors import RefusedError
from agent.lab.evaluate.faces import FaceSet, Progress
from agent.lab.evaluate.open import measured_identities
from agent.vision.packs.manifest import Manifest

PHOTOGRAPHS = 2
"""Averaged to one reference, as enrolment asks for."""
_LEAST_CREDIBILITY = 0.5
_PAIRS_BEHIND_A_RATE = 5
_HALF = 0.5
_EXPONENTS = range(1, 9)
_SCALE = 10_000
"""Four decimals, rounded up."""


@dataclass(frozen=True, slots=True, eq=False)
class _People:
    """The references and what is held against them: genuine and impostor scores, whose they are."""

    index: ReferenceIndex
    genuine: Scores
    owners: Persons
    impostor: Scores


@dataclass(frozen=True, slots=True)
class Found:
    """The table for the config, and what was found as JSON values under stable keys."""

    table: OperatingPointConfig
    values: dict[str, Any]


def evaluate_operating_point(
    folder: Path,
    state: Path,
    pack: str,
    fmr: float | None,
    max_false_grant_rate: float,
    today: date,
    progress: Progress,
) -> Found:
    """What the people of ``folder`` ask for at ``fmr``; None: the promise over as many references.

    Raises:
        RefusedError: ``too_few_persons``, ``too_unsure``, ``too_alike``: the data does not carry
            it. ``no_images``: there are none.
        UnavailableError: the folder cannot be read, or the pack not be loaded.
    """
    manifest, measured = measured_identities(folder, state, pack, progress)
    assert measured.images_of is not None
    people = _people(measured.images_of, manifest)
    persons = len(people.index.names)
    wanted = max_false_grant_rate / max(persons, 1) if fmr is None else fmr
    bound = _bounded(people.index, wanted)
    table = _table(manifest, people, bound, wanted, today)
    values = {
        "pack": manifest.name,
        "version": manifest.version,
        "fmr": wanted,
        **_in_force(manifest, table, wanted),
        "extrapolated": wanted < bound.measured_to,
        "persons": persons,
        "photographs": measured.images,
        "failed_to_acquire": list(measured.failed_to_acquire),
        "impostor_pairs": bound.pairs,
        "measured_to": bound.measured_to,
        "look_alike_pairs": bound.look_alikes,
        "fit": bound.fit.verdict,
        "credibility": round(bound.credibility, 4),
        "curve": [point.model_dump() for point in table.curve],
    }
    values["held_out"] = _held_out(people, values["threshold"], wanted)
    refused = int((people.genuine < values["threshold"]).sum())
    if refused > _HALF * len(people.genuine):
        what = f"refuses {refused} of {len(people.genuine)} photographs of their own"
        raise _too_alike(wanted, values["threshold"], what)
    return Found(table, values)


def persons_needed(fmr: float) -> int:
    """The fewest persons whose pairs carry a fit down to this rate."""
    pairs = _PAIRS_BEHIND_A_RATE / (fmr * 10.0**REACH_DECADES)
    return max(FEWEST_PEOPLE, math.ceil((1.0 + math.sqrt(1.0 + 8.0 * pairs)) / 2.0))


def _people(images: FaceSet, manifest: Manifest) -> _People:
    metric = Metric(manifest.comparison.metric)
    good = np.isfinite(images.templates).all(axis=1)
    references: list[Template] = []
    probes: list[int] = []
    owners: list[int] = []
    for person in np.unique(images.persons):
        rows = np.flatnonzero((images.persons == person) & good)
        if not len(rows):
            continue
        owner = len(references)
        references.append(
            mean_of(
                list(images.enrolled[rows[:PHOTOGRAPHS]]),
                metric,
                unit_length=manifest.embedder.unit_length,
            )
        )
        probes += rows[PHOTOGRAPHS:].tolist()
        owners += [owner] * len(rows[PHOTOGRAPHS:])
    if not references:
        raise RefusedError("too_few_persons", "no photograph of anybody is good enough")
    holders = [HolderId(f"p{number:07d}") for number in range(len(references))]
    table = np.stack(references).astype(np.float32)
    of = np.array(owners, dtype=np.int64)
    genuine, impostor = [], []
    for row, owner in zip(probes, owners, strict=True):
        scores = np.asarray(row_scores(table, images.templates[row], metric), dtype=np.float64)
        genuine.append(scores[owner])
        impostor.append(np.delete(scores, owner))
    return _People(
        ReferenceIndex(holders, table, metric),
        np.array(genuine, dtype=np.float64),
        of,
        np.concatenate(impostor) if impostor else np.zeros(0),
    )


def _bounded(index: ReferenceIndex, fmr: float) -> SiteBound:
    persons, needed = len(index.names), persons_needed(fmr)
    bound = site_bound(index)
    if bound is None or persons < needed:
        message = (
            f"{persons} persons carry no FMR of {fmr:.2g}: it takes {needed}, each with a"
            " photograph that is good enough\nFix: photographs of more people, or a larger --fmr"
        )
        raise RefusedError("too_few_persons", message)
    if bound.credibility < _LEAST_CREDIBILITY:
        message = (
            f"the bound of these {persons} persons is believed to {bound.credibility:.0%}, and it"
            f" takes {_LEAST_CREDIBILITY:.0%}\nFix: photographs of more people"
        )
        raise RefusedError("too_unsure", message)
    return bound


def _too_alike(fmr: float, threshold: float, what: str) -> RefusedError:
    message = (
        f"at an FMR of {fmr:.2g} these people ask for {threshold:.3f}, which {what}: the face alone"
        " does not tell them apart with this pack\nFix: another pack, or a second factor"
    )
    return RefusedError("too_alike", message)


def _table(
    manifest: Manifest, people: _People, bound: SiteBound, wanted: float, today: date
) -> OperatingPointConfig:
    highest = 1.0 if people.index.metric is Metric.COSINE else 0.0
    least = min(bound.measured_to * 10.0**-REACH_DECADES, wanted)
    rates = {10.0**-exponent for exponent in _EXPONENTS} | {wanted}
    points: list[dict[str, float]] = []
    for fmr in sorted((one for one in rates if one >= least * (1.0 - 1e-9)), reverse=True):
        if points and points[-1]["fmr"] < fmr * 1.01:
            continue
        score = max(_scores_at(people, bound, fmr))
        threshold = math.ceil(score * _SCALE) / _SCALE
        if points and threshold <= points[-1]["threshold"]:
            threshold = round(points[-1]["threshold"] + 1.0 / _SCALE, 4)
        if threshold >= highest:
            if fmr >= wanted:
                raise _too_alike(wanted, threshold, "no face reaches")
            break
        points.append({"fmr": fmr, "threshold": threshold})
    return OperatingPointConfig.model_validate(
        {
            "pack": manifest.name,
            "version": manifest.version,
            "measured_on": today,
            "persons": len(people.index.names),
            "impostor_pairs": bound.pairs,
            "measured_to": float(f"{bound.measured_to:.4g}"),
            "curve": points,
        }
    )


def _scores_at(people: _People, bound: SiteBound, fmr: float) -> Iterator[float]:
    """What asks for how much at this rate."""
    yield on_curve(bound.curve, fmr)
    if not bound.look_alikes and carries(len(people.impostor), fmr):
        own = threshold_at(people.impostor, fmr)
        yield -math.inf if own is None else own


def _in_force(manifest: Manifest, table: OperatingPointConfig, fmr: float) -> dict[str, Any]:
    """What holds at this rate with the table in the config, and what held without it."""
    assert counts(table, manifest)
    (group,) = groups_of(manifest, table)
    own, pack = on_curve(group.curve, fmr), on_curve(curve_of(manifest), fmr)
    return {
        "threshold": max(own, pack),
        "people_ask_for": own,
        "pack_asks_for": pack,
        "without_it": unknown_people(manifest).told(fmr).threshold,
    }


def _held_out(people: _People, threshold: float, fmr: float) -> dict[str, Any] | None:
    """What the photographs that made no reference say of the threshold; None without any."""
    if not len(people.genuine):
        return None
    refused = len(np.unique(people.owners[people.genuine < threshold]))
    persons = len(np.unique(people.owners))
    carried = carries(len(people.impostor), fmr)
    return {
        "photographs": len(people.genuine),
        "fnmr": fnmr_at(people.genuine, threshold) if carried else None,
        "fnmr_upper": fnmr_bound(people.genuine, people.owners, threshold) if carried else None,
        "persons": persons,
        "persons_refused": refused,
        "persons_refused_upper": upper_bound(refused, persons),
        "impostor": len(people.impostor),
        "impostor_needed": pairs_needed(fmr),
        "accepted": int((people.impostor >= threshold).sum()),
    }
