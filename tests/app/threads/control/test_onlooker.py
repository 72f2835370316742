"""What a technician sees over the control socket: the newest, only while they look, and nobody."""

import base64
import json
import os
import time
from typing import Any

import cv2
import numpy as np
import pytest
from gate_parts import REGISTRY

from agent.app.open.control import user_name
from agent.app.threads.control import onlooker as module
from agent.app.threads.control.onlooker import Onlooker
from agent.app.threads.senses import glimpse as senses
from agent.app.threads.senses.glimpse import Glimpse, Newest
from agent.controller.inputs import Input, InputChanged, TemperatureRead
from agent.domain.credential.holder import HolderId
from agent.domain.door.signal import InputChange
from agent.domain.sight.image import Frame
from agent.domain.sight.track import Box, Candidate, FaceSample, FaceTrack, Observation
from agent.domain.skin.optics import Optics
from agent.domain.skin.reading import TemperatureReading
from agent.errors import RefusedError
from agent.vision.face.quality import Quality
from agent.vision.face.zone import Zone

OWN = user_name(os.geteuid())
OPTICS = Optics(960, 720, 66.0, 5.0)


def frame(number: int = 0, age_s: float = 0.0) -> Frame:
    image = np.full((720, 960, 3), number, np.uint8)
    return Frame(image, time.monotonic() - age_s, number)


def observed(now: Frame) -> Observation:
    best = Candidate(HolderId("lin-yu"), 0.71)
    sample = FaceSample(now.captured_s, b"x", best, None, pad_score=0.9)
    track = FaceTrack(1, Box(400, 200, 160, 200), now.captured_s, now.captured_s, (sample,))
    return Observation("front", now.captured_s, track)


class Kiosk:
    """A camera whose frames this test shows, and who looks at them."""

    def __init__(self) -> None:
        self.passed: list[Input] = []
        self.newest = Newest(self.passed.append)
        self.glimpse = Glimpse(Zone(x=0.1), lambda: Quality(160, 55.5, 30.25))
        self.newest.glimpses["front"] = self.glimpse
        self.handler = Onlooker(self.newest, lambda: REGISTRY, {"front": OPTICS}).commands()["look"]

    def show(self, now: Frame) -> None:
        self.glimpse.show(now, observed(now))

    def look(self, caller: str = OWN, **asked: object) -> Any:
        return self.handler({"command": "look", **asked}, caller)["look"]


@pytest.fixture
def kiosk() -> Kiosk:
    return Kiosk()


def test_a_frame_is_kept_only_while_somebody_looks(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(senses, "LOOKED_S", 0.05)
    kiosk.show(frame(1))
    assert kiosk.look(camera="front")["camera"] is None  # nobody had asked for it
    kiosk.show(frame(2))
    assert kiosk.look(camera="front")["camera"] is not None
    time.sleep(0.1)
    kiosk.show(frame(3))
    assert kiosk.glimpse._newest is None


def test_a_picture_is_small_and_says_what_is_seen_and_not_who(kiosk: Kiosk) -> None:
    kiosk.look(camera="front")
    kiosk.glimpse.outline("north-entry", [Box(1, 2, 3, 4)], [Box(5, 6, 7, 8)])
    kiosk.show(frame(200))
    told = kiosk.look(camera="front")["camera"]
    small = cv2.imdecode(np.frombuffer(base64.b64decode(told["jpeg"]), np.uint8), cv2.IMREAD_COLOR)
    assert small is not None
    assert small.shape == (360, 480, 3)
    assert (told["width"], told["height"]) == (960, 720)
    assert told["zone"]["x"] == 0.1
    assert told["face"] == {
        "box": {"x": 400, "y": 200, "width": 160, "height": 200},
        "size_px": 160,
        "quality": {"face_px": 160.0, "sharpness": 55.5, "contrast": 30.2},
        "score": 0.71,
        "threshold": -0.5,
        "pad_score": 0.9,
    }
    assert told["codes"]["read"] == [{"x": 1, "y": 2, "width": 3, "height": 4}]
    assert told["codes"]["unread"] == [{"x": 5, "y": 6, "width": 7, "height": 8}]
    assert told["thermometer_spot"]["round"] is True
    assert "lin-yu" not in json.dumps(told)


def test_an_old_frame_is_no_picture(kiosk: Kiosk) -> None:
    kiosk.look(camera="front")
    kiosk.show(frame(age_s=5))
    assert kiosk.look(camera="front")["camera"] is None


def test_it_draws_a_few_a_second_whoever_asks_how_often(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    small = module._small

    def counted(image: Any) -> bytes:
        drawn.append(image)
        return small(image)

    monkeypatch.setattr(module, "_small", counted)
    monkeypatch.setattr(module, "_EVERY_S", 3600.0)
    kiosk.look(camera="front")
    for number in range(20):
        kiosk.show(frame(number))
        assert kiosk.look(camera="front")["camera"] is not None
    assert len(drawn) == 1


@pytest.mark.parametrize("camera", ["back", 5, ["front"], {}])
def test_there_is_no_other_camera(kiosk: Kiosk, camera: object) -> None:
    with pytest.raises(ValueError, match="front"):
        kiosk.look(camera=camera)


def test_whoever_may_open_a_door_need_not_see_who_stands_there(kiosk: Kiosk) -> None:
    other = "uid:65534 nobody"
    assert kiosk.look(other)["cameras"] == ["front"]
    with pytest.raises(RefusedError, match="agent's own user"):
        kiosk.look(other, camera="front")
    kiosk.show(frame())
    assert not kiosk.glimpse.looked_at
    assert kiosk.look(user_name(0), camera="front")["camera"] is None


def test_figures_are_for_whoever_may_ask_and_show_nobody(kiosk: Kiosk) -> None:
    other = "uid:65534 nobody"
    assert kiosk.look(other, camera="front", figures=True)["figures"] is None
    kiosk.show(frame(90))
    told = kiosk.look(other, camera="front", figures=True)
    assert "camera" not in told
    found = told["figures"]
    assert (found["frame"], found["width"], found["height"]) == (90, 960, 720)
    assert (found["brightness"], found["contours"], found["blue"]) == (90.0, 0.0, 1.0)
    assert all(one is None or isinstance(one, int | float) for one in found.values())
    kiosk.show(frame(90, age_s=5))
    assert kiosk.look(other, camera="front", figures=True)["figures"] is None


def test_thermometer_and_inputs_are_noted_as_they_pass(kiosk: Kiosk) -> None:
    assert kiosk.look()["thermometer"] is None
    now_s = time.monotonic()
    told: list[Input] = [
        TemperatureRead(TemperatureReading(now_s, 36.456, 22.0)),
        InputChanged(InputChange("button", active=True, at_s=now_s)),
    ]
    for one in told:
        kiosk.newest.post(one)
    assert kiosk.passed == told
    found = kiosk.look()
    assert found["thermometer"]["temperature_c"] == 36.46
    assert found["inputs"] == {"button": True}
