"""A head's pose from five points of a head turned in space."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.sight.image import FivePoints
from agent.vision.face.pose import pose_of

# x to the image's right, y down, z towards the camera; the eyes' distance is 1.
HEADS = {
    FivePoints.DETECTOR: [
        (-0.5, 0, 0), (0.5, 0, 0), (0, 0.571, 0.45), (-0.415, 1.156, 0), (0.415, 1.156, 0)
    ],
    FivePoints.DLIB: [
        (0.5, 0, 0), (0.211, 0, 0), (-0.5, 0, 0), (-0.211, 0, 0), (0, 0.549, 0.28)
    ],
}  # fmt: skip


def seen(points: FivePoints, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0):
    """The points of a head so turned (degrees), 100 pixels between the eyes."""
    a, b, c = (math.radians(angle) for angle in (yaw, pitch, roll))
    turn = np.array([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
    nod = np.array([[1, 0, 0], [0, math.cos(b), math.sin(b)], [0, -math.sin(b), math.cos(b)]])
    lean = np.array([[math.cos(c), -math.sin(c)], [math.sin(c), math.cos(c)]])
    flat = (np.array(HEADS[points]) @ nod.T @ turn.T)[:, :2]
    return (flat @ lean.T * 100.0 + 300.0).astype(np.float32)


@pytest.mark.parametrize("points", FivePoints)
@pytest.mark.parametrize("angle", [-40, -20, 0, 15, 35])
def test_a_turned_head_is_seen_as_turned(points: FivePoints, angle: int) -> None:
    found = pose_of(seen(points, yaw=angle), points)
    assert found is not None
    assert found.yaw_deg == pytest.approx(angle, abs=1.0)
    assert abs(found.pitch_deg) < 12.0


@pytest.mark.parametrize("points", FivePoints)
@pytest.mark.parametrize("angle", [-20, 0, 20])
def test_a_nod_and_a_lean_are_told_apart_from_a_turn(points: FivePoints, angle: int) -> None:
    found = pose_of(seen(points, pitch=angle), points)
    assert found is not None
    assert found.pitch_deg == pytest.approx(angle, abs=8.0)
    leaning = pose_of(seen(points, yaw=15, roll=angle), points)
    assert leaning is not None
    assert leaning.yaw_deg == pytest.approx(15, abs=1.0)
    assert leaning.roll_deg == pytest.approx(angle, abs=1.0)


@given(
    st.lists(st.floats(-1e4, 1e4, width=32), min_size=10, max_size=10), st.sampled_from(FivePoints)
)
def test_whatever_the_points_there_is_an_answer(values: list[float], points: FivePoints) -> None:
    found = pose_of(np.array(values, dtype=np.float32).reshape(5, 2), points)
    assert found is None or all(
        math.isfinite(v) for v in (found.yaw_deg, found.pitch_deg, found.roll_deg)
    )
