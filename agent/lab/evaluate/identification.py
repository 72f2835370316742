"""Open-set identification on a set of photographs: who would be let in, by the gallery's size.

Some persons are drawn and enrolled, the others are strangers. A *mated* probe is a further
photograph of somebody enrolled, an *unmated* one a stranger's. FPIR is the share of unmated probes
that name anybody, FNIR that of mated ones that do not name their own person (ISO/IEC 19795-1); both
at the threshold that the product itself takes for such a gallery. Where a photograph failed to
acquire it names nobody.

A draw is one gallery; shares are means over draws, and an interval is of draws, which overlap where
the set is small: the smaller the set, the more it understates.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Metric, ReferenceIndex, Templates
from agent.domain.sight.merging import mean_of
from agent.lab.evaluate.faces import FaceSet

SIZES = (5, 10, 20, 50, 100, 200, 500, 1000)
_DRAWS = 20
_SEED = 1_998
_REFERENCES = 2
"""Photographs averaged to one reference, as enrolment asks for."""
_LEAST_STRANGERS = 3

ThresholdOf = Callable[[ReferenceIndex], float | None]
"""The product's threshold for a gallery; None where the face alone opens nothing."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """Of one draw: probes, and how many of them ended wrong."""

    mated: int
    unmated: int
    missed: int
    misnamed: int
    named: int
    threshold: float


def open_set(images: FaceSet, metric: Metric, threshold_of: ThresholdOf) -> list[dict[str, Any]]:
    """A row for each gallery size that the set can fill, leaving at least three strangers."""
    acquired = _acquired(images.templates)
    photographs = {
        int(person): np.flatnonzero(images.persons == person)
        for person in np.unique(images.persons)
    }
    able = [one for one, rows in photographs.items() if acquired[rows].sum() > _REFERENCES]
    rows = []
    for size in SIZES:
        if size > len(able) or len(photographs) - size < _LEAST_STRANGERS:
            break
        random = np.random.default_rng(_SEED + size)
        counts = []
        for _ in range(_DRAWS):
            chosen = [able[i] for i in random.permutation(len(able))[:size]]
            found = _draw(images, photographs, chosen, metric, threshold_of, random)
            counts.append(found)
        rows.append(_row(size, [one for one in counts if one is not None]))
    return rows


def _draw(
    images: FaceSet,
    photographs: dict[int, Any],
    chosen: Sequence[int],
    metric: Metric,
    threshold_of: ThresholdOf,
    random: np.random.Generator,
) -> _Counts | None:
    table = images.templates
    holders, references, mated = [], [], []
    for person in chosen:
        rows = random.permutation(photographs[person])
        whole = rows[_acquired(table[rows])].tolist()
        enrolled, held_out = whole[:_REFERENCES], set(whole[:_REFERENCES])
        holders.append(HolderId(f"p{person:06d}"))
        references.append(mean_of(images.enrolled[enrolled], metric, unit_length=False))
        mated += [(row, holders[-1]) for row in rows if row not in held_out]
    index = ReferenceIndex(holders, np.stack(references), metric)
    threshold = threshold_of(index)
    if threshold is None:
        return None
    strangers = [row for one, rows in photographs.items() if one not in set(chosen) for row in rows]
    names = [(_named(index, table[row], threshold), holder) for row, holder in mated]
    return _Counts(
        mated=len(mated),
        unmated=len(strangers),
        missed=sum(name != holder for name, holder in names),
        misnamed=sum(name not in (None, holder) for name, holder in names),
        named=sum(_named(index, table[row], threshold) is not None for row in strangers),
        threshold=threshold,
    )


def _acquired(table: Templates) -> npt.NDArray[np.bool_]:
    return np.asarray(np.isfinite(table).all(axis=1))


def _named(index: ReferenceIndex, probe: Any, threshold: float) -> HolderId | None:
    best, _ = index.search(probe)
    return best.holder if best is not None and best.score >= threshold else None


def _row(size: int, counts: list[_Counts]) -> dict[str, Any]:
    """The figures of one size; null where the face alone opens nothing for such a gallery."""
    fpir = [one.named / one.unmated for one in counts if one.unmated]
    fnir = [one.missed / one.mated for one in counts if one.mated]
    return {
        "gallery": size,
        "references_of": _REFERENCES,
        "draws": len(counts),
        "threshold": _mean([one.threshold for one in counts]),
        "fpir": _mean(fpir),
        "fpir_interval": _ends(fpir),
        "fnir": _mean(fnir),
        "fnir_interval": _ends(fnir),
        "misnamed": _mean([one.misnamed / one.mated for one in counts if one.mated]),
        "mated": sum(one.mated for one in counts),
        "unmated": sum(one.unmated for one in counts),
    }


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _ends(values: list[float]) -> list[float] | None:
    """The middle nine tenths of the draws."""
    return [float(end) for end in np.quantile(values, [0.05, 0.95])] if values else None
