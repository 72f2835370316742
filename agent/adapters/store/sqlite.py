"""Opens our SQLite files: write-ahead log, private to their owner, and surely ours."""

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from agent.adapters.store.names import INDEX, LOG, ROLLBACK
from agent.adapters.store.owners import told, whose
from agent.errors import StoreError

BUSY_TIMEOUT_S = 2.0
_PAUSE_S = 0.01
_LARGEST_CHECKED_BYTES = 64_000_000
T = TypeVar("T")

_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
}
_HINDRANCES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
}
# The statements are ours and constant: where SQLite stumbles over one, the schema is damaged.
_DAMAGED_SCHEMA = ("no such ", "malformed", "unsupported file format", "near ", "unrecognized")
_UNDECODABLE = "Could not decode"
_IMPOSSIBLE = "NULL value in "
STANDING = (
    """
    CREATE TABLE IF NOT EXISTS standing (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        identity TEXT,
        counter INTEGER NOT NULL
    )
    """,
    "INSERT OR IGNORE INTO standing VALUES (1, NULL, 0)",
    """
    CREATE TABLE IF NOT EXISTS remembered (
        file TEXT PRIMARY KEY,
        identity TEXT NOT NULL,
        counter INTEGER NOT NULL
    )
    """,
)
"""What every database of ours has beside its own tables; ``standing`` says what it is for."""
COUNT = "UPDATE standing SET counter = counter + 1"
"""Belongs into each transaction that grants or forbids something: an older copy shows by it."""


class CorruptError(StoreError):
    """The file is no database, or a broken one; what was in it may be lost."""


class HinderedError(StoreError):
    """It cannot be done now, whatever the file is: it is locked, or the disk full or failing."""


def open_database(
    path: Path,
    application_id: int,
    steps: Sequence[str],
    *,
    judges_rows: bool = False,
    page_bytes: int | None = None,
) -> sqlite3.Connection:
    """The database at ``path``, made or brought up to date by ``steps``.

    Whose reader ``judges_rows`` gets a file with impossible values in it too: it tells them itself.
    ``page_bytes`` is the page of a file that is made; SQLite's own without it.

    Each step is a script that was released once and never changes; ``user_version`` counts those
    applied. Synchronous is NORMAL: a commit survives the process's death; a power failure may take
    the newest ones, until the log is flushed.

    Raises:
        CorruptError: it is no database, or a broken one.
        HinderedError: it is locked, or the disk full or failing.
        StoreError: it is no file, not writable, not ours, or of a newer agent.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _touch(path)
        odd = no_file(path)
    except (FileExistsError, NotADirectoryError) as error:
        raise StoreError(f"{path.parent} is no folder", "name another --state-dir") from error
    except OSError as error:
        fix = f"make {path.parent} writable for this user, or name another --state-dir"
        said, fix = told(path, "written", error, fix)
        raise StoreError(said, fix) from error
    if odd is not None:
        raise StoreError(f"{odd} is no file", "move it away")
    connection = guarded(
        path,
        lambda: sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        ),
    )
    try:
        guarded(path, lambda: _prepare(path, connection, application_id, steps, page_bytes))
        guarded(path, lambda: _check(path, connection, judges_rows=judges_rows))
    except BaseException:
        connection.close()
        raise
    return connection


def _touch(path: Path) -> None:
    """Make the file where there is none, because sqlite3 would make it readable by others.

    One that exists is not opened: closing it would drop the locks that SQLite holds for this
    process's other connections to it.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def no_file(path: Path) -> Path | None:
    """What has the name of the database, or of what SQLite has beside it, and is no file.

    A folder, a pipe at which SQLite might wait for ever, a link to nothing or to itself.

    Raises:
        OSError: this user may not know.
    """
    for end in ("", LOG, INDEX, ROLLBACK):
        place = Path(f"{path}{end}")
        try:
            mode = place.lstat().st_mode
        except FileNotFoundError:
            continue
        if stat.S_ISLNK(mode):
            try:
                mode = place.stat().st_mode
            except OSError:
                return place
        if not stat.S_ISREG(mode):
            return place
    return None


