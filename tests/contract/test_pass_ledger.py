"""Suite of every ``ports.PassLedger`` and ``ports.TrustedTime``, and what a file must stand."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from pass_parts import NOW

from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.adapters.store.simulated import LockKeeper, SimulatedLedger
from agent.domain.credential.gate_pass import PassId
from agent.errors import StoreError

ONE = PassId("00112233445566aa")
USE_FOR_EVER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from agent.adapters.store.pass_ledger import SqlitePassLedger
ledger = SqlitePassLedger(Path(sys.argv[1]))
for number in range(10_000):
    if ledger.consume(f"{number % 50:016x}", 1000, datetime(2026, 5, 6, tzinfo=UTC)):
        print(number % 50, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "passes.sqlite"


@pytest.fixture(params=["sqlite", "simulated"])
def ledger(request, path):
    simulated = request.param == "simulated"
    ledger = SimulatedLedger(path, lambda: None) if simulated else SqlitePassLedger(path)
    yield ledger
    ledger.close()


def test_it_begins_empty(ledger) -> None:
    assert ledger.uses() == {}
    assert ledger.latest_trusted() is None


@pytest.mark.parametrize("limit", [1, 3])
def test_a_pass_is_used_as_often_as_it_says(ledger, limit: int) -> None:
    assert [ledger.consume(ONE, limit, NOW) for _ in range(limit + 2)] == [True] * limit + [
        False
    ] * 2
    assert ledger.uses() == {ONE: limit}


def test_a_replay_after_a_restart_is_known(ledger, path) -> None:
    assert ledger.consume(ONE, 1, NOW)
    ledger.close()
    again = SqlitePassLedger(path)
    assert not again.consume(ONE, 1, NOW - timedelta(days=4000))
    again.close()


def test_two_at_once_use_a_pass_once(ledger, path) -> None:
    other, answers = SqlitePassLedger(path), []
    start = threading.Barrier(8)

    def use(one: SqlitePassLedger) -> None:
        start.wait(60)
        answers.append(one.consume(ONE, 1, NOW))

    threads = [threading.Thread(target=use, args=(one,)) for one in [ledger, other] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [False] * 7 + [True]
    other.close()


def test_killed_anywhere_no_use_is_forgotten(path) -> None:
    command = [sys.executable, "-c", USE_FOR_EVER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        said = [int(child.stdout.readline()) for _ in range(40)]
        child.send_signal(signal.SIGKILL)
        said += [int(line) for line in child.stdout if line.endswith("\n")]
    ledger = SqlitePassLedger(path)
    uses = ledger.uses()
    assert all(uses[PassId(f"{number:016x}")] >= said.count(number) for number in said)
    assert sum(uses.values()) <= len(said) + 1
    ledger.close()


def test_the_latest_trusted_time_never_goes_back(ledger) -> None:
    for hours in (0, 2, -5, 1):
        ledger.note_trusted(NOW + timedelta(hours=hours))
    assert ledger.latest_trusted() == NOW + timedelta(hours=2)
    ledger.note_trusted(NOW + timedelta(hours=2, microseconds=1))
    assert ledger.latest_trusted() == NOW + timedelta(hours=2, microseconds=1)


def test_a_person_takes_a_trusted_time_back(ledger) -> None:
    ledger.note_trusted(NOW + timedelta(days=400))
    ledger.set_trusted(NOW)
    assert ledger.latest_trusted() == NOW
    ledger.note_trusted(NOW - timedelta(hours=1))
    assert ledger.latest_trusted() == NOW


def test_a_damaged_ledger_is_never_replaced_by_an_empty_one(ledger, path) -> None:
    ledger.consume(ONE, 1, NOW)
    ledger.close()
    path.write_bytes(b"\0" * 8192)
    with pytest.raises(StoreError):
        SqlitePassLedger(path)
    assert path.read_bytes() == b"\0" * 8192


def test_a_check_writes_and_changes_nothing(ledger, path) -> None:
    assert ledger.consume(ONE, 3, NOW)
    log = Path(f"{path}-wal")
    before, version = log.read_bytes(), ledger._connection.execute("PRAGMA user_version").fetchone()
    ledger.check()
    assert log.read_bytes() != before
    assert ledger._connection.execute("PRAGMA user_version").fetchone() == version
    assert ledger.uses() == {ONE: 1}


def test_a_check_fails_where_no_use_could_be_counted(ledger, path) -> None:
    keeper = LockKeeper(path)
    assert keeper.hold()
    with pytest.raises(StoreError, match="locked"):
        ledger.check()
    keeper.let_go()
    ledger.check()
    keeper.close()


def test_a_full_disk_counts_nothing_and_says_so(ledger) -> None:
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="full"):  # noqa: PT012 - some use fails
        for number in range(10_000):
            assert ledger.consume(PassId(f"{number:016x}"), 1, NOW)
    assert all(count == 1 for count in ledger.uses().values())


def test_the_time_of_the_hour_lies_beside_it_and_is_there_again(ledger, path) -> None:
    ledger.note_trusted(NOW)
    log = Path(f"{path}-wal")
    before = log.read_bytes()
    for minutes in (5, 10, 7):
        ledger.note_trusted(NOW + timedelta(minutes=minutes))
    assert log.read_bytes() == before
    ledger.close()
    again = SqlitePassLedger(path)
    assert again.latest_trusted() == NOW + timedelta(minutes=10)
    # Each start brings the file up to it.
    again.note_trusted(NOW + timedelta(minutes=15))
    assert log.read_bytes() != before
    again.note_trusted(NOW + timedelta(minutes=20))
    again.set_trusted(NOW - timedelta(days=1))
    assert again.latest_trusted() == NOW - timedelta(days=1)
    again.close()


@pytest.mark.parametrize("damage", ["gone", "torn", "altered", "later", "folder", "pipe"])
def test_what_lies_beside_it_and_is_not_whole_counts_as_none(ledger, path, damage: str) -> None:
    ledger.note_trusted(NOW)
    ledger.note_trusted(NOW + timedelta(minutes=5))
    mark = Path(f"{path}-time")
    content = mark.read_bytes()
    mark.unlink()
    if damage == "torn":
        mark.write_bytes(content[:40])
    elif damage == "altered":
        mark.write_bytes(content.replace(b"20", b"21", 1))
    elif damage == "later":
        mark.write_bytes(b"2099-01-01T00:00:00+00:00 \n")
    elif damage == "folder":
        mark.mkdir()
    elif damage == "pipe":
        os.mkfifo(mark)
    assert ledger.latest_trusted() == NOW
    ledger.note_trusted(NOW + timedelta(minutes=9))
    assert ledger.latest_trusted() == NOW + timedelta(minutes=9)
    ledger.close()


def test_a_ledger_that_began_anew_takes_no_time_from_beside_it(ledger, path) -> None:
    ledger.note_trusted(NOW)
    ledger.note_trusted(NOW + timedelta(minutes=5))
    ledger.close()
    for end in ("", "-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    anew = SqlitePassLedger(path)
    assert anew.latest_trusted() is None
    anew.close()
