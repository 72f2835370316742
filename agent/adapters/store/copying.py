"""Databases copied as they were at one moment, whoever writes meanwhile; and looked at so."""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

from agent.adapters.store.names import LOG
from agent.adapters.store.sqlite import BUSY_TIMEOUT_S, guarded

_PAGES = 512
"""In a step: the one who copies hears how far it is between two."""


def copy_database(path: Path, to: Path, advance: Callable[[int, int], None]) -> None:
    """Copy the database at ``path`` into the empty file ``to``, beside which nothing is left.

    Writers are not held up: they go on in the log, which grows until the copy is done. ``advance``
    hears of how many pages are done, of how many.

    Raises:
        CorruptError: the file is broken.
        StoreError: it is locked or not to be read, or the disk is full.
    """

    def work() -> None:
        with (
            contextlib.closing(_looked_at(path)) as source,
            contextlib.closing(_opened(str(to))) as copy,
        ):
            copy.execute("PRAGMA journal_mode = OFF")
            copy.execute("PRAGMA synchronous = OFF")
            # One state for all steps: else each change of another process begins it anew.
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            source.backup(
                copy, pages=_PAGES, progress=lambda _, left, total: advance(total - left, total)
            )

    guarded(path, work)


def waiting_events(path: Path) -> int:
    """How many events of the journal at ``path`` no broker has; nothing of it is changed.

    Raises:
        CorruptError: the file is broken, or no journal.
        StoreError: it is locked or not to be read.
    """

    def work() -> int:
        with contextlib.closing(_looked_at(path)) as journal:
            (count,) = journal.execute("SELECT count(*) FROM event WHERE state = 0").fetchone()
            return int(count)

    return guarded(path, work)


def _looked_at(path: Path) -> sqlite3.Connection:
    # As ``standing`` opens: where no log waits a writer leaves no file beside it when it closes;
    # with one, that would write the log into the database.
    mode = "ro" if _waits(Path(f"{path}{LOG}")) else "rw"
    return _opened(f"{path.absolute().as_uri()}?mode={mode}", uri=True)


def _opened(name: str, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(name, uri=uri, isolation_level=None, timeout=BUSY_TIMEOUT_S)


def _waits(log: Path) -> bool:
    try:
        return log.stat().st_size > 0
    except FileNotFoundError:
        return False
