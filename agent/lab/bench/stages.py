"""The measuring process of ``gate-agent bench``: ``python -m agent.lab.bench.stages``.

What is compared is measured in turns, so that whatever else the machine does strikes both.
"""

import json
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np

from agent import logs
from agent.adapters.clock import SystemClock
from agent.adapters.pins.door import GpioDoor, open_pins
from agent.adapters.store.latches import SqliteLatches
from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.adapters.store.record.journal import SqliteJournal
from agent.app.gate.executor import Executor, Outlets, Stores, Told
from agent.app.open.files.state import JOURNAL, LATCHES, LEDGER
from agent.app.open.thresholds import unknown_people
from agent.app.threads.fault_line import FaultLine
from agent.app.threads.record.journal import JournalWriter
from agent.app.threads.record.losses import Losses
from agent.controller.door import DoorSettings
from agent.controller.inputs import InputChanged, Observed
from agent.controller.kiosk import Kiosk
from agent.controller.lane import LaneSettings
from agent.controller.settings import KioskSettings
from agent.domain.access.evidence import Evidence, FaceEvidence
from agent.domain.access.part import PartKind
from agent.domain.access.policy import decide
from agent.domain.access.registry import Registry
from agent.domain.access.rule import Rule
from agent.domain.access.situation import Situation
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.door.signal import InputChange, Signal, Wiring
from agent.domain.hours.instant import Instant
from agent.domain.record.events import Event, EventType
from agent.domain.record.uuid7 import Uuid7Source
from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.image import Frame, Image
from agent.domain.sight.operating_point import operating_point
from agent.lab.bench.compare import compare_million, compare_stages
from agent.lab.bench.face_path import MIN_FACE_PX, PATH_TO_BARE_LIMIT, face_stages
from agent.lab.bench.pad import pad_deeds
from agent.lab.bench.timing import measure, stage
from agent.vision.face.engine import PackFaceEngine, load_engine
from agent.vision.face.track import Tracker
from agent.vision.face.watch import Watcher
from agent.vision.face.zone import Zone
from agent.vision.packs.packs import InstalledPack, load_pack

_ROUNDS = 60
_RESIDENT = HolderId("resident")
_IDS = Uuid7Source(os.urandom)


class _Gate:
    """From a frame to the energised relay, on the production parts and a simulated pin."""

    def __init__(
        self, folder: Path, pack: InstalledPack, engine: PackFaceEngine, image: Image
    ) -> None:
        self._image = image
        self._engine = engine
        self._metric = Metric(pack.manifest.comparison.metric)
        face = engine.locate(image, engine.detect(image)[0])
        assert face is not None
        template = engine.embed(image, face)
        self._index = ReferenceIndex([_RESIDENT], template[None], self._metric, 1)
        curve = unknown_people(pack.manifest).curve
        self._registry = Registry(
            revision=1,
            holders={_RESIDENT: Holder(_RESIDENT, "", "resident")},
            references=1,
            operating=operating_point(curve, 1, 0.01),
            curve=curve,
            too_close=frozenset(),
            pack=pack.manifest.name,
            pack_version=pack.manifest.version,
        )
        self._pins = open_pins("mock")
        self._door = GpioDoor(
            self._pins, 17, active_high=True, max_pulse_s=10.0, clock=SystemClock()
        )
        self.journal = SqliteJournal(JOURNAL.at(folder), lambda _: _event())
        self._writer = JournalWriter(
            self.journal,
            written=lambda: None,
            fault=FaultLine(PartKind.JOURNAL.part(), lambda _: None),
            losses=Losses(FaultLine(PartKind.EVENTS.part(), lambda _: None), lambda _: _event().id),
        )
        self._thread = threading.Thread(target=self._writer.work)
        self._thread.start()
        self._ledger = SqlitePassLedger(LEDGER.at(folder))
        self._latches = SqliteLatches(LATCHES.at(folder))
        self._executor = Executor(
            {"door": self._door},
            self._writer,
            Stores(self._ledger, self._latches, self._latches),
            Outlets(lambda _: None, dict.fromkeys(get_args(Told), lambda _: None)),
            new_id=lambda draft: _IDS.make(draft.time),
        )

    def frame_to_relay(self, rounds: int) -> tuple[list[float], list[float]]:
        """Milliseconds from the third frame to the relay, and of them those of vision."""
        whole, vision = [], []
        for turn in range(rounds):
            watcher = Watcher(
                self._engine,
                "camera",
                Zone(min_face_px=MIN_FACE_PX),
                Tracker(self._metric, self._registry.operating.threshold),
            )
            kiosk = Kiosk(_settings(), self._registry)
            for number in range(3):
                image = self._image.copy()
                image[::37, ::41, 0] ^= number + 1  # frames of a camera differ
                frame = Frame(image, number * 0.15, number)
                now = Instant(frame.captured_s, datetime.now(UTC), utc_trusted=True)
                start_s = time.perf_counter()
                observation = watcher.observe(frame, self._index)
                seen_s = time.perf_counter()
                self._executor.execute(kiosk.handle(Observed(observation), now))
                done_s = time.perf_counter()
            assert self._pins.pin(17).state, "the bench's own face was not granted"
            self._door.secure()
            if turn >= 3:
                whole.append((done_s - start_s) * 1000.0)
                vision.append((seen_s - start_s) * 1000.0)
        return whole, vision

    def button_to_relay(self, rounds: int) -> tuple[list[float], list[float]]:
        """Milliseconds from a debounced exit button to the relay, and of them those of the row."""
        whole, row = [], []
        for turn in range(rounds):
            kiosk = Kiosk(_settings(), self._registry)
            now = Instant(float(turn), datetime.now(UTC), utc_trusted=True)
            pressed = InputChanged(InputChange("button", active=True, at_s=now.monotonic_s))
            start_s = time.perf_counter()
            self._executor.execute(kiosk.handle(pressed, now))
            done_s = time.perf_counter()
            assert self._pins.pin(17).state, "the bench's own button freed nothing"
            self._door.secure()
            written = time.perf_counter()
            self.journal.append(_event())
            whole.append((done_s - start_s) * 1000.0)
            row.append((time.perf_counter() - written) * 1000.0)
        return whole, row

    def close(self) -> None:
        self._writer.stop()
        self._thread.join(5.0)
        self.journal.close()
        self._ledger.close()
        self._latches.close()
        self._door.close()


