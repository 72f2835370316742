"""The JSON Schema of the config: what an editor is told is what the agent takes."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its types are a package of their own
import pytest
from config_parts import GOOD, MEASURED, VOICE
from places import ROOT

from agent.config import GateConfig
from agent.config.json_schema import json_schema
from agent.config.mend import fields_of, model_in

EXAMPLE = (ROOT / "config" / "gate.example.toml").read_text()
WHOLE = {"example": EXAMPLE, "good": GOOD + VOICE + MEASURED}
WRONG = [
    ('grid = "g3"', 'grit = "g3"', "'grit' was unexpected"),
    ('grid = "g3"\n', "", "'grid' is a required property"),
    ('grid = "g3"', 'grid = "a/b"', "does not match"),
    ("[broker]", "[brokr]", "'brokr' was unexpected"),
    ("[[area]]", "[area]", "is not of type 'array'"),
    ("[kiosk]", "[[kiosk]]", "is not of type 'object'"),
    ('"opencv"', '"opncv"', "is not one of"),
    ("pin = 17", "pin = 99", "99 is greater than the maximum of 27"),
    ("pin = 17", 'pin = "17"', "is not of type 'integer'"),
    ('from = "08:00"', 'from = "25:00"', "does not match"),
    ('["guest"]', "[]", "[] should be non-empty"),
    ("x = 0.25", "x = 1.5", "greater than the maximum of 1.0"),
]


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for inner in node.values():
            yield from nodes(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from nodes(inner)


def told(text: str) -> list[str]:
    """What an editor that knows the schema complains about."""
    validator = jsonschema.Draft7Validator(json_schema())
    # Dates and times are texts in JSON.
    data = json.loads(json.dumps(tomllib.loads(text), default=str))
    return [error.message for error in validator.iter_errors(data)]


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(json_schema())


@pytest.mark.parametrize("name", WHOLE)
def test_every_example_is_right(name: str) -> None:
    assert told(WHOLE[name]) == []


@pytest.mark.parametrize(("old", "new", "expected"), WRONG, ids=[case[1] for case in WRONG])
def test_what_is_mostly_wrong_is_seen(old: str, new: str, expected: str) -> None:
    assert old in GOOD
    found = told(GOOD.replace(old, new, 1))
    assert any(expected in one for one in found), found


def test_the_tables_of_the_pages_are_right() -> None:
    blocks = [
        block
        for page in sorted((ROOT / "docs").glob("*.md"))
        for block in re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    ]
    assert len(blocks) > 3
    for block in blocks:
        # A page shows the keys that it is about.
        found = [one for one in told(block) if "is a required property" not in one]
        assert found == [], block


def test_it_knows_every_key_and_no_other() -> None:
    def keys(model: Any) -> dict[str, Any]:
        inner = {name: model_in(field.annotation) for name, field in fields_of(model)}
        return {name: {} if one is None else keys(one) for name, one in inner.items()}

    def known(node: dict[str, Any]) -> dict[str, Any]:
        several = [one for name in ("anyOf", "oneOf") for one in node.get(name, [])]
        tables = [one.get("items", one) for one in [node, *several]]
        found: dict[str, Any] = next(
            (one["properties"] for one in tables if "properties" in one), {}
        )
        return {name: known(inner) for name, inner in found.items()}

    assert known(json_schema()) == keys(GateConfig)


def test_it_has_what_editors_know_and_toml_can_say() -> None:
    schema = json_schema()
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    for node in nodes(schema):
        assert not {"$ref", "$defs", "const", "prefixItems", "discriminator"} & node.keys()
        assert node.get("type") != "null"
        if "properties" in node and node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["description"]


def test_every_key_says_what_it_is() -> None:
    keys = [
        (name, key)
        for node in nodes(json_schema())
        if node.get("type") == "object"
        for name, key in node["properties"].items()
    ]
    assert len(keys) > 150
    silent = [name for name, key in keys if "description" not in key.get("items", key) | key]
    assert silent == []


def test_it_tells_defaults_units_and_what_a_key_is() -> None:
    tables = json_schema()["properties"]
    face, door = tables["face"]["properties"], tables["door"]["items"]["properties"]
    assert face["margin"]["default"] == 0.03
    assert face["track_gap_s"]["description"].startswith("seconds")
    assert door["kind"]["enum"] == ["gpio", "turnstile"]
    assert "the relay" in door["pin"]["description"]
    assert (door["pin"]["minimum"], door["pin"]["maximum"]) == (0, 27)
