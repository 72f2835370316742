"""Rows that give or take a right: each is judged by its mark, and a damaged one costs no other.

A row is marked as SQLite gives it back, after every write. Rows of a registry of before get their
marks once, when it is opened for the first time; from then on a row without one is damaged.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agent.adapters.store.people.rows.marks import NAMED, Verdict, judge, mark
from agent.adapters.store.people.site_bounds import SiteBounds
from agent.adapters.store.sqlite import guarded, transaction

_STEP = 4
"""Of the schema, which brought the marks."""

MARKED = {
    "holder": ("id", "category", "enabled", "valid_from", "valid_until"),
    "issuer_key": ("key_id", "issuer", "public", "valid_from", "valid_until"),
    "revoked_pass": ("pass",),
    "id_document": ("number_hash", "holder"),
    "card": ("card_hash", "holder", "valid_from", "valid_until"),
    "tombstone": ("holder_hash", "key_id", "removed_at", "dies_at"),
    "category_rule": ("category", "rules", "said_by", "said_at"),
}
"""The columns that a mark covers, by table; the first says whom or what the row is about."""
_UNMARKED = {"holder": ("name", "sealed_name", "consent_notice", "consent_at", "handle")}
"""What is read as well, and gives nobody a right."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read: its number, what it is worth, and its values by column."""

    number: int
    verdict: Verdict
    values: dict[str, Any]


class MarkedRows(SiteBounds):
    """The registry's file with its marks."""

    def _open(self) -> None:
        super()._open()
        guarded(self._path, self._adopt)
        guarded(self._path, self._mend_revision)

    def _adopt(self) -> None:
        """Mark what was never marked."""
        asked = "SELECT 1 FROM adopted"
        if self._connection.execute(asked).fetchone():
            return
        with transaction(self._connection):
            if self._connection.execute(asked).fetchone():
                return  # another process was faster
            for table in MARKED:
                for row in [*self._each(table)]:
                    self._mark_row(table, row.number)
            self._connection.execute("INSERT INTO adopted (step) VALUES (?)", (_STEP,))

    def _marked(self, table: str, where: str = "", *parameters: object) -> list[Row]:
        """The rows of ``table``, each with what it is worth."""
        return self._read(lambda: [*self._each(table, where, *parameters)])

    def _each(self, table: str, where: str = "", *parameters: object) -> Iterator[Row]:
        # Not by an index, which has values of its own.
        return self._judged(table, f"{table} NOT INDEXED {where}", *parameters)

    def _judged(self, table: str, which: str, *parameters: object) -> Iterator[Row]:
        return (self._row(table, raw) for raw in self._raw(table, which, *parameters))

    def _raw(self, table: str, which: str, *parameters: object) -> sqlite3.Cursor:
        """Rows as they stand there: the number, then the columns, whom it is about first."""
        query = f"SELECT rowid, {', '.join(_names(table))} FROM {which}"  # noqa: S608 - constants
        return self._connection.execute(query, parameters)

    def _row(self, table: str, raw: Sequence[Any]) -> Row:
        number, *found = raw
        values = dict(zip(_names(table), found, strict=True))
        subject, *fields = (values[name] for name in MARKED[table])
        return Row(number, judge(subject, fields, values["mark"]), values)

    def _damaged(self, table: str, subject: str) -> list[Row]:
        """The rows about ``subject`` that cannot be read, within the caller's transaction."""
        column = MARKED[table][0]
        where = f"WHERE {column} = ? OR substr(mark, {NAMED}) IS NOT {column}"
        return [
            row
            for row in self._each(table, where, subject)
            if not row.verdict.whole and subject in row.verdict.subjects
        ]

    def _clear_damage(self, table: str, subject: str) -> None:
        """Before a row about ``subject`` is written: none that is damaged stands in its way.

        One that still has its own name is written over, and keeps what refers to it.
        """
        column = MARKED[table][0]
        others = [row for row in self._damaged(table, subject) if row.values[column] != subject]
        if others:
            # The index may still have what the row had before it was damaged.
            self._connection.execute(f"REINDEX {table}")
        for row in others:
            query = f"DELETE FROM {table} WHERE rowid = ?"  # noqa: S608 - constants
            self._connection.execute(query, (row.number,))

    def _mark(self, table: str, subject: str) -> None:
        """Mark the row about ``subject``, which was just written in the caller's transaction."""
        column = MARKED[table][0]
        query = f"SELECT rowid FROM {table} WHERE {column} = ?"  # noqa: S608 - constants
        for (number,) in self._connection.execute(query, (subject,)).fetchall():
            self._mark_row(table, number)

    def _mark_row(self, table: str, number: int) -> None:
        columns = ", ".join(MARKED[table])
        query = f"SELECT {columns} FROM {table} WHERE rowid = ?"  # noqa: S608 - constants
        subject, *fields = self._connection.execute(query, (number,)).fetchone()
        query = f"UPDATE {table} SET mark = ? WHERE rowid = ?"  # noqa: S608 - constants
        self._connection.execute(query, (mark(subject, fields), number))


def _names(table: str) -> tuple[str, ...]:
    return (*MARKED[table], "mark", *_UNMARKED.get(table, ()))
