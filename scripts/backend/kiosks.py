"""The kiosks' keys: pinned by a person, from what ``gate-agent key show --json`` prints there.

What the broker carries under ``.../keys`` is compared with them and believed by nobody: whoever
holds the broker could put any key there.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from agent.credentials.shown_keys import raw_half
from backend.database import Connection
from backend.failures import BackendError, UsageError

PLACE = re.compile(r"[A-Za-z0-9._-]{1,64}(/[A-Za-z0-9._-]{1,64}){2}")
"""A kiosk: community/grid/kiosk."""
_MOST_NAMED = 50
"""Faults that are said one by one."""

_GIVEN = """
CREATE TEMPORARY TABLE IF NOT EXISTS given (kiosk text PRIMARY KEY, signing bytea, sealing bytea)
ON COMMIT DELETE ROWS
"""
_PIN = """
UPDATE kiosks k SET signing_key = g.signing, sealing_key = g.sealing,
    pinned_at = CASE WHEN k.signing_key IS DISTINCT FROM g.signing THEN now() ELSE k.pinned_at END,
    former_keys = CASE WHEN k.signing_key <> g.signing THEN k.former_keys || k.signing_key
        ELSE k.former_keys END
FROM given g WHERE g.kiosk = k.kiosk
"""
# What another key made of them is found again if it is still so.
_FORGET = """
DELETE FROM flaws f USING kiosks k, given g
WHERE f.kiosk_no = k.no AND k.kiosk = g.kiosk AND (f.kind IN ('key_differs', 'sealing_key_differs')
    OR f.kind = 'checkpoint_forged' AND k.no = ANY(%s))
"""
_JUDGE_AGAIN = """
UPDATE checkpoints c SET state = 'waiting' FROM streams s
WHERE s.id = c.stream AND s.kiosk_no = ANY(%s) AND c.state IN ('bad', 'differs')
"""
_DIFFERS = """
INSERT INTO flaws (kiosk_no, stream, sequence, kind)
SELECT k.no, 0, 0, 'key_differs' FROM kiosks k JOIN given USING (kiosk)
WHERE k.said_signing IS NOT NULL AND k.said_signing IS DISTINCT FROM k.signing_key
   OR k.said_sealing IS NOT NULL AND k.said_sealing IS DISTINCT FROM k.sealing_key
ORDER BY 1 ON CONFLICT DO NOTHING
"""
# A stretch of nothing: whoever looks over takes the stream's checkpoints with it.
_LOOK_AGAIN = """
INSERT INTO touched (stream, first, last) SELECT DISTINCT c.stream, 0, -1
FROM checkpoints c JOIN streams s ON s.id = c.stream JOIN kiosks k ON k.no = s.kiosk_no
JOIN given USING (kiosk) WHERE c.state = 'waiting'
"""

Keys = tuple[bytes, bytes | None]


def pin(connection: Connection, shown: Mapping[str, Any], *, replace: bool = False) -> str:
    """``pin_all`` of one; the kiosk."""
    return pin_all(connection, [shown], replace=replace)[0]


def pin_all(
    connection: Connection, shown: Sequence[Mapping[str, Any]], *, replace: bool = False
) -> list[str]:
    """Pin what kiosks show of their keys, all or none; the kiosks, in their order.

    Their checkpoints so far are held against the keys. ``replace`` puts another in a pinned key's
    place, which then counts for streams only that were heard of before.

    Raises:
        UsageError: some are not what a kiosk shows, or one comes twice; each is named.
        BackendError: other keys are pinned already; whose, is said.
    """
    given = _read(shown)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_GIVEN)
        with cursor.copy("COPY given FROM STDIN") as copy:
            for kiosk, keys in given.items():
                copy.write_row((kiosk, *keys))
        cursor.execute(
            "INSERT INTO kiosks (kiosk) SELECT kiosk FROM given ORDER BY kiosk"
            " ON CONFLICT DO NOTHING"
        )
        changed = _changed(cursor, given, replace=replace)
        cursor.execute(_PIN)
        cursor.execute(_FORGET, (changed,))
        cursor.execute(_JUDGE_AGAIN, (changed,))
        cursor.execute(_DIFFERS)
        cursor.execute(_LOOK_AGAIN)
    return list(given)


def _read(shown: Sequence[Mapping[str, Any]]) -> dict[str, Keys]:
    """The keys by kiosk."""
    given: dict[str, Keys] = {}
    wrong: list[str] = []
    for number, one in enumerate(shown, 1):
        kiosk = one.get("kiosk")
        if not isinstance(kiosk, str) or PLACE.fullmatch(kiosk) is None:
            wrong.append(f"{number}: no kiosk")
            continue
        try:
            signing, sealing = (raw_half(one, name) for name in ("signing", "sealing"))
        except ValueError:
            signing = None
        if signing is None:
            wrong.append(f"{number}: {kiosk}: no public keys")
        elif given.setdefault(kiosk, (signing, sealing)) != (signing, sealing):
            wrong.append(f"{number}: {kiosk}: comes twice, with other keys")
    if wrong:
        fix = "hand in what `gate-agent key show --json` says"
        one_of_one = len(shown) == 1
        said = f"no kiosk's keys: {fix}" if one_of_one else _listed("nothing is pinned", wrong, fix)
        raise UsageError(said)
    return given


def _changed(cursor: psycopg.Cursor[Any], given: Mapping[str, Keys], *, replace: bool) -> list[int]:
    """Whose signing key will be another one; all kiosks' rows are held."""
    changed, other = [], []
    for number, kiosk, signing, sealing in cursor.execute(
        "SELECT k.no, k.kiosk, k.signing_key, k.sealing_key FROM kiosks k JOIN given USING (kiosk)"
        " ORDER BY k.kiosk FOR UPDATE OF k"
    ):
        wanted = given[kiosk]
        if signing != wanted[0]:
            changed.append(number)
        if signing not in (None, wanted[0]) or sealing not in (None, wanted[1]):
            other.append(kiosk)
    if other and not replace:
        fix = "--replace where you know that they were changed"
        if len(given) == 1:
            raise BackendError(f"{other[0]} has other keys pinned; {fix}")
        raise BackendError(_listed("nothing is pinned, for these have other keys", other, fix))
    return changed


def _listed(said: str, lines: Sequence[str], fix: str) -> str:
    more = [f"and {len(lines) - _MOST_NAMED} more"] if len(lines) > _MOST_NAMED else []
    return "\n  ".join([f"{said}:", *lines[:_MOST_NAMED], *more]) + f"\nFix: {fix}"
