"""What is flat, what is fixed, and what has depth, over a track's frames."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.sight.cues import UNSEEN, Cues, together
from agent.domain.sight.liveness import FIXED_S, LEAST_POINTS, liveness

FACE_PX = 120.0
FRAMES = 15
TIMES = [i / 15 for i in range(FRAMES)]


def head(chance, depth):
    """Points of a face in its own pixels: a plane, or one whose middle stands out."""
    flat = chance.uniform(-0.45, 0.45, (30, 2)) * FACE_PX
    out = depth * FACE_PX * np.exp(-(flat**2).sum(axis=1) / (0.3 * FACE_PX) ** 2)
    return np.column_stack([flat, out])


def seen(points, turns, moves, noise):
    """The points from far away, turned about the upright axis and moved."""
    found = []
    for turn, move in zip(turns, moves, strict=True):
        x = points[:, 0] * np.cos(turn) + points[:, 2] * np.sin(turn)
        found.append(np.column_stack([x, points[:, 1]]) + move)
    return np.array(found) + noise


def film(seed, depth, turn_deg, move_px, noise_px=0.05):
    chance = np.random.default_rng(seed)
    turns = np.radians(turn_deg) * np.sin(np.linspace(0.0, 6.0, FRAMES))
    moves = move_px * np.column_stack([np.cos(np.linspace(0.0, 5.0, FRAMES)), np.zeros(FRAMES)])
    noise = chance.normal(0.0, noise_px, (FRAMES, 30, 2))
    return seen(head(chance, depth), turns, moves, noise)


@given(st.integers(0, 10**6), st.floats(0.0, 30.0), st.floats(8.0, 60.0))
def test_a_plane_that_moves_is_flat_however_it_is_turned(seed, turn_deg, move_px):
    score = liveness(TIMES, film(seed, 0.0, turn_deg, move_px), FACE_PX)
    assert score is not None
    assert score < 0.5


@given(st.integers(0, 10**6), st.floats(4.0, 25.0), st.floats(0.0, 60.0))
def test_a_head_that_turns_has_depth_whether_it_moves_or_not(seed, turn_deg, move_px):
    score = liveness(TIMES, film(seed, 0.3, turn_deg, move_px), FACE_PX)
    assert score is not None
    assert score > 0.5


@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.3]))
def test_what_does_not_move_at_all_is_fixed(seed, depth):
    points = film(seed, depth, 0.0, 0.0)
    assert liveness(TIMES, points, FACE_PX) == 0.0
    few = sum(at_s < FIXED_S - 0.1 for at_s in TIMES)
    assert liveness(TIMES[:few], points[:few], FACE_PX) is None


@pytest.mark.parametrize("depth", [0.0, 0.3])
def test_who_hardly_moves_cannot_be_told(depth):
    assert liveness(TIMES, film(3, depth, 0.3, 1.5), FACE_PX) is None


@pytest.mark.parametrize(
    ("times", "points", "face_px"),
    [
        (TIMES[:4], film(1, 0.3, 10.0, 20.0)[:4], FACE_PX),
        ([0.0] * FRAMES, film(1, 0.3, 10.0, 20.0), FACE_PX),
        (TIMES, film(1, 0.3, 10.0, 20.0)[:, : LEAST_POINTS - 1], FACE_PX),
        (TIMES, film(1, 0.3, 10.0, 20.0) * np.nan, FACE_PX),
        (TIMES, film(1, 0.3, 10.0, 20.0), float("nan")),
        (TIMES[1:], film(1, 0.3, 10.0, 20.0), FACE_PX),
        (TIMES, np.zeros((FRAMES, 30)), FACE_PX),
    ],
    ids=["few", "short", "points", "no number", "no size", "other times", "no points"],
)
def test_too_little_cannot_be_told(times, points, face_px):
    assert liveness(times, points, face_px) is None


def test_a_tracks_cues_are_its_newest_liveness_and_the_others_on_average():
    found = [Cues(0.9, 0.5, 1.0), Cues(0.2, None, None), Cues(None, 0.5, 1.0)]
    one = together(found)
    assert one.liveness == 0.2
    assert one.infrared == pytest.approx(1.0)
    assert one.screen == pytest.approx(0.5)
    assert together([]) == UNSEEN
    assert together([Cues(float("nan"), float("nan"), None)]) == Cues(0.0, 0.0, None)
