"""A community's registry with its key, a kiosk with its two, and updates between them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.credentials.passes.issuers import key_id
from agent.credentials.sealed.parcel import Parcel, Recipient, make_update
from agent.credentials.signed.entries import Entry, Face, HolderEntry
from agent.domain.credential.holder import Consent, Holder, parse_holder_id

KIOSK = "lakeside/g3/north-1"
REGISTRY_KEY = Ed25519PrivateKey.from_private_bytes(b"registry".ljust(32, b"."))
STRANGER_KEY = Ed25519PrivateKey.from_private_bytes(b"stranger".ljust(32, b"."))
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(b"kiosk signs".ljust(32, b"."))
SEALING_KEY = X25519PrivateKey.from_private_bytes(b"kiosk opens".ljust(32, b"."))
ISSUED = datetime(2026, 11, 28, 8, tzinfo=UTC)
CONSENT = Consent("2026-1", datetime(2026, 11, 1, tzinfo=UTC))
KNOWN = {key_id(REGISTRY_KEY.public_key()): REGISTRY_KEY.public_key()}
TO = Recipient(KIOSK, SEALING_KEY.public_key())


def key_of(named: bytes) -> Ed25519PublicKey | None:
    """The registry's key, and no other."""
    return KNOWN.get(named)


def template(seed: int, components: int = 128) -> np.ndarray:
    """A template that is like no other."""
    found = np.random.default_rng(seed).normal(size=components).astype(np.float32)
    return found / np.float32(np.linalg.norm(found))


def person(name: str, *faces: Face, consent: Consent | None = CONSENT, **more) -> HolderEntry:
    """A holder of the registry; with ``faces`` they replace what there is."""
    fields = {key: more.pop(key) for key in ("photograph", "overrules") if key in more}
    holder = Holder(
        parse_holder_id(name),
        more.pop("called", name.title()),
        more.pop("category", "resident"),
        consent=consent,
        **more,
    )
    return HolderEntry(holder, faces or None, **fields)


def packed(
    entries: Iterable[Entry],
    versions: tuple[int, int] = (0, 1),
    *,
    to: Recipient = TO,
    key: Ed25519PrivateKey = REGISTRY_KEY,
    update: bytes | None = None,
) -> list[Parcel]:
    """The parcels of an update."""
    return list(make_update(entries, to, versions, update).parcels(to, key, ISSUED))


def messages(parcels: Sequence[Parcel]) -> list[bytes]:
    """All that would be published of them, in order."""
    return [one for parcel in parcels for one in parcel.messages]
