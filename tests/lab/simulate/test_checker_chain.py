"""The simulation's own judge of the chain finds what was done to it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from store_parts import event, set_aside

from agent.adapters.store.record.journal import SqliteJournal
from agent.domain.record.message import message
from agent.domain.record.published import Trace
from agent.lab.simulate.checker_chain import Chain
from agent.lab.simulate.checker_probes import Report
from agent.lab.simulate.truth import RecentActs

HERE = "/gate/lakeside/g3/north-1"
Events = list[dict[str, Any]]


@pytest.fixture
def events(tmp_path: Path) -> Events:
    journal = SqliteJournal(tmp_path / "journal.sqlite", set_aside, source=HERE)
    for number in range(5):
        journal.append(event(number, data={"holder": f"r-{number}", "score": 0.5, "pass": None}))
    made = [message(row.event, row.place(HERE), Trace.MINIMAL) for row in journal.read()]
    journal.close()
    return made


def violations(events: Events) -> list[tuple[int, str]]:
    report = Report(RecentActs())
    chain = Chain(report)
    for one in events:
        chain.take(1.0, (one["epoch"], int(one["sequence"])), json.loads(json.dumps(one)))
    chain.finish(2.0)
    return [(one["sequence"], one["why"]) for one in report.violations]


def test_what_the_gate_says_is_whole_in_any_order(events: Events) -> None:
    assert violations(events) == []
    assert violations(events[::-1]) == []
    assert violations(events[:2] + events[3:]) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda one: one["data"].update(holder="r-9"), (3, "holder does not fit its commitment")),
        (lambda one: one.update(time="2026-01-01T00:00:00.000Z"), (4, "it follows another event")),
        (lambda one: one.update(previous="0" * 64), (3, "it follows another event")),
        (lambda one: one["data"]["commitments"].pop("score"), (4, "it follows another event")),
    ],
)
def test_what_was_changed_is_found(
    events: Events, change: Callable[[dict[str, Any]], object], found: tuple[int, str]
) -> None:
    change(events[2])
    assert found in violations(events)
