"""A kiosk that obeys signed commands with the real store: the threads' work is done by the test."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pass_parts import KEY, OTHER_KEY

from agent.adapters.broker.listener import Incoming
from agent.adapters.manual_clock import ManualClock
from agent.adapters.store.commands import SqliteCommands
from agent.app.open.community.command_keys import CommandKey
from agent.app.threads.control.answers import Answers
from agent.app.threads.control.counts import Counts
from agent.app.threads.control.deeds import Asked, Deed, DeedRefused, Plan, bad
from agent.app.threads.control.replies import Replies
from agent.app.threads.control.signed import SignedCommands
from agent.credentials.passes.issuers import key_id
from agent.credentials.signed.command import Command, sign_command
from agent.credentials.signed.reply import Reply, verify_reply
from agent.domain.hours.instant import Instant
from agent.domain.hours.reckoning import Reckoning
from agent.domain.record.command import CommandReason, Verb
from agent.domain.record.events import EventType
from agent.domain.record.topics import Topics
from agent.errors import KeyUnavailableError, StoreError

TOPICS = Topics("lakeside", "g3", "north-1")
KIOSK = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
THIRD = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))


class Clock(ManualClock):
    """A manual clock that everybody believes who may."""

    reckoning = Reckoning()

    def reckoned(self) -> tuple[Instant, Reckoning]:
        self.reckoning = self.reckoning.heard(self.now())
        return self.now(), self.reckoning


class Kiosk:
    """The thread's work, done by the test; the broker takes replies or is away."""

    def __init__(self, path: Path, clock: Clock | None = None, epoch: str = "e1") -> None:
        self.clock = clock or Clock()
        self.store = SqliteCommands(path)
        self.told: list[tuple[EventType, Mapping[str, Any]]] = []
        self.ran: list[str] = []
        self.there = True
        self.published: list[tuple[str, bytes, bytes | None]] = []
        self.replies = Replies(self.store, self._publish)
        self.counts = Counts()
        self.keys = {
            key_id(key.public_key()): CommandKey(name, key.public_key(), frozenset(Verb))
            for name, key in (("office", KEY), ("guard", OTHER_KEY))
        }
        self.signer: Ed25519PrivateKey | None = KIOSK
        answers = Answers(
            TOPICS, self.clock, self._sign, lambda *one: self.told.append(one), self.counts
        )
        deeds = {verb: Deed(self._plan, frozenset({"holder", "fails"}), 300) for verb in Verb}
        deeds[Verb.LOCKDOWN] = replace(deeds[Verb.LOCKDOWN], timeless=True)
        del deeds[Verb.SET_RULE]
        running = self.store.begin(epoch, doubtful=False, at_least=0)
        self.signed = SignedCommands(
            self.keys, self.store, deeds, self.clock, answers, self.replies, running
        )
        self.signed._look()

    def _sign(self) -> Ed25519PrivateKey:
        if self.signer is None:
            raise KeyUnavailableError("no key")
        return self.signer

    def _plan(self, asked: Asked) -> Plan:
        if asked.arguments.get("holder") == "nobody":
            raise DeedRefused(CommandReason.UNKNOWN_HOLDER, "nobody")
        if asked.arguments.get("holder") == 7:
            raise RuntimeError("a bug")

        def run() -> dict[str, Any]:
            self.ran.append(asked.id)
            match asked.arguments.get("fails"):
                case "store":
                    raise StoreError("full")
                case "said":
                    raise bad("no")
            return {"by": asked.by}

        return Plan(run, ("door:a",))

    def _publish(self, topic: str, payload: bytes, correlation: bytes | None) -> int | None:
        if not self.there:
            return None
        self.published.append((topic, payload, correlation))
        return len(self.published)

    def made(self, verb: str = "health", lasts: int = 60, **arguments: Any) -> Command:
        now = int(self.clock.now().utc.timestamp())
        number = (len(self.told) + len(self.ran) + now).to_bytes(
            8
        ) + self.clock.now().utc.microsecond.to_bytes(8)
        return Command(verb, TOPICS.kiosk_path, now, now + lasts, number, arguments)

    def hear(self, data: bytes | None, *, of_group: bool = False, **said: Any) -> None:
        self.signed.hear(Incoming(data, **said), of_group=of_group)
        self.drain()

    def drain(self) -> None:
        """Carry out whatever waits."""
        while (heard := self.signed._waiting.take()) is not None:
            self.signed.carry_out(heard)

    def ask(self, command: Command, key: Ed25519PrivateKey = KEY, **said: Any) -> None:
        self.clock.advance(0.001)
        self.hear(sign_command(command, key), **said)

    def answers(self) -> list[Reply]:
        owed = sorted(self.store.owed(), key=lambda one: one.number)
        return [verify_reply(one.payload, KIOSK.public_key()) for one in owed]

    def reasons(self) -> list[tuple[str, str | None]]:
        return [(one.outcome.value, one.reason) for one in self.answers()]
