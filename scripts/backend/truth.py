"""Which of several events for one place is the kiosk's own: the one that it signed.

A checkpoint signs the link of one event, each event bears the link of the one before it. So where
another event stands than the signed one, or than the one that a signed one follows, it is none of
the kiosk's:

    taken by another, the true one in ``conflicts``  --> they change places
    taken by another, the true one not here          --> the place is free, and a gap; ``proven``
                                                         says whose it is, and is asked for
    taken by the true one                            --> the others are disproved

What was disproved is kept in ``conflicts``, as it came. The caller holds the streams' rows, so two
instances never do this to one stream at a time, and doing it again changes nothing.
"""

import json
from dataclasses import dataclass
from typing import Any

import psycopg

from agent.domain.record.chain import ORIGIN
from backend.heard import Heard, judge
from backend.places import CHECKPOINT, flag, keep_checkpoint, take_place

_MOST_PLACES = 200
"""Of a stream at a time; what is left comes with the next look."""
_MOST_BETWEEN = 2000
"""Places between one and the checkpoint that vouches for it."""

_CONCERNED = """
SELECT s.id, s.kiosk_no, k.kiosk FROM streams s JOIN kiosks k ON k.no = s.kiosk_no
WHERE s.id = ANY(%s) AND k.signing_key IS NOT NULL AND (
    EXISTS (SELECT FROM conflicts WHERE stream = s.id AND NOT disproved)
    OR EXISTS (SELECT FROM flaws WHERE stream = s.id AND kind = 'chain_broken')
    OR EXISTS (SELECT FROM checkpoints WHERE stream = s.id AND state = 'differs')
    OR EXISTS (SELECT FROM proven WHERE stream = s.id))
ORDER BY s.id
"""
_KNOWN = """
SELECT sequence, link FROM proven WHERE stream = %(stream)s
UNION SELECT until, link FROM checkpoints WHERE stream = %(stream)s AND state = 'differs'
ORDER BY 1 DESC LIMIT %(most)s
"""
# The event behind each place that is in doubt; what it follows is the true one, if it is itself.
_DOUBTED = """
SELECT p.sequence, p.previous FROM (
    SELECT sequence FROM flaws WHERE stream = %(stream)s AND kind = 'chain_broken'
    UNION SELECT sequence + 1 FROM conflicts WHERE stream = %(stream)s AND NOT disproved) q
JOIN places p ON p.stream = %(stream)s AND p.sequence = q.sequence
WHERE p.previous IS NOT NULL AND p.previous <> %(origin)s
ORDER BY 1 DESC LIMIT %(most)s
"""
_SIGNED = """
SELECT c.until FROM checkpoints c JOIN places p ON p.stream = c.stream AND p.sequence = c.until
WHERE c.stream = %(stream)s AND c.state = 'good' AND c.until >= %(sequence)s
  AND c.until <= %(sequence)s + %(between)s AND p.link = c.link ORDER BY 1 LIMIT 1
"""
_UNBROKEN = """
SELECT count(*) FROM places p JOIN places b ON b.stream = p.stream AND b.sequence = p.sequence - 1
WHERE p.stream = %s AND p.sequence > %s AND p.sequence <= %s AND p.previous = b.link
"""
_DISPROVE_PLACE = """
WITH gone AS (DELETE FROM places WHERE stream = %(stream)s AND sequence = %(sequence)s
    RETURNING stream, sequence, id, link
), said AS (DELETE FROM events WHERE stream = %(stream)s AND sequence = %(sequence)s
    RETURNING stream, sequence, body, received)
INSERT INTO conflicts (stream, sequence, id, link, body, received, disproved)
SELECT g.stream, g.sequence, g.id, g.link, coalesce(s.body, 'null'),
    coalesce(s.received, now()), true
FROM gone g LEFT JOIN said s USING (stream, sequence)
ON CONFLICT (stream, sequence, link) DO UPDATE SET disproved = true
"""


_OF_THE_ID = """
SELECT p.stream, p.sequence FROM places p
WHERE p.kiosk_no = %(kiosk)s AND p.id = %(id)s
  AND (p.stream <> %(stream)s OR p.sequence <> %(sequence)s)
"""
_FREE = """
UPDATE streams SET whole_to = least(whole_to, %(sequence)s - 1) WHERE id = %(stream)s
"""


