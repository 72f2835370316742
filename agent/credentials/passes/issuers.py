"""The keys whose passes a kiosk believes: several at once, each by its id and for its time.

    kid = first 8 bytes of SHA-256 of the raw public key (32 bytes, Ed25519)

To rotate a key, install the next one before the first pass is signed with it, and let the old one
end after the last pass that it signed has expired.

A key that came with a delegation is limited by it, as long as the key that signed the delegation is
trusted itself, without limits of its own.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from agent.credentials.errors import CredentialError, UnknownKeyError
from agent.credentials.passes.delegation import Delegation
from agent.domain.credential.gate_pass import GatePass
from agent.domain.credential.reason import Reason

KEY_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """One public key, whose it is, and ``valid_from <= now < valid_until``; None is open.

    ``delegation`` says what it may sign; without one it signs whatever it likes.
    """

    issuer: str
    key: Ed25519PublicKey
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    delegation: Delegation | None = field(default=None, kw_only=True)

    @property
    def key_id(self) -> bytes:
        """By which a pass names it."""
        return key_id(self.key)

    def holds(self, now: datetime) -> bool:
        """Whether passes that it signed are believed at ``now``."""
        started = self.valid_from is None or self.valid_from <= now
        return started and (self.valid_until is None or now < self.valid_until)


def delegated_key(
    delegation: Delegation,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> IssuerKey:
    """The key that ``delegation`` is about: for its time, and within the one that is given."""
    begins = [one for one in (delegation.valid_from, valid_from) if one is not None]
    ends = [one for one in (delegation.valid_until, valid_until) if one is not None]
    return IssuerKey(
        delegation.issuer,
        delegation.key,
        max(begins, default=None),
        min(ends, default=None),
        delegation=delegation,
    )


class Issuers:
    """An immutable set of trusted keys."""

    def __init__(self, keys: Iterable[IssuerKey] = ()) -> None:
        made: dict[bytes, IssuerKey] = {}
        for key in keys:
            # Where one key is there twice, the limited one counts.
            if key.delegation is not None or key.key_id not in made:
                made[key.key_id] = key
        self._keys: Mapping[bytes, IssuerKey] = MappingProxyType(made)
        grantors = {key.key_id: self._signer_of(key.delegation) for key in made.values()}
        self._grantors: Mapping[bytes, IssuerKey | None] = MappingProxyType(grantors)

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, wanted: bytes | None) -> IssuerKey | None:
        """The key of this id, or None."""
        return None if wanted is None else self._keys.get(wanted)

    def grantor(self, key: IssuerKey) -> IssuerKey | None:
        """Who let ``key`` sign within limits; None where no trusted key did."""
        return self._grantors.get(key.key_id)

    def check_limits(self, key: IssuerKey, claims: GatePass, now: datetime | None) -> None:
        """Whether ``key`` may sign ``claims``, at ``now`` or at any time where None.

        Raises:
            CredentialError: ``CredentialForged`` where nobody who is trusted signed its limits;
                ``CredentialExpired`` or ``CredentialNotActive`` where that key's time is over or
                has not begun; ``Unauthorized`` where the claims go beyond them.
        """
        if key.delegation is None:
            return
        grantor = self.grantor(key)
        if grantor is None:
            detail = "pass: who limits its issuer is not trusted"
            if self.find(key.delegation.grantor_key_id) is None:
                raise UnknownKeyError(detail, key.delegation.grantor)
            raise CredentialError(Reason.CREDENTIAL_FORGED, detail)
        begun = now is None or grantor.valid_from is None or grantor.valid_from <= now
        # It is at least as late as the pass says that it was issued.
        latest = None if now is None else max(now, claims.issued_at or now)
        if not begun or (latest is not None and not grantor.holds(latest)):
            reason = Reason.CREDENTIAL_EXPIRED if begun else Reason.CREDENTIAL_NOT_ACTIVE
            raise CredentialError(reason, "pass: the key that limits its issuer is not valid")
        breach = key.delegation.limits.breach(claims)
        if breach is not None:
            raise CredentialError(Reason.UNAUTHORIZED, breach)

    def _signer_of(self, delegation: Delegation | None) -> IssuerKey | None:
        """The unlimited key that signed it, as the issuer that it says."""
        found = None if delegation is None else self.find(delegation.grantor_key_id)
        if delegation is None or found is None or found.delegation is not None:
            return None
        genuine = found.issuer == delegation.grantor and delegation.is_signed_by(found.key)
        return found if genuine else None


def key_id(key: Ed25519PublicKey | X25519PublicKey) -> bytes:
    """The id of a public key, of whichever kind."""
    return hashlib.sha256(key.public_bytes_raw()).digest()[:KEY_ID_BYTES]
