"""The resident code and its check character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.registers.check_character import ALPHABET, check_character, is_checked
from agent.domain.registers.resident_code import (
    ResidentCode,
    community_code,
    parse_resident_code,
    resident_code,
)

WORDS = st.text(ALPHABET, min_size=1, max_size=24)
CODE = resident_code("XFL", "3", "1", "1502", 2)


@pytest.mark.parametrize(
    ("text", "check"),
    # The standard's own, the Global Release Identifier's and the ISAN's.
    [("A12425GABC1234002", "M"), ("00000000D07A0090", "Q")],
)
def test_examples_of_the_standard_and_of_its_users(text: str, check: str) -> None:
    assert check_character(text) == check
    assert is_checked(text + check)


@given(text=WORDS, data=st.data())
def test_a_wrong_character_is_always_found(text: str, data: st.DataObject) -> None:
    whole = text + check_character(text)
    assert is_checked(whole)
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.sampled_from(ALPHABET))
    assert is_checked(whole[:at] + other + whole[at + 1 :]) == (other == whole[at])


@given(before=WORDS)
def test_of_all_pairs_that_change_places_one_is_missed_at_most(before: str) -> None:
    missed = [
        (one, two)
        for one in ALPHABET
        for two in ALPHABET
        if one < two and check_character(before + one + two) == check_character(before + two + one)
    ]
    assert len(missed) <= 1


def test_it_is_read_however_people_write_it() -> None:
    said = str(CODE)
    for text in (
        said,
        said.lower(),
        said.replace("-", " - "),
        said.replace("-", "\uff0d"),
        said.replace("3", "\uff13"),
        said.replace("XFL-3-1-", "XFL-003-01-"),
    ):
        assert parse_resident_code(text) == CODE


def test_what_slips_from_one_part_into_the_next_is_another_code() -> None:
    other = resident_code("XFL", "31", "1", "502", 2)
    assert other.check != CODE.check
    with pytest.raises(ValueError, match="misspelt"):
        parse_resident_code(str(CODE).replace("3-1-1502", "31-1-502"))


@pytest.mark.parametrize(
    "text", ["", "XFL", "XFL-3-1-1502-2", "XFL-3-1-1502-x-K", "-3-1-1502-2-K", "XFL-3-1-1502-100-K"]
)
def test_what_is_no_code(text: str) -> None:
    with pytest.raises(ValueError, match="resident code"):
        parse_resident_code(text)


@pytest.mark.parametrize(
    "parts",
    [("幸福", "3", "1", "1"), ("X", "1234", "1", "1"), ("X", "3", "", "1"), ("X", "3", "1", "A-1")],
)
def test_parts_that_are_none(parts: tuple[str, str, str, str]) -> None:
    with pytest.raises(ValueError, match="resident code is"):
        resident_code(*parts, 1)


@given(
    parts=st.tuples(*(st.text(ALPHABET, min_size=1, max_size=n) for n in (8, 3, 2, 5))),
    sequence=st.integers(1, 99),
)
def test_every_code_reads_back(parts: tuple[str, str, str, str], sequence: int) -> None:
    code: ResidentCode = resident_code(*parts, sequence)
    assert parse_resident_code(str(code)) == code


def test_a_communitys_code_is_of_its_id() -> None:
    assert community_code("xing-fu.li") == "XINGFULI"
    assert community_code("...") == "C"
