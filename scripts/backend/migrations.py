"""The tables: numbered SQL files, each applied once, in order, by whoever comes first."""

import re
from pathlib import Path

from backend.database import Connection, connect
from backend.failures import BackendError, MissingError

FOLDER = Path(__file__).resolve().parent / "migrations"
_LOCK = 0x67617465  # "gate"
_NAME = re.compile(r"(\d{4})_[a-z_]+\.sql")


def files() -> dict[int, Path]:
    """The files by their number."""
    found = {}
    for path in sorted(FOLDER.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        assert match is not None, path
        found[int(match[1])] = path
    return found


def apply(connection: Connection) -> list[int]:
    """Apply what is missing, in one transaction under an advisory lock; the numbers of those.

    Raises:
        BackendError: the database has been changed by a newer backend than this.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations"
            " (number integer PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now())"
        )
        done = {row[0] for row in connection.execute("SELECT number FROM migrations")}
        known = files()
        if newer := sorted(str(one) for one in done - known.keys()):
            raise BackendError(f"the database is of a newer backend: migration {newer[-1]}")
        applied = [number for number in known if number not in done]
        for number in applied:
            connection.execute(known[number].read_bytes())
            connection.execute(
                "INSERT INTO migrations (number, name) VALUES (%s, %s)",
                (number, known[number].name),
            )
    return applied


def to_read(dsn: str) -> Connection:
    """A connection that cannot write, to a database that has its tables.

    Raises:
        MissingError: the database does not answer, or is not made yet.
    """
    connection = connect(dsn, read_only=True)
    try:
        check(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def check(connection: Connection) -> None:
    """That the database has the tables of this backend.

    Raises:
        MissingError: it has none, or others.
    """
    found = connection.execute("SELECT to_regclass('migrations') IS NOT NULL").fetchone()
    if found == (True,):
        row = connection.execute("SELECT max(number) FROM migrations").fetchone()
        if row == (max(files()),):
            return
    raise MissingError("the database has no tables, or those of another version: backend migrate")
