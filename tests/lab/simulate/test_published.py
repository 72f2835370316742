"""Of a simulated day everything that reaches the broker is as the contract describes it."""

import json
from collections import Counter

from asyncapi import name_of, objections

from agent.lab.simulate.world import Simulation, Wish, run_simulation


def test_whatever_happens_what_is_published_is_described(monkeypatch) -> None:
    """In seed 1 a door moves whose row came late: before, only a decision could say so."""
    said: Counter[str] = Counter()
    found: list[tuple[str, list[str]]] = []
    heard = Simulation._heard

    def judged(self, topic, payload):
        event = json.loads(payload)
        said[name_of(event)] += 1
        said["late"] += event["data"].get("recorded_late", False)
        if wrong := objections(event):
            found.append((name_of(event), wrong))
        heard(self, topic, payload)

    monkeypatch.setattr(Simulation, "_heard", judged)
    run_simulation(Wish(hours=1.0, arrivals=200, seed=1, faults=60, restarts=40, probes=3))
    assert found == []
    assert {
        *("access.granted", "door.mode_changed", "fault.raised", "state.accepted", "late"),
        "journal.checkpoint",
    } <= set(+said)
