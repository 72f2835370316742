"""One suite for every ``ports.LatchStore`` and ``ports.BudgetStore``: one file holds both."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol

import pytest

from agent.adapters.store.latches import SqliteLatches
from agent.adapters.store.simulated import SimulatedLatches
from agent.domain.credential.holder import HolderId
from agent.domain.door.antipassback import Position
from agent.domain.door.door_mode import DoorLatch, End, Latches, Mode
from agent.domain.skin.baseline import Baseline
from agent.ports import BudgetStore, LatchStore


class Store(LatchStore, BudgetStore, Protocol):
    """What the file of latches is."""


Open = Callable[[], Store]
ANNA, LIN = HolderId("anna"), HolderId("lin.2")
WHEN = datetime(2026, 5, 6, 12, 0, 0, 250_000, tzinfo=UTC)
INSIDE = Position("garden", 1000.5, "boot", WHEN, utc_trusted=True)
OUTSIDE = Position("street", 2000.0, "another boot", WHEN, utc_trusted=False)
LOCKED = Latches(
    {
        "lane.entry": DoorLatch(Mode.LOCKED_DOWN, None),
        "gate": DoorLatch(None, Mode.FREE_PASSAGE),
        "lane.exit": DoorLatch(Mode.FREE_PASSAGE, None, End(WHEN, 1234.5, "boot")),
    },
    {"door:gate": "stuck", "camera:front": ""},
)


@pytest.fixture(params=["sqlite", "simulated"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the store of this test; a second call opens it anew, as the next agent does."""
    opened: list[SqliteLatches] = []
    path = tmp_path / "latches.sqlite"

    def make() -> Store:
        while opened:
            opened.pop().close()
        simulated = request.param == "simulated"
        opened.append(SimulatedLatches(path, lambda: None) if simulated else SqliteLatches(path))
        return opened[-1]

    yield make
    while opened:
        opened.pop().close()


@pytest.fixture
def store(reopen: Open) -> Store:
    return reopen()


def test_it_begins_with_nothing(store: LatchStore) -> None:
    assert store.latches() == Latches()
    assert dict(store.positions()) == {}
    assert store.baseline() == Baseline()


@pytest.mark.parametrize("latches", [LOCKED, Latches(), Latches({"gate": DoorLatch()}, {})])
def test_latches_are_found_by_the_next_agent(
    store: LatchStore, reopen: Open, latches: Latches
) -> None:
    store.save(latches)
    assert store.latches() == latches
    assert reopen().latches() == latches


def test_what_is_saved_replaces_all_that_was(store: LatchStore, reopen: Open) -> None:
    newer = Latches({"gate": DoorLatch(Mode.FREE_PASSAGE)}, {"disk": "full"})
    store.save(LOCKED)
    store.save(newer)
    assert reopen().latches() == newer


@pytest.mark.parametrize("position", [INSIDE, OUTSIDE])
def test_a_position_is_found_by_the_next_agent(
    store: LatchStore, reopen: Open, position: Position
) -> None:
    store.move(ANNA, position)
    assert dict(store.positions()) == {ANNA: position}
    assert dict(reopen().positions()) == {ANNA: position}


def test_a_moment_is_the_same_in_whatever_zone_it_was_said(store: LatchStore) -> None:
    local = WHEN.astimezone(timezone(timedelta(hours=8)))
    store.move(ANNA, Position("garden", 1000.5, "boot", local, utc_trusted=True))
    assert store.positions()[ANNA].utc == WHEN


def test_the_last_move_of_each_holder_counts(store: LatchStore, reopen: Open) -> None:
    for holder, position in ((ANNA, INSIDE), (LIN, OUTSIDE), (ANNA, OUTSIDE), (LIN, INSIDE)):
        store.move(holder, position)
    assert dict(reopen().positions()) == {ANNA: OUTSIDE, LIN: INSIDE}
    assert dict(reopen().inside()) == {OUTSIDE.area: 1, INSIDE.area: 1}


def test_one_is_forgotten_and_so_is_everybody(store: LatchStore, reopen: Open) -> None:
    store.move(ANNA, INSIDE)
    store.move(LIN, INSIDE)
    store.move(ANNA, None)
    assert dict(store.positions()) == {LIN: INSIDE}
    store.move(ANNA, None)
    store.move(None, None)
    assert dict(store.positions()) == {}
    assert dict(reopen().positions()) == {}


def test_the_baseline_is_as_it_was_learnt_last(store: LatchStore, reopen: Open) -> None:
    store.learn(Baseline(((1000.0, 36.2),)))
    learnt = Baseline(((1000.0, 36.2), (1001.0, 36.4)))
    store.learn(learnt)
    assert store.baseline() == learnt
    assert reopen().baseline() == learnt


def test_the_three_leave_each_other_alone(store: LatchStore, reopen: Open) -> None:
    learnt = Baseline(((1000.0, 36.2),))
    store.move(ANNA, INSIDE)
    store.save(LOCKED)
    store.learn(learnt)
    store.move(None, None)
    again = reopen()
    assert (again.latches(), dict(again.positions()), again.baseline()) == (LOCKED, {}, learnt)


def test_budgets_are_as_they_were_kept_last(store: Store, reopen: Open) -> None:
    assert dict(store.budgets()) == {}
    store.keep_budgets({"entry": 0.025, "exit": 0.01})
    store.keep_budgets({"entry": 0.02})
    assert dict(store.budgets()) == dict(reopen().budgets()) == {"entry": 0.02}


def test_a_budget_that_is_no_number_is_used_up(store: Store, reopen: Open) -> None:
    store.keep_budgets({"entry": float("inf"), "exit": 0.01})
    assert dict(reopen().budgets()) == {"entry": 0.0, "exit": 0.01}
