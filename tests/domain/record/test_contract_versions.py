"""What an earlier agent said is still understood, and what version 1 promised is still kept."""

import json
from pathlib import Path
from typing import Any

import pytest
from asyncapi import name_of, objections
from contract_versions import broken_promises, promised
from places import ROOT

from agent.domain.record.events import CONTRACT, EventType, dataschema

CORPUS = Path(__file__).parent / "corpus"
KEPT = CORPUS / f"contract-{CONTRACT}.json"
RECORDED = sorted(CORPUS.glob("*.jsonl"))
PARTS = "fault.raised"
HEARD_OR_ASKED = (
    *("time.request", "time.answer", "command", "reply", "event.again"),
    *("registry.update", "registry.request", "registry.receipt"),
)
OF_ANOTHER_FORM = ("home_assistant",)
"""Its form is Home Assistant's, which is held to in test_home_assistant.py."""


def recorded(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_what_was_once_published_is_still_as_described(path: Path) -> None:
    said = recorded(path)
    assert said
    for one in said:
        assert objections(one) == [], name_of(one)


def test_the_corpus_has_every_type_and_how_the_kiosk_stood() -> None:
    said = {name_of(one) for path in RECORDED for one in recorded(path)}
    others = ("announcement", *HEARD_OR_ASKED, *OF_ANOTHER_FORM)
    known = {name for name in promised() if name not in others}
    assert said == known, "a new type: add what a real kiosk says of it to a new file of the corpus"


def test_whatever_is_sent_by_now_names_its_version() -> None:
    for one in recorded(CORPUS / "contract-1-2026-11-27.jsonl"):
        if "type" in one:
            assert one["dataschema"] == dataschema(name_of(one))
        elif name_of(one) != "status.offline":
            assert one["contract"] == CONTRACT


def test_those_of_before_it_had_a_name_are_in_the_corpus() -> None:
    events = recorded(CORPUS / "events-2026-11-27.jsonl")
    assert not any("dataschema" in one for one in events)
    told = [event["data"] for event in events if event["type"] == "gate.access.granted"]
    assert any("score" in one for one in told)
    assert any("score" not in one for one in told)


def test_nothing_personal_is_in_the_corpus() -> None:
    text = "".join(path.read_text() for path in RECORDED)
    for name in ("Anna", "template", "@", str(ROOT), str(Path.home())):
        assert name not in text


def test_this_version_keeps_what_it_promised() -> None:
    assert broken_promises(json.loads(KEPT.read_text()), promised()) == []


def test_the_version_stands_in_every_event() -> None:
    described = promised()
    for kind in EventType:
        assert described[kind.value]["properties"]["dataschema"]["const"] == dataschema(kind.value)
    assert dataschema("agent.started") == f"urn:gate:contract:{CONTRACT}#agent.started"


def in_event(message: str, *path: str) -> Any:
    """A schema within a copy of what is promised, and the copy itself."""
    after = json.loads(json.dumps(promised()))
    found: Any = after[message]
    for key in path:
        found = found[key]
    return after, found


@pytest.mark.parametrize(
    ("message", "path", "change", "complaint"),
    [
        (
            "access.denied",
            ("properties", "data", "properties"),
            lambda found: found.pop("holder"),
            "access.denied.data.holder is gone",
        ),
        (
            "access.denied",
            ("properties", "data", "properties", "reason", "enum"),
            lambda found: found.remove("Ambiguous"),
            "access.denied.data.reason has no 'Ambiguous' any more",
        ),
        (
            "access.denied",
            ("properties", "data", "properties", "score"),
            lambda found: found.update(type="number"),
            "access.denied.data.score is narrower",
        ),
        (
            "access.denied",
            ("properties", "data", "required"),
            lambda found: found.remove("missing"),
            "access.denied.data.missing is not always there",
        ),
        (
            "access.denied",
            ("properties", "data", "required"),
            lambda found: found.append("score"),
            "access.denied.data.score is demanded",
        ),
        (
            PARTS,
            ("properties", "data", "properties", "part"),
            lambda found: found.update(pattern=found["pattern"].replace("|voice:files", "")),
            "fault.raised.data.part has another pattern",
        ),
        (
            "holder.removed",
            ("properties", "data", "properties", "by"),
            lambda found: found.update(pattern="^uid:"),
            "holder.removed.data.by has another pattern",
        ),
        (
            "agent.stopped",
            ("properties", "data", "properties", "why"),
            lambda found: found.update(enum=["SIGTERM"]),
            "agent.stopped.data.why has a list of words",
        ),
        (
            "agent.stopped",
            ("properties", "data", "properties", "why"),
            lambda found: found.update(maxLength=10),
            "agent.stopped.data.why must be shorter",
        ),
        (
            "status.online",
            ("properties", "access_points", "additionalProperties", "enum"),
            lambda found: found.remove("forced"),
            "status.online.access_points[] has no 'forced'",
        ),
        (
            "passback.forgiven",
            ("properties", "data", "properties", "holder", "anyOf"),
            lambda found: found.pop(),
            "passback.forgiven.data.holder: alternative 1 is gone",
        ),
    ],
)
def test_a_broken_promise_would_be_found(message, path, change, complaint) -> None:
    after, found = in_event(message, *path)
    change(found)
    (broken,) = broken_promises(promised(), after)
    assert broken.startswith(complaint)


def test_whom_it_is_about_may_be_erased_where_its_commitment_stays() -> None:
    before, data = in_event("access.denied", "properties", "data")
    data["required"] += ["holder", "pass"]
    after, bare = in_event("access.denied", "properties", "data")
    assert broken_promises(before, after) == []
    del bare["properties"]["commitments"]
    assert [one.partition(" ")[2] for one in broken_promises(before, after)] == [
        "is gone",
        "is not always there any more",
        "is not always there any more",
    ]


def test_what_is_added_breaks_nothing() -> None:
    after, data = in_event("access.denied", "properties", "data")
    data["properties"]["weather"] = {"type": "string"}
    data["properties"]["reason"]["enum"].append("Sleepwalking")
    part = after[PARTS]["properties"]["data"]["properties"]["part"]
    part["pattern"] = part["pattern"].replace("|voice:files", "|roof:.+|voice:files")
    after["roof.raised"] = {}
    assert broken_promises(promised(), after) == []
    del after["access.granted"]
    assert broken_promises(promised(), after) == ["access.granted is gone"]
