"""EU certificates: each step fails alone, and only what is whole, signed and in time passes."""

import base64
import json
import zlib
from datetime import timedelta
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from health_parts import (
    EXPIRES,
    NOW,
    RECOVERY,
    TEST,
    VACCINATION,
    Signer,
    base45,
    certificate_text,
    claims,
    cose,
    dcc,
    hc1,
    jwk,
    key_of,
    signer,
)
from health_verdicts import TRUST, E, F, H, N, X, check, steps

from agent.credentials.formats import cose as agent_cose
from agent.credentials.health.eu_dcc_rules import EU_TRAVEL, AcceptanceRules
from agent.credentials.health.trust import merge, parse_trust

PAYLOAD = cbor2.dumps(claims())
FOO = {1: -7, 4: b"foo"}
KID = {4: signer().kid}


def swapped(certificate=None, **changes) -> str:
    """A genuine certificate, but another's claims under its signature."""
    message = cbor2.loads(cose(PAYLOAD)).value
    message = [message[0], message[1], cbor2.dumps(claims(certificate, **changes)), message[3]]
    return hc1(cbor2.dumps(cbor2.CBORTag(18, message)))


@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        (certificate_text(), "++++++++", None),
        (certificate_text()[4:], "-.......", X),
        (certificate_text().replace("HC1:", "HC2:"), "-.......", X),
        (certificate_text().replace("HC1:", "hc1:"), "-.......", X),
        (certificate_text().replace("HC1:", "HC1"), "-.......", X),
        (" " + certificate_text(), "-.......", X),
        ("https://example.org/menu", "-.......", X),
        ("", "-.......", X),
        ("HC1:", "++-.....", X),
        (certificate_text() + "=====", "+-......", X),
        (certificate_text() + "\n", "+-......", X),
        (certificate_text().lower().replace("hc1:", "HC1:"), "+-......", X),
        ("HC1:" + "A" * 1_000_000, "+-......", X),
        ("HC1:" + base45(cose(PAYLOAD)), "++-.....", X),
        ("HC1:" + base45(zlib.compress(cose(PAYLOAD))[:-4]), "++-.....", X),
        ("HC1:" + base45(zlib.compress(cose(PAYLOAD)) + b"xx"), "++-.....", X),
        ("HC1:" + base45(zlib.compress(bytes(3_000_000), 9)), "++-.....", X),
        (hc1(b""), "+++-....", X),
        (hc1(cose(PAYLOAD) + b"\x00"), "+++-....", X),
        (hc1(cose(PAYLOAD)[:-1]), "+++-....", X),
        (hc1(bytes.fromhex("d81c81d81d00")), "+++-....", X),
        (hc1(b"\x81" * 300 + b"\x00"), "+++-....", X),
        (hc1(bytes.fromhex("a201020103")), "+++-....", X),
        (hc1(cbor2.dumps({"not": "cose"})), "++++-...", X),
        (hc1(PAYLOAD), "++++-...", X),
        (hc1(cose(b"")), "+++-++..", X),
        (hc1(cose(cbor2.dumps(b"wrapped"))), "+++-++..", X),
        (hc1(cose(cbor2.dumps({1: "XX"}))), "+++-++..", X),
        (hc1(cose(cbor2.dumps({-260: {1: []}}))), "+++-++..", X),
        (hc1(cose(cbor2.dumps({-260: {2: {}}}))), "+++-++..", X),
        (hc1(cose(PAYLOAD + b"\x00")), "+++-++..", X),
        (hc1(cose(bytes([PAYLOAD[0] + 1]) + PAYLOAD[1:] + b"\x01\x01")), "+++-++..", X),
        (certificate_text(exp="soon"), "+++-++..", X),
        (certificate_text(exp=float("inf")), "+++-++..", X),
        (certificate_text(exp=2**63), "+++-++..", X),
        (certificate_text(exp=True), "+++-++..", X),
        (certificate_text(iss=5), "+++-++..", X),
        (swapped(dcc() | {"dob": "1991-01-01"}), "+++++-++", F),
        (swapped(exp=int(EXPIRES.timestamp()) + 1), "+++++-++", F),
        (hc1(cose(PAYLOAD, signature=bytes(64))), "+++++-++", F),
        (hc1(cose(PAYLOAD, signature=b"foo")), "+++++-++", F),
        (hc1(cose(PAYLOAD, protected={1: -8} | KID)), "+++++-++", F),
        (hc1(cose(PAYLOAD, protected=KID)), "+++++-++", F),
        (hc1(cose(PAYLOAD, protected=FOO)), "+++++-++", F),
        (hc1(cose(PAYLOAD, protected=FOO, unprotected=KID)), "+++++-++", F),
        (hc1(cose(PAYLOAD, protected={}, unprotected=FOO)), "+++++-++", F),
        (hc1(cose(PAYLOAD, protected={1: -7} | KID, unprotected=FOO)), "++++++++", None),
        (hc1(cose(PAYLOAD, protected={1: -7}, unprotected=KID)), "++++++++", None),
        (hc1(cose(PAYLOAD, protected={}, unprotected={1: -7} | KID)), "++++++++", None),
        (hc1(cose(PAYLOAD, protected={1: -7})), "++++++++", None),
        (hc1(cose(PAYLOAD, tags=())), "++++++++", None),
        (hc1(cose(PAYLOAD, tags=(61, 18))), "++++++++", None),
        (certificate_text(exp=int(NOW.timestamp()) + 1), "++++++++", None),
        (certificate_text(exp=int(NOW.timestamp())), "++++++-+", E),
        (certificate_text(exp=NOW.timestamp() + 0.5), "++++++++", None),
        (certificate_text(exp=NOW.timestamp() - 0.5), "++++++-+", E),
        (certificate_text(exp=cbor2.CBORTag(1, int(EXPIRES.timestamp()))), "++++++++", None),
        (certificate_text(exp=None), "++++++-+", E),
        (certificate_text(iat=None, iss=None), "++++++++", None),
        (certificate_text(iat=int(NOW.timestamp())), "++++++++", None),
        (certificate_text(iat=int(NOW.timestamp()) + 1), "++++++-+", N),
        (certificate_text(nbf=int(NOW.timestamp()) + 1), "++++++-+", N),
    ],
)
def test_each_step_of_an_eu_certificate_fails_alone(text: str, expected: str, reason) -> None:
    verdict = check(text)
    assert (steps(verdict), verdict.reason) == (expected, reason)


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048", "rsa3072"])
def test_every_kind_of_signer_is_believed_once_installed(kind: str) -> None:
    by = signer(kind)
    text = certificate_text(by=by)
    assert check(text, parse_trust(by.pem)).valid
    other = check(text, parse_trust(signer("p256", serial=5).pem))
    assert (steps(other), other.reason) == ("+++++-++", F)
    assert check(text, parse_trust(json.dumps(jwk(kind) | {"kid": kid_text(by.kid)}))).valid