@dataclass(frozen=True, slots=True)
class _Stream:
    id: int
    kiosk_no: int
    kiosk: str

    def at(self, sequence: int) -> dict[str, Any]:
        return {"stream": self.id, "sequence": sequence}


def heal(cursor: psycopg.Cursor[Any], streams: list[int]) -> list[tuple[int, int]]:
    """Put the true events in their places; each stream and sequence where something changed."""
    changed: list[tuple[int, int]] = []
    for row in cursor.execute(_CONCERNED, (streams,)).fetchall():
        stream = _Stream(*row)
        found = _healed(cursor, stream)
        changed += [(stream.id, sequence) for sequence in found]
    return changed


def _healed(cursor: psycopg.Cursor[Any], stream: _Stream) -> list[int]:
    values = {"stream": stream.id, "origin": bytes.fromhex(ORIGIN), "most": _MOST_PLACES}
    changed: list[int] = []
    for sequence, link in cursor.execute(_KNOWN, values).fetchall():
        changed += _down_from(cursor, stream, sequence, bytes(link))
    for sequence, previous in cursor.execute(_DOUBTED, values).fetchall():
        if _is_vouched_for(cursor, stream, sequence):
            changed += _down_from(cursor, stream, sequence - 1, bytes(previous))
    return changed


def _is_vouched_for(cursor: psycopg.Cursor[Any], stream: _Stream, sequence: int) -> bool:
    """Whether the chain is unbroken from there to an event that the kiosk signed."""
    values = {**stream.at(sequence), "between": _MOST_BETWEEN}
    row = cursor.execute(_SIGNED, values).fetchone()
    if row is None:
        return False
    there = cursor.execute(_UNBROKEN, (stream.id, sequence, row[0])).fetchone()
    return there == (row[0] - sequence,)


def _down_from(
    cursor: psycopg.Cursor[Any], stream: _Stream, sequence: int, link: bytes
) -> list[int]:
    """From a place whose link is proven on, as long as something has to change."""
    changed: list[int] = []
    wanted: bytes | None = link
    while wanted is not None and sequence > 0 and len(changed) < _MOST_PLACES:
        before, moved = _settle(cursor, stream, sequence, wanted)
        if moved:
            changed.append(sequence)
        elif changed:
            break
        else:
            return changed
        wanted = None if before in (None, bytes.fromhex(ORIGIN)) else before
        sequence -= 1
    return changed


def _settle(
    cursor: psycopg.Cursor[Any], stream: _Stream, sequence: int, link: bytes
) -> tuple[bytes | None, bool]:
    """The ``previous`` of the event whose link this is, where it is here; and what has changed."""
    at = stream.at(sequence)
    there = cursor.execute(
        "SELECT link, previous FROM places WHERE stream = %(stream)s AND sequence = %(sequence)s",
        at,
    ).fetchone()
    if there is not None and bytes(there[0]) == link:
        return there[1] and bytes(there[1]), _is_true(cursor, stream, sequence, link)
    if there is not None:
        cursor.execute(_DISPROVE_PLACE, at)
        flag(cursor, stream.kiosk_no, stream.id, sequence, "disproved")
    true = _kept(cursor, stream, sequence, link)
    if true is not None:
        _free_id(cursor, stream, true)
    if true is not None and take_place(cursor, stream.id, stream.kiosk_no, true):
        _forget_flaws(cursor, stream, sequence, altered=true.altered)
        cursor.execute(
            "DELETE FROM conflicts"
            " WHERE stream = %(stream)s AND sequence = %(sequence)s AND link = %(link)s",
            at | {"link": link},
        )
        if true.type == CHECKPOINT:
            keep_checkpoint(cursor, stream.id, stream.kiosk_no, true)
        _is_true(cursor, stream, sequence, link)
        return true.previous, True
    new = cursor.execute(
        "INSERT INTO proven (stream, sequence, link) VALUES (%(stream)s, %(sequence)s, %(link)s)"
        " ON CONFLICT DO NOTHING",
        at | {"link": link},
    ).rowcount
    cursor.execute(_FREE, at)
    if there is not None or new:
        _forget_flaws(cursor, stream, sequence, altered=False)
    _disprove_others(cursor, stream, sequence, link)
    return None, there is not None or bool(new)


