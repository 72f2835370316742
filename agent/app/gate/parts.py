"""Opens what the daemon runs on, in an order that keeps the outputs safe, and closes it in reverse.

lock -> outputs at rest -> installation -> journal, registry, key, ledger -> pack -> gallery
                        -> thermometer, cameras

A file of the state that is missing, older or of another installation stops nothing: it is a fault,
by which the controller keeps the stricter side.
"""

import fcntl
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.adapters.clock import SystemClock
from agent.adapters.store.installation import Installation
from agent.adapters.store.latches import SqliteLatches
from agent.adapters.store.owners import whose
from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.adapters.store.people.registry import SqliteRegistry
from agent.adapters.store.record.journal import SqliteJournal
from agent.app.open.cameras import open_camera
from agent.app.open.doors import PinFactories, open_doors, open_indicators, open_inputs
from agent.app.open.engine import engine_of
from agent.app.open.files.installation import detail_of, installation_of, part_of, settle
from agent.app.open.files.keys import load_community_key
from agent.app.open.files.state import FOLDER_MODE, LATCHES, LEDGER, LOCK
from agent.app.open.files.stores import Key, open_journal, open_registry
from agent.app.open.id_reader import PhotoReader, open_id_reader
from agent.app.open.outputs import remember_outputs
from agent.app.open.site import Site, site_of
from agent.app.open.snapshot import Snapshot, rates_of, take_snapshot
from agent.app.open.thermometers import open_or_await
from agent.app.open.voice import Voice, open_voice
from agent.config import ConfigFile
from agent.domain.access.part import Part
from agent.errors import UnavailableError
from agent.operations.passes.keys import read_public_key
from agent.ports import Camera, Door, IdReader, Indicator, Inputs, Thermometer
from agent.vision.face.engine import FaceEngine
from agent.vision.packs.packs import InstalledPack, load_pack


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Everything open that an agent needs; ``stack`` closes it."""

    file: ConfigFile
    site: Site
    clock: SystemClock
    time_key: Ed25519PublicKey | None
    doors: Mapping[str, Door]
    indicators: Mapping[str, Indicator]
    inputs: Inputs | None
    voice: Voice | None
    journal: SqliteJournal
    registry: SqliteRegistry
    ledger: SqlitePassLedger
    latches: SqliteLatches
    installation: Installation
    state_faults: Mapping[Part, str]
    community_key: bytes | None = field(repr=False)
    pack: InstalledPack
    engines: Mapping[str, FaceEngine]
    snapshot: Snapshot
    thermometer: Thermometer | None
    cameras: Mapping[str, Camera]
    id_reader: IdReader | None
    photographs: PhotoReader | None


@dataclass(frozen=True, slots=True, eq=False)
class Stands:
    """What stands in for hardware where the demo or a test puts its own in place."""

    cameras: Mapping[str, Camera] | None = None
    thermometer: Thermometer | None = None


def open_parts(
    stack: ExitStack, file: ConfigFile, state: Path, stands: Stands | None = None
) -> Parts:
    """Open everything that ``file`` names.

    Raises:
        UnavailableError: something is missing; its message says what and how to get it.
    """
    config, stands = file.config, stands or Stands()
    _lock(stack, state)
    clock = SystemClock(
        trust_system_clock=config.clock.trust_system_clock,
        tolerance=timedelta(seconds=config.clock.tolerance_s),
    )
    remember_outputs(file, state)
    factories = PinFactories()
    doors = open_doors(file, clock, factories)
    for door in doors.values():
        stack.callback(door.close)
    indicators = open_indicators(file, clock, factories)
    for indicator in indicators.values():
        stack.callback(indicator.close)
    inputs = open_inputs(file, clock, factories)
    if inputs is not None:
        stack.callback(inputs.close)
    voice = open_voice(file, state, clock)
    site = site_of(state, file.path)
    installation = installation_of(site)
    # Before any of them is opened: a store makes what is missing.
    wrong = installation.judge()
    journal = stack.enter_context(open_journal(site, may_set_aside=True))
    registry = stack.enter_context(open_registry(site, Key.NEEDED, even_in_fault=True))
    time_key = config.clock.time_key_file
    ledger = SqlitePassLedger(LEDGER.at(state))
    stack.callback(ledger.close)
    latches = SqliteLatches(LATCHES.at(state))
    stack.callback(latches.close)
    settle(installation)
    stack.callback(settle, installation)
    pack = load_pack(config.face.pack, state)
    engines = {camera.id: engine_of(pack, config.face.threads) for camera in config.camera}
    snapshot = take_snapshot(registry, pack.manifest, rates_of(config))
    thermometer = stands.thermometer or open_or_await(config.thermometer)
    if thermometer is not None:
        stack.callback(thermometer.close)
    cameras = dict(stands.cameras or {})
    for camera in config.camera:
        if camera.id not in cameras:
            cameras[camera.id] = open_camera(file, camera)
        stack.callback(cameras[camera.id].close)
    id_reader, photographs = open_id_reader(stack, config, pack)
    return Parts(
        file=file,
        site=site,
        clock=clock,
        time_key=None if time_key is None else read_public_key(file.resolve(time_key)),
        doors=doors,
        indicators=indicators,
        inputs=inputs,
        voice=voice,
        journal=journal,
        registry=registry,
        ledger=ledger,
        latches=latches,
        installation=installation,
        state_faults={part_of(name): detail_of(name, what) for name, what in wrong.items()},
        community_key=load_community_key(file),
        id_reader=id_reader,
        photographs=photographs,
        pack=pack,
        engines=engines,
        snapshot=snapshot,
        thermometer=thermometer,
        cameras=cameras,
    )


def _lock(stack: ExitStack, state: Path) -> None:
    """One agent a state directory: two would drive the same outputs."""
    try:
        state.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        descriptor = os.open(LOCK.at(state), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, LOCK.mode)
    except OSError as error:
        fix = "make it writable for this user, or name another --state-dir"
        said = f"{state} cannot be written: {error.strerror}"
        said, fix = whose(LOCK.at(state)) or (said, fix)
        raise UnavailableError(said, fix) from error
    stack.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        fix = "stop it first: systemctl stop gate-agent; or name another --state-dir"
        raise UnavailableError(f"another agent runs on {state}", fix) from error
