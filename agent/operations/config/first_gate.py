"""A first gate's config: what was answered in, TOML out, judged by the schema itself.

Only what differs from the defaults is written, each with a comment in people's words, and what has
no default. There is one door, one camera before it, one access point and one rule.
"""

import json
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from agent.config import BrokerConfig, CameraConfig, DoorConfig, GateConfig, RuleConfig
from agent.config.relations import check_relations
from agent.config.tables.voice import VoiceConfig

CAMERA, DOOR, POINT, COMMANDER = "front", "gate", "entry", "office"
"""The ids of a first gate's parts."""
CATEGORIES = ("resident", "staff")
PINS_FILE = "pins.bin"
COMMAND_VERBS = ("lockdown", "announce", "health", "range")
"""What a command key may ask for unless somebody says more: nothing that lets anybody in."""
_COMMENTS_AT = 36
_HEAD = """\
# A gate's config, begun by gate-agent init. What is not said here is as it is by default;
# config/gate.example.toml has every key with its range and unit.
# After a change: gate-agent config check --config FILE"""


@dataclass(frozen=True, slots=True)
class Eye:
    """The camera as the config names it; photographs where it is simulated."""

    kind: str
    source: int | str | tuple[str, ...] = 0

    @property
    def is_film(self) -> bool:
        """Whether it is a file that has an end."""
        return (
            self.kind == "opencv"
            and isinstance(self.source, str)
            and "://" not in self.source
            and not self.source.startswith("/dev/")
        )

    @property
    def is_live(self) -> bool:
        """Whether somebody can stand before it."""
        return self.kind != "simulated" and not self.is_film


@dataclass(frozen=True, slots=True)
class FirstGate:
    """What was answered, in the config's units; pins are BCM numbers, None is not wired.

    Paths are as the config will have them. The broker's password is not here but in its file.
    """

    community: str = "site"
    grid: str = "g1"
    kiosk: str = "kiosk"
    timezone: str = "UTC"
    camera: Eye = Eye("opencv", 0)
    pins: str = "simulated"
    active_high: bool = True
    relay_pin: int = 17
    pull_resistor: bool = False
    pulse_s: float = 3.0
    contact_pin: int | None = None
    exit_pin: int | None = None
    fire_pin: int | None = None
    broker: str | None = None
    broker_port: int = 1883
    broker_ca: str | None = None
    broker_cert: str | None = None
    broker_key: str | None = None
    broker_user: str | None = None
    broker_password_file: str | None = None
    command_key: str | None = None
    command_verbs: tuple[str, ...] = COMMAND_VERBS
    registry_key: str | None = None
    thermometer: str = "none"
    field_of_view_deg: int | None = None
    id_reader: str | None = None
    accept_no_pad: bool = False
    # What counts no face is right wherever no attack detection is installed.
    factors: tuple[str, ...] = ("pass",)
    voice: str = "none"
    languages: tuple[str, ...] = ("zh", "en")
    key_file: str | None = None

    @property
    def counts_faces(self) -> bool:
        """Whether anybody comes in by a face."""
        return any("face" in one.split("+") for one in self.factors)


def config_text(gate: FirstGate) -> str:
    """The whole file."""
    return "\n\n".join([_HEAD, *("\n".join(rows) for rows in _tables(gate) if rows)]) + "\n"


def config_of(gate: FirstGate) -> GateConfig:
    """What the file says.

    Raises:
        ValidationError: the schema forbids it.
    """
    data = tomllib.loads(config_text(gate))
    return GateConfig.model_validate_json(json.dumps(data), strict=True)


def objection(gate: FirstGate, pad: Collection[str]) -> str | None:
    """What the config's own rules have against it, the first thing; None where nothing.

    ``pad`` names the attack detection packs that are installed.
    """
    try:
        config = config_of(gate)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        if first["type"] == "string_pattern_mismatch":
            return "it has not the form that is wanted"
        return first["msg"].removeprefix("Value error, ")
    found = next(iter(check_relations(config, pad=pad)), None)
    if found is None:
        return None
    return ". ".join([found[1], *(fix[:1].upper() + fix[1:] for fix in found[2:])])


def _tables(gate: FirstGate) -> Iterator[list[str]]:
    yield [
        "[kiosk]  # its topics: gate/COMMUNITY/GRID/ID/...",
        _row("community", gate.community),
        _row("grid", gate.grid),
        _row("id", gate.kiosk),
        *_unless("UTC", "timezone", gate.timezone, "of schedules and of what people read"),
    ]
    yield [*_camera(gate.camera)]
    yield [*_door(gate)]
    yield [
        "[[access_point]]",
        _row("id", POINT),
        _row("direction", "entry"),
        _row("camera", CAMERA),
        _row("door", DOOR),
    ]
    yield from _inputs(gate)
    yield [
        "[[rule]]  # who may pass; a category without a rule is refused",
        _row("categories", CATEGORIES),
        *_unless(_default(RuleConfig, "factors"), "factors", gate.factors, "one is enough"),
    ]
    if gate.accept_no_pad:
        why = "without attack detection a photograph may pass"
        yield ["[face]", _row("accept_no_pad", value=True, why=why)]
    yield from _parts(gate)
    if gate.broker is not None:
        yield [*_broker(gate, gate.broker)]
        yield from _community(gate)
    if gate.key_file is not None:
        why = "opens names and faces: keep a copy elsewhere"
        yield ["[store]", _row("key_file", gate.key_file, why)]


