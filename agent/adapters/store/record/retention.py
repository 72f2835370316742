"""What the journal forgets: rows that are old, or too many, and that nobody is still to get.

    older than the config keeps them   published: they go     else: they lose their covered values
    beyond the bounds, or no room      published: they go, the oldest first
                                       else, once none of those is left: they go, the oldest first,
                                       and in the same transaction an event tells of them

Of a row that is old and that somebody is still to get, the covered values go, and the salt with
them: what is published of it later proves its place and tells of nobody.

Every step is a short transaction of its own: an event that is written meanwhile waits for one step
at most.
"""

import sqlite3
from collections.abc import Callable, Iterator
from time import sleep
from typing import Any

from agent.adapters.store.erasure import empty_log
from agent.adapters.store.record.journal_file import JournalFile, forgotten
from agent.adapters.store.record.rows import (
    COLUMNS,
    PENDING,
    PUBLISHED,
    REFUSED,
    lost_of,
    stored,
    without_covered,
)
from agent.adapters.store.sqlite import CorruptError, transaction
from agent.ports import LostEvent

_STEP_ROWS = 500
_TRIES, _PAUSE_S = 20, 0.1
_BELOW = 0.99
"""What is too much is cut so far below the bound that it is not cut again for every event."""
_BARE = "UPDATE event SET data = ?, commitments = ?, salt = NULL WHERE row = ?"
_IS_BARE = "(commitments IS NOT NULL AND salt IS NULL)"
ALL = (PENDING, PUBLISHED, REFUSED)


def prune(file: JournalFile, before: str, *, published_only: bool) -> int:
    """Forget published rows with a time before ``before``; how many.

    Not ``published_only``: all others as well; else they lose their covered values.

    Raises:
        StoreError: the journal cannot be read or written.
    """
    states = (PUBLISHED,) if published_only else ALL
    gone = erased = 0
    for after, until in _old(file, before.encode()):
        for rows in _steps_of(file, after, until, states):
            going = [row for row, state in rows if state in states]
            _forget(file, going)
            gone += len(going)
            erased += _lay_bare(file, [row for row, state in rows if state not in states])
    if gone or erased:
        erase(file)
    return gone


def hold(
    file: JournalFile, most_bytes: int, most_rows: int, lost: LostEvent | None, *, silently: bool
) -> int:
    """Keep to the bounds; how many are forgotten. ``silently``: nobody waits for any of them.

    Raises:
        StoreError: the journal cannot be read or written.
    """
    if _within(file, most_bytes, most_rows):
        return 0
    least_bytes, least_rows = int(most_bytes * _BELOW), int(most_rows * _BELOW)
    left = max(0, _count(file) - least_rows)

    def enough(gone: int) -> bool:
        return gone >= left and file.do(used_bytes) <= least_bytes

    gone = _forget_until(file, enough, lost, silently=silently)
    if gone:
        erase(file)
    return gone


def make_room(
    file: JournalFile, wanted_bytes: int, lost: LostEvent | None, *, silently: bool
) -> int:
    """Free so many bytes within the file, which then need not grow; how many rows are forgotten.

    Without ``lost`` only what was published goes; ``silently``: nobody waits for any of them.
    The log is not cut: on a full disk its place would be somebody else's.

    Raises:
        StoreError: the journal cannot be read or written.
    """
    # What is in the log goes into the file first: then the log begins anew and need not grow.
    file.do(lambda connection: connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall())
    return _forget_until(
        file, lambda _: file.do(free_bytes) >= wanted_bytes, lost, silently=silently
    )


def used_bytes(connection: sqlite3.Connection) -> int:
    """What of the file is in use."""
    pages, free, size = _pages(connection)
    return (pages - free) * size


def free_bytes(connection: sqlite3.Connection) -> int:
    """What of the file can be used again."""
    _, free, size = _pages(connection)
    return free * size


def erase(file: JournalFile) -> None:
    """Cut the log, which holds what was forgotten; where somebody reads on, soon or the next time.

    Nobody is waited for while the file is held: an event may come meanwhile.
    """
    for _ in range(_TRIES):
        if file.do(lambda connection: empty_log(connection, within_s=0.0)):
            return
        sleep(_PAUSE_S)