def _free_id(cursor: psycopg.Cursor[Any], stream: _Stream, true: Heard) -> None:
    """Whose the id is, the kiosk signed: what else bears it, in any epoch, is none of its own."""
    values = {**stream.at(true.sequence), "kiosk": stream.kiosk_no, "id": true.id}
    for other, sequence in cursor.execute(_OF_THE_ID, values).fetchall():
        at = {"stream": other, "sequence": sequence}
        cursor.execute(_DISPROVE_PLACE, at)
        cursor.execute(_FREE, at)
        flag(cursor, stream.kiosk_no, other, sequence, "disproved")


def _kept(cursor: psycopg.Cursor[Any], stream: _Stream, sequence: int, link: bytes) -> Heard | None:
    """The event of this link among those that found the place taken."""
    row = cursor.execute(
        "SELECT body FROM conflicts"
        " WHERE stream = %(stream)s AND sequence = %(sequence)s AND link = %(link)s",
        stream.at(sequence) | {"link": link},
    ).fetchone()
    if row is None or not isinstance(row[0], dict):
        return None
    found = judge(f"gate/{stream.kiosk}/ranges", json.dumps(row[0]).encode())
    return found if isinstance(found, Heard) and found.link == link else None


def _is_true(cursor: psycopg.Cursor[Any], stream: _Stream, sequence: int, link: bytes) -> bool:
    """What stands there is the kiosk's own: nothing else is, and its checkpoint holds."""
    values = stream.at(sequence) | {"link": link}
    moved = cursor.execute(
        "DELETE FROM proven WHERE stream = %(stream)s AND sequence = %(sequence)s", values
    ).rowcount
    good = cursor.execute(
        "UPDATE checkpoints SET state = 'good' WHERE stream = %(stream)s AND until = %(sequence)s"
        " AND link = %(link)s AND state = 'differs' RETURNING sequence",
        values,
    ).fetchall()
    for (own,) in good:
        cursor.execute(
            "DELETE FROM flaws WHERE kiosk_no = %s AND stream = %s AND sequence = %s"
            " AND kind = 'checkpoint_differs'",
            (stream.kiosk_no, stream.id, own),
        )
        cursor.execute(
            "UPDATE streams SET signed_to = greatest(signed_to, %(sequence)s)"
            " WHERE id = %(stream)s",
            values,
        )
    moved += _disprove_others(cursor, stream, sequence, link)
    return bool(moved or good)


def _disprove_others(
    cursor: psycopg.Cursor[Any], stream: _Stream, sequence: int, link: bytes
) -> int:
    values = stream.at(sequence) | {"link": link, "kiosk": stream.kiosk_no}
    moved = cursor.execute(
        "UPDATE conflicts SET disproved = true"
        " WHERE stream = %(stream)s AND sequence = %(sequence)s AND link <> %(link)s"
        " AND NOT disproved",
        values,
    ).rowcount
    if moved:
        cursor.execute(
            "DELETE FROM flaws WHERE kiosk_no = %(kiosk)s AND stream = %(stream)s"
            " AND sequence = %(sequence)s AND kind IN ('two_at_one_place', 'id_repeated')",
            values,
        )
        flag(cursor, stream.kiosk_no, stream.id, sequence, "disproved")
    return moved


def _forget_flaws(
    cursor: psycopg.Cursor[Any], stream: _Stream, sequence: int, *, altered: bool
) -> None:
    """What was wrong with another event there; the chain around it is looked at again."""
    cursor.execute(
        "DELETE FROM flaws WHERE kiosk_no = %(kiosk)s AND stream = %(stream)s AND ("
        " sequence = %(sequence)s AND kind <> 'disproved'"
        " OR sequence = %(sequence)s + 1 AND kind = 'chain_broken')",
        stream.at(sequence) | {"kiosk": stream.kiosk_no},
    )
    cursor.execute(
        "DELETE FROM checkpoints"
        " WHERE stream = %(stream)s AND sequence = %(sequence)s AND state <> 'good'",
        stream.at(sequence),
    )
    if altered:
        flag(cursor, stream.kiosk_no, stream.id, sequence, "altered")