def _camera(eye: Eye) -> Iterator[str]:
    yield "[[camera]]"
    yield _row("id", CAMERA)
    yield _row("kind", eye.kind, "shows photographs" if eye.kind == "simulated" else "")
    yield from _unless(_default(CameraConfig, "source"), "source", eye.source)
    if eye.is_film or eye.kind == "simulated":
        yield _row("loop", value=True, why="from the beginning again; else the agent ends with it")


def _door(gate: FirstGate) -> Iterator[str]:
    yield "[[door]]"
    yield _row("id", DOOR)
    yield _row("kind", "gpio")
    yield _row("pin", gate.relay_pin, "BCM number of the relay")
    level = "high" if gate.active_high else "low"
    yield _row("active_high", gate.active_high, f"{level} energises the relay and frees the door")
    if gate.pull_resistor:
        yield _row("pull_resistor", value=True, why="a resistor holds the relay's input at rest")
    why = "seconds that the door is free after a grant"
    yield from _unless(_default(DoorConfig, "pulse_s"), "pulse_s", gate.pulse_s, why)
    if gate.pulse_s > _default(DoorConfig, "max_pulse_s"):
        yield _row("max_pulse_s", gate.pulse_s, "never longer")
    yield from _factory(gate)


def _inputs(gate: FirstGate) -> Iterator[list[str]]:
    # The levels are those at which a cut wire does no harm: agent.domain.door.signal says which.
    for kind, pin, high, why in (
        ("contact", gate.contact_pin, True, "closed to ground while the door is shut"),
        ("rex", gate.exit_pin, False, "the button connects it to ground"),
        ("fire", gate.fire_pin, True, "closed to ground while there is no alarm"),
    ):
        if pin is None:
            continue
        yield [
            "[[input]]",
            _row("id", {"rex": "exit-button", "fire": "fire-alarm"}.get(kind, kind)),
            _row("kind", kind),
            _row("pin", pin),
            _row("active_high", high, why),
            _row("pull", "up"),
            _row("door", DOOR),
            *_factory(gate),
        ]


def _factory(gate: FirstGate) -> Iterator[str]:
    if gate.pins != "lgpio":
        why = "in a file" if gate.pins == "simulated" else "in memory"
        yield _row("pin_factory", gate.pins, f"pins {why}: nothing real moves")
    if gate.pins == "simulated":
        yield _row("pins_file", PINS_FILE)


def _parts(gate: FirstGate) -> Iterator[list[str]]:
    if gate.thermometer != "none":
        view = gate.field_of_view_deg
        yield [
            "[thermometer]  # a rule refuses by it only with temperature_limit_c",
            _row("kind", gate.thermometer),
            *([] if view is None else [_row("field_of_view_deg", view, "as its name says")]),
        ]
    if gate.id_reader is not None:
        yield [
            "[id_reader]",
            _row("kind", "ga467"),
            _row("port", gate.id_reader),
            _row("access_point", POINT),
        ]
    if gate.voice != "none":
        yield [
            "[voice]",
            _row("kind", gate.voice),
            _row("access_point", POINT),
            *_unless(_default(VoiceConfig, "languages"), "languages", gate.languages),
        ]


def _broker(gate: FirstGate, host: str) -> Iterator[str]:
    yield "[broker]"
    yield _row("host", host)
    yield from _unless(_default(BrokerConfig, "port"), "port", gate.broker_port)
    if gate.broker_ca is not None:
        yield _row("ca_file", gate.broker_ca, "TLS, by this authority")
    # One without the other is no answer yet.
    if gate.broker_cert is not None and gate.broker_key is not None:
        yield _row("cert_file", gate.broker_cert, "the kiosk's own certificate")
        yield _row("key_file", gate.broker_key, "its key: mode 0600")
    if gate.broker_user is not None:
        yield _row("username", gate.broker_user)
    if gate.broker_password_file is not None:
        yield _row("password_file", gate.broker_password_file, "mode 0600")


def _community(gate: FirstGate) -> Iterator[list[str]]:
    """Whose signed words count."""
    if gate.command_key is not None:
        yield [
            "[[command_key]]",
            _row("id", COMMANDER),
            _row("file", gate.command_key, "public: the private half stays in the office"),
            _row("verbs", gate.command_verbs),
        ]
    if gate.registry_key is not None:
        why = "public: whose updates of the registry count"
        yield ["[registry]", _row("key_files", (gate.registry_key,), why)]


def _default(table: type[Any], key: str) -> Any:
    return table.model_fields[key].default


def _unless(default: object, key: str, value: object, why: str = "") -> Iterator[str]:
    if value != default:
        yield _row(key, value, why)


def _row(key: str, value: object, why: str = "") -> str:
    said = f"{key} = {_toml(value)}"
    return f"{f'{said} ':<{_COMMENTS_AT}}# {why}" if why else said


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # JSON's texts are TOML's but for one character that only TOML forbids.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
