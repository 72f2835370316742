"""The guidance at the camera: total, in order, and never more than one frame a step."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.operations.people.guide import (
    HOLD_S,
    PATIENCE_S,
    SHORTFALL_HINTS,
    Guide,
    Hint,
    Look,
    Step,
    advance,
    expire,
)

PERIOD_S = 0.1


def run(guide: Guide, *yaws: float | None, start: int = 0, **shown: Any) -> Guide:
    """A frame each 0.1 s with the head turned so."""
    for number, yaw in enumerate(yaws, start):
        look = Look(number, number * PERIOD_S, None, 100.0, yaw, 0.0)
        guide = advance(guide, replace(look, **shown))
    return guide


def test_three_photographs_one_straight_and_one_to_each_side() -> None:
    guide = run(Guide(90.0), *[2.0] * 5, *[-15.0] * 5, *[-14.0] * 3, *[16.0] * 5)
    assert (guide.step, guide.settled, len(guide.taken)) == (Step.DONE, 0, 3)
    assert len(set(guide.taken)) == 3


def test_either_side_may_come_first_and_the_other_must_follow() -> None:
    guide = run(Guide(90.0), *[0.0] * 5, *[20.0] * 5)
    assert guide.step is Step.OTHER_SIDE
    assert run(guide, 20.0, start=10).hint is Hint.OTHER_WAY
    assert run(guide, -3.0, start=10).hint is Hint.TURN_MORE
    assert run(guide, -50.0, start=10).hint is Hint.TURN_LESS
    assert run(guide, *[-20.0] * 5, start=10).step is Step.DONE


@pytest.mark.parametrize("shortfall", [*SHORTFALL_HINTS, "a word of tomorrow"])
def test_a_poor_frame_is_never_taken_and_begins_the_wait_anew(shortfall: str) -> None:
    guide = run(Guide(90.0), *[0.0] * 4)
    assert guide.best is not None
    guide = run(guide, 0.0, start=4, shortfall=shortfall)
    assert (guide.best, guide.taken) == (None, ())
    assert guide.hint is SHORTFALL_HINTS.get(shortfall, Hint.HOLD_STILL)
    assert run(guide, *[0.0] * 4, start=5).taken == ()


@pytest.mark.parametrize(
    ("shown", "hint"),
    [
        ({"yaw_deg": 30.0}, Hint.LOOK_STRAIGHT),
        ({"pitch_deg": 60.0}, Hint.LOOK_UP),
        ({"pitch_deg": -60.0}, Hint.LOOK_DOWN),
        ({"differs": False}, Hint.HOLD_STILL),
        ({"yaw_deg": None, "pitch_deg": None}, Hint.HOLD),
    ],
)
def test_what_to_do_is_said(shown: dict[str, Any], hint: Hint) -> None:
    assert run(Guide(90.0), 0.0, **shown).hint is hint


def test_the_sharpest_of_those_held_is_taken() -> None:
    guide = Guide(90.0)
    for number, sharpness in enumerate((50.0, 90.0, 300.0, 80.0, 60.0)):
        guide = advance(guide, Look(number, number * PERIOD_S, None, sharpness, 0.0, 0.0))
    assert guide.taken == (2,)


def test_whoever_cannot_turn_is_taken_after_a_while_and_that_is_counted() -> None:
    frames = int(3 * PATIENCE_S / PERIOD_S) + 20
    guide = run(Guide(90.0), *[0.0] * frames)
    assert (guide.step, guide.settled) == (Step.DONE, 2)


def test_a_camera_that_hangs_fills_nothing_until_the_time_is_over() -> None:
    guide = run(Guide(20.0), *[0.0] * 300, differs=False)
    assert (guide.step, guide.taken) == (Step.TIMED_OUT, ())


def test_without_frames_the_time_runs_too() -> None:
    guide = expire(Guide(5.0), 100.0)
    assert guide.left_s(103.0) == 2.0
    assert expire(guide, 104.9).step is Step.STRAIGHT
    assert expire(guide, 105.0).step is Step.TIMED_OUT


looks = st.builds(
    Look,
    number=st.just(0),
    at_s=st.floats(0.0, 3.0),
    shortfall=st.none() | st.sampled_from([*SHORTFALL_HINTS, "other"]),
    sharpness=st.floats(0.0, 1e4),
    yaw_deg=st.none() | st.floats(-90.0, 90.0),
    pitch_deg=st.none() | st.floats(-90.0, 90.0),
    differs=st.booleans(),
)


@given(st.lists(looks, max_size=60))
def test_whatever_is_seen_each_step_takes_one_good_frame_held(shown: list[Look]) -> None:
    guide, now_s = Guide(60.0), 0.0
    seen: dict[int, Look] = {}
    for number, look in enumerate(shown):
        now_s += look.at_s
        seen[number] = replace(look, number=number, at_s=now_s)
        before, guide = guide, advance(guide, seen[number])
        assert guide.taken[: len(before.taken)] == before.taken
        assert len(guide.taken) <= len(before.taken) + 1
        if before.step.over:
            assert guide == before
        if len(guide.taken) > len(before.taken):
            assert before.good_since_s is not None
            assert now_s - before.good_since_s >= HOLD_S
    assert all(seen[n].shortfall is None and seen[n].differs for n in guide.taken)
    assert list(guide.taken) == sorted(set(guide.taken))
    assert (guide.step is Step.DONE) == (len(guide.taken) == 3)
