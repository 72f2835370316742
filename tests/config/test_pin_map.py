"""The pin map: collisions, reserved pins, relays that the Pi itself energises; doors of inputs."""

import re
from pathlib import Path

import pytest
from config_parts import GOOD

from agent.app.open.settings import wirings
from agent.config import ConfigFile, load_config
from agent.config.pins import PinUse, pin_map
from agent.domain.door.signal import Signal, Wiring
from agent.errors import ConfigError

TURNSTILE = """
[[door]]
id = "lane"
kind = "turnstile"
pin = 16
exit_pin = 26
active_high = true
"""


def config(tmp_path: Path, *more: str, changes: dict[str, str] | None = None) -> ConfigFile:
    text = "\n".join((GOOD, *more))
    for old, new in (changes or {}).items():
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "gate.toml"
    path.write_text(text)
    return load_config(path)


def findings(tmp_path: Path, *more: str, changes: dict[str, str] | None = None) -> list[str]:
    """Without file and line."""
    with pytest.raises(ConfigError) as caught:
        config(tmp_path, *more, changes=changes)
    return [re.sub(r"^.*?gate\.toml:\d+:\d+: ", "", one) for one in caught.value.findings]


def contact(name: str, kind: str, pin: int, **more: str) -> str:
    keys = {
        "id": f'"{name}"',
        "kind": f'"{kind}"',
        "pin": str(pin),
        "active_high": "true",
        "pull": '"up"',
        **more,
    }
    return "\n".join(("[[input]]", *(f"{key} = {value}" for key, value in keys.items())))


# --- pins -----------------------------------------------------------------------------------------


def test_the_map_has_every_pin_with_what_the_pi_does_to_it(tmp_path: Path) -> None:
    uses = pin_map(config(tmp_path, TURNSTILE).config)
    shown = [(use.pin, use.what, use.direction, use.power_on) for use in uses]
    assert shown == [
        (17, "door 'in'", "out", "down"),
        (5, "door 'out'", "out", "up"),
        (16, "door 'lane'", "out", "down"),
        (26, "door 'lane' (exit)", "out", "down"),
        (6, "input 'contact'", "in", "up"),
        (24, "indicator 'north-entry' (green)", "out", "down"),
    ]
    assert [use.pull for use in uses] == [None, None, None, None, "up", None]


@pytest.mark.parametrize("pin", range(28))
def test_the_reset_pull_changes_between_8_and_9(tmp_path: Path, pin: int) -> None:
    table = config(tmp_path).config.door[0]
    use = PinUse(pin, "x", ("door", 0, "pin"), table, "out", active_high=True)
    assert use.power_on == ("up" if pin <= 8 else "down")


@pytest.mark.parametrize(
    ("more", "changes", "expected"),
    [
        # used twice
        ((TURNSTILE,), {"exit_pin = 26": "exit_pin = 16"}, "door[2].exit_pin: pin 16 is already"),
        ((), {"pin = 6": "pin = 17"}, "input[0].pin: pin 17 is already that of door 'in'"),
        ((), {"pin = 24": "pin = 6"}, "indicator[0].green_pin: pin 6 is already that of input"),
        (
            (),
            {"green_pin = 24": "green_pin = 24\nbuzzer_pin = 24"},
            "indicator[0].buzzer_pin: pin 24 is already that of indicator 'north-entry' (green)",
        ),
        # reserved
        ((), {"pin = 6": "pin = 0"}, "input[0].pin: pin 0 is reserved for the EEPROM of a HAT"),
        ((), {"pin = 24": "pin = 1"}, "indicator[0].green_pin: pin 1 is reserved for the EEPROM"),
        (
            (),
            {
                "pin = 6": "pin = 2",
                "temperature_limit_c = 37.3\n": "",
                '[thermometer]\nkind = "simulated"': (
                    '[thermometer]\nkind = "mlx90614"\nfield_of_view_deg = 5\n'
                    'access_point = "north-entry"'
                ),
            },
            "input[0].pin: pin 2 is reserved for the thermometer's I2C bus 1",
        ),
        (
            ('[id_reader]\nkind = "ga467"\nport = "/dev/serial0"\naccess_point = "north-entry"',),
            {"pin = 6": "pin = 15"},
            "input[0].pin: pin 15 is reserved for the serial line /dev/serial0",
        ),
        # the pull of the board
        (
            (),
            {"pin = 6": "pin = 3", 'pull = "up"': 'pull = "down"'},
            "input[0].pin: pin 3 has a pull-up on the board",
        ),
        # the pull at power-on
        ((), {"pin = 17": "pin = 8"}, "door[0].pin: at power-on the Pi pulls pin 8 up"),
        ((), {"pin = 5": "pin = 9"}, "door[1].pin: at power-on the Pi pulls pin 9 down"),
        (
            (TURNSTILE,),
            {"exit_pin = 26": "exit_pin = 7"},
            "door[2].exit_pin: at power-on the Pi pulls pin 7 up",
        ),
    ],
)
def test_a_pin_that_cannot_be_meant_is_named(
    tmp_path: Path, more: tuple[str, ...], changes: dict[str, str], expected: str
) -> None:
    found = findings(tmp_path, *more, changes=changes)
    assert [one for one in found if one.startswith(expected)] == found
    assert len(found) == 1


