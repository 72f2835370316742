"""SMART Health Cards (spec.smarthealth.cards, 1.4): a signed FHIR bundle in a QR code.

    "shc:/"  digits  compact JWS (ES256, zip DEF)  raw deflate  JSON claims {iss, nbf, exp, vc}

Each pair of digits is a character: its code less 45. A card too large for one code comes as
"shc:/1/2/...", "shc:/2/2/..."; ``assemble`` joins them. The key id is the JWK thumbprint of the
issuer's key, which is installed here and belongs to the address in ``iss``; that is never asked.
Revocation lists are not read.
"""

import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from agent.credentials.errors import CredentialError, unreadable
from agent.credentials.formats import base64url, strict_json
from agent.credentials.formats.inflate import RAW, inflate
from agent.credentials.health.card_statements import check_statements
from agent.credentials.health.health import HealthKind, HealthVerdict, Steps, Subject, check_times
from agent.credentials.health.trust import TrustList, unknown_key
from agent.credentials.health.trusted_key import TrustedKey, is_issuer
from agent.domain.credential.reason import Reason

PREFIX = "shc:/"
MAX_CHARS = 32_768
MAX_PAYLOAD_BYTES = 65_536

_TYPE = "https://smarthealth.cards#health-card"
_OFFSET = 45
_PARTS = 3
_COORDINATE_BYTES = 32
_CHUNK = re.compile(r"shc:/(\d{1,3})/(\d{1,3})/(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class Jws:
    """A compact JWS (RFC 7515) as it came: nothing in it is true before its signature is."""

    header: Mapping[str, Any]
    signed: bytes
    payload: bytes
    signature: bytes


def verify_card(text: str, trust: TrustList, at: datetime) -> HealthVerdict:
    """Check the text of a QR code, or of all codes of one card, by ``trust`` at ``at``.

    ``at`` has a zone. That the card states an immunization or a laboratory result is asked; what
    the result says is not judged.
    """
    steps = Steps(HealthKind.SMART_HEALTH_CARD)
    subject = None
    try:
        with steps.must("prefix"):
            if not text.startswith(PREFIX):
                raise unreadable("prefix: not shc:/")
        jws = read_jws(text_of_digits(assemble(text)))
        signer = None
        with steps.judged("signature"):
            signer = _signer(jws, trust)
        with steps.must("zlib"):
            if jws.header.get("zip") != "DEF":
                raise unreadable("zlib: the payload is not marked as compressed")
            data = inflate(jws.payload, RAW, MAX_PAYLOAD_BYTES)
        claims = _claims(data)
        signers: tuple[TrustedKey, ...] = ()
        if signer is not None:
            with steps.judged("signature"):
                signers = _signers(claims.get("iss"), signer, trust)
        with steps.judged("valid_at"):
            end = None if claims.get("exp") is None else _moment(claims["exp"])
            check_times(at, _moment(claims.get("nbf")), end, end_included=False, what="the card")
            _check_certificates(signers, at)
        with steps.judged("rules"):
            entries = _check_form(claims)
            check_statements(entries, at)
            subject = _subject(entries)
    except CredentialError as error:
        steps.fail(error)
    return steps.verdict(subject)


def assemble(text: str) -> str:
    """The digits of a card; ``text`` is one code's, or all codes' with space between them.

    Raises:
        CredentialError: ``Other``; a part is missing, there twice, or of another card's number.
    """
    if len(text) > MAX_CHARS:
        raise unreadable("digits: too long")
    codes = text.split()
    if len(codes) == 1 and "/" not in codes[0][len(PREFIX) :]:
        return codes[0][len(PREFIX) :]
    found = [_CHUNK.fullmatch(code) for code in codes]
    chunks = {int(match[1]): match[3] for match in found if match is not None}
    counts = {int(match[2]) for match in found if match is not None}
    if None in found or len(counts) != 1 or len(chunks) != len(codes):
        raise unreadable("digits: not the parts of one card")
    if sorted(chunks) != list(range(1, counts.pop() + 1)):
        raise unreadable("digits: a part of the card is missing")
    return "".join(chunks[index] for index in sorted(chunks))


def text_of_digits(digits: str) -> str:
    """The characters that pairs of ``digits`` stand for.

    Raises:
        CredentialError: ``Other``; no digits, or not in pairs, or beyond what a JWS may hold.
    """
    if not digits or not digits.isascii() or not digits.isdigit() or len(digits) % 2:
        raise unreadable("digits: not pairs of digits")
    codes = [int(digits[start : start + 2]) for start in range(0, len(digits), 2)]
    if max(codes) + _OFFSET > ord("z"):
        raise unreadable("digits: a pair that stands for no character")
    return bytes(code + _OFFSET for code in codes).decode("ascii")


def read_jws(text: str) -> Jws:
    """Read a compact JWS; its signature is not checked.

    Raises:
        CredentialError: ``Other``; it has not three parts in base64url, or no JSON header.
    """
    parts = text.split(".")
    if len(parts) != _PARTS:
        raise unreadable("JWS: not three parts")
    header, payload, signature = (_base64url(part) for part in parts)
    fields = strict_json.loads(header)
    if not isinstance(fields, dict):
        raise unreadable("JWS: the header is no object")
    if "crit" in fields:
        raise unreadable("JWS: a critical header parameter that is not known")
    return Jws(fields, f"{parts[0]}.{parts[1]}".encode("ascii"), payload, signature)


def _base64url(text: str) -> bytes:
    if "=" in text:
        raise unreadable("JWS: not base64url")
    try:
        return base64url.decode(text)
    except (binascii.Error, ValueError):
        raise unreadable("JWS: not base64url") from None


def _signer(jws: Jws, trust: TrustList) -> str:
    """The thumbprint of the key that signed it."""
    if jws.header.get("alg") != "ES256":
        raise _forged("signature: an algorithm that is not allowed")
    key_id = jws.header.get("kid")
    trusted = trust.by_thumbprint(key_id) if isinstance(key_id, str) else None
    if trusted is None or not isinstance(trusted.key, EllipticCurvePublicKey):
        raise unknown_key(trust)
    size = _COORDINATE_BYTES
    if len(jws.signature) != 2 * size:
        raise _forged("signature: wrong")
    r, s = int.from_bytes(jws.signature[:size]), int.from_bytes(jws.signature[size:])
    try:
        trusted.key.verify(encode_dss_signature(r, s), jws.signed, ECDSA(SHA256()))
    except InvalidSignature:
        raise _forged("signature: wrong") from None
    return str(key_id)


def _signers(issuer: object, signer: str, trust: TrustList) -> tuple[TrustedKey, ...]:
    """The key that signed as each list has it; a card of no issuer is judged by the rules."""
    if not is_issuer(issuer):
        return ()
    found = trust.of_issuer(signer, str(issuer))
    if not found:
        raise _forged("signature: the key is another issuer's")
    return found


def _check_certificates(signers: tuple[TrustedKey, ...], at: datetime) -> None:
    """What a certificate signs lapses with it, as with EU certificates; a bare key never does.

    Where several lists have the key it holds as long as one of them lets it.
    """
    failure: CredentialError | None = None
    for key in signers:
        what = "the signer's certificate"
        try:
            check_times(at, key.not_before, key.not_after, end_included=True, what=what)
        except CredentialError as error:
            failure = failure or error
        else:
            return
    if failure is not None:
        raise failure


def _forged(detail: str) -> CredentialError:
    return CredentialError(Reason.CREDENTIAL_FORGED, detail)


def _claims(data: bytes) -> Mapping[str, Any]:
    claims = strict_json.loads(data)
    if not isinstance(claims, dict):
        raise unreadable("JSON: the payload is no set of claims")
    return claims


def _moment(value: object) -> datetime:
    """A NumericDate; what is missing, or in no calendar, lets no card be valid."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            pass
    raise CredentialError(Reason.CREDENTIAL_NOT_ACTIVE, "time: missing, or no time at all")


def _check_form(claims: Mapping[str, Any]) -> Sequence[Any]:
    """The entries of the FHIR bundle, where the claims are a health card's."""
    if not is_issuer(claims.get("iss")):
        raise _not_accepted("the issuer is no https address, or ends with a slash")
    match claims.get("vc"):
        case {
            "type": list(types),
            "credentialSubject": {
                "fhirVersion": str(),
                "fhirBundle": {"resourceType": "Bundle", "entry": [_, *_] as entries},
            },
        } if _TYPE in types:
            return tuple(entries)
        case _:
            raise _not_accepted("not of a health card's form")


def _not_accepted(rule: str) -> CredentialError:
    return CredentialError(Reason.HEALTH_CERTIFICATE_INVALID, f"rules: {rule}")


def _subject(entries: Sequence[Any]) -> Subject | None:
    """The only patient of the bundle; None where there is none, or more than one."""
    patients = [
        entry["resource"]
        for entry in entries
        if isinstance(entry, dict)
        and isinstance(entry.get("resource"), dict)
        and entry["resource"].get("resourceType") == "Patient"
    ]
    if len(patients) != 1:
        return None
    birth_date = patients[0].get("birthDate")
    match patients[0].get("name"):
        case [dict(name), *_]:
            family, given = name.get("family"), name.get("given")
        case _:
            family = given = None
    return Subject(
        family if isinstance(family, str) else None,
        " ".join(filter(_is_text, given)) if isinstance(given, list) else None,
        birth_date if isinstance(birth_date, str) else None,
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)
