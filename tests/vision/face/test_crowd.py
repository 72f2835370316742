"""Several people before one camera: whose turn it is, and for whom nothing opens by accident."""

import pytest

from agent.domain.sight.comparison import Metric
from agent.domain.sight.image import DetectedFace
from agent.domain.sight.track import Box
from agent.vision.face.crowd import Crowd
from agent.vision.face.track import Tracker

FRAME_S = 1.0 / 15.0
NEAR, BEHIND, BESIDE = Box(200, 100, 200, 200), Box(300, 120, 100, 100), Box(450, 100, 190, 190)


class Scene:
    """Boxes by name, frame by frame."""

    def __init__(self):
        self.crowd = Crowd(Tracker(Metric.EUCLIDEAN, -0.57))
        self.at_s = 0.0

    def frame(self, *boxes, claimed=False):
        """Whose turn it is, as one of the boxes; None where it is nobody's of this frame."""
        self.at_s += FRAME_S
        faces = [DetectedFace(box, 1.0) for box in sorted(boxes, key=lambda box: -box.area)]
        people = self.crowd.see(faces, self.at_s)
        for person in people:
            person.shown = True
        order = self.crowd.in_turn(people, claimed=claimed)
        if not order:
            return None
        self.crowd.present(order[0], self.at_s)
        return order[0].box

    def frames(self, seconds, *boxes):
        return {self.frame(*boxes) for _ in range(round(seconds / FRAME_S))}

    @property
    def track(self):
        assert self.crowd.turn is not None
        return self.crowd.turn.tracker.id

    def judge(self):
        self.crowd.settle(self.track)


def test_the_nearer_decides():
    scene = Scene()
    assert scene.frames(1.0, NEAR, BEHIND) == {NEAR}


def test_whoever_comes_nearer_takes_the_turn():
    scene = Scene()
    scene.frames(1.0, BEHIND)
    assert scene.frames(1.0, BEHIND, NEAR) == {NEAR}


def test_a_person_behind_has_no_turn_while_the_one_before_is_missed():
    """They look down, or hide their face: for as long as a track lives."""
    scene = Scene()
    scene.frames(1.0, NEAR, BEHIND)
    assert scene.frames(0.9, BEHIND) == {None}
    assert scene.frames(0.5, BEHIND) == {None, BEHIND}


def test_a_person_behind_has_no_turn_after_the_one_before_was_refused():
    scene = Scene()
    scene.frames(1.0, NEAR, BEHIND)
    scene.judge()
    assert scene.frames(20.0, NEAR, BEHIND) == {NEAR}
    assert scene.crowd.waiting(scene.crowd.see([DetectedFace(BEHIND, 1.0)], scene.at_s))


def test_a_poster_keeps_nobody_waiting_for_ever():
    scene = Scene()
    scene.frames(1.0, NEAR)
    scene.judge()
    assert BEHIND in scene.frames(35.0, NEAR, BEHIND)


def test_a_refused_person_who_stays_and_sways_is_no_poster():
    """However long they stand there, the gate does not open for them by whoever is behind."""
    scene = Scene()
    scene.frames(1.0, NEAR)
    scene.judge()
    swayed = Box(NEAR.x + round(0.15 * NEAR.width), NEAR.y, NEAR.width, NEAR.height)
    for _ in range(15):
        assert BEHIND not in scene.frames(3.0, NEAR, BEHIND)
        assert BEHIND not in scene.frames(3.0, swayed, BEHIND)


def test_a_blink_of_the_detector_changes_no_turn():
    scene = Scene()
    scene.frames(1.0, NEAR, BESIDE)
    first = scene.track
    assert scene.frame(BESIDE) is None
    assert scene.frame(NEAR, BESIDE) == NEAR
    assert scene.track == first


def test_whoever_has_the_turn_again_begins_a_new_presentation():
    scene = Scene()
    scene.frames(0.5, NEAR)
    first = scene.track
    scene.frames(0.5, NEAR, Box(500, 50, 320, 320))
    second = scene.track
    scene.frames(0.5, NEAR)
    scene.frames(1.2, NEAR)
    assert len({first, second, scene.track}) == 3
    assert scene.track > second > first


def test_a_pattern_that_is_no_face_keeps_nobody_waiting():
    scene = Scene()
    pattern, face = DetectedFace(NEAR, 1.0), DetectedFace(BEHIND, 1.0)
    people = scene.crowd.see([pattern, face], 0.1)
    scene.crowd.present(people[1], 0.1)
    people = scene.crowd.see([pattern, face], 0.2)
    assert not scene.crowd.waiting(people)
    assert scene.crowd.in_turn(people, claimed=False)[-1] is people[1]
    people = scene.crowd.see([face], 0.3)
    assert scene.crowd.in_turn(people, claimed=False) == people


@pytest.mark.parametrize("count", [1, 8, 9, 300])
def test_a_picture_full_of_faces_costs_no_more(count):
    crowd = Crowd(Tracker(Metric.EUCLIDEAN, -0.57))
    faces = [DetectedFace(Box(40 * i, 0, 30, 30), 1.0) for i in range(count)]
    for frame in range(3):
        assert len(crowd.see(faces, frame * FRAME_S)) == min(count, 8)
    assert len(crowd.see([], 5.0)) == 0
    assert not crowd.followed


def test_two_who_cross_are_told_apart_by_their_boxes_and_keep_their_ids():
    scene = Scene()
    ids = []
    for step in range(30):
        left = Box(100 + 8 * step, 100, 120, 120)
        right = Box(600 - 2 * step, 260, 118, 118)
        faces = [DetectedFace(left, 1.0), DetectedFace(right, 1.0)]
        ids.append([person.tracker.id for person in scene.crowd.see(faces, step * FRAME_S)])
    assert len({tuple(pair) for pair in ids}) == 1
    assert len(set(ids[0])) == 2
