"""The organs that record, watch and obey; ``Senses`` perceives and ``Telling`` tells."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from agent import logs
from agent.adapters.broker.listener import Listener
from agent.adapters.soc import soc_temperatures_c
from agent.adapters.written import meter
from agent.app.gate.commands import Commands
from agent.app.gate.core import Core
from agent.app.gate.link import BrokerLink
from agent.app.gate.parts import Parts
from agent.app.open.community.broker import topics_of
from agent.app.open.community.home_assistant import announcement_of
from agent.app.open.files.anew import forget_aside
from agent.app.open.files.backups import kept_backup
from agent.app.open.files.kiosk_keys import public_keys
from agent.app.open.files.state import ANNOUNCED
from agent.app.open.files.written import keep_day, kept_day
from agent.app.open.paths import control_socket
from agent.app.open.settings import kiosk_settings
from agent.app.open.snapshot import Snapshot, rates_of, take_snapshot
from agent.app.open.thermal import thermal_settings
from agent.app.threads.control.clock import ClockOperator
from agent.app.threads.control.onlooker import Onlooker
from agent.app.threads.control.socket import ControlServer
from agent.app.threads.control.table import local_commands
from agent.app.threads.control.verbs import Operator
from agent.app.threads.control.walking import WalkTester
from agent.app.threads.organ import Organ, Outlet, Task
from agent.app.threads.record.discovery import Discovery
from agent.app.threads.record.heartbeat import Heartbeat, Vitals, space_of
from agent.app.threads.record.status import StatusBoard
from agent.app.threads.senses.glimpse import Newest
from agent.app.threads.watch.backups import BackupWatch
from agent.app.threads.watch.clock import JudgedClock, TimeKeeper
from agent.app.threads.watch.disk import DiskWatch
from agent.app.threads.watch.erasure import Erasure
from agent.app.threads.watch.gallery import GalleryWatch
from agent.app.threads.watch.retention import Retention
from agent.app.threads.watch.self_comparison import SelfComparison
from agent.app.threads.watch.state import StateWatch
from agent.app.threads.watch.wear import WearWatch
from agent.controller.effects import SetStatus
from agent.controller.inputs import Input
from agent.domain.access.registry import Registry
from agent.domain.access.rule import face_without_pad
from agent.domain.hours.reckoning import Reckoning
from agent.domain.record.command import Verb
from agent.domain.record.events import Event
from agent.domain.record.status import FaceStatus, PadStatus
from agent.domain.record.topics import BYTES
from agent.domain.record.wear import Wear
from agent.errors import KeyUnavailableError
from agent.ports import Lost

_JOURNAL_ROOM_BYTES = 4_000_000
# A command that a person gives at the kiosk may have much to do.
_COMMAND_S = 300.0
"""Kept free within the journal's file on a disk that has no more: some thousand events."""

_log = structlog.get_logger(__name__)


