"""SMART Health Cards: each step fails alone, and only what is whole, signed and in time passes."""

import base64
import json
import zlib
from datetime import timedelta
from typing import Any

import cbor2
import health_parts
import pytest
from health_parts import (
    IMMUNIZATION,
    NOW,
    PATIENT,
    bundle,
    card_claims,
    card_text,
    certificate_text,
    chunks,
    claims,
    cose,
    deflate,
    hc1,
    jwk,
    jws,
    shc,
    signer,
)
from health_verdicts import CARD_TRUST, TRUST, E, F, H, N, X, check, steps

from agent.credentials.health.smart_health_card import verify_card
from agent.credentials.health.trust import TrustListError, merge, parse_trust
from agent.credentials.health.trusted_key import known_as
from agent.domain.credential.reason import Reason

CARD = json.dumps(card_claims()).encode()
ISSUER, OTHER = "https://issuer.example/cards", "https://other.example/cards"
EU_KEY_ID = "AAECAwQFBgc="


TIME_S = NOW.timestamp()


@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        (card_text(), "+.+..+++", None),
        (card_text().upper(), "-.......", X),
        (card_text()[:-1], "+.......", X),
        (card_text() + "x", "+.......", X),
        (card_text() + "78", "+.......", X),
        (card_text() + "٣٣", "+.......", X),
        ("shc:/", "+.......", X),
        ("shc:/ ", "+.......", X),
        ("shc:/1", "+.......", X),
        ("shc:/" + "5" * 1_000_000, "+.......", X),
        ("\n".join(chunks(card_text())), "+.+..+++", None),
        (" ".join(reversed(chunks(card_text()))), "+.+..+++", None),
        ("\n".join(chunks(card_text())[1:]), "+.......", X),
        ("\n".join([*chunks(card_text()), chunks(card_text())[0]]), "+.......", X),
        (chunks(card_text())[0], "+.......", X),
        ("shc:/0/0/12", "+.......", X),
        ("shc:/9/2/12", "+.......", X),
        (shc("a.b"), "+.......", X),
        (shc("a.b.c.d"), "+.......", X),
        (shc("e30=.e30.e30"), "+.......", X),
        (shc("W10.e30.e30"), "+.......", X),
        (shc("!!.e30.e30"), "+.......", X),
        (shc(jws(deflate(CARD), crit=["x"])), "+.......", X),
        (shc(jws(deflate(CARD), alg=None)), "+.+..-++", F),
        (shc(jws(deflate(CARD), alg="none")), "+.+..-++", F),
        (shc(jws(deflate(CARD), kid=None)), "+.+..-++", F),
        (shc(jws(deflate(CARD), kid="other")), "+.+..-++", F),
        (shc(jws(deflate(CARD), kid=["a"])), "+.+..-++", F),
        (shc(jws(deflate(CARD), "p384")), "+.+..-++", F),
        (shc(jws(deflate(CARD), "p384", kid=jwk()["kid"])), "+.+..-++", F),
        (shc(jws(deflate(CARD), zip=None)), "+.-..+..", X),
        (shc(jws(CARD)), "+.-..+..", X),
        (shc(jws(zlib.compress(CARD))), "+.-..+..", X),
        (shc(jws(deflate(bytes(3_000_000)))), "+.-..+..", X),
        (shc(jws(deflate(CARD) + b"x")), "+.-..+..", X),
        (shc(jws(deflate(b"[]"))), "+.+..+..", X),
        (shc(jws(deflate(b"[" * 60_000))), "+.+..+..", X),
        (shc(jws(deflate(CARD[:-1] + b',"nbf":1}'))), "+.+..+..", X),
        (shc(jws(deflate(CARD[:-1] + b',"n":NaN}'))), "+.+..+..", X),
        (shc(jws(deflate(CARD + b"x"))), "+.+..+..", X),
        (card_text(nbf=TIME_S), "+.+..+++", None),
        (card_text(nbf=TIME_S + 0.5), "+.+..+-+", N),
        (card_text(nbf=TIME_S * 1000), "+.+..+-+", N),
        (card_text(nbf=None), "+.+..+-+", N),
        (card_text(nbf="now"), "+.+..+-+", N),
        (card_text(nbf=True), "+.+..+-+", N),
        (card_text(exp=TIME_S + 0.5), "+.+..+++", None),
        (card_text(exp=TIME_S), "+.+..+-+", E),
        (card_text(exp="never"), "+.+..+-+", N),
        (card_text(iss="http://issuer.example"), "+.+..++-", H),
        (card_text(iss="https://issuer.example/"), "+.+..++-", H),
        (card_text(iss=None), "+.+..++-", H),
        (card_text(vc=None), "+.+..++-", H),
        (card_text(vc={"type": ["https://smarthealth.cards#health-card"]}), "+.+..++-", H),
        (card_text(vc=card_claims()["vc"] | {"type": ["#other"]}), "+.+..++-", H),
    ],
)
def test_each_step_of_a_health_card_fails_alone(text: str, expected: str, reason) -> None:
    verdict = check(text, CARD_TRUST)
    assert (steps(verdict), verdict.reason) == (expected, reason)


