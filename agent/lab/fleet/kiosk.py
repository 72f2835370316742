"""One kiosk of the fleet: the agent's own outbox and broker client, and events made up for it."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from agent.adapters.broker.mqtt import BrokerCallbacks, BrokerSettings
from agent.app.open.site import new_event_id
from agent.app.threads.record.outbox import Outbox
from agent.credentials.shown_keys import shown_keys
from agent.domain.record.events import Event, EventType
from agent.domain.record.pace import Pace
from agent.domain.record.published import Trace
from agent.domain.record.status import offline
from agent.domain.record.topics import Topics
from agent.lab.fleet.driven import DrivenBroker, Driver
from agent.lab.fleet.ears import Ears, OwnKeys, Trusted
from agent.lab.fleet.memory_journal import MemoryJournal

_POINT = "entry"


@dataclass(slots=True)
class Tally:
    """What the whole fleet measured, shared by its kiosks; seconds."""

    said: int = 0
    unsaid: int = 0
    """What was due while the one before it was not said yet."""
    acknowledged_s: list[float] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Common:
    """What all kiosks of a fleet share; ``backlog_per_s`` is the pace of what had to wait."""

    broker: tuple[str, int]
    driver: Driver
    tally: Tally
    trusted: Trusted
    backlog_per_s: float = 50.0


class FleetKiosk:
    """Says an event when it is told to, and keeps it until the broker has it."""

    def __init__(
        self,
        common: Common,
        place: Topics,
        chance: random.Random,
        wake: Callable[[], None],
    ) -> None:
        """``wake`` is told that there is something to serve."""
        self.topics = place
        self.keys = OwnKeys()
        self.journal = MemoryJournal(place.source)
        self._tally = common.tally
        self._chance = chance
        self._wake = wake
        self._sent_s: dict[int, float] = {}
        self._outbox = Outbox(
            self.journal,
            place,
            pace=Pace(common.backlog_per_s, time.monotonic),
            trace=Trace.MINIMAL,
            refused=self._refused,
            accepted=lambda: None,
        )
        host, port = common.broker
        settings = BrokerSettings(
            host, port, f"gate-{place.kiosk_path}", place.status, offline("lost"), keepalive_s=60
        )
        self.ears = Ears(place, self.keys, common.trusted, self.journal, self._publish)
        callbacks = BrokerCallbacks(
            self._noted, lambda _why: None, self._acknowledged, self.ears.listeners()
        )
        self.broker = DrivenBroker(settings, callbacks, common.driver, chance)

    def say(self) -> None:
        """Something happened: a holder passes."""
        now = datetime.now(UTC)
        data = _passage(self._chance)
        event = Event(
            new_event_id.make(now),
            EventType.ACCESS_GRANTED,
            now,
            clock_synced=True,
            access_point=_POINT,
            data=data,
        )
        self._sent_s[self.journal.append(event)] = time.monotonic()
        self._tally.said += 1
        self._noted()

    def serve(self, now_s: float) -> None:
        """Send what may go, settle what was answered."""
        before = self.journal.pending
        self._outbox.round(self.broker)
        if self.journal.pending < before:
            self._settle(now_s)

    def shown(self) -> dict[str, Any]:
        """What ``gate-agent key show --json`` would say at this kiosk."""
        signing, sealing = self.keys.signing.public_key(), self.keys.sealing.public_key()
        return shown_keys(self.topics.kiosk_path, signing, sealing)

    def _publish(self, topic: str, data: bytes, kind: str) -> None:
        self.broker.publish(topic, data, kind=kind)

    def _settle(self, now_s: float) -> None:
        waiting = {stored.row for stored in self.journal.unpublished(self.journal.pending)}
        for row in self._sent_s.keys() - waiting:
            self._tally.acknowledged_s.append(now_s - self._sent_s.pop(row))

    def _noted(self) -> None:
        self._outbox.notify()
        self._wake()

    def _acknowledged(self, mid: int, refusal: str | None) -> None:
        self._outbox.acknowledged(mid, refusal)
        self._wake()

    def _refused(self, why: str) -> None:
        word = why.partition(":")[0]
        self._tally.refusals[word] = self._tally.refusals.get(word, 0) + 1


def _passage(chance: random.Random) -> dict[str, Any]:
    """The data of a grant by face, as large as a real one."""
    return {
        "holder": f"h-{chance.randrange(1_000_000):06}",
        "direction": "entry",
        "factors": ["face"],
        "missing": [],
        "reason": None,
        "pass": None,
        "challenge": None,
        "passback": False,
        "pack": "retail",
        "pack_version": "1",
        "warnings": [],
        "boot_id": "8d8a5f0e-6f2b-4f0e-9c1d-2a53b7c6e910",
        "score": round(chance.uniform(0.7, 0.95), 4),
        "threshold": 0.6123,
        "frames": 3,
        "stage_ms": {"detect": 9.1, "embed": 6.4},
        "recorded_late": False,
    }
