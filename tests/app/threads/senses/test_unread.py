"""Codes that are held up and cannot be read: not at once, not for ever, and not small ones."""

from agent.app.threads.senses.unread import LASTS_S, WITHIN_S, Unread
from agent.domain.sight.track import Box

HERE, NEAR, FAR = Box(100, 100, 120, 120), Box(130, 90, 120, 120), Box(400, 300, 120, 120)
SMALL = Box(100, 100, 30, 30)


def test_one_sight_of_it_is_none() -> None:
    assert not Unread().look([HERE], 0.0)


def test_a_hand_that_shakes_is_told_and_for_a_while_after() -> None:
    unread = Unread()
    unread.look([HERE], 0.0)
    assert unread.look([NEAR], 1.0)
    assert unread.look([], 1.0 + LASTS_S)
    assert not unread.look([], 1.1 + LASTS_S)


def test_two_places_and_two_times_far_apart_are_not_the_same() -> None:
    unread = Unread()
    unread.look([HERE], 0.0)
    assert not unread.look([FAR], 0.5)
    assert not Unread().look([HERE, NEAR], 0.0), "one frame is one sight"
    again = Unread()
    again.look([HERE], 0.0)
    assert not again.look([HERE], WITHIN_S + 0.1)


def test_what_is_small_is_nobody_s() -> None:
    unread = Unread()
    unread.look([SMALL], 0.0)
    assert not unread.look([SMALL], 1.0)


def test_once_it_is_read_nothing_more_is_said() -> None:
    unread = Unread()
    unread.look([HERE], 0.0)
    assert unread.look([HERE], 0.5)
    unread.read()
    assert not unread.look([HERE], 0.6)
