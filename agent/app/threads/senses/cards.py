"""The thread that listens to a card reader: a number becomes a hash at once.

    reader --card--> hash --> inbox
           --no card, by parity or length--> a denial, counted
           --noise, a stray pulse--> counted
           --keys--> counted; no rule asks for them yet

A reader whose wires oscillate is a fault until they are silent; nobody else's door waits for it.
"""

from collections.abc import Callable

import structlog

from agent.app.threads.senses.listener import Listener
from agent.app.threads.senses.verifier import CredentialVerifier
from agent.controller.inputs import CredentialShown, Input
from agent.credentials.documents.card_hash import card_hasher
from agent.domain.access.part import PartKind
from agent.domain.credential.presented import CardPresented
from agent.domain.credential.reason import Reason
from agent.domain.foreign.boundary import UNREADABLE, boundary
from agent.domain.reader.card_format import CardNumber
from agent.domain.reader.decoder import Heard, Unread, Why
from agent.errors import GateAgentError, RefusedError, StoreError, UnavailableError
from agent.ports import CardReader, Clock

_LOOK_S = 0.5
_RETRY_S = 0.5
_SAME_S = 1.0
_LEAST_BITS = 16
"""Fewer are a knock on the cable and no card that was shown."""

_log = structlog.get_logger(__name__)


class CardWatcher(Listener):
    """Listens to one reader at one access point."""

    def __init__(
        self,
        name: str,
        access_point: str,
        reader: CardReader,
        document_key: Callable[[], bytes],
        verifier: CredentialVerifier,
        clock: Clock,
        post: Callable[[Input], None],
    ) -> None:
        """``document_key`` is asked for each card: another one may be in force by then."""
        super().__init__(PartKind.READER.part(name), post, reader.close)
        self._access_point = access_point
        self._reader = reader
        self._document_key = document_key
        self._verifier = verifier
        self._clock = clock
        self._post = post
        self._last: CardPresented | None = None
        self._last_s = 0.0

    def look(self) -> None:
        """Listen for half a second at most."""
        try:
            with boundary("card reader", _unreadable, GateAgentError):
                for heard in self._reader.read(_LOOK_S):
                    self._hear(heard)
        except RefusedError:
            pass  # counted; whatever it was, the next frame is another one
        except (UnavailableError, StoreError) as error:
            self._fault.failed(error)
            self._stopping.wait(_RETRY_S)
            return
        self._fault.works()

    def _hear(self, heard: Heard) -> None:
        if isinstance(heard, CardNumber):
            self._show(card_hasher(self._document_key()).of(heard), None)
        elif isinstance(heard, Unread):
            error = RefusedError(heard.why.value, "no card")
            UNREADABLE.note(f"card reader, {heard.why.value}", error)
            if heard.why is not Why.NOISE and heard.bits >= _LEAST_BITS:
                self._show("", Reason.OTHER)

    def _show(self, card_hash: str, reason: Reason | None) -> None:
        """A card that is held there is sent again and again, and is one presentation."""
        now_s = self._clock.now().monotonic_s
        last = self._last
        like = last is not None and (last.card_hash, last.reason) == (card_hash, reason)
        if last is None or not like or now_s - self._last_s > _SAME_S:
            last = self._last = CardPresented(self._verifier.next_id(), now_s, card_hash, reason)
        self._last_s = now_s
        self._post(CredentialShown(self._access_point, last))


def _unreadable() -> RefusedError:
    return RefusedError("unreadable_card", "what the reader sends cannot be read")
