"""A turn of the head, whatever the frames show and in whatever order they come."""

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from agent.domain.access.challenge import (
    BACK_DEG,
    TURN_DEG,
    Challenge,
    Shown,
    Side,
    Turning,
    after,
    shown_by,
)
from agent.domain.access.evidence import Evidence
from agent.domain.credential.holder import HolderId
from agent.domain.sight.track import Box, FaceSample, FaceTrack

LIN, ANNA = HolderId("lin.2"), HolderId("anna")
ENDS_S = 6.0
ENDED = (Turning.PASSED, Turning.FAILED)


def test_the_table_is_total_and_what_ended_stays() -> None:
    for state, shown in itertools.product(Turning, Shown):
        assert after(state, shown) in Turning
        if state in ENDED:
            assert after(state, shown) is state
        elif shown in (Shown.OTHER_SIDE, Shown.ANOTHER, Shown.TIME_UP):
            assert after(state, shown) is Turning.FAILED
    ways = [(s, w) for s, w in itertools.product(Turning, Shown) if s not in ENDED]
    assert [way for way in ways if after(*way) is Turning.PASSED] == [(Turning.BACK, Shown.NAMED)]
    assert {s for s, w in ways if after(s, w) is Turning.BACK} == {Turning.TURNED, Turning.BACK}


def test_a_side_is_the_person_s_own() -> None:
    assert shown_by(TURN_DEG + 3.0, 3.0, Side.LEFT) is Shown.TURNED
    assert shown_by(TURN_DEG + 3.0, 3.0, Side.RIGHT) is Shown.OTHER_SIDE
    assert shown_by(3.0 - BACK_DEG, 3.0, Side.RIGHT) is Shown.STRAIGHT
    assert shown_by(15.0, 0.0, Side.LEFT) is Shown.UNSURE
    assert shown_by(None, 0.0, Side.LEFT) is Shown.UNSURE
    assert shown_by(float("nan"), 0.0, Side.LEFT) is Shown.UNSURE


@given(st.floats(-60.0, 60.0), st.floats(-7.0, 7.0), st.sampled_from(Side))
def test_a_picture_and_its_mirror_image_are_no_turn_and_back(
    yaw: float, shake: float, side: Side
) -> None:
    """However far aside it looks, and tilted by what a hand shakes: 14 degrees."""
    shown = {shown_by(sign * (yaw + shake), yaw, side) for sign in (1.0, -1.0)}
    shown |= {shown_by(sign * (yaw - shake), yaw, side) for sign in (1.0, -1.0)}
    assert not {Shown.TURNED, Shown.STRAIGHT} <= shown


def test_who_was_asked_while_looking_aside_may_look_ahead() -> None:
    for straight in (40.0, 20.0, -20.0, -40.0):
        assert shown_by(straight, straight, Side.LEFT) is not Shown.OTHER_SIDE
        assert shown_by(math.copysign(5.0, straight), straight, Side.LEFT) is Shown.STRAIGHT
        assert shown_by(38.0, straight, Side.LEFT) is Shown.TURNED


YAWS = st.one_of(st.none(), st.floats(-60.0, 60.0), st.sampled_from([0.0, 25.0, -25.0]))
STEPS = st.lists(
    st.tuples(
        st.floats(0.0, 1.5),  # seconds since the one before
        st.sampled_from([None, 1, 1, 1, 1, 2]),  # the track; None: nobody is seen
        YAWS,
        st.sampled_from([None, LIN, LIN, ANNA]),  # whom the frames agree on
    ),
    max_size=30,
)


@given(STEPS, st.sampled_from(Side))
def test_it_passes_only_by_a_turn_there_and_back_of_one_track_in_time(
    steps: list[tuple[float, int | None, float | None, HolderId | None]], side: Side
) -> None:
    challenge = Challenge(side, 1, LIN, 0.0, 0.0, ENDS_S, Evidence())
    samples: list[FaceSample] = []
    shown: list[Shown] = []
    now_s, others = 0.0, False
    for wait_s, track, yaw, holder in steps:
        now_s += wait_s
        found = None
        if track is not None:
            if not samples or samples[-1].captured_s < now_s:
                samples = [*samples, FaceSample(now_s, b"", None, None, yaw_deg=yaw)][-12:]
                shown.append(shown_by(yaw, 0.0, side))
            found = FaceTrack(track, Box(0, 0, 9, 9), 0.0, now_s, tuple(samples))
        others = others or track == 2
        before = challenge
        challenge = challenge.seen(found, now_s)
        assert challenge.seen(found, now_s) == challenge, "the same frames say nothing new"
        challenge = challenge.named(holder, now_s if found is not None else 0.0)
        if not before.open:
            assert challenge.state is before.state
        if challenge.passed and before.open:
            assert now_s < ENDS_S
            assert not others
            assert holder == LIN
            assert (Shown.OTHER_SIDE, Shown.OTHER_SIDE) not in itertools.pairwise(shown)
            pairs = list(itertools.pairwise(shown))
            turned = pairs.index((Shown.TURNED, Shown.TURNED))
            assert Shown.STRAIGHT in shown[turned + 2 :]
    assert challenge.seen(None, ENDS_S).open is False
