"""The running agent: its threads, and what each tells the others.

    camera reader --frames--> watcher --observations--.
    thermometer -------------------------readings-----+--> inbox --> control loop --> doors
    gallery watch ----------------------snapshots-----|                  |
    control socket ---------------------commands------'                  |--> lights, voice
                                                                         v
                                                                   journal writer
                                     broker <--outbox <--durable rows----'

The control loop runs in the thread that calls ``run``; all others only post. Whichever of them dies
stops the agent with its outputs at rest, and systemd starts it again.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from agent import __version__
from agent.adapters.broker.mqtt import MAX_IN_FLIGHT, BrokerCallbacks, Listener, PahoBroker
from agent.app.gate.core import Core, CoreStores
from agent.app.gate.executor import Outlets
from agent.app.gate.parts import Parts
from agent.app.gate.senses import Senses
from agent.app.open.broker import open_broker, topics_of
from agent.app.open.paths import control_socket
from agent.app.open.settings import kiosk_settings
from agent.app.open.site import make_event
from agent.app.open.snapshot import rates_of, take_snapshot
from agent.app.threads.control.socket import ControlServer
from agent.app.threads.control.verbs import Operator
from agent.app.threads.record.status import StatusBoard
from agent.app.threads.tell.telling import Telling
from agent.app.threads.watch.clock import TimeKeeper
from agent.app.threads.watch.disk import DiskWatch
from agent.app.threads.watch.gallery import GalleryWatch
from agent.app.threads.worker import Worker
from agent.controller.inputs import Stop
from agent.domain.record.events import EventType
from agent.errors import UnavailableError
from agent.lifecycle import ExitCode, boot_id
from agent.operations.files import write_lines

_JOIN_S = 2.0
_RULES_RECORD = "rules.sha256"

_log = structlog.get_logger(__name__)


class Agent:
    """One kiosk in service; made of open parts, which somebody else closes."""

    def __init__(self, parts: Parts, beat: Callable[[], None] = lambda: None) -> None:
        self._parts = parts
        self._code = ExitCode.OK
        self._core = Core(
            CoreStores(parts.journal, parts.ledger, parts.latches),
            topics_of(parts.file),
            MAX_IN_FLIGHT,
        )
        self._inbox, self._outbox = self._core.inbox, self._core.outbox
        self._writer = self._core.writer
        self._workers: list[tuple[Worker, Callable[[], None]]] = []
        config = parts.file.config
        boot = boot_id()
        self._gallery = GalleryWatch(
            parts.snapshot,
            lambda: take_snapshot(parts.registry, parts.pack.manifest, rates_of(config)),
            parts.registry.revision,
            self._inbox.post,
            self._move_changes,
        )
        self._board = StatusBoard(
            parts.journal,
            self._gallery.registry,
            parts.clock,
            boot_id=boot,
            face_without_pad=config.face.accept_no_pad,
            journal_days=config.store.journal_days,
        )
        self._time = self._keep_time()
        self._disk = DiskWatch(
            parts.site.state, config.faults.min_free_mb * 1_000_000, self._inbox.post
        )
        self._telling = Telling(parts.indicators, parts.voice, parts.clock, self._inbox.post)
        self._broker = self._open_broker()
        self._control = ControlServer(
            control_socket(
                parts.file.resolve(config.control.socket) if config.control.socket else None,
                parts.site.state,
            ),
            Operator(
                self._board,
                parts.latches,
                [point.id for point in config.access_point],
                self._inbox.post,
                self._broker_state,
            ).commands(),
        )
        self._senses = Senses(
            parts,
            self._gallery,
            self._inbox.post,
            self._start,
            lambda: self.stop("the cameras' sources have ended"),
        )
        self._loop = self._core.control(
            kiosk_settings(config, boot),
            self._gallery.registry(),
            parts.doors,
            Outlets(
                self._inbox.post,
                self._board.set,
                self._telling.indicate,
                self._senses,
                self._telling.stand,
            ),
            parts.clock,
            beat,
        )

    def run(self, ready: Callable[[], None] = lambda: None) -> int:
        """Serve until ``stop``, the end of every finite camera, or a thread's death; the exit code.

        The outputs are at rest before anything else is taken down.
        """
        self._record(EventType.AGENT_STARTED, {"version": __version__})
        self._record_rules()
        self._start_workers()
        if self._broker is not None:
            self._broker.start()
        ready()
        try:
            why = self._loop.run()
        except Exception as error:  # noqa: BLE001 - the exit code and the journal say so
            # The outputs rest before anything else; then what waits is still written down.
            self._secure_doors()
            _log.exception("control_loop_died")
            self._code, why = ExitCode.INTERNAL, f"the control loop died: {type(error).__name__}"
        finally:
            self._secure_doors()
        _log.info("stopping", why=why)
        self._stop_workers(why)
        return int(self._code)

    @property
    def gallery_revision(self) -> int:
        """The registry's revision by which it judges now."""
        return self._gallery.registry().revision

    def stop(self, why: str) -> None:
        """End ``run`` soon; from any thread, or a signal handler."""
        self._inbox.post(Stop(why))

    def _secure_doors(self) -> None:
        for name, door in self._parts.doors.items():
            try:
                door.secure()
            except UnavailableError as error:
                # One pin that fails must not keep the others energised.
                _log.error("output_failed", door=name, error=str(error))

    def _start_workers(self) -> None:
        self._start("journal", self._writer.work, self._writer.stop)
        self._start("gallery", self._gallery.work, self._gallery.stop)
        self._start("control", self._control.work, self._control.stop)
        self._start("time", self._time.work, self._time.stop)
        self._start("disk", self._disk.work, self._disk.stop)
        topic = topics_of(self._parts.file).status
        broker = self._broker
        self._start("status", lambda: self._board.work(broker, topic), self._board.stop)
        if broker is not None:
            self._start("outbox", lambda: self._outbox.work(broker), self._outbox.stop)
        self._telling.start(self._start)
        self._senses.start()

    def _start(self, name: str, work: Callable[[], None], stop: Callable[[], None]) -> None:
        worker = Worker(name, work, self._died)
        worker.start()
        self._workers.append((worker, stop))

    def _died(self, thread: str, error: BaseException) -> None:
        self._code = ExitCode.INTERNAL
        self.stop(f"thread {thread} died: {type(error).__name__}")

    def _stop_workers(self, why: str) -> None:
        """In reverse: so the journal writes what the others still said, and the outbox sends it."""
        last_words = {"journal", "outbox"}
        for worker, stop in reversed(self._workers):
            if worker.name not in last_words:
                self._join(worker, stop)
        self._record(EventType.AGENT_STOPPED, {"why": why})
        for worker, stop in self._workers:
            if worker.name in last_words:
                self._join(worker, stop)
        if self._broker is not None:
            self._broker.close(1.0)

    def _join(self, worker: Worker, stop: Callable[[], None]) -> None:
        stop()
        if not worker.join(_JOIN_S):
            _log.error("thread_left_behind", thread=worker.name)

    def _keep_time(self) -> TimeKeeper:
        parts, topics = self._parts, topics_of(self._parts.file)

        def ask(nonce: bytes) -> bool:
            broker = self._broker
            return broker is not None and broker.publish(topics.time_request, nonce) is not None

        return TimeKeeper(
            parts.clock, parts.ledger, key=parts.time_key, kiosk=topics.kiosk_path, ask=ask
        )

    def _open_broker(self) -> PahoBroker | None:
        away = False

        def connected() -> None:
            nonlocal away
            away = False
            self._board.refresh()
            self._outbox.notify()

        def disconnected(why: str) -> None:
            nonlocal away
            if not away:  # once an outage, not with every try
                _log.warning("broker_away", why=why)
            away = True

        return open_broker(
            self._parts.file,
            BrokerCallbacks(
                connected,
                disconnected,
                self._outbox.acknowledged,
                self._listeners(),
            ),
        )

    def _listeners(self) -> dict[str, Listener]:
        """All that is heard from the broker; nothing of it moves an output."""
        topics = topics_of(self._parts.file)
        listeners = self._telling.listeners(topics)
        if self._parts.time_key is not None:
            listeners[topics.time_answer] = Listener(self._time.heard)
        return listeners

    def _move_changes(self) -> None:
        """What another process changed reaches the journal, if that process did not get so far."""
        self._parts.registry.transfer_changes(self._parts.journal)
        self._outbox.notify()
        self._board.refresh()

    def _record(self, kind: EventType, data: Mapping[str, Any]) -> None:
        self._writer.submit(make_event(kind, data, self._parts.clock.now()))

    def _record_rules(self) -> None:
        """An event where the rules are not those of the last start."""
        rules = [rule.model_dump(mode="json") for rule in self._parts.file.config.rule]
        digest = hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()
        path = self._parts.site.state / _RULES_RECORD
        try:
            if path.read_bytes().strip() == digest.encode():
                return
        except FileNotFoundError:
            pass  # the first start: nothing stands there yet
        except OSError as error:
            _log.info("rules_record_unread", error=error.strerror)
        self._record(EventType.RULES_CHANGED, {"by": "config", "sha256": digest})
        try:
            write_lines([digest], path)
        except UnavailableError as error:
            # The gate matters more than a note: the event comes again at the next start.
            _log.warning("rules_record_unwritten", error=str(error))

    def _broker_state(self) -> str:
        broker = self._broker
        return "none" if broker is None else "connected" if broker.connected() else "away"
