"""[face]: how faces are recognised, and what was measured on the people of this site."""

import math
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from agent.config.base import Name, Table
from agent.config.lines import KeyPath
from agent.config.tables.access_point import AccessPointConfig
from agent.config.tables.camera import CameraConfig, infrared_beside
from agent.config.tables.rule import RuleConfig
from agent.config.whole import UNREAD, Finding, Whole
from agent.domain.sight.impostor_bound import FEWEST_PEOPLE
from agent.domain.sight.pad import PAD_THRESHOLD
from agent.domain.sight.track import MOST_SAMPLES

CHOSEN_PACK = "chosen"
"""The pack that was chosen when the agent was set up (``gate-agent models chosen``)."""

Fmr = Annotated[float, Field(gt=0, le=1)]
_MEASURED = ("face", "operating_point")
_FEWEST_POINTS = 2


class MeasuredPoint(Table):
    """At this share of impostor comparisons the least score that accepts; higher is more alike.

    A score is minus a distance, or a cosine: never above 1.
    """

    fmr: Annotated[Fmr, Field(description="a share of impostor comparisons")]
    threshold: Annotated[
        float,
        Field(
            ge=-100,
            le=1,
            allow_inf_nan=False,
            description="the least score that accepts at that share",
        ),
    ]


class OperatingPointConfig(Table):
    """[face.operating_point]: what ``persons`` of this site say of ``pack``; of no other it counts.

    Each threshold is an upper bound by persons; ``gate-agent evaluate operating-point`` writes it.
    Below the FMR ``measured_to`` the curve is a fit that goes on beyond the data.
    """

    pack: Annotated[Name, Field(description="of which it was measured")]
    version: Annotated[str, Field(min_length=1, max_length=64, description="the pack's")]
    measured_on: Annotated[date, Field(description="when it was measured")]
    persons: Annotated[
        int, Field(ge=1, le=10_000_000, description="how many of this site were measured")
    ]
    impostor_pairs: Annotated[
        int, Field(ge=1, description="how many pairs of different people were compared")
    ]
    measured_to: Annotated[
        Fmr, Field(description="an FMR: below it the curve is a fit beyond the data")
    ]
    curve: Annotated[
        tuple[MeasuredPoint, ...],
        Field(min_length=1, max_length=64, description="fmr falls, threshold rises"),
    ]

    def faults(self, whole: Whole) -> Iterator[Finding]:
        """Too few people, and a curve that is none: a gate would be looser than anybody meant."""
        place = (*_MEASURED, "curve")
        if self.persons < FEWEST_PEOPLE and not whole.unsure(*_MEASURED, "persons"):
            yield (*_MEASURED, "persons"), f"is less than the {FEWEST_PEOPLE} that a bound takes"
        if whole.unsure(*place):
            return
        if len(self.curve) < _FEWEST_POINTS:
            yield place, "has one point: what is stricter than that nobody knows"
        for row, point in enumerate(self.curve):
            if whole.unsure(*place, row):
                return
            before = self.curve[row - 1] if row else None
            if point.fmr == 1.0:
                yield (*place, row, "fmr"), "is less than 1"
            elif before and not (before.fmr > point.fmr and before.threshold < point.threshold):
                yield (*place, row), "fmr must fall and threshold rise from point to point"


CueWord = Literal["off", "report", "deny"]
CueThreshold = Annotated[float, Field(ge=0.05, le=0.95)]


