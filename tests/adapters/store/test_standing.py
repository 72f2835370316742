"""How far a file of the state has come: looked at without a trace, and counted."""

from contextlib import closing

from pass_parts import claims
from state_parts import NAMES, installation, prepared

from agent.adapters.store import standing
from agent.adapters.store.pass_ledger import SqlitePassLedger


def test_looking_leaves_no_file_beside_what_was_closed_well(tmp_path):
    state, _ = prepared(tmp_path)
    before = sorted(one.name for one in state.iterdir())
    assert installation(state).look() == {}
    for name in NAMES:
        standing.examine(state / name)
    assert sorted(one.name for one in state.iterdir()) == before


def test_every_change_that_counts_raises_the_counter(tmp_path):
    path = tmp_path / "passes.sqlite"
    one = claims(uses=1)
    with closing(SqlitePassLedger(path)) as ledger:
        before = standing.examine(path).counter
        assert ledger.consume(one.id, 1, one.valid_until)
        assert standing.examine(path).counter == before + 1
        assert not ledger.consume(one.id, 1, one.valid_until)
        assert standing.examine(path).counter == before + 1
