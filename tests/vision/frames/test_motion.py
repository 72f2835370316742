"""Which frames deserve a look: noise and slow light do not, whoever comes does."""

import cv2
import numpy as np
import pytest
from scenery import corridor, noisy

from agent.vision.frames.motion import AT_LATEST_S, MotionGate

FRAME_S = 1.0 / 15.0


def wanted(gate, images, start=0, *, followed=False):
    return [
        gate.wants(image, (start + i) * FRAME_S, followed=followed)
        for i, image in enumerate(images)
    ]


@pytest.mark.parametrize("sigma", [0.0, 3.0, 8.0])
@pytest.mark.parametrize("drift", [0.0, 0.3, -0.3])
def test_an_empty_scene_is_looked_at_twice_a_second(sigma, drift):
    looks = wanted(MotionGate(), noisy(corridor(), 45, sigma, drift=drift))
    assert 5 <= sum(looks) <= 7
    gaps = np.diff(np.flatnonzero(looks)) * FRAME_S
    assert gaps.max() <= AT_LATEST_S


def test_a_lamp_that_goes_on_is_one_look_and_not_many():
    lit = np.clip(corridor().astype(int) + 40, 0, 255).astype(np.uint8)
    gate = MotionGate()
    looks = wanted(gate, [*noisy(corridor(), 15), *noisy(lit, 30)])
    assert sum(looks) <= 8


@pytest.mark.parametrize("grey", [60, 200])
@pytest.mark.parametrize("sigma", [2.0, 6.0])
def test_a_head_that_comes_into_the_picture_is_looked_at_at_once(grey, sigma):
    """Also one of no more than forty pixels, in frames as noisy as at dusk."""
    gate = MotionGate()
    wanted(gate, noisy(corridor(), 10, sigma))
    scene = corridor()
    cv2.ellipse(scene, (330, 200), (20, 28), 0, 0, 360, (grey, grey, grey), -1)
    (frame,) = noisy(scene, 1, sigma, seed=9)
    assert gate.wants(frame, 10 * FRAME_S, followed=False)
    assert gate.moved_s == 10 * FRAME_S


def test_whoever_is_followed_is_looked_at_in_every_frame():
    assert all(wanted(MotionGate(), noisy(corridor(), 10), followed=True))


@pytest.mark.parametrize(
    "shape", [(480, 640), (481, 641), (640, 480), (17, 16), (16, 4000), (1080, 1920)]
)
def test_a_picture_of_another_size_is_looked_at(shape):
    gate = MotionGate()
    wanted(gate, noisy(corridor(), 3))
    other = np.asarray(cv2.resize(corridor(), shape[::-1]), dtype=np.uint8)[:, ::-1]
    assert gate.wants(other, 3 * FRAME_S, followed=False)
    assert not gate.wants(other, 4 * FRAME_S, followed=False)


@pytest.mark.parametrize("later_s", [-5.0, float("nan")])
def test_time_that_runs_backwards_hides_nobody(later_s):
    gate = MotionGate()
    wanted(gate, [corridor()])
    assert gate.wants(corridor(), later_s, followed=False)
