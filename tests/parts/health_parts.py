"""Health certificates made here, by code that shares nothing with the agent's own."""

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
ISSUED, EXPIRES = NOW - timedelta(days=10), NOW + timedelta(days=10)
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
ES256, EDDSA, PS256 = -7, -8, -37
VACCINATION = {
    "tg": "840539006",
    "vp": "1119349007",
    "mp": "EU/1/20/1528",
    "ma": "ORG-100030215",
    "dn": 2,
    "sd": 2,
    "dt": "2026-03-01",
    "co": "XX",
    "is": "Ministry",
    "ci": "URN:UVCI:01:XX:1",
}
TEST = {
    "tg": "840539006",
    "tt": "LP6464-4",
    "sc": "2026-05-19T12:00:00Z",
    "tr": "260415000",
    "tc": "Centre",
    "co": "XX",
    "is": "Ministry",
    "ci": "URN:UVCI:01:XX:2",
}
RECOVERY = {
    "tg": "840539006",
    "fr": "2026-02-01",
    "df": "2026-02-12",
    "du": "2026-07-31",
    "co": "XX",
    "is": "Ministry",
    "ci": "URN:UVCI:01:XX:3",
}

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def base45(data: bytes) -> str:
    """RFC 9285, digit by digit."""
    text = ""
    for start in range(0, len(data), 2):
        number, size = int.from_bytes(data[start : start + 2]), 3 - (start + 1 == len(data))
        for _ in range(size):
            number, digit = divmod(number, 45)
            text += ALPHABET[digit]
    return text


@dataclass(frozen=True)
class Signer:
    """A key and its certificate."""

    key: PrivateKey
    der: bytes

    @property
    def kid(self) -> bytes:
        return hashlib.sha256(self.der).digest()[:8]

    @property
    def pem(self) -> str:
        return x509.load_der_x509_certificate(self.der).public_bytes(Encoding.PEM).decode()


@cache
def key_of(kind: str) -> PrivateKey:
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    curves = {
        "p256": ec.SECP256R1(),
        "p256b": ec.SECP256R1(),
        "p384": ec.SECP384R1(),
        "p521": ec.SECP521R1(),
    }
    return ec.generate_private_key(curves[kind])


@cache
def signer(
    kind: str = "p256",
    usages: tuple[str, ...] = (),
    begin: datetime = NOW - timedelta(days=30),
    end: datetime = NOW + timedelta(days=30),
    serial: int = 1,
    address: str | None = None,
) -> Signer:
    key = key_of(kind)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    if usages:
        oids = [x509.ObjectIdentifier(usage) for usage in usages]
        builder = builder.add_extension(x509.ExtendedKeyUsage(oids), critical=False)
    if address is not None:
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(address)])
        builder = builder.add_extension(names, critical=False)
    return Signer(key, builder.sign(key, SHA256()).public_bytes(Encoding.DER))


def dcc(**entries: Any) -> dict[str, Any]:
    """A certificate; without entries one vaccination."""
    whole = {
        "ver": "1.3.0",
        "nam": {"fn": "Example", "fnt": "EXAMPLE", "gn": "Eva", "gnt": "EVA"},
        "dob": "1990-01-02",
    }
    return whole | (entries or {"v": [VACCINATION]})


def claims(certificate: Any = None, **changes: Any) -> dict[Any, Any]:
    """CWT claims; ``changes`` name exp, iat, iss, nbf, and None takes one away."""
    numbers = {"iss": 1, "exp": 4, "nbf": 5, "iat": 6}
    named: dict[str, Any] = {
        "iss": "XX",
        "exp": int(EXPIRES.timestamp()),
        "iat": int(ISSUED.timestamp()),
    } | changes
    made = {numbers[name]: value for name, value in named.items() if value is not None}
    return made | {-260: {1: dcc() if certificate is None else certificate}}


def sign(key: PrivateKey, data: bytes) -> bytes:
    """By ES256 or PS256, as the key is."""
    if isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(SHA256()), 32)
        return key.sign(data, pss, SHA256())
    size = (key.curve.key_size + 7) // 8
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
    return r.to_bytes(size) + s.to_bytes(size)


