"""Resident ID numbers: which count, how each is written, and that none is ever told."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from id_parts import RESIDENT, number, wide

from agent.credentials.documents.resident_id import NumberFault, canonical, check
from agent.domain.credential.id_document import DocumentKind
from agent.errors import RefusedError

TODAY = date(2026, 5, 6)
STANDARD = "11010519491231002X"
"""The example that GB 11643 itself works through."""


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (STANDARD, DocumentKind.RESIDENT),
        (number("440308"), DocumentKind.RESIDENT),
        (number("710000"), DocumentKind.RESIDENT),
        (number("810000"), DocumentKind.HONG_KONG),
        (number("820000"), DocumentKind.MACAU),
        (number("830000"), DocumentKind.TAIWAN),
        # The two specimens in the immigration office's notice on the card of 2023.
        ("932682198501010017", DocumentKind.FOREIGNER),
        ("911124198108030024", DocumentKind.FOREIGNER),
        ("USA110000000000", DocumentKind.FOREIGNER),
        (number(birth="18500101"), DocumentKind.RESIDENT),
        (number(birth="20000229"), DocumentKind.RESIDENT),
        (number(birth="20260506"), DocumentKind.RESIDENT),
    ],
)
def test_what_counts(text: str, kind: DocumentKind) -> None:
    verdict = check(text, TODAY)
    assert (verdict.fault, verdict.kind, verdict.valid) == (None, kind, True)
    assert verdict.check_digit is (len(text) == 18)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", NumberFault.MALFORMED),
        ("X" * 18, NumberFault.MALFORMED),
        (RESIDENT[:17], NumberFault.MALFORMED),
        (RESIDENT + "0", NumberFault.MALFORMED),
        ("0" + RESIDENT[1:], NumberFault.MALFORMED),
        ("X" + RESIDENT[1:], NumberFault.MALFORMED),
        (RESIDENT[:8] + "X" + RESIDENT[9:], NumberFault.MALFORMED),
        (RESIDENT + "\u200b", NumberFault.MALFORMED),
        ("¹" + RESIDENT[1:], NumberFault.MALFORMED),
        ("①" + RESIDENT[1:], NumberFault.MALFORMED),
        ("\u0661" + RESIDENT[1:], NumberFault.MALFORMED),
        ("\ud800" * 18, NumberFault.MALFORMED),
        (" " * 100_000 + RESIDENT, NumberFault.MALFORMED),
        ("ßA110000000000", NumberFault.MALFORMED),
        ("810000010203000", NumberFault.MALFORMED),
        (STANDARD[:17] + "0", NumberFault.CHECK_DIGIT),
        (number(birth="20010229"), NumberFault.BIRTH_DATE),
        (number(birth="20010431"), NumberFault.BIRTH_DATE),
        (number(birth="20011301"), NumberFault.BIRTH_DATE),
        (number(birth="20010100"), NumberFault.BIRTH_DATE),
        (number(birth="00000101"), NumberFault.BIRTH_DATE),
        (number(birth="18491231"), NumberFault.BIRTH_DATE),
        (number(birth="20260507"), NumberFault.BIRTH_DATE),
        ("110105490229002", NumberFault.BIRTH_DATE),
        ("110105010203996", NumberFault.BIRTH_DATE),
        ("110105010203999", NumberFault.BIRTH_DATE),
    ],
)
def test_what_does_not(text: str, fault: NumberFault) -> None:
    verdict = check(text, TODAY)
    assert (verdict.fault, verdict.valid, verdict.kind) == (fault, False, None)
    if fault is not NumberFault.BIRTH_DATE or "2026" not in text:
        with pytest.raises(RefusedError) as refusal:
            canonical(text)
        assert refusal.value.reason == "id_number"
        assert text.strip() == "" or text.strip() not in str(refusal.value)


def test_without_a_trusted_clock_no_birth_lies_in_the_future() -> None:
    assert check(number(birth="20260507"), None).valid


@pytest.mark.parametrize(
    ("start", "known"), [("110105", True), ("999999", False), ("160101", False)]
)
def test_the_region_is_advice(start: str, *, known: bool) -> None:
    verdict = check(number(start), TODAY)
    assert (verdict.valid, verdict.region_known) == (True, known)


@pytest.mark.parametrize(
    "text",
    [
        STANDARD.lower(),
        f" {STANDARD}\r\n",
        "110105 19491231 002X",
        wide(STANDARD),
        wide(STANDARD.lower()),
        "11010519491231002\u2169",
        "110105\u300019491231\u3000002X",
        "110105491231002",
        wide("110105") + " 491231 002",
    ],
)
def test_every_writing_of_a_number_is_one(text: str) -> None:
    assert canonical(text) == canonical(STANDARD) == STANDARD
    assert check(text, TODAY).kind is DocumentKind.RESIDENT


def test_an_old_number_has_no_check_digit_and_says_so() -> None:
    assert not check("110105491231002", TODAY).check_digit
    assert check("110105491231002", TODAY).region_known


def test_a_foreigners_number_of_2017_is_upper_case() -> None:
    assert canonical(" usa110000000000") == canonical(wide("USA110000000000")) == "USA110000000000"


DIGITS = st.text("0123456789", min_size=3, max_size=3)


@given(serial=DIGITS, at=st.integers(0, 16), other=st.sampled_from("0123456789"))
def test_a_wrong_digit_is_always_found(serial: str, at: int, other: str) -> None:
    right = number(serial=serial)
    wrong = right[:at] + other + right[at + 1 :]
    assert check(wrong, TODAY).valid is (wrong == right)


@given(serial=DIGITS, at=st.integers(0, 15))
def test_two_digits_in_the_wrong_order_are_always_found(serial: str, at: int) -> None:
    right = number(serial=serial)
    wrong = right[:at] + right[at + 1] + right[at] + right[at + 2 :]
    assert check(wrong, TODAY).valid is (wrong == right)


@given(text=st.text(max_size=40))
def test_whatever_is_typed_is_judged_and_never_told(text: str) -> None:
    verdict = check(text, TODAY)
    if verdict.valid:
        assert canonical(canonical(text)) == canonical(text)


def test_a_verdict_does_not_hold_the_number() -> None:
    assert RESIDENT not in repr(check(RESIDENT, TODAY))
    assert "20010203" not in repr(check(RESIDENT, TODAY))
