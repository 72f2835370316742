"""SMART Health Cards: each step fails alone, and only what is whole, signed and in time passes."""

import json
import zlib

import health_parts
import pytest
from health_parts import (
    NOW,
    card_claims,
    card_text,
    chunks,
    deflate,
    jwk,
    jws,
    shc,
    signer,
)
from health_verdicts import CARD_TRUST, TRUST, E, F, H, N, X, check, steps

from agent.credentials.health.trust import parse_trust

CARD = json.dumps(card_claims()).encode()


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
    # The same key on either list is the same key.
    assert check(card_text(), TRUST).valid
