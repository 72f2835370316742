"""Enrols a holder: photographs in, references out, or a refusal with its reason and fix.

    refusal            forced by         why
    holder_id          -                 malformed, or an ID number
    holder_name        -                 empty, too long, or with control characters
    holder_exists      --replace         enrolling again forgets the references there were
    unreadable_image   -                 there is no photograph (also image_too_large, _too_small)
    no_face            -                 nothing to compare
    several_faces      -                 whose reference would it be?
    face_too_small     --force           a coarse reference: its holder may be refused at the gate
    blurred            --force           likewise
    low_contrast       --force           likewise
    different_people   -                 two people would open as one
    belongs_to_other   --force           twins exist; then neither opens by face alone (Ambiguous)

Nothing is stored before every photograph has passed, and then all of it in one transaction.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.domain.credential.holder import Holder, HolderId, parse_holder_id
from agent.domain.credential.name import person_name
from agent.domain.sight.comparison import Metric, ReferenceIndex, score
from agent.domain.sight.image import Template
from agent.domain.sight.track import Candidate
from agent.errors import EnrolmentRefusedError, ImageError
from agent.vision.face.acquire import acquire
from agent.vision.face.engine import FaceEngine
from agent.vision.face.quality import ENROLMENT
from agent.vision.stills.images import read_image


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


@dataclass(frozen=True, slots=True)
class Bars:
    """The scores that enrolment holds faces to; ``too_close`` is the threshold at the gate."""

    same_person: float
    too_close: float
    margin: float
    metric: Metric


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """What was asked; ``files`` are shown in refusals as they were given."""

    id: str
    name: str = field(repr=False)
    category: str
    files: tuple[str, ...]
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    force: bool = False
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What is ready to be stored, and what to say about it."""

    holder: Holder
    templates: tuple[Template, ...] = field(repr=False)
    quality: tuple[dict[str, Any], ...]
    closest_other: Candidate | None
    warnings: tuple[str, ...]

    def as_json(self, pack: str) -> dict[str, Any]:
        """As ``gate-agent enrol --json`` prints it."""
        other = self.closest_other
        return {
            "id": self.holder.id,
            "category": self.holder.category,
            "references": len(self.templates),
            "pack": pack,
            "quality": list(self.quality),
            "closest_other": other and {"holder": other.holder, "score": other.score},
            "warnings": list(self.warnings),
        }


def prepare(
    request: EnrolmentRequest,
    engine: FaceEngine,
    index: ReferenceIndex,
    bars: Bars,
    *,
    existing: Holder | None,
    categories: frozenset[str] | None,
) -> Enrolment:
    """The holder and references that ``request`` asks for; stores nothing.

    ``index`` holds the gallery; references of the holder's own in it do not count. ``existing`` is
    the holder of this id, None where there is none. ``categories`` are those with a rule, None
    where there is no config to know them by.

    Raises:
        EnrolmentRefusedError: with its reason; the message ends with the fix.
    """
    holder = _holder(request, existing)
    if existing is not None and not request.replace:
        raise EnrolmentRefusedError(
            "holder_exists",
            f"{holder.id} is enrolled already\n"
            "Fix: --replace, which forgets the references there are; or choose another id",
        )
    templates, quality = _read(request, engine)
    _same_person(request.files, templates, bars)
    closest = _closest_other(holder.id, templates, index)
    warnings = []
    if closest is not None and closest.score >= bars.too_close:
        if not request.force:
            raise EnrolmentRefusedError(
                "belongs_to_other",
                f"this face is that of {closest.holder} (score {closest.score:.3f}, at or above the"
                f" threshold {bars.too_close:.3f})\n"
                f"Fix: if it is that person: enrol {closest.holder} --replace; --force for twins:"
                " then the gate opens for neither by face alone",
            )
        warnings.append(
            f"too close to {closest.holder} (score {closest.score:.3f}): the gate will not open for"
            " either by face alone (Ambiguous)"
        )
    elif closest is not None and closest.score >= bars.too_close - bars.margin:
        warnings.append(
            f"comes close to {closest.holder} (score {closest.score:.3f}, threshold"
            f" {bars.too_close:.3f}): either may now and then be refused (Ambiguous)"
        )
    if categories is not None and holder.category not in categories:
        known = ", ".join(sorted(categories)) or "none"
        warnings.append(
            f"no rule names the category {holder.category!r}: the gate refuses it; the rules name"
            f" {known}"
        )
    return Enrolment(holder, tuple(templates), tuple(quality), closest, tuple(warnings))


