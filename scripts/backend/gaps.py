"""What is missing, and asking for it: signed, paced, again where nothing comes, and given up.

    waiting  --> asked          for patience_s nothing of it came, and the kiosk is there
    asked    --> waiting        the kiosk answered, or did not until it is due
    waiting, asked --> filled   all of it came, asked for or not
    waiting, asked --> gone     the kiosk says, signed, that it has it no more
    waiting, asked --> failed   too long to ask for, or MOST_ATTEMPTS came to nothing
    gone, failed   --> filled   it came all the same
    failed, too long --> waiting   it was cut short by what came, and so are the others

Anybody at the broker can say a number that is far ahead: what comes before it is looked at as ever.

A gap may be a backlog that is on its way: as long as it shrinks, nobody asks. What a kiosk says in
its heartbeat to have sent, and what did not come, is a gap at the end.
"""

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.credentials.signed.command import ID_BYTES, Command, sign_command
from agent.domain.record.command import Verb
from backend.config import Consumer
from backend.database import Connection
from backend.verify import advance

CHUNK = 1000
"""How many events one command asks for at most."""
MOST = 1_000_000
"""A longer gap is nothing that a kiosk can have: its sequence jumped."""
MOST_ATTEMPTS = 12
EXPIRES_S = 120
_LONGEST_PAUSE_S = 3600
_STREAMS, _OF_A_KIOSK, _RUNS = 5000, 20, 1000
_LOCK = 0x67617467

_MISSING = """
SELECT s.id, r.first, r.last, s.said_last FROM unnest(%s::bigint[]) u (id) JOIN streams s USING (id)
CROSS JOIN LATERAL (
    SELECT sequence + 1 AS first, next - 1 AS last FROM (
        SELECT sequence, lead(sequence) OVER (ORDER BY sequence) AS next FROM (
            SELECT s.whole_to AS sequence
            UNION ALL SELECT sequence FROM places WHERE stream = s.id AND sequence > s.whole_to
            UNION ALL SELECT s.said_last + 1 WHERE s.said_last > greatest(s.highest, s.whole_to)
        ) q) n
    WHERE next > sequence + 1 ORDER BY 1 LIMIT %s) r
"""
_BEHIND = """
SELECT id FROM (
    SELECT s.id, row_number() OVER (PARTITION BY s.kiosk_no ORDER BY s.id DESC) AS turn,
        k.signing_key IS NULL AS strange
    FROM (SELECT id FROM streams WHERE highest > whole_to OR said_last > whole_to
        UNION SELECT stream FROM gaps WHERE state IN ('waiting', 'asked')) b
    JOIN streams s USING (id) JOIN kiosks k ON k.no = s.kiosk_no) q
WHERE turn <= %s ORDER BY strange, turn, id LIMIT %s
"""
"""A kiosk's newest first: whoever makes up epochs, or kiosks, holds up nobody."""
_DUE = """
SELECT stream, first, last, attempts, kiosk, epoch FROM (
SELECT DISTINCT ON (k.no) g.stream, g.first, g.last, g.attempts, k.kiosk, s.epoch, g.due,
    k.signing_key IS NULL AS strange
FROM gaps g JOIN streams s ON s.id = g.stream JOIN kiosks k ON k.no = s.kiosk_no
WHERE g.state IN ('waiting', 'asked') AND g.due <= now()
  AND k.last_seen > now() - interval '15 minutes'
  AND NOT EXISTS (SELECT FROM gaps o JOIN streams t ON t.id = o.stream
                  WHERE t.kiosk_no = k.no AND o.state = 'asked' AND o.due > now())
ORDER BY k.no, g.due) q
ORDER BY strange, due LIMIT %s
"""

Run = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """A signed command, and for which kiosk."""

    kiosk: str
    payload: bytes


def look(
    connection: Connection, settings: Consumer, key: Ed25519PrivateKey | None
) -> list[Asked] | None:
    """One round: what is missing now, and what is to be asked; None while another instance does it.

    Without ``key`` gaps are found and nothing is asked.
    """
    with connection.transaction(), connection.cursor() as cursor:
        if cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,)).fetchone() != (True,):
            return None
        _find(cursor, settings.patience_s)
        return [] if key is None else _ask(cursor, settings, key)


def less(runs: Iterable[Run], without: Iterable[Run]) -> list[Run]:
    """What is left of sorted ``runs`` without those parts."""
    left = list(runs)
    for first, last in without:
        left = (
            [
                part
                for run in left
                for part in ((run[0], min(run[1], first - 1)), (max(run[0], last + 1), run[1]))
                if part[0] <= part[1]
            ]
            if any(run[0] <= last and first <= run[1] for run in left)
            else left
        )
    return left


