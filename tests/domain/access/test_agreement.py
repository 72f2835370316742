"""Three different frames, one holder, and no other above the threshold."""

from dataclasses import replace

import pytest

from agent.domain.access.agreement import Requirements, agree, agree_claim, conclude
from agent.domain.credential.holder import HolderId
from agent.domain.sight.track import Box, Candidate, ClaimScore, FaceSample, FaceTrack

THRESHOLD = -0.5
NEEDED = Requirements(margin=0.05)
BOX = Box(0, 0, 100, 100)


def sample(at_s, who="anna", score=-0.3, other=-0.7, content=None, pad=None):
    best = Candidate(HolderId(who), score) if who else None
    second = Candidate(HolderId("zoe"), other) if other is not None else None
    return FaceSample(at_s, content or str(at_s).encode(), best, second, pad)


def track(*samples):
    return FaceTrack(1, BOX, 0.0, 1.0, tuple(samples))


def test_three_frames_over_200_ms_agree():
    face = agree(track(sample(0.0), sample(0.1), sample(0.2)), THRESHOLD, NEEDED)
    assert face is not None
    assert (face.holder, face.frames, face.newest_s) == ("anna", 3, 0.2)
    assert face.margin == pytest.approx(0.4)
    assert not face.ambiguous
    assert not face.frozen


@pytest.mark.parametrize(
    "samples",
    [
        [],
        [sample(0.0), sample(0.2)],
        [sample(0.0), sample(0.1), sample(0.19)],
        [sample(0.0), sample(0.2), sample(0.2, content=b"other pixels, same time")],
        [sample(0.0, content=b"x"), sample(0.1, content=b"x"), sample(0.2, content=b"x")],
        [sample(0.0), sample(0.1), sample(0.2, score=-0.51)],
        [sample(0.0), sample(0.1), sample(0.2, score=float("nan"))],
        [sample(0.0), sample(0.1), sample(0.2), sample(0.3, who="ben")],
        [sample(0.0), sample(0.1), sample(0.2, who=None)],
        [sample(0.0), sample(0.1), sample(0.2), sample(0.3, who=None)],
        [sample(t, other=-0.32) for t in (0.0, 0.1, 0.2)],
    ],
)
def test_less_does_not_agree(samples):
    assert agree(track(*samples), THRESHOLD, NEEDED) is None


def test_a_blurred_frame_between_does_not_spoil_it():
    frames = [sample(0.0), sample(0.1, who=None), sample(0.2), sample(0.3, "ben", -0.9)]
    face = agree(track(*frames, sample(0.4)), THRESHOLD, NEEDED)
    assert face is not None
    assert (face.holder, face.frames) == ("anna", 3)


def test_time_up_without_a_candidate_names_nobody():
    face = conclude(track(*[sample(t, score=-0.8) for t in (0.0, 0.1, 0.2)]), THRESHOLD, NEEDED)
    assert (face.holder, face.score, face.ambiguous) == (None, -0.8, False)


def test_one_lucky_frame_names_nobody():
    frames = [sample(0.0, score=-0.8), sample(0.1), sample(0.2, score=-0.8)]
    assert conclude(track(*frames), THRESHOLD, NEEDED).holder is None


def test_two_holders_in_one_track_are_ambiguous():
    face = conclude(track(*[sample(t) for t in (0.0, 0.1)], sample(0.3, "ben")), THRESHOLD, NEEDED)
    assert (face.holder, face.ambiguous) == (None, True)


def test_a_small_margin_is_ambiguous():
    frames = [sample(t, other=-0.32) for t in (0.0, 0.1, 0.2)]
    face = conclude(track(*frames), THRESHOLD, NEEDED)
    assert (face.holder, face.ambiguous) == ("anna", True)


def test_a_frozen_camera_is_said_to_be_one():
    frames = [sample(t, content=b"same") for t in (0.0, 0.1, 0.2, 0.3)]
    face = conclude(track(*frames), THRESHOLD, NEEDED)
    assert (face.frozen, face.frames) == (True, 1)


