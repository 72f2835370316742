"""Looking at a file of the state changes nothing and leaves nothing."""

from state_parts import NAMES, installation, prepared

from agent.adapters.store import standing


def test_looking_leaves_no_file_beside_what_was_closed_well(tmp_path):
    state, _ = prepared(tmp_path)
    before = sorted(one.name for one in state.iterdir())
    assert installation(state).look() == {}
    for name in NAMES:
        standing.examine(state / name)
    assert sorted(one.name for one in state.iterdir()) == before
