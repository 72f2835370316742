"""Readers and formats in the config: what is wrong is named, what is weak is said."""

from pathlib import Path

import pytest
from config_parts import GOOD, warnings

from agent.config import load_config
from agent.config.pins import pin_map
from agent.config.tables.readers.reader import formats_of
from agent.domain.reader.card_format import CardFormat, Parity
from agent.errors import ConfigError
from agent.operations.config.wiring import wires

READER = """
[[reader]]
id = "pillar"
kind = "wiegand"
access_point = "north-entry"
d0_pin = 19
d1_pin = 16
led_pin = 20
"""
OWN = """
[[card_format]]
id = "own"
bits = 32
number = "17-31"
facility = "2-16"
even = ["1:2-9,12"]
odd = ["32:17-31"]
"""


def loaded(tmp_path: Path, text: str):
    path = tmp_path / "gate.toml"
    path.write_text(text)
    return load_config(path)


def test_what_a_reader_says_of_its_cards_and_pins(tmp_path: Path) -> None:
    text = GOOD + READER + 'formats = ["h10301", "own"]\n' + OWN
    file = loaded(tmp_path, text)
    (reader,) = file.config.reader
    own = formats_of(file.config.card_format)
    over = frozenset({*range(2, 10), 12})
    parity = (Parity(1, over), Parity(32, frozenset(range(17, 32)), odd=True))
    assert reader.read_formats(own)[1] == CardFormat("own", 32, (17, 31), (2, 16), parity)
    uses = {use.pin: use for use in pin_map(file.config) if use.path[0] == "reader"}
    assert {pin: (use.what, use.direction) for pin, use in uses.items()} == {
        19: ("reader 'pillar' (d0)", "in"),
        16: ("reader 'pillar' (d1)", "in"),
        20: ("reader 'pillar' (led)", "out"),
    }
    notes = [one for one in wires(file.config) if one.part == "reader 'pillar'"]
    assert {one.terminal for one in notes} == {"D0", "D1", "LED", "GND"}
    assert any("level shifter" in one.note for one in notes)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (READER.replace("north-entry", "nowhere"), "there is no 'nowhere'"),
        (READER.replace("d1_pin = 16", "d1_pin = 19"), "pin 19 is already that of reader"),
        (READER.replace("d1_pin = 16", "d1_pin = 6"), "pin 6 is already that of"),
        (READER + READER.replace("19", "12").replace("16", "13").replace("20", "21"), "twice"),
        (READER + 'formats = ["h10302", "h10304"]', "nobody could tell which"),
        (READER + 'formats = ["h1030"]', "did you mean 'h1030"),
        (READER + "formats = []", "formats"),
        (READER + "silence_ms = 5", "from 20 to 100"),
        (READER + 'keypad = "burst"\nformats = ["own"]' + OWN, "keys of a burst pad"),
        (READER + OWN.replace('"17-31"', '"17-33"', 1), "number is 17-33"),
        (READER + OWN.replace("1:2-9", "1:1-9"), "among those"),
        (READER + OWN.replace('"own"', '"w34"'), "built-in"),
        (READER + OWN.replace("1:2-9,12", "1,2-9"), "1:2-13"),
        (READER + OWN.replace('"17-31"', '"17 to 31"', 1), 'write "10-25"'),
        (READER + OWN.replace('"17-31"', '"17..31"', 1), 'write "10-25"'),
        (READER + OWN.replace("bits = 32", "bits = 4"), "8 bits or more"),
        (READER + OWN.replace('"own"', '"Own card"'), "a letter first"),
    ],
)
def test_what_is_wrong_is_named(more: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, GOOD + more)
    assert said in str(caught.value)


def test_a_rule_for_cards_needs_a_reader_and_a_card_alone_is_warned_of(tmp_path: Path) -> None:
    rule = '[[rule]]\ncategories = ["staff"]\nfactors = ["card"]\n'
    with pytest.raises(ConfigError, match=r"no \[\[reader\]\]"):
        loaded(tmp_path, GOOD + rule)
    told = warnings(loaded(tmp_path, GOOD + rule + READER))
    assert any("a card alone opens the gate" in one for one in told)
    both = rule.replace('"card"', '"card+face"')
    told = warnings(loaded(tmp_path, GOOD + both + READER + 'keypad = "4bit"\n'))
    assert not any("card alone" in one for one in told)
    assert any("has a keypad" in one for one in told)


def test_a_format_without_parity_is_warned_of(tmp_path: Path) -> None:
    bare = "\n".join(line for line in OWN.splitlines() if not line.startswith(("even", "odd")))
    told = warnings(loaded(tmp_path, GOOD + READER + bare))
    assert any("has no parity" in one for one in told)
