"""Whether what was stored can be trusted: looked over after it is committed, by any instance.

Events come in any order: a backlog runs beside what happens now, and two instances share both. So
each is held against the one before it and the one after it, as soon as both are there, whichever
came last; and how far nothing is missing is kept by stream. What was stored is queued in
``touched`` by the transaction that stored it: whoever takes it from there while another instance
dies, or commits later, misses nothing.

    chain_broken          ``previous`` is not the link of the event before it
    unchained             an event without ``previous``, where there had been a chain, or a key and
                          no chain that begins right behind it
    checkpoint_forged     not signed by the key that was pinned for this kiosk
    checkpoint_of_another signed, but for another kiosk, epoch or place
    checkpoint_differs    the kiosk signed another link than that of the event which came
    disproved             another event stood there, or wanted to, and was none of the kiosk's
                          (``truth``)
"""

from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.credentials.errors import CredentialError
from agent.credentials.signed.checkpoint import Checkpoint, verify_checkpoint
from agent.domain.record.chain import ORIGIN
from backend import truth
from backend.database import Connection
from backend.places import flag

_MOST = 4000
_STEP = 2000
_CHECKPOINTS = 500
_TURNS = 20
"""What one healed place says of others is followed so often; then the next look goes on."""
_STATES = {None: "good", "checkpoint_differs": "differs"}
"""What differs is signed all the same, and says which event is the kiosk's."""

_TAKE = """
DELETE FROM touched WHERE ctid IN (SELECT ctid FROM touched LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING stream, first, last, at
"""
_PAIRS = """
INSERT INTO flaws (kiosk_no, stream, sequence, kind)
SELECT p.kiosk_no, p.stream, CASE WHEN p.previous IS NULL THEN 0 ELSE p.sequence END,
       CASE WHEN p.previous IS NULL THEN 'unchained' ELSE 'chain_broken' END
FROM unnest(%(stream)s::bigint[], %(first)s::bigint[], %(last)s::bigint[]) t (stream, first, last)
JOIN places p ON p.stream = t.stream AND p.sequence BETWEEN t.first AND t.last + 1
LEFT JOIN places b ON b.stream = p.stream AND b.sequence = p.sequence - 1
WHERE CASE
    WHEN p.previous IS NULL THEN b.previous IS NOT NULL
      OR EXISTS (SELECT FROM kiosks k WHERE k.no = p.kiosk_no AND k.signing_key IS NOT NULL)
    WHEN p.sequence = 1 THEN p.previous <> %(origin)s
    WHEN b.link IS NULL THEN false
    WHEN b.previous IS NULL THEN p.previous <> %(origin)s
    ELSE p.previous <> b.link END
ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING
"""
# What a kiosk said before it had a place stands before its chain begins: the chain says so itself.
_BEGUN = """
DELETE FROM flaws f USING places c, places b
WHERE f.stream = ANY(%(streams)s) AND f.kind = 'unchained' AND f.sequence = 0
  AND c.stream = f.stream AND c.previous = %(origin)s
  AND b.stream = c.stream AND b.sequence = c.sequence - 1 AND b.previous IS NULL
  AND NOT EXISTS (SELECT FROM places u WHERE u.stream = c.stream AND u.sequence > c.sequence
                  AND u.previous IS NULL)
"""
_ADVANCE = """
WITH moved AS (
    SELECT s.id, max(q.sequence) AS upto FROM streams s CROSS JOIN LATERAL (
        SELECT sequence, sequence - row_number() OVER (ORDER BY sequence) AS before FROM (
            SELECT sequence FROM places WHERE stream = s.id AND sequence > s.whole_to
            ORDER BY sequence LIMIT %(step)s) n) q
    WHERE s.id = ANY(%(streams)s) AND q.before = s.whole_to
      AND EXISTS (SELECT FROM places WHERE stream = s.id AND sequence = s.whole_to + 1)
    GROUP BY s.id
)
UPDATE streams s SET whole_to = m.upto, highest = greatest(s.highest, m.upto)
FROM moved m WHERE s.id = m.id RETURNING s.id
"""
_JUMP = """
UPDATE streams s SET whole_to = g.last FROM gaps g
WHERE s.id = ANY(%(streams)s) AND g.stream = s.id AND g.state IN ('gone', 'failed')
  AND g.reason IS DISTINCT FROM 'too_long' AND g.first <= s.whole_to + 1 AND g.last > s.whole_to
RETURNING s.id
"""
_WAITING = """
SELECT c.stream, c.sequence, c.until, c.link, c.signature, k.no, k.kiosk, k.signing_key, s.epoch,
       p.link, CASE WHEN s.first_seen < k.pinned_at THEN k.former_keys ELSE '{}' END
FROM checkpoints c JOIN streams s ON s.id = c.stream JOIN kiosks k ON k.no = s.kiosk_no
LEFT JOIN places p ON p.stream = c.stream AND p.sequence = c.until
WHERE c.stream = ANY(%s) AND c.state = 'waiting' AND k.signing_key IS NOT NULL
  AND (p.link IS NOT NULL
       OR EXISTS (SELECT FROM conflicts o WHERE o.stream = c.stream AND o.sequence = c.until))
ORDER BY 1, 2 LIMIT %s FOR UPDATE OF c SKIP LOCKED
"""


