"""A batch of messages into PostgreSQL, in one transaction, however often and to whomever they come.

    COPY ──▶ incoming ──▶ places (stream, sequence) ── taken ──▶ events
                               │
                               └─ was taken ── the same link ──▶ nothing: it came again
                                            └─ another link ───▶ conflicts, a flaw; ``truth``
                                                                 says which is the kiosk's own

An event whose covered value does not fit its commitment is stored and flagged; where a copy that
fits comes later, it takes its place. What PostgreSQL refuses is found by halves and counted: one
bad message never holds up the rest.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg

from agent.credentials.formats import cbor
from backend import replies
from backend.database import Connection
from backend.heard import Heard, Judged, Keys, Reason, Refusal, Signed, Standing
from backend.places import CHECKPOINT, COLUMNS, believable, flag, keep_checkpoint

_MOST_STREAMS = 200_000
_TRIES = 5
_OF_A_MESSAGE = (
    *(psycopg.DataError, psycopg.IntegrityError, psycopg.errors.DatatypeMismatch),
    # Class 54: too long for an index, too deep. psycopg counts them as the database's own trouble.
    *(psycopg.errors.ProgramLimitExceeded, psycopg.errors.StatementTooComplex),
)
"""What PostgreSQL refuses for what a message says; tried again it would be refused for ever."""
_MOST_VERSIONS = 4
"""Of one place in one batch: whoever makes up more of them is known by then."""

_INCOMING = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming (
    stream bigint, sequence bigint, kiosk_no integer, id uuid, previous bytea, link bytea,
    at timestamptz, time timestamptz, received timestamptz, clock_synced boolean, type text,
    access_point text, holder text, altered boolean, body jsonb
) ON COMMIT DELETE ROWS
"""
_TAKE = f"""
WITH taken AS (
    INSERT INTO places (stream, sequence, kiosk_no, id, previous, link)
    SELECT stream, sequence, kiosk_no, id, previous, link FROM incoming ORDER BY stream, sequence
    ON CONFLICT DO NOTHING RETURNING stream, sequence
), kept AS (
    INSERT INTO events ({COLUMNS})
    SELECT {COLUMNS} FROM incoming JOIN taken USING (stream, sequence)
)
SELECT stream, sequence FROM taken
"""  # noqa: S608 - names of columns of ours
_HEAL = """
UPDATE events e SET body = i.body, holder = i.holder, altered = false
FROM incoming i JOIN places p USING (stream, sequence)
WHERE NOT i.altered AND p.link = i.link AND e.stream = i.stream AND e.sequence = i.sequence
  AND e.altered
"""
_DISPROVED = """
WITH known AS (
    SELECT i.stream, i.sequence FROM incoming i JOIN proven v USING (stream, sequence)
    WHERE v.link <> i.link
    UNION ALL SELECT i.stream, i.sequence FROM incoming i
    JOIN conflicts c USING (stream, sequence, link) WHERE c.disproved
), gone AS (
    DELETE FROM incoming i USING known k
    WHERE i.stream = k.stream AND i.sequence = k.sequence RETURNING i.kiosk_no
)
INSERT INTO refusals (kiosk, reason, times)
SELECT k.kiosk, 'disproved', count(*) FROM gone g JOIN kiosks k ON k.no = g.kiosk_no
GROUP BY 1 ORDER BY 1
ON CONFLICT (kiosk, reason) DO UPDATE
SET times = refusals.times + excluded.times, last_at = now()
"""
"""What is known not to be the kiosk's: it is counted, and takes no place."""
_MOST_AT_ONE_PLACE = 8
_ODD = f"""
WITH odd AS (
    SELECT i.stream, i.sequence, i.kiosk_no, i.id, i.link, i.body, p.link IS NULL AS by_id
    FROM incoming i LEFT JOIN places p USING (stream, sequence)
    WHERE p.link IS DISTINCT FROM i.link ORDER BY 1, 2
), kept AS (
    INSERT INTO conflicts (stream, sequence, id, link, body)
    SELECT stream, sequence, id, link, body FROM odd o WHERE {_MOST_AT_ONE_PLACE} >
        (SELECT count(*) FROM conflicts c WHERE c.stream = o.stream AND c.sequence = o.sequence
            AND c.link <> o.link)
    ON CONFLICT (stream, sequence, link) DO UPDATE SET times = conflicts.times + 1
), looked AS (
    -- A stretch of nothing: whoever looks over takes the stream's conflicts with it.
    INSERT INTO touched (stream, first, last) SELECT DISTINCT stream, 0, -1 FROM odd
)
INSERT INTO flaws (kiosk_no, stream, sequence, kind)
SELECT kiosk_no, stream, sequence,
       CASE WHEN by_id THEN 'id_repeated' ELSE 'two_at_one_place' END FROM odd
ON CONFLICT DO NOTHING
"""  # noqa: S608 - a number of ours
_ALTERED = """
INSERT INTO flaws (kiosk_no, stream, sequence, kind)
SELECT kiosk_no, stream, sequence, 'altered' FROM incoming WHERE altered ORDER BY 2, 3
ON CONFLICT DO NOTHING
"""


