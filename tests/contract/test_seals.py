"""One suite for every ``ports.Seals``."""

from collections.abc import Callable

import pytest
from store_parts import KEY

from agent.adapters.store.seal import Sealer
from agent.errors import KeyUnavailableError, StoreError
from agent.ports import Seals

Make = Callable[[bytes], Seals]
WORDS = ("export", "lin.2", "dlib", "1")


@pytest.fixture(params=[Sealer])
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


@pytest.fixture
def seals(make: Make) -> Seals:
    return make(KEY)


@pytest.mark.parametrize("plain", [b"", b"template", bytes(range(256)) * 8])
def test_what_was_sealed_opens_with_the_same_key(make: Make, plain: bytes) -> None:
    sealed = make(KEY).seal(plain, *WORDS)
    assert make(KEY).open(sealed, *WORDS) == plain
    assert not plain or plain not in sealed


def test_it_opens_for_the_same_words_only(seals: Seals) -> None:
    sealed = seals.seal(b"template", *WORDS)
    for others in ((), WORDS[1:], WORDS[::-1], ("exportlin.2", "dlib", "1"), (*WORDS, "")):
        with pytest.raises(StoreError):
            seals.open(sealed, *others)


def test_another_key_is_told_from_damage(make: Make, seals: Seals) -> None:
    sealed = seals.seal(b"template", *WORDS)
    with pytest.raises(KeyUnavailableError):
        make(bytes(32)).open(sealed, *WORDS)
    for damaged in (sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed + b"\0"):
        with pytest.raises(StoreError):
            seals.open(damaged, *WORDS)


@pytest.mark.parametrize("length", [0, 1, 9, 20])
def test_what_is_too_short_to_be_sealed_is_refused(seals: Seals, length: int) -> None:
    with pytest.raises(StoreError):
        seals.open(seals.seal(b"template", *WORDS)[:length], *WORDS)


def test_the_same_is_sealed_differently_each_time(seals: Seals) -> None:
    assert len({seals.seal(b"template", *WORDS) for _ in range(50)}) == 50
