"""An update of a kiosk's registry, as the community's registry signs it before it is sealed.

    COSE_Sign1 (RFC 9052), EdDSA, the whole header protected, external_aad "gate/update/1"
    payload   deterministic CBOR {1: kiosk, 2: update, 3: from, 4: to, 5: part, 6: parts,
                                  7: issued, 8: [entries]}

An update leads from one version of the registry to a later one; from 0, it is a snapshot, which
says everything. It comes in parts, each signed, so that nobody has to hold all of it at once, and
is in force once the last one is there. ``update`` is 16 bytes that name it: parts of two updates
never mix. The kiosk's place stands in each part: what is for another one counts nowhere.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.credentials.errors import CredentialError
from agent.credentials.formats import cbor, cose
from agent.credentials.signed.entries import Entry, UnknownEntryError, read_entry
from agent.credentials.signed.envelope import sign_map
from agent.domain.credential.reason import Reason
from agent.domain.foreign.boundary import boundary
from agent.domain.record.registry_sync import SyncReason

PURPOSE = b"gate/update/1"
MAX_BYTES = 256 * 1024
"""Of one signed part."""
UPDATE_ID_BYTES = 16
MOST_PARTS = 100_000
LATEST_VERSION = 2**62
_KIOSK, _UPDATE, _FROM, _TO, _PART, _PARTS, _ISSUED, _ENTRIES = range(1, 9)
_FORGERIES = frozenset({SyncReason.FORGED, SyncReason.UNKNOWN_KEY})

T = TypeVar("T")
KeyOf = Callable[[bytes], Ed25519PublicKey | None]
"""The registry's key of an id, None where it is not trusted here."""


class UpdateError(CredentialError):
    """What came is no update that counts; ``word`` says why."""

    def __init__(self, word: SyncReason, detail: str) -> None:
        super().__init__(
            Reason.CREDENTIAL_FORGED if word in _FORGERIES else Reason.OTHER, f"update: {detail}"
        )
        self.word = word


@dataclass(frozen=True, slots=True)
class Step:
    """Which update a part belongs to, and where it leads: ``since`` 0 is a snapshot."""

    kiosk: str
    update: bytes
    since: int
    version: int
    parts: int

    @property
    def is_snapshot(self) -> bool:
        """Whether it says everything."""
        return self.since == 0

    def as_map(self) -> dict[int, cbor.Value]:
        """Its keys, which a part and its head have in common."""
        return {
            _KIOSK: self.kiosk,
            _UPDATE: self.update,
            _FROM: self.since,
            _TO: self.version,
            _PARTS: self.parts,
        }


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an update, and what it says; ``issued_s`` is UTC in seconds."""

    step: Step
    number: int
    issued_s: int
    entries: tuple[Entry, ...] = field(repr=False)
    key_id: bytes


def sign_part(
    step: Step,
    number: int,
    issued_s: int,
    entries: Sequence[Mapping[int, cbor.Value]],
    key: Ed25519PrivateKey,
) -> bytes:
    """The bytes of one part; ``entries`` as ``entries.encoded`` makes them."""
    body = {**step.as_map(), _PART: number, _ISSUED: issued_s, _ENTRIES: list(entries)}
    return sign_map(body, key, PURPOSE)


@boundary(
    "registry update", lambda: UpdateError(SyncReason.MALFORMED, "malformed"), CredentialError
)
def verify_part(data: bytes, key_of: KeyOf, kiosk: str) -> Part:
    """The part in ``data``, signed by a key of the registry, for this ``kiosk``.

    Raises:
        UpdateError: with its word.
    """
    signer, body = verified(data, key_of, PURPOSE, MAX_BYTES)
    step, number = step_of(body, kiosk)
    issued, items = body.get(_ISSUED), body.get(_ENTRIES)
    if not body.keys() <= set(range(1, 9)):
        raise UpdateError(SyncReason.UNKNOWN_VERSION, "a part with a key that is not known")
    if not isinstance(issued, int) or not cbor.is_int(issued) or not isinstance(items, tuple):
        raise UpdateError(SyncReason.MALFORMED, "a part without its entries")
    return Part(step, number, issued, tuple(_entries(items)), signer)


def verified(
    data: bytes, key_of: KeyOf, purpose: bytes, max_bytes: int
) -> tuple[bytes, Mapping[int, cbor.Value]]:
    """The id of the registry's key that signed ``data`` for this purpose, and what it says.

    Raises:
        UpdateError: ``too_large``, ``malformed``, ``unknown_key``, ``forged``.
    """
    if len(data) > max_bytes:
        raise UpdateError(SyncReason.TOO_LARGE, "too long")
    message = _readable(lambda: cose.parse(data, max_bytes))
    signer = message.key_id
    key = None if signer is None else key_of(signer)
    if signer is None or key is None:
        raise UpdateError(SyncReason.UNKNOWN_KEY, "by a key that is not known here")
    eddsa = message.algorithm is cose.Algorithm.EDDSA
    if not eddsa or message.unprotected or not cose.verify(message, key, purpose):
        raise UpdateError(SyncReason.FORGED, "the signature is wrong")
    body = _readable(lambda: cbor.decode(message.payload, max_bytes=max_bytes))
    if not isinstance(body, Mapping):
        raise UpdateError(SyncReason.MALFORMED, "its payload is no map")
    return signer, body


def step_of(body: Mapping[int, cbor.Value], kiosk: str) -> tuple[Step, int]:
    """The step that a part or its head belongs to, and the part's number, for this ``kiosk``.

    Raises:
        UpdateError: ``malformed``, ``other_kiosk``.
    """
    named, update = body.get(_KIOSK), body.get(_UPDATE)
    numbers = [body.get(label) for label in (_FROM, _TO, _PARTS, _PART)]
    if not (
        isinstance(named, str)
        and isinstance(update, bytes)
        and len(update) == UPDATE_ID_BYTES
        and all(map(cbor.is_int, numbers))
    ):
        raise UpdateError(SyncReason.MALFORMED, "its keys are of another kind")
    since, version, parts, number = map(int, map(_int, numbers))
    if named != kiosk:
        raise UpdateError(SyncReason.OTHER_KIOSK, "for another kiosk")
    if not (0 <= since < version <= LATEST_VERSION and 0 <= number < parts <= MOST_PARTS):
        raise UpdateError(SyncReason.MALFORMED, "its numbers contradict each other")
    return Step(named, update, since, version, parts), number


def _readable(read: Callable[[], T]) -> T:
    try:
        return read()
    except CredentialError as error:
        raise UpdateError(SyncReason.MALFORMED, error.detail) from None


def _int(value: cbor.Value) -> int:
    assert isinstance(value, int)
    return value


def _entries(items: Sequence[cbor.Value]) -> Iterator[Entry]:
    for item in items:
        try:
            yield read_entry(item)
        except UnknownEntryError as error:
            raise UpdateError(SyncReason.UNKNOWN_VERSION, str(error)) from None
        except (ValueError, OverflowError):
            # What it says is never quoted: it may be a name.
            raise UpdateError(SyncReason.MALFORMED, "an entry is malformed") from None