@dataclass(slots=True)
class Batch:
    """Messages by what they are, each event's place once; ``again`` has what found it taken."""

    events: list[Heard] = field(default_factory=list)
    again: list[Heard] = field(default_factory=list)
    standings: dict[tuple[str, str], tuple[Standing, bool]] = field(default_factory=dict)
    keys: dict[str, Keys] = field(default_factory=dict)
    signed: list[Signed] = field(default_factory=list)
    refusals: Counter[Refusal] = field(default_factory=Counter)


def sorted_out(messages: Iterable[tuple[Judged, bool]]) -> Batch:
    """The batch of ``messages``; with each whether the broker had retained it."""
    batch = Batch()
    places: dict[tuple[str, str, int], list[Heard]] = {}
    for one, retained in messages:
        match one:
            case Heard():
                there = places.setdefault((one.kiosk, one.epoch, one.sequence), [])
                if not there:
                    there.append(one)
                    batch.events.append(one)
                elif len(there) < _MOST_VERSIONS and _differs(one, there):
                    there.append(one)
                    batch.again.append(one)
            case Standing():
                batch.standings[one.kiosk, one.kind] = (one, retained)
            case Keys():
                batch.keys[one.kiosk] = one
            case Signed():
                batch.signed.append(one)
            case Refusal():
                batch.refusals[one] += 1
    return batch


def _differs(one: Heard, there: Sequence[Heard]) -> bool:
    return all((one.link, one.altered) != (other.link, other.altered) for other in there)


