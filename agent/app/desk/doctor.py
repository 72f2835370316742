"""Opens for the doctor what it looks at: one thing at a time, and no door unless it is asked for.

The order is that of a start. Where an agent runs on this state directory, it has the pins, so only
what can be looked at beside it is.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from agent.adapters.clock import SystemClock
from agent.adapters.pins.inputs import GpioInputs
from agent.adapters.store.keys import next_path
from agent.adapters.voice.loudspeaker import PROGRAM
from agent.app.desk.examined.line import broker_fact
from agent.app.desk.examined.machine import board_fact, thermometer_fact, time_fact
from agent.app.desk.examined.sight import camera_fact
from agent.app.open.control import ask
from agent.app.open.doors import PinFactories, open_inputs, open_output
from agent.app.open.files.installation import detail_of, installation_of
from agent.app.open.files.key_place import key_lies
from agent.app.open.files.keys import key_id_of
from agent.app.open.files.running import agent_runs
from agent.app.open.files.state import LOCK, REGISTRY
from agent.app.open.files.stores import Key, has_journal, has_registry, read_registry
from agent.app.open.pad import open_pad
from agent.app.open.paths import control_socket
from agent.app.open.settings import kiosk_settings
from agent.app.open.site import site_of
from agent.app.open.snapshot import damage_text, other_packs_text
from agent.app.open.voice import open_voice
from agent.config import CameraConfig, ConfigFile, InputConfig, load_config
from agent.config.pins import PinUse, pin_map
from agent.config.tables.input import outputs_of
from agent.domain.access.rule import face_without_pad
from agent.domain.credential.near import did_you_mean
from agent.errors import RefusedError, StoreError, UnavailableError
from agent.operations.config.boot_adopt import boot_fault, last_adoption
from agent.operations.examination.facts import (
    AgentFact,
    BrokerFact,
    Doubtful,
    TimeFact,
)
from agent.operations.packs.choice import in_use
from agent.operations.people.holders import unread_names
from agent.ports import Door
from agent.vision.packs.manifest import read_manifest
from agent.vision.packs.packs import load_pack

Probe = Callable[[], object]
_LEAST_FREE_BYTES = 200_000_000
_NO_FILES = "none were made yet"


class ExaminedKiosk:
    """The kiosk that is looked over: its config, and what the doctor may open of it."""

    def __init__(self, config: Path, state: Path) -> None:
        """Read the config.

        Raises:
            ConfigError: it is wrong.
        """
        self.file = load_config(config)
        self._state = state
        self._lock = LOCK.at(state)
        self._clock = SystemClock()
        self._factories = PinFactories()

    def agent_runs(self) -> bool:
        """Whether an agent holds this state directory; then it holds the pins too.

        Where this user may not look, one may run: then nothing of its is touched either.
        """
        return agent_runs(self._state)

    def probes(self) -> Iterator[tuple[str, Probe]]:
        """What can be looked at whether or not an agent runs; each probe says what it found."""
        config = self.file.config
        yield "agent", self._agent
        if last_adoption(self.file.path):
            yield "card's config", self._card
        yield "state directory", self._state_dir
        yield "state files", self._state_files
        yield "disk", self._disk
        yield "model pack", self._pack
        yield "attack detection", self._pad
        if os.path.lexists(REGISTRY.at(self._state)):
            yield "registry", self._registry
        yield "gallery key", self._key
        yield "time", self._time
        yield "board", board_fact
        for camera in config.camera:
            yield f"camera {camera.id}", partial(self._camera, camera)
        if config.broker is not None:
            yield "broker", self._broker
        if config.thermometer.kind != "none" and self.agent_runs():
            yield "thermometer", partial(self._of_agent, "thermometer")
        if config.id_reader.port is not None:
            yield "id reader", lambda: _device(Path(str(config.id_reader.port)), "the card reader")
        if config.voice.kind != "none":
            yield "voice", self._voice

    def _card(self) -> str:
        if (wrong := boot_fault(self.file.path)) is not None:
            fix = "mend gate.toml on the boot partition: gate-status.txt beside it says each fault"
            raise UnavailableError(wrong, fix)
        return "gate.toml of the boot partition is what the gate runs by, or was removed there"

    def _pack(self) -> str | Doubtful:
        used = in_use(self.file.config.face.pack, self._state)
        load_pack(used.pack, self._state)
        said = f"{used.pack} {used.version}, because {used.why}"
        if not used.not_measured_for:
            return said
        lacks = (f"not measured for {whom}" for whom in used.not_measured_for)
        return Doubtful("; ".join((said, *lacks)))

    def _pad(self) -> str | Doubtful:
        used = in_use(self.file.config.face.pack, self._state)
        lacking = [f"{name} is not ({reason})" for name, reason in used.missing.items()]
        said = "; ".join([self._pad_said(used.attack_detection, used.pack), *lacking])
        return said if used.attack_detection and not lacking else Doubtful(said)

    def _pad_said(self, names: tuple[str, ...], face_pack: str) -> str:
        load_config(self.file.path, names)  # refuses what only their absence makes wrong
        if not names:
            settings = kiosk_settings(self.file.config, "")
            if face_without_pad(settings.rules, accept_no_pad=settings.accept_no_pad):
                return "none is installed, and the config accepts that: a photograph may pass"
            return "none is installed, and no rule counts a face"
        manifest = read_manifest(face_pack)
        opened = open_pad(self._state, manifest.landmarks)
        assert opened is not None
        return ", ".join(f"{pack.name} {pack.version}" for pack in opened.packs)

    def _registry(self) -> str:
        site = site_of(self._state, self.file.path)
        manifest = read_manifest(site.face.pack)
        with read_registry(site, Key.IF_ANY) as registry:
            damage, holders = registry.damage(), registry.readable_holders()
            others = registry.of_other_packs(manifest.name, manifest.version)
        if damage.rows:
            fix = "gate-agent holders list names holders who are refused; enter again what is lost"
            raise StoreError(damage_text(damage.rows), fix)
        sealed = unread_names(holders)
        if sealed is not None:
            # The references are sealed by the same key: nobody is known by face.
            said, _, fix = sealed.partition("\nFix: ")
            raise StoreError(said, fix)
        if others:
            said, _, fix = other_packs_text(others, manifest.name).partition("\nFix: ")
            raise UnavailableError(said, fix)
        return "1 holder" if len(holders) == 1 else f"{len(holders)} holders"

    def hardware_probes(self) -> Iterator[tuple[str, Probe]]:
        """What only one process can have: not while an agent runs."""
        thermometer = self.file.config.thermometer
        if thermometer.on_i2c:
            yield "i2c bus", lambda: _i2c(thermometer.bus)
        if thermometer.kind != "none":
            yield "thermometer", lambda: thermometer_fact(thermometer)

    def uses(self) -> tuple[PinUse, ...]:
        """The pin map."""
        return pin_map(self.file.config)

    def check_output(self, name: str) -> None:
        """See that there is such an output, and that no agent has it.

        Raises:
            RefusedError: ``unknown_door``, ``agent_runs``.
        """
        outputs = [output for door in self.file.config.door for output in door.outputs]
        if name not in outputs:
            near = did_you_mean(name, outputs)
            message = f"there is no door {name!r}{near}\nFix: one of {', '.join(outputs)}"
            raise RefusedError("unknown_door", message)
        if self.agent_runs():
            message = "an agent runs and has the door\nFix: systemctl stop gate-agent"
            raise RefusedError("agent_runs", message)

    def watchers(self, output: str) -> dict[str, str]:
        """The inputs that watch an output: its ``feedback`` and its ``contact``, by their ids."""
        doors = {door.id: door for door in self.file.config.door}
        return {
            one.kind: one.id
            for one in self.file.config.input
            if one.kind.traits.one_an_output
            and one.door is not None
            and output in outputs_of(one, doors[one.door])
        }

    def input_reader(self, one: InputConfig) -> Callable[[], bool]:
        """What reads one input and says whether it is active."""

        def read() -> bool:
            with self.inputs(one) as inputs:
                assert inputs is not None
                (found,) = inputs.take(0.0)
                return found.active

        return read

    @contextmanager
    def inputs(self, *only: InputConfig) -> Iterator[GpioInputs | None]:
        """The inputs of the config, or ``only`` these, while the block runs; None without any.

        Raises:
            UnavailableError: a pin cannot be had.
        """
        opened = open_inputs(self.file, self._clock, self._factories, only or None)
        if opened is None:
            yield None
            return
        with closing(opened):
            yield opened

    @contextmanager
    def door_and_inputs(
        self, name: str, longest_s: float
    ) -> Iterator[tuple[Door, GpioInputs | None]]:
        """One output at rest, never released for longer, and all inputs.

        Raises:
            UnavailableError: a pin cannot be had.
        """
        with ExitStack() as stack:
            door = open_output(self.file, name, self._clock, self._factories, longest_s)
            stack.callback(door.close)
            inputs = open_inputs(self.file, self._clock, self._factories)
            if inputs is not None:
                stack.callback(inputs.close)
            yield door, inputs

    def _agent(self) -> AgentFact:
        if not self.agent_runs():
            return AgentFact(runs=False)
        if not os.access(self._lock, os.R_OK | os.W_OK):
            fix = "run as the agent's user: sudo -u gate-agent"
            raise UnavailableError(f"{self._lock} is not for this user: one may run", fix)
        status = self._status
        return AgentFact(runs=True, faults=None if status is None else tuple(status["faults"]))

    @cached_property
    def _status(self) -> dict[str, Any] | None:
        """What a running agent says of itself; None where none runs, or it does not answer."""
        if not self.agent_runs():
            return None
        configured = self.file.config.control.socket
        socket = control_socket(
            None if configured is None else self.file.resolve(configured), self._state
        )
        try:
            found = ask(socket, {"command": "status"}).get("status")
        except UnavailableError:
            return None
        return {"faults": {}, **found} if isinstance(found, dict) else None

    def _of_agent(self, *parts: str) -> str:
        """What the running agent, which has them, says of its parts.

        Raises:
            UnavailableError: one of them is in fault, or the agent does not answer.
        """
        if self._status is None:
            fix = "journalctl -u gate-agent says why; systemctl restart gate-agent"
            raise UnavailableError("a running agent has it, and does not answer", fix)
        wrong = {part: what for part in parts if (what := self._status["faults"].get(part))}
        for part, what in wrong.items():
            said, _, fix = str(what).partition("\nFix: ")
            raise UnavailableError(f"the running agent says of {part}: {said}", fix or None)
        return "the running agent has it, without a fault"

    def _camera(self, camera: CameraConfig) -> object:
        if self.agent_runs():
            return self._of_agent(*(f"{kind}:{camera.id}" for kind in ("camera", "lens", "mount")))
        _camera_there(self.file, camera)
        return camera_fact(self.file, camera)

    def _broker(self) -> BrokerFact:
        status = self._status or {}
        away = status.get("broker") == "away"
        return broker_fact(self.file, str(status.get("broker_why") or "away") if away else None)

    def _time(self) -> TimeFact:
        vouched = self.file.config.clock.trust_system_clock
        return time_fact(vouched=vouched, status=self._status)

    def _state_dir(self) -> str:
        place = _there(self._state)
        if not os.access(place, os.W_OK | os.X_OK):
            fix = "run as the agent's user: sudo -u gate-agent; or name another --state-dir"
            raise UnavailableError(f"{place} cannot be written by this user", fix)
        return str(self._state) if place == self._state else f"will be made in {place}"

    def _state_files(self) -> str:
        site = site_of(self._state, self.file.path)
        installation = installation_of(site)
        wrong = installation.look()
        if not wrong:
            if installation.identity:
                return "all are those that were there"
            old = has_registry(site) or has_journal(site)
            return "of an earlier version: the next start takes them over" if old else _NO_FILES
        said = "; ".join(detail_of(name, what) for name, what in wrong.items())
        fix = (
            "stop the agent and put the right files back; or, to go on with what is there:"
            f" gate-agent state accept {next(iter(wrong))} --reason TEXT"
        )
        raise UnavailableError(said, fix)

    def _disk(self) -> str:
        place = _there(self._state)
        free = shutil.disk_usage(place).free
        if free < _LEAST_FREE_BYTES:
            fix = "free space: the journal needs some; see journal_days"
            raise UnavailableError(f"{free // 1_000_000} MB are free at {place}", fix)
        return f"{free / 1e9:.1f} GB free"

    def _key(self) -> str:
        site = site_of(self._state, self.file.path)
        found = key_id_of(site)
        if next_path(site.key_file).exists():
            begun = "a change of the key was begun and not ended; what is sealed opens by either"
            raise UnavailableError(begun, "gate-agent key rotate")
        return f"id {found}; {key_lies(site)}"

    def _voice(self) -> str:
        settings = self.file.config.voice
        if settings.kind == "aplay" and shutil.which(PROGRAM) is None:
            raise UnavailableError(f"{PROGRAM} is missing", "sudo apt install alsa-utils")
        voice = open_voice(self.file, self._state, self._clock)
        if voice is not None and voice.missing:
            missing = f"{len(voice.missing)} messages were not prepared"
            raise UnavailableError(missing, "gate-agent voice prepare")
        return f"{settings.kind}, {', '.join(settings.languages)}"


def _there(path: Path) -> Path:
    """The nearest folder around ``path`` that exists."""
    return next(place for place in (path, *path.absolute().parents) if place.is_dir())


def _device(path: Path, what: str) -> str:
    if not path.exists():
        raise UnavailableError(f"{path} is not there", f"plug {what} in, or name another one")
    if not os.access(path, os.R_OK | os.W_OK):
        raise UnavailableError(f"{path} is not for this user", f"see its group: ls -l {path}")
    return str(path)


def _i2c(bus: int) -> str:
    path = Path(f"/dev/i2c-{bus}")
    if not path.exists():
        fix = "switch the bus on: sudo raspi-config nonint do_i2c 0, then restart"
        raise UnavailableError(f"{path} is not there", fix)
    return _device(path, "the thermometer")


def _camera_there(file: ConfigFile, camera: CameraConfig) -> None:
    """See that its device or file is there, and for this user.

    Raises:
        UnavailableError: it is not.
    """
    source = camera.source
    if camera.kind == "picamera2":
        if find_spec("picamera2") is None:
            raise UnavailableError("picamera2 is missing", "sudo apt install python3-picamera2")
        if not list(Path("/dev").glob("media*")):
            raise UnavailableError("no camera is there", "check its cable: rpicam-hello --list")
    elif isinstance(source, int):
        _device(Path(f"/dev/video{source}"), "the camera")
    elif not (isinstance(source, str) and "://" in source):
        for name in source if isinstance(source, list) else [source]:
            if not file.resolve(name).exists():
                raise UnavailableError(f"{name} is not there", "plug it in, or name a file")
