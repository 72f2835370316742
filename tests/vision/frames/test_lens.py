"""What lies on a lens, or a camera that hangs: told after a while, and never of a quiet street."""

import cv2
import numpy as np
import pytest
from scenery import corridor

from agent.vision.frames.lens import LensTrouble, LensWatch

EVERY_S = 0.5
SCENE = corridor(120, 160)


class Camera:
    """Two frames a second of what is shown."""

    def __init__(self):
        self.watch = LensWatch()
        self.at_s = 100.0
        self.random = np.random.default_rng(3)
        self.noise = self.random.normal(0, 2, (140, 180, 3)).astype(np.float32)

    def show(self, scene, seconds, *, change=lambda scene, _second: scene):
        told = []
        for step in range(round(seconds / EVERY_S)):
            y, x = (int(v) for v in self.random.integers(0, 20, 2))
            height, width = scene.shape[:2]
            noise = self.noise[y : y + height, x : x + width]
            seen = change(scene, step * EVERY_S) + noise
            self.at_s += EVERY_S
            told.append(self.watch.look(np.clip(seen, 0, 255).astype(np.uint8), self.at_s))
        return told


def with_fly(scene, radius=16):
    """A dark thing far out of focus: its rim is as wide as itself."""
    height, width = scene.shape[:2]
    shade = np.zeros((height, width), np.float32)
    cv2.circle(shade, (85, 65), radius, 1.0, -1)
    shade = cv2.GaussianBlur(shade, (0, 0), 6)[:, :, None]
    return (scene * (1 - shade) + 30 * shade).astype(np.float32)


def test_a_quiet_street_is_no_trouble_for_five_minutes():
    assert set(Camera().show(SCENE, 300)) == {None}


def test_clouds_and_dusk_are_none_either():
    def dusk(scene, second):
        return scene * max(1.0 - second / 300, 0.0)

    told = Camera().show(SCENE, 300, change=dusk)
    assert set(told) <= {None, LensTrouble.NOTHING}
    assert set(told[:500]) == {None}
    assert told[-1] is LensTrouble.NOTHING


def test_a_fly_on_the_lens_is_told_and_gone_when_it_is():
    camera = Camera()
    assert set(camera.show(SCENE, 60)) == {None}
    told = camera.show(with_fly(SCENE), 60)
    assert told[-1] is LensTrouble.SOILED
    assert set(told[:59]) == {None}
    assert camera.show(SCENE, 5)[-1] is None


def test_breath_or_grease_on_the_whole_lens_is_told():
    camera = Camera()
    camera.show(SCENE, 60)
    greased = cv2.GaussianBlur(SCENE, (0, 0), 6)
    assert camera.show(greased, 60)[-1] in {LensTrouble.SOILED, LensTrouble.NOTHING}


def test_a_van_that_parks_is_no_dirt():
    """It has a sharp rim."""
    van = SCENE.astype(np.float32).copy()
    cv2.rectangle(van, (20, 40), (90, 100), (35, 35, 35), -1)
    camera = Camera()
    camera.show(SCENE, 60)
    assert LensTrouble.SOILED not in camera.show(cv2.GaussianBlur(van, (3, 3), 0), 90)


def test_somebody_who_stands_there_is_no_dirt():
    """For two minutes, in a plain coat, swaying as people do."""

    def person(scene, second):
        seen = scene.astype(np.float32).copy()
        sway = round(3 * np.sin(second * 1.7))
        cv2.ellipse(seen, (80 + sway, 85), (25, 45), 0, 0, 360, (60, 60, 60), -1)
        return seen + 8 * np.sin(second)

    camera = Camera()
    camera.show(SCENE, 60)
    assert LensTrouble.SOILED not in camera.show(SCENE, 120, change=person)


@pytest.mark.parametrize("grey", [0.0, 90.0, 255.0])
def test_a_covered_lens_shows_nothing(grey):
    camera = Camera()
    camera.show(SCENE, 10)
    told = camera.show(np.full(SCENE.shape, grey, np.float32), 15)
    assert told[-1] is LensTrouble.NOTHING
    assert set(told[:19]) == {None}
    assert camera.show(SCENE, 1)[-1] is None


def test_one_frame_for_ever_is_frozen_and_the_next_one_is_not():
    watch = LensWatch()
    told = [watch.look(SCENE, i / 15) for i in range(90)]
    assert told[-1] is LensTrouble.FROZEN
    assert set(told[:70]) == {None}
    other = SCENE.copy()
    other[100, 100] += 1
    assert watch.look(other, 7.0) is None


@pytest.mark.parametrize("shape", [(480, 640), (640, 480), (16, 16), (17, 401)])
def test_another_size_begins_anew(shape):
    camera = Camera()
    camera.show(SCENE, 40)
    image = np.asarray(cv2.resize(corridor(), shape[::-1]), dtype=np.uint8)
    for step in range(30):
        image[step % 16, 0] += 1
        assert camera.watch.look(image, camera.at_s + 1 + step) is not LensTrouble.SOILED


def test_time_that_runs_backwards_begins_anew():
    watch = LensWatch()
    for i in range(60):
        watch.look(SCENE, i / 2)
    assert watch.look(SCENE, 5.0) is None
    assert watch.look(SCENE, float("nan")) is None
