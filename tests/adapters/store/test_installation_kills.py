"""Killed at any step, the installation is in fault or well, and never forgets."""

import shutil
from collections.abc import Iterator

import pytest
from places import ROOT
from state_parts import (
    NAMES,
    installation,
    of_an_earlier_version,
    opened,
    prepared,
    put_older_back,
    remove,
    told,
)
from store_parts import Killed, kills_of

from agent.adapters.store import verdicts
from agent.app.open.files.state import LEDGER


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    """Does a deed in a process, and kills it at so many calls from its beginning."""
    program = ROOT / "tests" / "parts" / "state_parts.py"
    with kills_of(tmp_path_factory.mktemp("killed") / "log", program) as ask:
        yield ask


ROUNDS = [4, pytest.param(60, marks=pytest.mark.slow)]
HUGE = 1 << 40


@pytest.mark.parametrize("rounds", ROUNDS, ids=["short", "long"])
def test_kill_9_at_any_step_of_the_first_start_leaves_no_fault(tmp_path, killed, rounds):
    whole = killed("start", tmp_path / "whole", HUGE)
    assert whole is not None
    for number in range(rounds):
        state = tmp_path / str(number)
        state.mkdir()
        assert killed("start", state, 1 + whole * number // rounds) is None
        with opened(state) as files:
            assert files.wrong == {}
            files.live()
        assert told(state) == []


@pytest.mark.parametrize("rounds", ROUNDS, ids=["short", "long"])
def test_kill_9_at_any_step_of_the_adoption_adopts_once_and_forgets_nothing(
    tmp_path, killed, rounds
):
    old = tmp_path / "old"
    of_an_earlier_version(old)
    shutil.copytree(old, tmp_path / "whole")
    whole = killed("start", tmp_path / "whole", HUGE)
    assert whole is not None
    for number in range(rounds):
        state = shutil.copytree(old, tmp_path / str(number))
        assert killed("start", state, 1 + whole * number // rounds) is None
        with opened(state) as files:
            assert files.wrong == {}
            assert len(files.ledger.uses()) == 1
        assert [one.data["files"] for one in told(state)] == [NAMES]
        assert told(state) == []


@pytest.mark.parametrize("rounds", ROUNDS, ids=["short", "long"])
def test_kill_9_at_any_step_of_remembering_leaves_no_fault_and_still_sees_an_older_copy(
    tmp_path, killed, rounds
):
    state, spare = prepared(tmp_path)
    with opened(state) as files:
        files.live()
        shutil.copytree(state, tmp_path / "whole")
        whole = killed("settle", tmp_path / "whole", HUGE)
        assert whole is not None
        for number in range(rounds):
            files.live()
            assert killed("settle", state, 1 + whole * number // rounds) is None
            assert installation(state).look() == {}
    for name in NAMES:
        put_older_back(state, name, spare)
    assert installation(state).look() == dict.fromkeys(NAMES, verdicts.OLDER)


@pytest.mark.parametrize("rounds", ROUNDS, ids=["short", "long"])
@pytest.mark.parametrize("damage", [remove, put_older_back], ids=lambda deed: deed.__name__)
def test_kill_9_in_a_start_on_a_damaged_folder_keeps_the_fault(tmp_path, killed, damage, rounds):
    ready, spare = prepared(tmp_path)
    damage(ready, LEDGER.name, spare)
    shutil.copytree(ready, tmp_path / "whole")
    whole = killed("start", tmp_path / "whole", HUGE)
    assert whole is not None
    for number in range(rounds):
        state = shutil.copytree(ready, tmp_path / str(number))
        assert killed("start", state, 1 + whole * number // rounds) is None
        with opened(state) as files:
            assert list(files.wrong) == [LEDGER.name]


@pytest.mark.parametrize("rounds", ROUNDS, ids=["short", "long"])
def test_kill_9_in_an_acceptance_is_in_fault_or_accepted_with_its_event(tmp_path, killed, rounds):
    ready, spare = prepared(tmp_path)
    put_older_back(ready, LEDGER.name, spare)
    installation(ready).judge()
    shutil.copytree(ready, tmp_path / "whole")
    whole = killed("accept", tmp_path / "whole", HUGE)
    assert whole is not None
    for number in range(rounds):
        state = shutil.copytree(ready, tmp_path / str(number))
        assert killed("accept", state, 1 + whole * number // rounds) is None
        assert bool(installation(state).look()) is (told(state) == [])
