"""The desk's side of registry sync: how far a kiosk is, and an update made and sent to one."""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from agent.adapters.broker.reach import Reach
from agent.adapters.broker.registry_side import Outcome, RegistrySide
from agent.adapters.store.people.synced import SyncedRegistry
from agent.app.open.files.state import REGISTRY, REGISTRY_INCOMING
from agent.app.open.files.stores import has_registry
from agent.app.open.site import Site, new_event_id
from agent.credentials.sealed.chunks import MOST_MESSAGE_BYTES, acknowledged_message
from agent.credentials.sealed.parcel import Parcel, Recipient, make_update
from agent.credentials.shown_keys import raw_half
from agent.credentials.signed.receipt import Receipt, acknowledge
from agent.domain.foreign.json_text import read_json
from agent.domain.hours.instant import utc_text
from agent.domain.record.topics import Topics
from agent.errors import RefusedError, UnavailableError
from agent.operations.files import read_lines, write_whole
from agent.operations.people.registry_lines import read_entries

__all__ = ["Reach", "addressee", "pack", "receipt_json", "send", "show", "write"]

_NAMES = 3


def show(site: Site) -> dict[str, Any]:
    """How far the registry here is, by its files alone.

    Raises:
        StoreError: the registry is damaged, locked, or not ours.
    """
    shown: dict[str, Any] = {"version": 0, "since": None, "key_id": None, "snapshot": False}
    receipts = 0
    if has_registry(site):
        path = REGISTRY.at(site.state)
        with contextlib.closing(SyncedRegistry(path, None, new_event_id.make)) as registry:
            stands, receipts = registry.standing(), registry.receipts_waiting()
        shown = {
            "version": stands.version,
            "since": None if stands.at is None else utc_text(stands.at),
            "key_id": stands.key_id,
            "snapshot": stands.is_snapshot,
        }
    parts = len([*site.state.glob(REGISTRY_INCOMING.name)])
    return {**shown, "waiting": {"parts": parts, "receipts": receipts}}


@dataclass(frozen=True, slots=True)
class Addressee:
    """A kiosk as ``gate-agent key show --json`` tells of it."""

    kiosk: str
    signing: Ed25519PublicKey
    sealing: X25519PublicKey

    @property
    def topics(self) -> tuple[str, str, str]:
        """Of updates, requests and receipts."""
        community, grid, name = self.kiosk.split("/")
        topics = Topics(community, grid, name)
        return topics.registry, topics.registry_request, topics.registry_receipts


def addressee(file: Path) -> Addressee:
    """The kiosk whose keys stand in ``file``.

    Raises:
        RefusedError: ``kiosk_keys``: it is no output of ``key show --json``.
        UnavailableError: it cannot be read.
    """
    try:
        said = read_json("\n".join(read_lines(file)))
        signing, sealing = (raw_half(said, half) or b"" for half in ("signing", "sealing"))
        if len(said["kiosk"].split("/")) != _NAMES:
            raise ValueError("a kiosk has three names")  # noqa: TRY301 - one way out
        return Addressee(
            said["kiosk"],
            Ed25519PublicKey.from_public_bytes(signing),
            X25519PublicKey.from_public_bytes(sealing),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        fix = "gate-agent key show --json at the kiosk, saved as it is"
        raise RefusedError("kiosk_keys", f"{file} holds no kiosk's keys\nFix: {fix}") from error


def pack(
    lines: Iterable[str],
    name: str,
    folder: Path,
    to: Addressee,
    versions: tuple[int, int],
    key: Ed25519PrivateKey,
    message_bytes: int = MOST_MESSAGE_BYTES,
) -> list[Parcel]:
    """The update that a file says, signed, sealed to the kiosk and cut.

    Raises:
        RefusedError: ``registry_lines``, ``update``: what is wrong with it.
    """
    entries = read_entries(lines, name, folder)
    recipient = Recipient(to.kiosk, to.sealing, message_bytes)
    try:
        update = make_update(entries, recipient, versions)
    except ValueError as error:
        raise RefusedError("update", str(error)) from error
    return list(update.parcels(recipient, key, datetime.now(UTC)))


def write(parcels: Sequence[Parcel], folder: Path) -> int:
    """Each message in a file of its own, in their order; how many.

    Raises:
        UnavailableError: ``folder`` cannot be written.
    """
    messages = [one for parcel in parcels for one in parcel.messages]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(
            f"{folder} cannot be made: {error.strerror}", "name another"
        ) from error
    for number, one in enumerate(messages):
        write_whole(one, folder / f"{number:06}.cbor")
    return len(messages)


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """A receipt as ``registry send --json`` prints one."""
    return {
        "holder": receipt.holder,
        "outcome": receipt.outcome.value,
        "version": receipt.version,
        "counts": dict(receipt.counts),
        "reason": receipt.reason,
        "time": utc_text(datetime.fromtimestamp(receipt.utc_s, UTC)),
        "clock_trusted": receipt.clock_trusted,
    }


def send(
    parcels: Sequence[Parcel],
    to: Addressee,
    version: int,
    key: Ed25519PrivateKey,
    reach: Reach,
    within_s: float,
) -> Outcome:
    """Send them, and answer what the kiosk asks until it has ``version``.

    Raises:
        UnavailableError: the broker cannot be reached.
    """
    side = RegistrySide(
        to.topics,
        to.signing,
        lambda ids: acknowledged_message(acknowledge(to.kiosk, ids, key)),
    )
    return side.send(parcels, version, reach, within_s)