def test_an_algorithm_that_the_specification_does_not_name_is_refused() -> None:
    key = Ed25519PrivateKey.generate()
    name = x509.Name([])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(EXPIRES)
        .sign(key, None)
    )
    by = Signer(key_of("p256"), certificate.public_bytes(Encoding.DER))
    message = agent_cose.sign(PAYLOAD, key, by.kid)
    assert agent_cose.verify(agent_cose.parse(message), key.public_key())
    verdict = check(hc1(message), parse_trust(by.pem))
    assert (verdict.signature, verdict.reason) == (False, F)
    assert verdict.detail == "signature: an algorithm that is not allowed"


def kid_text(kid: bytes) -> str:
    return base64.b64encode(kid).decode()


@pytest.mark.parametrize(
    ("begin", "end", "expected", "reason"),
    [
        (NOW, NOW + timedelta(days=1), "++++++++", None),
        (NOW - timedelta(days=1), NOW, "++++++++", None),
        (NOW + timedelta(seconds=1), NOW + timedelta(days=1), "++++++-+", N),
        (NOW - timedelta(days=1), NOW - timedelta(seconds=1), "++++++-+", E),
    ],
)
def test_a_certificate_lapses_with_its_signer(begin, end, expected: str, reason) -> None:
    by = signer("p256", begin=begin, end=end)
    verdict = check(certificate_text(by=by), parse_trust(by.pem))
    assert (steps(verdict), verdict.reason) == (expected, reason)


ENTRIES: dict[str, tuple[str, dict[str, Any]]] = {
    "t": ("1", {"t": [TEST]}),
    "v": ("2", {"v": [VACCINATION]}),
    "r": ("3", {"r": [RECOVERY]}),
}


