"""Opens a pack and hands it to ``operations.evaluate``."""

from pathlib import Path
from typing import Any

from agent.app.resources import engine_of
from agent.domain.comparison import Metric
from agent.domain.image import Template
from agent.operations import evaluate
from agent.operations.evaluate import Method, Progress
from agent.vision.acquire import acquire
from agent.vision.images import read_image
from agent.vision.packs import load_pack
from agent.vision.quality import EVALUATION


def evaluate_pairs(
    images: Path, listing: Path, state: Path, pack: str, progress: Progress
) -> dict[str, Any]:
    """``operations.evaluate.evaluate_pairs`` with an installed pack, as JSON values."""
    return evaluate.evaluate_pairs(images, listing, _method(state, pack), progress).as_json()


def evaluate_identities(folder: Path, state: Path, pack: str, progress: Progress) -> dict[str, Any]:
    """``operations.evaluate.evaluate_identities`` with an installed pack, as JSON values."""
    return evaluate.evaluate_identities(folder, _method(state, pack), progress).as_json()


def _method(state: Path, name: str) -> Method:
    pack = load_pack(name, state)
    engine = engine_of(pack, threads=1)
    metric = Metric(pack.manifest.comparison.metric)

    def template_of(path: Path) -> Template | None:
        acquired = acquire(engine, read_image(path), EVALUATION)
        usable = acquired.face is not None and acquired.reason is None
        return acquired.face.template if usable and acquired.face is not None else None

    return Method(pack.manifest.name, metric, template_of, EVALUATION.as_json())
