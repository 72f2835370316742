"""The name that was meant by one that is not known; who types it may be a person at a door."""

from collections.abc import Iterable
from difflib import get_close_matches

_LIKENESS = 0.6


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that is most like ``word``, None where none is.

    Small and capital letters are alike.
    """
    by_small = {one.lower(): one for one in known}
    near = get_close_matches(word.lower(), list(by_small), n=1, cutoff=_LIKENESS)
    return by_small[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint behind an unknown word, or nothing; it says the known name and not ``word``."""
    near = nearest(word, known)
    return "" if near is None else f"; did you mean {near!r}?"