class FaceConfig(Table):
    """How a face is recognised and how sure the gate must be.

    ``pack`` is a model pack's name, or the word for the one that was chosen here.
    """

    pack: Annotated[Name, Field(description='of models, or "chosen": the one that setup chose')] = (
        CHOSEN_PACK
    )
    threads: Annotated[int, Field(ge=1, le=8, description="of the embedder")] = 1
    accept_no_pad: Annotated[
        bool, Field(description="a face counts without attack detection: a photograph may pass")
    ] = False
    pad_threshold: Annotated[
        float,
        Field(
            ge=0.01, le=0.99, description="of the fused score: below it a face is a picture of one"
        ),
    ] = PAD_THRESHOLD
    liveness_cue: Annotated[CueWord, Field(description="frames of a flat or a fixed thing")] = (
        "report"
    )
    liveness_threshold: Annotated[CueThreshold, Field(description="of its value")] = 0.5
    screen_cue: Annotated[CueWord, Field(description="a device's border, its grid's beat")] = (
        "report"
    )
    screen_threshold: Annotated[CueThreshold, Field(description="of its value")] = 0.5
    ir_cue: Annotated[CueWord, Field(description="no face before the infrared camera")] = "report"
    ir_threshold: Annotated[CueThreshold, Field(description="of its value")] = 0.5
    accept_licences: Annotated[
        tuple[str, ...], Field(description="packs whose licence is not free, by name")
    ] = ()
    max_false_grant_rate: Annotated[
        float, Field(gt=0, le=0.1, description="per attempt of a stranger, over the whole gallery")
    ] = 0.01
    max_false_grants_per_day: Annotated[
        float,
        Field(gt=0, le=10, description="expected, all access points; then the threshold rises"),
    ] = 0.05
    margin: Annotated[
        float, Field(ge=0, le=1, description="in score, to the best other holder")
    ] = 0.03
    agreement_frames: Annotated[
        int, Field(ge=3, le=20, description="different frames that must agree; a track keeps 12")
    ] = 3
    agreement_span_s: Annotated[
        float,
        Field(ge=0.2, le=5, description="from the first to the last of them; 11 / fps at most"),
    ] = 0.2
    freshness_s: Annotated[
        float, Field(ge=0.1, le=0.5, description="an older frame grants nothing")
    ] = 0.5
    attempt_timeout_s: Annotated[
        float, Field(ge=0.5, le=10, description="a face is judged after so long at the latest")
    ] = 1.5
    attempt_interval_s: Annotated[
        float,
        Field(ge=0.5, le=60, description="between two attempts; doubles with each denial in a row"),
    ] = 2.0
    attempt_interval_max_s: Annotated[
        float, Field(ge=0.5, le=600, description="between two attempts, at the most")
    ] = 16.0
    track_gap_s: Annotated[
        float, Field(ge=0.2, le=5, description="a face gone for longer is a new presentation")
    ] = 1.0
    operating_point: OperatingPointConfig | None = None

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Photographs that would pass unaccepted; a pace that falls; a curve that does not."""
        face = whole.one(cls)
        yield from _unaccepted(whole)
        least, most = ("face", "attempt_interval_s"), ("face", "attempt_interval_max_s")
        sure = not whole.unsure(*least) and not whole.unsure(*most)
        if sure and face.attempt_interval_max_s < face.attempt_interval_s:
            yield most, "is less than attempt_interval_s"
        yield from _agreement(whole)
        if face.operating_point is not None:
            yield from face.operating_point.faults(whole)
        yield from _infrared(whole)

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Photographs that may pass, accepted as it is."""
        if whole.pad:
            return
        general = whole.one(cls).accept_no_pad
        rules = enumerate(whole.rows(RuleConfig))
        numbered = [(i, rule) for i, rule in rules if _accepts(rule, accept=general)]
        accepting = [rule for _, rule in numbered]
        what = _opened_by(accepting)
        if what is not None:
            own = all(rule.accept_no_pad for rule in accepting)
            where = "[[rule]]" if own else "[face]"
            unless = "" if whole.pad is not None else ", unless a pack for that is installed"
            path = ("rule", numbered[0][0]) if own else ("face",)
            message = (
                f"{what} opens the gate without presentation attack detection ({where}"
                f" accept_no_pad){unless}: a photograph of a resident may pass"
            )
            yield (*path, "accept_no_pad"), message

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Its model pack, and how many false grants a day are allowed for."""
        face, points = whole.one(cls), len(whole.rows(AccessPointConfig))
        per_day = f"{face.max_false_grants_per_day:g} a day expected at most"
        if points > 1:
            per_day += f", {face.max_false_grants_per_day / points:.2g} at each access point"
        pack = "the chosen one (gate-agent models chosen)"
        return {
            "pack": pack if face.pack == CHOSEN_PACK else face.pack,
            "false_grants": per_day,
        }


def _infrared(whole: Whole) -> Iterator[Finding]:
    """An infrared camera that is to deny, and is not there."""
    if whole.one(FaceConfig).ir_cue != "deny" or whole.unsure("face", "ir_cue"):
        return
    there = infrared_beside(whole.rows(CameraConfig))
    for point in whole.rows(AccessPointConfig):
        if point.camera not in (*there, UNREAD):
            yield (
                ("face", "ir_cue"),
                f"denies by an infrared camera, and none stands beside camera {point.camera!r}",
            )


def _accepts(rule: RuleConfig, *, accept: bool) -> bool:
    return accept if rule.accept_no_pad is None else rule.accept_no_pad


def _opened_by(rules: Iterable[RuleConfig]) -> str | None:
    """How a face counts by these rules, in words; None where it does not."""
    factors = [one.split("+") for rule in rules for one in rule.factors]
    if ["face"] in factors:
        return "face alone"
    return "a face beside a pass or document" if any("face" in one for one in factors) else None


def _unaccepted(whole: Whole) -> Iterator[Finding]:
    """Faces that would count for nothing, where no attack detection is installed."""
    if whole.pad is None or whole.pad:
        return
    general = ("face", "accept_no_pad")
    rules = whole.rows(RuleConfig)
    left = [rule for rule in rules if rule.accept_no_pad is None]
    found: list[tuple[KeyPath, str | None]] = []
    if not whole.one(FaceConfig).accept_no_pad and not whole.unsure(*general):
        found.append((general, _opened_by(left)))
    for i, rule in enumerate(rules):
        if rule.accept_no_pad is False:
            found.append((("rule", i, "accept_no_pad"), _opened_by([rule])))
    for path, what in found:
        if what is not None and not whole.unsure(*path):
            message = (
                f"the rules open by {what}, and no presentation attack detection is installed:"
                " a photograph may pass"
            )
            fix = (
                "install some (gate-agent models install minifasnet --from DIR, and antispoof),"
                " or set accept_no_pad = true to accept that, or factors without a face in every"
                " rule"
            )
            yield path, message, fix


def _agreement(whole: Whole) -> Iterator[Finding]:
    """What no face could ever agree on, by what a track keeps and how fast the cameras are."""
    face = whole.one(FaceConfig)
    if face.agreement_frames > MOST_SAMPLES:
        more = face.agreement_frames - MOST_SAMPLES
        message = f"is {more} more than the {MOST_SAMPLES} that a track keeps: no face ever agrees"
        yield ("face", "agreement_frames"), message
        return
    sure = not any(
        whole.unsure("face", key)
        for key in ("agreement_frames", "agreement_span_s", "attempt_timeout_s")
    )
    for i, camera in enumerate(whole.rows(CameraConfig)):
        if sure and not whole.unsure("camera", i, "fps"):
            yield from _in_reach(face, camera)


def _in_reach(face: FaceConfig, camera: CameraConfig) -> Iterator[Finding]:
    # So many frames after its first one a face has shown enough.
    steps = max(face.agreement_frames - 1, math.ceil(face.agreement_span_s * camera.fps - 1e-9))
    at = f"at the {camera.fps:g} fps of camera {camera.id!r}"
    if steps >= MOST_SAMPLES:
        longest_s = (MOST_SAMPLES - 1) / camera.fps
        over_s = face.agreement_span_s - longest_s
        message = (
            f"is {over_s:.2g} s more than the {longest_s:.3g} s which the {MOST_SAMPLES} samples of"
            f" a track span {at}: no face ever agrees"
        )
        yield ("face", "agreement_span_s"), message, "set it lower, or fps"
    elif (steps - 1) / camera.fps >= face.attempt_timeout_s:
        needed_s = steps / camera.fps
        message = f"is over before a face can agree, which takes {needed_s:.3g} s {at}"
        fix = f"set it {needed_s - face.attempt_timeout_s:.2g} s higher, or fps"
        yield ("face", "attempt_timeout_s"), message, fix
