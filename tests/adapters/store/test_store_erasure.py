"""What was removed is in no file of the state folder, while somebody else reads there."""

import os
import signal
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from id_parts import OTHER, RESIDENT
from store_parts import (
    BY,
    KEY,
    NOW,
    asides,
    event,
    holder,
    lines_of,
    numbers,
    open_journal,
    open_registry,
    process,
    reference,
)

from agent.adapters.store.erasure import empty_log, rebuild
from agent.adapters.store.people.registry_file import _STEPS, APPLICATION_ID
from agent.adapters.store.record import salvage
from agent.adapters.store.sqlite import open_database
from agent.app.threads.watch.erasure import Erasure
from agent.credentials.documents.id_hash import kiosk_hash
from agent.domain.credential.holder import HolderId
from agent.errors import KeyUnavailableError, StoreError

ANN, BOB = HolderId("ann"), HolderId("bob")
NAME = "Änne Zaphod-Beeblebrox 王小明"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "registry.sqlite"


def content(path):
    """Every byte of every file in the folder."""
    return b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())


def sealed_of(path, owner):
    """What of a holder is sealed, as it stands in the file; and the hash of the document."""
    with closing(sqlite3.connect(path)) as connection:
        found = [
            row[0]
            for query in (
                "SELECT sealed FROM reference WHERE holder = ?",
                "SELECT sealed FROM photograph WHERE holder = ?",
                "SELECT sealed_name FROM holder WHERE id = ?",
                "SELECT CAST(number_hash AS BLOB) FROM id_document WHERE holder = ?",
            )
            for row in connection.execute(query, (owner,))
        ]
    connection.close()
    return found


def called(owner, name, **changes):
    return replace(holder(owner, **changes), name=name)


def enrol(registry, owner, name="Lin Yu", *, seed=0):
    registry.enrol(
        called(owner, name),
        [reference(owner, seed=seed), reference(owner, pack="taguchi", seed=seed + 1)],
        by=BY,
        now=NOW,
        photographs=[os.urandom(3_000)],
    )


@pytest.fixture
def filled(path):
    """Many holders, so that pages were balanced; ann and bob among them, with a document each."""
    registry = open_registry(path)
    for number in range(40):
        enrol(registry, f"h{number * 7 % 40:02}", seed=number)
    for id_number, owner in ((RESIDENT, ANN), (OTHER, BOB)):
        enrol(registry, owner, NAME)
        hashed = kiosk_hash(registry.document_key(), id_number)
        registry.bind_document(owner, hashed, by=BY, now=NOW)
    for number in range(0, 40, 3):
        registry.remove(HolderId(f"h{number:02}"), by=BY, now=NOW)
    return registry


def leaves_nothing(path, secrets):
    assert secrets
    left = content(path)
    return [secret for secret in secrets if secret in left or secret[40:80] in left] == []


def test_a_name_stands_nowhere_in_clear(path, filled):
    assert filled.holder(ANN).name == NAME
    assert NAME.encode() not in content(path)
    assert b"Lin Yu" not in content(path)


