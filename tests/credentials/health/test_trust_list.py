"""Trust lists with something odd in them: all else counts, and what is left out is told."""

import base64
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from health_parts import (
    NOW,
    TEST,
    Signer,
    card_text,
    certificate_text,
    dcc,
    jwk,
    key_of,
    signer,
)
from health_verdicts import H, check
from hypothesis import given
from hypothesis import strategies as st

from agent.credentials.formats import der
from agent.credentials.health.certificate import read_certificate
from agent.credentials.health.trust import MOST_NAMED, TrustList, TrustListError, parse_trust
from agent.credentials.health.trusted_key import TrustedKey

TESTS_ONLY = "1.3.6.1.4.1.1847.2021.1.1"
CA_FALSE = x509.UnrecognizedExtension(
    x509.ObjectIdentifier("2.5.29.19"), bytes.fromhex("3003010100")
)
"""BasicConstraints with cA FALSE written out, which DER does not allow and OpenSSL accepts."""


def odd_signer(usage: str | None = None, serial: int = 77) -> Signer:
    key = key_of("p256")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "odd")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2052, 1, 1, tzinfo=UTC))
        .add_extension(CA_FALSE, critical=True)
    )
    if usage is not None:
        oids = [x509.ObjectIdentifier(usage)]
        builder = builder.add_extension(x509.ExtendedKeyUsage(oids), critical=False)
    return Signer(key, builder.sign(key, SHA256()).public_bytes(Encoding.DER))


def test_the_odd_certificate_is_odd() -> None:
    loaded = x509.load_der_x509_certificate(odd_signer().der)
    with pytest.raises(ValueError, match=r"."):
        _ = loaded.extensions


def pem(*ders: bytes) -> str:
    armour = "-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n"
    return "".join(armour.format(base64.encodebytes(each).decode()) for each in ders)


def test_one_odd_certificate_spoils_no_list() -> None:
    """Before, a list with one of these was refused whole, and every key of it unknown."""
    odd, good = odd_signer(), signer("p384")
    for ders in ((odd.der, good.der), (good.der, odd.der)):
        trust = parse_trust(pem(*ders))
        assert (len(trust.keys), trust.skipped) == (2, ())
        assert check(certificate_text(by=odd), trust).valid
        assert check(certificate_text(by=good), trust).valid


def test_what_an_odd_certificate_restricts_holds() -> None:
    odd = odd_signer(TESTS_ONLY)
    trust = parse_trust(pem(odd.der))
    assert trust.keys[0].usages == {TESTS_ONLY}
    assert trust.keys[0].not_after == datetime(2052, 1, 1, tzinfo=UTC)
    assert check(certificate_text(dcc(t=[TEST]), odd), trust).valid
    assert check(certificate_text(by=odd), trust).reason is H


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    return bytes((tag, 0x82)) + size.to_bytes(2) + content


def test_a_default_value_in_an_extension_is_no_hindrance() -> None:
    """``critical FALSE`` written out: the strict library refuses the whole certificate."""
    whole = der.only_element(signer("p256", (TESTS_ONLY,)).der).inside()
    parts = whole[0].inside()
    wrapped = der.only_element(parts[-1].content).inside()
    name, value = wrapped[0].inside()
    extension = tlv(der.SEQUENCE, name.whole + b"\x01\x01\x00" + value.whole)
    extensions = tlv(der.context(3), tlv(der.SEQUENCE, extension))
    signed = tlv(der.SEQUENCE, b"".join(each.whole for each in parts[:-1]) + extensions)
    data = tlv(der.SEQUENCE, signed + whole[1].whole + whole[2].whole)
    with pytest.raises(ValueError, match=r"."):
        x509.load_der_x509_certificate(data)
    assert read_certificate(data).usages == {TESTS_ONLY}


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048"])
@pytest.mark.parametrize("usages", [(), (TESTS_ONLY,), (TESTS_ONLY, "2.999.4294967296.3")])
def test_field_by_field_says_what_the_library_says(kind: str, usages: tuple[str, ...]) -> None:
    by = signer(kind, usages, address="https://issuer.example")
    strict, own = x509.load_der_x509_certificate(by.der), read_certificate(by.der)
    assert own.key == strict.public_key()
    assert own.not_before == strict.not_valid_before_utc
    assert own.not_after == strict.not_valid_after_utc
    assert own.usages == set(usages)
    assert own.addresses == {"https://issuer.example"}
    assert own.key_id == by.kid


BROKEN = pem(b"\x30\x03\x02\x01\x01")
GOOD = signer()


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (BROKEN + GOOD.pem, "certificate 1"),
        (GOOD.pem + BROKEN, "certificate 2"),
        (GOOD.pem + GOOD.pem[:300], "certificate 2"),
        (GOOD.pem[:300] + "\n" + GOOD.pem, "certificate 1"),
        (pem(GOOD.der[:-9]) + GOOD.pem, "certificate 1"),
        (GOOD.pem.replace("M", "!", 1) + GOOD.pem, "certificate 1"),
        (f"{base64.b64encode(GOOD.der).decode()}\nnot-base64\n", "certificate 2"),
        (f"AAAA\n{base64.b64encode(GOOD.der).decode()}", "certificate 1"),
    ],
)
def test_a_damaged_certificate_is_left_out_and_named(content: str, place: str) -> None:
    trust = parse_trust(content)
    assert [key.key_ids for key in trust.keys] == [{GOOD.kid}]
    assert [each.place for each in trust.skipped] == [place]
    assert trust.skipped_count == 1
    assert all(each.why for each in trust.skipped)


