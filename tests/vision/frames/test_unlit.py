"""Somebody in a picture without light is there as long as they stay, and an empty one is empty."""

import numpy as np
import pytest
from scenery import corridor, noisy

from agent.domain.sight.hindrance import Hindrance
from agent.vision.frames.unlit import Unlit


def somebody() -> np.ndarray:
    scene = corridor()
    scene[140:480, 260:420] = 190
    return scene


def told(
    unlit: Unlit, scene: np.ndarray, light: float, seconds: float, begin_s: float, *, seen=False
):
    """What each of two looks a second says of this scene."""
    frames = noisy(np.clip(scene * light, 0, 255), int(seconds * 2), 2.0, seed=int(begin_s))
    return [
        unlit.look(frame, begin_s + number / 2.0, somebody=seen)
        for number, frame in enumerate(frames)
    ]


@pytest.mark.parametrize(("light", "what"), [(0.06, Hindrance.TOO_DARK), (1.0, None)])
def test_whoever_stands_in_the_dark_is_there_until_they_go(light, what):
    unlit = Unlit()
    assert set(told(unlit, corridor(), light, 10, 0)) == {None}
    assert set(told(unlit, somebody(), light, 12, 10)) == {what}
    assert told(unlit, corridor(), light, 10, 22)[3:] == [None] * 17


def test_what_was_put_down_in_the_dark_is_no_person_for_ever():
    unlit = Unlit()
    told(unlit, corridor(), 0.06, 10, 0)
    assert told(unlit, somebody(), 0.06, 60, 10)[70:] == [None] * 50


@pytest.mark.parametrize("light", [0.06, 0.02])
def test_a_lamp_that_goes_out_over_nobody_asks_for_nothing(light):
    unlit = Unlit()
    told(unlit, corridor(), 1.0, 10, 0)
    assert set(told(unlit, corridor(), light, 40, 10)) == {None}


def test_a_lamp_that_goes_out_over_somebody_is_told():
    unlit = Unlit()
    told(unlit, somebody(), 1.0, 10, 0)
    assert told(unlit, somebody(), 0.06, 3, 10, seen=True) == [Hindrance.TOO_DARK] * 6


def test_another_size_or_time_that_runs_backwards_begins_anew():
    unlit = Unlit()
    told(unlit, corridor(), 0.06, 10, 100)
    assert set(told(unlit, somebody(), 0.06, 5, 10)) == {None}
    assert set(told(unlit, corridor(240, 480), 0.06, 5, 20)) == {None}