CHANGES = {
    "remove": lambda registry: registry.remove(ANN, by=BY, now=NOW),
    "enrol again": lambda registry: enrol(registry, ANN, "Somebody", seed=7),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_gone_is_in_no_byte_while_another_process_reads(path, filled, change):
    secrets = sealed_of(path, ANN)
    assert (len(secrets), leaves_nothing(path, secrets)) == (5, False)
    if change != "remove":
        secrets = secrets[:4]  # the document stays bound
    with process("read", path) as child:
        assert lines_of(child).readline() == "reading\n"
        CHANGES[change](filled)
        assert filled.owes_erasure()
        assert filled.erase()
        assert leaves_nothing(path, secrets)
        assert child.poll() is None
    assert not filled.owes_erasure()
    assert leaves_nothing(path, secrets)
    assert not leaves_nothing(path, sealed_of(path, BOB))


@pytest.mark.parametrize("change", ["renamed", "unbound", "moved"])
def test_so_is_a_name_or_a_document_that_was_replaced(path, filled, change):
    *_, name, document = sealed_of(path, ANN)
    if change == "renamed":
        filled.put(called(ANN, "Somebody"), by=BY, now=NOW)
    elif change == "unbound":
        filled.unbind_document(ANN, by=BY, now=NOW)
    else:
        filled.bind_document(ANN, "ab" * 32, by=BY, now=NOW)
    assert filled.erase()
    assert leaves_nothing(path, [name if change == "renamed" else document])


def test_a_reader_who_does_not_let_go_is_waited_for_and_the_agent_does_it_then(path, filled):
    secrets = sealed_of(path, ANN)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM holder").fetchone()
        filled.remove(ANN, by=BY, now=NOW)
        assert not filled.erase(0.3)
        assert filled.owes_erasure()
        reader.execute("COMMIT")
        agent = open_registry(path)
        Erasure(agent.owes_erasure, agent.erase).tend()
    reader.close()
    assert not filled.owes_erasure()
    assert leaves_nothing(path, secrets)


def test_whoever_is_killed_after_a_removal_leaves_it_to_the_next(path, filled):
    secrets = sealed_of(path, ANN)
    filled.close()
    with process("leave", path, ANN) as child:
        assert lines_of(child).readline() == "removed\n"
        child.send_signal(signal.SIGKILL)
    registry = open_registry(path)
    assert registry.owes_erasure()
    assert registry.erase()
    assert leaves_nothing(path, secrets)


# --- a registry of before ------------------------------------------------------------------------


@pytest.fixture
def old(path):
    """As it was before names were sealed: ann is there, and zed was removed."""
    database = open_database(path, APPLICATION_ID, _STEPS[:4])
    database.execute("PRAGMA secure_delete = OFF")
    for owner in ("ann", "zed"):
        database.execute(
            "INSERT INTO holder (id, name, category, enabled) VALUES (?, ?, 'resident', 1)",
            (owner, f"{NAME} {owner}"),
        )
    database.execute("DELETE FROM holder WHERE id = 'zed'")
    database.close()
    assert f"{NAME} zed".encode() in content(path)


def names(registry):
    return [one.name for one in registry.holders()]


def test_names_of_before_are_sealed_once_and_left_nowhere(path, old):
    registry = open_registry(path)
    assert names(registry) == [f"{NAME} ann"]
    assert registry.owes_erasure()
    assert registry.erase()
    assert NAME.encode() not in content(path)
    [sealed] = sealed_of(path, ANN)
    registry.close()
    assert names(open_registry(path)) == [f"{NAME} ann"]
    assert sealed_of(path, ANN) == [sealed]


def test_without_a_key_they_wait_as_they_are(path, old):
    assert names(open_registry(path, None)) == [f"{NAME} ann"]
    open_registry(path, None).put(called(ANN, f"{NAME} ann", enabled=False), by=BY, now=NOW)
    assert open_registry(path).holder(ANN) == called(ANN, f"{NAME} ann", enabled=False)


# --- without the key -----------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, bytes(32)], ids=["none", "another"])
def test_without_its_key_no_name_is_read_and_none_is_lost(path, filled, key):
    keyless = open_registry(path, key)
    assert keyless.holder(ANN) == called(ANN, None)
    keyless.put(called(ANN, None, enabled=False), by=BY, now=NOW)
    assert filled.holder(ANN) == called(ANN, NAME, enabled=False)
    assert keyless.remove(BOB, by=BY, now=NOW)


def test_without_a_key_nobody_gets_a_name(path):
    keyless = open_registry(path, None)
    with pytest.raises(KeyUnavailableError) as refusal:
        keyless.put(holder(ANN), by=BY, now=NOW)
    assert refusal.value.fix == "gate-agent key init"


def test_a_name_copied_to_another_holder_is_nobodys(path, filled):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE holder SET sealed_name = (SELECT sealed_name FROM holder WHERE id = 'ann')"
            " WHERE id = 'bob'"
        )
    connection.close()
    assert filled.holder(BOB).name is None
    assert filled.holder(ANN).name == NAME
    assert KEY not in content(path)


