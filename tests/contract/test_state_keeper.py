"""One suite for every ``ports.StateKeeper``."""

from pathlib import Path

import pytest
from state_parts import installation, lived
from store_parts import BY

from agent.app.open.files.state import LEDGER
from agent.errors import RefusedError
from agent.operations.state import accept_state
from agent.ports import StateKeeper


@pytest.fixture
def state(tmp_path: Path) -> Path:
    lived(tmp_path / "state")
    return tmp_path / "state"


@pytest.fixture
def keeper(state: Path) -> StateKeeper:
    return installation(state)


def test_all_is_well_where_nothing_was_touched(keeper: StateKeeper) -> None:
    assert keeper.look() == {}
    with pytest.raises(RefusedError) as refused:
        keeper.accept(LEDGER.name, "why", BY)
    assert refused.value.reason == "no_fault"


def test_looking_changes_nothing_and_accepting_ends_it(keeper: StateKeeper, state: Path) -> None:
    LEDGER.at(state).unlink()
    before = {path.name: path.read_bytes() for path in state.iterdir() if path.is_file()}
    assert keeper.look() == keeper.look() == {LEDGER.name: "it is missing"}
    after = {path.name: path.read_bytes() for path in state.iterdir() if path.is_file()}
    assert {k: v for k, v in after.items() if not k.endswith(("-shm", "-wal"))} == before
    accept_state(keeper, LEDGER.name, "a new card", BY)
    assert keeper.look() == {}


def test_a_file_that_nobody_watches_over_is_refused(keeper: StateKeeper) -> None:
    with pytest.raises(RefusedError) as refused:
        keeper.accept("gallery.key", "why", BY)
    assert refused.value.reason == "unknown_file"


def test_a_reason_is_a_line_of_text(keeper: StateKeeper, state: Path) -> None:
    LEDGER.at(state).write_bytes(b"")
    with pytest.raises(RefusedError, match="for a reason"):
        accept_state(keeper, LEDGER.name, " ", BY)
    assert list(keeper.look()) == [LEDGER.name]
