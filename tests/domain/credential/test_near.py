"""The name that was meant by one that is not known."""

import pytest

from agent.domain.credential.near import did_you_mean, nearest

KNOWN = ("north-entry", "north-exit", "Office")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("north-entri", "north-entry"),
        ("NORTH-EXIT", "north-exit"),
        ("ofice", "Office"),
        ("garage", None),
        ("", None),
    ],
)
def test_the_most_alike_is_meant_whatever_its_letters_size(word: str, meant: str | None) -> None:
    assert nearest(word, KNOWN) == meant


def test_the_hint_says_the_known_name_and_not_what_was_typed() -> None:
    assert did_you_mean("north-entri", KNOWN) == "; did you mean 'north-entry'?"
    assert did_you_mean("garage", KNOWN) == did_you_mean("garage", ()) == ""
