"""The organ that takes over the community's registry; without ``[registry]`` it hears nothing."""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from agent.adapters.broker.listener import Listener
from agent.adapters.store.people.merged import BY
from agent.app.gate.core import Core
from agent.app.gate.link import BrokerLink
from agent.app.gate.parts import Parts
from agent.app.open.community.broker import topics_of
from agent.app.open.community.registry_sync import SyncKeys, open_synced
from agent.app.open.engine import engine_of
from agent.app.open.enrolment import store_enrolment
from agent.app.open.files.state import REGISTRY, REGISTRY_INCOMING
from agent.app.open.site import make_event
from agent.app.open.snapshot import Snapshot
from agent.app.threads.organ import Organ, Task
from agent.app.threads.sync.assembly import Assembly
from agent.app.threads.sync.sync import Kiosk, RegistrySync, Ways
from agent.credentials.passes.issuers import key_id
from agent.credentials.sealed.parcel import open_part
from agent.credentials.signed.entries import HolderEntry
from agent.domain.record.events import EventType
from agent.domain.record.registry_sync import SyncReason
from agent.domain.record.topics import BYTES
from agent.errors import GateAgentError, RefusedError
from agent.operations.health.trust_lists import BroughtLists
from agent.operations.people.enrol import EnrolmentRequest
from agent.operations.people.photographs import face_of
from agent.ports import Clock
from agent.vision.face.engine import FaceEngine
from agent.vision.stills.images import decode_image

_CALLED = "the photograph"
_MEGABYTE = 1_000_000
_OVERHEAD_BYTES = 300
"""Of MQTT, around a payload: the topic, the content type, lengths."""


class Sync(Organ):
    """Registry sync, where the config names a registry."""

    def __init__(
        self,
        parts: Parts,
        core: Core,
        link: BrokerLink,
        clock: Clock,
        gallery: Callable[[], Snapshot],
        changed: Callable[[], None],
    ) -> None:
        """``clock`` is judged; ``gallery`` the one in memory; ``changed`` moves what is to be told.

        Raises:
            KeyUnavailableError: the gallery's key is missing.
            StoreError: the registry cannot be read.
        """
        self._parts, self._core, self._link, self._clock = parts, core, link, clock
        self._gallery, self._changed = gallery, changed
        self._topics = topics_of(parts.file)
        self._sync = None if parts.sync_keys is None else self._made(parts.sync_keys)

    def as_json(self) -> Mapping[str, Any] | None:
        """How far it is, for the status; None without a registry."""
        return None if self._sync is None else self._sync.as_json()

    def tasks(self) -> Iterable[Task]:
        """One thread, where there is a registry."""
        if self._sync is not None:
            yield Task("registry-sync", self._sync.work, self._sync.stop)

    def listeners(self) -> Mapping[str, Listener]:
        """Updates count signed and sealed only; a retained one is as good as any."""
        if self._sync is None:
            return {}
        return {self._topics.registry: Listener(self._sync.heard, retained=True)}

    def connected(self) -> None:
        """What lacks is asked for."""
        if self._sync is not None:
            self._sync.connected()

    def _made(self, keys: SyncKeys) -> RegistrySync:
        parts, topics = self._parts, self._topics
        config = parts.file.config.registry
        assert config is not None
        kiosk = Kiosk(
            topics.kiosk_path,
            keys.signing,
            key_id(keys.sealing.public_key()),
            keys.registry.get,
            on_premises=config.on_premises,
            read_rules=parts.rules.read if config.rules else None,
        )
        assembly = Assembly(
            REGISTRY_INCOMING.at(parts.site.state),
            kiosk.key_of,
            kiosk.path,
            lambda sealed, step, number: open_part(
                sealed, step, number, keys.sealing, kiosk.key_of
            ),
            config.max_update_mb * _MEGABYTE,
        )
        ways = Ways(
            request=partial(self._publish, topics.registry_request),
            receipt=partial(self._publish, topics.registry_receipts),
            most_bytes=self._most_bytes,
            usable=lambda: not parts.installation.judge([REGISTRY.name]),
            enrol=self._enrol,
            lists=BroughtLists(parts.site.state),
            changed=self._told,
            refused=self._refused,
        )
        registry = open_synced(parts.site)
        return RegistrySync(kiosk, registry, assembly, ways, self._clock, self._at_least)

    def _publish(self, topic: str, payload: bytes) -> bool:
        return self._link.publish(topic, payload, kind=BYTES) is not None

    def _most_bytes(self) -> int | None:
        most = self._link.largest_bytes
        return None if most is None else most - _OVERHEAD_BYTES

    def _at_least(self) -> datetime | None:
        with contextlib.suppress(GateAgentError):
            return self._parts.ledger.latest_trusted()
        return None

    @cached_property
    def _engine(self) -> FaceEngine:
        """Its own, from the first photograph on: those of the cameras are their threads'."""
        return engine_of(self._parts.pack, self._parts.file.config.face.threads)

    def _told(self) -> None:
        with contextlib.suppress(GateAgentError):
            self._changed()

    def _refused(self, reason: SyncReason, count: int, version: int) -> None:
        data = {"reason": reason.value, "count": count, "version": version}
        event = make_event(EventType.REGISTRY_REFUSED, data, self._clock.now())
        self._core.writer.submit(event)

    def _enrol(self, entry: HolderEntry) -> str | None:
        """By the entry's photograph, as the desk does it; why not, None where they are enrolled.

        The photograph stays in memory.

        Raises:
            StoreError: the registry cannot be written.
        """
        parts, holder = self._parts, entry.holder
        if parts.registry.holder(holder.id) is None:
            return "removed_here"
        assert entry.photograph is not None
        engine = self._engine
        request = EnrolmentRequest(holder.id, holder.name or "", holder.category, (), replace=True)
        try:
            seen = face_of(_CALLED, decode_image(entry.photograph), engine)
            store_enrolment(
                parts.site,
                parts.registry,
                engine,
                request,
                [seen],
                by=BY,
                before=self._gallery(),
            )
        except RefusedError as error:
            return error.reason
        return None
