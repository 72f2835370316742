"""Opens for the doctor what it looks at: one thing at a time, and no door unless it is asked for.

The order is that of a start. Where an agent runs on this state directory, it has the pins, so only
what can be looked at beside it is.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from agent.adapters.clock import SystemClock
from agent.adapters.pins.inputs import GpioInputs
from agent.app.desk.examined.asked import camera_asked, thermometer_asked
from agent.app.desk.examined.bus import bus_fact
from agent.app.desk.examined.chain import journal_fact
from agent.app.desk.examined.devices import camera_there, device_found, i2c_found, voice_found
from agent.app.desk.examined.disk import (
    backup_found,
    disk_fact,
    strangers_found,
    written_found,
)
from agent.app.desk.examined.holdings import (
    key_found,
    kiosk_keys_found,
    nearest,
    registry_found,
    state_dir_found,
    state_files_found,
)
from agent.app.desk.examined.inference import inference_facts
from agent.app.desk.examined.line import broker_fact
from agent.app.desk.examined.machine import board_fact, thermometer_fact, time_fact
from agent.app.desk.examined.mending import repairs
from agent.app.desk.examined.owners import owners_found
from agent.app.desk.examined.packaged import unit_found, unit_state
from agent.app.desk.examined.packs import pack_found, pad_found
from agent.app.desk.examined.sight import camera_fact
from agent.app.desk.examined.software import software_found
from agent.app.open.control import ask
from agent.app.open.doors import PinFactories, open_inputs, open_output
from agent.app.open.files.running import agent_runs
from agent.app.open.files.state import JOURNAL, LOCK, REGISTRY
from agent.app.open.paths import control_socket
from agent.app.open.readers import open_readers
from agent.config import CameraConfig, InputConfig, ThermometerConfig, load_config
from agent.config.pins import PinUse, pin_map
from agent.config.tables.input import outputs_of
from agent.config.tables.readers.reader import ReaderConfig
from agent.domain.access.part import PartKind
from agent.domain.credential.near import did_you_mean
from agent.errors import RefusedError, UnavailableError
from agent.operations.config.boot_adopt import boot_fault, last_adoption
from agent.operations.examination.facts import (
    AgentFact,
    BrokerFact,
    DiskFact,
    TimeFact,
)
from agent.operations.examination.repair import Repair
from agent.operations.packs.choice import pack_of
from agent.ports import Door
from agent.vision.packs.packs import is_installed

Probe = Callable[[], object]
_LEAST_FREE_BYTES = 200_000_000
_LISTENS_S = 0.3
_NO_FILES = "none were made yet"


class ExaminedKiosk:
    """The kiosk that is looked over: its config, and what the doctor may open of it."""

    def __init__(self, config: Path, state: Path, *, deep: bool = False) -> None:
        """Read the config; ``deep`` looks over the whole journal.

        Raises:
            ConfigError: it is wrong.
        """
        self.file = load_config(config)
        self._state = state
        self._deep = deep
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
        yield from self._kept()
        yield "time", self._time
        yield "board", board_fact
        picamera = any(one.kind == "picamera2" for one in config.camera)
        yield "software", partial(software_found, picamera=picamera)
        for camera in config.camera:
            yield f"camera {camera.id}", partial(self._camera, camera)
        if config.broker is not None:
            yield "broker", self._broker
        if config.thermometer.kind != "none" and self.agent_runs():
            yield "thermometer", self._thermometer
        if config.id_reader.port is not None:
            port = Path(str(config.id_reader.port))
            yield "id reader", partial(device_found, port, "the card reader")
        for reader in config.reader:
            yield f"reader {reader.id}", partial(self._reader, reader)
        if config.voice.kind != "none":
            yield "voice", partial(voice_found, self.file, self._state, self._clock)

    def _kept(self) -> Iterator[tuple[str, Probe]]:
        """What lies in the state folder."""
        yield "state directory", partial(state_dir_found, self._state)
        yield "state files", partial(state_files_found, self.file, self._state)
        if self._state.is_dir():
            yield "unknown files", partial(strangers_found, self._state)
            yield "file owners", partial(owners_found, self._state)
        if (unit := unit_state(self._state)) is not None:
            yield "service", partial(unit_found, unit)
        yield "disk", self._disk
        yield "model pack", partial(pack_found, self.file, self._state)
        yield "attack detection", partial(pad_found, self.file, self._state)
        if os.path.lexists(REGISTRY.at(self._state)):
            yield "registry", partial(registry_found, self.file, self._state)
        if os.path.lexists(JOURNAL.at(self._state)):
            yield "journal", partial(journal_fact, self._state, self.file.path, deep=self._deep)
        if self.file.config.store.backup is not None:
            yield "backup", partial(backup_found, self._state, self.file.config.store.backup)
        yield "gallery key", partial(key_found, self.file, self._state)
        yield "kiosk keys", partial(kiosk_keys_found, self._state, self.file)

    def _disk(self) -> DiskFact:
        written = written_found(self._state, self.file.config.store.written_mb_a_day)
        return replace(disk_fact(nearest(self._state)), written=written)

    def _card(self) -> str:
        if (wrong := boot_fault(self.file.path)) is not None:
            fix = "mend gate.toml on the boot partition: gate-status.txt beside it says each fault"
            raise UnavailableError(wrong, fix)
        return "gate.toml of the boot partition is what the gate runs by, or was removed there"

    def repairs(self, brought: Path | None) -> list[Repair]:
        """What may be mended without a person's judgement; ``brought``: where packs' files lie."""
        return [*repairs(self.file, self._state, brought)]

    def hardware_probes(self) -> Iterator[tuple[str, Probe]]:
        """What only one process can have, or has room for: not while an agent runs."""
        if is_installed(pack_of(self.file.config.face.pack, self._state), self._state):
            yield "inference", partial(inference_facts, self.file, self._state)
        thermometer = self.file.config.thermometer
        if thermometer.on_i2c:
            yield "i2c bus", partial(self._bus, thermometer)
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

    def _bus(self, thermometer: ThermometerConfig) -> object:
        i2c_found(thermometer.bus)
        return bus_fact(thermometer)

    def _agent(self) -> AgentFact:
        if not self.agent_runs():
            return AgentFact(runs=False)
        if not os.access(self._lock, os.R_OK | os.W_OK):
            fix = "run as the agent's user: sudo -u gate-agent"
            raise UnavailableError(f"{self._lock} is not for this user: one may run", fix)
        status = self._status
        return AgentFact(runs=True, faults=None if status is None else tuple(status["faults"]))

    @property
    def _socket(self) -> Path:
        configured = self.file.config.control.socket
        return control_socket(
            None if configured is None else self.file.resolve(configured), self._state
        )

    @cached_property
    def _status(self) -> dict[str, Any] | None:
        """What a running agent says of itself; None where none runs, or it does not answer."""
        if not self.agent_runs():
            return None
        try:
            found = ask(self._socket, {"command": "status"}).get("status")
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
            kinds = ("camera", "lens", "mount")
            said = self._of_agent(*(f"{kind}:{camera.id}" for kind in kinds))
            return camera_asked(self._socket, camera) or said
        camera_there(self.file, camera)
        return camera_fact(self.file, camera)

    def _reader(self, reader: ReaderConfig) -> str:
        part = PartKind.READER.part(reader.id)
        if self.agent_runs():
            return self._of_agent(part)
        with ExitStack() as stack:
            opened = open_readers(stack, self.file, self._clock, self._factories, [reader])
            # As long as a frame takes and more: wires that float are never quiet.
            opened[reader.id].read(_LISTENS_S)
        return f"{reader.kind}, {', '.join(reader.formats)}; its wires are quiet"

    def _thermometer(self) -> object:
        said = self._of_agent("thermometer")
        found = thermometer_asked(self._socket, self.file.config.thermometer)
        return found or f"{said}; it has read nothing yet"

    def _broker(self) -> BrokerFact:
        status = self._status or {}
        away = status.get("broker") == "away"
        return broker_fact(self.file, str(status.get("broker_why") or "away") if away else None)

    def _time(self) -> TimeFact:
        vouched = self.file.config.clock.trust_system_clock
        return time_fact(vouched=vouched, status=self._status)
