"""The references of a holder: made of photographs, looked at, and one photograph less.

A photograph has a number among those of its holder and pack, 1 first, in the order of references
and their parts. What leaves takes its say with it: the references are made anew of the others.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Metric, row_scores
from agent.domain.sight.image import Template
from agent.domain.sight.merging import Merging, grouped, mean_of
from agent.errors import RefusedError
from agent.ports import Reference
from agent.vision.packs.manifest import Manifest

_GAINS = {
    1: "of one photograph only: with a second one the gate refuses this person less often, with a"
    " third less often still (--add FILE)",
    2: "of two photographs: with a third one the gate refuses this person less often still"
    " (--add FILE)",
}
"""By the photographs of a reference; beyond three nothing was measured.

By how much is in docs/enrolment.md with its bounds, which are too wide for a factor here.
"""


def gain_of(photographs: int) -> str | None:
    """What another photograph would bring to a reference of so many; None where nobody knows."""
    return _GAINS.get(photographs)


def merging_of(manifest: Manifest, same_person: float) -> Merging:
    """How photographs become references with this pack; ``same_person`` is the bar to agree."""
    least = min(manifest.comparison.curve[0].threshold, same_person)
    metric = Metric(manifest.comparison.metric)
    return Merging(same_person, least, metric, manifest.embedder.unit_length)


def merged(
    holder: HolderId, manifest: Manifest, templates: Sequence[Template], merging: Merging
) -> tuple[Reference, ...]:
    """The references that photographs of one person make."""
    made = []
    for group in grouped(templates, merging):
        parts = tuple(templates[n] for n in group)
        mean = mean_of(parts, merging.metric, unit_length=merging.unit_length)
        kept = parts if len(parts) > 1 else ()
        made.append(Reference(holder, manifest.name, manifest.version, mean, kept))
    return tuple(made)


def without(
    references: Sequence[Reference], number: int, manifest: Manifest, merging: Merging
) -> tuple[Reference, ...]:
    """The references of all photographs but the one of this number, 1 being the first.

    Raises:
        RefusedError: ``no_such_photograph``; ``last_photograph``: nothing would be left.
    """
    parts = [part for one in references for part in one.photographs]
    if not 1 <= number <= len(parts):
        have = f"1 to {len(parts)}" if parts else "none of this pack"
        message = f"there is no photograph {number}; there are {have}"
        fix = "gate-agent holders references ID lists them"
        raise RefusedError("no_such_photograph", f"{message}\nFix: {fix}")
    if len(parts) == 1:
        raise RefusedError(
            "last_photograph",
            "it is the only photograph: nobody would be known by it\n"
            "Fix: first another one, gate-agent enrol ID --add FILE; or holders remove ID",
        )
    del parts[number - 1]
    return merged(references[0].holder, manifest, parts, merging)


def shown(references: Sequence[Reference], metric: Metric | None) -> list[dict[str, Any]]:
    """A JSON object a photograph; never a template.

    ``score_with_others`` is the score with the best of the holder's other photographs of the pack,
    None where there is none or without a ``metric``: a poor photograph has a low one.
    """
    parts = [part for one in references for part in one.photographs]
    rows: list[dict[str, Any]] = []
    for place, one in enumerate(references, start=1):
        for part in one.photographs:
            others = [other for n, other in enumerate(parts) if n != len(rows)]
            best = None
            if metric is not None and others:
                best = round(float(row_scores(np.stack(others), part, metric).max()), 4)
            rows.append(
                {
                    "photograph": len(rows) + 1,
                    "reference": place,
                    "pack": one.pack,
                    "pack_version": one.pack_version,
                    "score_with_others": best,
                }
            )
    return rows
