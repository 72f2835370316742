"""Which wire goes to which pin: by the header that every Pi has, and by what the config means."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from gate_command import Gate
from places import ROOT

from agent.config.load import config_in
from agent.lab import wiring_page
from agent.operations.config.wiring import HEADER, Wire, wires
from agent.operations.config.wiring_drawing import drawing

EXAMPLE = (ROOT / "config" / "gate.example.toml").read_text()


def of(found: list[Wire], part: str) -> dict[str, Wire]:
    return {one.terminal: one for one in found if one.part == part}


def example(*changes: tuple[str, str]) -> list[Wire]:
    text = EXAMPLE
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    return wires(config_in(text, Path("gate.toml")).config)


def test_the_header_has_each_gpio_once_and_its_supplies() -> None:
    assert len(HEADER) == 40
    assert sorted(one for one in HEADER if isinstance(one, int)) == list(range(28))
    supplies = {name: HEADER.count(name) for name in ("3V3", "5V", "GND")}
    assert supplies == {"3V3": 2, "5V": 2, "GND": 8}
    # Those that nobody gets wrong twice (Raspberry Pi's own drawing of the 40 pins).
    known = {1: "3V3", 2: "5V", 3: 2, 5: 3, 6: "GND", 8: 14, 11: 17, 12: 18, 39: "GND", 40: 21}
    assert {pin: HEADER[pin - 1] for pin in known} == known


def test_each_part_has_its_wires() -> None:
    found = example()
    assert of(found, "door 'turnstile'")["IN"].pin == 11
    contact = [one for one in found if one.part == "input 'north-contact'"]
    assert [(one.to, one.pin) for one in contact] == [("GPIO 6", 31), ("GND", 30)]
    assert "normally closed" in contact[0].note
    lights = of(found, "indicator 'north-entry'")
    assert {name: one.pin for name, one in lights.items()} == {
        "red": 16,
        "green": 18,
        "blue": 15,
        "buzzer": 22,
        "common": 14,
    }
    for one in found:
        assert one.pin is None or one.to.split(" (")[0] in {
            HEADER[one.pin - 1],
            f"GPIO {HEADER[one.pin - 1]}",
        }


@pytest.mark.parametrize(
    ("lock", "energised", "contact"),
    [
        ("fail_secure", "released", "COM, NO"),
        ("fail_safe", "released", "COM, NC"),
        ("fail_safe", "secured", "COM, NO"),
    ],
)
def test_the_relays_contact_is_the_one_of_the_page_on_locks(
    lock: str, energised: str, contact: str
) -> None:
    found = example(
        ('lock = "fail_secure"', f'lock = "{lock}"'),
        ('energised = "released"', f'energised = "{energised}"'),
    )
    assert contact in of(found, "door 'turnstile'")
    table = (ROOT / "docs" / "access-point.md").read_text()
    (row,) = (one for one in table.splitlines() if one.startswith(f"| `{lock}` | `{energised}` |"))
    assert contact.removeprefix("COM, ") in row


@pytest.mark.parametrize(
    ("pull", "high", "other", "kind"),
    [
        ("up", "true", "GND", "normally closed"),
        ("up", "false", "GND", "normally open"),
        ("down", "true", "3V3", "normally open"),
        ("down", "false", "3V3", "normally closed"),
    ],
)
def test_a_switch_lies_between_its_pin_and_the_other_level(
    pull: str, high: str, other: str, kind: str
) -> None:
    found = example(
        (
            "active_high = true            # the level that means open",
            f"active_high = {high}  # the level",
        ),
        ('pull = "up"                   #', f'pull = "{pull}"  #'),
    )
    first, second = (one for one in found if one.part == "input 'north-contact'")
    assert kind in first.note
    assert second.to == other


def test_what_is_on_the_header_beside_pins_is_shown_as_well() -> None:
    found = example(
        (
            'kind = "none"                 # none | simulated | mlx90614',
            'kind = "mlx90614"\nfield_of_view_deg = 5  #',
        ),
        (
            'kind = "none"                 # none | ga467',
            'kind = "ga467"\nport = "/dev/serial0"\naccess_point = "north-entry"  #',
        ),
    )
    thermometer = of(found, "thermometer mlx90614")
    assert {name: one.pin for name, one in thermometer.items()} == {
        "SDA": 3,
        "SCL": 5,
        "VDD": 1,
        "GND": 6,
    }
    reader = of(found, "ID card reader ga467")
    assert (reader["RXD"].pin, reader["TXD"].pin) == (8, 10)


def test_a_drawing_is_svg_in_which_each_wire_ends_at_its_pin() -> None:
    found = example()
    root = ET.fromstring(drawing('A <gate> & its "door"', found))
    names = {one.tag.rpartition("}")[2] for one in root.iter()}
    assert names <= {"svg", "title", "style", "rect", "circle", "text", "path"}
    paths = [one for one in root.iter() if one.tag.endswith("path")]
    assert len(paths) == sum(one.pin is not None for one in found)
    said = {one.text for one in root.iter() if one.tag.endswith("text")}
    assert 'A <gate> & its "door"' in said


def test_the_pages_and_drawings_are_made_from_the_code() -> None:
    for name in ("wiring.md", "wiring.zh.md"):
        text = (ROOT / "docs" / name).read_text()
        assert wiring_page.page(text) == text, "scripts/draw"
    for path, drawn in wiring_page.drawings().items():
        assert (ROOT / path).read_text() == drawn, "scripts/draw"


def test_the_command_shows_and_draws_it(gate: Gate, tmp_path: Path) -> None:
    config = ROOT / "config" / "gate.example.toml"
    out = tmp_path / "wiring.svg"
    shown = gate("config", "wiring", "--config", config, "--out", out, "--json").json
    assert shown == [one.as_json() for one in example()]
    assert "lakeside/g3/north-1" in out.read_text()
    assert "GPIO 17" in gate("config", "wiring", "--config", config).out
    sheet = gate("config", "wiring", "--config", config, "--csv").out
    assert sheet.startswith("part,terminal,pin,to,note\n")
    refused = gate("config", "wiring", "--config", config, "--out", tmp_path / "a.png", "--json")
    assert (refused.code, refused.json["reason"]) == (1, "file_type")