def look_over(connection: Connection) -> int:
    """Look over some of what was stored; how many stretches, 0 where nothing is left."""
    with connection.transaction(), connection.cursor() as cursor:
        taken = cursor.execute(_TAKE, (_MOST,)).fetchall()
        if not taken:
            return 0
        streams = sorted({row[0] for row in taken})
        columns: dict[str, Any] = {
            name: [row[place] for row in taken]
            for place, name in enumerate(("stream", "first", "last", "at"))
        }
        # Before anything is held against anything: else what another instance heals meanwhile is
        # found broken. Rows are locked in one order by everybody, so that nobody waits in a ring.
        cursor.execute("SELECT FROM streams WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (streams,))
        _pairs(cursor, streams, columns)
        _note(cursor, streams, columns)
        advance(cursor, streams)
        _judge_checkpoints(cursor, streams)
        for turn in range(_TURNS):
            if not (changed := truth.heal(cursor, streams)):
                break
            if turn == _TURNS - 1:
                _again(cursor, streams)
            healed = {
                "stream": [stream for stream, _ in changed],
                "first": [sequence for _, sequence in changed],
                "last": [sequence for _, sequence in changed],
            }
            _pairs(cursor, streams, healed)
            advance(cursor, streams)
            _judge_checkpoints(cursor, streams)
    return len(taken)


def _again(cursor: psycopg.Cursor[Any], streams: list[int]) -> None:
    cursor.execute(
        "INSERT INTO touched (stream, first, last) SELECT *, 0, -1 FROM unnest(%s::bigint[])",
        (streams,),
    )


def _pairs(cursor: psycopg.Cursor[Any], streams: list[int], columns: dict[str, Any]) -> None:
    origin = bytes.fromhex(ORIGIN)
    cursor.execute(_PAIRS, {**columns, "origin": origin})
    cursor.execute(_BEGUN, {"streams": streams, "origin": origin})


def _judge_checkpoints(cursor: psycopg.Cursor[Any], streams: list[int]) -> None:
    while _checkpoints(cursor, streams) == _CHECKPOINTS:
        pass


def advance(cursor: psycopg.Cursor[Any], streams: list[int]) -> None:
    """Say of each stream how far nothing is missing; the caller holds the streams' rows."""
    moving = streams
    while moving:
        values = {"streams": moving, "step": _STEP}
        moved = {row[0] for row in cursor.execute(_ADVANCE, values)}
        moved |= {row[0] for row in cursor.execute(_JUMP, values)}
        moving = sorted(moved)


def _note(cursor: psycopg.Cursor[Any], streams: list[int], columns: dict[str, Any]) -> None:
    cursor.execute(
        "UPDATE streams s SET highest = greatest(s.highest, t.last) FROM"
        " (SELECT stream, max(last) AS last FROM unnest(%(stream)s::bigint[], %(last)s::bigint[])"
        "  u (stream, last) GROUP BY stream) t WHERE s.id = t.stream AND s.highest < t.last",
        columns,
    )
    cursor.execute(
        "SELECT FROM kiosks WHERE no IN (SELECT kiosk_no FROM streams WHERE id = ANY(%s))"
        " ORDER BY kiosk FOR UPDATE",
        (streams,),
    )
    cursor.execute(
        "UPDATE kiosks k SET last_seen = greatest(k.last_seen, t.at) FROM"
        " (SELECT s.kiosk_no, max(u.at) AS at FROM unnest(%(stream)s::bigint[],"
        "  %(at)s::timestamptz[]) u (stream, at) JOIN streams s ON s.id = u.stream GROUP BY 1) t"
        " WHERE k.no = t.kiosk_no",
        columns,
    )
    cursor.execute(
        "UPDATE gaps g SET state = 'filled', changed = now(), reason = NULL"
        " WHERE g.stream = ANY(%s) AND g.state IN ('gone', 'failed') AND g.last - g.first + 1 ="
        " (SELECT count(*) FROM places WHERE stream = g.stream AND sequence BETWEEN g.first AND"
        "  g.last)",
        (streams,),
    )


def _checkpoints(cursor: psycopg.Cursor[Any], streams: list[int]) -> int:
    waiting = cursor.execute(_WAITING, (streams, _CHECKPOINTS)).fetchall()
    for stream, sequence, until, said, signature, number, kiosk, key, epoch, link, old in waiting:
        keys = [bytes(one) for one in (key, *old)]
        found = _why_not(bytes(signature), keys, (f"/gate/{kiosk}", epoch, until, said), link)
        cursor.execute(
            "UPDATE checkpoints SET state = %s"
            " WHERE stream = %s AND sequence = %s AND signature = %s",
            (_STATES.get(found, "bad"), stream, sequence, signature),
        )
        if found is not None:
            flag(cursor, number, stream, sequence, found)
        else:
            cursor.execute(
                "UPDATE streams SET signed_to = greatest(signed_to, %s) WHERE id = %s",
                (until, stream),
            )
    return len(waiting)


def _signed(signature: bytes, key: bytes) -> Checkpoint | None:
    try:
        return verify_checkpoint(signature, Ed25519PublicKey.from_public_bytes(key))
    except CredentialError:
        return None


def _why_not(
    signature: bytes, keys: list[bytes], said: tuple[str, str, int, bytes], link: bytes | None
) -> str | None:
    signed = next((one for key in keys if (one := _signed(signature, key)) is not None), None)
    if signed is None:
        return "checkpoint_forged"
    if (signed.source, signed.epoch, signed.sequence, signed.link) != (*said[:3], bytes(said[3])):
        return "checkpoint_of_another"
    return None if link is not None and signed.link == bytes(link) else "checkpoint_differs"
