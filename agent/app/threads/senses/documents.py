"""The thread that reads ID documents: a number becomes hashes at once, a photograph a template.

    reader --document--> hashes, template --> inbox

A reader that fails is a fault until it answers again; what lies there and is no document is a
denial. Nothing of a document is kept but what the comparison needs, for as long as it needs it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from agent.app.open.id_reader import PhotoReader
from agent.app.threads.senses.listener import Listener
from agent.app.threads.senses.verifier import CredentialVerifier
from agent.controller.inputs import CredentialShown, Input
from agent.credentials.documents.id_hash import community_hash, kiosk_hash
from agent.domain.access.part import PartKind
from agent.domain.credential.id_document import IdDocument
from agent.domain.credential.presented import DocumentPresented
from agent.domain.credential.reason import Reason
from agent.domain.foreign.boundary import boundary
from agent.domain.sight.image import Template
from agent.errors import GateAgentError, RefusedError, StoreError, UnavailableError
from agent.ports import Clock, IdReader

PART = PartKind.ID_READER.part()
_LOOK_S = 0.5
_RETRY_S = 2.0
_SAME_S = 2.0
_REASONS = {"not_authentic": Reason.CREDENTIAL_FORGED}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DocumentKeys:
    """Whose hashes to make: the kiosk's, and the community's where there is one."""

    kiosk: Callable[[], bytes]
    community: bytes | None


class DocumentWatcher(Listener):
    """Waits for documents at one access point."""

    def __init__(
        self,
        access_point: str,
        reader: IdReader,
        keys: DocumentKeys,
        verifier: CredentialVerifier,
        clock: Clock,
        post: Callable[[Input], None],
        *,
        photographs: PhotoReader | None = None,
    ) -> None:
        super().__init__(PART, post, reader.close)
        self._access_point = access_point
        self._reader = reader
        self._keys = keys
        self._verifier = verifier
        self._clock = clock
        self._post = post
        self._photographs = photographs
        self._last: tuple[DocumentPresented, float] | None = None

    def look(self) -> None:
        """Wait for a document for half a second."""
        try:
            with boundary("ID card", _unreadable, GateAgentError):
                document = self._reader.read(_LOOK_S)
                if document is not None:
                    self._show(self._presented(document))
        except RefusedError as error:
            reason = _REASONS.get(str(error.reason), Reason.OTHER)
            self._show(self._same_or_new(DocumentPresented(0, 0.0, "", reason=reason)))
            self._stopping.wait(_LOOK_S)
        except (UnavailableError, StoreError) as error:
            self._fault.failed(error)
            self._stopping.wait(_RETRY_S)
            return
        self._fault.works()

    def _presented(self, document: IdDocument) -> DocumentPresented:
        community = self._keys.community
        seen = DocumentPresented(
            id=0,
            presented_s=0.0,
            number_hash=kiosk_hash(self._keys.kiosk(), document.number),
            community_hash=None
            if community is None
            else community_hash(community, document.number),
            valid_from=document.valid_from,
            valid_until=document.valid_until,
        )
        known = self._same(seen)
        if known is not None:
            return known
        template = None
        if self._photographs is not None:
            template = self._photographs.template(document.photo)
        return self._same_or_new(seen, template)

    def _same(self, seen: DocumentPresented) -> DocumentPresented | None:
        now_s = self._clock.now().monotonic_s
        if self._last is None:
            return None
        before, at_s = self._last
        like = (before.number_hash, before.reason) == (seen.number_hash, seen.reason)
        if not like or now_s - at_s > _SAME_S:
            return None
        self._last = (before, now_s)
        return before

    def _same_or_new(
        self, seen: DocumentPresented, template: Template | None = None
    ) -> DocumentPresented:
        known = self._same(seen)
        if known is not None:
            return known
        now_s, number = self._clock.now().monotonic_s, self._verifier.next_id()
        if template is not None:
            self._verifier.keep_template(number, template)
        made = DocumentPresented(
            number,
            now_s,
            seen.number_hash,
            seen.community_hash,
            seen.valid_from,
            seen.valid_until,
            comparable=template is not None,
            reason=seen.reason,
        )
        self._last = (made, now_s)
        return made

    def _show(self, presented: DocumentPresented) -> None:
        self._post(CredentialShown(self._access_point, presented))


def _unreadable() -> RefusedError:
    return RefusedError("unreadable_document", "what lies on the reader cannot be read")
