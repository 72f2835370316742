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

import faulthandler
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import structlog

from agent import __version__
from agent.app.gate.commands import Commands
from agent.app.gate.core import Core, CoreStores, Signer
from agent.app.gate.executor import Outlets
from agent.app.gate.link import BrokerLink
from agent.app.gate.organs import Control, Records, Watches
from agent.app.gate.parts import Parts
from agent.app.gate.senses import Senses
from agent.app.gate.sync import Sync
from agent.app.open.community.broker import pace_of, topics_of
from agent.app.open.files.kiosk_keys import signing_key
from agent.app.open.files.kiosk_rotation import begin_rotation, end_rotation
from agent.app.open.files.state import RULES
from agent.app.open.settings import kiosk_settings
from agent.app.open.site import make_event
from agent.app.threads.control.counts import Counts
from agent.app.threads.control.kiosk import KioskDeeds
from agent.app.threads.organ import Organ, Task
from agent.app.threads.rounds import Round, Rounds
from agent.app.threads.senses.glimpse import Newest
from agent.app.threads.tell.telling import Telling
from agent.app.threads.watch.clock import JudgedClock
from agent.app.threads.worker import Worker
from agent.controller.inputs import Stop
from agent.credentials.shown_keys import shown_half
from agent.domain.hours.reckoning import Reckoning
from agent.domain.record.events import EventType
from agent.domain.record.published import Trace
from agent.errors import UnavailableError
from agent.lifecycle import ExitCode, boot_id
from agent.operations.files import write_lines

# Together they stay below lifecycle.ENDS_WITHIN_S, however many threads hang.
_JOIN_S = 2.0
_STOP_S = 7.0
_LAST_WORDS_S = 4.0

_log = structlog.get_logger(__name__)