def test_the_attack_scores_of_the_frames_are_one():
    frames = [sample(0.0, pad=0.9), sample(0.1, pad=0.1), sample(0.2, pad=0.8)]
    face = agree(track(*frames), THRESHOLD, NEEDED)
    assert face is not None
    assert face.pad_score == pytest.approx(0.8)


def test_an_attack_score_that_is_no_number_is_the_lowest():
    frames = [sample(0.0, pad=0.9), sample(0.1, pad=float("nan")), sample(0.2, pad=0.8)]
    face = agree(track(*frames), THRESHOLD, NEEDED)
    assert face is not None
    assert face.pad_score == 0.0


def test_a_margin_that_is_no_number_is_too_small():
    frames = [sample(t, other=float("nan")) for t in (0.0, 0.1, 0.2)]
    assert agree(track(*frames), THRESHOLD, NEEDED) is None
    assert conclude(track(*frames), THRESHOLD, NEEDED).ambiguous


@pytest.mark.parametrize("strangers", [1, 3])
def test_whoever_took_the_place_of_a_holder_is_not_the_holder(strangers):
    frames = [sample(t) for t in (0.0, 0.1, 0.2)]
    frames += [sample(0.3 + i / 10, who="zed", score=-0.8) for i in range(strangers)]
    assert agree(track(*frames), THRESHOLD, NEEDED) is None
    assert conclude(track(*frames), THRESHOLD, NEEDED).holder is None


@pytest.mark.parametrize(("newest", "agrees"), [(-0.3, True), (-0.8, False)])
def test_whoever_took_the_place_of_a_passes_holder_is_not_the_holder(newest, *, agrees):
    scores = [-0.3, -0.3, -0.3, -0.3, newest]
    frames = [
        FaceSample(i / 10, bytes([i]), None, None, claim=ClaimScore(7, score))
        for i, score in enumerate(scores)
    ]
    found = agree_claim(track(*frames), 7, HolderId("anna"), THRESHOLD, NEEDED)
    assert (found is not None) is agrees
    final = agree_claim(track(*frames), 7, HolderId("anna"), THRESHOLD, NEEDED, final=True)
    assert final is not None
    assert (final.holder == "anna") is agrees


def poor(at_s, fused=-0.45, who="anna", score=-0.55):
    """A frame that names nobody by itself, and does with the best frames before it."""
    return replace(sample(at_s, who, score), fused=fused)


@pytest.mark.parametrize(
    "samples",
    [
        [sample(0.0), poor(0.1), sample(0.2)],
        [poor(0.0), poor(0.1), sample(0.2)],
        [sample(0.0), poor(0.1), poor(0.2), sample(0.3, other=-0.36)],
    ],
)
def test_poor_frames_count_by_the_best_ones_together(samples):
    face = agree(track(*samples), THRESHOLD, NEEDED)
    assert face is not None
    assert face.holder == "anna"
    assert face.frames >= 3
    assert face.score == -0.3


@pytest.mark.parametrize(
    "samples",
    [
        [sample(0.0), sample(0.1), poor(0.2)],
        [sample(0.0), sample(0.1), sample(0.15), poor(0.2, score=-0.51)],
        [sample(0.0), poor(0.1, fused=-0.51), sample(0.2)],
        [sample(0.0), poor(0.1, fused=float("nan")), sample(0.2)],
        [sample(0.0), sample(0.1), poor(0.15, who="ben"), sample(0.2)],
        [poor(0.0), poor(0.1), poor(0.2)],
    ],
)
def test_whoever_stands_there_now_is_named_by_the_newest_frame_alone(samples):
    """Nobody who steps into another's place gains by the frames before."""
    assert agree(track(*samples), THRESHOLD, NEEDED) is None


def test_poor_frames_make_no_clear_ones_ambiguous():
    """Their margin is small because they are poor."""
    frames = [replace(sample(t, score=-0.52, other=-0.54), fused=-0.4) for t in (0.0, 0.1, 0.2)]
    clear = [sample(t) for t in (0.3, 0.4, 0.5)]
    face = agree(track(*frames, *clear), THRESHOLD, NEEDED)
    assert face is not None
    assert face.frames == 3
