"""A rule that asks for a turn of the head: who turns, who does not, and who steps in."""

from dataclasses import replace

import pytest
from asyncapi import complaints, contract
from gate_parts import ALONE_RULE, ANNA, LIN, Gate
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.controller.effects import Guide
from agent.domain.access.challenge import BACK_DEG, CHALLENGE_S, TURN_DEG, Side
from agent.domain.access.hints import Hint, messages_of
from agent.domain.access.indication import Indication, Outcome
from agent.domain.access.rule import Rule
from agent.domain.access.signs import Before
from agent.domain.credential.factor import Factor
from agent.domain.credential.reason import Reason

ALONE = replace(ALONE_RULE, challenge=True)
BESIDE = Rule(
    frozenset({"resident"}),
    factors=(frozenset({Factor.FACE, Factor.PASS}),),
    challenge=True,
)
LEFT, RIGHT = Side.LEFT, Side.RIGHT


def gate(*sides, rule=ALONE):
    drawn = iter(sides)
    return Gate(rule, draw_side=lambda: next(drawn))


def asked(it, who=LIN):
    """``who`` stands there, looks straight, and is asked to turn."""
    it.stand(who, 0.5, yaw=2.0)
    assert it.outcomes() == []


def turn(it, yaw, who=LIN, back=LIN):
    it.stand(who, 0.4, step_in=False, yaw=yaw / 2)
    it.stand(who, 0.4, step_in=False, yaw=yaw)
    it.stand(back, 0.5, step_in=False, yaw=1.0)


def left(it):
    """What is left of the day's false grants."""
    return it.kiosk._lanes[0].attempts.false_grants.budget.left(it.clock.now().monotonic_s)


@pytest.mark.parametrize(("side", "yaw"), [(LEFT, 27.0), (RIGHT, -27.0)])
def test_who_turns_to_the_side_and_back_is_let_in(side, yaw):
    it = gate(side)
    asked(it)
    turn(it, yaw)
    assert it.outcomes() == ["granted"]
    assert it.opened() == 1
    assert it.last()["challenge"] == {"side": side.value, "passed": True}
    assert it.said() == [
        (Outcome.WAITING, (f"turn_{side}",)),
        (Outcome.WAITING, ("face",)),
        (Outcome.GRANTED, ()),
    ]


def test_beside_a_pass_the_face_turns_as_well():
    it = gate(LEFT, rule=BESIDE)
    it.show()
    it.stand(LIN, 0.6, yaw=0.0)
    assert it.opened() == 0
    assert it.said()[-1] == (Outcome.WAITING, ("turn_left",))
    turn(it, 26.0)
    assert it.outcomes() == ["granted"]
    assert it.last()["challenge"] == {"side": "left", "passed": True}
    assert it.last()["compared"] == "1:1"


def test_one_frame_whose_points_jump_is_no_turn_to_either_side():
    it = gate(LEFT)
    asked(it)
    for yaw in (30.0, -30.0):
        it.stand(LIN, 0.1, step_in=False, yaw=yaw)
        it.stand(LIN, 0.5, step_in=False, yaw=1.0)
    assert it.outcomes() == []
    it.stand(LIN, CHALLENGE_S, step_in=False, yaw=1.0)
    assert it.outcomes() == ["FactorMissing"]


def test_nothing_opens_before_the_head_has_come_back():
    it = gate(LEFT)
    asked(it)
    it.stand(LIN, 2.0, step_in=False, yaw=30.0)
    assert it.opened() == 0


@pytest.mark.parametrize("yaw", [2.0, 15.0, None])
def test_a_photograph_does_not_turn(yaw):
    it = gate(LEFT)
    asked(it)
    it.stand(LIN, CHALLENGE_S - 0.7, step_in=False, yaw=yaw)
    assert it.outcomes() == []
    it.stand(LIN, 0.8, step_in=False, yaw=yaw)
    assert it.outcomes() == ["FactorMissing"]
    assert it.opened() == 0
    assert it.last()["challenge"] == {"side": "left", "passed": False}
    assert it.last()["missing"] == []


