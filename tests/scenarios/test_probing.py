"""Strangers who try faces: each that was compared is an attempt, and the day has a bound."""

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
from gate_parts import BOTH, LIN, REGISTRY, Gate

from agent.controller.effects import KeepBudgets, Release, SetStatus
from agent.controller.inputs import Observed, RegistryChanged, Stop
from agent.controller.kiosk import Kiosk, Memory
from agent.domain.access.part import STATE_LATCHES
from agent.domain.access.rule import Rule
from agent.domain.credential.factor import FACE_ALONE
from agent.domain.record.events import EventType
from agent.domain.sight.operating_point import (
    CurvePoint,
    ThresholdCurve,
    operating_point,
    threshold_at,
)
from agent.domain.sight.track import Box, Candidate, FaceSample, FaceTrack, Observation

CURVE = ThresholdCurve(
    (CurvePoint(1e-2, -0.57), CurvePoint(1e-3, -0.507), CurvePoint(1e-4, -0.473))
)
REFERENCES = 100
GALLERY = replace(
    REGISTRY, references=REFERENCES, curve=CURVE, operating=operating_point(CURVE, REFERENCES)
)
CLEAR, MARGINAL = -0.25, GALLERY.operating.threshold + 1e-3
FACE_RULE = Rule(frozenset({"resident"}), factors=(FACE_ALONE,))
EITHER_RULE = Rule(frozenset({"resident"}), factors=(FACE_ALONE, *BOTH))


class Street(Gate):
    """A gate, and people who come by with faces of a given likeness."""

    def __init__(self, *rules, **more):
        super().__init__(*(rules or (FACE_RULE,)), registry=more.pop("registry", GALLERY), **more)
        self.tell(RegistryChanged(self.registry))

    def come(self, score, seconds, *, who=LIN, fps=10, go=True):
        """Somebody stands there for ``seconds``, and is gone."""
        self.track += 1
        came_s = self.clock.now().monotonic_s
        samples: list[FaceSample] = []
        for _ in range(round(seconds * fps)):
            now_s = self.clock.now().monotonic_s
            samples = [
                *samples,
                FaceSample(now_s, str(now_s).encode(), Candidate(who, score), None),
            ][-12:]
            track = FaceTrack(self.track, Box(0, 0, 99, 99), came_s, now_s, tuple(samples))
            self.seen(track)
            self.clock.advance(1 / fps)
        if go:
            self.seen(None)

    def seen(self, track):
        now_s = self.clock.now().monotonic_s
        self.tell(Observed(Observation("front", now_s, track, {}, self.registry.revision)))

    def events(self, kind):
        return [
            effect.draft.data
            for effect in self.log
            if hasattr(effect, "draft") and effect.draft.type is kind
        ]

    def stages(self):
        return [data["stage"] for data in self.events(EventType.ACCESS_PROBING)]


def strangers(gate, count, chance, seconds=0.4):
    """People whose likeness is that of the curve's impostors; those who open are counted."""
    before = gate.opened()
    for _ in range(count):
        fmr = 1.0 - (1.0 - chance.random()) ** (1.0 / REFERENCES)
        gate.come(threshold_at(CURVE, max(fmr, 1e-12)), seconds)
        gate.clock.advance(0.2)
    return gate.opened() - before


def test_a_thousand_who_step_aside_are_a_thousand_attempts():
    gate = Street(EITHER_RULE)
    for _ in range(1_000):
        gate.come(-0.8, 0.5)
        gate.clock.advance(0.1)
    drawn = gate.events(EventType.ACCESS_PROBING)[-1]["expected_last_day"]
    assert 0.0 < drawn <= 0.05
    assert gate.stages()[:1] == ["suspected"]
    gate.come(MARGINAL, 1.0)  # whose face happens to fit at the threshold of a full budget
    assert gate.opened() == 0


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_impostors_by_the_hundred_open_no_more_than_was_promised(seed):
    """Of 40 days with 200 of them each two false grants are expected; without the budget 80."""
    chance, opened = random.Random(seed), 0
    for _ in range(40):
        gate = Street(FACE_RULE)
        opened += strangers(gate, 200, chance)
    assert opened <= 8  # two by expectation, at most: Poisson says 8 or fewer in 99.98 %