@pytest.mark.parametrize("root", ["1.3.6.1.4.1.1847.2021.1.", "1.3.6.1.4.1.0.1847.2021.1."])
@pytest.mark.parametrize("usage", [*ENTRIES, "all", "other"])
@pytest.mark.parametrize("kind", ENTRIES)
def test_a_signer_signs_what_its_key_usage_allows(root: str, usage: str, kind: str) -> None:
    oids = {
        "all": tuple(root + number for number, _ in ENTRIES.values()),
        "other": ("1.3.6.1.5.5.7.3.1",),
    } | {name: (root + number,) for name, (number, _) in ENTRIES.items()}
    by = signer("p256", oids[usage])
    verdict = check(certificate_text(dcc(**ENTRIES[kind][1]), by), parse_trust(by.pem))
    assert verdict.valid == (usage in (kind, "all", "other"))
    assert verdict.signature is True
    assert verdict.reason in (None, H)


def vaccination(**changes):
    return dcc(v=[VACCINATION | changes])


def a_test(**changes):
    return dcc(t=[{name: value for name, value in (TEST | changes).items() if value is not None}])


def recovery(**changes):
    return dcc(r=[RECOVERY | changes])


NO_SERIES = AcceptanceRules(vaccination_min_days=14, vaccination_max_days=270)


@pytest.mark.parametrize(
    ("certificate", "rules", "detail"),
    [
        (dcc(), None, None),
        (dcc(t=[TEST]), None, None),
        (dcc(r=[RECOVERY]), None, None),
        (dcc(v=[VACCINATION], t=[], r=None), None, None),
        ({"ver": "1.0.0", "nam": {}}, None, "schema"),
        (dcc() | {"dob": None}, None, "schema"),
        (dcc() | {"dob": ""}, None, None),
        (dcc() | {"nam": {"fn": "E"}}, None, "schema"),
        (dcc(v="text"), None, "schema"),
        (dcc(v=[5]), None, "schema"),
        (dcc(v={"a": 1}), None, "schema"),
        (dcc(v=[]), None, "exactly one"),
        (dcc(v=[VACCINATION] * 2), None, "exactly one"),
        (dcc(v=[VACCINATION], t=[TEST]), None, "exactly one"),
        (vaccination(ci=""), None, "schema"),
        (vaccination(ma=5), None, "schema"),
        (vaccination(dn="2"), None, "schema"),
        (vaccination(sd=0), None, "schema"),
        (vaccination(dn=True), None, "schema"),
        (vaccination(dn=2.0), None, "schema"),
        (vaccination(tg="0"), None, "another disease"),
        (vaccination(dt="2026-05-21"), None, "in the future"),
        (vaccination(dt="2026-05-20"), None, None),
        (vaccination(dt="2026-05-20T00:00:00"), None, None),
        (vaccination(dt="2026-02-30"), None, "a date"),
        (vaccination(dt="yesterday"), None, "a date"),
        (vaccination(dn=1), None, None),
        (vaccination(dn=1), EU_TRAVEL, "not complete"),
        (vaccination(dt="2026-05-07"), EU_TRAVEL, "too recent"),
        (vaccination(dt="2026-05-06"), EU_TRAVEL, None),
        (vaccination(dt="2025-08-23"), EU_TRAVEL, None),
        (vaccination(dt="2025-08-22"), EU_TRAVEL, "too long ago"),
        (vaccination(dt="2025-08-22", dn=3), EU_TRAVEL, None),
        (vaccination(dt="2025-08-22", dn=2, sd=1), EU_TRAVEL, None),
        (vaccination(dn=1), NO_SERIES, None),
        (a_test(tr="260373001"), None, "not negative"),
        (a_test(sc="2026-05-20T12:00:01Z"), None, "in the future"),
        (a_test(sc="2026-05-20T14:00:00+02:00"), None, None),
        (a_test(sc="2026-05-20T14:00:00+02"), None, None),
        (a_test(sc="2026-05-20T14:00:00+0200"), None, None),
        (a_test(sc="2026-05-20T12:00:00"), None, None),
        (a_test(sc=1779192000), None, None),
        (a_test(sc=1779192000000), None, None),
        (a_test(sc=cbor2.CBORTag(0, "2026-05-19T12:00:00Z")), None, None),
        (a_test(sc=10**30), None, "schema|kind|date"),
        (a_test(sc=None), None, "a date"),
        (a_test(sc="noon"), None, "a date"),
        (a_test(sc="2026-05-17T12:00:00Z"), EU_TRAVEL, None),
        (a_test(sc="2026-05-17T11:59:59Z"), EU_TRAVEL, "too old"),
        (a_test(tt="LP217198-3"), EU_TRAVEL, None),
        (a_test(tt="LP217198-3", sc="2026-05-19T11:59:59Z"), EU_TRAVEL, "too old"),
        (a_test(tt="antibodies"), EU_TRAVEL, "another type"),
        (a_test(tt="antibodies"), None, None),
        (recovery(df="2026-05-21"), None, "yet"),
        (recovery(df="2026-05-20", du="2026-05-20"), None, None),
        (recovery(du="2026-05-19"), None, "any more"),
        (recovery(du="never"), None, "a date"),
        (recovery(fr="2026-05-10"), EU_TRAVEL, "too recent"),
        (recovery(fr="2025-11-21"), EU_TRAVEL, None),
        (recovery(fr="2025-11-20"), EU_TRAVEL, "too long ago"),
    ],
)
def test_what_a_certificate_must_state(certificate, rules, detail) -> None:
    verdict = check(certificate_text(certificate), rules=rules)
    if detail is None:
        assert steps(verdict) == "++++++++", verdict
    elif verdict.rules is False:
        assert steps(verdict) == "+++++++-"
        assert verdict.reason is H
        assert any(each in str(verdict.detail) for each in detail.split("|"))
    else:
        assert verdict.cbor is False  # a number that CBOR itself cannot hold untagged


