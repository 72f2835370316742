"""What the registry knows of passes and ID documents: whom to believe, what is revoked, whose.

Nothing here is secret but the hashes of ID numbers, which are keyed: without the kiosk's key nobody
can try all numbers against them.
"""

from collections.abc import Mapping
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.adapters.store.change_log import ChangeLog
from agent.adapters.store.sqlite import CorruptError, stored_moment
from agent.credentials.issuers import IssuerKey
from agent.domain.events import EventType
from agent.domain.gate_pass import PassId
from agent.domain.holder import HolderId
from agent.domain.instant import Instant
from agent.errors import RefusedError


class PassTables(ChangeLog):
    """The registry's tables about credentials other than faces."""

    def issuers(self) -> list[IssuerKey]:
        """Every key whose passes are believed, by issuer."""
        rows = self._rows(
            "SELECT issuer, public, valid_from, valid_until FROM issuer_key ORDER BY issuer, key_id"
        )
        try:
            return [
                IssuerKey(issuer, Ed25519PublicKey.from_public_bytes(public), *map(_moment, ends))
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
                (key.key_id.hex(), key.issuer, raw, _text(key.valid_from), _text(key.valid_until)),
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

    def documents(self) -> Mapping[str, HolderId]:
        """Holders by the keyed hash of their ID number."""
        rows = self._rows("SELECT number_hash, holder FROM id_document")
        return {number: HolderId(holder) for number, holder in rows}

    def bind_document(
        self, holder: HolderId, number_hash: str, *, by: str, now: Instant, move: bool = False
    ) -> None:
        """From now on the document of this keyed hash is ``holder``'s, and no other one.

        Raises:
            RefusedError: it is another holder's; ``move`` takes it from them.
        """

        def work() -> None:
            taken = self._connection.execute(
                "SELECT holder FROM id_document WHERE number_hash = ?", (number_hash,)
            ).fetchone()
            if taken is not None and taken[0] != holder and not move:
                raise RefusedError("document_taken", "the ID document is another holder's")
            self._connection.execute(
                "DELETE FROM id_document WHERE number_hash = ? OR holder = ?", (number_hash, holder)
            )
            self._connection.execute(
                "INSERT INTO id_document (number_hash, holder) VALUES (?, ?)", (number_hash, holder)
            )
            data = {"holder": holder, "new": False, "fields": ["id_document"]}
            self._log(EventType.HOLDER_CHANGED, data, by, now)

        self._write(work)

    def unbind_document(self, holder: HolderId, *, by: str, now: Instant) -> bool:
        """Forget the holder's ID document; False where none was bound."""

        def work() -> bool:
            changed = self._connection.execute(
                "DELETE FROM id_document WHERE holder = ?", (holder,)
            )
            if changed.rowcount:
                data = {"holder": holder, "new": False, "fields": ["id_document"]}
                self._log(EventType.HOLDER_CHANGED, data, by, now)
            return bool(changed.rowcount)

        return self._write(work)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _moment(text: str | None) -> datetime | None:
    return stored_moment(text) if text is not None else None
