"""EU Digital COVID Certificates (Regulation (EU) 2021/953; eHealth Network, "HCERT" and "DCC").

    "HC1:"  base45  zlib  COSE_Sign1  CWT claims {1: iss, 4: exp, 6: iat, -260: {1: certificate}}

The signature is checked by the installed key that the message names; a message that names none is
tried on every installed key, of which there must be few. The signer's certificate must be valid
at the time too: what it signed lapses with it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import cbor2

from agent.credentials.errors import CredentialError, unreadable
from agent.credentials.formats import base45, cbor, cose
from agent.credentials.formats.inflate import ZLIB, inflate
from agent.credentials.health.eu_dcc_rules import AcceptanceRules, check_rules
from agent.credentials.health.health import HealthKind, HealthVerdict, Steps, Subject, check_times
from agent.credentials.health.trust import TrustList, unknown_key
from agent.credentials.health.trusted_key import TrustedKey
from agent.domain.credential.reason import Reason

PREFIX = "HC1:"

_ISS, _EXP, _NBF, _IAT, _HCERT = 1, 4, 5, 6, -260
_CERTIFICATE = 1
_DATE_TAGS = frozenset({0, 1, 1004})
_MAX_TRIED_KEYS = 16
_SIGNATURES = (cose.Algorithm.ES256, cose.Algorithm.PS256)


@dataclass(frozen=True, slots=True, repr=False)
class Claims:
    """The CWT claims that count here; ``certificate`` is the DCC itself, of any content yet."""

    issued: datetime | None
    not_before: datetime | None
    expires: datetime | None
    certificate: Mapping[object, cbor.Value]


def verify_dcc(
    text: str, trust: TrustList, at: datetime, rules: AcceptanceRules | None = None
) -> HealthVerdict:
    """Check the text of a QR code by ``trust`` at the time ``at``, which has a zone.

    ``rules`` says what a valid certificate must state to be accepted; without, that it is about
    one vaccination, negative test or recovery, as its schema has it, and not in the future.
    """
    steps = Steps(HealthKind.EU_DCC)
    subject = None
    try:
        with steps.must("prefix"):
            body = _unprefixed(text)
        with steps.must("base45"):
            packed = base45.decode(body)
        with steps.must("zlib"):
            data = inflate(packed, ZLIB, cbor.MAX_BYTES)
        with steps.must("cbor"):
            item = cbor.decode(data, tags=cose.TAGS)
        with steps.must("cose"):
            message = cose.from_item(item)
        signer = None
        with steps.judged("signature"):
            signer = _signer(message, trust)
        with steps.must("cbor"):
            claims = read_claims(message.payload)
        with steps.judged("valid_at"):
            _check_validity(claims, signer, at)
        with steps.judged("rules"):
            usages = frozenset() if signer is None else signer.usages
            check_rules(claims.certificate, usages, at, rules or AcceptanceRules())
        subject = _subject(claims.certificate)
    except CredentialError as error:
        steps.fail(error)
    return steps.verdict(subject)


def read_claims(payload: bytes) -> Claims:
    """The claims of a signed payload.

    Raises:
        CredentialError: ``Other``; no CWT that carries a DCC.
    """
    claims = _untagged(cbor.decode(payload, tags=_DATE_TAGS))
    if not isinstance(claims, Mapping):
        raise unreadable("CBOR: the payload is no set of claims")
    match claims.get(_HCERT):
        case Mapping() as certificates:
            certificate = certificates.get(_CERTIFICATE)
        case _:
            certificate = None
    if not isinstance(certificate, Mapping):
        raise unreadable("CBOR: the payload carries no health certificate")
    issuer = claims.get(_ISS)
    if issuer is not None and not isinstance(issuer, str):
        raise unreadable("CBOR: the issuer is no text")
    return Claims(
        _moment(claims.get(_IAT)),
        _moment(claims.get(_NBF)),
        _moment(claims.get(_EXP)),
        certificate,
    )


def _unprefixed(text: str) -> str:
    if not text.startswith(PREFIX):
        raise unreadable("prefix: not HC1:")
    return text[len(PREFIX) :]


def _signer(message: cose.Sign1, trust: TrustList) -> TrustedKey:
    if message.algorithm not in _SIGNATURES:
        raise _forged("signature: an algorithm that is not allowed")
    if message.key_id is None:
        candidates = _of_eu(trust.keys)
        candidates = candidates if len(candidates) <= _MAX_TRIED_KEYS else ()
    else:
        candidates = _of_eu(trust.by_key_id(message.key_id))[:_MAX_TRIED_KEYS]
    if not candidates:
        raise unknown_key(trust)
    for candidate in candidates:
        if cose.verify(message, candidate.key):
            return candidate
    raise _forged("signature: wrong")


def _of_eu(keys: tuple[TrustedKey, ...]) -> tuple[TrustedKey, ...]:
    return tuple(key for key in keys if key.kind is HealthKind.EU_DCC)


def _forged(detail: str) -> CredentialError:
    return CredentialError(Reason.CREDENTIAL_FORGED, detail)


def _check_validity(claims: Claims, signer: TrustedKey | None, at: datetime) -> None:
    """By the claims, then by the signer's certificate.

    The expiry is required, as the specification requires it: what never expires is not accepted.
    """
    if claims.expires is None:
        raise CredentialError(Reason.CREDENTIAL_EXPIRED, "time: the certificate has no expiry")
    for begin in (claims.issued, claims.not_before):
        check_times(at, begin, claims.expires, end_included=False, what="the certificate")
    if signer is not None:
        check_times(
            at,
            signer.not_before,
            signer.not_after,
            end_included=True,
            what="the signer's certificate",
        )


def _moment(value: cbor.Value) -> datetime | None:
    """A NumericDate (RFC 8392: seconds, whole or not); what no calendar has is unreadable."""
    if value is None:
        return None
    if not (cbor.is_int(value) or isinstance(value, float)) or not math.isfinite(value):
        raise unreadable("CBOR: a time that is no number")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise unreadable("CBOR: a time that is in no calendar") from None


def _untagged(value: cbor.Value) -> cbor.Value:
    """``value`` without the date tags that some issuers set; its depth is bounded."""
    if isinstance(value, cbor2.CBORTag):
        return _untagged(value.value)
    if isinstance(value, Mapping):
        return {key: _untagged(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_untagged, value))
    return value


def _subject(certificate: Mapping[object, cbor.Value]) -> Subject:
    match certificate.get("nam"):
        case Mapping() as names:
            family, given = (_text(names, "fnt", "fn"), _text(names, "gnt", "gn"))
        case _:
            family = given = None
    return Subject(family, given, _text(certificate, "dob"))


def _text(fields: Mapping[object, cbor.Value], *names: str) -> str | None:
    found = (fields.get(name) for name in names)
    return next((value for value in found if isinstance(value, str) and value), None)
