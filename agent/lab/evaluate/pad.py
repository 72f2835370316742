"""Measures attack detection on a folder: ``bona_fide/``, and one further folder a kind of attack.

Rates are ISO/IEC 30107-3's: BPCER, the share of bona fide presentations taken for attacks; APCER,
for each kind of attack the share taken for bona fide. Both are of the pictures in which a face was
found; the others are told, and count in no rate. Upper bounds are Clopper-Pearson's, 95 %, as if
each picture were by itself: where several are of one person or one phone, the truth is wider.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from agent.domain.sight.error_rates import area_under_curve
from agent.domain.sight.gallery_safety import upper_bound
from agent.errors import RefusedError, UnavailableError
from agent.lab.evaluate.faces import Progress, folders_in, images_below
from agent.vision.stills.cores import each_in_order

BONA_FIDE = "bona_fide"

ScoreOf = Callable[[Path], float | None]
"""The fused score of a picture's largest face, None where none was found."""


@dataclass(frozen=True, slots=True)
class PadMethod:
    """What scores a picture, and by which threshold it is one of a living face.

    So many ``workers`` call ``score_of`` at once.
    """

    packs: tuple[str, ...]
    face_pack: str
    threshold: float
    score_of: ScoreOf
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many, or nothing where there are none."""

    wrong: int
    total: int

    @property
    def share(self) -> float | None:
        """Between 0 and 1."""
        return self.wrong / self.total if self.total else None

    @property
    def upper(self) -> float | None:
        """The 95 % upper bound of the share."""
        return upper_bound(self.wrong, self.total) if self.total else None


@dataclass(frozen=True, slots=True)
class PadMeasured:
    """What was found: a score a picture by kind, None where no face was found."""

    packs: tuple[str, ...]
    face_pack: str
    threshold: float
    scores: Mapping[str, Mapping[str, float | None]] = field(repr=False)

    def found(self, kind: str) -> list[float]:
        """The scores of a kind; what is no number is no living face."""
        told = [score for score in self.scores[kind].values() if score is not None]
        return [0.0 if math.isnan(score) else score for score in told]

    @property
    def kinds(self) -> list[str]:
        """Of attack, in the folders' order."""
        return [kind for kind in self.scores if kind != BONA_FIDE]

    @property
    def bpcer(self) -> Rate:
        """Bona fide pictures below the threshold."""
        found = self.found(BONA_FIDE)
        return Rate(sum(score < self.threshold for score in found), len(found))

    def apcer(self, kind: str) -> Rate:
        """Attacks of a kind at the threshold or above it."""
        found = self.found(kind)
        return Rate(sum(score >= self.threshold for score in found), len(found))

    def as_json(self) -> dict[str, Any]:
        """JSON values under stable keys; null where there is nothing to say."""
        attacks = [score for kind in self.kinds for score in self.found(kind)]
        rates = {kind: self.apcer(kind) for kind in self.kinds}
        return {
            "packs": list(self.packs),
            "face_pack": self.face_pack,
            "bona_fide": len(self.scores[BONA_FIDE]),
            "attacks": {kind: len(self.scores[kind]) for kind in self.kinds},
            "failed_to_acquire": [
                f"{kind}/{name}"
                for kind, scores in self.scores.items()
                for name, score in scores.items()
                if score is None
            ],
            "auc": area_under_curve(np.array(self.found(BONA_FIDE)), np.array(attacks)),
            "threshold": self.threshold,
            "bpcer": self.bpcer.share,
            "bpcer_upper": self.bpcer.upper,
            "apcer": {kind: rate.share for kind, rate in rates.items()},
            "apcer_upper": {kind: rate.upper for kind, rate in rates.items()},
        }


def pictures(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each kind, bona fide first; a kind may be without any.

    Raises:
        RefusedError: there is no bona fide picture, no attack, or one folder twice.
        UnavailableError: there is no such folder, or it cannot be read.
    """
    if not folder.is_dir():
        raise UnavailableError(f"{folder} is no folder")
    try:
        kinds = [path for path in folders_in(folder) if not path.name.startswith(".")]
        found = {kind.name: list(images_below(kind)) for kind in kinds}
    except OSError as error:
        raise UnavailableError(f"{folder} cannot be read: {error.strerror}") from error
    bona_fide = found.pop(BONA_FIDE, [])
    if not bona_fide:
        message = f"{folder} holds no pictures of living faces"
        raise RefusedError("no_bona_fide", f"{message}\nFix: put them into {folder / BONA_FIDE}")
    if not any(found.values()):
        message = f"{folder} holds no pictures of attacks"
        fix = f"put them into a folder a kind: {folder / 'print'}, {folder / 'screen'}"
        raise RefusedError("no_attacks", f"{message}\nFix: {fix}")
    return {BONA_FIDE: bona_fide, **found}


def evaluate_pad(folder: Path, method: PadMethod, progress: Progress) -> PadMeasured:
    """Score every picture below ``folder``.

    Raises:
        RefusedError, UnavailableError: as ``pictures``.
    """
    kinds = pictures(folder)
    paths = [path for found in kinds.values() for path in found]
    progress("pictures", 0, len(paths))
    scored: dict[Path, float | None] = {}
    for path, score in zip(
        paths, each_in_order(method.score_of, paths, method.workers), strict=True
    ):
        scored[path] = score
        progress("pictures", len(scored), len(paths))
    scores = {
        kind: {str(path.relative_to(folder / kind)): scored[path] for path in found}
        for kind, found in kinds.items()
    }
    return PadMeasured(method.packs, method.face_pack, method.threshold, scores)


def table_rows(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """For people: kind, pictures, taken wrongly, and by the bound at most."""
    rows = [_row(BONA_FIDE, found["bona_fide"], found["bpcer"], found["bpcer_upper"])]
    for kind, count in found["attacks"].items():
        rows.append(_row(kind, count, found["apcer"][kind], found["apcer_upper"][kind]))
    return rows


def _row(kind: str, count: int, share: float | None, upper: float | None) -> tuple[str, ...]:
    return (kind, str(count), _percent(share), _percent(upper))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100.0 * share:.1f} %"
