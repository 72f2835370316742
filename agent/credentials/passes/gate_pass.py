"""The gate pass: a CWT (RFC 8392) in COSE_Sign1 (RFC 9052) with Ed25519, as base45 behind ``GP1:``.

    1 iss    2 sub holder    4 exp    5 nbf    6 iat    7 cti pass id (8 to 16 random bytes)
    -70000   {1: category, 2: [communities], 3: [access points], 4: uses, 5: kiosk,
              6: template (COSE_Encrypt0), 7: keyed hash of the ID number (16 bytes)}

One pass has one text: what its signature does not cover (a tag, the unprotected header, lengths in
a longer form) is refused, so nobody can make other bytes of it. There is no compression: it makes
passes larger, and a parser of strangers' bytes has no bomb to fear. A pass always ends (``exp``): a
photograph of it opens as well as the pass does.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.credentials.errors import CredentialError, UnknownKeyError, unreadable
from agent.credentials.formats import base45, cbor, cose
from agent.credentials.passes.claim_values import check_words
from agent.credentials.passes.claim_values import count as _count
from agent.credentials.passes.claim_values import moment as _moment
from agent.credentials.passes.claim_values import text as _text
from agent.credentials.passes.claim_values import texts as _texts
from agent.credentials.passes.issuers import Issuers, key_id
from agent.credentials.passes.pass_template import CommunityKey, PassTemplate
from agent.domain.credential.gate_pass import GatePass, PassId
from agent.domain.credential.holder import parse_holder_id
from agent.domain.credential.reason import Reason
from agent.domain.foreign.boundary import boundary

PREFIX = "GP1:"
MAX_BYTES = 2048
MAX_USES = 1000
ID_BYTES = 8
DOCUMENT_BYTES = 16
_ISS, _SUB, _EXP, _NBF, _IAT, _CTI, _GATE = 1, 2, 4, 5, 6, 7, -70000
_CATEGORY, _COMMUNITIES, _ACCESS_POINTS, _USES, _KIOSK, _TEMPLATE, _DOCUMENT = range(1, 8)

_read = boundary("gate pass", lambda: unreadable("pass: it cannot be read"), CredentialError)
"""What stands behind it raises ``CredentialError`` only, whatever its parsers do."""


@dataclass(frozen=True, slots=True)
class SignedPass:
    """A pass whose signature is true; its template is still sealed."""

    claims: GatePass
    key_id: bytes
    _id: bytes = field(repr=False)
    _template: cbor.Value = field(repr=False, default=None)

    @_read
    def template(self, key: CommunityKey) -> PassTemplate | None:
        """The face template that it carries, None where it carries none.

        Raises:
            CredentialError: ``Other``: it was sealed for another community, or is malformed.
        """
        return None if self._template is None else key.open(self._template, self._id)


@_read
def verify(text: str, issuers: Issuers, now: datetime | None) -> SignedPass:
    """The pass in ``text``, signed by a key that is trusted at ``now``, or at any time where None.

    Whether it is valid today, here and still unused is not judged here: that is the policy's.

    Raises:
        CredentialError: ``Other`` where it is no pass at all; ``CredentialForged`` where no
            trusted key signed it; ``Unauthorized`` where it goes beyond what the community lets
            its issuer do; ``CredentialExpired`` or ``CredentialNotActive`` where the key's
            own time is over, or has not begun.
    """
    message = _message(text)
    trusted = issuers.find(message.key_id)
    if trusted is None:
        raise UnknownKeyError("pass: signed by a key that is not trusted")
    if message.algorithm is not cose.Algorithm.EDDSA or not cose.verify(message, trusted.key):
        raise CredentialError(Reason.CREDENTIAL_FORGED, "pass: the signature is wrong")
    signed = _signed(message)
    if signed.claims.issuer != trusted.issuer:
        raise CredentialError(Reason.CREDENTIAL_FORGED, "pass: the key is another issuer's")
    issuers.check_limits(trusted, signed.claims, now)
    if trusted.delegation is not None:
        categories = trusted.delegation.limits.categories
        signed = replace(signed, claims=replace(signed.claims, issuer_categories=categories))
    if now is None:
        return signed
    if trusted.valid_from is not None and now < trusted.valid_from:
        raise CredentialError(
            Reason.CREDENTIAL_NOT_ACTIVE, "pass: its issuer's key is not yet valid"
        )
    # It is at least as late as the pass says that it was issued.
    if not trusted.holds(max(now, signed.claims.issued_at or now)):
        raise CredentialError(
            Reason.CREDENTIAL_EXPIRED, "pass: its issuer's key is no longer valid"
        )
    return signed


@_read
def read_claims(text: str) -> GatePass:
    """What ``text`` says, whoever signed it: for printing one's own pass, never for a gate.

    Raises:
        CredentialError: ``Other``; it is no pass.
    """
    return _signed(_message(text)).claims


def issue(
    claims: GatePass,
    key: Ed25519PrivateKey,
    issued_at: datetime,
    *,
    template: tuple[PassTemplate, int, CommunityKey] | None = None,
) -> str:
    """``claims`` as a signed text for a QR code; ``template`` comes with its bits and the key.

    Raises:
        ValueError: the claims contradict each other or break a limit.
    """
    _check(claims)
    if not claims.counted_by_one:
        raise ValueError(
            "a pass with limited uses names one community: a kiosk of the same name in another one"
            " would count them again"
        )
    identifier = bytes.fromhex(claims.id)
    gate: dict[int, Any] = {_CATEGORY: claims.category, _COMMUNITIES: sorted(claims.communities)}
    if claims.access_points:
        gate[_ACCESS_POINTS] = sorted(claims.access_points)
    if claims.uses is not None:
        gate[_USES], gate[_KIOSK] = claims.uses, claims.kiosk
    if template is not None:
        what, bits, community = template
        gate[_TEMPLATE] = community.seal(what, bits, identifier)
    if claims.document is not None:
        gate[_DOCUMENT] = bytes.fromhex(claims.document)
    body: dict[int, Any] = {
        _ISS: claims.issuer,
        _SUB: claims.holder,
        _EXP: int(claims.valid_until.timestamp()),
        _IAT: int(issued_at.timestamp()),
        _CTI: identifier,
        _GATE: gate,
    }
    if claims.valid_from is not None:
        body[_NBF] = int(claims.valid_from.timestamp())
    payload = cbor2.dumps(body, canonical=True)
    data = cose.sign(payload, key, key_id(key.public_key()), tagged=False)
    if len(data) > MAX_BYTES:
        raise ValueError(f"the pass takes {len(data)} bytes, at most {MAX_BYTES} fit")
    return PREFIX + base45.encode(data)


def new_pass_id() -> PassId:
    """A random id; two passes share one with a chance of 2^-64 a pair."""
    return PassId(os.urandom(ID_BYTES).hex())


def _message(text: str) -> cose.Sign1:
    if not text.startswith(PREFIX):
        raise unreadable("pass: the prefix is missing")
    longest = MAX_BYTES // 2 * 3 + 2
    data = base45.decode(text[len(PREFIX) :], longest)
    message = cose.parse(data, MAX_BYTES)
    if not cose.has_one_encoding(message, data):
        raise unreadable("pass: bytes that its signature does not cover")
    return message


def _signed(message: cose.Sign1) -> SignedPass:
    body = cbor.decode(message.payload, max_bytes=MAX_BYTES)
    gate = body.get(_GATE) if isinstance(body, Mapping) else None
    if not isinstance(gate, Mapping):
        raise _malformed()
    identifier, document = body.get(_CTI), gate.get(_DOCUMENT)
    if not isinstance(identifier, bytes) or not isinstance(document, bytes | None):
        raise _malformed()
    try:
        claims = GatePass(
            id=PassId(identifier.hex()),
            issuer=_text(body.get(_ISS)),
            holder=parse_holder_id(_text(body.get(_SUB))),
            category=_text(gate.get(_CATEGORY)),
            communities=_texts(gate.get(_COMMUNITIES)),
            access_points=_texts(gate.get(_ACCESS_POINTS, ())),
            valid_until=_moment(body.get(_EXP)),
            valid_from=None if _NBF not in body else _moment(body[_NBF]),
            uses=_count(gate.get(_USES)),
            kiosk=None if _KIOSK not in gate else _text(gate[_KIOSK]),
            document=None if document is None else document.hex(),
            has_template=_TEMPLATE in gate,
            issued_at=None if _IAT not in body else _moment(body[_IAT]),
        )
        _check(claims)
    except ValueError:
        raise _malformed() from None
    return SignedPass(claims, message.key_id or b"", identifier, gate.get(_TEMPLATE))


def _check(claims: GatePass) -> None:
    """What must hold of every pass, issued or shown.

    Raises:
        ValueError: it does not.
    """
    if not ID_BYTES * 2 <= len(claims.id) <= ID_BYTES * 4:
        raise ValueError("a pass id has 8 to 16 bytes")
    if not claims.communities:
        raise ValueError("a pass names the communities where it holds")
    if (claims.uses is None) != (claims.kiosk is None):
        raise ValueError(
            "a pass with limited uses names the one kiosk that counts them, and no other pass does:"
            " kiosks that are offline cannot share what was used"
        )
    if claims.uses is not None and not 1 <= claims.uses <= MAX_USES:
        raise ValueError(f"uses are 1 to {MAX_USES}")
    if claims.valid_from is not None and claims.valid_from >= claims.valid_until:
        raise ValueError("a pass begins before it ends")
    if claims.document is not None and len(claims.document) != DOCUMENT_BYTES * 2:
        raise ValueError("the hash of an ID number has 16 bytes")
    check_words((claims.issuer, claims.category, *claims.communities, *claims.access_points))


def _malformed() -> CredentialError:
    return unreadable("pass: its claims are malformed")
