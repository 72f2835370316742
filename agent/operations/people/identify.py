"""Names the faces of a photograph by the gallery, with the gate's own threshold and margin.

    best < threshold                          NoMatch
    best - best other holder < margin         Ambiguous
    best is too close to another holder       Ambiguous
    too small, dark or blurred for the gate   Other
    otherwise                                 the holder

It says who a face would be taken for, not whether the gate would open: agreement over frames,
rules and validity are the gate's to judge.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.domain.credential.holder import HolderId
from agent.domain.credential.reason import Reason
from agent.domain.sight.comparison import ReferenceIndex
from agent.domain.sight.track import Box, Candidate
from agent.errors import ImageError
from agent.vision.face.acquire import AcquiredFace, acquire_all
from agent.vision.face.engine import FaceEngine
from agent.vision.face.quality import GATE
from agent.vision.stills.images import read_image


@dataclass(frozen=True, slots=True)
class Bar:
    """What a face must reach: the threshold, the margin, and who is never named."""

    threshold: float
    margin: float
    too_close: Callable[[HolderId], bool]


@dataclass(frozen=True, slots=True)
class Identified:
    """One face, and the holder it is taken for or the reason why it is nobody."""

    box: Box
    holder: HolderId | None
    score: float | None
    runner_up_score: float | None
    reason: Reason | None

    def as_json(self) -> dict[str, Any]:
        """As ``gate-agent identify --json`` prints a face."""
        return {
            "box": [self.box.x, self.box.y, self.box.width, self.box.height],
            "holder": self.holder,
            "score": self.score,
            "runner_up_score": self.runner_up_score,
            "reason": None if self.reason is None else self.reason.value,
        }


@dataclass(frozen=True, slots=True)
class IdentifiedImage:
    """One photograph: its faces by falling area, or the error that kept it from being read.

    ``limit`` is the score that a face must reach.
    """

    file: str
    faces: tuple[Identified, ...]
    error: str | None = None
    limit: float | None = None

    def as_json(self) -> dict[str, Any]:
        """As ``gate-agent identify --json`` prints an image."""
        faces = [face.as_json() for face in self.faces]
        return {"file": self.file, "faces": faces, "error": self.error}


def identify(
    files: Iterable[str], engine: FaceEngine, index: ReferenceIndex, bar: Bar
) -> Iterator[IdentifiedImage]:
    """One result a file, in their order; a file that cannot be read does not stop the others."""
    for file in files:
        try:
            found = acquire_all(engine, read_image(Path(file)), GATE)
        except ImageError as error:
            yield IdentifiedImage(file, (), str(error))
            continue
        faces = tuple(_identified(face, index, bar) for face in found)
        yield IdentifiedImage(file, faces, limit=bar.threshold)


def _identified(face: AcquiredFace, index: ReferenceIndex, bar: Bar) -> Identified:
    found = judge(face.box, *index.search(face.template), bar)
    if found.holder is None or face.shortfall is None:
        return found
    return replace(found, holder=None, reason=Reason.OTHER)


def judge(box: Box, best: Candidate | None, runner_up: Candidate | None, bar: Bar) -> Identified:
    """What the two best candidates make of a face."""
    score = None if best is None else best.score
    other = None if runner_up is None else runner_up.score
    if best is None or best.score < bar.threshold:
        return Identified(box, None, score, other, Reason.NO_MATCH)
    close = runner_up is not None and best.score - runner_up.score < bar.margin
    if close or bar.too_close(best.holder):
        return Identified(box, None, score, other, Reason.AMBIGUOUS)
    return Identified(box, best.holder, score, other, None)
