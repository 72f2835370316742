"""What stands now: put together from all sides, told to the broker and to whoever asks here."""

import json
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from agent import __version__
from agent.controller.effects import SetStatus
from agent.domain.access.registry import Registry
from agent.domain.record.status import Status
from agent.errors import StoreError
from agent.operations.packs.choice import PackInUse
from agent.ports import AgingStream, Broker, Clock

_log = structlog.get_logger(__name__)


class StatusBoard:
    """Owns the retained status; its thread does the slow part, so no caller waits for a disk."""

    def __init__(
        self,
        journal: AgingStream,
        registry: Callable[[], Registry],
        clock: Clock,
        *,
        boot_id: str,
        face_without_pad: bool,
        max_false_grants_per_day: float,
        pack: PackInUse | None = None,
    ) -> None:
        self._journal = journal
        self._registry = registry
        self._clock = clock
        self._boot_id = boot_id
        self._face_without_pad = face_without_pad
        self._max_false_grants_per_day = max_false_grants_per_day
        self._pack = pack
        self._started: datetime = clock.now().utc
        self._condition = threading.Condition()
        self._newest = SetStatus()
        self._changed = True
        self._stopping = False

    def set(self, status: SetStatus) -> None:
        """The controller's part; never blocks."""
        with self._condition:
            self._newest = status
            self._changed = True
            self._condition.notify_all()

    def refresh(self) -> None:
        """Publish again: the broker is back."""
        with self._condition:
            self._changed = True
            self._condition.notify_all()

    def faults(self) -> list[str]:
        """The latched faults' parts."""
        return list(self._newest.faults)

    def newest(self) -> SetStatus:
        """What the controller said last."""
        return self._newest

    def wait_for(self, holds: Callable[[SetStatus], bool], timeout_s: float) -> bool:
        """Whether ``holds`` of what the controller says, now or within ``timeout_s``."""
        with self._condition:
            return self._condition.wait_for(lambda: holds(self._newest), timeout_s)

    def read(self) -> dict[str, Any]:
        """The status as JSON values."""
        now = self._clock.now()
        newest, pack = self._newest, self._pack
        time = newest.time.heard(now)
        status = Status(
            version=__version__,
            boot_id=self._boot_id,
            started=self._started,
            now=now.utc,
            clock_synced=time.judged(now).utc_trusted,
            epoch=self._journal.epoch,
            last_sequence=self._journal.last_sequence(),
            unpublished=self._journal.pending(),
            registry=self._registry(),
            face_without_pad=self._face_without_pad,
            faults=newest.faults,
            access_points=newest.access_points,
            modes=newest.modes,
            causes=newest.causes,
            max_false_grants_per_day=self._max_false_grants_per_day,
            false_grants=newest.false_grants,
            clock=time.as_json(now.monotonic_s),
            pack_why="" if pack is None else pack.why,
            pack_not_measured_for=() if pack is None else pack.not_measured_for,
            attack_detection=() if pack is None else pack.attack_detection,
        )
        return status.as_json()

    def work(self, broker: Broker, topic: str) -> None:
        """The thread's loop, until ``stop``."""
        while True:
            with self._condition:
                if not self._changed and not self._stopping:
                    self._condition.wait(60.0)
                if self._stopping:
                    return
                changed, self._changed = self._changed, False
            try:
                if changed and broker.connected():
                    payload = json.dumps(self.read(), separators=(",", ":")).encode()
                    broker.publish(topic, payload, retain=True)
            except StoreError as error:
                _log.warning("status_waits", error=str(error))

    def stop(self) -> None:
        """End ``work``."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
