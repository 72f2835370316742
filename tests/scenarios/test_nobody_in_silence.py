"""A gate and people whom it cannot judge, or not yet: what is shown, when, and when it is heard."""

from dataclasses import replace

import pytest
from gate_parts import DOOR, LIN, REGISTRY, Gate
from hypothesis import given
from hypothesis import strategies as st

from agent.controller.again import MOST_TRIES
from agent.controller.effects import Guide, Indicate
from agent.controller.inputs import CodeUnread, FaultRaised, Observed
from agent.controller.signs import Steady
from agent.domain.access.indication import Outcome
from agent.domain.access.part import PartKind
from agent.domain.access.rule import Rule
from agent.domain.access.signs import SIGNS, Before
from agent.domain.credential.factor import Factor
from agent.domain.sight.hindrance import Hindrance
from agent.domain.sight.operating_point import OperatingPoint
from agent.domain.sight.track import Box, FaceTrack, Observation

FACE_RULE = Rule(frozenset({"resident"}), factors=(frozenset({Factor.FACE}),))
STRANGER = "a stranger"


class Signed(Gate):
    """A gate whose signs are noted with their time since the first frame."""

    def __init__(self, *rules: Rule, **more) -> None:
        super().__init__(*(rules or (FACE_RULE,)), **more)
        self.begin_s = self.clock.now().monotonic_s
        self.signs: list[tuple[float, Before, bool]] = []

    def tell(self, happened):
        effects = super().tell(happened)
        at_s = round(self.clock.now().monotonic_s - self.begin_s, 1)
        self.signs += [
            (at_s, one.guidance.state, one.guidance.aloud)
            for one in effects
            if isinstance(one, Guide)
        ]
        return effects

    def hinder(self, hindrance, seconds, *, face=True):
        self.track += 1
        for _ in range(round(seconds * 10)):
            now_s = self.clock.now().monotonic_s
            track = FaceTrack(self.track, Box(0, 0, 99, 99), now_s, now_s) if face else None
            seen = Observation("front", now_s, track, {}, self.registry.revision, hindrance)
            self.tell(Observed(seen))
            self.clock.advance(0.1)

    def go(self, seconds=1.0):
        self.hinder(None, seconds, face=False)

    def shown(self):
        return [state for _, state, aloud in self.signs if not aloud]

    def heard(self):
        return [(at_s, state) for at_s, state, aloud in self.signs if aloud]


@pytest.mark.parametrize("hindrance", [one for one in Hindrance if one is not Hindrance.TOO_FAR])
def test_a_hindrance_is_seen_after_0_4_s_and_heard_after_1_2_s(hindrance: Hindrance) -> None:
    gate = Signed()
    gate.hinder(hindrance, 5.0, face=False)
    state = Before(hindrance.value)
    assert gate.signs == [(0.4, state, False), (1.2, state, True)]


def test_who_passes_far_away_is_not_called_and_who_stays_is() -> None:
    gate = Signed()
    gate.hinder(Hindrance.TOO_FAR, 2.0, face=False)
    gate.go()
    assert gate.heard() == []
    assert gate.shown() == [Before.TOO_FAR, Before.NOBODY]
    gate.hinder(Hindrance.TOO_FAR, 3.0, face=False)
    assert [state for _, state in gate.heard()] == [Before.TOO_FAR]


def test_it_is_heard_again_with_growing_patience_and_not_once_they_are_gone() -> None:
    gate = Signed()
    gate.hinder(Hindrance.COVERED, 60.0)
    assert [at_s for at_s, _ in gate.heard()] == pytest.approx([1.2, 7.2, 19.2, 43.2], abs=0.15)
    gate.go(30.0)
    assert len(gate.heard()) == 4
    gate.hinder(Hindrance.COVERED, 2.0)
    assert len(gate.heard()) == 5, "whoever comes next has not been told"


