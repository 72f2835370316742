"""The threads that perceive: inputs, cameras, symbols, the ID reader, the thermometer.

camera reader --frames--+--> watcher --observations--.
+--> symbols --credentials---+--> inbox
id reader -------------------documents---------------|
card readers ----------------cards-------------------|
thermometer -----------------readings----------------|
contacts, buttons ------------changes----------------'
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from agent.app.gate.parts import Parts
from agent.app.open.cameras import open_camera
from agent.app.open.cues import eye_of, open_beside
from agent.app.open.settings import reads_symbols, rules_may_come
from agent.app.threads.fault_line import FaultLine
from agent.app.threads.organ import Organ, Outlet, Task
from agent.app.threads.rounds import HUNG_S
from agent.app.threads.senses.camera import CameraReader, CameraWatcher
from agent.app.threads.senses.cards import CardWatcher
from agent.app.threads.senses.codes import Outlook
from agent.app.threads.senses.documents import DocumentKeys, DocumentWatcher
from agent.app.threads.senses.glimpse import Glimpse, Newest
from agent.app.threads.senses.inputs import InputReader
from agent.app.threads.senses.pad import WatchedPad
from agent.app.threads.senses.symbols import SymbolWatcher
from agent.app.threads.senses.thermometer import ThermometerReader
from agent.app.threads.senses.verifier import CredentialVerifier, Sources
from agent.app.threads.watch.gallery import GalleryWatch
from agent.app.threads.worker import Slot
from agent.config import CameraConfig
from agent.config.tables.camera import infrared_beside
from agent.config.tables.rule import LONGEST_FACTOR_WINDOW_S
from agent.controller.effects import Compare, Settle
from agent.credentials.health.trust import TrustList
from agent.credentials.passes.pass_template import CommunityKey
from agent.domain.access.part import PartKind
from agent.domain.access.rule import Rule
from agent.domain.foreign.boundary import read_or
from agent.domain.hours.reckoning import Reckoning
from agent.domain.sight.comparison import Metric
from agent.domain.sight.image import Frame
from agent.operations.health.trust_lists import TrustShelf
from agent.operations.health.verify_health import RULES
from agent.vision.face.track import Tracker
from agent.vision.face.watch import ClaimedFace, Watcher
from agent.vision.face.zone import Zone
from agent.vision.frames.motion import MotionGate
from agent.vision.pad.infrared import InfraredEye
from agent.vision.symbols.symbols import SymbolWatch

RULE = Rule(frozenset())
"""What holds where the config has no rule."""


class Senses(Organ):
    """Makes them, and passes on what the controller asks of those who look."""

    def __init__(
        self,
        parts: Parts,
        gallery: GalleryWatch,
        newest: Newest,
        ended: Callable[[], None],
        reckoning: Callable[[], Reckoning],
    ) -> None:
        """``newest`` passes on what they tell, and keeps what may be looked at.

        ``ended`` is called once every finite camera has come to its end.

        ``reckoning`` is what the controller knows of the time.
        """
        self._parts = parts
        self._gallery = gallery
        self._newest = newest
        self._post = newest.post
        self._ended = ended
        self._watchers: dict[str, CameraWatcher] = {}
        self._watching: set[str] = set()
        self._eyes: dict[str, InfraredEye] = {}
        secret = parts.community_key
        self._community = None if secret is None else CommunityKey(secret)
        limit = timedelta(days=parts.file.config.health.trust_max_age_days)
        self._shelf = TrustShelf(parts.site.state, limit)
        self._verifier = CredentialVerifier(self._sources, reckoning)

    def tasks(self) -> Iterable[Task]:
        """What the config names."""
        yield from self._inputs()
        yield from self._thermometer()
        yield from self._id_reader()
        yield from self._readers()
        cameras = self._parts.file.config.camera
        visible = [camera for camera in cameras if camera.spectrum == "visible"]
        self._watching.update(camera.id for camera in visible)
        for beside, camera in infrared_beside(cameras).items():
            yield self._infrared(beside, camera)
        for camera in visible:
            yield from self._camera(camera)

    def outlets(self) -> Mapping[type, Outlet]:
        """What is asked of those who look at the frames."""
        return {Settle: self._settle, Compare: self._compare}

    def _settle(self, effect: Settle) -> None:
        self._watchers[effect.camera].settle(effect.track)

    def _compare(self, effect: Compare) -> None:
        face, claim = None, effect.claim
        if claim is not None:
            face = ClaimedFace(claim.id, claim.holder, self._verifier.template_of(claim.id))
        self._watchers[effect.camera].compare(face)

    def _sources(self) -> Sources:
        parts, config = self._parts, self._parts.file.config
        return Sources(
            issuers=self._gallery.issuers(),
            community=self._community,
            trust=self._trust,
            rules=RULES[config.health.rules],
            pack=parts.pack.manifest.name,
            pack_version=parts.pack.manifest.version,
            components=parts.pack.manifest.embedder.components,
        )

    def _trust(self, at: datetime) -> TrustList:
        """The keys that count; none where they cannot be read, which denies and ends no thread."""
        unread = TrustList(gap="signature: the trust lists cannot be read")
        return read_or("trust list", unread, lambda: self._shelf.usable(at))

    def _inputs(self) -> Iterable[Task]:
        inputs = self._parts.inputs
        if inputs is not None:
            reader = InputReader(inputs, self._post)
            yield Task("inputs", reader.work, reader.stop, within_s=HUNG_S, told=reader.told)

    def _thermometer(self) -> Iterable[Task]:
        thermometer = self._parts.thermometer
        if thermometer is not None:
            interval_s = self._parts.file.config.thermometer.interval_s
            reader = ThermometerReader(thermometer, interval_s, self._post)
            within_s = HUNG_S + interval_s
            yield Task("thermometer", reader.work, reader.stop, within_s=within_s, told=reader.told)

    def _id_reader(self) -> Iterable[Task]:
        parts, point = self._parts, self._parts.file.config.id_reader.access_point
        if parts.id_reader is None or point is None:
            return
        documents = DocumentWatcher(
            point,
            parts.id_reader,
            DocumentKeys(parts.registry.document_key, parts.community_key),
            self._verifier,
            parts.clock,
            self._post,
            photographs=parts.photographs,
        )
        yield Task(
            "id reader", documents.work, documents.stop, within_s=HUNG_S, told=documents.told
        )

    def _readers(self) -> Iterable[Task]:
        parts = self._parts
        for one in parts.file.config.reader:
            cards = CardWatcher(
                one.id,
                one.access_point,
                parts.readers[one.id],
                parts.registry.document_key,
                self._verifier,
                parts.clock,
                self._post,
            )
            yield Task(f"reader {one.id}", cards.work, cards.stop, within_s=HUNG_S, told=cards.told)

    def _camera(self, camera: CameraConfig) -> Iterable[Task]:
        parts, slot = self._parts, Slot[Frame]()
        config, comparison = parts.file.config, parts.pack.manifest.comparison
        tracker = Tracker(
            Metric(comparison.metric), comparison.curve[0].threshold, config.face.track_gap_s
        )
        zone = Zone(**camera.zone.model_dump())
        eyes = Watcher(
            parts.engines[camera.id],
            camera.id,
            zone,
            tracker,
            pad=self._pad(camera.id),
            beside=open_beside(config.face, self._eyes.get(camera.id)),
        )
        glimpse = self._newest.glimpses[camera.id] = Glimpse(zone, lambda: eyes.quality)
        watcher = CameraWatcher(
            eyes,
            slot,
            self._gallery.index,
            self._post,
            lambda: self._camera_ended(camera.id),
            FaultLine(PartKind.CAMERA.part(camera.id), self._post),
            mount=FaultLine(PartKind.MOUNT.part(camera.id), self._post),
            judge=self._gallery,
            show=glimpse.show,
        )
        self._watchers[camera.id] = watcher
        slots = [slot]
        for point in config.access_point:
            if point.camera == camera.id and reads_symbols(config, point.id):
                slots.append(Slot[Frame]())
                looks = replace(zone, min_face_px=0)
                yield self._symbols(point.id, slots[-1], looks, glimpse)
        reader = CameraReader(
            camera.id,
            parts.cameras[camera.id],
            lambda: open_camera(parts.file, camera),
            slots,
            self._post,
            camera.timeout_s,
        )
        yield Task(f"watch {camera.id}", watcher.work, watcher.stop, within_s=HUNG_S)
        yield self._reads(camera, reader)

    def _infrared(self, beside: str, camera: CameraConfig) -> Task:
        """The second eye of the camera ``beside``; a dead one is a fault of its own."""
        self._eyes[beside] = eye_of(camera)
        reader = CameraReader(
            camera.id,
            self._parts.cameras[camera.id],
            lambda: open_camera(self._parts.file, camera),
            [self._eyes[beside]],
            self._post,
            camera.timeout_s,
            infrared=True,
        )
        return self._reads(camera, reader)

    def _reads(self, camera: CameraConfig, reader: CameraReader) -> Task:
        within_s = HUNG_S + camera.timeout_s
        return Task(
            f"camera {camera.id}", reader.work, reader.stop, within_s=within_s, told=reader.told
        )

    def _pad(self, camera: str) -> WatchedPad | None:
        if self._parts.pad is None:
            return None
        return WatchedPad(self._parts.pad, FaultLine(PartKind.PAD.part(camera), self._post))

    def _symbols(self, access_point: str, slot: Slot[Frame], zone: Zone, glimpse: Glimpse) -> Task:
        rules = self._parts.file.config.rules
        window_s = max((rule.factor_window_s for rule in rules), default=RULE.factor_window_s)
        if rules_may_come(self._parts.file.config):
            window_s = max(window_s, LONGEST_FACTOR_WINDOW_S)
        symbols = SymbolWatcher(
            access_point,
            SymbolWatch(),
            slot,
            self._verifier,
            self._parts.clock,
            self._post,
            outlook=Outlook(zone.holds, window_s),
        )
        symbols.motion = MotionGate()
        symbols.outline = partial(glimpse.outline, access_point)
        return Task(f"symbols {access_point}", symbols.work, symbols.stop, within_s=HUNG_S)

    def _camera_ended(self, camera: str) -> None:
        self._watching.discard(camera)
        if not self._watching:
            self._ended()
