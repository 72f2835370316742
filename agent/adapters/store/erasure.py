"""What was deleted leaves the file and its log.

SQLite overwrites what a statement deletes (``secure_delete``), but a page that was balanced before
may hold an older copy of a row, and the log holds pages as they were. So the file is built anew
without what was deleted (VACUUM), all of the log is carried into it, and the log is cut to nothing.
What the flash of a memory card keeps beneath the file system is out of reach.
"""

import sqlite3
import time

_PAUSE_S = 0.05
_ONE_TRY_MS = 200


def rebuild(connection: sqlite3.Connection) -> None:
    """Write the file anew; no transaction of this connection is open.

    Raises:
        sqlite3.Error: another process writes, or the disk has no room for a second copy.
    """
    # In memory: a temporary file beside the database would be one more place to forget.
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("VACUUM")


def empty_log(connection: sqlite3.Connection, within_s: float) -> bool:
    """Carry the log into the database, durably, and cut it; False while somebody reads on.

    Raises:
        sqlite3.Error: the disk fails.
    """
    (waits_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    ends_s = time.monotonic() + within_s
    connection.execute(f"PRAGMA busy_timeout = {_ONE_TRY_MS if within_s else 0}")
    try:
        # The bulk of it first, while others may write.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() >= ends_s:
                return False
            time.sleep(_PAUSE_S)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {waits_ms}")
    return True
