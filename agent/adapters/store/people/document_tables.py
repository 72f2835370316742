"""Whose ID document is whose: keyed hashes of ID numbers, and the key that makes them.

The document key is derived from the gallery's key at first, and sealed by it beside the hashes that
it made: a new gallery key seals it anew and the hashes hold. Kiosks that share a gallery key so
share hashes as well; with any other key no hash would ever be found again, and that is said instead
of tried.
"""

from collections.abc import Mapping

from agent.adapters.store.people.rows.marks import intact
from agent.adapters.store.people.sealed_tables import DOCUMENT_KEY, KEY_IS_NEEDED, SealedTables
from agent.credentials.documents.id_hash import KIOSK_PURPOSE
from agent.domain.credential.holder import HolderId
from agent.domain.credential.near import did_you_mean
from agent.domain.hours.instant import Instant
from agent.domain.record.events import EventType
from agent.errors import KeyUnavailableError, RefusedError

_DOCUMENT_OF = "SELECT 1 FROM id_document WHERE holder = ?"


class DocumentTables(SealedTables):
    """The registry's tables about ID documents, and its key."""

    def document_key(self) -> bytes:
        """The key by which ID numbers are hashed here (``id_hash.kiosk_hash``).

        Raises:
            KeyUnavailableError: there is no gallery key, or documents were bound under another one.
            StoreError: the stored key was altered.
        """
        sealer = self._need_sealer()
        rows = self._rows(
            f"SELECT sealed FROM document_key WHERE {KEY_IS_NEEDED}"  # noqa: S608 - constants
        )
        if not rows:
            # Where nothing is bound, nothing depends on a key of before.
            return self._read(self._sealer_now).derived(KIOSK_PURPOSE)
        try:
            return sealer.open(rows[0][0], DOCUMENT_KEY)
        except KeyUnavailableError as error:
            fix = (
                "put that key back; or gate-agent holders unbind-document and cards"
                " unbind for every holder, and bind them again"
            )
            said = "ID documents or cards were bound under another gallery key"
            raise KeyUnavailableError(said, fix) from error

    def documents(self) -> Mapping[str, HolderId]:
        """Holders by the keyed hash of their ID number; whose is damaged is nobody's."""
        return {
            row.values["number_hash"]: HolderId(row.values["holder"])
            for row in self._marked("id_document")
            if row.verdict.whole and intact(row.values["holder"])
        }

    def holder_of_document(self, number_hash: str) -> HolderId | None:
        """Whose document it is; None where it is nobody's."""
        return self.documents().get(number_hash)

    def bind_document(
        self, holder: HolderId, number_hash: str, *, by: str, now: Instant, move: bool = False
    ) -> bool:
        """From now on the document of this hash is ``holder``'s, and no other one; False where so.

        Raises:
            RefusedError: ``no_such_holder``; ``document_taken``: it is another holder's, and
                ``move`` takes it from them.
            KeyUnavailableError: there is no key, or others were bound under another one.
        """

        def work() -> bool:
            key = self.document_key()
            if self._rows("SELECT 1 FROM holder WHERE id = ?", holder) == []:
                fix = "gate-agent holders list"
                near = did_you_mean(holder, [one for (one,) in self._rows("SELECT id FROM holder")])
                raise RefusedError("no_such_holder", f"there is no such holder{near}\nFix: {fix}")
            owner = self.holder_of_document(number_hash)
            if owner == holder:
                return False
            if owner is not None and not move:
                fix = f"--force takes it from {owner}"
                said = "the ID document is another holder's"
                raise RefusedError("document_taken", f"{said}\nFix: {fix}")
            if owner is not None or self._rows(_DOCUMENT_OF, holder):
                self._owe_erasure()
            self._keep_document_key(key)
            self._clear_damage("id_document", number_hash)
            self._connection.execute(
                "DELETE FROM id_document WHERE number_hash = ? OR holder = ?", (number_hash, holder)
            )
            self._connection.execute(
                "INSERT INTO id_document (number_hash, holder) VALUES (?, ?)", (number_hash, holder)
            )
            self._mark("id_document", number_hash)
            for one in (owner, holder):
                if one is not None:
                    self._log_document(one, by, now)
            return True

        return self._write(work)

    def unbind_document(self, holder: HolderId, *, by: str, now: Instant) -> bool:
        """Forget the holder's ID document; False where none was bound. It needs no key."""

        def work() -> bool:
            changed = self._connection.execute(
                "DELETE FROM id_document WHERE holder = ?", (holder,)
            )
            if changed.rowcount:
                self._owe_erasure()
                self._log_document(holder, by, now)
            return bool(changed.rowcount)

        return self._write(work)

    def _keep_document_key(self, key: bytes) -> None:
        """Within the caller's transaction: something bound depends on it from now on."""
        self._connection.execute("DELETE FROM document_key")
        sealed = self._sealer_now().seal(key, DOCUMENT_KEY)
        self._connection.execute("INSERT INTO document_key (sealed) VALUES (?)", (sealed,))

    def _log_document(self, holder: HolderId, by: str, now: Instant) -> None:
        data = {"holder": holder, "new": False, "fields": ["id_document"]}
        self._log(EventType.HOLDER_CHANGED, data, by, now)
