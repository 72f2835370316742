"""Every reason, its precedence, and that whatever is missing denies."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import combinations

import pytest

from agent.domain.access.agreement import Requirements
from agent.domain.access.evidence import Evidence, FaceEvidence
from agent.domain.access.policy import decide
from agent.domain.access.rule import Elevated, Rule, WhenUnreliable, find_rule
from agent.domain.access.situation import Situation
from agent.domain.access.warmth import Warned
from agent.domain.credential.factor import Factor
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.credential.reason import Reason
from agent.domain.hours.instant import Instant
from agent.domain.hours.schedule import Schedule, Span
from agent.domain.skin.skin_temperature import SkinReading, Unreliable
from agent.domain.skin.thermal_cue import AttackCue

NOON = datetime(2026, 5, 6, 12, 0, tzinfo=UTC)  # a Wednesday
NOW = Instant(100.0, NOON, utc_trusted=True)
ANNA = HolderId("anna")
FACE = FaceEvidence(
    holder=ANNA,
    score=-0.3,
    margin=0.2,
    runner_up_score=-0.5,
    frames=3,
    span_s=0.25,
    newest_s=99.9,
)
WARM = SkinReading(36.4, measured_s=99.5)
EVIDENCE = Evidence(FACE, WARM)
HOLDER = Holder(ANNA, "Anna", "resident")
NIGHT = Schedule((Span(frozenset(range(7)), time(22), time(6)),), UTC)
RULE = Rule(frozenset({"resident"}))
HEALTH_RULE = Rule(frozenset({"resident"}), temperature_limit_c=37.3)
OPEN = Situation(accept_no_pad=True)


def face(**changes: object) -> Evidence:
    return replace(EVIDENCE, face=replace(FACE, **changes))  # type: ignore[arg-type] # a test's table


# Each row breaks one thing; the columns are evidence, holder, rule, situation, now.
FAULTS: dict[str, tuple[Reason, dict[str, object]]] = {
    "locked down": (Reason.LOCKED_DOWN, {"situation": {"locked_down": True}}),
    "camera dead": (Reason.SENSOR_FAULT, {"situation": {"sensor_fault": True}}),
    "frozen frames": (Reason.SENSOR_FAULT, {"face": {"frozen": True}}),
    "attack": (Reason.PRESENTATION_ATTACK, {"face": {"pad_score": 0.2}}),
    "attack score is no number": (
        Reason.PRESENTATION_ATTACK,
        {"face": {"pad_score": float("nan")}},
    ),
    "no candidate": (Reason.NO_MATCH, {"face": {"holder": None}}),
    "unknown to the registry": (Reason.NO_MATCH, {"holder": None}),
    "another's record": (Reason.NO_MATCH, {"holder": {"id": HolderId("ben")}}),
    "margin too small": (Reason.AMBIGUOUS, {"face": {"ambiguous": True}}),
    "reference too close": (Reason.AMBIGUOUS, {"situation": {"too_close": True}}),
    "disabled": (Reason.CREDENTIAL_NOT_ENABLED, {"holder": {"enabled": False}}),
    "no rule": (Reason.UNAUTHORIZED, {"rule": None}),
    "gallery too large": (Reason.FACTOR_MISSING, {"situation": {"face_alone_suffices": False}}),
    "no attack detection": (Reason.FACTOR_MISSING, {"situation": {"accept_no_pad": False}}),
    "two frames": (Reason.FACTOR_MISSING, {"face": {"frames": 2}}),
    "too short": (Reason.FACTOR_MISSING, {"face": {"span_s": 0.19}}),
    "too old": (Reason.FACTOR_MISSING, {"face": {"newest_s": 99.4}}),
    "from the future": (Reason.FACTOR_MISSING, {"face": {"newest_s": 100.1}}),
    "not active": (
        Reason.CREDENTIAL_NOT_ACTIVE,
        {"holder": {"valid_from": NOON + timedelta(seconds=1)}},
    ),
    "expired": (Reason.CREDENTIAL_EXPIRED, {"holder": {"valid_until": NOON}}),
    "outside the schedule": (Reason.NOT_PERMITTED_AT_THIS_TIME, {"rule": {"schedule": NIGHT}}),
    "inside already": (Reason.ANTI_PASSBACK, {"situation": {"passback": True}}),
    "no reading": (
        Reason.SENSOR_FAULT,
        {"rule": {"temperature_limit_c": 37.3}, "temperature": None},
    ),
    "old reading": (
        Reason.SENSOR_FAULT,
        {"rule": {"temperature_limit_c": 37.3}, "temperature": SkinReading(36.0, 90.0)},
    ),
    "hot": (
        Reason.ELEVATED_TEMPERATURE,
        {"rule": {"temperature_limit_c": 37.3}, "temperature": SkinReading(37.31, 99.9)},
    ),
    "no samples": (
        Reason.SENSOR_FAULT,
        {"rule": {"temperature_limit_c": 37.3}, "temperature": SkinReading(None, 99.9)},
    ),
    "reading not to be relied on": (
        Reason.SENSOR_FAULT,
        {
            "rule": {"temperature_limit_c": 37.3},
            "temperature": SkinReading(36.0, 99.9, unreliable=Unreliable.SPOT_TOO_LARGE),
        },
    ),
    "above what others have": (
        Reason.ELEVATED_TEMPERATURE,
        {
            "rule": {"temperature_limit_c": 37.3, "baseline_delta_c": 1.0},
            "temperature": SkinReading(35.1, 99.9, baseline_c=34.0),
        },
    ),
    "not as warm as skin": (
        Reason.PRESENTATION_ATTACK,
        {"situation": {"attack_cue": AttackCue.DENY}, "thermal_score": 0.4},
    ),
    "no number of a thermal score": (
        Reason.PRESENTATION_ATTACK,
        {"situation": {"attack_cue": AttackCue.DENY}, "thermal_score": float("nan")},
    ),
    "no number": (
        Reason.SENSOR_FAULT,
        {
            "rule": {"temperature_limit_c": 37.3},
            "temperature": SkinReading(float("nan"), 99.9),
        },
    ),
    "endlessly cold": (
        Reason.SENSOR_FAULT,
        {
            "rule": {"temperature_limit_c": 37.3},
            "temperature": SkinReading(float("-inf"), 99.9),
        },
    ),
}


def judge(*changes: dict[str, object]) -> Reason | None:
    evidence, situation, now = EVIDENCE, OPEN, NOW
    holder: Holder | None = HOLDER
    rule: Rule | None = RULE
    for change in changes:
        for key, value in change.items():
            if key in ("temperature", "thermal_score"):
                evidence = replace(evidence, **{key: value})  # type: ignore[arg-type] # as above
                continue
            if key == "situation":
                situation = replace(situation, **value)  # type: ignore[arg-type] # as above
            elif key == "now":
                now = replace(now, **value)  # type: ignore[arg-type] # as above
            elif key == "face" and evidence.face is not None:
                evidence = replace(evidence, face=replace(evidence.face, **value))  # type: ignore[arg-type] # as above
            elif key == "holder":
                holder = replace(holder or HOLDER, **value) if value is not None else None  # type: ignore[arg-type] # as above
            elif key == "rule":
                rule = replace(rule or RULE, **value) if value is not None else None  # type: ignore[arg-type] # as above
    return decide(evidence, holder, rule, situation, now).reason


def test_nothing_wrong_is_granted():
    assert decide(EVIDENCE, HOLDER, RULE, OPEN, NOW).granted
    assert decide(EVIDENCE, HOLDER, HEALTH_RULE, OPEN, NOW).granted


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_denies_with_its_reason(fault):
    reason, change = FAULTS[fault]
    assert judge(change) is reason


def test_no_two_faults_grant():
    for (_, first), (_, second) in combinations(FAULTS.values(), 2):
        if set(first) & set(second):
            continue
        assert judge(first, second) is not None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("locked down", "camera dead"),
        ("camera dead", "no candidate"),
        ("attack", "unknown to the registry"),
        ("no candidate", "disabled"),
        ("no candidate", "hot"),
        ("margin too small", "disabled"),
        ("disabled", "no rule"),
        ("no rule", "two frames"),
        ("two frames", "expired"),
        ("expired", "outside the schedule"),
        ("outside the schedule", "inside already"),
        ("inside already", "hot"),
    ],
)
def test_the_deeper_cause_is_named(first, second):
    assert judge(FAULTS[first][1], FAULTS[second][1]) is FAULTS[first][0]
    assert judge(FAULTS[second][1], FAULTS[first][1]) is FAULTS[first][0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"holder": {"valid_until": NOON + timedelta(days=1)}}, Reason.CLOCK_UNTRUSTED),
        ({"holder": {"valid_from": NOON - timedelta(days=1)}}, Reason.CLOCK_UNTRUSTED),
        ({"rule": {"schedule": NIGHT}}, Reason.CLOCK_UNTRUSTED),
        ({"rule": {"temperature_limit_c": 37.3}}, None),
        ({"holder": {"enabled": False, "valid_until": NOON}}, Reason.CREDENTIAL_NOT_ENABLED),
    ],
)
def test_before_the_clock_is_trusted_only_dates_and_schedules_are_refused(change, reason):
    assert judge({"now": {"utc_trusted": False}}, change) is reason


def test_no_evidence_is_a_missing_factor():
    assert decide(Evidence(), HOLDER, RULE, OPEN, NOW).reason is Reason.FACTOR_MISSING


def test_attack_detection_that_says_bona_fide_needs_no_waiver():
    strict = replace(OPEN, accept_no_pad=False)
    assert decide(face(pad_score=0.9), HOLDER, RULE, strict, NOW).granted


def test_a_reading_is_elevated_above_the_limit_only():
    for celsius, limit_c, granted in (
        (37.3, 37.3, True),
        (37.31, 37.3, False),
        (36.0, 34.0, False),
    ):
        rule = replace(RULE, temperature_limit_c=limit_c)
        seen = replace(EVIDENCE, temperature=SkinReading(celsius, 99.9))
        decision = decide(seen, HOLDER, rule, OPEN, NOW)
        assert (decision.granted, decision.limit_c) == (granted, limit_c)


def test_a_baseline_lowers_a_limit_and_never_raises_it():
    rule = replace(HEALTH_RULE, baseline_delta_c=1.0)
    assert rule.limit_c(None) == 37.3
    assert rule.limit_c(36.9) == 37.3
    assert rule.limit_c(33.0) == 34.0


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (SkinReading(38.0, 99.9), [Warned.ELEVATED_TEMPERATURE]),
        (None, [Warned.TEMPERATURE_MISSING]),
        (SkinReading(36.0, 90.0), [Warned.TEMPERATURE_MISSING]),
        (
            SkinReading(39.0, 99.9, unreliable=Unreliable.AMBIENT),
            [Warned.TEMPERATURE_UNRELIABLE],
        ),
        (SkinReading(36.0, 99.9, drifting=True), [Warned.BASELINE_DRIFT]),
        (SkinReading(36.0, 99.9), []),
    ],
)
def test_a_rule_may_let_pass_with_a_warning(reading, words):
    rule = replace(HEALTH_RULE, elevated=Elevated.WARN, unreliable=WhenUnreliable.WARN)
    decision = decide(replace(EVIDENCE, temperature=reading), HOLDER, rule, OPEN, NOW)
    assert decision.granted
    assert list(decision.warnings) == words


def test_who_is_asked_for_no_temperature_is_warned_of_none():
    hot = replace(EVIDENCE, temperature=SkinReading(41.0, 99.9))
    assert decide(hot, HOLDER, RULE, OPEN, NOW).warnings == ()


@pytest.mark.parametrize(
    ("cue", "score", "pad", "reason", "words"),
    [
        (AttackCue.OFF, 0.0, None, None, []),
        (AttackCue.REPORT, 0.0, None, None, [Warned.THERMAL_CUE]),
        (AttackCue.DENY, 0.0, None, Reason.PRESENTATION_ATTACK, [Warned.THERMAL_CUE]),
        (AttackCue.DENY, 0.5, None, None, []),
        (AttackCue.DENY, None, None, None, []),
        (AttackCue.DENY, 1.0, 0.2, Reason.PRESENTATION_ATTACK, []),
        (AttackCue.DENY, 0.1, 0.9, Reason.PRESENTATION_ATTACK, [Warned.THERMAL_CUE]),
    ],
)
def test_model_and_thermometer_must_both_say_that_it_is_a_face(cue, score, pad, reason, words):
    seen = replace(face(pad_score=pad), thermal_score=score)
    decision = decide(seen, HOLDER, RULE, replace(OPEN, attack_cue=cue), NOW)
    assert (decision.reason, list(decision.warnings)) == (reason, words)


def test_a_thermometer_stands_in_for_no_attack_detection():
    seen = replace(EVIDENCE, thermal_score=1.0)
    strict = replace(OPEN, accept_no_pad=False, attack_cue=AttackCue.DENY)
    assert decide(seen, HOLDER, RULE, strict, NOW).reason is Reason.FACTOR_MISSING


def test_more_frames_may_be_asked_for():
    strict = replace(OPEN, requirements=Requirements(frames=4))
    assert decide(EVIDENCE, HOLDER, RULE, strict, NOW).reason is Reason.FACTOR_MISSING


def test_a_category_without_a_rule_is_refused():
    rules = [Rule(frozenset({"resident"}), frozenset({"north"})), Rule(frozenset({"staff"}))]
    assert find_rule(rules, "resident", "north", NOW) is rules[0]
    assert find_rule(rules, "resident", "south", NOW) is None
    assert find_rule(rules, "courier", "north", NOW) is None
    assert find_rule(rules, "staff", "south", NOW) is rules[1]


def test_the_first_rule_whose_schedule_holds_counts():
    day = Schedule((Span(frozenset(range(7)), time(9), time(17)),), UTC)
    courier, gate = frozenset({"courier"}), frozenset({"service"})
    by_day, by_night = Rule(courier, gate, day), Rule(courier, gate, NIGHT)
    always = Rule(courier, gate, factors=(frozenset({Factor.PASS}),))

    def found(rules: list[Rule], hour: int, *, trusted: bool = True) -> Rule | None:
        moment = Instant(100.0, NOON.replace(hour=hour), utc_trusted=trusted)
        return find_rule(rules, "courier", "service", moment)

    assert found([by_day, by_night], 12) is by_day
    assert found([by_day, by_night], 23) is by_night
    assert found([by_day, by_night], 20) is by_day
    assert found([by_day, always], 20) is always
    assert found([always, by_day], 12) is always
    assert find_rule([by_day], "courier", "north", NOW) is None
    # No rule that asks for less takes the place of one whose hour is not known.
    assert found([by_day, always], 20, trusted=False) is by_day
    assert found([always, by_day], 12, trusted=False) is always