def _find(cursor: psycopg.Cursor[Any], patience_s: float) -> None:
    rows = cursor.execute(_BEHIND, (_OF_A_KIOSK, _STREAMS)).fetchall()
    concerned = sorted(row[0] for row in rows)
    if not concerned:
        return
    known: dict[int, list[tuple[int, int, str]]] = {}
    for stream, first, last, state in cursor.execute(
        "SELECT stream, first, last, CASE WHEN reason = 'too_long' THEN 'waiting' ELSE state END"
        " FROM gaps WHERE stream = ANY(%s) AND state <> 'filled' ORDER BY stream, last",
        (concerned,),
    ):
        known.setdefault(stream, []).append((first, last, state))
    # The streams' rows are held, so that nobody moves what is reckoned from.
    cursor.execute("SELECT FROM streams WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (concerned,))
    advance(cursor, concerned)
    missing: dict[int, list[Run]] = {}
    for stream, first, last, said in cursor.execute(_MISSING, (concerned, _RUNS)):
        # What was said to be sent is asked for, however far a sequence jumped behind it.
        cut = last - first >= MOST and first <= said < last
        runs = [(first, said), (said + 1, last)] if cut else [(first, last)]
        missing.setdefault(stream, []).extend(runs)
    for stream in concerned:
        there = known.get(stream, [])
        over = [(first, last) for first, last, state in there if state in ("gone", "failed")]
        opened = [(first, last) for first, last, state in there if state in ("waiting", "asked")]
        _settle(cursor, stream, opened, less(missing.get(stream, []), over), patience_s)


def _settle(
    cursor: psycopg.Cursor[Any],
    stream: int,
    opened: list[Run],
    missing: list[Run],
    patience_s: float,
) -> None:
    """Hold the rows of one stream against what is missing now."""
    left = list(opened)
    fresh: list[Run] = []
    kept: list[tuple[Run, Run]] = []
    for run in missing:
        same = next((one for one in left if one[0] <= run[1] and run[0] <= one[1]), None)
        if same is None:
            fresh.append(run)
        else:
            left.remove(same)
            if same != run:
                kept.append((same, run))
    for _, last in left:
        cursor.execute(
            "UPDATE gaps SET state = 'filled', changed = now(), command = NULL"
            " WHERE stream = %s AND last = %s",
            (stream, last),
        )
    for same, run in kept:
        # It shrinks: whoever was never asked is waited for, and an answer is not the last try.
        cursor.execute(
            "UPDATE gaps SET first = %s, last = %s, changed = now(), attempts = least(attempts, 1),"
            " due = CASE WHEN attempts = 0 THEN now() + make_interval(secs => %s) ELSE due END,"
            " state = CASE WHEN %s THEN 'failed' WHEN state = 'failed' THEN 'waiting' ELSE state"
            " END, reason = CASE WHEN %s THEN 'too_long' WHEN reason <> 'too_long' THEN reason END"
            " WHERE stream = %s AND last = %s",
            (*run, patience_s, *[run[1] - run[0] >= MOST] * 2, stream, same[1]),
        )
    for first, last in fresh:
        long = last - first >= MOST
        cursor.execute(
            "INSERT INTO gaps (stream, first, last, state, reason, due)"
            " VALUES (%s, %s, %s, %s, %s, now() + make_interval(secs => %s))"
            " ON CONFLICT (stream, last) DO UPDATE SET first = excluded.first, attempts = 0,"
            " state = excluded.state, reason = excluded.reason, due = excluded.due,"
            " changed = now()",
            (
                *(stream, first, last),
                *(("failed", "too_long") if long else ("waiting", None)),
                patience_s,
            ),
        )


def _ask(cursor: psycopg.Cursor[Any], settings: Consumer, key: Ed25519PrivateKey) -> list[Asked]:
    asked = []
    for stream, first, last, attempts, kiosk, epoch in cursor.execute(
        _DUE, (settings.asks_per_round,)
    ).fetchall():
        if attempts >= MOST_ATTEMPTS:
            cursor.execute(
                "UPDATE gaps SET state = 'failed', reason = coalesce(reason, 'no_answer'),"
                " changed = now(), command = NULL WHERE stream = %s AND last = %s",
                (stream, last),
            )
            continue
        command = range_command(kiosk, epoch, first, min(last, first + CHUNK - 1))
        pause_s = min(settings.retry_s * 2**attempts, _LONGEST_PAUSE_S)
        cursor.execute(
            "UPDATE gaps SET state = 'asked', attempts = attempts + 1, command = %s,"
            " due = now() + make_interval(secs => %s) WHERE stream = %s AND last = %s",
            (command.id, pause_s, stream, last),
        )
        asked.append(Asked(kiosk, sign_command(command, key)))
    return asked


def range_command(kiosk: str, epoch: str, first: int, last: int) -> Command:
    """The command that asks for these events again."""
    issued = int(time.time())
    arguments = {"epoch": epoch, "first": first, "last": last}
    return Command(
        verb=Verb.RANGE.value,
        to=kiosk,
        issued=issued,
        expires=issued + EXPIRES_S,
        id=secrets.token_bytes(ID_BYTES),
        arguments=arguments,
    )
