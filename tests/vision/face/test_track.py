"""One face followed: a presentation is one person's, however the boxes and templates come."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Metric
from agent.domain.sight.track import Box, Candidate, FaceSample, FaceTrack
from agent.vision.face.track import Tracker

HERE, BESIDE, ELSEWHERE = Box(100, 100, 80, 80), Box(110, 104, 84, 84), Box(300, 100, 80, 80)
GAP_S = 1.0


def template(person: int) -> np.ndarray:
    """Two people's lie 1.4 apart; the tests call 0.57 another person."""
    one = np.zeros(8, dtype=np.float32)
    one[person] = 1.0
    return one


def sample(captured_s: float, person: int = 0) -> FaceSample:
    return FaceSample(captured_s, bytes([person]), Candidate(HolderId(f"p{person}"), -0.3), None)


def tracker() -> Tracker:
    return Tracker(Metric.EUCLIDEAN, -0.57, GAP_S)


def shown(follower: Tracker, box: Box, captured_s: float, person: int) -> FaceTrack:
    """A face is seen and compared."""
    follower.follow(box, captured_s)
    track = follower.add(sample(captured_s, person), template(person))
    assert track is not None
    return track


def test_nobody_is_no_track() -> None:
    assert tracker().follow(None, 0.0) is None


def test_a_face_that_overlaps_is_the_same_presentation() -> None:
    follower = tracker()
    first = shown(follower, HERE, 0.0, 0)
    second = shown(follower, BESIDE, 0.1, 0)
    assert first.id == second.id
    assert second.box == BESIDE
    assert (second.first_seen_s, second.last_seen_s) == (0.0, 0.1)
    assert [s.captured_s for s in second.samples] == [0.0, 0.1]


@pytest.mark.parametrize(("gap_s", "same"), [(0.9, True), (1.1, False)])
def test_a_face_may_be_lost_for_a_moment(gap_s: float, *, same: bool) -> None:
    follower = tracker()
    first = shown(follower, HERE, 0.0, 0)
    follower.follow(None, gap_s / 2)
    again = shown(follower, HERE, gap_s, 0)
    assert (again.id == first.id) is same
    assert len(again.samples) == (2 if same else 1)


def test_after_the_gap_there_is_no_track() -> None:
    follower = tracker()
    shown(follower, HERE, 0.0, 0)
    assert follower.follow(None, 0.5) is not None
    assert follower.follow(None, 1.5) is None


def test_a_face_elsewhere_is_a_new_presentation() -> None:
    follower = tracker()
    first = shown(follower, HERE, 0.0, 0)
    second = shown(follower, ELSEWHERE, 0.1, 0)
    assert second.id != first.id
    assert len(second.samples) == 1


def test_whoever_steps_into_anothers_place_is_a_new_presentation() -> None:
    follower = tracker()
    for i in range(4):
        first = shown(follower, HERE, i / 10, 0)
    doubted = shown(follower, HERE, 0.4, 1)
    assert doubted.id == first.id
    assert follower.in_doubt
    assert doubted.samples == ()
    second = shown(follower, HERE, 0.5, 1)
    assert second.id != first.id
    assert [s.content for s in second.samples] == [b"\x01"]
    assert not follower.in_doubt


def test_one_odd_template_changes_nothing_and_is_left_out() -> None:
    follower = tracker()
    first = shown(follower, HERE, 0.0, 0)
    shown(follower, HERE, 0.1, 1)
    after = shown(follower, HERE, 0.2, 0)
    assert after.id == first.id
    assert [s.content for s in after.samples] == [b"\x00", b"\x00"]


@pytest.mark.parametrize("captured_s", [99.9, 0.0, float("nan")])
def test_time_that_runs_backwards_is_another_presentation(captured_s: float) -> None:
    follower = tracker()
    first = shown(follower, HERE, 100.0, 0)
    second = shown(follower, HERE, captured_s, 0)
    assert second.id != first.id
    assert len(second.samples) == 1


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("component", [float("nan"), float("inf")])
def test_a_template_that_is_none_is_left_out(component: float, *, first: bool) -> None:
    """And does not become the person with whom all others are compared."""
    follower = tracker()
    if not first:
        shown(follower, HERE, 0.0, 0)
    follower.follow(HERE, 0.1)
    broken = np.full(8, component, dtype=np.float32)
    track = follower.add(sample(0.1), broken)
    assert track is not None
    assert len(track.samples) == (0 if first else 1)
    one = shown(follower, HERE, 0.2, 0)
    shown(follower, HERE, 0.3, 1)
    assert shown(follower, HERE, 0.4, 1).id != one.id


def test_samples_are_forgotten_and_the_person_is_not() -> None:
    follower = tracker()
    first = shown(follower, HERE, 0.0, 0)
    follower.forget_samples()
    assert follower.track is not None
    assert follower.track.samples == ()
    shown(follower, HERE, 0.1, 1)
    assert shown(follower, HERE, 0.2, 1).id != first.id


class Presentations(RuleBasedStateMachine):
    """Whatever happens: samples of one track are one person's, new ids rise, times do not fall."""

    def __init__(self) -> None:
        super().__init__()
        self.follower = tracker()
        self.now_s = 0.0
        self.owner: dict[int, bytes] = {}
        self.newest = 0

    @rule(
        person=st.integers(0, 2),
        box=st.sampled_from([HERE, BESIDE, ELSEWHERE]),
        pause_s=st.floats(0.01, 1.5),
    )
    def face(self, person: int, box: Box, pause_s: float) -> None:
        self.now_s += pause_s
        shown(self.follower, box, self.now_s, person)

    @rule(box=st.sampled_from([HERE, ELSEWHERE]), pause_s=st.floats(0.01, 1.5))
    def face_that_is_not_compared(self, box: Box, pause_s: float) -> None:
        self.now_s += pause_s
        self.follower.follow(box, self.now_s)

    @rule(pause_s=st.floats(0.01, 1.5))
    def nobody(self, pause_s: float) -> None:
        self.now_s += pause_s
        self.follower.follow(None, self.now_s)

    @rule()
    def gallery_changes(self) -> None:
        self.follower.forget_samples()

    @invariant()
    def one_person_a_track(self) -> None:
        track = self.follower.track
        if track is None:
            return
        assert track.id >= self.newest
        self.newest = track.id
        contents = {s.content for s in track.samples}
        assert len(contents) <= 1
        for content in contents:
            assert self.owner.setdefault(track.id, content) == content
        times = [s.captured_s for s in track.samples]
        assert times == sorted(set(times))
        assert len(times) <= 12
        assert track.first_seen_s <= track.last_seen_s <= self.now_s
        assert all(track.first_seen_s <= at for at in times)


Presentations.TestCase.settings = settings(deadline=None)
TestPresentations = Presentations.TestCase
