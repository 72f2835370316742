"""The one thing to tell of a frame: the table, whole."""

from itertools import product

import pytest

from agent.domain.sight.hindrance import Hindrance
from agent.domain.sight.sighting import Sighting

OWN = [None, *Hindrance]
PARTLY = [None, Hindrance.COVERED, Hindrance.TURNED]
UNLIT = [None, Hindrance.TOO_DARK, Hindrance.TOO_BRIGHT]
YES_NO = [False, True]


@pytest.mark.parametrize("several", YES_NO)
@pytest.mark.parametrize("own", OWN)
def test_whoever_is_near_is_told_of_their_own_face_first(own, several):
    """Whatever else there is."""
    expected = own if own is not None else (Hindrance.SEVERAL if several else None)
    for far, partly, unlit in product(YES_NO, PARTLY, UNLIT):
        assert Sighting(True, own, several, far, partly, unlit).hindrance is expected


@pytest.mark.parametrize("unlit", UNLIT)
@pytest.mark.parametrize("partly", PARTLY)
def test_where_nobody_is_near_who_is_far_comes_first(partly, unlit):
    for own, several in product(OWN, YES_NO):
        assert Sighting(False, own, several, True, partly, unlit).hindrance is Hindrance.TOO_FAR
        expected = partly if partly is not None else unlit
        assert Sighting(False, own, several, False, partly, unlit).hindrance is expected


def test_an_empty_scene_asks_for_nothing():
    assert Sighting().hindrance is None
