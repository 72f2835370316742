"""Whose face a camera's frames are about, where several people stand before it."""

import numpy as np
import pytest

from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.image import DetectedFace, Frame
from agent.domain.sight.track import Box
from agent.vision.face.quality import AcquisitionLimits
from agent.vision.face.track import Tracker
from agent.vision.face.watch import ClaimedFace, Watcher
from agent.vision.face.zone import Zone
from agent.vision.packs.manifest import read_manifest

STRANGER, RESIDENT = 0, 1
LEFT, RIGHT = (100, 200), (700, 200)
FRAME_S = 0.1


def template(person):
    one = np.zeros(8, dtype=np.float32)
    one[person] = 1.0
    return one


class Crowd:
    """An engine that sees who stands where, and a watcher that looks at them."""

    manifest = read_manifest("retail")

    def __init__(self):
        self.people: dict[int, Box] = {}
        self.points = np.zeros((68, 2), np.float32)
        self.frame = 0
        self.looked_at: list[int] = []
        self.index = ReferenceIndex(
            [HolderId("lin")], np.array([template(RESIDENT)]), Metric.EUCLIDEAN
        )
        self.watcher = Watcher(
            self, "front", Zone(), Tracker(Metric.EUCLIDEAN, -0.57), AcquisitionLimits(0, 0.0, 0.0)
        )

    def step_in(self, who, at, width=200):
        self.people[who] = Box(at[0], at[1], width, width)

    def detect(self, image, smallest_face_px=None):
        seen = [box for box in self.people.values() if box.width >= (smallest_face_px or 0)]
        found = [DetectedFace(box, 1.0, self.points) for box in seen]
        return sorted(found, key=lambda face: -face.box.area)

    def locate(self, image, face):
        return face

    def crop(self, image, face):
        (self._who,) = [who for who, box in self.people.items() if box == face.box]
        return np.zeros((60, 60, 3), np.uint8)

    def embed_crop(self, aligned):
        self.looked_at.append(self._who)
        return template(self._who)

    def templates(self, aligned):
        raise NotImplementedError

    def embed(self, image, face):
        raise NotImplementedError

    def see(self, seconds):
        for _ in range(round(seconds / FRAME_S)):
            self.frame += 1
            image = np.full((720, 1280, 3), self.frame % 250, np.uint8)
            at_s = self.frame * FRAME_S
            self.last = self.watcher.observe(Frame(image, at_s, self.frame), self.index)
        return self.last.track

    def agreed(self):
        """Whether the resident could be agreed on by what the newest frame's track holds."""
        track = self.last.track
        scores = [one.best.score for one in track.samples if one.best] if track is not None else []
        return len(scores) >= 3 and min(scores) > -0.1


@pytest.mark.parametrize(("nose_px", "yaw_deg"), [(0, 0.0), (8, 23.96), (-8, -23.96)])
def test_a_sample_says_how_far_the_head_is_turned(nose_px, yaw_deg):
    crowd = Crowd()
    crowd.step_in(RESIDENT, LEFT)
    assert crowd.see(0.3).samples[-1].yaw_deg is None  # where the points are none of a face
    eyes = [[180.0, 270.0], [220.0, 270.0]]
    mouth = [[185.0, 316.0], [215.0, 316.0]]
    crowd.points = np.array([*eyes, [200.0 + nose_px, 293.0], *mouth], np.float32)
    assert crowd.see(0.5).samples[-1].yaw_deg == pytest.approx(yaw_deg, abs=0.1)


@pytest.mark.parametrize(
    ("width", "farther"), [(150, 200), (200, 200), (250, 200), (400, 200), (200, 110), (250, 82)]
)
def test_a_stranger_who_was_judged_and_stays_keeps_nobody_out(width, farther):
    """Or a face on a poster: of like size, or larger than whoever comes, as far off as may be."""
    crowd = Crowd()
    crowd.step_in(STRANGER, LEFT, width)
    crowd.watcher.settle(crowd.see(2.0).id)
    crowd.step_in(RESIDENT, RIGHT, farther)
    crowd.see(1.0)
    assert crowd.agreed()


def test_two_people_do_not_take_turns():
    crowd = Crowd()
    crowd.step_in(STRANGER, LEFT)
    first = crowd.see(1.0)
    crowd.step_in(RESIDENT, RIGHT)
    assert crowd.see(2.0).id == first.id
    assert RESIDENT not in crowd.looked_at


def test_whoever_was_judged_is_not_judged_again_while_both_stay():
    crowd = Crowd()
    crowd.step_in(STRANGER, LEFT, 300)
    crowd.watcher.settle(crowd.see(1.0).id)
    crowd.step_in(RESIDENT, RIGHT)
    second = crowd.see(1.0)
    crowd.watcher.settle(second.id)
    assert crowd.see(10.0).id == second.id


def test_another_who_takes_the_place_of_one_who_was_judged_is_looked_at():
    crowd = Crowd()
    crowd.step_in(STRANGER, LEFT)
    crowd.watcher.settle(crowd.see(1.0).id)
    del crowd.people[STRANGER]
    crowd.step_in(RESIDENT, LEFT)
    crowd.see(2.0)
    assert crowd.agreed()


def test_a_credential_waits_for_the_face_that_was_there():
    """Judged by the face alone, they hold up their pass: nobody beside them is compared with it."""
    crowd = Crowd()
    crowd.step_in(RESIDENT, LEFT)
    first = crowd.see(1.0)
    crowd.watcher.settle(first.id)
    crowd.watcher.compare(ClaimedFace(7, HolderId("lin")))
    crowd.step_in(STRANGER, RIGHT)
    assert crowd.see(2.0).id == first.id