def test_a_relay_that_the_pull_energises_is_told_with_its_ways_out(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, changes={"pin = 17": "pin = 7"})
    for way in ("energises the relay", "9 to 27", "other polarity", "pull_resistor = true"):
        assert way in found


@pytest.mark.parametrize(
    "more",
    ["pull_resistor = true", 'lock = "fail_safe"\nenergised = "secured"'],
    ids=["a resistor", "what energised secures"],
)
def test_a_relay_that_may_be_pulled_is_let_be(tmp_path: Path, more: str) -> None:
    file = config(tmp_path, changes={"pin = 17": f"pin = 7\n{more}"})
    assert file.config.door[0].pin == 7


def test_pins_2_3_14_and_15_are_free_where_nothing_needs_them(tmp_path: Path) -> None:
    more = [contact(f"t{pin}", "tamper", pin) for pin in (2, 3, 14, 15)]
    more.append(
        '[id_reader]\nkind = "ga467"\nport = "/dev/serial/by-id/usb-x"\n'
        'access_point = "north-entry"'
    )
    assert len(config(tmp_path, *more).config.input) == 5


# --- inputs and their doors -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (contact("contact", "tamper", 13), "input[1].id: 'contact' is named twice"),
        (contact("r", "rex", 13, door='"inn"'), "input[1].door: there is no 'inn'; did you mean"),
        (contact("r", "rex", 13), 'input[1]: kind = "rex" needs the door it belongs to'),
        (contact("r", "contact", 13), 'input[1]: kind = "contact" needs the door'),
        (contact("r", "passage", 13), 'input[1]: kind = "passage" needs the door'),
        (contact("r", "feedback", 13), 'input[1]: kind = "feedback" needs the door'),
        (contact("r", "duress", 13), 'input[1]: kind = "duress" needs the door'),
        (contact("r", "fire", 13, direction='"exit"'), "input[1].direction: goes with a door"),
        (
            contact("r", "rex", 13, door='"in"', direction='"exit"'),
            "input[1].direction: door 'in' has one relay for both directions",
        ),
        (contact("r", "rex", 13, door='"lane"'), 'input[1]: kind = "rex" of a turnstile needs'),
        (contact("r", "passage", 13, door='"lane"'), 'input[1]: kind = "passage" of a turnstile'),
        (contact("r", "feedback", 13, door='"lane"'), 'input[1]: kind = "feedback" of a turnstile'),
        (contact("r", "contact", 13, door='"in"'), "input[1]: 'in' already has 'contact' as its"),
        (
            "\n".join(
                (
                    contact("a", "contact", 13, door='"lane"'),
                    contact("b", "contact", 19, door='"lane"', direction='"exit"'),
                )
            ),
            "input[2]: 'lane.exit' already has 'a' as its contact",
        ),
    ],
)
def test_an_input_without_its_door_is_named(tmp_path: Path, more: str, expected: str) -> None:
    (found,) = findings(tmp_path, TURNSTILE, more)
    assert found.startswith(expected)


def test_of_what_could_not_be_read_nothing_is_said_besides(tmp_path: Path) -> None:
    for changes in (
        {'kind = "contact"': 'kind = "contct"'},
        {'id = "in"\nkind = "gpio"': 'id = "in"\nkind = "gpoi"'},
        {"pin = 17": 'pin = "17"'},
        {"active_high = false": "active_high = 0"},
    ):
        assert len(findings(tmp_path, changes=changes)) == 1


def test_what_each_input_is_for(tmp_path: Path) -> None:
    file = config(
        tmp_path,
        TURNSTILE,
        contact("alarm", "fire", 13),
        contact("arm", "tamper", 19, door='"lane"'),
        contact("way-out", "rex", 20, door='"lane"', direction='"exit"'),
    )
    assert wirings(file.config) == (
        Wiring("contact", Signal.CONTACT, "in"),
        Wiring("alarm", Signal.FIRE, None),
        Wiring("arm", Signal.TAMPER, "lane.entry"),
        Wiring("arm", Signal.TAMPER, "lane.exit"),
        Wiring("way-out", Signal.REX, "lane.exit"),
    )