def test_what_comes_and_goes_all_night_and_is_never_compared_is_told_ever_more_rarely() -> None:
    gate = Signed()
    for _ in range(90):
        gate.hinder(Hindrance.TOO_DARK, 10.0, face=False)
        gate.go(10.0)
    assert len(gate.heard()) <= 40  # of 180 that each would hear who came anew
    # Somebody who is compared shows that people come: the next one is told anew.
    gate.hinder(None, 1.0)
    gate.go(10.0)
    before = len(gate.heard())
    gate.hinder(Hindrance.TOO_DARK, 2.0, face=False)
    assert len(gate.heard()) == before + 1


def test_two_hindrances_that_take_turns_do_not_flicker_and_leave_nobody_without_a_sign() -> None:
    gate = Signed()
    for number in range(100):
        gate.hinder((Hindrance.TURNED, Hindrance.BLURRED)[number % 2], 0.1)
    assert len(gate.shown()) <= 3
    assert gate.heard()


def test_a_blurred_frame_or_two_of_a_resident_say_nothing() -> None:
    gate = Signed()
    gate.hinder(Hindrance.BLURRED, 0.2)
    gate.stand(LIN, 0.5)
    assert not {Before.BLURRED} & {*gate.shown()}
    assert gate.outcomes() == ["granted"]


def test_a_face_that_cannot_be_compared_is_asked_to_look_here() -> None:
    gate = Signed()
    gate.hinder(None, 6.0)
    assert gate.shown() == [Before.COMPARED, Before.TURNED]
    assert [state for _, state in gate.heard()] == [Before.TURNED]


def test_nothing_is_shown_over_a_decision() -> None:
    gate = Signed()
    gate.stand(STRANGER, 1.7, known=False)
    denied_s = gate.clock.now().monotonic_s
    assert gate.outcomes() == ["NoMatch"]
    before = len(gate.signs)
    gate.hinder(Hindrance.COVERED, 2.5)
    assert len(gate.signs) == before
    gate.hinder(Hindrance.COVERED, 2.0)
    assert gate.shown()[-1] is Before.COVERED
    assert gate.begin_s + gate.signs[before][0] > denied_s + 2.5


def test_a_stranger_who_stays_waits_hears_what_helps_and_gets_the_next_attempt() -> None:
    gate = Signed()
    gate.stand(STRANGER, 120.0, known=False)
    assert gate.outcomes() == ["NoMatch"] * MOST_TRIES
    said = [state for _, state in gate.heard()]
    assert set(said) == {Before.PACED, Before.REFUSED}
    assert said[-1] is Before.REFUSED
    times = [one for one in gate.log if isinstance(one, Indicate)]
    assert len(times) == MOST_TRIES


def test_a_resident_who_was_not_recognised_and_stays_is_let_in_by_the_next_attempt() -> None:
    gate = Signed()
    gate.stand(LIN, 2.0, known=False)
    assert gate.outcomes() == ["NoMatch"]
    gate.stand(LIN, 3.5, step_in=False)
    assert gate.outcomes() == ["NoMatch", "granted"]


def test_frames_of_before_the_refusal_do_not_count_for_the_next_attempt() -> None:
    gate = Signed()
    gate.stand(LIN, 0.2)
    gate.stand(LIN, 1.8, known=False, step_in=False)
    assert gate.outcomes() == ["NoMatch"]
    gate.stand(LIN, 0.2, step_in=False)
    gate.stand(STRANGER, 6.0, known=False, step_in=False)
    assert "granted" not in gate.outcomes()


def test_who_is_recognised_and_refused_is_told_the_same_again_and_not_judged_again() -> None:
    gate = Signed(Rule(frozenset({"staff"}), factors=(frozenset({Factor.FACE}),)))
    gate.stand(LIN, 120.0)
    assert gate.outcomes() == ["Unauthorized"]
    assert gate.said() == [(Outcome.DENIED, ())] * MOST_TRIES


