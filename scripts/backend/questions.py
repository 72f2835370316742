"""What a community's office asks, as SQL that only reads; every answer is rows by their columns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.domain.record.events import TROUBLE
from backend.database import Connection

MOST = 10_000
Row = dict[str, Any]

_ALARMS = sorted(f"gate.{kind.value}" for kind in TROUBLE)


_PASSAGES = """
SELECT e.at, k.kiosk, e.access_point, e.holder, e.body->'data'->>'direction' AS direction,
    e.type = 'gate.access.granted' AS granted, e.body->'data'->>'reason' AS reason,
    e.body->'data'->'factors' AS factors, e.body->'data'->>'pass' AS pass, e.clock_synced,
    s.epoch, e.sequence,
    NOT e.altered AND NOT EXISTS (SELECT FROM flaws f WHERE f.stream = e.stream
        AND f.kiosk_no = e.kiosk_no AND f.sequence IN (e.sequence, e.sequence + 1)
        AND f.kind <> 'disproved') AS unflawed,
    NOT e.altered AND e.body ? 'previous' AND coalesce((
        SELECT c.until <= s.whole_to
            AND NOT EXISTS (SELECT FROM flaws f WHERE f.stream = e.stream
                AND f.kiosk_no = e.kiosk_no AND f.kind = 'chain_broken'
                AND f.sequence > e.sequence AND f.sequence <= c.until)
            AND NOT EXISTS (SELECT FROM gaps g WHERE g.stream = e.stream AND g.state <> 'filled'
                AND g.first <= c.until AND g.last > e.sequence)
            AND NOT EXISTS (SELECT FROM places p WHERE p.stream = e.stream
                AND p.sequence > e.sequence AND p.sequence <= c.until
                AND (p.previous IS NULL OR p.previous = decode(repeat('0', 64), 'hex')))
        FROM checkpoints c WHERE c.stream = e.stream AND c.state = 'good'
            AND c.until >= e.sequence ORDER BY c.until LIMIT 1), false) AS signed
FROM events e JOIN kiosks k ON k.no = e.kiosk_no JOIN streams s ON s.id = e.stream
"""
"""``signed``: the chain is unbroken from there to the next good checkpoint, which vouches for it.

