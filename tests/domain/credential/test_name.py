"""Names in any script: what is taken, what is folded, what is refused."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.credential.name import is_line, objection, person_name


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("山田\u3000太郎", "山田 太郎"),
        ("Ann\u00a0Smith", "Ann Smith"),
        ("\u2003 Ann \u202f", "Ann"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("क\u094d\u200dष", "क\u094d\u200dष"),
        ("張\U00031350", "張\U00031350"),
        ("劉\U0002ebf0", "劉\U0002ebf0"),
        ("\U00030edd\U00030edd", "\U00030edd\U00030edd"),
        ("某\ue863", "某\ue863"),
        ("葛\U000e0100城", "葛\U000e0100城"),
        ("Ann １２３", "Ann １２３"),
        ("\ufa11田", "\ufa11田"),
        ("Zoe\u0308", "Zoe\u0308"),
        ("O'Brien, Pat", "O'Brien, Pat"),
        ("ㄱ\u3164", "ㄱ\u3164"),
    ],
)
def test_a_name_is_kept_but_for_its_spaces(written: str, kept: str) -> None:
    assert person_name(written) == kept
    assert is_line(written)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a\nb", "U+000A is a control character"),
        ("a\tb", "U+0009"),
        ("a\x1b[31m", "U+001B"),
        ("a\x85b", "U+0085"),
        ("a\u2028b", "U+2028 is a line break"),
        ("a\u202eb", "U+202E is an invisible format character"),
        ("a\u2066b", "U+2066"),
        ("a\u200bb", "U+200B"),
        ("\ufeffa", "U+FEFF"),
        ("a\ud800", "U+D800 is half a character"),
        ("a\ufdd0", "U+FDD0 is no character"),
        ("a\uffff", "U+FFFF"),
        ("a\U0002fffe", "U+2FFFE"),
        ("a\ufffdb", "U+FFFD is a sign for what could not be read"),
        ("", "1 to 200 printable characters"),
        (" \u3000", "1 to 200 printable characters"),
        ("\u200c\u200d", "1 to 200 printable characters"),
        ("\u0301", "1 to 200 printable characters"),
        ("a" * 201, "1 to 200 printable characters"),
    ],
)
def test_what_is_no_name_is_refused_by_its_code(name: str, why: str) -> None:
    with pytest.raises(ValueError, match="printable") as refused:
        person_name(name)
    assert why in str(refused.value)


def test_every_ideograph_of_planes_2_and_3_is_taken() -> None:
    for code in range(0x20000, 0x40000, 7):
        last = code & 0xFFFE == 0xFFFE
        assert (objection(chr(code)) is None) is not last


def test_nothing_that_was_printable_before_is_refused() -> None:
    refused = [
        code
        for code in range(sys.maxunicode + 1)
        if chr(code).isprintable() and objection(chr(code)) is not None
    ]
    assert refused == []


@given(st.text(max_size=60))
def test_a_name_is_a_line_whatever_was_typed(text: str) -> None:
    try:
        name = person_name(text)
    except ValueError:
        return
    assert name == person_name(name)
    assert is_line(name)
    assert all(char == " " or unicodedata.category(char) != "Zs" for char in name)


@pytest.mark.parametrize(
    "name", ["\u3164", "\u115f\u1160", "\uffa0", "\u2800\u2800", "\u3164 \u3164"]
)
def test_a_name_that_shows_nothing_is_none(name: str) -> None:
    with pytest.raises(ValueError, match="1 to 200 printable"):
        person_name(name)