def test_the_lights_of_who_stays_do_not_tell_who_was_recognised() -> None:
    known = Signed(Rule(frozenset({"staff"}), factors=(frozenset({Factor.FACE}),)))
    known.stand(LIN, 120.0)
    unknown = Signed()
    unknown.stand(STRANGER, 120.0, known=False)
    assert known.shown() == unknown.shown()
    assert {state for _, state in known.heard()} == {state for _, state in unknown.heard()}


def test_where_a_face_alone_opens_nothing_a_pass_is_asked_for() -> None:
    operating = OperatingPoint(-0.5, 1e-3, extrapolated=False, sufficient=False)
    gate = Signed(registry=replace(REGISTRY, operating=operating))
    gate.stand(STRANGER, 1.4, known=False)
    assert {*gate.shown()} == {Before.NOT_BY_FACE}
    assert [state for _, state in gate.heard()] == [Before.NOT_BY_FACE]


def test_a_pass_that_waits_for_a_covered_face_asks_for_the_face() -> None:
    gate = Signed(Rule(frozenset({"resident"}), factors=(frozenset({Factor.FACE, Factor.PASS}),)))
    gate.show()
    assert gate.said() == [(Outcome.WAITING, ("face",))]
    gate.hinder(Hindrance.COVERED, 5.0)
    gate.hinder(None, 2.0)
    assert gate.shown()[:2] == [Before.COVERED, Before.ASKED]
    assert [state for _, state in gate.heard()] == [Before.COVERED]


def test_a_code_that_cannot_be_read_goes_before_the_face() -> None:
    gate = Signed()
    for _ in range(20):
        gate.tell(CodeUnread("north-entry"))
        gate.stand(STRANGER, 0.1, known=False, step_in=not gate.track)
    assert gate.shown() == [Before.CODE_UNREAD]
    assert [state for _, state in gate.heard()] == [Before.CODE_UNREAD]
    gate.tell(CodeUnread("nowhere"))


def test_a_gate_that_is_unwell_shows_just_that() -> None:
    gate = Signed()
    gate.tell(FaultRaised(PartKind.CAMERA.part("front"), "no frame"))
    gate.hinder(Hindrance.COVERED, 3.0)
    gate.stand(STRANGER, 1.0, known=False)
    assert gate.signs == []


def test_a_sign_ends_by_itself_where_no_frame_comes_any_more() -> None:
    gate = Signed()
    gate.hinder(Hindrance.COVERED, 2.0)
    for _ in range(20):
        deadline_s = gate.kiosk.deadline_s
        if deadline_s is None:
            break
        gate.wait(max(deadline_s - gate.clock.now().monotonic_s, 0.01))
    assert gate.shown()[-1] is Before.NOBODY
    assert DOOR.pulse_s  # the door has no deadline of its own here
    assert gate.kiosk.deadline_s is None


@given(st.lists(st.tuples(st.sampled_from(Before), st.sampled_from([0.03, 0.1, 0.6, 5.0]))))
def test_whatever_comes_the_sign_is_steady_and_words_are_few(
    seen: list[tuple[Before, float]],
) -> None:
    steady, now_s = Steady(), 0.0
    words: list[float] = []
    since: dict[Before, float] = {}
    for state, passes_s in seen:
        shown = steady.shown
        changed, aloud = steady.step(state, now_s)
        since.setdefault(state, now_s)
        assert changed is (steady.shown is not shown)
        assert not changed or steady.shown is state
        if aloud:
            assert SIGNS[steady.shown].messages
            assert steady.shown is state
            assert not words or now_s - words[-1] >= 4.0
            words.append(now_s)
        now_s += passes_s


@given(st.sampled_from(sorted(Before)), st.sampled_from(sorted(Before)))
def test_whatever_was_shown_what_lasts_is_shown_soon(first: Before, second: Before) -> None:
    steady = Steady()
    for number in range(60):
        steady.step(first if number < 30 else second, number / 10)
    assert steady.shown is second
