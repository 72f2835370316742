"""How many rows wait for the broker, without counting them all each time it is asked.

    rows       1 ......... up_to | ........ newest
               counted           | looked at when somebody asks
                 ^ a row that is sent or forgotten here is taken off in the same transaction

A million waiting rows take a tenth of a second to count, and whoever appends would wait for it. So
they are counted once, in steps, and from then on only what was appended since. What is counted
lives in memory with its connection. Other processes only append.
"""

import sqlite3

_STEP_ROWS = 50_000
_MADE = (
    "PRAGMA temp_store = MEMORY",
    "CREATE TEMP TABLE tally (pending INTEGER NOT NULL, up_to INTEGER NOT NULL)",
    "INSERT INTO tally VALUES (0, 0)",
    """
    CREATE TEMP TRIGGER tally_forgets AFTER DELETE ON main.event WHEN old.state = 0 BEGIN
        UPDATE tally SET pending = pending - 1 WHERE up_to >= old.row;
    END
    """,
    """
    CREATE TEMP TRIGGER tally_moves AFTER UPDATE OF state ON main.event
    WHEN (old.state = 0) <> (new.state = 0) BEGIN
        UPDATE tally SET pending = pending + (new.state = 0) - (old.state = 0)
        WHERE up_to >= old.row;
    END
    """,
)
_NEXT = "SELECT min(row) FROM event WHERE state = 0 AND row > ?"
_STEP = "SELECT count(*) FROM event WHERE state = 0 AND row >= ? AND row < ?"


def keep_tally(connection: sqlite3.Connection) -> None:
    """Begin with nothing counted; once a connection."""
    for statement in _MADE:
        connection.execute(statement)


def count_on(connection: sqlite3.Connection) -> int | None:
    """How many rows wait; None where that was only a step of counting them."""
    pending, up_to = connection.execute("SELECT pending, up_to FROM tally").fetchone()
    (first,) = connection.execute(_NEXT, (up_to,)).fetchone()
    if first is None:
        return int(pending)
    (newest,) = connection.execute("SELECT max(row) FROM event").fetchone()
    # No further than there are rows: the next one to come is none that was counted.
    end = min(first + _STEP_ROWS, newest + 1)
    (more,) = connection.execute(_STEP, (first, end)).fetchone()
    connection.execute("UPDATE tally SET pending = ?, up_to = ?", (pending + more, end - 1))
    return int(pending + more) if end > newest else None
