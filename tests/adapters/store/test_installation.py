"""A file of the state that is missing, empty, older or another's never means rights."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from state_parts import (
    DAMAGES,
    NAMES,
    installation,
    lived,
    of_an_earlier_version,
    opened,
    prepared,
    put_older_back,
    remove,
    told,
    truncate,
)
from store_parts import BY, event, open_journal

from agent.adapters.store import standing, verdicts
from agent.app.open.files.keys import make_key
from agent.app.open.files.state import (
    COMMANDS,
    IDENTITY,
    JOURNAL,
    LATCHES,
    LEDGER,
    REGISTRY,
)
from agent.app.open.site import site_of
from agent.errors import RefusedError, StoreError

WORDS = {
    "remove": verdicts.MISSING,
    "remove_the_database_alone": verdicts.MISSING,
    "truncate": verdicts.EMPTY,
    "put_older_back": verdicts.OLDER,
    "put_anothers": verdicts.FOREIGN,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda deed: deed.__name__)
def test_what_is_not_the_file_that_was_there_is_a_fault_until_a_person_accepts_it(
    tmp_path, name, damage
):
    state, spare = prepared(tmp_path)
    damage(state, name, spare)
    wanted = {name: WORDS[damage.__name__]}
    assert installation(state).look() == wanted
    for _ in range(3):
        # However often it starts, and whatever it writes there meanwhile.
        with opened(state) as files:
            assert files.wrong == wanted
            files.live()
            files.live()
    installation(state).accept(name, "it is so", BY)
    (accepted,) = told(state)
    assert accepted.data == {"file": name, "detail": wanted[name], "reason": "it is so", "by": BY}
    assert told(state) == []
    for _ in range(2):
        with opened(state) as files:
            assert files.wrong == {}
            files.live()


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_put_back_stays_in_fault_until_a_person_says_so(tmp_path, name):
    state, _ = prepared(tmp_path)
    shutil.copytree(state, tmp_path / "right")
    remove(state, name, tmp_path)
    with opened(state) as files:
        assert files.wrong == {name: verdicts.MISSING}
    remove(state, name, tmp_path)
    for path in (tmp_path / "right").glob(f"{name}*"):
        shutil.copy(path, state)
    assert installation(state).look() == {name: verdicts.MISSING}
    installation(state).accept(name, "it was put back", BY)
    assert installation(state).look() == {}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lost", ["removed", "emptied", "rubbish"])
def test_without_the_installations_own_file_the_others_remember(tmp_path, name, lost):
    state, spare = prepared(tmp_path)
    own = IDENTITY.at(state)
    own.unlink() if lost == "removed" else own.write_bytes(b"" if lost == "emptied" else b"{}")
    assert installation(state).look() == {}
    put_older_back(state, name, spare)
    assert installation(state).look() == {name: verdicts.OLDER}
    remove(state, name, spare)
    # Of the two that remember the others, one is remembered by the other alone.
    alone = {REGISTRY.name: JOURNAL.name, JOURNAL.name: REGISTRY.name}.get(name)
    wanted = {name: verdicts.MISSING} | ({alone: verdicts.FORGOTTEN} if alone else {})
    assert installation(state).look() == wanted
    with opened(state) as files:
        assert files.wrong == wanted
    assert told(state)[0].data["from"] == "what the other files remember"


def test_what_nothing_remembers_is_in_fault(tmp_path):
    state, spare = prepared(tmp_path)
    IDENTITY.at(state).unlink()
    remove(state, JOURNAL.name, spare)
    remove(state, REGISTRY.name, spare)
    assert installation(state).look() == {
        REGISTRY.name: verdicts.MISSING,
        JOURNAL.name: verdicts.MISSING,
        LEDGER.name: verdicts.FORGOTTEN,
        LATCHES.name: verdicts.FORGOTTEN,
        COMMANDS.name: verdicts.FORGOTTEN,
    }


def test_an_older_copy_of_what_is_remembered_demands_no_less(tmp_path):
    state, spare = prepared(tmp_path)
    shutil.copy(spare / "older" / IDENTITY.name, state)
    put_older_back(state, LEDGER.name, spare)
    assert installation(state).look() == {LEDGER.name: verdicts.OLDER}


def test_nothing_is_made_by_looking_and_an_empty_folder_is_well(tmp_path):
    state = tmp_path / "state"
    assert installation(state).look() == {}
    assert installation(state).identity is None
    assert not state.exists()


def test_the_first_start_is_none_for_a_file_that_was_there(tmp_path):
    state = tmp_path / "state"
    installation(state).begin()
    identity = installation(state).identity
    lived(state)
    assert installation(state).identity == identity
    assert told(state) == []


def test_a_key_in_an_empty_folder_is_the_first_start(tmp_path):
    site = site_of(tmp_path / "state", None)
    make_key(site)
    assert installation(site.state).identity is not None
    assert installation(site.state).look() == {}
    assert told(site.state) == []
    # From now on no file of it may be of another installation.
    lived(tmp_path / "another")
    shutil.copy(LATCHES.at(tmp_path / "another"), site.state)
    assert installation(site.state).look() == {LATCHES.name: verdicts.FOREIGN}


def test_files_of_an_earlier_version_are_adopted_once_with_an_event(tmp_path):
    state = tmp_path / "state"
    of_an_earlier_version(state)
    with opened(state) as files:
        assert files.wrong == {}
    (adopted,) = told(state)
    assert adopted.data == {"by": "agent", "files": NAMES, "from": "an earlier version"}
    with opened(state):
        assert told(state) == []
    # Later nothing of an earlier version is taken any more.
    for name in NAMES:
        with closing(sqlite3.connect(state / name)) as connection, connection:
            connection.execute("DROP TABLE standing")
    assert installation(state).look() == dict.fromkeys(NAMES, verdicts.UNMARKED)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_file_of_an_earlier_version_is_no_first_start(tmp_path, name):
    state = tmp_path / "state"
    of_an_earlier_version(state)
    truncate(state, name, tmp_path)
    with opened(state) as files:
        assert files.wrong == {name: verdicts.EMPTY}


def test_what_a_power_failure_takes_is_no_fault(tmp_path):
    """Every commit that was not flushed is gone: a copy of then is put in the place."""
    state = tmp_path / "state"
    lived(state)
    with opened(state) as files:
        shutil.copytree(state, tmp_path / "flushed")
        files.live()
    # What was remembered is no younger than what was flushed.
    shutil.copy(tmp_path / "flushed" / IDENTITY.name, state)
    for name in (REGISTRY.name, JOURNAL.name):
        remove(state, name, tmp_path)
        for path in (tmp_path / "flushed").glob(f"{name}*"):
            shutil.copy(path, state)
    assert installation(state).look() == {}


def test_a_counter_is_remembered_after_its_file_is_flushed(tmp_path, monkeypatch):
    state = tmp_path / "state"
    order: list[str] = []
    with opened(state) as files:
        files.live()
        flush, write = standing.flush, files.installation._write

        def flushed(path: Path) -> None:
            flush(path)
            order.append(path.name)

        def written(known: verdicts.Known) -> None:
            write(known)
            order.append("own")

        monkeypatch.setattr(standing, "flush", flushed)
        monkeypatch.setattr(files.installation, "_write", written)
        files.installation.settle()
        assert order == [*NAMES, "own"]
        order.clear()
        files.installation.settle()
        assert order == []


def test_a_file_that_cannot_be_flushed_is_not_remembered(tmp_path, monkeypatch):
    state = tmp_path / "state"
    with opened(state) as files:
        before = IDENTITY.at(state).read_bytes()
        files.live()

        def fail(path: Path) -> None:
            raise StoreError(f"{path.name} cannot be flushed")

        monkeypatch.setattr(standing, "flush", fail)
        with pytest.raises(StoreError):
            files.installation.settle()
        assert IDENTITY.at(state).read_bytes() == before


def test_a_damaged_journal_that_is_set_aside_is_no_stranger(tmp_path):
    state, spare = prepared(tmp_path)
    remove(state, JOURNAL.name, spare)
    JOURNAL.at(state).write_bytes(b"no database" * 1000)
    for _ in range(2):
        with opened(state) as files:
            assert files.wrong == {}
            files.live()


def test_what_is_refused(tmp_path):
    state, _ = prepared(tmp_path)
    for name, why in (("gallery.key", "unknown_file"), (LEDGER.name, "no_fault")):
        with pytest.raises(RefusedError) as refused:
            installation(state).accept(name, "why", BY)
        assert refused.value.reason == why
    remove(state, LEDGER.name, state)
    LEDGER.at(state).write_bytes(b"no database" * 1000)
    own = json.loads(IDENTITY.at(state).read_text())
    own["faults"] = {LEDGER.name: "it is missing"}
    IDENTITY.at(state).write_text(json.dumps(own))
    with pytest.raises(RefusedError) as refused:
        installation(state).accept(LEDGER.name, "why", BY)
    assert refused.value.reason == "unreadable"


def test_the_file_is_private_and_no_draft_of_it_stays(tmp_path):
    state = tmp_path / "state"
    lived(state)
    assert IDENTITY.at(state).stat().st_mode & 0o777 == 0o600
    assert [path for path in state.iterdir() if path.name.startswith(".")] == []


def test_commands_and_an_agent_may_remember_at_the_same_time(tmp_path):
    state, _ = prepared(tmp_path)
    with opened(state) as files:
        command = installation(state)
        for _ in range(20):
            files.live()
            command.settle([REGISTRY.name])
            files.installation.settle()
    assert installation(state).look() == {}


def test_a_journal_that_another_process_begins_anew_is_seen(tmp_path):
    state, spare = prepared(tmp_path)
    remove(state, JOURNAL.name, spare)
    # As an older command would, which knows nothing of installations.
    open_journal(JOURNAL.at(state)).append(event())
    assert installation(state).look() == {JOURNAL.name: verdicts.UNMARKED}
