"""What stands now: put together from all sides, told to the broker and to whoever asks here."""

import json
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog

from agent import __version__
from agent.controller.effects import SetStatus
from agent.domain.access.registry import Registry
from agent.domain.hours.reckoning import Reckoning
from agent.domain.record.status import FaceStatus, Status
from agent.domain.record.topics import JSON
from agent.errors import StoreError
from agent.ports import AgingStream, Broker, Clock

_THIN_S = 60.0
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
        faces: FaceStatus,
        time: Reckoning,
        registry_sync: Callable[[], Mapping[str, Any] | None] = lambda: None,
    ) -> None:
        """``time`` is what is known of it until the controller says more.

        Without it, a clock that was set back would be believed by whoever asks before that.
        """
        self._journal = journal
        self._registry = registry
        self._clock = clock
        self._boot_id = boot_id
        self._faces = faces
        self._registry_sync = registry_sync
        self._thin: Callable[[], bool] = lambda: False
        self._started: datetime = clock.now().utc
        self._condition = threading.Condition()
        self._newest = SetStatus(time=time)
        self._changed = True
        self._afresh = True
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
            self._changed = self._afresh = True
            self._condition.notify_all()

    def thin_while(self, holds: Callable[[], bool]) -> None:
        """While ``holds``, the broker is told once a minute at the most."""
        self._thin = holds

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
        newest = self._newest
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
            faces=self._faces,
            faults=newest.faults,
            access_points=newest.access_points,
            modes=newest.modes,
            causes=newest.causes,
            false_grants=newest.false_grants,
            walk_test=newest.walk_test,
            clock=time.as_json(now.monotonic_s),
            registry_sync=self._registry_sync(),
        )
        return status.as_json()

    def work(
        self, broker: Broker, topic: str, afresh: Callable[[], Mapping[str, Any]] = dict
    ) -> None:
        """The thread's loop, until ``stop``.

        ``afresh`` gives what else is retained beside the status, by topic; it is asked only where a
        broker may have forgotten it.
        """
        while True:
            with self._condition:
                if not self._changed and not self._stopping:
                    self._condition.wait(60.0)
                if self._stopping:
                    return
                changed, self._changed = self._changed, False
                if not changed or not broker.connected():
                    continue
                again, self._afresh = self._afresh, False
            try:
                for where, what in {topic: self.read(), **(afresh() if again else {})}.items():
                    payload = json.dumps(what, separators=(",", ":")).encode()
                    broker.publish(where, payload, retain=True, kind=JSON)
            except StoreError as error:
                _log.warning("status_waits", error=str(error))
            if self._thin():
                with self._condition:
                    # A broker that is back holds our last will: it is told at once.
                    self._condition.wait_for(lambda: self._stopping or self._afresh, _THIN_S)

    def stop(self) -> None:
        """End ``work``."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
