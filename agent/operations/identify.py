"""Names the faces of a photograph by the gallery, with the gate's own threshold and margin.

    best < threshold                          NoMatch
    best - best other holder < margin         Ambiguous
    best is too close to another holder       Ambiguous
    otherwise                                 the holder

It says who a face would be taken for, not whether the gate would open: agreement over frames,
rules and validity are the gate's to judge.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from agent.domain.comparison import ReferenceIndex
from agent.domain.evidence import Box, Candidate
from agent.domain.holder import HolderId
from agent.domain.reason import Reason
from agent.errors import ImageError
from agent.ports import Image, Template


class FoundFace(Protocol):
    """A face in an image and its template."""

    @property
    def box(self) -> Box:
        """Where it is."""

    @property
    def template(self) -> Template:
        """What it is compared by."""


class Faces(Protocol):
    """Photographs in, faces out: ``vision`` by way of ``app``."""

    def read(self, path: Path) -> Image:
        """The photograph at ``path``, upright.

        Raises:
            ImageError: it cannot be read.
        """

    def all_faces(self, image: Image) -> Sequence[FoundFace]:
        """Every face in ``image`` by falling area."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What a face must reach: the threshold, the margin, and who is never named."""

    threshold: float
    margin: float
    too_close: frozenset[HolderId]


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
    """One photograph: its faces by falling area, or the error that kept it from being read."""

    file: str
    faces: tuple[Identified, ...]
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As ``gate-agent identify --json`` prints an image."""
        faces = [face.as_json() for face in self.faces]
        return {"file": self.file, "faces": faces, "error": self.error}


def identify(
    files: Iterable[str], faces: Faces, index: ReferenceIndex, bar: Bar
) -> Iterator[IdentifiedImage]:
    """One result a file, in their order; a file that cannot be read does not stop the others."""
    for file in files:
        try:
            image = faces.read(Path(file))
        except ImageError as error:
            yield IdentifiedImage(file, (), str(error))
            continue
        found = faces.all_faces(image)
        yield IdentifiedImage(
            file, tuple(judge(face.box, *index.search(face.template), bar) for face in found)
        )


def judge(box: Box, best: Candidate | None, runner_up: Candidate | None, bar: Bar) -> Identified:
    """What the two best candidates make of a face."""
    score = None if best is None else best.score
    other = None if runner_up is None else runner_up.score
    if best is None or best.score < bar.threshold:
        return Identified(box, None, score, other, Reason.NO_MATCH)
    close = runner_up is not None and best.score - runner_up.score < bar.margin
    if close or best.holder in bar.too_close:
        return Identified(box, None, score, other, Reason.AMBIGUOUS)
    return Identified(box, best.holder, score, other, None)
