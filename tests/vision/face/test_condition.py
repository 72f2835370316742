"""What a face suffers from, by its figures: each limit, and the order in which they are told."""

import numpy as np
import pytest

from agent.domain.sight.hindrance import Hindrance
from agent.domain.sight.image import FivePoints
from agent.vision.face.condition import Condition, condition
from agent.vision.face.quality import GATE, Quality

WELL = Quality(120, 80.0, 40.0)
FRONTAL = np.array([[40, 50], [80, 50], [60, 74], [45, 95], [75, 95]], np.float32)
DLIB = np.array([[85, 50], [72, 50], [35, 50], [48, 50], [60, 75]], np.float32)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Condition(WELL, 120.0), None),
        (Condition(WELL, 120.0, 0.5, 0.6, 0.9), None),
        (Condition(WELL, 120.0, 0.9, 0.6, 0.9), Hindrance.TURNED),
        (Condition(WELL, 120.0, 0.1, 0.9, 0.9), Hindrance.TURNED),
        (Condition(WELL, 120.0, 0.1, 0.2, 0.9), Hindrance.TURNED),
        (Condition(WELL, 120.0, 0.9, 0.6, 0.1), Hindrance.COVERED),
        (Condition(WELL, 20.0), Hindrance.TOO_DARK),
        (Condition(WELL, 245.0), Hindrance.TOO_BRIGHT),
        (Condition(Quality(20, 80.0, 40.0), 120.0), Hindrance.TOO_FAR),
        (Condition(Quality(120, 80.0, 5.0), 60.0), Hindrance.TOO_DARK),
        (Condition(Quality(120, 80.0, 5.0), 200.0), Hindrance.TOO_BRIGHT),
        (Condition(Quality(120, 80.0, 5.0), 120.0), Hindrance.BLURRED),
        (Condition(Quality(120, 2.0, 40.0), 120.0), Hindrance.BLURRED),
        (Condition(Quality(120, 2.0, 40.0), 30.0), Hindrance.TOO_DARK),
    ],
)
def test_the_worst_is_told(seen, expected):
    assert seen.hindrance(GATE) is expected


def figures(landmarks, image=None, points=FivePoints.DETECTOR):
    grey = np.full((140, 140, 3), 120, np.uint8) if image is None else image
    return condition(grey, landmarks, points, grey, WELL)


def test_a_frontal_face_looks_ahead_by_either_kind_of_landmarks():
    detectors, dlibs = figures(FRONTAL), figures(DLIB, points=FivePoints.DLIB)
    for seen in (detectors, dlibs):
        assert seen.turn == pytest.approx(0.0, abs=0.05)
    assert detectors.drop == pytest.approx(0.6)
    assert dlibs.drop is None


@pytest.mark.parametrize("degrees", [-170, -60, 30, 90, 180])
def test_a_head_that_leans_is_not_turned(degrees):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    seen = figures((FRONTAL @ turn.T + 200).astype(np.float32))
    assert seen.turn == pytest.approx(0.0, abs=1e-3)
    assert seen.drop == pytest.approx(0.6, abs=1e-3)


def test_a_nose_below_an_eye_is_turned():
    aside = FRONTAL.copy()
    aside[2, 0] = 80
    assert figures(aside).turn == pytest.approx(1.0)


@pytest.mark.parametrize("points", FivePoints)
@pytest.mark.parametrize(
    "landmarks",
    [
        None,
        np.zeros((68, 2), np.float32),
        np.zeros((5, 2), np.float32),
        np.full((5, 2), np.nan, np.float32),
    ],
)
def test_landmarks_that_tell_nothing_are_no_hindrance(landmarks, points):
    seen = figures(landmarks, points=points)
    assert (seen.turn, seen.mouth) == (None, None)
    assert seen.hindrance(GATE) is None


def test_a_mouth_without_edges_under_eyes_with_some_is_covered():
    face = np.full((140, 140, 3), 150, np.uint8)
    for x in (40, 80):
        face[46:54:2, x - 8 : x + 8] = 30
    assert figures(FRONTAL, face).hindrance(GATE) is Hindrance.COVERED
    face[94:97, 46:75] = 60
    assert figures(FRONTAL, face).hindrance(GATE) is None


@pytest.mark.parametrize(
    "worse",
    [
        Condition(Quality(60, 80.0, 40.0), 120.0, 0.1, 0.6, 0.9),
        Condition(Quality(120, 20.0, 40.0), 120.0, 0.1, 0.6, 0.9),
        Condition(WELL, 40.0, 0.1, 0.6, 0.9),
        Condition(WELL, 230.0, 0.1, 0.6, 0.9),
        Condition(WELL, 120.0, 0.7, 0.6, 0.9),
        Condition(WELL, 120.0, 0.1, 0.6, 0.1),
    ],
)
def test_a_worse_frame_is_less_good(worse):
    good = Condition(WELL, 120.0, 0.1, 0.6, 0.9).goodness
    assert 0.0 < worse.goodness < good <= 1.0
