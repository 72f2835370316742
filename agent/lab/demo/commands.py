"""The demo's office at a distance: it commands the kiosk over the broker, by its signature."""

import json
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.credentials.signed.command import sign_command
from agent.credentials.signed.reply import Reply, verify_reply
from agent.domain.record.command import Verb
from agent.domain.record.topics import Topics
from agent.lab.demo.world import Subscriber
from agent.operations.commands import made_command
from agent.operations.passes.keys import make_issuer_key, public_path, read_issuer_key

_PATIENCE_S = 15.0


class CommandOffice:
    """Signs, sends, and believes the kiosk's answers by its key only."""

    def __init__(
        self, folder: Path, line: Subscriber, topics: Topics, kiosk: Ed25519PublicKey
    ) -> None:
        """``kiosk`` is the key that answers must be signed by; ours is made in ``folder``."""
        file = folder / "office.key"
        make_issuer_key(file)
        assert public_path(file).name == "office.key.pub"
        self._key = read_issuer_key(file)
        self._line, self._topics, self._kiosk = line, topics, kiosk

    def command(
        self, verb: Verb, *arguments: str, key: Ed25519PrivateKey | None = None
    ) -> tuple[bytes, bytes]:
        """A command for this kiosk, and its id; by another ``key``, a forged one."""
        made = made_command(verb, self._topics.kiosk_path, arguments, now_s=int(time.time()))
        return sign_command(made, key or self._key), made.id

    def send(self, data: bytes) -> int:
        """Say it to the kiosk; how many answers there were before."""
        before = len(self._line.heard(self._topics.replies))
        self._line.publish(self._topics.commands, data)
        return before

    def answer(self, command: bytes, before: int, within_s: float = _PATIENCE_S) -> Reply | None:
        """What the kiosk signed of the command with this id since then; None: nothing in time."""
        deadline_s = time.monotonic() + within_s
        while True:
            for data in self._line.heard(self._topics.replies)[before:]:
                reply = verify_reply(data, self._kiosk)
                if reply.command_id == command:
                    return reply
            if time.monotonic() > deadline_s:
                return None
            time.sleep(0.02)

    def said_again(self, events: list[bytes]) -> bool:
        """Ask for the stretch from the first to the last of ``events``; whether it is the same."""
        first, last = (json.loads(one) for one in (events[0], events[-1]))
        places = (int(first["sequence"]), int(last["sequence"]))
        words = (f"epoch={first['epoch']}", f"first={places[0]}", f"last={places[1]}")
        data, command = self.command(Verb.RANGE, *words)
        reply = self.answer(command, self.send(data))
        again = self._line.heard(self._topics.ranges)
        return reply is not None and again[-len(events) :] == events
