"""A community's registry with its key, a kiosk with its two, and updates between them.

Run as a program it is the process that takes an update and kills itself at that many calls.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from store_parts import IDS, KEY, forked_kills, killed_at, opened

from agent.adapters.store import knock
from agent.adapters.store.knock import Knock
from agent.adapters.store.people.merged import Taking
from agent.adapters.store.people.synced import SyncedRegistry
from agent.adapters.store.seal import Sealer
from agent.credentials.passes.issuers import key_id
from agent.credentials.sealed.chunks import Chunk, Head, read_message
from agent.credentials.sealed.parcel import Parcel, Recipient, make_update, open_part
from agent.credentials.signed.entries import Entry, Face, HolderEntry, Removal
from agent.credentials.signed.receipt import Receipt, sign_receipt, verify_receipt
from agent.credentials.signed.update import Part, Step
from agent.domain.credential.holder import Consent, Holder, parse_holder_id
from agent.domain.hours.instant import Instant

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


NOW = Instant(100.0, ISSUED, utc_trusted=True)


def open_synced(path: Path, key: bytes | None = KEY) -> SyncedRegistry:
    """The registry as sync writes it; closed at the test's end."""
    registry = SyncedRegistry(path, None if key is None else Sealer(key), IDS.make)
    opened.append(registry)
    return registry


def taking(*, on_premises: bool = False, now: Instant = NOW) -> Taking:
    """Now, by the kiosk's key."""
    return Taking(
        now, now.utc, lambda receipt: sign_receipt(receipt, SIGNING_KEY), on_premises=on_premises
    )


def parts_of(
    parcels: Sequence[Parcel], key: X25519PrivateKey = SEALING_KEY
) -> tuple[Step, list[Part]]:
    """What arrives of parcels where nothing goes wrong."""
    parts = []
    for parcel in parcels:
        head = read_message(parcel.head, key_of, KIOSK)
        assert isinstance(head, Head)
        pieces = [read_message(one, key_of, KIOSK) for one in parcel.chunks]
        sealed = b"".join(one.data for one in pieces if isinstance(one, Chunk))
        parts.append(open_part(sealed, head.step, head.number, key, key_of))
    return parts[0].step, parts


def take(
    registry: SyncedRegistry,
    entries: Iterable[Entry],
    versions: tuple[int, int] = (0, 1),
    how: Taking | None = None,
) -> Mapping[str, int]:
    """An update taken as it comes out of its parcels; what changed."""
    step, parts = parts_of(packed(entries, versions))
    return registry.take(step, lambda: parts, how or taking())


def receipts(registry: SyncedRegistry) -> list[Receipt]:
    """Those that wait, verified."""
    key = SIGNING_KEY.public_key()
    return [verify_receipt(one.signed, key) for one in registry.receipts(1000)]


PEOPLE, LATER = 40, 12


def earlier() -> list[Entry]:
    """Whom the update of the killed process changes."""
    return [person(f"h{number}", Face("dlib", "1", template(number))) for number in range(PEOPLE)]


def later() -> list[Entry]:
    """What the killed process takes over: people who change, go and come."""
    return [
        *(
            person(f"h{number}", Face("dlib", "1", template(1000 + number)))
            for number in range(1, LATER)
        ),
        *(Removal(parse_holder_id(f"h{number}")) for number in range(LATER, 2 * LATER)),
        *(person(f"new{number}") for number in range(LATER)),
    ]


class KnockedOnce(Knock):
    """Somebody knocks when this is asked for the so-manieth time, and is gone at once."""

    def __init__(self, folder: Path, at: int) -> None:
        super().__init__(folder)
        self.left = at

    def heard(self) -> bool:
        self.left -= 1
        return self.left == 0


def _take(_name: str, calls: str, path: str) -> None:
    registry = open_synced(Path(path))
    knock._ASK_EVERY_S = 0.0
    registry._knock = KnockedOnce(registry._path.parent, LATER)
    killed_at(calls, lambda: take(registry, later(), (1, 2)))


if __name__ == "__main__":
    forked_kills(_take)
