"""Opens what the daemon runs on, in an order that keeps the outputs safe, and closes it in reverse.

lock -> outputs at rest -> installation -> pack -> journal, registry, key, gallery, ledger, latches,
                        -> commands, thermometer, cameras

A file of the state that is missing, older, damaged or of another installation stops nothing: it is
a fault, by which the controller keeps the stricter side.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.adapters.clock import SystemClock
from agent.adapters.store.commands import SqliteCommands
from agent.adapters.store.installation import Installation
from agent.adapters.store.latches import SqliteLatches
from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.adapters.store.people.registry import SqliteRegistry
from agent.adapters.store.record.journal import SqliteJournal
from agent.adapters.store.sqlite import CorruptError
from agent.app.open.cameras import open_camera
from agent.app.open.community.command_keys import CommandKey, command_keys
from agent.app.open.community.registry_sync import SyncKeys, sync_keys
from agent.app.open.community.rules import RuleReader
from agent.app.open.doors import PinFactories, open_doors, open_indicators, open_inputs
from agent.app.open.engine import engine_of
from agent.app.open.files.anew import (
    commands_or_anew,
    latches_or_anew,
    ledger_or_anew,
    opened_or_anew,
)
from agent.app.open.files.installation import detail_of, installation_of, part_of, settle
from agent.app.open.files.keys import load_community_key
from agent.app.open.files.kiosk_keys import own_keys
from agent.app.open.files.running import held
from agent.app.open.files.state import JOURNAL, REGISTRY
from agent.app.open.files.stores import Key, open_journal, open_registry
from agent.app.open.id_reader import PhotoReader, open_id_reader
from agent.app.open.outputs import remember_outputs
from agent.app.open.pad import open_pad
from agent.app.open.readers import open_readers, show_on_readers
from agent.app.open.site import Site, site_of
from agent.app.open.snapshot import Snapshot, rates_of, take_snapshot
from agent.app.open.thermometers import open_or_await
from agent.app.open.voice import Voice, open_voice
from agent.config import ConfigFile
from agent.domain.access.part import Part, PartKind
from agent.errors import StoreError, UnavailableError
from agent.operations.config.boot_adopt import boot_fault
from agent.operations.packs.choice import PackInUse, check_accepted, in_use, installed_pad_packs
from agent.operations.passes.keys import read_public_key
from agent.ports import Camera, CardReader, Door, IdReader, Indicator, Inputs, Thermometer
from agent.vision.face.engine import FaceEngine
from agent.vision.packs.packs import InstalledPack, load_pack
from agent.vision.pad.score import FusedPad


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Everything open that an agent needs; ``stack`` closes it."""

    file: ConfigFile
    site: Site
    rules: RuleReader
    clock: SystemClock
    time_key: Ed25519PublicKey | None
    command_keys: Mapping[bytes, CommandKey] = field(repr=False)
    sync_keys: SyncKeys | None = field(repr=False)
    doors: Mapping[str, Door]
    indicators: Mapping[str, Indicator]
    readers: Mapping[str, CardReader]
    inputs: Inputs | None
    voice: Voice | None
    journal: SqliteJournal
    registry: SqliteRegistry
    ledger: SqlitePassLedger
    latches: SqliteLatches
    commands: SqliteCommands
    installation: Installation
    state_faults: Mapping[Part, str]
    community_key: bytes | None = field(repr=False)
    pack: InstalledPack
    pack_in_use: PackInUse
    engines: Mapping[str, FaceEngine]
    pad: FusedPad | None
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
    # One agent a state directory: two would drive the same outputs.
    fix = "stop it first: systemctl stop gate-agent; or name another --state-dir"
    stack.enter_context(held(state, UnavailableError(f"another agent runs on {state}", fix)))
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
    shown = show_on_readers(stack, file, clock, factories, dict(indicators))
    readers = open_readers(stack, file, clock, factories)
    inputs = open_inputs(file, clock, factories)
    if inputs is not None:
        stack.callback(inputs.close)
    voice = open_voice(file, state, clock)
    site = site_of(state, file.path)
    installation = installation_of(site)
    # Before any of them is opened: a store makes what is missing.
    installation.judge()
    pack = load_pack(site.face.pack, state)
    check_accepted(pack.manifest, config.face.accept_licences)
    rules = RuleReader(config, installed_pad_packs(state))
    journal, registry, snapshot, ledger, latches = _open_stores(
        stack,
        site,
        installation,
        lambda one: take_snapshot(one, pack.manifest, rates_of(config), keep=True, rules=rules),
    )
    commands = commands_or_anew(site, installation)
    stack.callback(commands.close)
    wrong = installation.judge()  # with what the stores could not go on with
    settle(installation)
    stack.callback(settle, installation)
    own_keys(site)
    time_key = config.clock.time_key_file
    engines = {
        camera.id: engine_of(pack, config.face.threads)
        for camera in config.camera
        if camera.spectrum == "visible"
    }
    pad = open_pad(state, pack.manifest.landmarks, config.face.threads)
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
        rules=rules,
        clock=clock,
        time_key=None if time_key is None else read_public_key(file.resolve(time_key)),
        command_keys=command_keys(file),
        sync_keys=sync_keys(file, site),
        doors=doors,
        indicators=shown,
        readers=readers,
        inputs=inputs,
        voice=voice,
        journal=journal,
        registry=registry,
        ledger=ledger,
        latches=latches,
        commands=commands,
        installation=installation,
        state_faults={
            **{part_of(name): detail_of(name, what) for name, what in wrong.items()},
            **config_fault(file),
        },
        community_key=load_community_key(file),
        id_reader=id_reader,
        photographs=photographs,
        pack=pack,
        pack_in_use=in_use(config.face.pack, state),
        engines=engines,
        pad=pad,
        snapshot=snapshot,
        thermometer=thermometer,
        cameras=cameras,
    )


def config_fault(file: ConfigFile) -> dict[Part, str]:
    """The fault of a gate that runs by an older config, because the card's is wrong."""
    wrong = boot_fault(file.path)
    return {} if wrong is None else {PartKind.CONFIG.part(): wrong}


def _open_stores(
    stack: ExitStack,
    site: Site,
    installation: Installation,
    snapshot_of: Callable[[SqliteRegistry], Snapshot],
) -> tuple[SqliteJournal, SqliteRegistry, Snapshot, SqlitePassLedger, SqliteLatches]:
    """Each as it is, or anew and in fault; all that is read of them at the start can be read."""

    def registry() -> tuple[SqliteRegistry, Snapshot]:
        with ExitStack() as trial:
            one = trial.enter_context(open_registry(site, Key.NEEDED, even_in_fault=True))
            try:
                snapshot = snapshot_of(one)
            except CorruptError:
                raise
            except StoreError as error:
                # No new file mends that: the gallery is of another model pack, say.
                raise UnavailableError(str(error)) from error
            stack.push(trial.pop_all())
            return one, snapshot

    def journal() -> SqliteJournal:
        return stack.enter_context(open_journal(site, may_set_aside=True))

    recorded = opened_or_anew(site, installation, JOURNAL, journal)
    known, snapshot = opened_or_anew(site, installation, REGISTRY, registry)
    used = ledger_or_anew(site, installation)
    stack.callback(used.close)
    latched = latches_or_anew(site, installation)
    stack.callback(latched.close)
    return recorded, known, snapshot, used, latched