@pytest.mark.parametrize(("side", "yaw"), [(LEFT, -29.0), (RIGHT, 29.0), (LEFT, -14.0)])
def test_a_photograph_and_its_mirror_image_are_no_turn(side, yaw):
    it = gate(*4 * [side])
    it.stand(LIN, 0.5, yaw=yaw)
    for _ in range(2):
        it.stand(LIN, 0.8, step_in=False, yaw=-yaw)
        it.stand(LIN, 0.8, step_in=False, yaw=yaw)
    it.stand(LIN, CHALLENGE_S, step_in=False, yaw=yaw)
    assert it.opened() == 0
    assert set(it.outcomes()) == {"FactorMissing"}
    assert it.last()["challenge"] == {"side": side.value, "passed": False}


def test_a_photograph_beside_a_pass_does_not_turn_either():
    it = gate(LEFT, rule=BESIDE)
    it.show()
    it.stand(LIN, 8.0, yaw=2.0)
    assert it.outcomes() == ["FactorMissing"]
    assert it.last()["challenge"] == {"side": "left", "passed": False}
    assert it.opened() == 0


def test_no_accusation_is_heard_of_who_did_not_turn():
    it = gate(LEFT)
    asked(it)
    it.wait(CHALLENGE_S)
    assert it.outcomes() == ["FactorMissing"]
    outcome, lacking = it.said()[-1]
    told = Indication("north-entry", outcome, lacking, Reason.FACTOR_MISSING)
    assert messages_of(told) == (f"denied.{Hint.TRY_AGAIN}",)
    missing = Indication("north-entry", Outcome.DENIED, ("pass",), Reason.FACTOR_MISSING)
    assert messages_of(missing) == (f"denied.{Hint.SHOW_MORE}",)


def test_the_wrong_side_is_refused_at_once():
    it = gate(LEFT)
    asked(it)
    it.stand(LIN, 0.3, step_in=False, yaw=-25.0)
    assert it.outcomes() == ["FactorMissing"]
    turn(it, 27.0)
    assert it.opened() == 0


@pytest.mark.parametrize("other", [ANNA, "stranger"])
def test_another_who_steps_in_turns_for_nobody(other):
    it = gate(LEFT, LEFT)
    asked(it)
    it.stand(other, 0.4, yaw=27.0)
    assert it.outcomes()[0] == "FactorMissing"
    assert it.last()["challenge"] == {"side": "left", "passed": False}
    it.stand(LIN, 0.5, yaw=1.0)
    assert it.opened() == 0


def test_who_comes_back_must_be_who_was_recognised():
    it = gate(LEFT)
    asked(it)
    turn(it, 27.0, back="stranger")  # the same track: nothing saw the change
    assert it.opened() == 0
    it.wait(CHALLENGE_S)
    assert it.outcomes() == ["FactorMissing"]


def test_a_pass_of_somebody_else_ends_what_the_face_began():
    it = gate(LEFT, LEFT, rule=replace(BESIDE, factors=(frozenset({Factor.FACE}), *BESIDE.factors)))
    asked(it, ANNA)
    it.show()
    it.stand(ANNA, 0.5, step_in=False, yaw=27.0)
    it.stand(ANNA, 1.0, step_in=False, yaw=0.0)
    assert it.opened() == 0


def test_who_did_not_turn_and_stays_gets_another_attempt_and_another_side():
    it = gate(LEFT, RIGHT)
    asked(it)
    it.stand(LIN, CHALLENGE_S, step_in=False, yaw=0.0)
    assert it.outcomes() == ["FactorMissing"]
    it.stand(LIN, 2.5, step_in=False, yaw=0.0)
    assert it.said()[-1] == (Outcome.WAITING, ("turn_right",))
    turn(it, -27.0)
    assert it.outcomes() == ["FactorMissing", "granted"]


