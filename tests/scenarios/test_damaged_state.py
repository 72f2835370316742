"""Whatever stands in a file's place: the agent starts, gives nobody more, lets everybody out."""

import contextlib
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from nobody_parts import NOBODY, as_nobody
from state_parts import NAMES, ONCE, every, installation, prepared
from store_parts import BY
from test_state_files import PLAIN, gate_on

from agent.adapters.store import sqlite
from agent.adapters.store.sqlite import HinderedError
from agent.app.open.files.anew import forget_aside, ledger_or_anew
from agent.app.open.files.installation import part_of
from agent.app.open.files.state import IDENTITY, JOURNAL, LEDGER
from agent.app.open.files.state import REGISTRY as REGISTRY_FILE
from agent.app.open.site import site_of
from agent.controller.inputs import Commanded
from agent.domain.door.door_mode import Command
from agent.errors import StoreError, UnavailableError


@pytest.fixture(scope="module")
def locked_down(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a gate that is locked down, and at which a pass of one use was used."""
    state, _ = prepared(tmp_path_factory.mktemp("damaged"))
    with gate_on(state) as gate:
        gate.tell(Commanded(Command.RESUME, "north-entry", BY))
        assert gate.show(ONCE) == "access.granted"
        gate.tell(Commanded(Command.LOCK_DOWN, "north-entry", BY))
        assert gate.show(PLAIN) == "LockedDown"
        gate.files.installation.settle()
    for name in NAMES:
        with closing(sqlite3.connect(state / name)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return state


@pytest.fixture
def state(locked_down: Path, tmp_path: Path) -> Path:
    return shutil.copytree(locked_down, tmp_path / "state")


def rubbish(size: int) -> Callable[[Path], None]:
    def deed(path: Path) -> None:
        path.write_bytes(random.Random(size).randbytes(size))

    return deed


def one_byte(path: Path) -> None:
    path.write_bytes(b"x")


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "something").write_bytes(b"x")


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def a_link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("nothing"))


def a_link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def a_strangers_database(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE secret (name TEXT)")


def of_a_newer_agent(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def with_a_folder_as_log(path: Path) -> None:
    Path(f"{path}-wal").unlink(missing_ok=True)
    Path(f"{path}-wal").mkdir()


def with_a_folder_as_rollback_journal(path: Path) -> None:
    Path(f"{path}-journal").mkdir()


def with_a_pipe_as_index(path: Path) -> None:
    Path(f"{path}-shm").unlink(missing_ok=True)
    os.mkfifo(f"{path}-shm", 0o600)


DEEDS = [
    *(rubbish(size) for size in (15, 100, 4096, 50_000)),
    *(one_byte, a_folder, a_pipe, a_link_to_nothing, a_link_to_itself, a_strangers_database),
    *(of_a_newer_agent, with_a_folder_as_log, with_a_folder_as_rollback_journal),
    with_a_pipe_as_index,
]


def each_name(index: int) -> str:
    return str(getattr(DEEDS[index], "__name__", index))


def tried(state: Path) -> None:
    """Nobody gets in who did not before, and everybody gets out."""
    with gate_on(state) as gate:
        gate.tell(Commanded(Command.RESUME, "north-entry", BY))
        assert gate.show(ONCE) != "access.granted"
        assert "release 3" in gate.press("rex")
        assert any(word.startswith("hold") for word in gate.press("fire"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("deed", range(len(DEEDS)), ids=each_name)
def test_what_is_no_database_of_ours_is_set_aside_in_fault(state: Path, name: str, deed: int):
    DEEDS[deed](state / name)
    with gate_on(state) as gate:
        faults = set(gate.status.faults)
        # A journal that is damaged begins anew by itself, with its event, and lets nobody in.
        assert faults == {str(part_of(name))} or (name == JOURNAL.name and not faults)
        assert gate.status.modes == {"north-entry": "locked_down"}
        assert gate.show(PLAIN) in ("LockedDown", "SensorFault")
    # SQLite takes a single byte for nothing at all, and so nothing is left of it.
    assert DEEDS[deed] is one_byte or list(state.glob(f"{name}.broken-*"))
    tried(state)
    if faults:
        installation(state).accept(name, "it is so", BY)
        with gate_on(state) as gate:
            assert not gate.status.faults


def not_to_be_opened(path: Path) -> None:
    path.chmod(0)


def of_root(path: Path) -> None:
    os.chown(path, 0, 0)


def with_a_log_of_root(path: Path) -> None:
    log = Path(f"{path}-wal")
    log.touch()
    os.chown(log, 0, 0)
    log.chmod(0o600)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("deed", [not_to_be_opened, of_root, with_a_log_of_root])
def test_a_file_that_the_agents_user_may_not_open_is_set_aside(
    locked_down: Path, name: str, deed: Callable[[Path], None]
):
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        state = shutil.copytree(locked_down, Path(folder) / "state")
        for path in (state, *state.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        deed(state / name)

        def work() -> None:
            with gate_on(state) as gate:
                told = dict(gate.status.faults)
                assert "release 3" in gate.press("rex")
            raise UnavailableError(str(told))

        told = as_nobody(work)
    assert told.startswith("{" + repr(str(part_of(name))))
    assert ("belongs to root" in told) is (deed is not not_to_be_opened)


@pytest.mark.parametrize("deed", range(len(DEEDS)), ids=each_name)
def test_whatever_stands_in_the_installations_place_the_agent_starts(state: Path, deed: int):
    if DEEDS[deed] is of_a_newer_agent:
        pytest.skip("it is no database")
    DEEDS[deed](IDENTITY.at(state))
    tried(state)
    tried(state)


def flip(path: Path, dice: random.Random) -> None:
    """A bit, some bytes, or all from somewhere on."""
    content = bytearray(path.read_bytes())
    # Half of it where most depends on it: the header, the schema, the pages' heads.
    at = dice.randrange(len(content) if dice.random() < 0.5 else min(len(content), 4096))
    match dice.randrange(3):
        case 0:
            content[at] ^= 1 << dice.randrange(8)
        case 1:
            content[at : at + 16] = dice.randbytes(len(content[at : at + 16]))
        case _:
            content = content[:at]
    path.write_bytes(content)


ROUNDS = [12, pytest.param(400, marks=pytest.mark.slow)]


@pytest.mark.parametrize("rounds", ROUNDS, ids=["short", "long"])
@pytest.mark.parametrize("name", [*NAMES, IDENTITY.name])
def test_flipped_anywhere_it_starts_and_gives_no_more_than_before(
    locked_down: Path, tmp_path: Path, name: str, rounds: int
):
    for seed in range(rounds):
        state = shutil.copytree(locked_down, tmp_path / str(seed))
        flip(state / name, random.Random(f"{name} {seed}"))
        with gate_on(state) as gate:
            assert gate.status.modes == {"north-entry": "locked_down"}, seed
            # Else the lockdown would hide whether the pass is used up.
            gate.tell(Commanded(Command.RESUME, "north-entry", BY))
            before = len(gate.output.told)
            with contextlib.suppress(IndexError):  # what the journal lost is nobody's right
                assert gate.show(ONCE) != "access.granted", seed
            assert not any(one.startswith("release") for one in gate.output.told[before:]), seed
            assert "release 3" in gate.press("rex"), seed
        shutil.rmtree(state)


def test_what_no_new_file_mends_stops_the_start_and_moves_nothing(state: Path, monkeypatch):
    site, own = site_of(state, None), installation(state)
    with closing(sqlite3.connect(LEDGER.at(state), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
        with pytest.raises(HinderedError):
            ledger_or_anew(site, own)
        other.execute("ROLLBACK")
    assert own.look() == {}
    assert not list(state.glob("*.broken-*"))


def test_a_use_that_reads_as_anothers_is_seen(state: Path):
    """SQLite calls the file well: the page is whole, and the pass another."""
    path = LEDGER.at(state)
    content = path.read_bytes()
    assert str(ONCE.id).encode() in content
    other = str(ONCE.id).translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
    path.write_bytes(content.replace(str(ONCE.id).encode(), other.encode()))
    with gate_on(state) as gate:
        assert set(gate.status.faults) == {"state:passes"}
    tried(state)


def test_what_was_set_aside_is_forgotten_with_the_events_of_then(state: Path):
    rubbish(4096)(REGISTRY_FILE.at(state))
    with gate_on(state):
        pass
    forget_aside(site_of(state, None), datetime.now(UTC) - timedelta(days=1))
    assert list(state.glob("*.broken-*"))
    forget_aside(site_of(state, None), datetime.now(UTC) + timedelta(days=1))
    assert not list(state.glob("*.broken-*"))
    assert list(installation(state).look()) == [REGISTRY_FILE.name]


def test_nothing_is_moved_under_a_running_agent_by_a_command(state: Path):
    for path in every(state, REGISTRY_FILE.name):
        path.write_bytes(b"no database" * 1000)
    own = installation(state)
    assert list(own.look()) == [REGISTRY_FILE.name]
    own.judge()
    assert not list(state.glob("*.broken-*"))
    with pytest.raises(StoreError):
        sqlite.open_database(REGISTRY_FILE.at(state), 1, ())


def test_what_is_put_under_a_running_agent_gives_nothing_and_the_next_start_sets_it_aside(
    state: Path,
):
    with gate_on(state) as gate:
        gate.tell(Commanded(Command.RESUME, "north-entry", BY))
        for name in (LEDGER.name, REGISTRY_FILE.name):
            (state / name).rename(state / "kept")
            rubbish(4096)(state / name)
        gate.watch.tend()
        gate.watch.tend()
        assert gate.show(ONCE) != "access.granted"
        assert "release 3" in gate.press("rex")
    with gate_on(state) as gate:
        assert {"state:passes", "state:registry"} <= set(gate.status.faults)
        assert gate.show(ONCE) != "access.granted"
        assert "release 3" in gate.press("rex")


@pytest.mark.parametrize("kept", NAMES)
def test_a_folder_of_last_week_with_one_file_of_today_is_in_fault(
    locked_down: Path, tmp_path: Path, kept: str
):
    """Or a file of last week in the folder of today, seen from the other side."""
    week, today = tmp_path / "week", shutil.copytree(locked_down, tmp_path / "today")
    shutil.copytree(locked_down, week)
    for _ in range(3):
        with gate_on(today) as gate:
            gate.files.live()
            gate.files.installation.settle()
    for path in every(today, kept):
        shutil.copy(path, week)
    wrong = installation(week).look()
    if kept in (REGISTRY_FILE.name, JOURNAL.name):
        # These remember the others.
        assert set(wrong) == {*NAMES} - {kept}
    with gate_on(week) as gate:
        assert gate.show(ONCE) != "access.granted"
