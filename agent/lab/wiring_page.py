"""Draws docs/img/wiring-*.svg, and the pins of docs/wiring.md: as the config's pin map has them."""

from collections.abc import Mapping
from pathlib import Path

from agent.config.load import config_in
from agent.lab.marks import between
from agent.operations.config.wiring import Wire, wires
from agent.operations.config.wiring_drawing import drawing

_DOCS = Path("docs")
_KIOSK = """
[kiosk]
community = "lakeside"
grid = "g3"
id = "north-1"
timezone = "Asia/Shanghai"
[[camera]]
id = "front"
kind = "picamera2"
[[door]]
id = "north"
kind = "{kind}"
pin = 17
active_high = true
{more}
[[access_point]]
id = "north-entry"
direction = "entry"
camera = "front"
door = "north"
[[rule]]
categories = ["resident"]
"""
_INPUT = """
[[input]]
id = "{name}"
kind = "{kind}"
pin = {pin}
active_high = {high}
pull = "up"
door = "north"
{more}
"""
_REST = """
[[indicator]]
access_point = "north-entry"
kind = "gpio"
red_pin = 23
green_pin = 24
blue_pin = 22
buzzer_pin = 25
active_high = true
[thermometer]
kind = "mlx90614"
field_of_view_deg = 5
access_point = "north-entry"
"""


def _config(kind: str, more: str, *inputs: tuple[str, str, int, str, str]) -> list[Wire]:
    text = _KIOSK.format(kind=kind, more=more)
    for name, what, pin, high, rest in inputs:
        text += _INPUT.format(name=name, kind=what, pin=pin, high=high, more=rest)
    return wires(config_in(text + _REST, Path("gate.toml")).config)


def kiosks() -> Mapping[str, list[Wire]]:
    """The two kiosks of the page, by their name: a door with its contacts, and a turnstile."""
    contact = ("door-contact", "contact", 6, "true", "")
    button = ("exit-button", "rex", 13, "false", "")
    inward = ("rotation-in", "passage", 5, "false", 'direction = "entry"')
    outward = ("rotation-out", "passage", 12, "false", 'direction = "exit"')
    return {
        "door": _config("gpio", "", contact, button),
        "turnstile": _config("turnstile", "exit_pin = 27", inward, outward),
    }


def drawings() -> Mapping[Path, str]:
    """The drawings by their place."""
    named = {"door": "A door with a lock", "turnstile": "A turnstile"}
    return {
        _DOCS / "img" / f"wiring-{name}.svg": drawing(named[name], found)
        for name, found in kiosks().items()
    }


def page(text: str) -> str:
    """The page with its tables as the code has them."""
    for name, found in kiosks().items():
        rows = ["| | | pin | |", "|---|---|---|---|"]
        rows += [f"| {one.part} | {one.terminal} | {one.pin or ''} | {one.to} |" for one in found]
        text = between(text, name, "\n".join(rows))
    return text