def guarded(path: Path, work: Callable[[], T]) -> T:
    """``work``'s answer, its sqlite3 errors as ours.

    Raises:
        CorruptError: the file is broken.
        HinderedError: it is locked, or the disk full or failing.
        StoreError: it is not writable or closed.
    """
    try:
        return work()
    except UnicodeDecodeError:
        # SQLite quotes what it stumbled over in a damaged schema, and Python cannot read it.
        raise CorruptError(f"{path.name} is damaged: its schema is no UTF-8") from None
    except sqlite3.Error as error:
        text = str(error)
        if text.startswith(_UNDECODABLE):
            # SQLite's message quotes the column, which may be a name; nor may a traceback show it.
            raise CorruptError(f"{path.name} is damaged: a text is no UTF-8") from None
        if _is_damage(error, text):
            raise CorruptError(f"{path.name} is damaged: {text}") from error
        owned = whose(path) if _is_refused(text) else None
        said, fix = (text, _fix(path, text)) if owned is None else owned
        kind = HinderedError if _code(error) & 0xFF in _HINDRANCES else StoreError
        raise kind(f"{path.name}: {said}", fix) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block or nothing; no other process writes meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk or a damaged file has rolled back already, or cannot; the first error tells.
        with contextlib.suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise


def stored_moment(text: str) -> datetime:
    """A moment that was stored with its offset from UTC.

    Raises:
        ValueError: it is none; without an offset it could be compared with no other.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without its offset")
    return moment


def moment_or_none(text: str | None) -> datetime | None:
    """``stored_moment`` of a column that may be empty.

    Raises:
        ValueError: as there.
    """
    return None if text is None else stored_moment(text)


def text_or_none(moment: datetime | None) -> str | None:
    """A moment, or none, as such a column holds it."""
    return None if moment is None else moment.isoformat()


def file_identity(path: Path) -> tuple[int, int] | None:
    """Which file stands at ``path``: device and inode; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def sync_folder(folder: Path) -> None:
    """Names made or moved in ``folder`` survive a power failure from now on."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _code(error: sqlite3.Error) -> int:
    """SQLite's word; an error that Python raises by itself (a closed connection) has none."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code


def _is_damage(error: sqlite3.Error, text: str) -> bool:
    code = _code(error)
    if code in _DAMAGE or code & 0xFF in _DAMAGE:
        return True
    return code == sqlite3.SQLITE_ERROR and text.startswith(_DAMAGED_SCHEMA)


def _is_refused(text: str) -> bool:
    return "readonly" in text or "unable to open" in text


def _fix(path: Path, text: str) -> str | None:
    if "locked" in text or "busy" in text:
        return f"another process holds it; try again, or see who does: fuser {path}"
    if "full" in text:
        return "free space on the disk"
    if _is_refused(text):
        return f"run as the user who owns {path.parent}, or make it writable for this one"
    return None


def _prepare(
    path: Path,
    connection: sqlite3.Connection,
    application_id: int,
    steps: Sequence[str],
    page_bytes: int | None,
) -> None:
    if path.stat().st_size == 0 and _size(Path(f"{path}{LOG}")):
        # Never so in good order, and SQLite would delete the log with all that it holds.
        raise CorruptError(f"{path.name} is damaged: it is empty beside its log")
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if found != application_id and (found or tables):
        raise StoreError(f"{path} is a database of something else", "move it away")
    if version > len(steps):
        fix = "install the agent that wrote it, or a newer one"
        raise StoreError(f"{path.name} is of a newer agent (version {version})", fix)
    if page_bytes is not None:
        connection.execute(f"PRAGMA page_size = {page_bytes}")  # of one that is there: nothing
    _use_log(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    if version < len(steps):
        _migrate(connection, application_id, steps)
    _give_standing(connection)


def _check(path: Path, connection: sqlite3.Connection, *, judges_rows: bool) -> None:
    if path.stat().st_size > _LARGEST_CHECKED_BYTES:
        return
    for (verdict,) in connection.execute("PRAGMA quick_check").fetchall():
        if verdict != "ok" and not (judges_rows and verdict.startswith(_IMPOSSIBLE)):
            raise CorruptError(f"{path.name} is damaged: {verdict}")


def _use_log(connection: sqlite3.Connection) -> None:
    # For this switch SQLite does not wait, and two processes may begin a file at the same moment.
    ends_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= ends_s:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def _migrate(connection: sqlite3.Connection, application_id: int, steps: Sequence[str]) -> None:
    with transaction(connection):
        # Looked up again: another process may have been faster.
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for step in steps[version:]:
            for statement in _statements(step):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {application_id}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")


def _statements(script: str) -> Iterator[str]:
    """One by one, each whole: a trigger has semicolons of its own."""
    begun = ""
    for part in script.split(";"):
        begun += f"{part};"
        if begun.strip(" \n;") and sqlite3.complete_statement(begun):
            yield begun
            begun = ""


def _give_standing(connection: sqlite3.Connection) -> None:
    """In no step of a file's own: it is the same for all, and older than none of them."""
    query = "SELECT count(*) FROM sqlite_master WHERE name IN ('standing', 'remembered')"
    if connection.execute(query).fetchone()[0] < 2:
        with transaction(connection):
            for statement in STANDING:
                connection.execute(statement)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
