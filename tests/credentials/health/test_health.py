"""Health certificates of either kind: whatever is signed or shown, a verdict and no error."""

import json
import math

import cbor2
import health_parts
from health_parts import (
    ISSUED,
    RECOVERY,
    TEST,
    VACCINATION,
    card_text,
    certificate_text,
    chunks,
    claims,
    cose,
    dcc,
    hc1,
)
from health_verdicts import CARD_TRUST, TRUST, H, check
from hypothesis import given
from hypothesis import strategies as st

from agent.credentials.health.eu_dcc_rules import EU_TRAVEL
from agent.credentials.health.trust import TrustList


def test_a_gap_in_the_trust_list_is_no_forgery() -> None:
    for text in (certificate_text(), card_text()):
        verdict = check(text, TrustList(gap="signature: an installed trust list is too old"))
        assert verdict.signature is False
        assert (verdict.reason, verdict.detail) == (
            H,
            "signature: an installed trust list is too old",
        )


def test_the_subject_is_told_and_shown_nowhere() -> None:
    for text, trust in ((certificate_text(), TRUST), (card_text(), CARD_TRUST)):
        verdict = check(text, trust)
        assert verdict.subject is not None
        assert str(verdict.subject.family_name).upper() == "EXAMPLE"
        assert verdict.subject.birth_date == "1990-01-02"
        shown = repr(verdict) + json.dumps(verdict.as_json()) + repr(verdict.subject)
        assert "xample" not in shown
        assert "1990" not in shown
    assert check(certificate_text(exp=int(ISSUED.timestamp()))).subject is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["ver", "nam", "dob", "v", "t", "r"])
FIELDS = st.sampled_from(sorted({*VACCINATION, *TEST, *RECOVERY}))


@given(st.dictionaries(NAMES, VALUES), st.dictionaries(FIELDS, VALUES), st.sampled_from("vtr"))
def test_signed_nonsense_is_a_verdict_and_no_error(whole, fields, kind: str) -> None:
    entry = {"v": VACCINATION, "t": TEST, "r": RECOVERY}[kind]
    for certificate in (dcc() | whole, dcc(**{kind: [entry | fields]})):
        check(certificate_text(certificate), rules=EU_TRAVEL)


@given(st.dictionaries(st.sampled_from([1, 4, 5, 6, -260, "x"]), VALUES))
def test_signed_claims_of_any_kind_are_a_verdict(changes) -> None:
    check(hc1(cose(cbor2.dumps(claims() | changes))))


@given(st.dictionaries(st.sampled_from(["iss", "nbf", "exp", "vc"]), VALUES), VALUES)
def test_a_signed_card_of_any_kind_is_a_verdict(changes, patient) -> None:
    def storable(value):
        if isinstance(value, bytes):
            return value.hex()
        if isinstance(value, float) and not math.isfinite(value):
            return None  # JSON has no such number
        if isinstance(value, dict):
            return {key: storable(inner) for key, inner in value.items()}
        return [storable(inner) for inner in value] if isinstance(value, list) else value

    check(card_text(**storable(changes)), CARD_TRUST)
    bundle = {"resourceType": "Bundle", "entry": [storable(patient), health_parts.PATIENT]}
    subject = {"fhirVersion": "4.0.1", "fhirBundle": bundle}
    vc = {"type": ["https://smarthealth.cards#health-card"], "credentialSubject": subject}
    assert check(card_text(vc=vc), CARD_TRUST).reason is H
    bundle["entry"] = [*bundle["entry"], health_parts.IMMUNIZATION]
    assert check(card_text(vc=vc), CARD_TRUST).valid


@given(
    st.sampled_from([certificate_text(), card_text(), "\n".join(chunks(card_text()))]),
    st.integers(0, 5000),
    st.text(max_size=4) | st.text(health_parts.ALPHABET, max_size=4),
)
def test_a_changed_text_is_never_valid(text: str, where: int, new: str) -> None:
    where %= len(text)
    changed = text[:where] + new + text[where + 1 :]
    for trust in (TRUST, CARD_TRUST):
        assert not check(changed, trust).valid or same(changed, text)


def same(changed: str, text: str) -> bool:
    """Space between the codes of one card has no meaning."""
    return changed == text or ("\n" in text and changed.split() == text.split())


@given(st.sampled_from(["HC1:", "shc:/", "", "HC"]), st.text(max_size=100))
def test_any_text_is_a_verdict(prefix: str, text: str) -> None:
    assert not check(prefix + text).valid