class Agent:
    """One kiosk in service; made of open parts, which somebody else closes."""

    def __init__(self, parts: Parts, beat: Callable[[], None] = lambda: None) -> None:
        self._parts = parts
        self._code = ExitCode.OK
        core = Core(
            CoreStores(
                parts.journal,
                parts.ledger,
                parts.latches,
                budgets=parts.latches,
                trusted_time=parts.ledger,
                faults=parts.state_faults,
            ),
            topics_of(parts.file),
            pace_of(parts.file, parts.clock),
            trace=Trace(parts.file.config.events.trace),
            signer=Signer(
                partial(signing_key, parts.site), JudgedClock(parts.clock, self._reckoning)
            ),
        )
        self._core, post = core, core.inbox.post
        self._workers: list[tuple[Worker, Task]] = []
        boot = boot_id()
        self._link = BrokerLink(parts.file, core.outbox.acknowledged)
        watches = Watches(parts, core, self._link, self._move_changes, self._reckoning)
        self._gallery = watches.gallery
        counts = Counts()
        clock = JudgedClock(parts.clock, self._reckoning)
        sync = Sync(parts, core, self._link, clock, self._gallery.snapshot, self._move_changes)
        self._records = records = Records(
            parts, core, self._link, self._gallery.registry, boot, counts.read, sync.as_json
        )
        records.go_by(watches.wear)
        telling = Telling(parts.indicators, parts.voice, clock, post, topics_of(parts.file))
        deeds = KioskDeeds(
            announce=telling.announce,
            believe=watches.time.commanded,
            health=lambda: records.heart.read().as_json(),
            restart=self._restart,
            rotation=(
                lambda: {"signing": shown_half(begin_rotation(parts.site))},
                self._use_next_key,
            ),
        )
        commands = Commands(parts, core, self._link, records.board, self._reckoning, deeds, counts)
        newest = Newest(post)
        self._organs: tuple[Organ, ...] = (
            self._records,
            watches,
            sync,
            commands,
            Control(parts, core, self._link, records.board, watches, commands, newest),
            telling,
            Senses(
                parts,
                self._gallery,
                newest,
                lambda: self.stop("the cameras' sources have ended"),
                self._reckoning,
            ),
        )
        self._rounds = Rounds()
        self._beat = beat
        self._loop = core.control(
            kiosk_settings(parts.file.config, boot),
            self._gallery.registry(),
            parts.doors,
            Outlets.of(post, self._organs),
            parts.clock,
            self._gets_on,
        )

    def run(
        self,
        ready: Callable[[], None] = lambda: None,
        must_end: Callable[[int], None] = lambda _code: None,
    ) -> int:
        """Serve until ``stop``, the end of every finite camera, or a thread's death; the exit code.

        The outputs are at rest before anything else is taken down; then ``must_end`` is told.
        """
        self._record(EventType.AGENT_STARTED, {"version": __version__})
        self._record_rules()
        self._start_workers()
        self._link.start(self._organs)
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
        must_end(int(self._code))
        _log.info("stopping", why=why)
        self._stop_workers(why)
        return int(self._code)

    @property
    def gallery_revision(self) -> int:
        """The registry's revision by which it judges now."""
        return self._gallery.registry().revision

    def stop(self, why: str) -> None:
        """End ``run`` soon; from any thread, or a signal handler."""
        self._core.inbox.post(Stop(why))

    def _use_next_key(self) -> None:
        end_rotation(self._parts.site)
        self._records.refresh()

    def _restart(self, why: str) -> None:
        self._code = ExitCode.ANEW
        self.stop(why)

    def _secure_doors(self) -> None:
        for name, door in self._parts.doors.items():
            try:
                door.secure()
            except UnavailableError as error:
                # One pin that fails must not keep the others energised.
                _log.error("output_failed", door=name, error=str(error))

    def _start_workers(self) -> None:
        for organ in self._organs:
            for task in organ.tasks():
                rounds = Round(task.name, task.within_s, task.told)
                worker = Worker(task.name, task.work, self._died, rounds)
                worker.start()
                self._workers.append((worker, task))
            organ.started()
        self._rounds.watch(worker.round for worker, _ in self._workers)

    def _gets_on(self) -> None:
        """Once a round of the control loop: the watchdog hears of it while no thread hangs."""
        hung = self._rounds.hung()
        if hung is None:
            self._beat()
        elif self._code is not ExitCode.INTERNAL:
            _log.error("thread_hangs", thread=hung)
            # Where it hangs stands in the journal then.
            faulthandler.dump_traceback(all_threads=True)
            self._code = ExitCode.INTERNAL
            self.stop(f"thread {hung} hangs")

    def _died(self, thread: str, error: BaseException) -> None:
        self._code = ExitCode.INTERNAL
        self.stop(f"thread {thread} died: {type(error).__name__}")

    def _stop_workers(self, why: str) -> None:
        """In reverse: so the journal writes what the others still said, and the outbox sends it."""
        self._join(
            ((w, task) for w, task in reversed(self._workers) if not task.last_words), _STOP_S
        )
        self._record(EventType.AGENT_STOPPED, {"why": why})
        self._join(((w, task) for w, task in self._workers if task.last_words), _LAST_WORDS_S)
        self._link.close(1.0)

    def _join(self, workers: Iterable[tuple[Worker, Task]], within_s: float) -> None:
        """Stop each and wait for its end; all of them share ``within_s``."""
        until_s = time.monotonic() + within_s
        for worker, task in workers:
            task.stop()
            if not worker.join(min(_JOIN_S, max(until_s - time.monotonic(), 0.0))):
                _log.error("thread_left_behind", thread=worker.name)

    def _move_changes(self) -> None:
        """What another process changed reaches the journal, if that process did not get so far."""
        self._parts.registry.transfer_changes(self._parts.journal)
        self._records.refresh()

    def _reckoning(self) -> Reckoning:
        return self._records.board.newest().time

    def _record(self, kind: EventType, data: Mapping[str, Any]) -> None:
        self._core.writer.submit(make_event(kind, data, self._parts.clock.now()))

    def _record_rules(self) -> None:
        """An event where the rules are not those of the last start."""
        rules = [rule.model_dump(mode="json") for rule in self._parts.file.config.rules]
        digest = hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()
        path = RULES.at(self._parts.site.state)
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
