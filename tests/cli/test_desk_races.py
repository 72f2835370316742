"""Two desks at once: nobody's "disable" is written over by what another had read before."""

from pathlib import Path

import pytest
from gate_command import Gate

import agent.app.open.enrolment
from agent.operations.people import holders
from agent.operations.people.enrol import prepare


@pytest.fixture
def ann(key_state: Path, faces: Path, gate: Gate) -> Path:
    """Ann is enrolled; her portrait."""
    portrait = faces / "gallery" / "obama.jpg"
    made = gate("enrol", "ann", "--name", "Ann", "--category", "resident", portrait)
    assert made.code == 0, made.err
    return portrait


def is_enabled(gate: Gate) -> bool:
    return bool(gate("holders", "show", "ann", "--json").json["enabled"])


def test_whoever_is_disabled_while_enrolled_again_stays_disabled(
    ann: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*arguments, **named):
        assert gate("holders", "disable", "ann").code == 0
        return prepare(*arguments, **named)

    monkeypatch.setattr(agent.app.open.enrolment, "prepare", slow)
    again = ("enrol", "ann", "--name", "Ann", "--category", "resident", "--replace", ann, "--json")
    answer = gate(*again)
    assert (answer.code, answer.json["reason"]) == (1, "changed_meanwhile")
    assert answer.json["fix"]
    assert not is_enabled(gate)


def test_whoever_is_disabled_while_renamed_stays_disabled(
    ann: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = holders.find

    def slow(*arguments):
        before = found(*arguments)
        monkeypatch.setattr(holders, "find", found)
        assert gate("holders", "disable", "ann").code == 0
        return before

    monkeypatch.setattr(holders, "find", slow)
    answer = gate("holders", "set", "ann", "--name", "Anna", "--json")
    assert (answer.code, answer.json["reason"]) == (1, "changed_meanwhile")
    assert not is_enabled(gate)
