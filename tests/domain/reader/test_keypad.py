"""Keys of a pad: each way in which they come, a key that is held down, and a time that is up."""

import pytest

from agent.adapters.reader.simulated import train
from agent.domain.reader.card_format import BUILT_IN
from agent.domain.reader.decoder import Heard, ReaderTerms, Unread, Why, WiegandDecoder
from agent.domain.reader.keypad import ENTRY_S, MOST_KEYS, Entered, Keypad, KeypadKind, keys_of

KEYS = "0123456789*#"


def frame(key: str, kind: KeypadKind) -> list[int]:
    """A key as such a pad sends it."""
    value = KEYS.index(key)
    if kind == "8bit":
        value |= (value ^ 0b1111) << 4
    return [int(one) for one in f"{value:0{8 if kind == '8bit' else 4}b}"]


@pytest.mark.parametrize("kind", ["4bit", "8bit"])
@pytest.mark.parametrize("key", KEYS)
def test_each_key(key: str, kind: KeypadKind) -> None:
    assert keys_of(frame(key, kind), kind) == key
    assert keys_of(frame(key, kind), "none") is None


def test_a_burst_ends_by_itself_where_its_pad_leaves_the_end_out() -> None:
    bits = [bit for key in "2468" for bit in frame(key, "burst")]
    assert keys_of(bits, "burst") == "2468#"
    assert keys_of(bits + frame("#", "burst"), "burst") == "2468#"


@pytest.mark.parametrize(
    ("bits", "kind"),
    [
        ([1, 1, 0, 0], "4bit"),
        ([1, 1, 1, 0, 1, 0, 0, 1], "8bit"),
        ([1, 1, 1, 1], "8bit"),
        ([0] * 5, "burst"),
        ([], "burst"),
    ],
)
def test_what_is_no_key(bits: list[int], kind: KeypadKind) -> None:
    assert keys_of(bits, kind) is None


def test_a_star_clears_and_a_hash_ends() -> None:
    pad = Keypad()
    assert pad.pressed("12*34", 0.0) == []
    assert pad.pressed("56#", 1.0) == [Entered("3456")]
    assert pad.pressed("##", 2.0) == []
    assert "3456" not in repr(Entered("3456"))
    pad.pressed("9", 3.0)
    assert "9" not in repr(pad)


def test_a_key_that_is_held_down_is_no_entry_and_needs_no_memory() -> None:
    pad = Keypad()
    for number in range(10_000):
        assert pad.pressed("7", number * 0.1) == []
    assert len(pad._digits) <= MOST_KEYS
    assert pad.pressed("#", 1000.0) == [Entered(None)]
    assert pad.pressed("1234#", 1001.0) == [Entered("1234")]


def test_what_was_begun_is_forgotten() -> None:
    pad = Keypad()
    pad.pressed("12", 0.0)
    assert pad.pressed("34#", ENTRY_S + 0.1) == [Entered("34")]


def test_keys_and_cards_come_over_the_same_wires() -> None:
    form = BUILT_IN["h10301"]
    decoder = WiegandDecoder(ReaderTerms((form,), "8bit"))
    now_s = 0.0
    found: list[Heard] = []
    for key in "1234#":
        now_s += 1.0
        for one in train(frame(key, "8bit"), int(now_s * 1e9)):
            decoder.pulse(one, now_s)
        found += decoder.settle(now_s + 0.1)
    assert found == [Entered("1234")]
    for one in train([1] * 8, 10**11):
        decoder.pulse(one, 100.0)
    assert decoder.settle(101.0) == [Unread(Why.PARITY, 8)]
    assert decoder.counts == {"keys": 5, "parity": 1}
