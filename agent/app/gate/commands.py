"""The organ that obeys: signed commands from the broker, each answered with a signature.

BASE/commands, gate/COMMUNITY/commands --> SignedCommands --deeds--> controller, registry, ...
                                                `--replies owed--> Replies --> BASE/replies
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from agent.adapters.broker.listener import Listener
from agent.app.gate.core import Core
from agent.app.gate.link import BrokerLink
from agent.app.gate.parts import Parts
from agent.app.open.community.broker import pace_of, topics_of
from agent.app.open.files.kiosk_keys import signing_key
from agent.app.open.files.kiosk_rotation import abandon_rotation, end_rotation
from agent.app.open.site import make_event
from agent.app.threads.control.answers import Answers
from agent.app.threads.control.counts import Counts
from agent.app.threads.control.deeds import Deed
from agent.app.threads.control.doors import DoorDeeds
from agent.app.threads.control.faults import FaultDeeds
from agent.app.threads.control.kiosk import KioskDeeds
from agent.app.threads.control.people import PeopleDeeds
from agent.app.threads.control.ranges import Ranges
from agent.app.threads.control.replies import Replies
from agent.app.threads.control.rules import RuleDeeds
from agent.app.threads.control.signed import SignedCommands
from agent.app.threads.organ import Organ, Task
from agent.app.threads.record.status import StatusBoard
from agent.app.threads.record.wire import wire
from agent.app.threads.watch.clock import JudgedClock
from agent.credentials.signed.command import MAX_BYTES
from agent.domain.access.part import STATE_COMMANDS
from agent.domain.hours.reckoning import Reckoning
from agent.domain.record.command import Verb
from agent.domain.record.events import EventType
from agent.domain.record.published import Trace
from agent.domain.record.topics import BYTES, JSON


class Commands(Organ):
    """Makes the deeds, which the control socket asks for too, and hears the broker's."""

    def __init__(
        self,
        parts: Parts,
        core: Core,
        link: BrokerLink,
        board: StatusBoard,
        reckoning: Callable[[], Reckoning],
        kiosk: KioskDeeds,
        counts: Counts,
    ) -> None:
        """``reckoning`` is what the controller knows of the time; ``counts`` of what is refused."""
        self._topics, self._keys = topics_of(parts.file), parts.command_keys
        clock = JudgedClock(parts.clock, reckoning)
        points = [point.id for point in parts.file.config.access_point]

        def outdate(subjects: Iterable[str]) -> None:
            self.signed.outdate(subjects)

        self.doors = DoorDeeds(board, points, core.inbox.post, clock, outdate)
        people = PeopleDeeds(parts.registry, board, clock, parts.ledger.latest_trusted)
        self._ranges = Ranges(
            parts.journal,
            wire(self._topics, Trace(parts.file.config.events.trace)),
            lambda text: link.publish(self._topics.ranges, text, kind=JSON),
            pace_of(parts.file, parts.clock),
        )
        self.counts = counts
        self.deeds: Mapping[Verb, Deed] = {
            **self._ranges.deeds(),
            **self.doors.deeds(),
            **FaultDeeds(board, core.inbox.post).deeds(),
            **people.deeds(),
            **RuleDeeds(parts.registry, parts.rules.read, people, clock).deeds(),
            **kiosk.deeds(),
        }

        def record(kind: EventType, data: Mapping[str, Any]) -> None:
            core.writer.submit(make_event(kind, data, clock.now()))

        def publish(topic: str, payload: bytes, correlation: bytes | None) -> int | None:
            return link.publish(topic, payload, kind=BYTES, correlation=correlation)

        self._replies = Replies(parts.commands, publish)
        latest: datetime | None = parts.ledger.latest_trusted()
        running = parts.commands.begin(
            parts.journal.epoch,
            doubtful=STATE_COMMANDS in parts.state_faults,
            at_least=0 if latest is None else int(latest.timestamp()),
        )
        # What was told is done; of what was not, nobody knows.
        cut_short = any(one.verb == Verb.ROTATE_KIOSK_KEY for one in running)
        (abandon_rotation if cut_short else end_rotation)(parts.site)
        answers = Answers(self._topics, clock, partial(signing_key, parts.site), record, counts)
        self.signed = SignedCommands(
            self._keys, parts.commands, self.deeds, clock, answers, self._replies, running
        )
        self.signed.settle = people.settle

    def tasks(self) -> Iterable[Task]:
        """One that carries out, and one that sends what came of it."""
        yield Task("commands", self.signed.work, self.signed.stop)
        yield Task("ranges", self._ranges.work, self._ranges.stop)
        yield Task("replies", self._replies.work, self._replies.stop, last_words=True)

    def listeners(self) -> Mapping[str, Listener]:
        """The kiosk's own topic and the community's, where the config has keys for them."""
        if not self._keys:
            return {}
        hear = self.signed.hear
        group = partial(hear, of_group=True)
        return {
            self._topics.commands: Listener(whole=hear, largest_bytes=MAX_BYTES),
            self._topics.commands_to_all: Listener(whole=group, largest_bytes=MAX_BYTES),
        }

    def connected(self) -> None:
        """What is owed goes out."""
        self._replies.connected()

    def acknowledged(self, mid: int, refusal: str | None) -> None:
        """The broker has answered, perhaps a reply or an event that was said again."""
        self._ranges.acknowledged(mid, refusal)
        self._replies.acknowledged(mid, refusal)