class Records(Organ):
    """Writes down, sends, and says how the gate stands."""

    def __init__(
        self,
        parts: Parts,
        core: Core,
        link: BrokerLink,
        registry: Callable[[], Registry],
        boot_id: str,
        refused: Callable[[], Mapping[str, int]] = dict,
        registry_sync: Callable[[], Mapping[str, Any] | None] = lambda: None,
    ) -> None:
        """``refused`` counts the signed commands that were not carried out, by reason."""
        self._core, self._link = core, link
        self._wear: Callable[[], Wear | None] = lambda: None
        self._topics = topics_of(parts.file)
        settings = kiosk_settings(parts.file.config, boot_id)
        packs = {pack.name: pack.version for pack in parts.pad.packs} if parts.pad else {}
        self.board = StatusBoard(
            parts.journal,
            registry,
            parts.clock,
            boot_id=boot_id,
            faces=FaceStatus(
                without_pad=not packs
                and face_without_pad(settings.rules, accept_no_pad=settings.accept_no_pad),
                pad=PadStatus(packs, settings.pad_threshold),
                max_false_grants_per_day=settings.max_false_grants_per_day,
                pack_why=parts.pack_in_use.why,
                pack_not_measured_for=parts.pack_in_use.not_measured_for,
            ),
            time=Reckoning.since(parts.ledger.latest_trusted(), settings.clock_tolerance),
            registry_sync=registry_sync,
        )
        broker, state = parts.file.config.broker, parts.site.state
        self._period_s = 0 if broker is None else broker.health_every_s
        self.heart = Heartbeat(
            Vitals(
                parts.journal,
                self.board.newest,
                registry,
                lambda: space_of(state),
                soc_temperatures_c,
                refused,
                self._worn,
            ),
            parts.clock,
            boot_id=boot_id,
            period_s=self._period_s,
        )
        self._discovery = Discovery(ANNOUNCED.at(state), announcement_of(parts.file))
        self._site = parts.site

    def tasks(self) -> Iterable[Task]:
        """Journal, status, and where there is a broker what else is told to it."""
        core, board, link, topics = self._core, self.board, self._link, self._topics
        yield Task("journal", core.writer.work, core.writer.stop, last_words=True)
        yield Task("status", lambda: board.work(link, topics.status, self._keys), board.stop)
        if link.configured:
            yield Task("outbox", lambda: core.outbox.work(link), core.outbox.stop, last_words=True)
            if (discovery := self._discovery).due:
                yield Task("discovery", lambda: discovery.work(link), discovery.stop)
        if self._period_s:
            heart = self.heart
            yield Task("health", lambda: heart.work(link, topics.health), heart.stop)

    def _keys(self) -> Mapping[str, Any]:
        """Read from their files: they may have been changed."""
        try:
            return {self._topics.keys: public_keys(self._site)}
        except KeyUnavailableError as error:
            _log.warning("kiosk_keys_unread", error=str(error))
            return {}

    def _worn(self) -> Wear | None:
        return self._wear()

    def go_by(self, wear: Callable[[], Wear]) -> None:
        """Say the day's wear, and less where it is over its budget."""
        self._wear = wear
        self.board.thin_while(lambda: wear().over)

    def outlets(self) -> Mapping[type, Outlet]:
        """The controller's part of the status."""
        return {SetStatus: self.board.set}

    def refresh(self) -> None:
        """There is more to send, or somebody there again to send it to."""
        self.board.refresh()
        self._core.outbox.notify()

    def connected(self) -> None:
        """What waited for the broker goes out."""
        self.refresh()
        self._discovery.connected()

    def acknowledged(self, mid: int, refusal: str | None) -> None:
        """The broker has answered, perhaps what Home Assistant was told."""
        self._discovery.acknowledged(mid, refusal)


