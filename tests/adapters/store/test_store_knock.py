"""Who writes comes before what takes long: an update, an import, the building anew of the file."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest
from mosquitto import wait_until
from places import ROOT
from store_parts import BY, NOW, holder, open_registry
from sync_parts import open_synced, packed, parts_of, person, receipts, taking

from agent.adapters.store import knock
from agent.adapters.store.knock import GiveWay, Knock
from agent.adapters.store.people import registry_file
from agent.adapters.store.people.synced import SyncedRegistry
from agent.credentials.signed.update import Part
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.record.registry_sync import ReceiptOutcome
from agent.errors import StoreError

Meanwhile = Callable[[Callable[[], object]], None]
Updated = Callable[[Callable[[], object]], SyncedRegistry]
EVERYBODY = [person(f"h{number:02}") for number in range(40)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.sqlite"


@pytest.fixture
def meanwhile(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Meanwhile]:
    """Does something in a thread; comes back once it stands at the door."""
    monkeypatch.setattr(knock, "_ASK_EVERY_S", 0.0)
    threads: list[threading.Thread] = []

    def begin(deed: Callable[[], object]) -> None:
        threads.append(threading.Thread(target=deed))
        threads[-1].start()
        assert wait_until(Knock(path.parent).heard)

    yield begin
    for one in threads:
        one.join(60)
        assert not one.is_alive()


def test_it_is_heard_for_as_long_as_somebody_knocks(tmp_path: Path) -> None:
    door = Knock(tmp_path)
    assert not door.heard()
    with door.knocking(), door.knocking():
        assert door.heard()
        assert door.heard()
    assert not door.heard()
    with Knock(tmp_path / "nowhere").knocking():
        assert not Knock(tmp_path / "nowhere").heard()


_KNOCKS = """
import sys, time
from pathlib import Path
from agent.adapters.store.knock import Knock
with Knock(Path(sys.argv[1])).knocking():
    print(flush=True)
    time.sleep(600)
"""


def test_who_dies_is_not_waited_for_and_who_stands_still_not_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-c", _KNOCKS, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGSTOP)
        door = Knock(tmp_path)
        assert door.heard()
        monkeypatch.setattr(knock, "_PATIENCE_S", 0.05)
        assert not door.wait()
        child.kill()
        child.wait(60)
        assert not door.heard()
        assert door.wait()


def test_who_is_asked_for_each_row_looks_now_and_then(tmp_path: Path) -> None:
    way, door = GiveWay(Knock(tmp_path)), Knock(tmp_path)
    assert not way.must()
    with door.knocking():
        assert wait_until(way.must)
    assert way.must()  # what was begun is begun again, whoever has gone by then


@pytest.fixture
def updated(path: Path, meanwhile: Meanwhile) -> Updated:
    """The registry after an update, during which somebody did something."""

    def take(deed: Callable[[], object]) -> SyncedRegistry:
        registry = open_synced(path)
        step, parts = parts_of(packed(EVERYBODY, (0, 1)))
        begun: list[int] = []

        def read() -> Iterator[Part]:
            yield from parts
            begun.append(1)
            if len(begun) == 1:
                meanwhile(deed)
                yield from parts

        registry.take(step, read, taking())
        assert len(begun) == 2
        assert registry.standing().version == 1
        return registry

    return take


def test_somebody_is_disabled_during_an_update_and_stays_so(path: Path, updated: Updated) -> None:
    desk = open_registry(path)
    desk.put(holder("h07"), by=BY, now=NOW)
    gone = replace(holder("h07"), enabled=False)
    registry = updated(lambda: desk.put(gone, by=BY, now=NOW))
    found = {str(one.id): one.enabled for one in registry.holders()}
    assert (len(found), found["h07"], found["h08"]) == (40, False, True)
    assert [(one.holder, one.outcome) for one in receipts(registry)] == [
        ("h07", ReceiptOutcome.KEPT_DISABLED)
    ]


def test_somebody_is_removed_during_an_update_and_does_not_come_back(
    path: Path, updated: Updated
) -> None:
    desk = open_registry(path)
    desk.put(holder("h07"), by=BY, now=NOW)
    registry = updated(lambda: desk.remove(HolderId("h07"), by=BY, now=NOW))
    assert "h07" not in [one.id for one in registry.holders()]
    assert [one.outcome for one in receipts(registry)] == [ReceiptOutcome.KEPT_REMOVED]


def test_what_is_long_in_one_statement_gives_way_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_file, "_STEPS_BETWEEN", 1)
    monkeypatch.setattr(knock, "_ASK_EVERY_S", 0.0)
    monkeypatch.setattr(knock, "_PATIENCE_S", 0.05)
    registry = open_registry(path)
    registry.put(holder("anna"), by=BY, now=NOW)
    begun: list[int] = []
    door = ExitStack()

    def work() -> None:
        begun.append(1)
        registry._connection.execute("DELETE FROM holder")
        if len(begun) == 1:
            door.enter_context(Knock(path.parent).knocking())
            registry._connection.execute("SELECT count(*) FROM reference").fetchone()
            pytest.fail("it did not give way")

    with door:
        registry._write_at_length(work)
    assert len(begun) == 2  # whoever stands at the door and does nothing is not heard twice
    assert not registry.holders()


def test_another_trouble_is_told_and_not_tried_again(path: Path) -> None:
    registry = open_registry(path)

    def work() -> None:
        registry._connection.execute("SELECT nothing FROM nowhere")

    with pytest.raises(StoreError):
        registry._write_at_length(work)


def test_an_import_gives_way(
    path: Path, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, desk = open_registry(path), open_registry(path)
    registry.put(holder("anna"), by=BY, now=NOW)
    stored, asked = registry.holder, []

    def slow(one: HolderId) -> Holder | None:
        asked.append(one)
        if len(asked) == 3:
            gone = replace(holder("anna"), enabled=False)
            meanwhile(lambda: desk.put(gone, by="desk", now=NOW))
        return stored(one)

    monkeypatch.setattr(registry, "holder", slow)
    people = [holder(f"h{number:02}") for number in range(20)]
    assert registry.put_all(people, by=BY, now=NOW) == 20
    assert len(asked) > 20
    assert [one.enabled for one in registry.holders()] == [False, *[True] * 20]


def test_a_file_that_is_built_anew_gives_way_and_stays_owed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_file, "_STEPS_BETWEEN", 1)
    registry = open_registry(path)
    registry.put_all([holder(f"h{number}") for number in range(50)], by=BY, now=NOW)
    registry.remove(HolderId("h7"), by=BY, now=NOW)
    with Knock(path.parent).knocking():
        assert not registry.erase()
        assert registry.owes_erasure()
    assert registry.erase()
    assert not registry.owes_erasure()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
