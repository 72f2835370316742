"""What the journal forgets: rows that are old, or too many, and that nobody is still to get.

Of a row that is as old and that somebody is still to get, the covered values go, and the salt with
them: what is published of it later proves its place and tells of nobody.

Every step is a short transaction of its own: an event that is written meanwhile waits for one step
at most.
"""

import sqlite3
from time import sleep
from typing import Any

from agent.adapters.store.erasure import empty_log
from agent.adapters.store.record.journal_file import JournalFile, forgotten
from agent.adapters.store.record.rows import (
    COLUMNS,
    PENDING,
    PUBLISHED,
    REFUSED,
    stored,
    without_covered,
)
from agent.adapters.store.sqlite import CorruptError, transaction

MOST_BYTES = 512_000_000
_STEP_ROWS = 500
_TRIES, _PAUSE_S = 20, 0.1
_BARE = "UPDATE event SET data = ?, commitments = ?, salt = NULL WHERE row = ?"


def prune(file: JournalFile, before: str, most_bytes: int, *, published_only: bool) -> int:
    """Forget published rows with a time before ``before``, and the oldest beyond ``most_bytes``.

    Not ``published_only``: all others as well; else they lose their covered values. How many are
    forgotten.

    Raises:
        StoreError: the journal cannot be read or written.
    """
    states = (PUBLISHED,) if published_only else (PENDING, PUBLISHED, REFUSED)
    old, erased = _prune_old(file, before.encode(), states)
    gone = old + _prune_large(file, most_bytes, states)
    if gone or erased:
        _erase(file)
    return gone


def _prune_old(file: JournalFile, before: bytes, states: tuple[int, ...]) -> tuple[int, int]:
    """How many old rows are forgotten, and of how many the covered values are erased."""
    query = (
        "SELECT row, time, clock_synced, state, commitments IS NOT NULL FROM event"
        " WHERE row > ? ORDER BY row LIMIT ?"
    )
    gone = erased = after_row = 0
    # Rows of an untrusted clock wait for the next trusted one: older than that they surely are.
    waiting: list[tuple[int, bool]] = []
    while rows := _all(file, query, after_row, _STEP_ROWS):
        after_row = rows[-1][0]
        old: list[tuple[int, bool]] = []
        met_fresh = False
        for row, time, synced, state, is_erased in rows:
            is_old = synced and time < before
            goes = state in states
            if (goes or not is_erased) and (is_old or not synced):
                waiting.append((row, goes))
            if is_old:
                old += waiting
            elif synced:
                met_fresh = True
            if synced:
                waiting = []
        removed = [row for row, goes in old if goes]
        _forget(file, removed)
        gone += len(removed)
        erased += _lay_bare(file, [row for row, goes in old if not goes])
        if met_fresh and not old:
            break
    return gone, erased


def _lay_bare(file: JournalFile, rows: list[int]) -> int:
    """Erase the covered values of these rows, and what would prove them; of how many."""

    def work(connection: sqlite3.Connection) -> int:
        done = 0
        with transaction(connection):
            for row in rows:
                query = f"SELECT {COLUMNS} FROM event WHERE row = ?"  # noqa: S608 - constants
                found = connection.execute(query, (row,)).fetchone()
                if found is None or found[-1] == PUBLISHED:
                    continue  # the broker got it meanwhile
                try:
                    kept = without_covered(stored(found))
                except (CorruptError, ValueError):
                    continue  # nobody will ever read what it says
                connection.execute(_BARE, (*kept, row))
                done += 1
        return done

    return file.do(work) if rows else 0


def _prune_large(file: JournalFile, most_bytes: int, states: tuple[int, ...]) -> int:
    among = ", ".join(map(str, states))
    query = f"SELECT row FROM event WHERE state IN ({among}) ORDER BY row LIMIT ?"  # noqa: S608 - constants
    gone = 0
    while file.do(_used_bytes) > most_bytes:
        rows = [row for (row,) in _all(file, query, _STEP_ROWS)]
        if not rows:
            break
        _forget(file, rows)
        gone += len(rows)
    return gone


def _forget(file: JournalFile, rows: list[int]) -> None:
    last: dict[str, int] = {}

    def work(connection: sqlite3.Connection) -> None:
        with transaction(connection):
            for row in rows:
                query = "DELETE FROM event WHERE row = ? RETURNING epoch, sequence"
                for epoch, sequence in connection.execute(query, (row,)).fetchall():
                    last[epoch.decode()] = max(last.get(epoch.decode(), 0), sequence)
            for place in last.items():
                forgotten(connection, place)

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