The link of 64 zeros (``chain.ORIGIN``) begins a chain: nothing vouches for what is before it.
"""


@dataclass(frozen=True, slots=True)
class Where:
    """Which kiosks, and from when on; None is all."""

    community: str | None = None
    grid: str | None = None
    kiosk: str | None = None
    since: datetime | None = None
    limit: int = 100

    def clauses(self, time: str | None = None) -> tuple[str, list[Any]]:
        """Conditions on ``k``, and on the column ``time`` where one is named, with their values."""
        found = ["true"]
        values: list[Any] = []
        for column, value in (("community", self.community), ("grid", self.grid)):
            if value is not None:
                found.append(f"k.{column} = %s")
                values.append(value)
        if self.kiosk is not None:
            whole = "k.kiosk" if "/" in self.kiosk else "split_part(k.kiosk, '/', 3)"
            found.append(f"{whole} = %s")
            values.append(self.kiosk)
        if self.since is not None and time is not None:
            found.append(f"{time} >= %s")
            values.append(self.since)
        return " AND ".join(found), values


def passages(
    connection: Connection, where: Where, *, holder: str | None = None, denied: bool = False
) -> list[Row]:
    """Who passed when, the newest first; with ``denied`` also who did not."""
    clause, values = where.clauses("e.at")
    kinds = ["gate.access.granted", *(["gate.access.denied"] if denied else [])]
    if holder is not None:
        clause += " AND e.holder = %s"
        values.append(holder)
    return _rows(
        connection,
        _PASSAGES,
        f"{clause} AND e.type = ANY(%s)",
        "ORDER BY e.at DESC, e.sequence DESC LIMIT %s",
        [*values, kinds, where.limit],
    )


def kiosks(connection: Connection, where: Where, *, silent_s: float | None = None) -> list[Row]:
    """The kiosks by their last sign of life, the longest silent first.

    With ``silent_s`` only those of which nothing was heard for so long, or which say they are gone.
    """
    clause, values = where.clauses()
    if silent_s is not None:
        clause += (
            " AND (k.online IS FALSE OR k.last_seen IS NULL"
            " OR k.last_seen < now() - make_interval(secs => %s))"
        )
        values.append(silent_s)
    return _rows(
        connection,
        "SELECT k.kiosk, k.last_seen, extract(epoch FROM now() - k.last_seen)::float AS silent_s,"
        " k.online, k.status->>'reason' AS reason, k.signing_key IS NOT NULL AS pinned,"
        " k.health->'clock_synced' AS clock_synced, k.health->'queue'->'unpublished' AS waiting,"
        " k.health->'disk'->'free_bytes' AS free_bytes, k.health->'faults' AS faults,"
        " k.health->'temperatures_c' AS temperatures_c, k.health->'holders' AS holders,"
        " k.status->>'version' AS version,"
        " (SELECT count(*) FROM flaws f WHERE f.kiosk_no = k.no) AS flaws"
        " FROM kiosks k",
        clause,
        "ORDER BY k.last_seen NULLS FIRST, k.kiosk LIMIT %s",
        [*values, where.limit],
    )


def gaps(connection: Connection, where: Where, *, closed: bool = False) -> list[Row]:
    """What is missing; with ``closed`` also what was and has come."""
    clause, values = where.clauses("g.found")
    if not closed:
        clause += " AND g.state <> 'filled'"
    return _rows(
        connection,
        "SELECT k.kiosk, s.epoch, g.first, g.last, g.last - g.first + 1 AS events, g.state,"
        " g.reason, g.found, g.changed, g.attempts"
        " FROM gaps g JOIN streams s ON s.id = g.stream JOIN kiosks k ON k.no = s.kiosk_no",
        clause,
        "ORDER BY g.found DESC, g.first LIMIT %s",
        [*values, where.limit],
    )


def flaws(connection: Connection, where: Where) -> list[Row]:
    """What cannot be trusted, the newest first."""
    clause, values = where.clauses("f.found")
    return _rows(
        connection,
        "SELECT f.found, k.kiosk, f.kind, s.epoch, nullif(f.sequence, 0) AS sequence FROM flaws f"
        " JOIN kiosks k ON k.no = f.kiosk_no LEFT JOIN streams s ON s.id = f.stream",
        clause,
        "ORDER BY f.found DESC, f.id DESC LIMIT %s",
        [*values, where.limit],
    )


def alarms(connection: Connection, where: Where) -> list[Row]:
    """What somebody has to look after, as the kiosks said it, the newest first."""
    clause, values = where.clauses("e.at")
    return _rows(
        connection,
        "SELECT e.at, k.kiosk, e.access_point, e.type, e.body->'data'->>'part' AS part"
        " FROM events e JOIN kiosks k ON k.no = e.kiosk_no",
        f"{clause} AND e.type = ANY(%s)",
        "ORDER BY e.at DESC LIMIT %s",
        [*values, _ALARMS, where.limit],
    )


def receipts(connection: Connection, where: Where, *, holder: str | None = None) -> list[Row]:
    """What kiosks answered about holders, signed: what was erased, when, and what was not."""
    clause, values = where.clauses("r.received")
    if holder is not None:
        clause += " AND r.holder = %s"
        values.append(holder)
    return _rows(
        connection,
        "SELECT r.received, k.kiosk, r.holder, r.outcome, r.reason, r.counts, r.version, r.time,"
        " r.clock_trusted, r.signed FROM receipts r JOIN kiosks k ON k.no = r.kiosk_no",
        clause,
        "ORDER BY r.received DESC LIMIT %s",
        [*values, where.limit],
    )


def refusals(connection: Connection) -> list[Row]:
    """What came and was nothing, by kiosk and reason."""
    return _rows(
        connection,
        "SELECT kiosk, reason, times, first_at, last_at FROM refusals",
        "true",
        "ORDER BY last_at DESC LIMIT %s",
        [MOST],
    )


def standing(connection: Connection, where: Where) -> list[Row]:
    """Each stream: how far nothing is missing, how far it is signed, how far it goes."""
    clause, values = where.clauses()
    return _rows(
        connection,
        "SELECT k.kiosk, s.epoch, s.whole_to, s.signed_to, s.highest, s.first_seen"
        " FROM streams s JOIN kiosks k ON k.no = s.kiosk_no",
        clause,
        "ORDER BY k.kiosk, s.first_seen LIMIT %s",
        [*values, where.limit],
    )


def _rows(
    connection: Connection, select: str, clause: str, tail: str, values: list[Any]
) -> list[Row]:
    """The rows; every part of the query is a text of this module, what was asked is a value."""
    cursor = connection.execute(f"{select} WHERE {clause} {tail}".encode(), values)
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]