class Ingest:
    """Stores batches by one connection; of one thread."""

    def __init__(self, connection: Connection, *, only_pinned: bool = False) -> None:
        """With ``only_pinned`` nothing is kept of a kiosk whose key nobody has pinned."""
        self._connection = connection
        self._only_pinned = only_pinned
        self._streams: dict[tuple[str, str], tuple[int, int]] = {}
        connection.execute(_INCOMING)

    def store(self, messages: Sequence[tuple[Judged, bool]]) -> int:
        """Store ``messages``; how many events of them were new. When it returns, it is committed.

        Raises:
            psycopg.Error: the database is away, full, read only, or has other tables: nothing of
                what is not committed counts, and no message is to blame.
        """
        if self._only_pinned:
            messages = self._of_pinned(messages)
        try:
            return self._store_again(messages)
        except _OF_A_MESSAGE:
            if len(messages) == 1:
                kiosk = messages[0][0].kiosk
                return self._store_again([(Refusal(kiosk, Reason.STORE), False)])
        half = len(messages) // 2
        return self.store(messages[:half]) + self.store(messages[half:])

    def _of_pinned(self, messages: Sequence[tuple[Judged, bool]]) -> list[tuple[Judged, bool]]:
        """Those of pinned kiosks; of the others a count by reason, and not one of their names."""
        rows = self._connection.execute(
            "SELECT kiosk FROM kiosks WHERE signing_key IS NOT NULL AND kiosk = ANY(%s)",
            (sorted({one.kiosk for one, _ in messages}),),
        ).fetchall()
        pinned = {kiosk for (kiosk,) in rows}

        def kept(one: Judged) -> Judged:
            if one.kiosk in pinned:
                return one
            return Refusal("", one.reason if isinstance(one, Refusal) else Reason.NOT_PINNED)

        return [(kept(one), retained) for one, retained in messages]

    def _store_again(self, messages: Sequence[tuple[Judged, bool]]) -> int:
        """As ``store``; of two versions of one event the second sees what became of the first."""
        new, left = 0, list(messages)
        while left:
            batch = sorted_out(left)
            new += self._tried(batch)
            left = [(one, False) for one in batch.again]
        return new

    def _tried(self, batch: Batch) -> int:
        for attempt in range(_TRIES):
            try:
                return self._transact(batch)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError  # the last attempt returned or raised

    def _transact(self, batch: Batch) -> int:
        self._know(batch)
        with self._connection.transaction(), self._connection.cursor() as cursor:
            new = self._events(cursor, batch.events) if batch.events else 0
            for kind in ("status", "health"):
                found = [one for (_, is_kind), one in batch.standings.items() if is_kind == kind]
                self._standings(cursor, kind, found)
            for key in batch.keys.values():
                _compare(cursor, key)
            for signed in batch.signed:
                if (reason := replies.take(cursor, signed)) is not None:
                    batch.refusals[Refusal(signed.kiosk, reason)] += 1
            _count(cursor, batch.refusals)
        return new

    def _know(self, batch: Batch) -> None:
        """Kiosks and streams that were not heard of before, in transactions of their own."""
        wanted = {(one.kiosk, one.epoch) for one in batch.events} - self._streams.keys()
        if len(self._streams) > _MOST_STREAMS:
            self._streams.clear()
            wanted = {(one.kiosk, one.epoch) for one in batch.events}
        kiosks = {kiosk for kiosk, _ in wanted} | batch.keys.keys()
        kiosks |= {kiosk for kiosk, _ in batch.standings} | {one.kiosk for one in batch.signed}
        if kiosks:
            self._connection.execute(
                "INSERT INTO kiosks (kiosk) SELECT k FROM unnest(%s::text[]) k"
                " WHERE NOT EXISTS (SELECT FROM kiosks WHERE kiosk = k) ORDER BY k"
                " ON CONFLICT DO NOTHING",
                (sorted(kiosks),),
            )
        if not wanted:
            return
        names = sorted(wanted)
        columns = ([kiosk for kiosk, _ in names], [epoch for _, epoch in names])
        self._connection.execute(
            "INSERT INTO streams (kiosk_no, epoch) SELECT k.no, w.epoch"
            " FROM unnest(%s::text[], %s::text[]) w (kiosk, epoch) JOIN kiosks k USING (kiosk)"
            " ORDER BY 1, 2 ON CONFLICT DO NOTHING",
            columns,
        )
        for kiosk, epoch, stream, number in self._connection.execute(
            "SELECT k.kiosk, s.epoch, s.id, k.no FROM unnest(%s::text[], %s::text[])"
            " w (kiosk, epoch) JOIN kiosks k USING (kiosk)"
            " JOIN streams s ON s.kiosk_no = k.no AND s.epoch = w.epoch",
            columns,
        ):
            assert isinstance(kiosk, str)
            assert isinstance(epoch, str)
            assert isinstance(stream, int)
            assert isinstance(number, int)
            self._streams[kiosk, epoch] = (stream, number)

    def _events(self, cursor: psycopg.Cursor[Any], events: Sequence[Heard]) -> int:
        now = datetime.now(UTC)
        streams = [self._streams[one.kiosk, one.epoch] for one in events]
        with cursor.copy("COPY incoming FROM STDIN") as copy:
            for (stream, number), one in zip(streams, events, strict=True):
                copy.write_row(
                    (
                        *(stream, one.sequence, number, one.id, one.previous, one.link),
                        *(believable(one.time, now), one.time, now, one.clock_synced, one.type),
                        *(one.access_point, one.holder, one.altered, one.body),
                    )
                )
        cursor.execute(_DISPROVED)
        taken: set[tuple[int, int]] = set(cursor.execute(_TAKE).fetchall())
        if len(taken) < len(events):
            cursor.execute(_HEAL)
            cursor.execute(_ODD)
        if any(one.altered for one in events):
            cursor.execute(_ALTERED)
        for (stream, number), one in zip(streams, events, strict=True):
            if one.type == CHECKPOINT:
                # Also of one that found its place taken: its signature says whether it is true.
                keep_checkpoint(
                    cursor, stream, number, one, quietly=(stream, one.sequence) not in taken
                )
        if taken:
            cursor.execute(
                "INSERT INTO touched (stream, first, last)"
                " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[])",
                _columns(runs(sorted(taken))),
            )
        return len(taken)

    def _standings(
        self, cursor: psycopg.Cursor[Any], kind: str, found: Sequence[tuple[Standing, bool]]
    ) -> None:
        """Keep what was said last. What was retained, or is a last will, is no sign of life."""
        for one, retained in sorted(found, key=lambda pair: pair[0].kiosk):
            alive = not retained and one.said.get("online", True)
            online = one.said.get("online")
            cursor.execute(
                f"UPDATE kiosks SET {kind} = %s, {kind}_at = now(),"  # noqa: S608 - one of two words
                " online = coalesce(%s, online),"
                " last_seen = CASE WHEN %s THEN now() ELSE last_seen END WHERE kiosk = %s",
                (one.body, online, alive, one.kiosk),
            )
            epoch, last = _queue_at_rest(one)
            if epoch is not None:
                cursor.execute(
                    "INSERT INTO streams (kiosk_no, epoch, said_last)"
                    " SELECT no, %s, %s FROM kiosks WHERE kiosk = %s"
                    " ON CONFLICT (kiosk_no, epoch) DO UPDATE SET said_last = excluded.said_last"
                    " WHERE streams.said_last < excluded.said_last",
                    (epoch, last, one.kiosk),
                )


