"""What goes to which pin of the Pi's header, by the config: each wire from its part to its pin.

Every Raspberry Pi since the B+ has the same 40 pins. What frees a door in an emergency is wired in
the lock's own supply and stands nowhere here.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from agent.config import DoorConfig, GateConfig
from agent.config.pins import PinUse, pin_map
from agent.config.tables.readers.reader import ReaderConfig

Supply = Literal["3V3", "5V", "GND"]

HEADER: tuple[int | Supply, ...] = (
    *("3V3", "5V", 2, "5V", 3, "GND", 4, 14, "GND", 15),
    *(17, 18, 27, "GND", 22, 23, "3V3", 24, 10, "GND"),
    *(9, 25, 11, 8, "GND", 7, 0, 1, 5, "GND"),
    *(6, 12, 13, "GND", 19, 16, 26, 20, "GND", 21),
)
"""What each pin is, from pin 1: a GPIO by its BCM number, or a supply."""
_SERIAL = {14: "TXD", 15: "RXD"}
_I2C = {2: "SDA", 3: "SCL"}


@dataclass(frozen=True, slots=True)
class Wire:
    """One wire: the ``part``'s ``terminal`` goes to ``pin`` of the header (1 to 40), or elsewhere.

    ``gpio`` is the BCM number; ``note`` says what is to be minded.
    """

    part: str
    terminal: str
    pin: int | None
    gpio: int | None
    to: str
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


def wires(config: GateConfig) -> list[Wire]:
    """Every wire of the config's parts, by part, in the order of the config's tables.

    A supply goes to the nearest of its pins; several parts may share one, by a terminal block.
    """
    found: dict[str, list[Wire]] = {}
    for one in _all(config):
        found.setdefault(one.part, []).append(one)
    return [placed for part in found.values() for placed in _placed(part)]


def _all(config: GateConfig) -> Iterator[Wire]:
    for use in pin_map(config):
        yield from _used(use)
    yield from _thermometer(config)
    yield from _id_reader(config)
    yield from _cameras(config)


def _placed(part: list[Wire]) -> Iterator[Wire]:
    """The wires of a part, each supply once and at a pin."""
    near = next((one.pin for one in part if one.pin is not None), 1)
    supplied: set[str] = set()
    for one in part:
        pins = [at for at, what in enumerate(HEADER, start=1) if what == one.to]
        if not pins:
            yield one
        elif one.terminal + one.to not in supplied:
            supplied.add(one.terminal + one.to)
            yield replace(one, pin=min(pins, key=lambda at: abs((at - near) // 2)))


def _used(use: PinUse) -> Iterator[Wire]:
    if isinstance(use.table, DoorConfig):
        yield from _relay(use, use.table)
    elif isinstance(use.table, ReaderConfig):
        yield from _reader(use)
    elif use.direction == "in":
        yield from _switch(use)
    else:
        level = "lit at high" if use.active_high else "lit at low"
        yield _gpio(use, _terminal(use), f"{level}; a LED by a resistor, more by a transistor")
        yield _supply(use.what.split(" (")[0], "common", "GND" if use.active_high else "3V3")


def _relay(use: PinUse, door: DoorConfig) -> Iterator[Wire]:
    level = "high" if use.active_high else "low"
    yield _gpio(use, "IN", f"energised at {level}, and then the door is {door.energised}")
    yield _supply(use.what, "VCC", "5V", "of a board whose input takes 3.3 V")
    yield _supply(use.what, "GND", "GND")
    # Where a lock needs power to hold and the relay rests meanwhile, it is the other contact.
    rests = door.lock == "fail_safe" and door.energised == "released"
    closed = "NC" if rests else "NO"
    yield Wire(
        use.what,
        f"COM, {closed}",
        None,
        None,
        "the lock's own supply",
        f"{door.lock.replace('_', ' ')} lock; a diode across its coil",
    )


def _reader(use: PinUse) -> Iterator[Wire]:
    """A reader's own supply is 12 V; only its signals come here, and their ground."""
    heard = "from the low side of a level shifter: a reader pulls to 5 V"
    shown = "by an open collector or a transistor: the reader's input stands at 5 V"
    yield _gpio(use, _terminal(use).upper(), heard if use.direction == "in" else shown)
    yield _supply(use.what.split(" (")[0], "GND", "GND", "common with the reader's supply")


def _switch(use: PinUse) -> Iterator[Wire]:
    other: Supply = "3V3" if use.pull == "down" else "GND"
    closed = use.active_high is (other == "3V3")
    rest = "closes when active (normally open)" if closed else "opens when active (normally closed)"
    pull = "a resistor of your own" if use.pull == "none" else f"the Pi pulls it {use.pull}"
    yield _gpio(use, "contact", f"{rest}; {pull}")
    yield _supply(use.what, "contact", other)


def _thermometer(config: GateConfig) -> Iterator[Wire]:
    part = config.thermometer
    if not part.on_i2c:
        return
    what = f"thermometer {part.kind}"
    if part.bus != 1:
        yield Wire(what, "SDA, SCL", None, None, f"/dev/i2c-{part.bus}", "not on the header")
        return
    for gpio, terminal in _I2C.items():
        note = "the Pi has the pull-up" if terminal == "SDA" else "at most some 30 cm"
        yield Wire(what, terminal, HEADER.index(gpio) + 1, gpio, f"GPIO {gpio}", note)
    yield _supply(what, "VDD", "3V3", "of a part for 3.3 V, never 5 V")
    yield _supply(what, "GND", "GND")


def _id_reader(config: GateConfig) -> Iterator[Wire]:
    part = config.id_reader
    if part.kind == "none":
        return
    what, pins = f"ID card reader {part.kind}", part.reserved_pins
    if not pins:
        yield Wire(what, "serial", None, None, str(part.port), "its adapter, at a USB port")
        return
    for gpio, name in _SERIAL.items():
        theirs = "RXD" if name == "TXD" else "TXD"
        note = "3.3 V; RS-232 needs a converter"
        yield Wire(what, theirs, HEADER.index(gpio) + 1, gpio, f"GPIO {gpio} ({name})", note)
    yield _supply(what, "GND", "GND")


def _cameras(config: GateConfig) -> Iterator[Wire]:
    for camera in config.camera:
        if camera.kind == "picamera2":
            yield Wire(f"camera {camera.id!r}", "ribbon", None, None, "the Pi's CAMERA port")
        elif camera.kind == "opencv":
            yield Wire(f"camera {camera.id!r}", "USB or network", None, None, "a USB port, or LAN")


def _gpio(use: PinUse, terminal: str, note: str) -> Wire:
    part = use.what.split(" (")[0] if use.table.__class__ is not DoorConfig else use.what
    pin = HEADER.index(use.pin) + 1
    return Wire(part, terminal, pin, use.pin, f"GPIO {use.pin}", note)


def _supply(part: str, terminal: str, supply: Supply, note: str = "") -> Wire:
    """At which of its pins, ``_placed`` says."""
    return Wire(part, terminal, None, None, supply, note)


def _terminal(use: PinUse) -> str:
    key = str(use.path[-1])
    return key.removesuffix("_pin") if key != "pin" else "IN"