def _settings() -> KioskSettings:
    lane = LaneSettings("gate", "entry", "camera", "door")
    rules = (Rule(frozenset({"resident"})),)
    return KioskSettings(
        (lane,),
        (DoorSettings("door"),),
        rules,
        "bench",
        accept_no_pad=True,
        wirings=(Wiring("button", Signal.REX, "door"),),
    )


def _event() -> Event:
    now = datetime.now(UTC)
    return Event(_IDS.make(now), EventType.ACCESS_GRANTED, now, clock_synced=True, data={"n": 1})


def _decision() -> Callable[[], object]:
    face = FaceEvidence(_RESIDENT, -0.3, 0.2, -0.5, frames=3, span_s=0.3, newest_s=9.9)
    holder = Holder(_RESIDENT, "", "resident")
    now = Instant(10.0, datetime.now(UTC), utc_trusted=True)
    rule, situation = Rule(frozenset({"resident"})), Situation(accept_no_pad=True)
    return lambda: decide(Evidence(face), holder, rule, situation, now)


def main(state: Path, name: str, scene: Path) -> dict[str, Any]:
    """All figures, as JSON values."""
    cv2.setNumThreads(1)
    logs.configure("error")
    pack = load_pack(name, state)
    engine = load_engine(pack, 1)
    image = np.load(scene)
    located = engine.locate(image, engine.detect(image)[0])
    assert located is not None
    faces = face_stages(pack, engine, image)
    attacks = measure(pad_deeds(state, pack.manifest, image, located), _ROUNDS)
    metric = Metric(pack.manifest.comparison.metric)
    compared = compare_stages(pack.manifest.embedder.components, metric)
    million = compare_million(128, metric)
    with tempfile.TemporaryDirectory(prefix="gate-bench-") as folder:
        gate = _Gate(Path(folder), pack, engine, image)
        try:
            whole, vision = gate.frame_to_relay(_ROUNDS)
            button, row = gate.button_to_relay(500)
            quick = measure(
                {"decide": _decision(), "journal": lambda: gate.journal.append(_event())}, 500
            )
        finally:
            gate.close()
    path = faces.pop("path")
    return {
        "pack": name,
        "image": f"{image.shape[1]}x{image.shape[0]}",
        "face_px": located.box.width,
        "machine": platform.machine(),
        "stages": {
            **faces,
            **({"pad": stage(attacks["pad"], attacks["bare_pad"])} if attacks else {}),
            **compared,
            "compare_1m": million,
            "decide": stage(quick["decide"]),
            "journal": stage(quick["journal"]),
            "frame_to_relay": stage(whole, vision),
            "button_to_relay": stage(button, row),
        },
        "face_path": path,
        "ratios": {
            "face_path_to_bare": path["ratio"],
            "compare_100k_to_numpy": compared["compare_100k"]["ratio"],
            "compare_1m_to_numpy": million["ratio"],
        },
        "limits": {"face_path_to_bare": PATH_TO_BARE_LIMIT},
    }


if __name__ == "__main__":
    json.dump(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])), sys.stdout)
