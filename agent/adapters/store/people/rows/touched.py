"""Which rows were touched, in their order: whoever knows the registry at one place reads on there.

SQLite's own triggers write it, so no way of writing a row leaves it out, another process's neither.
It names nobody: a holder by a number drawn at random, which goes with their row, a reference by the
number of its row; of the other tables it says no more than that there was something.

    at       rises by one with each line; a gap is damage
    subject  whom or what, ``again`` the same with every bit turned: one that flips is seen
    salt     drawn at random: of two files that were one once, a line is only in one

It is short. Who finds his place no longer in it, or anything wrong with it, reads all there is.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

HOLDER, REFERENCE = "holder", "reference"
_FIRST_TABLES = ("id_document", "revoked_pass", "tombstone")
TABLES = (*_FIRST_TABLES, "card")
"""Of these only that they were touched."""
_KEPT = 8192
"""Lines beyond which the oldest go."""
_SEEN = (
    "id, name, sealed_name, category, enabled, valid_from, valid_until,"
    " consent_notice, consent_at, mark"
)


def _line(kind: str, subject: str) -> str:
    """A row whose subject is lost leaves 0, which is nobody's."""
    word = f"coalesce({subject}, 0)"
    return f"INSERT INTO touched (kind, subject, again) VALUES ('{kind}', {word}, ~{word})"  # noqa: S608 - constants


def _triggers() -> Iterator[tuple[str, str]]:
    drawn = "UPDATE holder SET handle = random() WHERE rowid = new.rowid AND handle IS NULL"
    handle = "(SELECT handle FROM holder WHERE rowid = new.rowid)"
    yield (
        "touched_holder_put",
        f"AFTER INSERT ON holder BEGIN {drawn}; {_line(HOLDER, handle)}; END",
    )
    for name, when, whose in (
        ("changed", f"UPDATE OF {_SEEN}", "new.handle"),
        ("renamed", "UPDATE OF handle", "old.handle"),
        ("gone", "DELETE", "old.handle"),
    ):
        drawn_first = " WHEN old.handle IS NOT NULL" if name == "renamed" else ""
        yield (
            f"touched_holder_{name}",
            f"AFTER {when} ON holder{drawn_first} BEGIN {_line(HOLDER, whose)}; END",
        )
    old, new = _line(REFERENCE, "old.number"), _line(REFERENCE, "new.number")
    for name, when, lines in (
        ("put", "INSERT", f"{new};"),
        ("changed", "UPDATE", f"{old}; {new};"),
        ("gone", "DELETE", f"{old};"),
    ):
        yield f"touched_reference_{name}", f"AFTER {when} ON reference BEGIN {lines} END"
    for table in _FIRST_TABLES:
        yield from _of_table(table)


def _of_table(table: str) -> Iterator[tuple[str, str]]:
    for when in ("INSERT", "UPDATE", "DELETE"):
        line = _line(table, "0")
        yield f"touched_{table}_{when.lower()}", f"AFTER {when} ON {table} BEGIN {line}; END"


def _created(triggers: Iterator[tuple[str, str]]) -> dict[str, str]:
    return {name: f"CREATE TRIGGER {name} {rest}" for name, rest in triggers}


_FIRST_TRIGGERS = _created(_triggers())
_CARD_TRIGGERS = _created(_of_table("card"))
_TRIGGERS = {**_FIRST_TRIGGERS, **_CARD_TRIGGERS}
STEP = f"""
    CREATE TABLE touched (
        at INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        subject INTEGER NOT NULL,
        again INTEGER NOT NULL,
        salt INTEGER NOT NULL DEFAULT (random())
    );
    INSERT INTO touched (kind, subject, again) VALUES ('begun', 0, ~0);
    ALTER TABLE holder ADD COLUMN handle INTEGER;
    UPDATE holder SET handle = random();
    CREATE INDEX holder_by_handle ON holder (handle);
    {";".join(_FIRST_TRIGGERS.values())};
"""  # noqa: S608 - constants
CARD_STEP = f"""
    CREATE TABLE card (
        card_hash TEXT PRIMARY KEY,
        holder TEXT NOT NULL REFERENCES holder (id) ON DELETE CASCADE,
        valid_from TEXT,
        valid_until TEXT,
        mark TEXT
    );
    CREATE INDEX card_of ON card (holder);
    CREATE TABLE synced_card (
        card_hash TEXT PRIMARY KEY REFERENCES card (card_hash) ON DELETE CASCADE
    );
    CREATE TABLE lost_card (card_hash TEXT PRIMARY KEY);
    {";".join(_CARD_TRIGGERS.values())};
"""
"""Of the schema."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of one file; there is no other like it."""

    at: int
    salt: int


@dataclass(frozen=True, slots=True)
class Touched:
    """What the lines behind a place say: handles of holders, numbers of references, and tables."""

    holders: frozenset[int]
    references: frozenset[int]
    tables: frozenset[str]


def newest(connection: sqlite3.Connection) -> Place | None:
    """The last line, where every row that is touched from now on will have one behind it."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    if dict(connection.execute(query).fetchall()) != _TRIGGERS:
        return None
    row = connection.execute("SELECT at, salt FROM touched ORDER BY at DESC LIMIT 1").fetchone()
    return None if row is None else Place(*row)


def since(connection: sqlite3.Connection, place: Place, to: Place) -> Touched | None:
    """What was touched behind ``place``, up to ``to``; None where nobody can say."""
    query = "SELECT at, salt, kind, subject, again FROM touched WHERE at >= ? ORDER BY at"
    found: dict[str, set[int]] = {}
    rows = connection.execute(query, (place.at,)).fetchall()
    if not rows or Place(*rows[0][:2]) != place or Place(*rows[-1][:2]) != to:
        return None
    for at, (number, _, kind, subject, again) in enumerate(rows[1:], place.at + 1):
        if number != at or not isinstance(subject, int) or again != ~subject:
            return None
        found.setdefault(kind, set()).add(subject)
    holders, references = found.pop(HOLDER, set()), found.pop(REFERENCE, set())
    if not found.keys() <= set(TABLES) or any(one != {0} for one in found.values()):
        return None
    return Touched(frozenset(holders), frozenset(references), frozenset(found))


def forget_old(connection: sqlite3.Connection) -> None:
    """Within the caller's transaction: the log stays short, and its last line stays."""
    query = "DELETE FROM touched WHERE at <= (SELECT max(at) FROM touched) - ?"
    connection.execute(query, (_KEPT,))