def test_a_clear_match_opens_amid_them_within_three_seconds():
    gate = Street(FACE_RULE)
    for _ in range(60):
        gate.come(-0.8, 0.4)
    before, came_s = gate.opened(), gate.clock.now().monotonic_s
    gate.come(CLEAR, 1.0)
    assert gate.opened() == before + 1
    assert gate.clock.now().monotonic_s - came_s < 3.0


def test_a_resident_after_strangers_who_were_denied_gets_in_within_three_seconds():
    gate = Street(FACE_RULE)
    for _ in range(5):
        gate.come(-0.8, 20.0)
    assert set(gate.outcomes()) == {"NoMatch"}
    assert len(gate.outcomes()) >= 5
    gate.come(CLEAR, 2.9)
    assert gate.outcomes()[-1] == "granted"


def test_unjudged_tracks_are_counted_by_the_minute():
    gate = Street(FACE_RULE)
    for _ in range(150):
        gate.come(-0.8, 0.5)
        gate.clock.advance(0.5)
    gate.wait(60.0)
    told = [data["count"] for data in gate.events(EventType.ACCESS_UNJUDGED)]
    assert sum(told) == 150
    assert len(told) == 3
    assert gate.outcomes() == []


def test_a_judged_track_is_told_by_its_own_event_only():
    gate = Street(FACE_RULE)
    gate.come(-0.8, 2.0)
    gate.wait(5.0)
    gate.come(CLEAR, 1.0)
    gate.wait(61.0)
    assert gate.outcomes() == ["NoMatch", "granted"]
    assert gate.events(EventType.ACCESS_UNJUDGED) == []


def test_nothing_left_asks_for_a_second_factor_for_a_quarter_of_an_hour_at_most():
    dear = replace(GALLERY, curve=None, references=10)  # no threshold but one
    gate = Street(EITHER_RULE, registry=dear)
    for _ in range(30):
        gate.come(-0.8, 0.3)
    assert gate.stages() == ["suspected", "second_factor"]
    gate.come(CLEAR, 1.0, go=False)
    assert gate.said()[-1][1] == ("pass",)
    assert gate.opened() == 0
    gate.wait(20.0)
    gate.wait(885.0)
    gate.come(CLEAR, 1.0)
    assert gate.opened() == 1
    assert gate.stages()[-1] == "calm"


def test_a_pass_opens_while_no_face_does_alone():
    dear = replace(GALLERY, curve=None, references=10)
    gate = Street(EITHER_RULE, registry=dear)
    for _ in range(30):
        gate.come(-0.8, 0.3)
    gate.show()
    gate.stand(LIN)
    assert gate.outcomes()[-1] == "granted"


def test_probing_the_entry_leaves_the_exit_as_it_is():
    entry = Street(FACE_RULE)
    kiosk_settings = replace(
        entry.settings,
        lanes=(
            entry.settings.lanes[0],
            replace(entry.settings.lanes[0], access_point="north-exit", camera="back"),
        ),
    )
    entry.kiosk = Kiosk(kiosk_settings, GALLERY)
    for _ in range(300):
        entry.come(-0.8, 0.3)
    entry.clock.advance(120.0)
    entry.tell(Stop("done"))
    left = next(effect.left for effect in reversed(entry.log) if isinstance(effect, KeepBudgets))
    assert left["north-exit"] == 0.0125
    assert left["north-entry"] < 0.001


def test_a_crowd_that_is_let_in_is_no_probing():
    gate = Street(FACE_RULE)
    for number in range(200):
        gate.come(-0.8 if number % 3 == 0 else CLEAR, 0.5)
        gate.clock.advance(2.0)
    assert gate.stages() == []


