"""``gate-agent evaluate thermal``: a table for people, JSON for programs, and what it is."""

from gate_command import Gate


def test_the_table_says_that_it_is_a_simulation(gate: Gate) -> None:
    shown = gate("evaluate", "thermal", "--people", "2")
    assert (shown.code, shown.err) == (0, "")
    assert "a simulation, no measurement" in shown.out
    assert "array_55" in shown.out


def test_json_is_for_programs(gate: Gate) -> None:
    found = gate("evaluate", "thermal", "--people", "2", "--seed", "7", "--json").json
    assert (found["simulated"], found["people"], found["seed"]) == (True, 2, 7)
    assert set(found["sensors"]) == {"spot_5", "spot_10", "spot_35", "array_55"}


def test_nobody_is_no_simulation(gate: Gate) -> None:
    shown = gate("evaluate", "thermal", "--people", "0")
    assert shown.code == 2
