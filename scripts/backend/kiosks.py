"""The kiosks' keys: pinned by a person, from what ``gate-agent key show --json`` prints there.

What the broker carries under ``.../keys`` is compared with them and believed by nobody: whoever
holds the broker could put any key there.
"""

import re
from collections.abc import Mapping
from typing import Any

from agent.credentials.shown_keys import raw_half
from backend.database import Connection
from backend.failures import BackendError, UsageError
from backend.places import flag

PLACE = re.compile(r"[A-Za-z0-9._-]{1,64}(/[A-Za-z0-9._-]{1,64}){2}")
"""A kiosk: community/grid/kiosk."""


def pin(connection: Connection, shown: Mapping[str, Any], *, replace: bool = False) -> str:
    """Pin what a kiosk shows of its keys; the kiosk.

    Its checkpoints so far are held against the key. ``replace`` puts another in a pinned key's
    place, which then counts for streams only that were heard of before.

    Raises:
        UsageError: it is not what a kiosk shows.
        BackendError: another key is pinned already.
    """
    kiosk = shown.get("kiosk")
    try:
        signing, sealing = (raw_half(shown, name) for name in ("signing", "sealing"))
    except ValueError:
        raise UsageError("no public keys: hand in what `gate-agent key show --json` says") from None
    if not isinstance(kiosk, str) or PLACE.fullmatch(kiosk) is None or signing is None:
        raise UsageError("no kiosk's keys: hand in what `gate-agent key show --json` says")
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO kiosks (kiosk) VALUES (%s) ON CONFLICT DO NOTHING", (kiosk,))
        row = cursor.execute(
            "SELECT no, signing_key, sealing_key, said_signing, said_sealing FROM kiosks"
            " WHERE kiosk = %s FOR UPDATE",
            (kiosk,),
        ).fetchone()
        assert row is not None
        number, *before = (row[0], *row[1:])
        differs = (before[0] not in (None, signing)) or (before[1] not in (None, sealing))
        if differs and not replace:
            raise BackendError(
                f"{kiosk} has other keys pinned; --replace where you know that they were changed"
            )
        changed = before[0] != signing
        cursor.execute(
            "UPDATE kiosks SET signing_key = %(signing)s, sealing_key = %(sealing)s,"
            " pinned_at = CASE WHEN %(changed)s THEN now() ELSE pinned_at END,"
            " former_keys = former_keys || %(former)s::bytea[] WHERE no = %(no)s",
            {
                "signing": signing,
                "sealing": sealing,
                "changed": changed,
                "no": number,
                "former": [before[0]] if changed and before[0] is not None else [],
            },
        )
        # What another key made of them is found again if it is still so.
        cursor.execute(
            "DELETE FROM flaws WHERE kiosk_no = %s AND (kind IN ('key_differs',"
            " 'sealing_key_differs') OR (kind = 'checkpoint_forged' AND %s))",
            (number, changed),
        )
        cursor.execute(
            "UPDATE checkpoints c SET state = 'waiting' FROM streams s WHERE s.id = c.stream"
            " AND s.kiosk_no = %s AND c.state IN ('bad', 'differs') AND %s",
            (number, changed),
        )
        for said, pinned in ((before[2], signing), (before[3], sealing)):
            if said is not None and said != pinned:
                flag(cursor, number, 0, 0, "key_differs")
        # A stretch of nothing: whoever looks over takes the stream's checkpoints with it.
        cursor.execute(
            "INSERT INTO touched (stream, first, last) SELECT DISTINCT c.stream, 0, -1"
            " FROM checkpoints c JOIN streams s ON s.id = c.stream"
            " WHERE s.kiosk_no = %s AND c.state = 'waiting'",
            (number,),
        )
    return kiosk