class Watches(Organ):
    """Keeps in step with what changes by itself: registry, time, disk, ledger, rows to go."""

    def __init__(
        self,
        parts: Parts,
        core: Core,
        link: BrokerLink,
        changed: Callable[[], None],
        reckoning: Callable[[], Reckoning],
    ) -> None:
        """``changed`` is called where another process may have changed the registry.

        ``reckoning`` is what the controller knows of the time.
        """
        config, post = parts.file.config, core.inbox.post
        topics = topics_of(parts.file)

        def written(event: Event) -> None:
            parts.journal.append(event)
            parts.journal.make_durable()
            core.outbox.notify()

        self.state = StateWatch(parts.installation, parts.state_faults, post, written)

        def renewed(before: Snapshot) -> Snapshot:
            # First: by an older copy that was put in its place nobody is let in.
            self.state.look()
            manifest, rates = parts.pack.manifest, rates_of(config)
            return take_snapshot(
                parts.registry, manifest, rates, before, keep=True, rules=parts.rules
            )

        self.gallery = GalleryWatch(
            parts.snapshot,
            renewed,
            parts.registry.revision,
            post,
            changed,
            max_age_s=config.store.snapshot_max_age_s,
        )
        self._self_comparison = SelfComparison(self.gallery.snapshot, self.gallery.compared)
        self.time = TimeKeeper(
            parts.clock,
            parts.ledger,
            key=parts.time_key,
            kiosk=topics.kiosk_path,
            ask=lambda nonce: link.publish(topics.time_request, nonce, kind=BYTES) is not None,
            reckoning=reckoning,
            commanded=any(Verb.SET_TIME in key.verbs for key in parts.command_keys.values()),
        )
        self._time_answer = topics.time_answer if parts.time_key is not None else None
        judged = JudgedClock(parts.clock, reckoning)

        def lost(what: Lost) -> Event:
            return core.forgotten(what, judged.now())

        def make_room(of_unsent: bool) -> int:  # noqa: FBT001 - the watch's signature
            return parts.journal.make_room(
                _JOURNAL_ROOM_BYTES,
                lost if of_unsent else None,
                published_only=link.configured,
            )

        self._disk = DiskWatch(
            parts.site.state, config.faults.min_free_mb * 1_000_000, post, make_room=make_room
        )
        self._wear = WearWatch(
            kept_day(parts.site.state),
            config.store.written_mb_a_day * 1_000_000,
            judged,
            lambda: meter(parts.site.state, logs.written_bytes()),
            partial(keep_day, parts.site.state),
            post,
        )
        self.wear = self._wear.wear
        self._backup = _backup_watch(parts, post)
        self._ledger = core.ledger

        def prune(before: datetime) -> None:
            forget_aside(parts.site, before)
            # Without a broker nothing waits to be published, and nothing is kept for that.
            parts.journal.prune(before, published_only=link.configured)

        def hold() -> None:
            parts.journal.hold(
                config.store.journal_mb * 1_000_000,
                config.store.journal_events,
                published_only=link.configured,
                lost=lost,
            )

        days, latest = config.store.journal_days, parts.ledger.latest_trusted
        # A time in doubt must not make events older than they are.
        self._retention = Retention(prune, judged, days, latest, hold)
        self._erasure = Erasure(parts.registry.owes_erasure, parts.registry.erase)

    def tasks(self) -> Iterable[Task]:
        """A thread each."""
        yield Task("gallery", self.gallery.work, self.gallery.stop)
        comparison = self._self_comparison
        yield Task("self-comparison", comparison.work, comparison.stop)
        yield Task("time", self.time.work, self.time.stop)
        yield Task("disk", self._disk.work, self._disk.stop)
        yield Task("ledger", self._ledger.work, self._ledger.stop)
        yield Task("erasure", self._erasure.work, self._erasure.stop)
        yield Task("retention", self._retention.work, self._retention.stop)
        yield Task("state", self.state.work, self.state.stop)
        yield Task("wear", self._wear.work, self._wear.stop)
        if self._backup is not None:
            yield Task("backup", self._backup.work, self._backup.stop)

    def listeners(self) -> Mapping[str, Listener]:
        """Signed answers about the time, where a key for them is installed."""
        if self._time_answer is None:
            return {}
        return {self._time_answer: Listener(self.time.heard)}


def _backup_watch(parts: Parts, post: Callable[[Input], None]) -> BackupWatch | None:
    settings = parts.file.config.store.backup
    if settings is None:
        return None
    kept = partial(kept_backup, parts.site.state)
    return BackupWatch(kept, parts.clock, timedelta(days=settings.max_age_days), post)


class Control(Organ):
    """Answers whoever may use the control socket."""

    def __init__(
        self,
        parts: Parts,
        core: Core,
        link: BrokerLink,
        board: StatusBoard,
        watches: Watches,
        commands: Commands,
        newest: Newest,
    ) -> None:
        """Listens already, and answers once its thread runs; ``watches`` take a person's word.

        ``commands`` have the deeds, ``newest`` what the senses said last.

        Raises:
            UnavailableError: another agent listens there, or nobody can.
        """
        config = parts.file.config
        named = config.control.socket
        exits = frozenset(one.id for one in config.access_point if one.direction == "exit")
        onlooker = Onlooker(newest, watches.gallery.registry, thermal_settings(config).optics)
        self._server = ControlServer(
            control_socket(None if named is None else parts.file.resolve(named), parts.site.state),
            {
                **Operator(
                    board,
                    parts.latches,
                    commands.doors,
                    core.inbox.post,
                    lambda: (link.state, link.why),
                    watches.state.accept,
                    lambda: {
                        "commands_refused": dict(commands.counts.read()),
                        "written": watches.wear().told(),
                    },
                ).commands(),
                **local_commands(commands.deeds, commands.signed.outdate),
                **ClockOperator(board, parts.clock, core.inbox.post, watches.time.told).commands(),
                **onlooker.commands(),
                **WalkTester(board, commands.doors, exits, core.inbox.post).commands(),
            },
        )

    def tasks(self) -> Iterable[Task]:
        """The socket's thread."""
        yield Task("control", self._server.work, self._server.stop, within_s=_COMMAND_S)