def cose(
    payload: bytes,
    by: Signer | None = None,
    *,
    protected: Mapping[int, Any] | None = None,
    unprotected: Mapping[int, Any] | None = None,
    tags: tuple[int, ...] = (18,),
    signature: bytes | None = None,
) -> bytes:
    """A COSE_Sign1; without headers, algorithm and key id are protected."""
    by = by or signer()
    if protected is None:
        protected = {1: PS256 if isinstance(by.key, rsa.RSAPrivateKey) else ES256, 4: by.kid}
    raw = cbor2.dumps(dict(protected)) if protected else b""
    signed = cbor2.dumps(["Signature1", raw, b"", payload])
    message: Any = [raw, dict(unprotected or {}), payload, signature or sign(by.key, signed)]
    for tag in reversed(tags):
        message = cbor2.CBORTag(tag, message)
    return cbor2.dumps(message)


def hc1(message: bytes) -> str:
    return "HC1:" + base45(zlib.compress(message))


def certificate_text(certificate: Any = None, by: Signer | None = None, **changes: Any) -> str:
    """The text of a whole EU DCC."""
    return hc1(cose(cbor2.dumps(claims(certificate, **changes)), by))


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk(kind: str = "p256") -> dict[str, str]:
    """The public key, with its thumbprint (RFC 7638) as key id."""
    key = key_of(kind).public_key()
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        n = base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8))
        members = {"e": "AQAB", "kty": "RSA", "n": n}
    else:
        size = (key.curve.key_size + 7) // 8
        point = key.public_numbers()
        members = {
            "crv": f"P-{key.curve.key_size}",
            "kty": "EC",
            "x": base64url(point.x.to_bytes(size)),
            "y": base64url(point.y.to_bytes(size)),
        }
    canonical = json.dumps(members, separators=(",", ":")).encode()
    return members | {"kid": base64url(hashlib.sha256(canonical).digest())}


PATIENT = {
    "fullUrl": "resource:0",
    "resource": {
        "resourceType": "Patient",
        "name": [{"family": "Example", "given": ["Eva", "B."]}],
        "birthDate": "1990-01-02",
    },
}


IMMUNIZATION: dict[str, Any] = {
    "fullUrl": "resource:1",
    "resource": {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "207"}]},
        "patient": {"reference": "resource:0"},
        "occurrenceDateTime": "2026-03-01",
    },
}


def bundle(*entries: Any) -> dict[str, Any]:
    """The ``vc`` of a card with these entries."""
    return {
        "type": ["https://smarthealth.cards#health-card"],
        "credentialSubject": {
            "fhirVersion": "4.0.1",
            "fhirBundle": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": list(entries),
            },
        },
    }


def card_claims(**changes: Any) -> dict[str, Any]:
    whole = {
        "iss": "https://issuer.example/cards",
        "nbf": ISSUED.timestamp() + 0.25,
        "vc": bundle(PATIENT, IMMUNIZATION),
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def jws(payload: bytes, kind: str = "p256", **header: Any) -> str:
    """A compact JWS; ``header`` changes members, None takes one away."""
    members = {"zip": "DEF", "alg": "ES256", "kid": jwk(kind)["kid"]} | header
    head = json.dumps({name: value for name, value in members.items() if value is not None})
    signed = f"{base64url(head.encode())}.{base64url(payload)}"
    return f"{signed}.{base64url(sign(key_of(kind), signed.encode()))}"


def shc(text: str) -> str:
    return "shc:/" + "".join(f"{ord(char) - 45:02d}" for char in text)


def card_text(**changes: Any) -> str:
    """The text of a whole SMART Health Card."""
    return shc(jws(deflate(json.dumps(card_claims(**changes)).encode())))


def chunks(text: str, size: int = 300) -> list[str]:
    digits = text.removeprefix("shc:/")
    parts = [digits[start : start + size] for start in range(0, len(digits), size)]
    return [f"shc:/{index}/{len(parts)}/{part}" for index, part in enumerate(parts, 1)]
