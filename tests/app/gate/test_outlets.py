"""Every told effect has one taker among the organs."""

from typing import get_args

import pytest

from agent.app.gate.executor import Outlets, Told
from agent.app.threads.organ import Organ
from agent.controller.effects import SetStatus
from agent.errors import InternalError


class Taker(Organ):
    """Takes what it is told to."""

    def __init__(self, *kinds: type) -> None:
        self._kinds = kinds

    def outlets(self):
        return dict.fromkeys(self._kinds, lambda _effect: None)


def test_each_effect_is_taken_by_its_organ():
    first, *others = get_args(Told)
    found = Outlets.of(lambda _: None, [Taker(first), Organ(), Taker(*others)])
    assert set(found.takers) == set(get_args(Told))


def test_an_effect_that_nobody_takes_is_named():
    without = [kind for kind in get_args(Told) if kind is not SetStatus]
    with pytest.raises(InternalError, match="no organ takes SetStatus"):
        Outlets.of(lambda _: None, [Taker(*without)])


def test_an_effect_that_two_take_is_named():
    with pytest.raises(InternalError, match="two organs take SetStatus"):
        Outlets.of(lambda _: None, [Taker(*get_args(Told)), Taker(SetStatus)])