def _holder(request: EnrolmentRequest, existing: Holder | None) -> Holder:
    """As asked; a holder who is disabled or limited stays so unless something else is asked."""
    asked = make_holder(
        request.id,
        request.name,
        request.category,
        valid_from=request.valid_from,
        valid_until=request.valid_until,
    )
    if existing is None:
        return asked
    return replace(
        asked,
        enabled=existing.enabled,
        valid_from=asked.valid_from or existing.valid_from,
        valid_until=asked.valid_until or existing.valid_until,
    )


def make_holder(
    holder_id: str,
    name: str,
    category: str,
    *,
    enabled: bool = True,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> Holder:
    """A holder from what somebody typed.

    Raises:
        EnrolmentRefusedError: ``holder_id``, ``holder_name``, ``category`` or ``validity``.
    """
    try:
        parsed = parse_holder_id(holder_id)
    except ValueError as error:
        raise EnrolmentRefusedError("holder_id", str(error)) from error
    try:
        name = person_name(name)
    except ValueError as error:
        raise EnrolmentRefusedError("holder_name", str(error)) from error
    try:
        parse_holder_id(category)
    except ValueError as error:
        raise EnrolmentRefusedError(
            "category", "a category is 1 to 64 of A-Z a-z 0-9 . _ -, as the config's rules name it"
        ) from error
    if valid_from is not None and valid_until is not None and valid_from >= valid_until:
        raise EnrolmentRefusedError("validity", "valid-from lies at or after valid-until")
    return Holder(parsed, name, category, enabled, valid_from, valid_until)


def _read(
    request: EnrolmentRequest, engine: FaceEngine
) -> tuple[list[Template], list[dict[str, Any]]]:
    templates, quality = [], []
    for file in request.files:
        try:
            found = acquire(engine, read_image(Path(file)), ENROLMENT)
        except ImageError as error:
            raise EnrolmentRefusedError(error.reason, str(error)) from error
        if found.reason is not None:
            shortfall = _SHORTFALLS[found.reason]
            if not (shortfall.forceable and request.force):
                raise EnrolmentRefusedError(
                    found.reason, f"{file}: {shortfall.what}\nFix: {shortfall.fix}"
                )
        assert found.face is not None
        templates.append(found.face.template)
        quality.append({"file": file, **found.face.quality.as_figures()})
    return templates, quality


def _same_person(files: Sequence[str], templates: Sequence[Template], bars: Bars) -> None:
    for (file, one), (other_file, other) in itertools.combinations(
        zip(files, templates, strict=True), 2
    ):
        found = score(one, other, bars.metric)
        if found < bars.same_person:
            raise EnrolmentRefusedError(
                "different_people",
                f"{file} and {other_file} do not show the same person (score {found:.3f}, below"
                f" {bars.same_person:.3f})\n"
                "Fix: leave out the one of somebody else, or a poor one; one good frontal"
                " photograph is enough",
            )


def _closest_other(
    holder: HolderId, templates: Sequence[Template], index: ReferenceIndex
) -> Candidate | None:
    found = []
    for template in templates:
        best, runner_up = index.search(template)
        # Their own references, about to be replaced, are no other holder's.
        other = runner_up if best is not None and best.holder == holder else best
        if other is not None:
            found.append(other)
    return max(found, key=lambda candidate: candidate.score, default=None)
