"""What a kiosk of the fleet hears: a range that it is to say again, an update of the registry.

Both count by the signatures that the agent itself asks for; what they do is all that they need.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.adapters.broker.listener import Listener
from agent.credentials.errors import CredentialError
from agent.credentials.passes.issuers import key_id
from agent.credentials.sealed.chunks import (
    MOST_MESSAGE_BYTES,
    Acknowledged,
    Chunk,
    Head,
    read_message,
)
from agent.credentials.sealed.parcel import open_part
from agent.credentials.signed.command import Command, verify_command
from agent.credentials.signed.receipt import Request, sign_request
from agent.credentials.signed.reply import Reply, sign_reply
from agent.domain.record.command import Outcome, Verb
from agent.domain.record.message import payload
from agent.domain.record.published import Trace
from agent.domain.record.topics import BYTES, CLOUD_EVENT, Topics
from agent.lab.fleet.memory_journal import MemoryJournal

Say = Callable[[str, bytes, str], None]
"""Publishes: a topic, bytes, and what MQTT 5 says of them."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """Whose word the kiosks take: that of the backend's two keys."""

    commands: Ed25519PublicKey
    registry: Ed25519PublicKey

    def commander(self, wanted: bytes) -> Ed25519PublicKey | None:
        """The key of commands, by its id."""
        return self.commands if wanted == key_id(self.commands) else None

    def registrar(self, wanted: bytes) -> Ed25519PublicKey | None:
        """The key of the registry, by its id."""
        return self.registry if wanted == key_id(self.registry) else None


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """A kiosk's own: it signs by the first, and opens by the second."""

    signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate, repr=False)
    sealing: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate, repr=False)


class Ears:
    """Of one kiosk."""

    def __init__(
        self, place: Topics, keys: OwnKeys, trusted: Trusted, journal: MemoryJournal, say: Say
    ) -> None:
        self._place, self._keys, self._trusted = place, keys, trusted
        self._journal, self._say = journal, say
        self._heads: dict[bytes, Head] = {}
        self._chunks: dict[bytes, dict[bytes, bytes]] = {}
        self.version = 0

    def listeners(self) -> Mapping[str, Listener]:
        """By topic."""
        return {
            self._place.commands: Listener(self._commanded),
            self._place.registry: Listener(self._told),
        }

    def _commanded(self, data: bytes) -> None:
        command, _ = verify_command(data, self._trusted.commander)
        if command.is_for(self._place.kiosk_path) and command.verb == Verb.RANGE:
            self._say_again(command)

    def _say_again(self, command: Command) -> None:
        epoch, first, last = (command.arguments[name] for name in ("epoch", "first", "last"))
        rows = self._journal.stretch(epoch, first, last)
        for row in rows:
            place = row.place(self._place.source)
            self._say(self._place.ranges, payload(row.event, place, Trace.MINIMAL), CLOUD_EVENT)
        reply = Reply(
            command.id,
            self._place.kiosk_path,
            Outcome.DONE,
            int(datetime.now(UTC).timestamp()),
            clock_trusted=True,
            result={"missing": _missing([row.sequence for row in rows], first, last)},
            verb=command.verb,
        )
        self._say(self._place.replies, sign_reply(reply, self._keys.signing), BYTES)

    def _told(self, data: bytes) -> None:
        match read_message(data, self._trusted.registrar, self._place.kiosk_path):
            case Head() as head:
                self._heads[head.step.update] = head
                self._open(head)
            case Chunk() as chunk:
                self._chunks.setdefault(chunk.update, {})[chunk.hash] = chunk.data
                if (known := self._heads.get(chunk.update)) is not None:
                    self._open(known)
            case Acknowledged():
                pass

    def _open(self, head: Head) -> None:
        """Where all of it is there: a fleet's update is of one part."""
        step, chunks = head.step, self._chunks.get(head.step.update, {})
        if step.parts != 1 or not all(one in chunks for one in head.hashes):
            return
        sealed = b"".join(chunks[one] for one in head.hashes)
        try:
            open_part(sealed, step, head.number, self._keys.sealing, self._trusted.registrar)
        except CredentialError:
            return
        self.version = step.version
        self._heads.pop(step.update)
        self._chunks.pop(step.update)
        request = Request(
            self._place.kiosk_path,
            self.version,
            MOST_MESSAGE_BYTES,
            key_id(self._keys.sealing.public_key()),
        )
        said = sign_request(request, self._keys.signing)
        self._say(self._place.registry_request, said, BYTES)


def _missing(there: list[int], first: int, last: int) -> list[list[int]]:
    """The first and last of what is not ``there``: it is one run, before it and behind it."""
    if not there:
        return [[first, last]]
    runs = ([first, there[0] - 1], [there[-1] + 1, last])
    return [run for run in runs if run[0] <= run[1]]
