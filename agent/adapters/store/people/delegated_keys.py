"""Issuers' keys that came with a delegation: the signed message is kept, and checked at each use.

They stand in a table of their own, so that one whose row is lost or damaged is not trusted at all,
and never without its limits.
"""

from collections.abc import Iterable
from datetime import datetime

from agent.adapters.store.people.said_here import SaidHere
from agent.adapters.store.sqlite import moment_or_none, text_or_none
from agent.credentials.errors import CredentialError
from agent.credentials.passes.delegation import read
from agent.credentials.passes.issuers import IssuerKey, delegated_key


class DelegatedKeys(SaidHere):
    """The registry's table of them."""

    def _with_delegated(self, unlimited: Iterable[IssuerKey]) -> list[IssuerKey]:
        """``unlimited`` and the limited keys, by issuer.

        A key that stands here is not unlimited, and where its row is damaged it is not trusted.
        """
        rows = self._rows("SELECT key_id, statement, valid_from, valid_until FROM delegated_key")
        limited = {row[0] for row in rows}
        keys = [key for key in unlimited if key.key_id.hex() not in limited]
        keys += [key for key in (_key_of(*row[1:]) for row in rows) if key is not None]
        return sorted(keys, key=lambda key: (key.issuer, key.key_id))

    def _damaged_delegations(self) -> int:
        """How many rows cannot be read, or are not about the key that they stand under."""
        rows = self._rows("SELECT key_id, statement, valid_from, valid_until FROM delegated_key")
        keys = [(row[0], _key_of(*row[1:])) for row in rows]
        return sum(key is None or key.key_id.hex() != key_id for key_id, key in keys)

    def _put_delegated(self, key: IssuerKey) -> None:
        """Within the caller's transaction: trust ``key`` within its limits, and only so."""
        if key.delegation is None:
            return
        self._clear_damage("issuer_key", key.key_id.hex())
        self._connection.execute("DELETE FROM issuer_key WHERE key_id = ?", (key.key_id.hex(),))
        self._connection.execute(
            "INSERT INTO delegated_key (key_id, statement, valid_from, valid_until)"
            " VALUES (?, ?, ?, ?) ON CONFLICT (key_id) DO UPDATE SET"
            " statement = excluded.statement, valid_from = excluded.valid_from,"
            " valid_until = excluded.valid_until",
            (
                key.key_id.hex(),
                key.delegation.data,
                text_or_none(key.valid_from),
                text_or_none(key.valid_until),
            ),
        )

    def _remove_delegated(self, key_id: str) -> list[str]:
        """Within the caller's transaction: whose the key was, where it was here."""
        rows = self._connection.execute(
            "DELETE FROM delegated_key WHERE key_id = ?"
            " RETURNING statement, valid_from, valid_until",
            (key_id,),
        ).fetchall()
        found = [_key_of(*row) for row in rows]
        return ["" if key is None else key.issuer for key in found]


def _key_of(statement: object, valid_from: object, valid_until: object) -> IssuerKey | None:
    try:
        if not isinstance(statement, bytes):
            return None
        return delegated_key(read(statement), _moment(valid_from), _moment(valid_until))
    except (CredentialError, ValueError, TypeError):
        return None


def _moment(value: object) -> datetime | None:
    if value is not None and not isinstance(value, str):
        raise TypeError
    return moment_or_none(value)