def test_an_attempt_is_drawn_once_and_stays_drawn_where_nobody_turned():
    it = gate(LEFT)
    whole = left(it)
    asked(it)
    drawn = left(it)
    assert drawn < whole
    turn(it, 27.0)
    assert left(it) == pytest.approx(whole)
    it = gate(LEFT)
    asked(it)
    it.wait(CHALLENGE_S)
    assert it.outcomes() == ["FactorMissing"]
    assert left(it) == pytest.approx(drawn, rel=1e-3)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([LIN, LIN, LIN, ANNA, "stranger"]),
        st.sampled_from([0.0, 0.0, 27.0, 27.0, -27.0, None]),
        st.sampled_from([0.2, 0.4, 1.0]),
        st.sampled_from([False, False, False, True]),  # a new track
        st.sampled_from(["", "", "", "pass", "silence"]),
    ),
    max_size=14,
)


ASKED_WHILE_TURNED = [
    (ANNA, 27.0, 0.2, False, ""),
    (ANNA, 0.0, 0.2, False, ""),
    *3 * [(LIN, 0.0, 0.2, False, "")],
    (ANNA, 27.0, 1.0, False, ""),
    (ANNA, None, 0.2, False, ""),
]
"""Back is where she looked when she was asked; the frame that is enough has no pose of its own."""


def turned_and_back(frames, track, sign, now_s):
    """Whether frames of ``track`` show a turn to the side and, later, the way back."""
    yaws = [
        yaw * sign
        for at_s, of, yaw in frames
        if of == track and now_s - at_s < CHALLENGE_S and yaw is not None
    ]
    most = TURN_DEG - BACK_DEG
    return any(yaws[i] - back >= most for i in range(len(yaws)) for back in yaws[i + 1 :])


@settings(max_examples=60, deadline=None)
@example(ASKED_WHILE_TURNED, Side.RIGHT, ALONE)
@given(STEPS, st.sampled_from(Side), st.sampled_from([ALONE, BESIDE]))
def test_whatever_happens_a_grant_follows_a_turn_of_one_track_to_the_side_drawn(steps, side, rule):
    it = Gate(rule, draw_side=lambda: side)
    sign = 1.0 if side is LEFT else -1.0
    frames = []
    for who, yaw, seconds, step_in, beside in steps:
        if beside == "pass":
            it.show()
        elif beside == "silence":
            it.wait(seconds)
        for i in range(round(seconds * 10)):
            opened, now_s = it.opened(), it.clock.now().monotonic_s
            it.stand(who, 0.1, step_in=not it.track or (step_in and i == 0), yaw=yaw)
            frames.append((now_s, it.track, yaw))
            if it.opened() == opened:
                continue
            assert it.last()["challenge"] == {"side": side.value, "passed": True}
            assert it.last()["holder"] == who
            assert turned_and_back(frames, it.track, sign, now_s)


@pytest.mark.parametrize("yaw", [27.0, -27.0])
def test_its_event_is_as_the_contract_says(yaw):
    it = gate(LEFT)
    asked(it)
    turn(it, yaw)
    schema = contract()["components"]["schemas"]["challenge"]
    assert complaints(it.last()["challenge"], schema) == []


def test_the_lights_show_the_side_and_then_that_it_is_enough():
    it = gate(RIGHT)
    asked(it)
    signs = [one.guidance.state for one in it.log if isinstance(one, Guide)]
    assert signs[-1] is Before.TURN_RIGHT
    it.stand(LIN, 0.3, step_in=False, yaw=-27.0)
    signs = [one.guidance.state for one in it.log if isinstance(one, Guide)]
    assert it.said()[-1] == (Outcome.WAITING, ("face",))
    assert it.kiosk._signs._points["north-entry"].steady.shown is Before.ASKED


def test_a_rule_that_does_not_ask_lets_in_at_once():
    it = gate(rule=ALONE_RULE)
    it.stand(LIN, 0.5)
    assert it.outcomes() == ["granted"]
    assert it.last()["challenge"] is None


def test_without_a_source_of_sides_no_such_gate_is_built():
    with pytest.raises(ValueError, match="no source of sides"):
        Gate(ALONE)
