"""What the registry knows of passes: whom to believe, and what is revoked; no secret among it."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.adapters.store.people.delegated_keys import DelegatedKeys
from agent.adapters.store.people.rows.marked_rows import Row
from agent.adapters.store.people.rows.marks import intact
from agent.adapters.store.people.said_here import of_issuer
from agent.adapters.store.sqlite import moment_or_none, text_or_none
from agent.credentials.passes.issuers import IssuerKey
from agent.domain.credential.gate_pass import PassId
from agent.domain.hours.instant import Instant
from agent.domain.record.events import EventType


class PassTables(DelegatedKeys):
    """The registry's tables about passes."""

    def issuers(self) -> list[IssuerKey]:
        """Every key whose passes are believed, by issuer; one that is damaged is not."""
        keys = (issuer_of(row) for row in self._marked("issuer_key", "ORDER BY issuer, key_id"))
        return self._with_delegated(key for key in keys if key is not None)

    def put_issuer(
        self, key: IssuerKey, *, by: str, now: Instant, issued_s: int | None = None
    ) -> None:
        """Believe passes of this key from now on, or change its time.

        One with a delegation is believed within its limits; its limits stay where it is put again
        without. ``issued_s``: it was signed then; None: somebody here says so.

        Raises:
            RefusedError: ``superseded``: somebody here said otherwise since it was signed.
        """

        def work() -> None:
            self._say(of_issuer(key.key_id.hex()), now, issued_s, stricter=False)
            self._believe(key)
            data = {"issuer": key.issuer, "key_id": key.key_id.hex(), "change": "trusted"}
            self._log(EventType.ISSUER_CHANGED, data, by, now)

        self._write(work)

    def remove_issuer(self, key_id: str, *, by: str, now: Instant) -> bool:
        """Believe this key no longer; False where it was not believed."""

        def work() -> bool:
            gone = self._disbelieve(key_id)
            if gone:
                self._say_here(of_issuer(key_id), now)
            for issuer in gone[:1]:
                data = {"issuer": issuer, "key_id": key_id, "change": "removed"}
                self._log(EventType.ISSUER_CHANGED, data, by, now)
            return bool(gone)

        return self._write(work)

    def revoked(self) -> frozenset[PassId]:
        """Every pass that was revoked, those among them whose row is damaged."""
        rows = self._marked("revoked_pass")
        return frozenset(PassId(one) for row in rows for one in row.verdict.subjects)

    def revoke(self, one: PassId, *, by: str, now: Instant) -> bool:
        """Let a pass open nothing from now on; False where it was revoked before."""

        def work() -> bool:
            changed = self._revoke(one)
            if changed:
                self._log(EventType.PASS_REVOKED, {"pass": one}, by, now)
            return changed

        return self._write(work)

    def _believe(self, key: IssuerKey) -> None:
        """Within the caller's transaction: trust ``key``, within its limits where it has some."""
        if key.delegation is None:
            self._put_unlimited(key)
        else:
            self._put_delegated(key)
        self._prolong()

    def _put_unlimited(self, key: IssuerKey) -> None:
        raw = key.key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._clear_damage("issuer_key", key.key_id.hex())
        self._connection.execute(
            "INSERT INTO issuer_key (key_id, issuer, public, valid_from, valid_until)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (key_id) DO UPDATE SET"
            " issuer = excluded.issuer, public = excluded.public,"
            " valid_from = excluded.valid_from, valid_until = excluded.valid_until",
            (
                key.key_id.hex(),
                key.issuer,
                raw,
                text_or_none(key.valid_from),
                text_or_none(key.valid_until),
            ),
        )
        self._mark("issuer_key", key.key_id.hex())

    def _disbelieve(self, key_id: str) -> list[str]:
        """Within the caller's transaction: whose the key was, where it was trusted."""
        self._clear_damage("issuer_key", key_id)
        rows = self._connection.execute(
            "DELETE FROM issuer_key WHERE key_id = ? RETURNING issuer", (key_id,)
        ).fetchall()
        return [*(issuer for (issuer,) in rows), *self._remove_delegated(key_id)]

    def _revoke(self, one: PassId) -> bool:
        """Within the caller's transaction: whether the pass was not revoked before."""
        again = bool(self._damaged("revoked_pass", one))
        self._clear_damage("revoked_pass", one)
        changed = self._connection.execute(
            "INSERT OR IGNORE INTO revoked_pass (pass) VALUES (?)", (one,)
        )
        if changed.rowcount or again:
            self._mark("revoked_pass", one)
        return bool(changed.rowcount)

    def _prolong(self) -> None:
        """A key is believed for longer; who waits for the end of all passes learns of it."""


def issuer_of(row: Row) -> IssuerKey | None:
    """The key of a row, None where it cannot be read: its passes are not believed."""
    values = row.values
    if not row.verdict.whole or not intact(values["issuer"]):
        return None
    try:
        ends = [moment_or_none(values[end]) for end in ("valid_from", "valid_until")]
        return IssuerKey(
            values["issuer"], Ed25519PublicKey.from_public_bytes(values["public"]), *ends
        )
    except (ValueError, TypeError):
        return None