@pytest.mark.parametrize(
    ("certificate", "detail"),
    [
        (a_test(sc="2026-05-20T13:00:00+2"), None),
        (a_test(sc="2026-05-19t12:00:00z"), None),
        (a_test(sc="2026-05-19T12:00:00.123456789012Z"), None),
        (a_test(sc="2569-05-19T12:00:00Z"), "a date that is none"),
        (a_test(sc="1447-12-02T12:00:00Z"), "a date that is none"),
        (a_test(sc=0), "a date that is none"),
        (vaccination(dt="2020-01-01"), None),
        (vaccination(dt="2019-12-31"), "a date that is none"),
        (vaccination(dt="2569-03-01"), "a date that is none"),
        (vaccination(dt="1447-09-12"), "a date that is none"),
        (vaccination(dt="2026-W10-1"), "a date that is none"),
        (vaccination(dt="2026-03"), "a date that is none"),
        (vaccination(dt="2026-03-01t00:00:00z"), None),
        (vaccination(dt="2026-03-01Tnoon"), "a date that is none"),
        (recovery(fr="2019-11-30"), "a date that is none"),
        (recovery(du="2569-07-31"), "a date that is none"),
        (recovery(df="1447-08-24"), "a date that is none"),
        (dcc() | {"dob": "1990"}, None),
        (dcc() | {"dob": "1990-02"}, None),
        (dcc() | {"dob": "1964-XX-XX"}, None),
        (dcc() | {"dob": "2533-01-02"}, "a date that is none"),
        (dcc() | {"dob": "1410"}, "a date that is none"),
        (dcc() | {"dob": "1410-06-XX"}, "a date that is none"),
        (dcc() | {"dob": "2026-05-23"}, "a date that is none"),
    ],
)
def test_a_date_is_one_by_the_standard_and_of_its_subject(certificate, detail) -> None:
    """Before, ``+2`` was none, and a dose of the Buddhist year 2569 or of 1447 was a dose."""
    verdict = check(certificate_text(certificate))
    assert (verdict.valid, verdict.reason) == (detail is None, None if detail is None else H)
    assert detail is None or detail in str(verdict.detail)


def test_a_message_without_key_id_is_tried_on_few_keys_only() -> None:
    text = hc1(cose(PAYLOAD, protected={1: -7}))
    others = [parse_trust(signer("p384", serial=serial).pem) for serial in range(1, 16)]
    assert check(text, merge([*others, TRUST])).valid
    too_many = merge([*others, parse_trust(signer("p384", serial=16).pem), TRUST])
    assert check(text, too_many).reason is F