def _old(file: JournalFile, before: bytes) -> Iterator[tuple[int, int]]:
    """Old rows, as spans: those after the first number, up to the second.

    A row of an untrusted clock is as old as the trusted one after it.
    """
    query = "SELECT row, time, clock_synced FROM event WHERE row > ? ORDER BY row LIMIT ?"
    after_row = start = end = 0
    while rows := _all(file, query, after_row, _STEP_ROWS):
        after_row = rows[-1][0]
        met_old = met_fresh = False
        for row, time, synced in rows:
            if synced and time < before:
                met_old, end = True, row
            elif synced:
                met_fresh = True
                if end > start:
                    yield start, end
                start = end = row
        if met_fresh and not met_old:
            return
    if end > start:
        yield start, end


def _steps_of(
    file: JournalFile, after: int, until: int, states: tuple[int, ...]
) -> Iterator[list[tuple[int, int]]]:
    """Rows of a span with their states, but those that stay as they are."""
    among = ", ".join(map(str, states))
    query = (
        "SELECT row, state FROM event WHERE row > ? AND row <= ?"  # noqa: S608 - constants
        f" AND (state IN ({among}) OR NOT {_IS_BARE}) ORDER BY row LIMIT ?"
    )
    while rows := _all(file, query, after, until, _STEP_ROWS):
        after = rows[-1][0]
        yield rows


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


def _within(file: JournalFile, most_bytes: int, most_rows: int) -> bool:
    # Numbers rise by one at least, so no row has to be counted while there is room by them.
    ends = "SELECT (SELECT max(row) FROM event), (SELECT min(row) FROM event)"
    if file.do(used_bytes) > most_bytes:
        return False
    newest, oldest = _all(file, ends)[0]
    return newest is None or newest - oldest < most_rows or _count(file) <= most_rows


def _count(file: JournalFile) -> int:
    """All rows; whoever appends comes between two steps."""
    query = (
        "SELECT count(*), max(row) FROM (SELECT row FROM event WHERE row > ? ORDER BY row LIMIT ?)"
    )
    count = after = 0
    while True:
        more, newest = _all(file, query, after, 20 * _STEP_ROWS)[0]
        if not more:
            return count
        count, after = count + more, newest


def _forget_until(
    file: JournalFile,
    enough: Callable[[int], bool],
    lost: LostEvent | None,
    *,
    silently: bool,
) -> int:
    """Forget the oldest published rows, then, told of by ``lost``, the oldest others; how many."""
    turns: list[tuple[tuple[int, ...], LostEvent | None]] = [((PUBLISHED,), None)]
    if silently:
        turns = [(ALL, None)]
    elif lost is not None:
        turns.append(((PENDING, REFUSED), lost))
    gone = 0
    if enough(gone):
        return gone
    for states, told in turns:
        for rows in _oldest(file, states):
            gone += _forget(file, rows, told)
            if enough(gone):
                return gone
    return gone


def _oldest(file: JournalFile, states: tuple[int, ...]) -> Iterator[list[int]]:
    """Rows in these states, the oldest first, those that are there by now."""
    query = "SELECT row, state FROM event WHERE row > ? AND row <= ? ORDER BY row LIMIT ?"
    (newest,) = _all(file, "SELECT coalesce(max(row), 0) FROM event")[0]
    after = 0
    while rows := _all(file, query, after, newest, _STEP_ROWS):
        after = rows[-1][0]
        if found := [row for row, state in rows if state in states]:
            yield found


def _forget(file: JournalFile, rows: list[int], lost: LostEvent | None = None) -> int:
    """Delete them; ``lost`` tells of those that nobody got, in the same transaction."""

    def work(connection: sqlite3.Connection) -> int:
        gone: list[Any] = []
        with transaction(connection):
            for row in rows:
                query = f"DELETE FROM event WHERE row = ? RETURNING {COLUMNS}"  # noqa: S608 - constants
                gone += connection.execute(query, (row,)).fetchall()
            last: dict[str, int] = {}
            for one in gone:
                epoch = one[1].decode()
                last[epoch] = max(last.get(epoch, 0), one[2])
            for place in last.items():
                forgotten(connection, place)
            unsent = [one for one in gone if one[-1] != PUBLISHED]
            told = None
            if lost is not None and unsent:
                told = file.insert(connection, lost(lost_of(unsent)))
        if told is not None:
            file.mark(*told)
        return len(gone)

    return file.do(work) if rows else 0


def _pages(connection: sqlite3.Connection) -> tuple[int, int, int]:
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return pages, free, size


def _all(file: JournalFile, query: str, *parameters: object) -> list[Any]:
    return file.do(lambda connection: connection.execute(query, parameters).fetchall())