def test_a_card_of_another_claim_is_forged() -> None:
    head, _, signature = jws(deflate(CARD)).split(".")
    other = health_parts.base64url(deflate(json.dumps(card_claims(exp=TIME_S * 2)).encode()))
    verdict = check(shc(f"{head}.{other}.{signature}"), CARD_TRUST)
    assert (verdict.signature, verdict.reason) == (False, F)


def test_a_card_is_not_believed_by_a_certificate_of_an_eu_list() -> None:
    assert check(card_text(), parse_trust(signer("p384").pem)).reason is F
    # The same key: trusted for one kind it is not for the other. Before, the card was valid.
    assert check(card_text(), TRUST).reason is F
    assert check(card_text(), merge([TRUST, CARD_TRUST])).valid
    assert check(card_text(), parse_trust(json.dumps(jwk() | {"kid": EU_KEY_ID}))).reason is F


def test_an_eu_certificate_is_not_believed_by_a_key_of_health_cards() -> None:
    """Before, a key of a card issuer's set signed EU certificates as well."""
    by = signer()
    thumbprint = base64.urlsafe_b64decode(jwk()["kid"] + "=")
    for kid in (by.kid, thumbprint):
        text = hc1(cose(cbor2.dumps(claims()), by, protected={1: -7, 4: kid}))
        assert check(text, CARD_TRUST).reason is F
    keyless = hc1(cose(cbor2.dumps(claims()), by, protected={1: -7}))
    assert check(keyless, TRUST).valid
    assert check(keyless, CARD_TRUST).reason is F
    # In a set of an issuer of cards all keys are of cards, whatever they call themselves.
    disguised = parse_trust(json.dumps(jwk() | {"kid": EU_KEY_ID}), ISSUER)
    assert check(certificate_text(), disguised).reason is F
    assert check(card_text(), disguised).valid


def directory(**keys: list[Any]) -> str:
    """Issuers with their keys, as VCI's directory lists them."""
    infos = [
        {"issuer": {"iss": f"https://{name}.example/cards", "name": name}, "keys": each}
        for name, each in keys.items()
    ]
    return json.dumps({"directory": "https://directory.example", "issuerInfo": infos})


def test_a_key_signs_for_its_own_issuer_only() -> None:
    """Before, any installed key signed for any address."""
    own = parse_trust(json.dumps(jwk()), ISSUER)
    assert check(card_text(), own).valid
    verdict = check(card_text(iss="https://other.example/cards"), own)
    assert (steps(verdict), verdict.reason) == ("+.+..-++", F)
    assert verdict.detail == "signature: the key is another issuer's"
    listed = parse_trust(directory(issuer=[jwk("p256b")], other=[jwk()]))
    assert check(card_text(), listed).reason is F
    assert check(card_text(iss="https://other.example/cards"), listed).valid
    # A list that names nobody never speaks for an issuer whose keys are known.
    assert check(card_text(), merge([CARD_TRUST, listed])).reason is F
    assert check(card_text(iss="https://third.example"), merge([CARD_TRUST, listed])).valid


def test_a_directory_can_be_cut_to_one_issuer() -> None:
    content = directory(issuer=[jwk("p256b")], other=[jwk()])
    assert check(card_text(iss=OTHER), parse_trust(content, OTHER)).valid
    assert check(card_text(iss=OTHER), parse_trust(content, ISSUER)).reason is F
    with pytest.raises(TrustListError):
        parse_trust(content, "https://third.example")


def test_a_certificate_beside_a_key_names_its_issuer() -> None:
    chain = {"x5c": [base64.b64encode(signer(address=ISSUER).der).decode()]}
    trust = parse_trust(json.dumps(jwk() | chain))
    assert [key.issuer for key in trust.keys] == [ISSUER]
    assert check(card_text(), trust).valid
    assert check(card_text(iss=OTHER), trust).reason is F


