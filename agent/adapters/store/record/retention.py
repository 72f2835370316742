"""What the journal forgets: rows that are old, or too many, and that nobody is still to get.

Every step is a short transaction of its own: an event that is written meanwhile waits for one step
at most.
"""

import sqlite3
from time import sleep
from typing import Any

from agent.adapters.store.erasure import empty_log
from agent.adapters.store.record.journal_file import JournalFile
from agent.adapters.store.record.rows import PENDING, PUBLISHED, REFUSED
from agent.adapters.store.sqlite import transaction

MOST_BYTES = 512_000_000
_STEP_ROWS = 500
_TRIES, _PAUSE_S = 20, 0.1


def prune(file: JournalFile, before: str, most_bytes: int, *, published_only: bool) -> int:
    """Forget published rows with a time before ``before``, and the oldest beyond ``most_bytes``.

    Not ``published_only``: all others as well.

    Raises:
        StoreError: the journal cannot be read or written.
    """
    states = (PUBLISHED,) if published_only else (PENDING, PUBLISHED, REFUSED)
    forgotten = _prune_old(file, before.encode(), states) + _prune_large(file, most_bytes, states)
    if forgotten:
        _erase(file)
    return forgotten


def _prune_old(file: JournalFile, before: bytes, states: tuple[int, ...]) -> int:
    query = "SELECT row, time, clock_synced, state FROM event WHERE row > ? ORDER BY row LIMIT ?"
    forgotten = after_row = 0
    # Rows of an untrusted clock wait for the next trusted one: older than that they surely are.
    waiting: list[int] = []
    while rows := _all(file, query, after_row, _STEP_ROWS):
        after_row = rows[-1][0]
        old: list[int] = []
        met_fresh = False
        for row, time, synced, state in rows:
            is_old = synced and time < before
            if state in states and (is_old or not synced):
                waiting.append(row)
            if is_old:
                old += waiting
            elif synced:
                met_fresh = True
            if synced:
                waiting = []
        _forget(file, old)
        forgotten += len(old)
        if met_fresh and not old:
            break
    return forgotten


def _prune_large(file: JournalFile, most_bytes: int, states: tuple[int, ...]) -> int:
    among = ", ".join(map(str, states))
    query = f"SELECT row FROM event WHERE state IN ({among}) ORDER BY row LIMIT ?"  # noqa: S608 - constants
    forgotten = 0
    while file.do(_used_bytes) > most_bytes:
        rows = [row for (row,) in _all(file, query, _STEP_ROWS)]
        if not rows:
            break
        _forget(file, rows)
        forgotten += len(rows)
    return forgotten


def _forget(file: JournalFile, rows: list[int]) -> None:
    def work(connection: sqlite3.Connection) -> None:
        with transaction(connection):
            connection.executemany("DELETE FROM event WHERE row = ?", [(row,) for row in rows])

    if rows:
        file.do(work)


def _erase(file: JournalFile) -> None:
    """Cut the log, which holds what was forgotten; where somebody reads on, soon or the next time.

    Nobody is waited for while the file is held: an event may come meanwhile.
    """
    for _ in range(_TRIES):
        if file.do(lambda connection: empty_log(connection, within_s=0.0)):
            return
        sleep(_PAUSE_S)


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _all(file: JournalFile, query: str, *parameters: object) -> list[Any]:
    return file.do(lambda connection: connection.execute(query, parameters).fetchall())