def test_what_was_drawn_outlives_the_process():
    gate = Street(FACE_RULE)
    for _ in range(100):
        gate.come(-0.8, 0.3)
    gate.tell(Stop("SIGTERM"))
    left = next(effect.left for effect in reversed(gate.log) if isinstance(effect, KeepBudgets))
    gate.kiosk = Kiosk(gate.settings, GALLERY, Memory(budgets=left))
    gate.log.clear()
    gate.come(MARGINAL, 1.0)
    assert gate.opened() == 0
    gate.come(CLEAR, 3.0)
    assert gate.opened() == 1


def test_no_face_is_risked_where_none_opens_alone():
    gate = Street(Rule(frozenset({"resident"}), factors=BOTH))
    for _ in range(100):
        gate.come(-0.8, 0.5)
    gate.wait(61.0)
    assert gate.stages() == []
    status = [effect for effect in gate.log if isinstance(effect, SetStatus)][-1]
    assert status.false_grants["north-entry"]["expected_last_day"] == 0.0


def test_the_event_names_the_threshold_by_which_a_face_was_judged():
    gate = Street(FACE_RULE)
    gate.come(CLEAR, 1.0)
    first = gate.events(EventType.ACCESS_GRANTED)[-1]
    for _ in range(50):
        gate.come(-0.8, 0.3)
    gate.come(CLEAR, 1.0)
    second = gate.events(EventType.ACCESS_GRANTED)[-1]
    assert second["threshold"] > first["threshold"]
    assert second["threshold_fmr"] < first["threshold_fmr"]
    assert first["threshold_fmr"] == pytest.approx(0.025 / 25 / REFERENCES)


def test_several_references_of_a_holder_raise_the_threshold_of_a_claim():
    several = replace(
        GALLERY,
        claim_threshold=-0.507,
        claims={LIN: operating_point(CURVE, 10, 1e-3)},
    )
    gate = Street(Rule(frozenset({"resident"}), factors=BOTH), registry=several)
    assert several.claim_point(LIN).threshold > -0.48
    gate.show()
    gate.stand(LIN)
    granted = gate.events(EventType.ACCESS_GRANTED)[-1]
    assert granted["compared"] == "1:1"
    assert granted["threshold"] == round(several.claim_point(LIN).threshold, 4)
    assert granted["threshold_fmr"] == pytest.approx(1e-4)


def test_a_release_is_a_release():
    """The helpers above count what moves the output."""
    gate = Street(FACE_RULE)
    gate.come(CLEAR, 1.0)
    assert [effect.door for effect in gate.log if isinstance(effect, Release)] == ["turnstile"]


def test_whoever_is_recognised_and_refused_for_the_rule_draws_nothing():
    """A resident at the wrong access point, a hundred times, keeps nobody out."""
    gate = Street(Rule(frozenset({"courier"}), factors=(FACE_ALONE,)))
    for _ in range(100):
        gate.come(CLEAR, 3.0)
    assert gate.outcomes() == ["Unauthorized"] * 100
    gate.wait(61.0)
    status = [effect for effect in gate.log if isinstance(effect, SetStatus)][-1]
    assert status.false_grants["north-entry"]["expected_last_day"] == 0.0


def test_a_kill_forgets_little_of_what_was_drawn():
    gate = Street(FACE_RULE)
    left: Mapping[str, float] = {"north-entry": 0.025}
    for _ in range(40):
        gate.come(-0.8, 0.3)
        kept = [effect.left for effect in gate.log if isinstance(effect, KeepBudgets)]
        left = kept[-1] if kept else left
        budget = gate.kiosk._lanes[0].attempts.false_grants.budget
        assert budget.left(gate.clock.now().monotonic_s) >= 0.96 * left["north-entry"]


def test_where_the_file_of_budgets_is_not_the_one_that_was_there_nothing_is_left():
    gate = Street(FACE_RULE)
    gate.kiosk = Kiosk(gate.settings, GALLERY, Memory(state_faults={STATE_LATCHES: "missing"}))
    gate.come(CLEAR, 1.0)
    assert gate.opened() == 0
    report = gate.kiosk._lanes[0].attempts.false_grants.report(GALLERY, 1e6)
    assert report["expected_last_day"] == 0.0
