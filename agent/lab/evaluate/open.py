"""Opens a pack and hands it to ``lab.evaluate.faces``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.app.open.engine import engine_of
from agent.domain.sight.comparison import Metric
from agent.domain.sight.image import Template
from agent.errors import UnavailableError
from agent.lab.evaluate import faces as evaluate
from agent.lab.evaluate.faces import Measured, Method, Progress
from agent.lab.evaluate.report import LEAST_IMPOSTOR_PAIRS, manifest_lines, plot_lines
from agent.operations.files import write_lines
from agent.vision.face.acquire import acquire
from agent.vision.face.quality import EVALUATION
from agent.vision.packs.packs import load_pack
from agent.vision.stills.images import read_image


@dataclass(frozen=True, slots=True)
class Reports:
    """Files to write beside the figures: a picture, and the table for a pack's manifest."""

    plot: Path | None = None
    curve: Path | None = None


_NO_REPORTS = Reports()


def evaluate_pairs(
    images: Path,
    listing: Path,
    state: Path,
    pack: str,
    progress: Progress,
    reports: Reports = _NO_REPORTS,
    reference_bits: int | None = None,
) -> dict[str, Any]:
    """``lab.evaluate.faces.evaluate_pairs`` with an installed pack, as JSON values."""
    _check_places(reports)
    method = _method(state, pack, reference_bits, reports)
    measured = evaluate.evaluate_pairs(images, listing, method, progress)
    return _reported(measured, reports)


def evaluate_identities(
    folder: Path,
    state: Path,
    pack: str,
    progress: Progress,
    reports: Reports = _NO_REPORTS,
    reference_bits: int | None = None,
) -> dict[str, Any]:
    """``lab.evaluate.faces.evaluate_identities`` with an installed pack, as JSON values."""
    _check_places(reports)
    method = _method(state, pack, reference_bits, reports)
    measured = evaluate.evaluate_identities(folder, method, progress)
    return _reported(measured, reports)


def _check_places(reports: Reports) -> None:
    """Say that a file cannot be written before the long work rather than after it."""
    for file in (reports.plot, reports.curve):
        if file is not None and (file.is_dir() or not file.parent.is_dir()):
            raise UnavailableError(f"{file} cannot be written", "name a file in a folder there is")


def _reported(measured: Measured, reports: Reports) -> dict[str, Any]:
    if reports.plot is not None:
        write_lines(plot_lines(measured), reports.plot)
    if reports.curve is not None:
        write_lines(manifest_lines(measured), reports.curve)
    return measured.as_json()


def _method(state: Path, name: str, reference_bits: int | None, reports: Reports) -> Method:
    pack = load_pack(name, state)
    engine = engine_of(pack, threads=1)
    metric = Metric(pack.manifest.comparison.metric)

    def template_of(path: Path) -> Template | None:
        acquired = acquire(engine, read_image(path), EVALUATION)
        usable = acquired.face is not None and acquired.reason is None
        return acquired.face.template if usable and acquired.face is not None else None

    limits = EVALUATION.as_json()
    least = 0 if reports.curve is None else LEAST_IMPOSTOR_PAIRS
    return Method(pack.manifest.name, metric, template_of, limits, reference_bits, least)
