"""What an update of the registry says, entry by entry, as CBOR maps; every key is a small number.

    holder       {0: 1, 1: id, 2: name, 3: category, 4: enabled, 5: from, 6: until,
                  7: {1: notice, 2: when}, 8: [{1: pack, 2: version, 3: template, 4: [parts]}],
                  9: photograph, 10: overrules}
    removal      {0: 2, 1: id}
    revocation   {0: 3, 1: pass}
    issuer       {0: 4, 1: issuer, 2: public key (32 bytes), 3: from, 4: until}
                 {0: 4, 3: from, 4: until, 5: delegation}
    issuer gone  {0: 5, 1: key id (16 hexadecimal digits)}
    those about nobody (``word_entries``), and about cards (``card_entries``)

Of a holder 1, 2 and 3 are there, and what is left out holds by default: enabled, no end, no
consent. Without 8 the references that a kiosk has stay, with an empty list they go. Times are UTC
in whole seconds; a template is float32, little-endian. A key that is not known is of a later
version, and may limit what the others say.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.credentials.errors import CredentialError
from agent.credentials.formats import cbor
from agent.credentials.passes.claim_values import check_words, moment, text
from agent.credentials.passes.delegation import read as read_delegation
from agent.credentials.passes.issuers import IssuerKey, delegated_key
from agent.credentials.signed.card_entries import (
    CARD,
    CARD_GONE,
    CardEntry,
    CardGone,
    card_map,
    read_card,
    read_card_gone,
)
from agent.credentials.signed.word_entries import (
    RULES,
    TRUST_LIST,
    TRUST_LIST_GONE,
    RulesEntry,
    TrustListEntry,
    TrustListGone,
    read_rules,
    read_trust_list,
    read_trust_list_gone,
    rules_map,
    trust_list_map,
)
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import (
    NOTICE_RULE,
    Consent,
    Holder,
    HolderId,
    is_notice,
    parse_holder_id,
)
from agent.domain.credential.name import person_name
from agent.domain.sight.image import Template

MOST_REFERENCES, MOST_PARTS = 8, 16
LARGEST_PHOTOGRAPH = 192 * 1024
_MOST_COMPONENTS = 4096
_LONGEST = 1e6
_HEX = frozenset("0123456789abcdef")
_KIND = 0
_HOLDER, _REMOVAL, _REVOCATION, _ISSUER, _ISSUER_GONE = range(1, 6)


class UnknownEntryError(ValueError):
    """An entry of a later version."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A reference of a holder by one pack, and the templates that it is the mean of."""

    pack: str
    pack_version: str
    template: Template = field(repr=False)
    parts: tuple[Template, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class HolderEntry:
    """A holder as the registry has them; ``faces`` None leaves those there are.

    ``photograph`` is a JPEG by which the kiosk enrols them itself. ``overrules`` ends what somebody
    did to the holder at the kiosk, where the registry knows of it.
    """

    holder: Holder
    faces: tuple[Face, ...] | None = field(default=None, repr=False)
    photograph: bytes | None = field(default=None, repr=False)
    overrules: bool = False

    @property
    def has_face_data(self) -> bool:
        """Whether something of it is a face."""
        return bool(self.faces) or self.photograph is not None

    def without_faces(self) -> "HolderEntry":
        """The person alone; the references that a kiosk has stay."""
        return replace(self, faces=None if self.faces else self.faces, photograph=None)


@dataclass(frozen=True, slots=True)
class Removal:
    """Whoever is to be forgotten."""

    holder: HolderId


@dataclass(frozen=True, slots=True)
class Revocation:
    """A pass that opens nothing any more."""

    gate_pass: PassId


@dataclass(frozen=True, slots=True)
class IssuerEntry:
    """A key whose passes are believed from now on; within the limits of its delegation, if any."""

    key: IssuerKey


@dataclass(frozen=True, slots=True)
class IssuerGone:
    """A key whose passes are believed no longer, by its id."""

    key_id: str


Entry = (
    HolderEntry
    | Removal
    | Revocation
    | IssuerEntry
    | IssuerGone
    | RulesEntry
    | TrustListEntry
    | TrustListGone
    | CardEntry
    | CardGone
)


def encoded(entry: Entry) -> dict[int, Any]:
    """The map of an entry, to be read again by ``read_entry``.

    Raises:
        ValueError: no kiosk would take it.
    """
    made = _encoded(entry)
    read_entry(_as_decoded(made))
    return made


def _encoded(entry: Entry) -> dict[int, Any]:
    match entry:
        case HolderEntry(holder=holder):
            return _holder_map(entry, holder)
        case CardEntry() | CardGone():
            return card_map(entry)
        case Removal(holder):
            return {_KIND: _REMOVAL, 1: str(holder)}
        case Revocation(gate_pass):
            return {_KIND: _REVOCATION, 1: str(gate_pass)}
        case IssuerEntry(key):
            return _issuer_map(key)
        case IssuerGone(key_id):
            return {_KIND: _ISSUER_GONE, 1: key_id}
        case RulesEntry():
            return {_KIND: RULES, **rules_map(entry)}
        case TrustListEntry():
            return {_KIND: TRUST_LIST, **trust_list_map(entry)}
        case TrustListGone(name):
            return {_KIND: TRUST_LIST_GONE, 1: name}


def _issuer_map(key: IssuerKey) -> dict[int, Any]:
    times = _times(((3, key.valid_from), (4, key.valid_until)))
    if key.delegation is not None:
        return {_KIND: _ISSUER, **times, 5: key.delegation.data}
    raw = key.key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {_KIND: _ISSUER, 1: key.issuer, 2: raw, **times}


def _holder_map(entry: HolderEntry, holder: Holder) -> dict[int, Any]:
    made: dict[int, Any] = {
        _KIND: _HOLDER,
        1: str(holder.id),
        2: holder.name,
        3: holder.category,
        **({} if holder.enabled else {4: False}),
        **_times(((5, holder.valid_from), (6, holder.valid_until))),
    }
    if holder.consent is not None:
        made[7] = {1: holder.consent.notice, 2: int(holder.consent.at.timestamp())}
    if entry.faces is not None:
        made[8] = [
            {
                1: face.pack,
                2: face.pack_version,
                3: _raw(face.template),
                **({4: [_raw(part) for part in face.parts]} if face.parts else {}),
            }
            for face in entry.faces
        ]
    if entry.photograph is not None:
        made[9] = entry.photograph
    if entry.overrules:
        made[10] = True
    return made


def read_entry(item: cbor.Value) -> Entry:
    """The entry of a decoded map.

    Raises:
        UnknownEntryError: it is of a later version.
        ValueError: it is none.
    """
    if not isinstance(item, Mapping):
        raise ValueError("an entry is a map")  # noqa: TRY004 - one kind of error for all
    kind = item.get(_KIND)
    if not cbor.is_int(kind) or kind not in _READERS:
        raise UnknownEntryError("an entry of a kind that is not known")
    known, reader = _READERS[kind]
    if not item.keys() <= known:
        raise UnknownEntryError("an entry with a key that is not known")
    return reader(item)


def check_photograph(name: str, size: int) -> None:
    """Whether a file of ``size`` bytes may travel as a photograph; before it is read.

    Raises:
        ValueError: it is empty or too large; by its name and size.
    """
    if not 0 < size <= LARGEST_PHOTOGRAPH:
        most = f"{LARGEST_PHOTOGRAPH // 1024} KiB"
        has = f"has {-(-size // 1024)} KiB" if size else "is empty"
        raise ValueError(f"{name} {has}: a photograph is a JPEG of at most {most}")


def _read_holder(item: Mapping[Any, cbor.Value]) -> HolderEntry:
    holder = Holder(
        parse_holder_id(text(item.get(1))),
        person_name(text(item.get(2))),
        str(parse_holder_id(text(item.get(3)))),
        _flag(item.get(4, True)),
        *_ends(item, 5, 6),
        consent=_consent(item[7]) if 7 in item else None,
    )
    photograph = item.get(9)
    if photograph is not None and not (
        isinstance(photograph, bytes) and 0 < len(photograph) <= LARGEST_PHOTOGRAPH
    ):
        raise ValueError("a photograph is a JPEG of at most 192 KiB")
    faces = _faces(item[8]) if 8 in item else None
    return HolderEntry(holder, faces, photograph, _flag(item.get(10, False)))


def _read_removal(item: Mapping[Any, cbor.Value]) -> Removal:
    return Removal(parse_holder_id(text(item.get(1))))


def _read_revocation(item: Mapping[Any, cbor.Value]) -> Revocation:
    return Revocation(PassId(_hex(item.get(1), range(16, 33))))


def _read_issuer(item: Mapping[Any, cbor.Value]) -> IssuerEntry:
    if 5 in item:
        return _read_delegated(item)
    issuer, raw = text(item.get(1)), item.get(2)
    check_words((issuer,))
    if not isinstance(raw, bytes):
        raise ValueError("an issuer's key is 32 bytes")  # noqa: TRY004 - as above
    return IssuerEntry(
        IssuerKey(issuer, Ed25519PublicKey.from_public_bytes(raw), *_ends(item, 3, 4))
    )


def _read_delegated(item: Mapping[Any, cbor.Value]) -> IssuerEntry:
    delegation = item.get(5)
    if {1, 2} & item.keys() or not isinstance(delegation, bytes):
        raise ValueError("a delegation names issuer and key itself")
    try:
        read = read_delegation(delegation)
    except CredentialError as error:
        raise ValueError("no delegation") from error
    return IssuerEntry(delegated_key(read, *_ends(item, 3, 4)))


def _read_issuer_gone(item: Mapping[Any, cbor.Value]) -> IssuerGone:
    return IssuerGone(_hex(item.get(1), range(16, 17)))


_READERS: dict[int, tuple[frozenset[int], Callable[[Mapping[Any, cbor.Value]], Entry]]] = {
    _HOLDER: (frozenset(range(11)), _read_holder),
    _REMOVAL: (frozenset({_KIND, 1}), _read_removal),
    _REVOCATION: (frozenset({_KIND, 1}), _read_revocation),
    _ISSUER: (frozenset(range(6)), _read_issuer),
    _ISSUER_GONE: (frozenset({_KIND, 1}), _read_issuer_gone),
    RULES: (frozenset(range(3)), read_rules),
    TRUST_LIST: (frozenset(range(6)), read_trust_list),
    TRUST_LIST_GONE: (frozenset({_KIND, 1}), read_trust_list_gone),
    CARD: (frozenset(range(5)), read_card),
    CARD_GONE: (frozenset({_KIND, 2}), read_card_gone),
}


def _consent(item: cbor.Value) -> Consent:
    if not isinstance(item, Mapping) or not item.keys() <= {1, 2}:
        raise ValueError("a consent has a notice and a time")
    notice = text(item.get(1))
    if not is_notice(notice):
        raise ValueError(NOTICE_RULE)
    return Consent(notice, moment(item.get(2)))


def _faces(items: cbor.Value) -> tuple[Face, ...]:
    if not isinstance(items, tuple) or len(items) > MOST_REFERENCES:
        raise ValueError("references are a list of at most 8")
    return tuple(map(_face, items))


def _face(item: cbor.Value) -> Face:
    if not isinstance(item, Mapping) or not item.keys() <= {1, 2, 3, 4}:
        raise ValueError("a reference has a pack, its version, a template and parts")
    pack, version, parts = text(item.get(1)), text(item.get(2)), item.get(4, ())
    check_words((pack, version))
    if not isinstance(parts, tuple) or len(parts) > MOST_PARTS or len(parts) == 1:
        raise ValueError("parts are two or more templates")
    template, opened = _template(item.get(3)), tuple(map(_template, parts))
    if any(len(part) != len(template) for part in opened):
        raise ValueError("a part is not as long as its reference")
    return Face(pack, version, template, opened)


def _template(raw: cbor.Value) -> Template:
    if not isinstance(raw, bytes) or not 0 < len(raw) <= 4 * _MOST_COMPONENTS or len(raw) % 4:
        raise ValueError("a template is float32, little-endian")
    template = np.frombuffer(raw, dtype="<f4").astype(np.float32)
    # Written so that a length that is no number is refused as well.
    if not 0.0 < float(np.linalg.norm(template.astype(np.float64))) < _LONGEST:
        raise ValueError("no template")
    return template


def _ends(
    item: Mapping[Any, cbor.Value], begin: int, end: int
) -> tuple[datetime | None, datetime | None]:
    start, stop = (moment(item[label]) if label in item else None for label in (begin, end))
    if start is not None and stop is not None and start >= stop:
        raise ValueError("what is valid begins before it ends")
    return start, stop


def _flag(value: cbor.Value) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")  # noqa: TRY004 - as above
    return value


def _hex(value: cbor.Value, lengths: range) -> str:
    found = text(value)
    if len(found) not in lengths or not _HEX.issuperset(found):
        raise ValueError("not in hexadecimal digits")
    return found


def _times(ends: Sequence[tuple[int, datetime | None]]) -> dict[int, int]:
    return {label: int(end.timestamp()) for label, end in ends if end is not None}


def _raw(template: Template) -> bytes:
    return np.ascontiguousarray(template, dtype="<f4").tobytes()


def _as_decoded(value: Any) -> Any:
    """A value as ``cbor.decode`` gives it."""
    if isinstance(value, dict):
        return {key: _as_decoded(inner) for key, inner in value.items()}
    return tuple(map(_as_decoded, value)) if isinstance(value, list) else value
