"""What a kiosk answers its community's registry, signed with its own key; and the answer to that.

    receipt        COSE_Sign1, EdDSA, external_aad "gate/receipt/1"
                   {1: kiosk, 2: id, 3: version, 4: outcome, 5: holder, 6: {kind: count},
                    7: reason, 8: time, 9: clock trusted}
    acknowledged   COSE_Sign1 by a key of the registry, external_aad "gate/acknowledged/1"
                   {1: kiosk, 2: [ids]}
    request        COSE_Sign1, EdDSA, external_aad "gate/request/1"
                   {1: kiosk, 2: version, 3: update, 4: [[part, [[first, last]]]], 5: most bytes,
                    6: id of the sealing key}

A receipt is sent until it is acknowledged. Of ``erased`` the counts say what went: ``holders``,
``names``, ``references``, ``parts``, ``photographs``, ``id_documents``, ``records``,
``category_changes``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.credentials.errors import CredentialError, unreadable
from agent.credentials.formats import cbor
from agent.credentials.signed.envelope import sign_map, verified_map
from agent.credentials.signed.update import UPDATE_ID_BYTES, KeyOf, UpdateError, verified
from agent.domain.foreign.boundary import boundary
from agent.domain.record.registry_sync import ReceiptOutcome, SyncReason

RECEIPT, ACKNOWLEDGED, REQUEST = b"gate/receipt/1", b"gate/acknowledged/1", b"gate/request/1"
MAX_BYTES = 4096
RECEIPT_ID_BYTES = 16
MOST_ACKNOWLEDGED = 128
MOST_RANGES = 64

Ranges = tuple[tuple[int, int], ...]
"""First and last of each run of chunks."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a holder by which version; ``utc_s`` is the kiosk's clock."""

    kiosk: str
    id: bytes
    version: int
    outcome: ReceiptOutcome
    holder: str
    utc_s: int
    clock_trusted: bool
    counts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a kiosk has, and what it lacks of ``update``, None where it knows of no newer one.

    Of a part without ranges it lacks everything, its head too.
    """

    kiosk: str
    version: int
    most_bytes: int
    sealing_key_id: bytes
    update: bytes | None = None
    lacks: Sequence[tuple[int, Ranges]] = ()


def sign_receipt(receipt: Receipt, key: Ed25519PrivateKey) -> bytes:
    """The bytes of a receipt, by the kiosk's signing key."""
    body: dict[int, cbor.Value] = {
        1: receipt.kiosk,
        2: receipt.id,
        3: receipt.version,
        4: receipt.outcome.value,
        5: receipt.holder,
        6: dict(receipt.counts) or None,
        7: receipt.reason,
        8: receipt.utc_s,
        9: receipt.clock_trusted,
    }
    return sign_map(body, key, RECEIPT)


@boundary("signed receipt", lambda: unreadable("receipt: malformed"), CredentialError)
def verify_receipt(data: bytes, key: Ed25519PublicKey) -> Receipt:
    """The receipt in ``data``, by the kiosk whose public key is ``key``; more keys are left out.

    Raises:
        CredentialError: ``Other`` where it is none; ``CredentialForged`` where another key signed
            it, or the same key for another purpose.
    """
    body = verified_map(data, key, RECEIPT, MAX_BYTES, "receipt")
    counts, outcome = body.get(6, MappingProxyType({})), body.get(4)
    reason = body.get(7)
    if not (
        _is_id(body.get(2), RECEIPT_ID_BYTES)
        and all(isinstance(body.get(label), str) for label in (1, 5))
        and all(cbor.is_int(body.get(label)) for label in (3, 8))
        and isinstance(body.get(9), bool)
        and outcome in [one.value for one in ReceiptOutcome]
        and isinstance(counts, Mapping)
        and all(isinstance(k, str) and cbor.is_int(n) for k, n in counts.items())
        and isinstance(reason, str | None)
    ):
        raise unreadable("receipt: malformed")
    return Receipt(
        body[1],
        body[2],
        body[3],
        ReceiptOutcome(outcome),
        body[5],
        body[8],
        body[9],
        dict(counts),
        reason,
    )


def acknowledge(kiosk: str, ids: Sequence[bytes], key: Ed25519PrivateKey) -> bytes:
    """The registry's word that it has these receipts, at most ``MOST_ACKNOWLEDGED``."""
    return sign_map({1: kiosk, 2: list(ids)}, key, ACKNOWLEDGED)


@boundary(
    "registry acknowledgement",
    lambda: UpdateError(SyncReason.MALFORMED, "malformed"),
    CredentialError,
)
def verify_acknowledged(data: bytes, key_of: KeyOf, kiosk: str) -> tuple[bytes, ...]:
    """The ids of the receipts that the registry has.

    Raises:
        UpdateError: with its word.
    """
    _, body = verified(data, key_of, ACKNOWLEDGED, MAX_BYTES)
    if body.get(1) != kiosk:
        raise UpdateError(SyncReason.OTHER_KIOSK, "for another kiosk")
    ids = body.get(2)
    if not isinstance(ids, tuple) or len(ids) > MOST_ACKNOWLEDGED:
        raise UpdateError(SyncReason.MALFORMED, "no list of receipts")
    if not all(_is_id(one, RECEIPT_ID_BYTES) for one in ids):
        raise UpdateError(SyncReason.MALFORMED, "no list of receipts")
    return ids


def sign_request(request: Request, key: Ed25519PrivateKey) -> bytes:
    """The bytes of a request, by the kiosk's signing key."""
    lacks = [[part, [list(run) for run in runs]] for part, runs in request.lacks]
    body: dict[int, cbor.Value] = {
        1: request.kiosk,
        2: request.version,
        3: request.update,
        4: lacks or None,
        5: request.most_bytes,
        6: request.sealing_key_id,
    }
    return sign_map(body, key, REQUEST)


@boundary("signed request", lambda: unreadable("request: malformed"), CredentialError)
def verify_request(data: bytes, key: Ed25519PublicKey) -> Request:
    """The request in ``data``, by the kiosk whose public key is ``key``; more keys are left out.

    Raises:
        CredentialError: as ``verify_receipt``.
    """
    body = verified_map(data, key, REQUEST, MAX_BYTES, "receipt")
    update, lacks = body.get(3), body.get(4, ())
    if not (
        isinstance(body.get(1), str)
        and cbor.is_int(body.get(2))
        and body[2] >= 0
        and cbor.is_int(body.get(5))
        and isinstance(body.get(6), bytes)
        and (update is None or _is_id(update, UPDATE_ID_BYTES))
        and isinstance(lacks, tuple)
    ):
        raise unreadable("request: malformed")
    return Request(body[1], body[2], body[5], body[6], update, tuple(map(_lack, lacks)))


def _lack(item: cbor.Value) -> tuple[int, Ranges]:
    match item:
        case (int(part), tuple(runs)) if part >= 0:
            pass
        case _:
            raise unreadable("request: malformed")
    found = []
    for run in runs:
        match run:
            case (int(first), int(last)) if 0 <= first <= last:
                found.append((first, last))
            case _:
                raise unreadable("request: malformed")
    return part, tuple(found)


def _is_id(value: cbor.Value, length: int) -> bool:
    return isinstance(value, bytes) and len(value) == length
