"""What the archive adds to the registry's file, and how a record is written there.

    archive          a row a holder: everything sealed, and the keyed hash of the resident code
    archive_key      the key of those hashes, sealed; made with the first record
    category_change  a row a change: from what to what, when, by whom; why is sealed

No name, telephone number or code stands there in clear, in an index neither. A code is found, and
held to be nobody else's, by its hash; whatever else is looked for, the desk looks for in memory.
"""

import json
from datetime import datetime
from typing import Any

from agent.adapters.store.sqlite import stored_moment
from agent.domain.foreign.json_text import read_json
from agent.domain.hours.instant import utc_text
from agent.domain.registers.record import ArchiveConsent, Record
from agent.domain.registers.resident_code import parse_resident_code

RECORD, ARCHIVE_KEY, WHY = "archive record", "archive key", "change of category"
"""What sealed values are bound to, beside their holder."""
STEP = """
    CREATE TABLE archive (
        holder TEXT PRIMARY KEY REFERENCES holder (id) ON DELETE CASCADE,
        code_hash TEXT UNIQUE,
        sealed BLOB NOT NULL
    );
    CREATE TABLE archive_key (sealed BLOB NOT NULL);
    CREATE TABLE category_change (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        holder TEXT NOT NULL REFERENCES holder (id) ON DELETE CASCADE,
        was TEXT NOT NULL,
        became TEXT NOT NULL,
        at TEXT NOT NULL,
        by TEXT NOT NULL,
        sealed_why BLOB,
        undoes INTEGER
    );
    CREATE INDEX category_change_of ON category_change (holder);
"""
"""Of the schema."""


def written(record: Record) -> bytes:
    """A record as it is sealed."""
    consent = record.consent
    said: dict[str, Any] = {
        "code": None if record.code is None else str(record.code),
        "contact": record.contact,
        "grid": record.grid,
        "consent": None
        if consent is None
        else {"notice": consent.notice, "at": utc_text(consent.at), "guardian": consent.guardian},
    }
    kept = {key: value for key, value in said.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()


def read(plain: bytes) -> Record:
    """The record that was written so.

    Raises:
        ValueError: it is none, or one of a later version.
    """
    said = read_json(plain.decode())
    if not isinstance(said, dict):
        raise ValueError("is no record")  # noqa: TRY004 - one kind of error for all
    code, consent = said.get("code"), said.get("consent")
    try:
        return Record(
            None if code is None else parse_resident_code(code),
            said.get("contact"),
            said.get("grid"),
            None if consent is None else _consent(consent),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("is no record") from error


def _consent(said: dict[str, Any]) -> ArchiveConsent:
    at: datetime = stored_moment(said["at"])
    return ArchiveConsent(said["notice"], at, said.get("guardian"))
