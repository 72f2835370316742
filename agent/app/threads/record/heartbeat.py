"""The thread that says by the minute that the kiosk lives, with the figures of its health.

It waits for nobody and nobody waits for it: what cannot be asked is left out, what cannot be sent
is dropped, and the next one follows.
"""

import json
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from agent import __version__
from agent.controller.effects import SetStatus
from agent.domain.access.registry import Registry
from agent.domain.record.health import Health, Queue, Space
from agent.domain.record.wear import Wear
from agent.errors import StoreError
from agent.ports import Broker, Clock, Stream

_THIN = 2.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Vitals:
    """Who is asked for the figures; each call is short, and none takes a lock of the control loop.

    ``space`` of the disk where the state lies raises ``OSError``; ``temperatures_c`` never raises.
    """

    stream: Stream
    stands: Callable[[], SetStatus]
    registry: Callable[[], Registry]
    space: Callable[[], Space]
    temperatures_c: Callable[[], Mapping[str, float]]
    commands_refused: Callable[[], Mapping[str, int]] = dict
    wear: Callable[[], Wear | None] = lambda: None


class Heartbeat:
    """Says it each ``period_s`` from the start on; at most one is under way."""

    def __init__(self, vitals: Vitals, clock: Clock, *, boot_id: str, period_s: float) -> None:
        self._vitals = vitals
        self._clock = clock
        self._boot_id = boot_id
        self._period_s = period_s
        self._started_s = self._due_s = clock.now().monotonic_s
        self._stopping = threading.Event()

    def work(self, broker: Broker, topic: str) -> None:
        """The thread's loop, until ``stop``."""
        while not self._stopping.wait(self.round(broker, topic)):
            pass

    def round(self, broker: Broker, topic: str) -> float:
        """Say it where it is due; for how many seconds there is nothing to do.

        While the broker is away it stays due: whoever comes back is heard of at once.
        """
        now_s = self._clock.now().monotonic_s
        if now_s < self._due_s:
            return self._due_s - now_s
        if not broker.connected():
            return min(1.0, self._period_s)
        payload = json.dumps(self.read().as_json(), separators=(",", ":")).encode()
        broker.say(topic, payload)
        period_s = self._period_s * self._stretch()
        # What was missed while the kiosk slept or was away is not made up for.
        self._due_s = max(self._due_s + period_s, now_s + period_s / 2.0)
        return self._due_s - now_s

    def read(self) -> Health:
        """The figures of this moment."""
        now, vitals = self._clock.now(), self._vitals
        stands, registry = vitals.stands(), vitals.registry()
        time = stands.time.heard(now)
        return Health(
            now=now.utc,
            clock_synced=time.judged(now).utc_trusted,
            version=__version__,
            boot_id=self._boot_id,
            uptime_s=now.monotonic_s - self._started_s,
            queue=self._queue(),
            disk=self._space(),
            temperatures_c=vitals.temperatures_c(),
            clock=time.as_json(now.monotonic_s),
            faults=list(stands.faults),
            holders=len(registry.holders),
            references=registry.references,
            expected_last_day=sum(
                risk["expected_last_day"] for risk in stands.false_grants.values()
            ),
            commands_refused=vitals.commands_refused(),
            written=vitals.wear(),
        )

    def stop(self) -> None:
        """End ``work``."""
        self._stopping.set()

    def _stretch(self) -> float:
        """Whoever waits for three in vain takes the kiosk for dead: every second one must come."""
        wear = self._vitals.wear()
        return _THIN if wear is not None and wear.over else 1.0

    def _queue(self) -> Queue | None:
        stream = self._vitals.stream
        try:
            return Queue(stream.epoch, stream.last_sequence(), stream.pending())
        except StoreError as error:
            _log.info("health_without_queue", error=str(error))
            return None

    def _space(self) -> Space | None:
        try:
            return self._vitals.space()
        except OSError as error:
            _log.info("health_without_disk", error=error.strerror)
            return None


def space_of(folder: Path) -> Space:
    """What is free on the disk of ``folder``, for whoever may not use the last reserve.

    Raises:
        OSError: it does not answer.
    """
    usage = shutil.disk_usage(folder)
    return Space(usage.free, usage.total)
