"""What the rows of a file amount to: a value that changed by itself is seen, or a row gone.

    amount = sum over all rows of SHA-256(table, values), modulo 2^256, kept in each transaction

SQLite sees a broken page, not a broken value: a pass that was used and reads as another's, a
lockdown that reads as nothing. Each change adds the rows after it and takes off those before it, so
it costs no more than the rows it touches. It is no seal: it holds against a worn card, and not
against whoever writes the file.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent.adapters.store.sqlite import CorruptError, guarded, open_database, transaction

STEP = """
    CREATE TABLE amount (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        total TEXT NOT NULL
    )
    """
"""The step that a file of this kind has among its own."""
_MODULUS = 1 << 256


def opened_with_amount(
    path: Path, application_id: int, steps: Sequence[str], tables: Sequence[str]
) -> sqlite3.Connection:
    """``open_database``, where the rows of ``tables`` are those that were written.

    Those of an earlier version, which kept no amount, are taken as they are.

    Raises:
        CorruptError: they are not; or as ``open_database``.
        StoreError: as ``open_database``.
    """
    connection = open_database(path, application_id, steps)
    try:
        guarded(path, lambda: _check(connection, path.name, tables))
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, name: str, tables: Sequence[str]) -> None:
    with transaction(connection):
        found = sum(_sum(connection, table, "1", ()) for table in tables) % _MODULUS
        row = connection.execute("SELECT total FROM amount").fetchone()
        if row is None:
            connection.execute("INSERT INTO amount VALUES (1, ?)", (f"{found:x}",))
        elif row[0] != f"{found:x}":
            fix = "restart the agent: it sets the file aside, and keeps the stricter side"
            said = f"{name} is damaged: its rows are not those that were written"
            raise CorruptError(said, fix)


@contextmanager
def counted(
    connection: sqlite3.Connection, table: str, where: str = "1", *values: object
) -> Iterator[None]:
    """Within a transaction: the block changes rows of ``table``, none but those of ``where``."""
    before = _sum(connection, table, where, values)
    yield
    grown = _sum(connection, table, where, values) - before
    if grown:
        (total,) = connection.execute("SELECT total FROM amount").fetchone()
        after = (int(total, 16) + grown) % _MODULUS
        connection.execute("UPDATE amount SET total = ?", (f"{after:x}",))


def _sum(connection: sqlite3.Connection, table: str, where: str, values: Sequence[object]) -> int:
    query = f"SELECT * FROM {table} WHERE {where}"  # noqa: S608 - constants
    return sum(_digest(table, row) for row in connection.execute(query, tuple(values)))


def _digest(table: str, row: tuple[object, ...]) -> int:
    # With their types: a number that became a text is another value.
    return int.from_bytes(hashlib.sha256(repr((table, *row)).encode()).digest())