def runs(places: Iterable[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Sorted (stream, sequence) as (stream, first, last)."""
    found: list[tuple[int, int, int]] = []
    for stream, sequence in places:
        if found and found[-1][0] == stream and found[-1][2] == sequence - 1:
            found[-1] = (stream, found[-1][1], sequence)
        else:
            found.append((stream, sequence, sequence))
    return found


def _columns(rows: Sequence[tuple[int, int, int]]) -> tuple[list[int], list[int], list[int]]:
    return [one[0] for one in rows], [one[1] for one in rows], [one[2] for one in rows]


def _queue_at_rest(one: Standing) -> tuple[str | None, int]:
    """The epoch and its last event, where a heartbeat says that nothing waits."""
    match one.said.get("queue"):
        case {"epoch": str(epoch), "last_sequence": int(last), "unpublished": 0} if (
            cbor.is_int(last) and 0 < last < 2**62 and len(epoch) <= 64
        ):
            return epoch, last
    return None, 0


def _compare(cursor: psycopg.Cursor[Any], keys: Keys) -> None:
    """Keep what the broker carries, and say where it is not what a person pinned."""
    cursor.execute(
        "UPDATE kiosks SET said_signing = %s, said_sealing = %s WHERE kiosk = %s RETURNING no,"
        " (signing_key IS NOT NULL AND signing_key IS DISTINCT FROM said_signing)"
        " OR (sealing_key IS NOT NULL AND sealing_key IS DISTINCT FROM said_sealing)",
        (keys.signing, keys.sealing, keys.kiosk),
    )
    row = cursor.fetchone()
    if row is not None and row[1]:
        flag(cursor, row[0], 0, 0, "key_differs")


def _count(cursor: psycopg.Cursor[Any], refusals: Counter[Refusal]) -> None:
    for one in sorted(refusals, key=lambda refusal: (refusal.kiosk, refusal.reason)):
        cursor.execute(
            "INSERT INTO refusals (kiosk, reason, times) VALUES (%s, %s, %s)"
            " ON CONFLICT (kiosk, reason) DO UPDATE"
            " SET times = refusals.times + excluded.times, last_at = now()",
            (one.kiosk, one.reason.value, refusals[one]),
        )
