"""Base45, CBOR, COSE, inflate, JSON and trust lists: strict, bounded, and of one kind of error."""

import base64
import contextlib
import json
import tracemalloc
import zlib
from dataclasses import replace

import cbor2
import health_parts
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from health_parts import ES256, PS256, Signer, jwk, signer
from hypothesis import given
from hypothesis import strategies as st

from agent.credentials.errors import CredentialError
from agent.credentials.formats import base45, cbor, cose, strict_json
from agent.credentials.formats.inflate import RAW, ZLIB, inflate
from agent.credentials.health.trust import TrustListError, content_of, parse_trust
from agent.domain.credential.reason import Reason


def detail(call, *arguments, **named) -> str:
    with pytest.raises(CredentialError) as caught:
        call(*arguments, **named)
    assert caught.value.reason is Reason.OTHER
    return caught.value.detail


@given(st.binary(max_size=300))
def test_base45_brings_back_what_went_in_and_agrees_with_the_digits(data: bytes) -> None:
    assert base45.encode(data) == health_parts.base45(data)
    assert base45.decode(base45.encode(data)) == data


@pytest.mark.parametrize(
    ("text", "data"),
    [("BB8", b"AB"), ("%69 VD92EX0", b"Hello!!"), ("UJCLQE7W581", b"base-45"), ("", b"")],
)
def test_base45_has_the_examples_of_the_rfc(text: str, data: bytes) -> None:
    assert base45.encode(data) == text
    assert base45.decode(text) == data


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("A", "length"),
        ("AAAA", "length"),
        ("BB8=", "outside"),
        ("bb8", "outside"),
        ("B\n8", "outside"),
        ("BÄ8", "outside"),
        ("B\ud8008", "outside"),
        ("GGW", "two bytes"),
        (":::", "two bytes"),
        ("BB8U5", None),
        ("BB8V5", "one byte"),
        ("::", "one byte"),
        ("0" * 8193, "too long"),
        ("A" * 1_000_000, "too long"),
    ],
)
def test_base45_refuses(text: str, fault: str | None) -> None:
    if fault is None:
        assert base45.decode(text) == b"AB\xff"
    else:
        assert fault in detail(base45.decode, text)


@given(st.text(max_size=60))
def test_base45_raises_nothing_else(text: str) -> None:
    with contextlib.suppress(CredentialError):
        assert base45.encode(base45.decode(text)) == text


@pytest.mark.parametrize(
    ("encoded", "fault"),
    [
        ("", "well-formed"),
        ("a201020103", "one key twice"),
        ("81a201020103", "one key twice"),
        ("bf01020103ff", "one key twice"),
        ("a20102f93c0003", "one key twice"),
        ("0000", "after the end"),
        ("616100", "after the end"),
        ("bf0102ff00", "after the end"),
        ("81" * 16 + "00", None),
        ("81" * 17 + "00", "deeply"),
        ("9f" * 17 + "00" + "ff" * 17, "deeply"),
        ("81" * 500 + "00", "well-formed"),
        ("c249" + "ff" * 9, "a tag"),
        ("c48202" + "c249" + "ff" * 9, "a tag"),
        ("d81c81d81d00", "a tag"),
        ("d823626161", "a tag"),
        ("d9010281" + "01", "a tag"),
        ("d9d9f700", "a tag"),
        ("d90fff00", "a tag"),
        ("c000", "a tag"),
        ("5bffffffffffffffff", "well-formed"),
        ("9bffffffffffffffff", "well-formed"),
        ("bbffffffffffffffff", "well-formed"),
        ("7b0000000100000000", "well-formed"),
        ("62c328", "well-formed"),
        ("a1f401", "a kind that"),
        ("a1a0a0", "a kind that"),
        ("f0", "a kind that"),
        ("f7", "a kind that"),
        ("5f42010243030405ff", None),
        ("7f61616162ff", None),
        ("bf01ff", "well-formed"),
        ("00" * 16_385, "too long"),
    ],
)
def test_cbor_refuses(encoded: str, fault: str | None) -> None:
    data = bytes.fromhex(encoded)
    if fault is None:
        cbor.decode(data)
    else:
        assert fault in detail(cbor.decode, data)


def test_cbor_keeps_the_tags_that_were_asked_for() -> None:
    found = cbor.decode(bytes.fromhex("c06161"), tags=frozenset({0}))
    assert (found.tag, found.value) == (0, "a")
    assert "a tag" in detail(cbor.decode, bytes.fromhex("c1c06161"), tags=frozenset({1}))


@given(st.binary(max_size=200))
def test_cbor_and_cose_raise_nothing_else(data: bytes) -> None:
    for parse in (cbor.decode, cose.parse):
        with contextlib.suppress(CredentialError):
            parse(data)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.integers(-9, 9) | st.text(), inner),
    max_leaves=8,
)


