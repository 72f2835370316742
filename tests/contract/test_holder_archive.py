"""One suite for every ``ports.Archive``, and what its files may say in clear."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from store_parts import BY, IDS, KEY, NOW, holder, open_journal, rekey

from agent.adapters.store.people.archive.registering import RegisteringRegistry
from agent.adapters.store.seal import Sealer
from agent.domain.credential.holder import HolderId
from agent.domain.registers.record import NOTHING, ArchiveConsent, Record
from agent.domain.registers.resident_code import resident_code
from agent.errors import KeyUnavailableError, RefusedError, StoreError
from agent.ports import Archive, Entry, Registration

CODE = resident_code("XFL", "3", "1", "1502", 2)
CONSENT = ArchiveConsent("2026-1", datetime(2026, 5, 1, tzinfo=UTC), "Wang Fang")
RECORD = Record(CODE, "+8613912345678", "grid-7", CONSENT)
LIN = HolderId("lin.2")


def entry(one: Registration) -> Entry:
    return Entry(one.holder.id, None, lambda _id, _before, _record: one)


def opened(file: Path, key: bytes | None = KEY) -> RegisteringRegistry:
    return RegisteringRegistry(file, None if key is None else Sealer(key), IDS.make)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "registry.sqlite"


@pytest.fixture
def registry(file: Path) -> Iterator[RegisteringRegistry]:
    with closing(opened(file)) as made:
        yield made


@pytest.fixture(params=["sqlite"])
def archive(request: pytest.FixtureRequest, registry: RegisteringRegistry) -> Archive:
    assert request.param == "sqlite"
    assert registry.register(Registration(holder(), RECORD), by=BY, now=NOW)
    return registry


def test_a_record_reads_back_and_is_found_by_its_code(archive: Archive) -> None:
    assert archive.record_of(LIN) == RECORD
    assert archive.holder_of_code(CODE) == LIN
    assert archive.record_of(HolderId("nobody")) is None
    assert archive.holder_of_code(replace(CODE, sequence=3)) is None


def test_a_change_of_category_says_who_when_and_why_and_is_undone(archive: Archive) -> None:
    def into(category: str, why: str | None, undoes: int | None = None) -> None:
        archive.change_category(
            LIN, lambda one: replace(one, category=category), by=BY, now=NOW, why=why, undoes=undoes
        )

    into("home_isolation", "back from a trip")
    (first,) = archive.category_changes(LIN)
    into("resident", None, first.number)
    into("resident", "is so already")
    first, second = archive.category_changes(LIN)
    assert (first.was, first.became) == ("resident", "home_isolation")
    assert (first.by, first.at, first.why) == (BY, NOW.utc, "back from a trip")
    assert (second.became, second.undoes) == ("resident", first.number)
    with pytest.raises(RefusedError, match="no such holder"):
        archive.change_category(HolderId("x"), lambda one: one, by=BY, now=NOW, why=None)


def test_what_is_so_already_is_not_written_again(registry: RegisteringRegistry) -> None:
    one = Registration(holder(), RECORD)
    assert registry.register(one, by=BY, now=NOW)
    revision = registry.revision()
    assert not registry.register(one, by=BY, now=NOW)
    assert not registry.register(Registration(holder()), by=BY, now=NOW)
    assert registry.revision() == revision
    assert registry.record_of(LIN) == RECORD


def test_a_code_is_nobody_elses(registry: RegisteringRegistry, archive: Archive) -> None:
    twice = Registration(holder("other"), Record(CODE))
    with pytest.raises(RefusedError, match="another holder"):
        registry.register(twice, by=BY, now=NOW)
    with pytest.raises(RefusedError, match="another holder"):
        registry.register_all(
            lambda: [entry(Registration(holder("third"))), entry(twice)], by=BY, now=NOW
        )
    assert [one.id for one in registry.holders()] == [LIN]


def test_all_of_many_or_none_and_each_with_its_event(
    registry: RegisteringRegistry, tmp_path: Path
) -> None:
    people = [Registration(holder(f"h{i}"), Record(replace(CODE, sequence=i))) for i in range(1, 9)]
    assert registry.register_all(lambda: map(entry, people), by=BY, now=NOW) == 8
    assert registry.register_all(lambda: map(entry, people), by=BY, now=NOW) == 0
    assert [one for one, _ in registry.records()] == [one.holder.id for one in people]
    moved = replace(people[0].holder, category="tenant")
    assert registry.register_all(lambda: [entry(Registration(moved))], by=BY, now=NOW) == 1
    journal = open_journal(tmp_path / "journal.sqlite")
    assert registry.transfer_changes(journal) == 9
    data = [row.event.data for row in journal.unpublished(20)]
    assert data[0]["fields"][-1] == "record"
    assert data[-1]["category"] == {"was": "resident", "became": "tenant"}


def test_no_file_holds_a_name_a_code_a_contact_or_a_reason(
    registry: RegisteringRegistry, archive: Archive, file: Path
) -> None:
    archive.change_category(
        LIN, lambda one: replace(one, category="tenant"), by=BY, now=NOW, why="the reason"
    )
    said = ("Lin Yu", str(CODE), CODE.room + "-2", "13912345678", "grid-7", "Wang Fang", "2026-1")
    # The reason waits in the log for the journal, whose event tells it.
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("DELETE FROM change_log")
        raw.commit()
        raw.execute("VACUUM")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for one in file.parent.iterdir():
        if one.is_file():
            found = one.read_bytes()
            assert not [word for word in (*said, "the reason") if word.encode() in found]


def test_who_is_removed_leaves_no_record_and_no_change(
    registry: RegisteringRegistry, archive: Archive, file: Path
) -> None:
    archive.change_category(
        LIN, lambda one: replace(one, category="tenant"), by=BY, now=NOW, why=None
    )
    assert registry.remove(LIN, by=BY, now=NOW)
    assert [*registry.records()] == []
    assert registry.holder_of_code(CODE) is None
    assert registry.category_changes(LIN) == []


def test_a_new_key_opens_all_of_it(
    registry: RegisteringRegistry, archive: Archive, file: Path
) -> None:
    archive.change_category(
        LIN, lambda one: replace(one, category="tenant"), by=BY, now=NOW, why="the reason"
    )
    assert rekey(registry, bytes(32)) == 4
    with closing(opened(file, bytes(32))) as later:
        assert later.record_of(LIN) == RECORD
        assert later.holder_of_code(CODE) == LIN
        assert later.category_changes(LIN)[0].why == "the reason"


def test_without_the_key_a_category_may_change_and_nothing_is_read(
    archive: Archive, file: Path
) -> None:
    with closing(opened(file, None)) as keyless:
        with pytest.raises(KeyUnavailableError):
            keyless.record_of(LIN)
        after, made = keyless.change_category(
            LIN, lambda one: replace(one, category="tenant"), by=BY, now=NOW, why=None
        )
        assert (after.category, made is not None) == ("tenant", True)
        with pytest.raises(KeyUnavailableError):
            keyless.register(Registration(holder("b"), NOTHING), by=BY, now=NOW)
    assert archive.record_of(LIN) == RECORD


def test_an_altered_record_is_told_and_costs_no_other(
    registry: RegisteringRegistry, archive: Archive, file: Path
) -> None:
    registry.register(Registration(holder("other"), Record(contact="123")), by=BY, now=NOW)
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("UPDATE archive SET sealed = substr(sealed, 1, 40) WHERE holder = 'lin.2'")
        raw.commit()
    with pytest.raises(StoreError):
        archive.record_of(LIN)
    assert [*registry.records()] == [(LIN, None), (HolderId("other"), Record(contact="123"))]
    assert registry.register(Registration(holder(), RECORD), by=BY, now=NOW)
    assert archive.record_of(LIN) == RECORD
