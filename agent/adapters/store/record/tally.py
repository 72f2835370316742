"""How many rows wait for the broker, without counting them all each time it is asked.

    rows       1 ......... up_to | ........ newest
               counted           | looked at when somebody asks
                 ^ a row that is sent or forgotten here is taken off in the same transaction

A million waiting rows take a tenth of a second to count, and whoever appends would wait for it. So
they are counted once, in steps, and from then on only what was appended since. What is counted
lives in memory with its connection. Other processes only append.
"""

import sqlite3

_STEP_ROWS = 20_000
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
_STEP = """
    SELECT count(*), max(row)
    FROM (SELECT row FROM event WHERE state = 0 AND row > ? ORDER BY row LIMIT ?)
"""


def keep_tally(connection: sqlite3.Connection) -> None:
    """Begin with nothing counted; once a connection."""
    for statement in _MADE:
        connection.execute(statement)


def count_on(connection: sqlite3.Connection) -> int | None:
    """How many rows wait; None where that was only a step of counting them."""
    pending, up_to = connection.execute("SELECT pending, up_to FROM tally").fetchone()
    more, newest = connection.execute(_STEP, (up_to, _STEP_ROWS)).fetchone()
    if not more:
        return int(pending)
    counted = (pending + more, newest)
    connection.execute("UPDATE tally SET pending = ?, up_to = ?", counted)
    return int(pending + more) if more < _STEP_ROWS else None