@given(VALUES)
def test_cbor_reads_what_cbor2_writes(value) -> None:
    def thawed(item):
        match item:
            case tuple():
                return [thawed(each) for each in item]
            case _ if hasattr(item, "items"):
                return {key: thawed(each) for key, each in item.items()}
        return item

    assert thawed(cbor.decode(cbor2.dumps(value))) == value


@pytest.mark.parametrize("tags", [(), (18,), (61, 18), (61,)])
@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048", "rsa3072"])
def test_a_signature_is_right_with_its_key_only(kind: str, tags: tuple[int, ...]) -> None:
    by = signer(kind)
    message = cose.parse(health_parts.cose(b"payload", by, tags=tags))
    assert message.key_id == by.kid
    assert cose.verify(message, by.key.public_key())
    other = signer("p384" if kind == "p256" else "p256")
    assert not cose.verify(message, other.key.public_key())


@pytest.mark.parametrize(
    ("kind", "algorithm", "length"),
    [("p521", ES256, None), ("p256", PS256, None), ("rsa2048", ES256, None), ("p256", ES256, 63)],
)
def test_a_signature_of_another_kind_is_wrong(kind: str, algorithm: int, length) -> None:
    by = signer(kind)
    signature = None if length is None else bytes(length)
    data = health_parts.cose(b"x", by, protected={1: algorithm, 4: by.kid}, signature=signature)
    assert not cose.verify(cose.parse(data), by.key.public_key())


@pytest.mark.parametrize("kind", ["p256", "p384"])
def test_a_signature_has_one_length_only(kind: str) -> None:
    by = signer(kind)
    good = cose.parse(health_parts.cose(b"x", by))
    half = len(good.signature) // 2
    r, s = good.signature[:half], good.signature[half:]
    assert cose.verify(good, by.key.public_key())
    # The same two numbers with a zero before one of them: r || s cut in the middle still fits.
    for longer in (r + b"\0" + s, r + b"\0\0" + s, b"\0" + r + b"\0" + s):
        assert not cose.verify(replace(good, signature=longer), by.key.public_key())


@pytest.mark.parametrize("algorithm", [None, -35, -8, 5, "ES256", True, -7.0, b"", 2**60])
def test_an_unknown_algorithm_verifies_nothing(algorithm) -> None:
    by = signer()
    protected = {4: by.kid} | ({} if algorithm is None else {1: algorithm})
    message = cose.parse(health_parts.cose(b"x", by, protected=protected))
    assert message.algorithm in (None, cose.Algorithm.EDDSA)
    assert not cose.verify(message, by.key.public_key())


def test_the_protected_header_goes_first() -> None:
    data = health_parts.cose(b"x", protected={1: -7, 4: b"a"}, unprotected={1: -37, 4: b"b"})
    assert (cose.parse(data).algorithm, cose.parse(data).key_id) == (-7, b"a")
    data = health_parts.cose(b"x", protected={}, unprotected={1: -7, 4: b"b"})
    assert (cose.parse(data).algorithm, cose.parse(data).key_id) == (-7, b"b")


@pytest.mark.parametrize(
    "encoded",
    [
        "80", "8440a040", "8440a0f640", "84f6a04040", "844080" + "4040", "8441f6a04040",
        "8441a1a04040", "8440a14040", "8443a10201a04040", "8440a1024040" + "40", "d28340a040",
        "d2d83d8440a04040", "d28540a0404040", "a0", "00", "846140a04040",
    ],
)  # fmt: skip
def test_what_is_no_cose_sign1_is_refused(encoded: str) -> None:
    detail(cose.parse, bytes.fromhex(encoded))


@given(st.binary(max_size=80), st.booleans())
def test_an_ed25519_signature_holds_for_its_bytes(payload: bytes, tagged) -> None:
    key = Ed25519PrivateKey.generate()
    data = cose.sign(payload, key, b"12345678", tagged=tagged)
    message = cose.parse(data)
    assert (message.payload, message.key_id) == (payload, b"12345678")
    assert cose.verify(message, key.public_key())
    assert not cose.verify(message, key.public_key(), b"aad")
    assert not cose.verify(cose.parse(data[:-1] + bytes([data[-1] ^ 1])), key.public_key())


@pytest.mark.parametrize("form", [ZLIB, RAW])
def test_what_expands_too_far_is_not_expanded(form: int) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, form)
    bomb = packer.compress(bytes(50_000_000)) + packer.flush()
    assert len(bomb) < 60_000
    tracemalloc.start()
    try:
        assert detail(inflate, bomb, form, 16_384) == "zlib: expands too far"
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    packer = zlib.compressobj(9, zlib.DEFLATED, form)
    good = packer.compress(bytes(16_384)) + packer.flush()
    assert inflate(good, form, 16_384) == bytes(16_384)
    assert detail(inflate, good[:-1], form, 16_384) == "zlib: cut short"
    assert detail(inflate, good + b"x", form, 16_384) == "zlib: bytes after the end"
    assert "zlib: " in detail(inflate, b"\xff\xff\xff", form, 16_384)


