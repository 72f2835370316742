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
    no_such_holder     -                 to add a photograph to
    same_photograph    -                 one that is added is there already
    belongs_to_other   --force           twins exist; then neither opens by face alone (Ambiguous)

Photographs that agree make one reference, their mean (``domain.sight.merging``). Nothing is stored
before every photograph has passed, and then all of it in one transaction.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from agent.domain.credential.holder import Holder, HolderId, parse_holder_id
from agent.domain.credential.name import person_name
from agent.domain.credential.near import did_you_mean
from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.image import Template
from agent.domain.sight.track import Candidate
from agent.errors import EnrolmentRefusedError
from agent.operations.doubts import unruled
from agent.operations.people.photographs import Photograph, each_once, same_person
from agent.operations.people.references import gain_of, merged, merging_of
from agent.ports import Reference
from agent.vision.face.engine import FaceEngine


@dataclass(frozen=True, slots=True)
class Bars:
    """The scores that enrolment holds faces to.

    ``too_close`` is the threshold at the gate, from which on it opens for neither by face alone;
    ``other``, at least as high, that from which on a face is taken for the other holder's. Not
    ``face_alone``: with this holder there are more references than the ``serves`` for which the
    face alone is sure enough.
    """

    same_person: float
    too_close: float
    other: float
    margin: float
    metric: Metric
    face_alone: bool = True
    serves: int = 0


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """What was asked; ``files`` are shown in refusals as they were given.

    With ``adds`` the photographs join those of a holder who is enrolled; name, category and
    validity then stay as they are.
    """

    id: str
    name: str = field(repr=False)
    category: str
    files: tuple[str, ...]
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    force: bool = False
    replace: bool = False
    adds: bool = False


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What is stored of a holder, None and nothing where there is nobody."""

    holder: Holder | None = None
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Enrolment:
    """What is ready to be stored, and what to say about it.

    ``quality`` is of the new photographs only; ``gain`` says what another one would bring.
    """

    holder: Holder
    references: tuple[Reference, ...] = field(repr=False)
    quality: tuple[dict[str, Any], ...]
    closest_other: Candidate | None
    warnings: tuple[str, ...]

    def as_json(self, pack: str) -> dict[str, Any]:
        """As ``gate-agent enrol --json`` prints it."""
        other = self.closest_other
        return {
            "id": self.holder.id,
            "category": self.holder.category,
            "references": len(self.references),
            "pack": pack,
            "quality": list(self.quality),
            "closest_other": other and {"holder": other.holder, "score": other.score},
            "warnings": list(self.warnings),
            "photographs": sum(self.parts),
            "parts": list(self.parts),
            "gain": self.gain,
        }

    @property
    def parts(self) -> tuple[int, ...]:
        """How many photographs each reference is the mean of."""
        return tuple(len(one.photographs) for one in self.references)

    @property
    def gain(self) -> str | None:
        """What another photograph would bring; None where nothing that was measured."""
        return gain_of(max(self.parts))


def prepare(
    request: EnrolmentRequest,
    photographs: Sequence[Photograph],
    engine: FaceEngine,
    index: ReferenceIndex,
    bars: Callable[[int], Bars],
    *,
    stored: Enrolled,
    categories: frozenset[str] | None,
) -> Enrolment:
    """The holder and references that ``request`` asks for; stores nothing.

    ``index`` holds the gallery; references of the holder's own in it do not count. ``bars`` are
    those of a gallery in which the holder has so many references. ``stored`` is what there is of
    the holder. ``categories`` are those with a rule, None where there is no config to know them by.

    Raises:
        EnrolmentRefusedError: with its reason; the message ends with the fix.
    """
    holder = holder_of(request, stored.holder)
    known = stored.references if request.adds else ()
    before = [part for one in known for part in one.photographs]
    merging = merging_of(engine.manifest, bars(1).same_person)
    photographs, doubles = each_once(before, photographs)
    same_person(before, photographs, merging)
    templates = [*before, *(one.template for one in photographs)]
    made = merged(holder.id, engine.manifest, templates, merging)
    bar = bars(len(made))
    new = [*(one.template for one in photographs), *(one.template for one in made)]
    closest = _closest_other(holder.id, new, index)
    warnings = [f"{one}: the same photograph once more, which adds nothing" for one in doubles]
    if closest is not None and closest.score >= bar.too_close:
        if closest.score >= bar.other and not request.force:
            raise EnrolmentRefusedError(
                "belongs_to_other",
                f"this face is that of {closest.holder} (score {closest.score:.3f}, at or above the"
                f" threshold {bar.other:.3f})\n"
                f"Fix: if it is that person: enrol {closest.holder} --replace; --force for twins:"
                " then the gate opens for neither by face alone",
            )
        warnings.append(
            f"too close to {closest.holder} (score {closest.score:.3f}): the gate will not open for"
            " either by face alone (Ambiguous)"
        )
    elif closest is not None and closest.score >= bar.too_close - bar.margin:
        warnings.append(
            f"comes close to {closest.holder} (score {closest.score:.3f}, threshold"
            f" {bar.too_close:.3f}): either may now and then be refused (Ambiguous)"
        )
    elif closest is not None and closest.score >= bar.same_person:
        warnings.append(
            f"as like {closest.holder} (score {closest.score:.3f}) as two photographs of one person"
            f" are: if it is that person, enrol {closest.holder} --replace and remove this id"
        )
    if not bar.face_alone:
        warnings.append(
            f"the face alone serves {bar.serves} references at the promised rate, and there are"
            " more: it opens for nobody until a rule asks for a second factor (pass+face)"
        )
    no_rule = unruled(holder.category, categories)
    if no_rule is not None:
        warnings.append(no_rule)
    quality = tuple({"file": one.called, **one.figures} for one in photographs)
    return Enrolment(holder, made, quality, closest, tuple(warnings))


def holder_of(
    request: EnrolmentRequest,
    existing: Holder | None,
    known: Callable[[], Iterable[str]] = tuple,
) -> Holder:
    """The holder as asked, known before a photograph is looked at or taken.

    ``known`` are the ids of those there are, for the near match of one that is not.

    Raises:
        EnrolmentRefusedError: malformed; enrolled already, or not yet to be added to.
    """
    if request.adds:
        if existing is None:
            near = did_you_mean(request.id, known())
            raise EnrolmentRefusedError(
                "no_such_holder",
                f"there is no such holder to add a photograph to{near}\n"
                "Fix: gate-agent holders list; or enrol them with --name and --category",
            )
        return existing
    holder = _holder(request, existing)
    if existing is not None and not request.replace:
        raise EnrolmentRefusedError(
            "holder_exists",
            f"{holder.id} is enrolled already\n"
            "Fix: --add FILE for one more photograph; --replace, which forgets the references there"
            " are; or choose another id",
        )
    return holder


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
        consent=existing.consent,
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