def with_entries(*resources: dict[str, Any]) -> str:
    return card_text(vc=bundle(PATIENT, *({"resource": each} for each in resources)))


def dose(when: object, **changes: Any) -> dict[str, Any]:
    return {**dict(IMMUNIZATION["resource"]), "occurrenceDateTime": when, **changes}


def result(**changes: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "status": "final"} | changes


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (with_entries(), False),
        (with_entries({"resourceType": "Condition", "recordedDate": "2026-03-01"}), False),
        (with_entries(dose("2026-03-01")), True),
        (with_entries(dose("2026-03")), True),
        (with_entries(dose("2026")), True),
        (with_entries(dose("2026-03-01T10:00:00+2")), True),
        (with_entries(dose("2026-05-21")), True),  # it is tomorrow somewhere
        (with_entries(dose("2026-05-22")), False),
        (with_entries(dose("2026-06")), False),
        (with_entries(dose("2019-12-31")), False),
        (with_entries(dose("2019")), False),
        (with_entries(dose("2569-03-01")), False),
        (with_entries(dose("1447-09-12")), False),
        (with_entries(dose("soon")), False),
        (with_entries(dose(None)), False),
        (with_entries(dose(20260301)), False),
        (with_entries(dose("2026-03-01", status="not-done")), False),
        (with_entries(dose("2026-03-01", status="entered-in-error")), False),
        (with_entries(dose("1995-03-01"), dose("2021-03-01")), True),
        (with_entries(result(effectiveDateTime="2026-05-19T09:00:00Z")), True),
        (with_entries(result(effectivePeriod={"start": "2026-05-19"})), True),
        (with_entries(result()), False),
        (with_entries(result(effectivePeriod=[])), False),
        (with_entries(result(status="cancelled", effectiveDateTime="2026-05-19")), False),
    ],
)
def test_a_card_states_a_dose_or_a_result_of_a_date_that_it_can_have(text: str, holds) -> None:
    """Before, a card that names a patient and nothing else was valid."""
    verdict = check(text, CARD_TRUST)
    assert steps(verdict) == ("+.+..+++" if holds else "+.+..++-")
    assert verdict.reason is (None if holds else H)


@pytest.mark.parametrize(
    "spelt",
    [
        ISSUER,
        "https://ISSUER.example/cards",
        "https://issuer.example:443/cards",
        "https://issuer.example./cards",
        "https://issuer.example/%63ards",
        "https://desk@issuer.example/cards",
    ],
)
def test_an_unbound_key_speaks_for_no_known_issuer_however_it_is_spelt(spelt: str) -> None:
    directory = {"issuerInfo": [{"issuer": {"iss": ISSUER}, "keys": [jwk()]}]}
    both = merge([parse_trust(json.dumps(directory)), parse_trust(json.dumps(jwk("p256b")))])
    for issuer, valid in ((spelt, False), (OTHER, True)):
        card = json.dumps(card_claims(iss=issuer)).encode()
        text = shc(jws(deflate(card), "p256b", kid=jwk("p256b")["kid"]))
        assert verify_card(text, both, NOW).valid is valid


def test_a_name_in_its_own_letters_and_in_ascii_is_one() -> None:
    assert known_as("https://bücher.example/x") == known_as("https://XN--BCHER-KVA.example/X")


@pytest.mark.parametrize(
    ("begin", "end", "reason"),
    [
        (-30, 30, None),
        (-300, -200, Reason.CREDENTIAL_EXPIRED),
        (10, 30, Reason.CREDENTIAL_NOT_ACTIVE),
    ],
)
def test_a_card_lapses_with_the_certificate_of_its_key(
    begin: int, end: int, reason: Reason | None
) -> None:
    made = signer("p256", begin=NOW + timedelta(days=begin), end=NOW + timedelta(days=end))
    key = jwk() | {"x5c": [base64.b64encode(made.der).decode()]}
    alone = parse_trust(json.dumps({"keys": [key]}), ISSUER)
    verdict = verify_card(card_text(), alone, NOW)
    assert (verdict.valid, verdict.reason) == (reason is None, reason)
    # Another list has the same key without an end.
    assert verify_card(
        card_text(), merge([alone, parse_trust(json.dumps(jwk()), ISSUER)]), NOW
    ).valid