ENTRIES: list[Any] = [
    5,
    None,
    {},
    jwk() | {"x": "AA"},
    jwk() | {"kty": ["EC"]},
    jwk() | {"use": "enc"},
    jwk() | {"x5c": ["!!"]},
    jwk() | {"x5c": [base64.b64encode(GOOD.der[:-5]).decode()]},
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_damaged_key_of_a_set_is_left_out_and_named(entry: Any) -> None:
    trust = parse_trust(json.dumps({"keys": [entry, jwk("p256b"), jwk()]}))
    assert len(trust.keys) == 2
    assert [each.place for each in trust.skipped] == ["key 1"]
    assert check(card_text(), trust).valid
    name = entry.get("kid") if isinstance(entry, dict) else None
    assert trust.skipped[0].name == name


@pytest.mark.parametrize(
    "odd", ['{"kid": "a", "kid": "b"}', "NaN", '{"x": 1e999}', '{"x": ' + "9" * 5000 + "}"]
)
def test_what_json_does_not_allow_costs_its_own_entry_only(odd: str) -> None:
    trust = parse_trust(f'{{"keys": [{odd}, {json.dumps(jwk())}]}}')
    assert (len(trust.keys), [each.place for each in trust.skipped]) == (1, ["key 1"])


def test_an_issuer_without_an_address_is_left_out_and_named() -> None:
    infos = [
        {"issuer": {"iss": "http://issuer.example"}, "keys": [jwk()]},
        {"issuer": {"name": "?"}, "keys": [jwk()]},
        {"issuer": {"iss": "https://issuer.example/cards"}, "keys": [5, jwk()]},
        7,
    ]
    trust = parse_trust(json.dumps({"issuerInfo": infos}))
    assert len(trust.keys) == 1
    places = [each.place for each in trust.skipped]
    assert places == ["issuer 1", "issuer 2", "issuer 3, key 1", "issuer 4"]


def test_so_many_are_named_and_the_others_counted() -> None:
    trust = parse_trust(json.dumps([*[5] * 500, jwk()]))
    assert (len(trust.skipped), trust.skipped_count) == (MOST_NAMED, 500)


def test_a_name_that_is_no_line_is_not_repeated() -> None:
    trust = parse_trust(json.dumps([{"kid": "\x1b[2J"}, {"kid": "a" * 500}, jwk()]))
    assert [each.name for each in trust.skipped] == [None, "a" * 64]


@pytest.mark.parametrize(
    "content", [BROKEN * 3, GOOD.pem[:200], "[5, {}]", '{"issuerInfo": [7]}', '{"issuerInfo": 7}']
)
def test_where_nothing_can_be_read_it_is_no_list(content: str) -> None:
    with pytest.raises(TrustListError):
        parse_trust(content)


def test_a_private_key_beside_certificates_is_noticed() -> None:
    inside = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"
    assert parse_trust(GOOD.pem + inside).has_private


@given(st.integers(0, len(GOOD.der) - 1), st.binary(max_size=3))
def test_a_changed_certificate_is_read_or_a_value_error(where: int, new: bytes) -> None:
    data = GOOD.der[:where] + new + GOOD.der[where + 1 :]
    try:
        found = read_certificate(data)
    except ValueError:
        return
    assert found.not_before.tzinfo is not None


@given(st.binary(max_size=60))
def test_der_raises_nothing_else(data: bytes) -> None:
    try:
        for each in der.elements(data):
            each.inside()
            der.object_id(each)
    except ValueError:
        return
    assert NOW


@pytest.mark.parametrize("encoded", ["", "30", "3080", "3002", "1f0100", "30850000000001"])
def test_what_is_no_element_is_refused(encoded: str) -> None:
    with pytest.raises(ValueError, match="DER"):
        der.only_element(bytes.fromhex(encoded))


def with_extension(name: bytes, value: bytes) -> bytes:
    """A certificate that has this extension, and nothing else of note."""
    times = tlv(0x30, tlv(0x17, b"250101000000Z") * 2)
    key = key_of("p256").public_key()
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    extension = tlv(0x30, tlv(0x30, tlv(0x06, name) + tlv(0x04, value)))
    empty = tlv(0x30, b"")
    signed = tlv(0x02, b"\x01") + empty * 2 + times + empty + info + tlv(0xA3, extension)
    return tlv(0x30, tlv(0x30, signed) + empty + tlv(0x03, b"\x00"))


def test_an_endless_object_identifier_costs_its_own_certificate_and_no_time() -> None:
    endless = b"\xff" * 60_000 + b"\x01"
    usages = with_extension(bytes.fromhex("551d25"), tlv(0x30, tlv(0x06, endless)))
    start_s = time.perf_counter()
    found = parse_trust(pem(usages, signer().der))
    assert time.perf_counter() - start_s < 1.0
    assert (len(found.keys), found.skipped_count) == (1, 1)


@pytest.mark.parametrize(
    "content",
    [
        "A" * 15_999_996,
        "A\n" * 7_900_000,
        "-----BEGIN CERTIFICATE-----" * 590_000,
        base64.b64encode(with_extension(b"\xff" * 60_000 + b"\x01", b"")).decode(),
    ],
    ids=["zeros", "lines", "armour", "identifier"],
)
def test_a_list_that_is_none_is_refused_in_time(content: str) -> None:
    start_s = time.perf_counter()
    with pytest.raises(TrustListError):
        parse_trust(content)
    assert time.perf_counter() - start_s < 2.0


def test_many_keys_of_one_id_are_read_in_time() -> None:
    start_s = time.perf_counter()
    keys = [TrustedKey(key_of("p256").public_key(), frozenset({b"8"}), "x")] * 100_000
    assert len(TrustList(tuple(keys)).by_key_id(b"8")) == 100_000
    assert time.perf_counter() - start_s < 1.0
