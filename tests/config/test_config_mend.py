"""Lines of keys, and what is put in place of a wrong value so that the rest can be judged."""

import tomllib
from typing import Any

import pytest
from config_parts import COMMANDER, GOOD, MEASURED, VOICE, nested
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from agent.config import GateConfig, load_config
from agent.config.lines import places_in
from agent.config.mend import fields_of, mend
from agent.errors import ConfigError


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("kiosk", "grid"), 3),
        (("camera", 0, "id"), 7),
        (("camera", 1, "zone", "x"), 16),
        (("camera", 1, "zone", "y"), 15),
        (("camera", 1, "loop"), 11),
        (("rule", 0, "schedule", 0, "from"), 48),
        (("nothing",), None),
        ((), None),
    ],
)
def test_a_key_has_a_line_or_its_tables(path, expected: int | None) -> None:
    places = places_in(GOOD)
    place = places.near(path)
    span = None if place is None else place.key or place.value
    assert (None if span is None else places.line_column(span.start)[0]) == expected


def required(model: type[BaseModel], path: tuple[str | int, ...] = ()):
    for name, field in fields_of(model):
        if field.is_required():
            yield (*path, name)
        if (table := nested(field.annotation)) is not None:
            many = "tuple[" in str(field.annotation)
            yield from required(table, (*path, name, *((0,) if many else ())))


READER = """
[[reader]]
id = "pillar"
kind = "wiegand"
access_point = "north-entry"
d0_pin = 19
d1_pin = 16

[[card_format]]
id = "own"
bits = 32
number = "1-32"
"""

ARCHIVE = """
[[category]]
id = "boarder"
alternative = "pass"
factors = ["pass"]
schedule = [{ days = ["mon"], from = "06:00", until = "22:00" }]
[[registers.column]]
holds = "grid"
names = ["block"]
"""


@pytest.mark.parametrize("path", [*required(GateConfig)], ids=str)
def test_every_required_key_can_be_stood_in_for(path: tuple[str | int, ...]) -> None:
    registry, backup = (
        '[registry]\nkey_files = ["registry.pub"]\n',
        '[store.backup]\nfolder = "a"\n',
    )
    text = GOOD + COMMANDER + VOICE + MEASURED + registry + backup + ARCHIVE + READER
    data: Any = tomllib.loads(text)
    holder = data
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = object()
    assert mend(data, path)
    GateConfig.model_validate(data)


@given(
    cuts=st.lists(st.integers(0, len(GOOD) - 1), max_size=3),
    pieces=st.lists(
        st.sampled_from(["=", "[", "]", '"', "\n", "0", "-", "{", "x", "true", "'", ".", "#"]),
        min_size=3,
        max_size=3,
    ),
)
def test_whatever_stands_there_it_is_a_config_or_an_error(
    tmp_path_factory, cuts: list[int], pieces: list[str]
) -> None:
    text = GOOD
    for cut, piece in zip(cuts, pieces, strict=False):
        text = text[:cut] + piece + text[cut + 1 :]
    path = tmp_path_factory.getbasetemp() / "odd.toml"
    path.write_text(text)
    try:
        load_config(path)
    except ConfigError as error:
        assert error.findings  # noqa: PT017 - either way is right
