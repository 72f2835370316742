"""The pin map: who has which pin, and what the Pi itself does with it from power-on.

    BCM 0 to 8     pulled up until somebody drives them
    BCM 9 to 27    pulled down
    BCM 0, 1       the EEPROM of a HAT, read at every boot
    BCM 2, 3       I2C bus 1, with a pull-up of 1.8 kOhm on the board
    BCM 14, 15     the serial line, where it is in use

Until the agent has started nobody drives a relay's pin but that pull (50 kOhm or so), which is
enough for the input of many relay boards: a relay that it energises opens the gate at power-on.
One kiosk has one header, whatever the pin factories: what is simulated now is wired later.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from agent.config.base import PinsTable, Table
from agent.config.lines import KeyPath
from agent.config.schema import GateConfig
from agent.config.tables.door import DoorConfig
from agent.config.whole import UNREAD, Finding, unsure

Level = Literal["up", "down"]

_TABLES = ("door", "input", "indicator", "reader")
_HEARD = ("d0_pin", "d1_pin")
_FIXED_UP = (2, 3)


@dataclass(frozen=True, slots=True)
class PinUse:
    """One pin and what it is for; ``table`` is the config's, ``path`` the key that names the pin.

    ``active_high`` is the level at which a relay is energised, a light lit, an input active;
    ``pull`` what the config gives an input.
    """

    pin: int
    what: str
    path: KeyPath
    table: PinsTable
    direction: Literal["in", "out"]
    active_high: bool
    pull: str | None = None

    @property
    def power_on(self) -> Level:
        """The pull that the Pi gives the pin until somebody drives it."""
        return "up" if self.pin <= 8 else "down"


def pin_map(config: GateConfig) -> tuple[PinUse, ...]:
    """Every pin of the config, in the order of its tables; whatever key ends in ``pin``."""
    return tuple(use for name in _TABLES for use in _uses(config, name))


def reserved_pins(config: GateConfig) -> dict[int, str]:
    """Pins that something other than doors, inputs and lights needs, and what it is."""
    reserved = dict.fromkeys((0, 1), "the EEPROM of a HAT, which the Pi reads at every boot")
    for name in GateConfig.model_fields:
        table = getattr(config, name)
        if isinstance(table, Table):
            reserved |= table.reserved_pins
    return reserved


def check_pins(config: GateConfig, mended: Collection[KeyPath] = ()) -> Iterator[Finding]:
    """Pins that are used twice, are reserved, or energise a relay at power-on."""
    reserved = reserved_pins(config)
    seen: dict[int, str] = {}
    for use in pin_map(config):
        if unsure(use.path, mended):
            continue
        if use.pin in seen:
            yield use.path, f"pin {use.pin} is already that of {seen[use.pin]}"
        seen.setdefault(use.pin, use.what)
        if use.pin in reserved:
            yield use.path, f"pin {use.pin} is reserved for {reserved[use.pin]}", "choose another"
        beside = [(*use.path[:2], name) for name in ("active_high", "energised", "pull")]
        if not any(unsure(path, mended) for path in beside):
            yield from _pulled(use)


def _pulled(use: PinUse) -> Iterator[Finding]:
    if use.pull is not None and use.pin in _FIXED_UP and use.pull != "up":
        message = f"pin {use.pin} has a pull-up on the board"
        yield use.path, message, 'pull = "up", or another pin'
    door = use.table
    if not isinstance(door, DoorConfig) or door.energised != "released" or door.pull_resistor:
        return
    if use.active_high is (use.power_on == "up"):
        other = "9 to 27" if use.power_on == "up" else "0 to 8"
        message = (
            f"at power-on the Pi pulls pin {use.pin} {use.power_on}, which energises the relay and"
            f" releases the door until the agent has started"
        )
        fix = (
            f"choose a pin of {other}, or a relay board of the other polarity, or fit a resistor"
            f" that holds its input at rest and set pull_resistor = true"
        )
        yield use.path, message, fix


def _uses(config: GateConfig, name: str) -> Iterator[PinUse]:
    tables: tuple[PinsTable, ...] = getattr(config, name)
    for i, table in enumerate(tables):
        if UNREAD in (getattr(table, "id", ""), getattr(table, "access_point", "")):
            continue
        for key in type(table).model_fields:
            pin = getattr(table, key)
            if (key == "pin" or key.endswith("_pin")) and pin is not None:
                heard = name == "input" or key in _HEARD
                yield PinUse(
                    pin,
                    _what(name, table, key),
                    (name, i, key),
                    table,
                    "in" if heard else "out",
                    bool(getattr(table, "active_high", True)),
                    getattr(table, "pull", None) if heard else None,
                )


def _what(name: str, table: PinsTable, key: str) -> str:
    whose = getattr(table, "id", None) or getattr(table, "access_point", "")
    part = key.removesuffix("pin").rstrip("_")
    return f"{name} {whose!r}" + (f" ({part})" if part else "")
