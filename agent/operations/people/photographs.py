"""The photographs of an enrolment: one good face each, all of one person, none of them twice."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from agent.domain.sight.image import Image, Template
from agent.domain.sight.merging import Merging, misfit
from agent.errors import EnrolmentRefusedError, ImageError
from agent.vision.face.acquire import Acquisition, acquire
from agent.vision.face.engine import FaceEngine
from agent.vision.face.quality import ENROLMENT
from agent.vision.stills.images import read_image


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """The face of one photograph or frame; ``called`` as refusals and JSON name it."""

    called: str
    template: Template = field(repr=False)
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Shortfall:
    """Why a photograph is not good enough, what to do, and whether ``--force`` takes it."""

    what: str
    fix: str
    forceable: bool


_SHORTFALLS = {
    "no_face": _Shortfall(
        "no face was found", "a frontal photograph, eyes open, mouth and nose uncovered", False
    ),
    "several_faces": _Shortfall(
        "there are several faces", "crop the photograph to the one of the holder", False
    ),
    "face_too_small": _Shortfall(
        "the face is too small", "a photograph from nearer, or --force", True
    ),
    "low_contrast": _Shortfall(
        "the face is too dark or too bright", "a photograph in even light, or --force", True
    ),
    "blurred": _Shortfall("the face is blurred", "a sharp photograph, or --force", True),
}


def read_photographs(
    files: Sequence[str], engine: FaceEngine, *, force: bool = False
) -> list[Photograph]:
    """The one good face of each file.

    Raises:
        EnrolmentRefusedError: a file is no photograph, or its face is not good enough; with
            ``force`` a poor one will do.
    """
    return [read_photograph(file, engine, force=force) for file in files]


def read_photograph(file: str, engine: FaceEngine, *, force: bool = False) -> Photograph:
    """The one good face of a file.

    Raises:
        EnrolmentRefusedError: as ``read_photographs``.
    """
    try:
        return face_of(file, read_image(Path(file)), engine, force=force)
    except ImageError as error:
        raise EnrolmentRefusedError(error.reason, str(error)) from error


def face_of(called: str, image: Image, engine: FaceEngine, *, force: bool = False) -> Photograph:
    """The one good face of an image.

    Raises:
        EnrolmentRefusedError: it has none, or several, or it is not good enough.
        ImageError: a library fails on it.
    """
    found = acquire(engine, image, ENROLMENT)
    if found.reason is not None:
        shortfall = _SHORTFALLS[found.reason]
        if not (shortfall.forceable and force):
            what = f"{called}: {shortfall.what}{_by_how_much(found)}"
            raise EnrolmentRefusedError(found.reason, f"{what}\nFix: {shortfall.fix}")
    assert found.face is not None
    return Photograph(called, found.face.template, found.face.quality.as_figures())


def _by_how_much(found: Acquisition) -> str:
    """What there is of it and what it takes, where that is a figure a person can use."""
    if found.reason != "face_too_small" or found.face is None:
        return ""
    return (
        f": {found.face.quality.face_px} pixels wide,"
        f" where a reference takes {ENROLMENT.min_face_px}"
    )


def each_once(
    before: Sequence[Template], photographs: Sequence[Photograph]
) -> tuple[list[Photograph], list[str]]:
    """The photographs without those that are there already, and what the latter are called.

    Raises:
        EnrolmentRefusedError: ``same_photograph``: nothing new is left.
    """
    seen = [*before]
    new, doubles = [], []
    for one in photographs:
        if any(np.array_equal(one.template, other) for other in seen):
            doubles.append(one.called)
            continue
        seen.append(one.template)
        new.append(one)
    if not new:
        raise EnrolmentRefusedError(
            "same_photograph",
            f"{', '.join(doubles)}: enrolled before\nFix: another photograph, best of another day",
        )
    return new, doubles


def same_person(
    before: Sequence[Template], photographs: Sequence[Photograph], merging: Merging
) -> None:
    """Hold new photographs to be of the person of those enrolled before, and of one person at all.

    Raises:
        EnrolmentRefusedError: ``different_people``: two people would open as one.
    """
    called = [*("those enrolled before" for _ in before), *(one.called for one in photographs)]
    templates = [*before, *(one.template for one in photographs)]
    found = misfit(templates, merging, known=len(before))
    if found is None:
        return
    raise EnrolmentRefusedError(
        "different_people",
        f"{called[found.which]} and {called[found.other]} do not show the same person (score"
        f" {found.score:.3f}, below {found.bar:.3f})\n"
        "Fix: leave out the one of somebody else, or a poor one; one good frontal photograph is"
        " enough to begin with",
    )
