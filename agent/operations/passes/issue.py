"""Issues gate passes and says what one is worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.credentials.errors import CredentialError, UnknownKeyError
from agent.credentials.formats import base45
from agent.credentials.passes.gate_pass import PREFIX, issue, new_pass_id, read_claims, verify
from agent.credentials.passes.issuers import Issuers
from agent.credentials.passes.pass_template import CommunityKey, PassTemplate
from agent.domain.credential.gate_pass import GatePass, PassId
from agent.domain.credential.holder import parse_holder_id
from agent.domain.credential.reason import Reason
from agent.domain.hours.instant import utc_text
from agent.domain.hours.reckoning import TOLERANCE
from agent.errors import RefusedError

QR_ERROR_LEVEL = "M"


@dataclass(frozen=True, slots=True)
class PassRequest:
    """What a pass shall say; ``uses`` and ``kiosk`` go together."""

    issuer: str
    holder: str
    category: str
    communities: tuple[str, ...]
    valid_until: datetime
    valid_from: datetime | None = None
    access_points: tuple[str, ...] = ()
    uses: int | None = None
    kiosk: str | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True)
class IssuedPass:
    """A signed pass; its text is a bearer credential and stays out of ``repr``."""

    text: str = field(repr=False)
    claims: GatePass

    def as_json(self) -> dict[str, Any]:
        """As ``gate-agent pass issue --json`` prints it."""
        return {
            "text": self.text,
            **claims_as_json(self.claims),
            "bytes": len(base45.decode(self.text[len(PREFIX) :])),
            "characters": len(self.text),
            "qr_version": qr_code(self.text).version,
        }


def issue_pass(
    request: PassRequest,
    key: Ed25519PrivateKey,
    now: datetime,
    template: tuple[PassTemplate, int, CommunityKey] | None = None,
) -> IssuedPass:
    """A signed pass with a new id.

    Raises:
        RefusedError: ``pass``; what it shall say contradicts itself or breaks a limit.
    """
    try:
        claims = GatePass(
            id=new_pass_id(),
            issuer=request.issuer,
            holder=parse_holder_id(request.holder),
            category=request.category,
            communities=frozenset(request.communities),
            valid_until=request.valid_until,
            valid_from=request.valid_from,
            access_points=frozenset(request.access_points),
            uses=request.uses,
            kiosk=request.kiosk,
            document=request.document,
            has_template=template is not None,
            issued_at=now.replace(microsecond=0),
        )
        return IssuedPass(issue(claims, key, now, template=template), claims)
    except ValueError as error:
        raise RefusedError("pass", str(error)) from error


def check_pass(
    text: str, issuers: Issuers, at: datetime, revoked: frozenset[PassId] = frozenset()
) -> dict[str, Any]:
    """What a pass says and whether it holds at ``at``, as JSON values.

    Where and how often it opens is the gate's to judge. Keys: ``valid``, ``reason``, ``detail``,
    ``claims`` (null unless the signature is true), ``unknown_issuer`` (whose key it rests on, by
    what it says, where that is not trusted; else null).
    """
    try:
        signed = verify(text, issuers, at)
    except UnknownKeyError as error:
        return _verdict(error.reason, error.detail, None, error.issuer or _issuer_said(text))
    except CredentialError as error:
        return _verdict(error.reason, error.detail, None)
    claims, shown = signed.claims, claims_as_json(signed.claims) | {"key_id": signed.key_id.hex()}
    if claims.id in revoked:
        return _verdict(Reason.CREDENTIAL_REVOKED, "pass: revoked on this kiosk", shown)
    if not claims.counted_by_one:
        detail = "pass: its uses are limited, and it names more than one community"
        return _verdict(Reason.UNAUTHORIZED, detail, shown)
    if claims.valid_from is not None and at < claims.valid_from:
        return _verdict(Reason.CREDENTIAL_NOT_ACTIVE, "pass: not yet valid", shown)
    if claims.issued_at is not None and at < claims.issued_at - TOLERANCE:
        return _verdict(Reason.CREDENTIAL_NOT_ACTIVE, "pass: issued later than that", shown)
    if at >= claims.valid_until:
        return _verdict(Reason.CREDENTIAL_EXPIRED, "pass: no longer valid", shown)
    return _verdict(None, None, shown)


def claims_as_json(claims: GatePass) -> dict[str, Any]:
    """A pass's claims under stable keys; of the ID number only whether a hash is there."""
    return {
        "pass": claims.id,
        "issuer": claims.issuer,
        "holder": claims.holder,
        "category": claims.category,
        "communities": sorted(claims.communities),
        "access_points": sorted(claims.access_points),
        "valid_from": None if claims.valid_from is None else utc_text(claims.valid_from),
        "issued_at": None if claims.issued_at is None else utc_text(claims.issued_at),
        "valid_until": utc_text(claims.valid_until),
        "uses": claims.uses,
        "kiosk": claims.kiosk,
        "template": claims.has_template,
        "document": claims.document is not None,
    }


def qr_code(text: str) -> segno.QRCode:
    """The symbol of a pass, at error level M: a fifteenth of it may be hidden or scratched."""
    return segno.make_qr(text, error=QR_ERROR_LEVEL, boost_error=False)


def _verdict(
    reason: Reason | None,
    detail: str | None,
    claims: Mapping[str, Any] | None,
    unknown_issuer: str | None = None,
) -> dict[str, Any]:
    return {
        "valid": reason is None,
        "reason": None if reason is None else reason.value,
        "detail": detail,
        "claims": claims,
        "unknown_issuer": unknown_issuer,
    }


def _issuer_said(text: str) -> str | None:
    """Whose pass ``text`` says that it is: nobody has checked that."""
    try:
        return read_claims(text).issuer
    except CredentialError:
        return None
