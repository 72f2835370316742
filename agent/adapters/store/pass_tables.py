"""What the registry knows of passes: whom to believe, and what is revoked; no secret among it."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.adapters.store.change_log import ChangeLog
from agent.adapters.store.sqlite import CorruptError, moment_or_none, text_or_none
from agent.credentials.passes.issuers import IssuerKey
from agent.domain.credential.gate_pass import PassId
from agent.domain.hours.instant import Instant
from agent.domain.record.events import EventType


class PassTables(ChangeLog):
    """The registry's tables about passes."""

    def issuers(self) -> list[IssuerKey]:
        """Every key whose passes are believed, by issuer."""
        rows = self._rows(
            "SELECT issuer, public, valid_from, valid_until FROM issuer_key ORDER BY issuer, key_id"
        )
        try:
            return [
                IssuerKey(
                    issuer, Ed25519PublicKey.from_public_bytes(public), *map(moment_or_none, ends)
                )
                for issuer, public, *ends in rows
            ]
        except (ValueError, TypeError):
            raise CorruptError("an issuer's key in the registry is damaged") from None

    def put_issuer(self, key: IssuerKey, *, by: str, now: Instant) -> None:
        """Believe passes of this key from now on, or change its time."""

        def work() -> None:
            raw = key.key.public_bytes(Encoding.Raw, PublicFormat.Raw)
            self._connection.execute(
                "INSERT INTO issuer_key (key_id, issuer, public, valid_from, valid_until)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (key_id) DO UPDATE SET"
                " issuer = excluded.issuer, valid_from = excluded.valid_from,"
                " valid_until = excluded.valid_until",
                (
                    key.key_id.hex(),
                    key.issuer,
                    raw,
                    text_or_none(key.valid_from),
                    text_or_none(key.valid_until),
                ),
            )
            data = {"issuer": key.issuer, "key_id": key.key_id.hex(), "change": "trusted"}
            self._log(EventType.ISSUER_CHANGED, data, by, now)

        self._write(work)

    def remove_issuer(self, key_id: str, *, by: str, now: Instant) -> bool:
        """Believe this key no longer; False where it was not believed."""

        def work() -> bool:
            rows = self._connection.execute(
                "DELETE FROM issuer_key WHERE key_id = ? RETURNING issuer", (key_id,)
            ).fetchall()
            for (issuer,) in rows:
                data = {"issuer": issuer, "key_id": key_id, "change": "removed"}
                self._log(EventType.ISSUER_CHANGED, data, by, now)
            return bool(rows)

        return self._write(work)

    def revoked(self) -> frozenset[PassId]:
        """Every pass that was revoked."""
        return frozenset(PassId(row[0]) for row in self._rows("SELECT pass FROM revoked_pass"))

    def revoke(self, one: PassId, *, by: str, now: Instant) -> bool:
        """Let a pass open nothing from now on; False where it was revoked before."""

        def work() -> bool:
            changed = self._connection.execute(
                "INSERT OR IGNORE INTO revoked_pass (pass) VALUES (?)", (one,)
            )
            if changed.rowcount:
                self._log(EventType.PASS_REVOKED, {"pass": one}, by, now)
            return bool(changed.rowcount)

        return self._write(work)