@given(st.binary(max_size=100), st.sampled_from([ZLIB, RAW]))
def test_inflate_raises_nothing_else(data: bytes, form: int) -> None:
    with contextlib.suppress(CredentialError):
        assert len(inflate(data, form, 1000)) <= 1000


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a":1,"a":1}', "one key twice"),
        ('[{"a":{"b":1,"b":2}}]', "one key twice"),
        ("NaN", "a number"),
        ("[-Infinity]", "a number"),
        ("1e999", "a number"),
        ("9" * 5000, "well-formed"),
        ("[" * 200_000, "deeply"),
        ('{"a":' * 200_000, "deeply"),
        ("{} x", "well-formed"),
        ("", "well-formed"),
        (b"\xff", "well-formed"),
        (b'"\xc3\x28"', "well-formed"),
    ],
)
def test_json_refuses(text, fault: str) -> None:
    assert fault in detail(strict_json.loads, text)


@given(st.text(max_size=50) | st.binary(max_size=50))
def test_json_raises_nothing_else(text) -> None:
    with contextlib.suppress(CredentialError):
        assert strict_json.loads(text) == json.loads(text)


def every_form(by: Signer) -> dict[str, str]:
    bare = base64.b64encode(by.der).decode()
    return {
        "PEM": by.pem,
        "PEM among prose": f"An issuer\n{by.pem}\nand its words",
        "bare base64": bare,
        "broken base64": "\n".join(bare[start : start + 60] for start in range(0, len(bare), 60)),
        "DER": content_of(by.der),
        "with a mark": "\ufeff" + by.pem,
    }


@pytest.mark.parametrize("form", every_form(signer()))
def test_a_certificate_is_read_in_every_form(form: str) -> None:
    by = signer()
    trust = parse_trust(every_form(by)[form])
    assert [key.key_ids for key in trust.by_key_id(by.kid)] == [{by.kid}]
    assert len(trust.keys) == 1


def test_many_certificates_are_read() -> None:
    many = [signer(), signer("p384"), signer("rsa2048"), signer(serial=2)]
    pem = "".join(each.pem for each in many)
    lines = "\n".join(content_of(each.der) for each in many)
    for content in (pem, lines):
        trust = parse_trust(content)
        assert all(len(trust.by_key_id(each.kid)) == 1 for each in many)


@pytest.mark.parametrize("form", [lambda k: {"keys": [k]}, lambda k: [k], lambda k: k])
def test_a_jwk_set_is_read_in_every_form(form) -> None:
    key = jwk()
    trust = parse_trust(json.dumps(form(key)))
    found = trust.by_thumbprint(key["kid"])
    assert found is not None
    assert found.key == health_parts.key_of("p256").public_key()
    assert not trust.has_private


def test_a_jwk_is_known_by_its_thumbprint_whatever_it_calls_itself() -> None:
    key = jwk()
    trust = parse_trust(json.dumps(key | {"kid": "another"}))
    assert trust.by_thumbprint(key["kid"]) is not None
    assert trust.by_thumbprint("another") is None


def test_a_certificate_counts_for_its_own_jwk_only() -> None:
    by, other = signer(), signer("p256", serial=9)
    chain = {"x5c": [content_of(by.der)]}
    trust = parse_trust(json.dumps(jwk() | chain))
    assert trust.by_key_id(by.kid)[0].not_after is not None
    wrong = parse_trust(json.dumps(jwk("p384") | chain))
    assert wrong.by_key_id(by.kid) == ()
    assert parse_trust(other.pem).by_key_id(by.kid) == ()


def test_keys_of_no_use_are_left_out() -> None:
    bad = [
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": ["P-256"], "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": 1, "y": 2},
        {"kty": "RSA", "n": "AA", "e": "AQAB"},
        jwk() | {"use": "enc"},
        {},
        5,
    ]
    assert len(parse_trust(json.dumps({"keys": [*bad, jwk("p384")]})).keys) == 1
    with pytest.raises(TrustListError, match="no key"):
        parse_trust(json.dumps(bad))


def test_a_private_key_is_noticed() -> None:
    assert parse_trust(json.dumps(jwk() | {"d": "AA"})).has_private


@pytest.mark.parametrize(
    "content",
    [
        "", "x", "{", "[]", "{}", '{"keys": 5}', '{"keys": [], "keys": []}', "AAAA",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----", "\ud800", "é",
        signer().pem.replace("M", "N", 3), "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_trust_list_is_refused(content: str) -> None:
    with pytest.raises(TrustListError):
        parse_trust(content)


@given(st.text(max_size=80) | st.sampled_from([signer().pem, json.dumps(jwk())]), st.data())
def test_trust_lists_raise_nothing_else(content: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(content)))
    changed = content[:cut] + data.draw(st.text(max_size=3)) + content[cut + 1 :]
    with contextlib.suppress(TrustListError):
        assert parse_trust(changed).keys
