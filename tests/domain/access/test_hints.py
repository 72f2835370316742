"""What is told: every reason has a hint, and no hint tells more than a bystander may hear."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import ROOT

from agent.domain.access.hints import (
    HINTS,
    KEY_PATTERN,
    NEEDED_KEYS,
    SIGN_KEYS,
    STANDINGS,
    Hint,
    messages_of,
)
from agent.domain.access.indication import Indication, Outcome, Standing
from agent.domain.credential.factor import Factor
from agent.domain.credential.reason import Reason

PAGE = ROOT / "docs" / "telling.md"
AFTER_RECOGNITION = set(Reason) - {
    Reason.NO_MATCH,
    Reason.AMBIGUOUS,
    Reason.PRESENTATION_ATTACK,
    Reason.FACTOR_MISSING,
    Reason.SENSOR_FAULT,
    Reason.CLOCK_UNTRUSTED,
    Reason.LOCKED_DOWN,
}


def test_every_reason_has_a_hint_and_every_hint_a_reason() -> None:
    assert set(HINTS) == set(Reason)
    assert set(HINTS.values()) == set(Hint)
    assert set(STANDINGS) == set(Standing)


def test_whatever_is_said_of_somebody_recognised_sounds_alike() -> None:
    assert {HINTS[reason] for reason in AFTER_RECOGNITION} == {Hint.SEE_ATTENDANT}


def test_the_page_says_the_same() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([A-Z][A-Za-z, ]+) \|$", PAGE.read_text(), re.MULTILINE)
    page = {reason: hint for hint, reasons in rows for reason in reasons.split(", ")}
    assert page == {reason.value: hint.value for reason, hint in HINTS.items()}


@pytest.mark.parametrize("factor", Factor)
def test_every_factor_can_be_asked_for(factor: Factor) -> None:
    asked = Indication("x", Outcome.WAITING, (factor.value,))
    assert messages_of(asked) == (f"waiting.{factor.value}",)


def test_a_denial_without_a_reason_sends_to_the_attendant() -> None:
    assert messages_of(Indication("x", Outcome.DENIED)) == ("denied.see_attendant",)


@given(
    st.sampled_from(Outcome),
    st.lists(st.text(max_size=40) | st.sampled_from([f.value for f in Factor]), max_size=6),
    st.none() | st.sampled_from(Reason),
)
def test_whatever_is_indicated_a_needed_message_says_it(
    outcome: Outcome, lacking: list[str], reason: Reason | None
) -> None:
    keys = messages_of(Indication("x", outcome, tuple(lacking), reason))
    assert set(keys) <= {*NEEDED_KEYS, *SIGN_KEYS}
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(KEY_PATTERN, key) for key in keys)
