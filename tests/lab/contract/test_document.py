"""The contract and its page are written from the code, and the document keeps AsyncAPI's rules."""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from asyncapi import FILE, complaints, contract, name_of, objections, payload, whole
from places import ROOT

from agent.credentials.signed.checkpoint import verify_checkpoint
from agent.domain.record import chain
from agent.domain.record.events import EventType
from agent.domain.record.published import PERSONAL
from agent.lab.contract import examples
from agent.lab.contract.document import document
from agent.lab.contract.events import EVENTS
from agent.lab.contract.page import page
from agent.lab.contract.yaml_text import yaml_text

PAGE = ROOT / "docs" / "events.md"
KEYS = {
    "root": {"asyncapi", "info", "defaultContentType", "servers"}
    | {"channels", "operations", "components"},
    "server": {"host", "protocol", "protocolVersion", "bindings"},
    "channel": {"address", "description", "parameters", "messages"},
    "operation": {"action", "channel", "bindings", "reply"},
    "message": {"summary", "description", "contentType", "payload", "examples"},
    "parameter": {"description"},
    "components": {"parameters", "operationBindings", "messages", "schemas"},
}
"""What AsyncAPI 3.0 knows of each object, as far as it is used here; it takes no other key."""
NAMES = re.compile(r"[A-Za-z0-9._-]+")
"""Of components."""


def test_the_contract_is_written_from_the_code() -> None:
    assert FILE.read_text() == yaml_text(document()), "run scripts/draw"


def test_the_page_is_drawn_from_the_code() -> None:
    assert page(PAGE.read_text()) == PAGE.read_text(), "run scripts/draw"


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks of the topics"):
        page("# Nothing here\n")


def test_the_file_says_what_was_meant() -> None:
    assert contract() == json.loads(json.dumps(document()))


# --- AsyncAPI's rules ------------------------------------------------------------------------


def test_every_object_has_the_keys_that_asyncapi_knows() -> None:
    it = contract()
    assert it["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= it["info"].keys()
    assert it.keys() == KEYS["root"]
    components = it["components"]
    assert components.keys() == KEYS["components"]
    for kind, found in (
        ("server", it["servers"]),
        ("channel", it["channels"]),
        ("operation", it["operations"]),
        ("message", components["messages"]),
        ("parameter", components["parameters"]),
    ):
        for name, one in found.items():
            assert one.keys() <= KEYS[kind], name
    for group in components.values():
        assert all(NAMES.fullmatch(name) for name in group)


def test_every_place_in_an_address_is_a_parameter_and_no_other() -> None:
    for channel in contract()["channels"].values():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel["parameters"])
        assert not re.search(r"[?#]", channel["address"])
        for one in channel["parameters"].values():
            assert whole_of(one)["description"]


def test_every_operation_is_on_a_channel_of_the_root() -> None:
    for operation in contract()["operations"].values():
        assert operation["action"] in ("send", "receive")
        for one in (operation["channel"], operation.get("reply", operation)["channel"]):
            assert one["$ref"].startswith("#/channels/")
            assert whole_of(one)["address"]
        assert whole_of(operation["bindings"])["mqtt"].keys() == {"qos", "retain"}


def test_every_message_of_a_channel_is_one_of_the_components() -> None:
    used = {
        one["$ref"].removeprefix("#/components/messages/")
        for channel in contract()["channels"].values()
        for one in channel["messages"].values()
    }
    assert used == contract()["components"]["messages"].keys()


def test_every_shared_schema_is_used() -> None:
    used = {one.rpartition("/")[2] for one in references(contract())}
    assert contract()["components"]["schemas"].keys() <= used


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            # Beside a reference nothing else counts.
            assert node.keys() == {"$ref"}
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from references(inner)


def whole_of(reference: dict[str, str]) -> dict[str, Any]:
    target: Any = contract()
    for part in reference["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    found: dict[str, Any] = target
    return found


# --- examples --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(document()["components"]["messages"]))
def test_every_example_is_as_its_schema_says(name: str) -> None:
    message = contract()["components"]["messages"][name]
    if whole(message["payload"])["type"] == "string":
        return  # bytes: there is nothing to show
    assert message["examples"]
    for one in message["examples"]:
        assert complaints(one["payload"], payload(name)) == []


def test_an_example_says_how_an_event_is_named_and_placed() -> None:
    shown = [examples.event(kind) for kind in EventType]
    assert len({one["id"] for one in shown}) == len({one["sequence"] for one in shown})
    assert {one["type"] for one in shown} == {f"gate.{kind.value}" for kind in EventType}
    for one in shown:
        described = payload(name_of(one))["properties"]["data"]
        personal = PERSONAL & described["properties"].keys()
        always = {*described["required"], *personal}
        proof = {"commitments", "salts"} if personal else set()
        assert always | proof <= one["data"].keys() <= always | proof | {"access_point"}
        assert ("subject" in one) is ("access_point" in one["data"])


def test_the_examples_follow_each_other_in_one_chain() -> None:
    shown = [examples.event(kind) for kind in EventType]
    before = chain.ORIGIN
    for one in shown:
        assert chain.check(one) is chain.Check.WHOLE
        assert chain.follows(one, before)
        before = chain.link(one)
    signed = next(one for one in shown if one["type"] == "gate.journal.checkpoint")
    text = signed["data"]["signature"]
    known = verify_checkpoint(
        urlsafe_b64decode(text + "=" * (-len(text) % 4)), examples.SIGNING_KEY.public_key()
    )
    assert known.link.hex() == signed["previous"] == signed["data"]["link"]
    assert known.source == signed["source"]
    assert f"{known.sequence:020d}" == signed["data"]["until"]


def test_every_example_on_the_page_is_as_its_schema_says() -> None:
    """Before, its event had a time and an epoch of another form than any that was ever sent."""
    shown = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(shown) == 3
    for text in shown:
        assert objections(json.loads(text)) == []


def test_every_type_says_something_of_itself() -> None:
    assert set(EVENTS) == set(EventType)
    said = [words for words, _ in EVENTS.values()]
    assert len(set(said)) == len(said)


# --- YAML ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        {"a": "1.0", "b": 1.0, "c": 1, "d": None, "e": True, "f": "true", "g": "No", "h": ""},
        {"small": 2e-05, "least": 1e-300, "most": 1e300, "negative": -0.5},
        {"prose": "of many words " * 20 + "end", "spaces": "two  of them " * 20},
        {"lines": "one\n\n  two\n", "no end": "one\ntwo", "colon": "a: b", "hash": "a #b"},
        {"list": [{"a": "x" * 60, "b": ["y" * 60]}, "z"], "empty": [], "none": {}},
        {"quotes": 'it\'s "so"', "more": "- x", "text": "停水通知", "time": "2026-11-27"},
        {"on": "off", "~": "~", "0": "007", "long": "x" * 200, "tab": "a\tb", "bracket": "{x}"},
    ],
)
def test_what_is_written_is_read_as_it_was(value: dict[str, Any]) -> None:
    assert yaml.safe_load(yaml_text(value)) == value


def test_the_lines_are_no_longer_than_they_need_be() -> None:
    long = [line for line in FILE.read_text().splitlines() if len(line) > 100]
    # Neither a regular expression nor a signature has a place to break.
    assert [line for line in long if len(line.split()) > 1 and "voice:files" not in line] == []
    assert len(long) == 2