# --- the journal ---------------------------------------------------------------------------------


def test_an_event_that_retention_forgets_is_in_no_byte(tmp_path):
    path = tmp_path / "journal.sqlite"
    journal, other = open_journal(path), open_journal(path)
    later = NOW.utc + timedelta(days=9)
    for number in range(60):
        journal.append(event(number, data={"number": number, "holder": f"zaphod-{number:02}"}))
    journal.append(event(60, time=later, data={"number": 60, "holder": "trillian"}))
    journal.mark_published([row.row for row in journal.unpublished(100)])
    assert b"zaphod" in content(path)
    assert len(list(other.read())) == 61
    assert journal.prune(NOW.utc + timedelta(days=1)) == 60
    left = content(path)
    assert (b"zaphod" in left, b"trillian" in left) == (False, True)
    assert numbers(other.read()) == [60]
    journal.append(event(61))


def test_a_journal_that_was_set_aside_goes_when_it_is_old(tmp_path):
    path = tmp_path / "journal.sqlite"
    journal = open_journal(path)
    journal.append(event(1, data={"number": 1, "holder": "zaphod"}))
    journal.close()
    # Something of it stays readable, as in a real one.
    damaged = path.read_bytes()
    path.write_bytes(b"no database at all" + damaged[18:] + b"zaphod")
    journal = open_journal(path)
    assert len(asides(path)) == 1
    assert b"zaphod" in content(path)
    journal.prune(NOW.utc)
    assert len(asides(path)) == 1
    stranger = tmp_path / "journal.sqlite.broken-by-hand"
    stranger.touch()
    journal.mark_published([row.row for row in journal.unpublished(100)])
    journal.prune(NOW.utc + timedelta(days=1))
    assert asides(path) == [stranger]
    assert b"zaphod" not in content(path)


def test_one_that_is_not_read_out_yet_stays(tmp_path):
    path = tmp_path / "journal.sqlite"
    open_journal(path).close()
    salvage.begin(path, NOW.utc)
    [aside] = salvage.unfinished(path)
    aside.touch()
    assert salvage.forget(path, NOW.utc + timedelta(days=1)) == 0
    salvage.finish(aside)
    assert salvage.forget(path, NOW.utc + timedelta(days=1)) == 1


@pytest.mark.parametrize("seed", range(6))
def test_pages_that_were_balanced_keep_no_older_copy(tmp_path, seed):
    """SQLite overwrites what it deletes, but not what it moved before: seen with seed 5."""
    path, chance = tmp_path / "churn.sqlite", Random(seed)
    living: list[str] = []
    gone: list[str] = []
    with closing(open_database(path, 1, ("CREATE TABLE one (id TEXT PRIMARY KEY, v BLOB)",))) as c:
        for _ in range(800):
            if living and chance.random() < 0.45:
                gone.append(living.pop(chance.randrange(len(living))))
                c.execute("DELETE FROM one WHERE id = ?", (gone[-1],))
            else:
                living.append(f"id-{chance.randrange(10**9):09}")
                c.execute("INSERT INTO one VALUES (?, ?)", (living[-1], chance.randbytes(60)))
        rebuild(c)
        assert empty_log(c, 1.0)
        left = content(path)
        assert not any(one.encode() in left for one in gone)
        assert all(one.encode() in left for one in living)


def test_a_registry_that_fails_is_tried_again():
    """The gallery's fault tells of it; the thread goes on."""
    owed = iter([StoreError("locked"), True, True, False])
    tried = []

    def owes():
        found = next(owed)
        if isinstance(found, StoreError):
            raise found
        return found

    def erase(within_s):
        tried.append(within_s)
        return len(tried) > 1

    erasure = Erasure(owes, erase)
    for _ in range(4):
        erasure.tend()
    assert len(tried) == 2
