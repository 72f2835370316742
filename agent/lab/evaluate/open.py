"""Opens packs and hands them to ``lab.evaluate.faces``; what was found as JSON values and files."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.app.open.engine import engine_of
from agent.app.open.thresholds import people_thresholds
from agent.config import FaceConfig
from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.image import Template
from agent.domain.sight.operating_point import operating_point
from agent.errors import RefusedError, UnavailableError
from agent.lab.evaluate import faces as evaluate
from agent.lab.evaluate.faces import Measured, Method, Progress
from agent.lab.evaluate.groups import by_group, read_labels
from agent.lab.evaluate.identification import open_set
from agent.lab.evaluate.plots import check_plot, draw
from agent.lab.evaluate.report import LEAST_IMPOSTOR_PAIRS, manifest_lines
from agent.operations.files import write_lines
from agent.vision.face.acquire import acquire
from agent.vision.face.engine import FaceEngine
from agent.vision.face.quality import EVALUATION
from agent.vision.packs.manifest import Manifest
from agent.vision.packs.packs import load_pack
from agent.vision.stills.cores import Lent, cores
from agent.vision.stills.images import read_image


@dataclass(frozen=True, slots=True)
class Reports:
    """What to make beside the figures: a picture, a manifest's table, rates by groups of people."""

    plot: Path | None = None
    curve: Path | None = None
    labels: Path | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class _Timed:
    """What a pack was measured at, and its cost: milliseconds an image, from file to template."""

    manifest: Manifest
    measured: Measured
    ms_per_image: float


_NO_REPORTS = Reports()
_Measure = Callable[[Method], Measured]


def evaluate_pairs(
    images: Path,
    listing: Path,
    state: Path,
    packs: Sequence[str],
    progress: Progress,
    reports: Reports = _NO_REPORTS,
    reference_bits: int | None = None,
) -> dict[str, Any]:
    """``lab.evaluate.faces.evaluate_pairs`` with installed packs, as JSON values.

    Of one pack its figures; of several ``packs``, a list of them.
    """
    if reports.by is not None:
        raise RefusedError("labels", "labels are of people: use them with evaluate identities")

    def measure(method: Method) -> Measured:
        return evaluate.evaluate_pairs(images, listing, method, progress)

    return _evaluate(state, packs, reports, reference_bits, measure)


def evaluate_identities(
    folder: Path,
    state: Path,
    packs: Sequence[str],
    progress: Progress,
    reports: Reports = _NO_REPORTS,
    reference_bits: int | None = None,
) -> dict[str, Any]:
    """``lab.evaluate.faces.evaluate_identities`` with installed packs, as JSON values.

    As ``evaluate_pairs``; with ``open_set``, and ``by`` where labels were given.
    """

    def measure(method: Method) -> Measured:
        return evaluate.evaluate_identities(folder, method, progress)

    return _evaluate(state, packs, reports, reference_bits, measure, identities=True)


def _evaluate(
    state: Path,
    packs: Sequence[str],
    reports: Reports,
    reference_bits: int | None,
    measure: _Measure,
    *,
    identities: bool = False,
) -> dict[str, Any]:
    _check_reports(packs, reports)
    labels = {}
    if reports.labels is not None and reports.by is not None:
        labels = read_labels(reports.labels, reports.by)
    timed = [_timed(state, name, reference_bits, reports, measure) for name in packs]
    if reports.plot is not None:
        draw([one.measured for one in timed], reports.plot)
    if reports.curve is not None:
        write_lines(manifest_lines(timed[0].measured), reports.curve)
    found = []
    for one in timed:
        values = {**one.measured.as_json(), **_beside(one)}
        if identities and one.measured.images_of is not None:
            values["open_set"] = open_set(
                one.measured.images_of, one.measured.metric, _threshold_of(one.manifest)
            )
        if labels and reports.by is not None:
            values["by"] = by_group(one.measured, labels, reports.by)
        found.append(values)
    return found[0] if len(found) == 1 else {"packs": found}


def measured_identities(
    folder: Path, state: Path, pack: str, progress: Progress
) -> tuple[Manifest, Measured]:
    """Every photograph below ``folder`` compared with every other by an installed pack."""

    def measure(method: Method) -> Measured:
        return evaluate.evaluate_identities(folder, method, progress)

    timed = _timed(state, pack, None, _NO_REPORTS, measure)
    return timed.manifest, timed.measured


def _check_reports(packs: Sequence[str], reports: Reports) -> None:
    """Say what cannot be made before the long work rather than after it."""
    if reports.curve is not None and len(packs) > 1:
        raise RefusedError("curve", "a manifest's curve is of one pack: name one")
    if (reports.labels is None) != (reports.by is None):
        raise RefusedError("labels", "--labels FILE and --by COLUMN belong together")
    for file in (reports.plot, reports.curve):
        if file is not None and (file.is_dir() or not file.parent.is_dir()):
            raise UnavailableError(f"{file} cannot be written", "name a file in a folder there is")
    if reports.plot is not None:
        check_plot(reports.plot)


def _timed(
    state: Path, name: str, reference_bits: int | None, reports: Reports, measure: _Measure
) -> _Timed:
    pack = load_pack(name, state)
    metric = Metric(pack.manifest.comparison.metric)
    spent_s: list[float] = []

    def sides(engine: FaceEngine, path: Path) -> tuple[Template, Template] | None:
        start_s = time.perf_counter()
        try:
            acquired = acquire(engine, read_image(path), EVALUATION)
        finally:
            spent_s.append(time.perf_counter() - start_s)
        face = acquired.face
        return None if face is None or acquired.reason is not None else (face.probe, face.template)

    template_of = Lent(lambda: engine_of(pack, threads=1), sides)
    limits = EVALUATION.as_json()
    least = 0 if reports.curve is None else LEAST_IMPOSTOR_PAIRS
    method = Method(name, metric, template_of, limits, reference_bits, least, cores())
    measured = measure(method)
    return _Timed(pack.manifest, measured, sum(spent_s) * 1000.0 / max(measured.images, 1))


def _beside(one: _Timed) -> dict[str, Any]:
    licence = one.manifest.licence
    return {
        "ms_per_image": round(one.ms_per_image, 2),
        "licence": licence.spdx,
        "free_for_commercial_use": licence.free_for_commercial_use,
    }


def _threshold_of(manifest: Manifest) -> Callable[[ReferenceIndex], float | None]:
    """The threshold that the gate itself would take for a gallery."""

    def threshold(index: ReferenceIndex) -> float | None:
        curve = people_thresholds(manifest, index).curve
        found = operating_point(curve, len(index), FaceConfig().max_false_grant_rate)
        return found.threshold if found.sufficient else None

    return threshold
