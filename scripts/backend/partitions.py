"""Events lie in a table a month; these are made ahead, by whoever comes first.

What has another month's time, of a kiosk whose clock stands in 1970 or of a backlog that waited
long, goes to ``events_other`` and is found there like anything else.
"""

from datetime import UTC, datetime

from psycopg import sql

from backend.database import Connection

AHEAD = 2
_LOCK = 0x67617466


def months(now: datetime) -> list[tuple[str, datetime, datetime]]:
    """The table, the first moment and the end of this month, the one before and ``AHEAD`` more."""
    found = []
    for offset in range(-1, AHEAD + 1):
        number = now.year * 12 + now.month - 1 + offset
        start = _month(number)
        found.append((f"events_{start:%Y_%m}", start, _month(number + 1)))
    return found


def make(connection: Connection, now: datetime) -> list[str]:
    """Make those that are missing; their names. What lies in ``events_other`` of them moves in."""
    made = []
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        for name, start, end in months(now):
            if connection.execute("SELECT to_regclass(%s) IS NOT NULL", (name,)).fetchone() == (
                True,
            ):
                continue
            table, bounds = sql.Identifier(name), (sql.Literal(start), sql.Literal(end))
            connection.execute(sql.SQL("CREATE TABLE {} (LIKE events INCLUDING ALL)").format(table))
            connection.execute(
                sql.SQL(
                    "WITH moved AS"
                    " (DELETE FROM events_other WHERE at >= {} AND at < {} RETURNING *)"
                    " INSERT INTO {} SELECT * FROM moved"
                ).format(*bounds, table)
            )
            connection.execute(
                sql.SQL(
                    "ALTER TABLE events ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})"
                ).format(table, *bounds)
            )
            made.append(name)
    return made


def _month(number: int) -> datetime:
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
