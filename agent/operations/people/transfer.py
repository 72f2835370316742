"""Carries holders from kiosk to kiosk: one JSON object a line, references sealed or left out.

    {"id", "name", "category", "enabled", "valid_from", "valid_until",
     "references": [{"pack", "pack_version", "sealed", "parts"}], "id_document",
     "consent": {"transmission": {"notice", "at"}}}

``parts`` are the templates of the photographs that a reference is the mean of, sealed likewise; a
reference of one photograph has none.
``sealed`` is base64 and bound to the holder, pack and version by the gallery's key: a file that is
lost tells names but no face, and only a kiosk with the same key takes its references. The same
holds for ``id_document``, the keyed hash of an ID number beside the id of the key that made it:
another kiosk's hash would never be found again, so it is refused where the keys differ and the
document has to be laid on that kiosk's own reader. Everything is read and opened before the first
change is made.

Import takes a table as well (``holders_csv``).
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

import numpy as np

from agent.credentials.documents.id_hash import KEY_ID_BYTES
from agent.domain.credential.holder import NOTICE_RULE, Consent, Holder, HolderId, is_notice
from agent.domain.foreign.json_text import TooDeepError, read_json
from agent.domain.hours.instant import Instant, utc_text
from agent.domain.hours.iso_time import read_moment
from agent.domain.sight.image import Template
from agent.errors import EnrolmentRefusedError, GateAgentError, RefusedError
from agent.operations.people.enrol import make_holder
from agent.operations.people.findings import finding, told
from agent.operations.people.holders import consent_json
from agent.operations.people.holders_csv import Row, csv_rows, is_csv
from agent.ports import PeopleStore, Reference, Seals

PURPOSE, PART_PURPOSE = "export", "export of a part"
DOCUMENT_PURPOSE = "export of an id document"
_KEYS = {"id", "name", "category", "enabled", "valid_from", "valid_until", "references"}
_KEYS |= {"id_document", "consent"}
_REFERENCE_KEYS = {"pack", "pack_version", "sealed"}
_HASH_BYTES = 32
_LONGEST_FINDING = 500
_LONGEST = 1e6
"""Of a template; real ones are near 1."""

Components = Callable[[str], int | None]
"""How long a template of a pack is; None where the pack is not known here."""


@dataclass(frozen=True, slots=True)
class Documents:
    """Whose ID document is whose here, and the id of the key that made the hashes."""

    key_id: bytes
    owners: Mapping[str, HolderId] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Import:
    """One line of a file, checked and opened; None leaves what there is.

    ``silent_on_enabled``: it says nothing of that, so who is disabled stays so; likewise who has
    consented to the transmission of their face where it is ``silent_on_consent``.
    """

    holder: Holder
    silent_on_enabled: bool = field(default=False, kw_only=True)
    silent_on_consent: bool = field(default=False, kw_only=True)
    references: tuple[Reference, ...] | None = field(default=None, repr=False)
    document: str | None = field(default=None, repr=False)


def export_lines(
    holders: Iterable[Holder],
    references: Iterable[Reference],
    sealer: Seals | None,
    documents: Documents | None = None,
) -> Iterator[str]:
    """A line a holder; ``references`` and ``documents`` go along only with a ``sealer``."""
    hashes = {owner: made for made, owner in documents.owners.items()} if documents else {}
    owned: dict[HolderId, list[Reference]] = {}
    for reference in references:
        owned.setdefault(reference.holder, []).append(reference)
    for holder in holders:
        line: dict[str, Any] = {
            "id": holder.id,
            "name": holder.name,
            "category": holder.category,
            "enabled": holder.enabled,
            "valid_from": _text(holder.valid_from),
            "valid_until": _text(holder.valid_until),
        }
        if holder.consent is not None:
            line["consent"] = consent_json(holder.consent)
        if sealer is not None:
            line["references"] = [_sealed(one, sealer) for one in owned.get(holder.id, [])]
            if documents is not None and holder.id in hashes:
                plain = documents.key_id + bytes.fromhex(hashes[holder.id])
                sealed = sealer.seal(plain, DOCUMENT_PURPOSE, holder.id)
                line["id_document"] = base64.b64encode(sealed).decode()
        yield json.dumps(line)


def parse_lines(
    lines: Iterable[str],
    name: str,
    sealer: Seals | None,
    components: Components = lambda _pack: None,
    documents: Documents | None = None,
    zone: tzinfo = UTC,
) -> list[Import]:
    """The holders of a file, JSON lines or a table with dates in ``zone``; every finding at once.

    A reference that does not fit its pack is a finding: it would spoil the whole gallery. So is an
    ID document whose hash is none of ``documents``' key, those of this kiosk, or is another's.

    Raises:
        RefusedError: ``import``: what is wrong, by line; references without a key among it.
    """
    found: list[Import] = []
    findings: list[str] = []
    seen: dict[HolderId, int] = {}
    owners = dict(documents.owners) if documents is not None else {}
    for number, row in _rows(list(lines), zone):
        try:
            data = _data(row)
            one = _import(data, sealer, components, documents)
            if "consent" not in data:
                one = replace(one, silent_on_consent=True)
            if isinstance(row, Row) and not row.says_enabled:
                one = replace(one, silent_on_enabled=True)
            _need(one.holder.id not in seen, f"the same id as line {seen.get(one.holder.id)}")
            seen[one.holder.id] = number
            if one.document is not None:
                owner = owners.setdefault(one.document, one.holder.id)
                _need(owner == one.holder.id, f"its ID document is bound to {owner}")
            found.append(one)
        except (ValueError, GateAgentError) as error:
            where = row.column_of(error) if isinstance(row, Row) else ""
            findings.append(finding(f"{name}:{number}: {where}", error, _LONGEST_FINDING))
    if findings:
        raise RefusedError("import", told("nothing was imported", findings))
    return found


def write(
    imports: Sequence[Import],
    registry: PeopleStore,
    *,
    by: str,
    now: Instant,
    advance: Callable[[int], None] = lambda _done: None,
) -> int:
    """Put every holder, each in one transaction with references and event; how many changed.

    An ID document is bound in a second one. Ended half-way, a repetition does the rest and nothing
    twice.
    """
    before = {holder.id: holder for holder in registry.readable_holders()}
    changed = 0
    for done, read in enumerate(imports, start=1):
        one = _with_what_stays(read, before.get(read.holder.id))
        differs = bool(one.references) or before.get(one.holder.id) != one.holder
        if one.references:
            registry.enrol(one.holder, one.references, by=by, now=now)
        elif differs:
            registry.put(one.holder, by=by, now=now)
        if one.document is not None:
            bound = registry.bind_document(one.holder.id, one.document, by=by, now=now)
            differs = differs or bound
        changed += differs
        advance(done)
    return changed


def count_shut_out(imports: Sequence[Import], registry: PeopleStore, now: datetime) -> int:
    """How many whom the registry lets pass at ``now`` would be disabled or ended by ``imports``."""

    def passes(holder: Holder | None) -> bool:
        return (
            holder is not None
            and holder.enabled
            and (holder.valid_until is None or now < holder.valid_until)
        )

    before = {holder.id: holder for holder in registry.readable_holders()}
    return sum(
        passes(before.get(one.holder.id))
        and not passes(_with_what_stays(one, before.get(one.holder.id)).holder)
        for one in imports
    )


def _with_what_stays(read: Import, before: Holder | None) -> Import:
    """What was read, and of what it does not say what there is."""
    if before is None:
        return read
    holder = read.holder
    if read.silent_on_enabled and not before.enabled:
        holder = replace(holder, enabled=False)
    if read.silent_on_consent:
        holder = replace(holder, consent=before.consent)
    return replace(read, holder=holder)


def _rows(lines: Sequence[str], zone: tzinfo) -> Iterator[tuple[int, "Row | str"]]:
    if is_csv(lines):
        for row in csv_rows(lines, zone):
            yield row.number, row
        return
    yield from ((number, line) for number, line in enumerate(lines, start=1) if line.strip())


def _data(line: "Row | str") -> Mapping[str, Any]:
    if isinstance(line, Row):
        return line.data()
    if not line.lstrip().startswith(("{", "[")):
        raise ValueError("is neither JSON nor below a head: id,name,category begins a table")
    try:
        data = read_json(line, pairs=_each_once)
    except TooDeepError as error:
        raise ValueError(f"is {error}") from error
    except ValueError as error:
        raise ValueError(f"is no JSON: {error}") from error
    _need(isinstance(data, dict), "is no JSON object")
    unknown = sorted(set(data) - _KEYS)
    _need(not unknown, f"unknown keys: {', '.join(map(repr, unknown))}")
    checked: Mapping[str, Any] = data
    return checked


def _import(
    data: Mapping[str, Any],
    sealer: Seals | None,
    components: Components,
    documents: Documents | None,
) -> Import:
    holder = read_holder(data)
    items, document = data.get("references"), data.get("id_document")
    _need(items is None or isinstance(items, list), "references is no list")
    if not items and document is None:
        return Import(holder)
    if sealer is None:
        raise ValueError("what is sealed needs the gallery's key: gate-agent key init")
    references = [_reference(item, holder.id, sealer, components) for item in items or ()]
    bound = None if document is None else _document(document, holder.id, sealer, documents)
    return Import(holder, tuple(references) or None, bound)


def read_holder(data: Mapping[str, Any]) -> Holder:
    """The holder of a JSON object; other keys are left out.

    Raises:
        ValueError: it is none.
    """
    words = {}
    for key in ("id", "name", "category"):
        _need(isinstance(data.get(key), str), f"{key} is missing or no text")
        words[key] = data[key]
    enabled = data.get("enabled", True)
    _need(isinstance(enabled, bool), "enabled is neither true nor false")
    try:
        made = make_holder(
            words["id"],
            words["name"],
            words["category"],
            enabled=enabled,
            valid_from=_moment(data, "valid_from"),
            valid_until=_moment(data, "valid_until"),
        )
    except EnrolmentRefusedError as error:
        raise ValueError(str(error)) from error
    return replace(made, consent=_consent(data.get("consent")))


def _consent(value: Any) -> Consent | None:
    if value is None:
        return None
    given = value.get("transmission") if isinstance(value, dict) else None
    if not isinstance(given, dict) or set(given) != {"notice", "at"}:
        raise ValueError("consent has transmission, with its notice and at")
    notice, at = given["notice"], _moment(given, "at")
    _need(isinstance(notice, str) and is_notice(notice), NOTICE_RULE)
    if at is None:
        raise ValueError("at is missing")
    return Consent(notice, at)


def _moment(data: Mapping[str, Any], key: str) -> datetime | None:
    value = data.get(key)
    if value is None:
        return None
    try:
        moment = read_moment(value, None)
        _need(moment.tzinfo is not None, f"{key} lacks its offset from UTC")
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{key} lies outside the years 1 to 9999 in UTC") from error
    except TypeError as error:
        raise ValueError(f"{key} is no RFC 3339 time") from error


def _sealed(reference: Reference, sealer: Seals) -> dict[str, Any]:
    words = (reference.holder, reference.pack, reference.pack_version)

    def text(template: Template, purpose: str) -> str:
        plain = np.ascontiguousarray(template, dtype="<f4").tobytes()
        return base64.b64encode(sealer.seal(plain, purpose, *words)).decode()

    made: dict[str, Any] = {
        "pack": reference.pack,
        "pack_version": reference.pack_version,
        "sealed": text(reference.template, PURPOSE),
    }
    if reference.parts:
        # Where there are none the line is as it was before there were parts, for an older kiosk.
        made["parts"] = [text(part, PART_PURPOSE) for part in reference.parts]
    return made


def _reference(item: Any, holder: HolderId, sealer: Seals, components: Components) -> Reference:
    whole = isinstance(item, dict) and set(item) - {"parts"} == _REFERENCE_KEYS
    _need(
        whole and all(isinstance(item[key], str) for key in _REFERENCE_KEYS),
        "a reference has pack, pack_version and sealed, all text",
    )
    parts = item.get("parts", [])
    _need(
        isinstance(parts, list) and all(isinstance(part, str) for part in parts),
        "parts is no list of texts",
    )
    _need(len(parts) != 1, "a reference of one photograph has no parts")
    words = (holder, item["pack"], item["pack_version"])
    template = _template(item["sealed"], sealer, PURPOSE, *words)
    wanted = components(item["pack"])
    _need(wanted in (None, len(template)), "a reference is not as long as those of its pack")
    opened = tuple(_template(part, sealer, PART_PURPOSE, *words) for part in parts)
    _need(all(len(part) == len(template) for part in opened), "a part is not as long as the whole")
    return Reference(*words, template, opened)


def _template(text: str, sealer: Seals, *bound_to: str) -> Template:
    try:
        sealed = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError("sealed is no base64") from error
    plain = sealer.open(sealed, *bound_to)
    template = np.frombuffer(plain, dtype="<f4").astype(np.float32)
    length = float(np.linalg.norm(template.astype(np.float64)))
    # Written so that a length that is no number is refused as well.
    _need(0.0 < length < _LONGEST, "a reference is no template")
    return template


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Which of two values another reader would take is anybody's guess.
    _need(len({key for key, _ in pairs}) == len(pairs), "has a key twice")
    return dict(pairs)


def _document(item: Any, holder: HolderId, sealer: Seals, here: Documents | None) -> str:
    _need(isinstance(item, str), "id_document is no text")
    try:
        sealed = base64.b64decode(item, validate=True)
    except ValueError as error:
        raise ValueError("id_document is no base64") from error
    plain = sealer.open(sealed, DOCUMENT_PURPOSE, holder)
    same_key = here is not None and plain[:KEY_ID_BYTES] == here.key_id
    _need(
        same_key and len(plain) == KEY_ID_BYTES + _HASH_BYTES,
        "its ID document was hashed with another key: take id_document out, and bind it here",
    )
    return plain[KEY_ID_BYTES:].hex()


def _need(holds: bool, message: str) -> None:  # noqa: FBT001 - reads as the sentence it is
    if not holds:
        raise ValueError(message)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else utc_text(moment)
