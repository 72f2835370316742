"""What is said of a signed command once it has ended: an event, and a reply with a signature."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.app.threads.control.counts import Counts
from agent.app.threads.control.deeds import Result
from agent.credentials.signed.reply import Reply, sign_reply
from agent.domain.record.command import CommandReason, Outcome, Verb
from agent.domain.record.events import EventType
from agent.domain.record.topics import Topics
from agent.errors import KeyUnavailableError
from agent.ports import Clock

LONGEST_TOPIC = 256
_KINDS = {
    Outcome.DONE: EventType.COMMAND_DONE,
    Outcome.REFUSED: EventType.COMMAND_REFUSED,
    Outcome.FAILED: EventType.COMMAND_FAILED,
    Outcome.INTERRUPTED: EventType.COMMAND_INTERRUPTED,
}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    outcome: Outcome
    reason: CommandReason | None = None
    result: Result | None = field(default=None, repr=False)


class Answers:
    """Speaks for the kiosk; used by the thread of signed commands."""

    def __init__(
        self,
        topics: Topics,
        clock: Clock,
        signer: Callable[[], Ed25519PrivateKey],
        record: Callable[[EventType, Mapping[str, Any]], None],
        counts: Counts,
    ) -> None:
        """``clock`` is judged; ``signer`` raises ``KeyUnavailableError`` where there is no key."""
        self.topics = topics
        self._clock = clock
        self._signer = signer
        self._record = record
        self.counts = counts

    def topic(self, wanted: str | None) -> str:
        """Where a reply goes: never to a topic that is another's."""
        own = self.topics.replies
        if wanted is None or not wanted.startswith(f"{own}/") or len(wanted) > LONGEST_TOPIC:
            return own
        # What no broker takes would end the connection, and again with each that follows.
        return wanted if wanted.isprintable() and not set(wanted) & set("#+") else own

    def tell(self, command_id: bytes, verb: str | None, key: str | None, ended: Ended) -> None:
        """The event: which command of whose key, and how it ended; nobody whom it was about."""
        data: dict[str, Any] = {
            "command": command_id.hex() or None,
            "verb": verb if verb in list(Verb) else None,
            "key": key,
        }
        if ended.reason is not None:
            data["reason"] = ended.reason.value
        self._record(_KINDS[ended.outcome], data)

    def reply(self, command_id: bytes, verb: str | None, ended: Ended) -> bytes | None:
        """The signed reply; None where the kiosk has no key to sign with, which is logged."""
        now = self._clock.now()
        reply = Reply(
            command_id,
            self.topics.kiosk_path,
            ended.outcome,
            int(now.utc.timestamp()),
            now.utc_trusted,
            None if ended.reason is None else ended.reason.value,
            ended.result or None,
            verb,
        )
        try:
            return sign_reply(reply, self._signer())
        except KeyUnavailableError as error:
            _log.error("reply_not_signed", error=str(error))
            return None
