"""The threads that perceive: inputs, cameras, symbols, the ID reader, the thermometer.

camera reader --frames--+--> watcher --observations--.
+--> symbols --credentials---+--> inbox
id reader -------------------documents---------------|
thermometer -----------------readings----------------|
contacts, buttons ------------changes----------------'
"""

from collections.abc import Callable
from datetime import timedelta

from agent.app.gate.parts import Parts
from agent.app.open.cameras import open_camera
from agent.app.open.settings import reads_symbols
from agent.app.threads.senses.camera import CameraReader, CameraWatcher
from agent.app.threads.senses.credential_desk import CredentialDesk, Sources
from agent.app.threads.senses.documents import DocumentKeys, DocumentWatcher
from agent.app.threads.senses.inputs import InputReader
from agent.app.threads.senses.symbols import SymbolWatcher
from agent.app.threads.senses.thermometer import ThermometerReader
from agent.app.threads.watch.gallery import GalleryWatch
from agent.app.threads.worker import Slot
from agent.config import CameraConfig
from agent.controller.combination import Claim
from agent.controller.inputs import Input
from agent.credentials.passes.pass_template import CommunityKey
from agent.domain.sight.comparison import Metric
from agent.operations.health.trust_lists import usable_trust
from agent.operations.health.verify_health import RULES
from agent.ports import Frame
from agent.vision.face.track import Tracker
from agent.vision.face.watch import ClaimedFace, Watcher, Zone
from agent.vision.symbols.symbols import SymbolWatch

Start = Callable[[str, Callable[[], None], Callable[[], None]], None]
"""Runs ``work`` in a thread of this name, with what stops it."""


class Senses:
    """Starts them, and passes on what the controller asks of them (``executor.Vision``)."""

    def __init__(
        self,
        parts: Parts,
        gallery: GalleryWatch,
        post: Callable[[Input], None],
        start: Start,
        ended: Callable[[], None],
    ) -> None:
        """``ended`` is called once every finite camera has come to its end."""
        self._parts = parts
        self._gallery = gallery
        self._post = post
        self._start = start
        self._ended = ended
        self._watchers: dict[str, CameraWatcher] = {}
        self._watching: set[str] = set()
        secret = parts.community_key
        self._community = None if secret is None else CommunityKey(secret)
        self._desk = CredentialDesk(self._sources)

    def start(self) -> None:
        """Start what the config names."""
        self._start_inputs()
        self._start_thermometer()
        self._start_id_reader()
        cameras = self._parts.file.config.camera
        self._watching.update(camera.id for camera in cameras)
        for camera in cameras:
            self._start_camera(camera)

    def settle(self, camera: str, track: int) -> None:
        """The track has had its attempt."""
        self._watchers[camera].settle(track)

    def compare(self, camera: str, claim: Claim | None) -> None:
        """Compare faces 1:1 with the claim's holder from now on; None stops that."""
        face = None
        if claim is not None:
            face = ClaimedFace(claim.id, claim.holder, self._desk.template_of(claim.id))
        self._watchers[camera].compare(face)

    def _sources(self) -> Sources:
        parts, config = self._parts, self._parts.file.config
        limit = timedelta(days=config.health.trust_max_age_days)
        return Sources(
            issuers=self._gallery.issuers(),
            community=self._community,
            trust=lambda at: usable_trust(parts.site.state, at, limit),
            rules=RULES[config.health.rules],
            pack=parts.pack.manifest.name,
            pack_version=parts.pack.manifest.version,
            components=parts.pack.manifest.embedder.components,
        )

    def _start_inputs(self) -> None:
        inputs = self._parts.inputs
        if inputs is not None:
            reader = InputReader(inputs, self._post)
            self._start("inputs", reader.work, reader.stop)

    def _start_thermometer(self) -> None:
        thermometer = self._parts.thermometer
        if thermometer is not None:
            interval_s = self._parts.file.config.thermometer.interval_s
            reader = ThermometerReader(thermometer, interval_s, self._post)
            self._start("thermometer", reader.work, reader.stop)

    def _start_id_reader(self) -> None:
        parts, point = self._parts, self._parts.file.config.id_reader.access_point
        if parts.id_reader is None or point is None:
            return
        documents = DocumentWatcher(
            point,
            parts.id_reader,
            DocumentKeys(parts.registry.document_key, parts.community_key),
            self._desk,
            parts.clock,
            self._post,
            photographs=parts.photographs,
        )
        self._start("id reader", documents.work, documents.stop)

    def _start_camera(self, camera: CameraConfig) -> None:
        parts, slot = self._parts, Slot[Frame]()
        config, comparison = parts.file.config, parts.pack.manifest.comparison
        tracker = Tracker(
            Metric(comparison.metric), comparison.curve[0].threshold, config.face.track_gap_s
        )
        zone = Zone(**camera.zone.model_dump())
        watcher = CameraWatcher(
            Watcher(parts.engines[camera.id], camera.id, zone, tracker),
            slot,
            self._gallery.index,
            self._post,
            lambda: self._camera_ended(camera.id),
        )
        self._watchers[camera.id] = watcher
        slots = [slot] + [
            self._start_symbols(point.id)
            for point in config.access_point
            if point.camera == camera.id and reads_symbols(config, point.id)
        ]
        reader = CameraReader(
            camera.id,
            parts.cameras[camera.id],
            lambda: open_camera(parts.file, camera),
            slots,
            self._post,
            camera.timeout_s,
        )
        self._start(f"watch {camera.id}", watcher.work, watcher.stop)
        self._start(f"camera {camera.id}", reader.work, reader.stop)

    def _start_symbols(self, access_point: str) -> Slot[Frame]:
        slot = Slot[Frame]()
        symbols = SymbolWatcher(
            access_point, SymbolWatch(), slot, self._desk, self._parts.clock, self._post
        )
        self._start(f"symbols {access_point}", symbols.work, symbols.stop)
        return slot

    def _camera_ended(self, camera: str) -> None:
        self._watching.discard(camera)
        if not self._watching:
            self._ended()
