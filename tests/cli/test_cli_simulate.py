"""``gate-agent simulate``: its JSON is a contract, and a violation is exit code 1."""

from unittest.mock import ANY

import pytest
from gate_command import Gate

from agent.adapters.pins.door import GpioDoor

SMALL = ("simulate", "--hours", "0.2", "--arrivals", "50", "--restarts", "10", "--faults", "25")
INTEGERS = {
    *("arrivals", "granted", "denied", "openings", "faults", "restarts", "events", "seed"),
    "people_without_a_sign",
}


def test_a_day_as_json_without_config_or_key(gate: Gate, state_dir) -> None:
    answer = gate(*SMALL, "--seed", "3", "--json")
    found = answer.json
    assert answer.code == 0
    assert answer.err == ""
    assert set(found) == INTEGERS | {
        *("faults_by_kind", "violations", "simulated_s", "wall_s", "arrivals_by_hour"),
        *("probes", "false_grants", "arrivals_by_outcome"),
    }
    assert all(type(found[key]) is int for key in INTEGERS)
    assert found["arrivals"] == sum(found["arrivals_by_hour"]) == 50
    assert sum(found["arrivals_by_outcome"].values()) == 50
    assert found["faults"] == sum(found["faults_by_kind"].values()) >= 25
    assert (found["seed"], found["violations"]) == (3, [])
    assert found["people_without_a_sign"] == 0
    assert found["simulated_s"] >= 720.0
    assert found["wall_s"] > 0.0
    assert found["probes"]["slides"] > 0
    assert set(found["false_grants"]) == {"expected", "seen"}
    assert not state_dir.exists()


def test_a_day_for_people(gate: Gate) -> None:
    answer = gate(*SMALL)
    assert answer.code == 0
    assert "\n07:00" in answer.out
    assert "tamper" in answer.out
    assert "slides" in answer.out
    assert "false grants" in answer.out
    assert "people without a sign" in answer.out
    assert answer.out.endswith("no violation: nothing happened that never may\n")


@pytest.mark.slow
def test_a_day_without_those_who_probe(gate: Gate) -> None:
    found = gate(*SMALL, "--probes", "0", "--json").json
    assert (found["probes"], found["false_grants"]) == ({}, {"expected": ANY, "seen": 0})
    assert found["violations"] == []


@pytest.mark.parametrize("json", [True, False])
@pytest.mark.slow
def test_a_violation_is_exit_code_1(gate: Gate, monkeypatch, json: bool) -> None:  # noqa: FBT001 - a parameter
    made = GpioDoor.__init__

    def pulses(self, *args, **kwargs):
        made(self, *args, **kwargs)
        self._output.on()
        self._output.off()

    monkeypatch.setattr(GpioDoor, "__init__", pulses)
    answer = gate(*SMALL, *(["--json"] if json else []))
    assert answer.code == 1
    assert "moved_by_restart" in answer.out
    if json:
        first = answer.json["violations"][0]
        assert {"time", "invariant", "inputs"} <= set(first)
        assert {"time", "what"} <= set(first["inputs"][-1])


@pytest.mark.parametrize("wrong", [("--hours", "0"), ("--arrivals", "-1"), ("--seed", "x")])
def test_wrong_numbers_are_usage(gate: Gate, wrong: tuple[str, str]) -> None:
    assert gate("simulate", *wrong).code == 2
