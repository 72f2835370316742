"""One damaged row in the registry: it grants nothing, it is told, and everything else holds."""

import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from store_parts import (
    BY,
    KEY,
    NOW,
    event,
    holder,
    lines_of,
    open_journal,
    open_registry,
    process,
    reference,
)

from agent.adapters.store.people.registry_file import _STEPS, APPLICATION_ID
from agent.adapters.store.people.rows.marked_rows import MARKED
from agent.adapters.store.sqlite import open_database
from agent.app.open.snapshot import Rates, take_snapshot
from agent.credentials.documents.card_hash import card_hasher
from agent.credentials.documents.id_hash import kiosk_hash
from agent.credentials.passes.issuers import IssuerKey
from agent.domain.credential.card import Card
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.errors import KeyUnavailableError, RefusedError, StoreError
from agent.operations.people import holders as desk
from agent.ports import Reference
from agent.vision.packs.manifest import read_manifest

MANIFEST = read_manifest("dlib")
ANN, BOB, EVE, ZOE = map(HolderId, ("ann", "bob", "eve", "zoe"))
STOLEN, LOST = PassId("00" * 8), PassId("5a" * 8)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
ISSUER = IssuerKey(
    "desk", Ed25519PrivateKey.generate().public_key(), SINCE, datetime(2030, 1, 1, tzinfo=UTC)
)
UNTIL = datetime(2026, 6, 1, tzinfo=UTC)
NUMBERS = {ANN: "11010519491231002X", BOB: "110101199003070097"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "registry.sqlite"


@pytest.fixture
def filled(path):
    """Two who may pass, one who may not, one who was removed, and two passes that were revoked."""
    registry = open_registry(path)
    registry.put_issuer(ISSUER, by=BY, now=NOW)
    for number, name in enumerate((ANN, BOB, ZOE)):
        made = [
            Reference(name, MANIFEST.name, MANIFEST.version, reference(seed=seed).template)
            for seed in (2 * number, 2 * number + 1)
        ]
        registry.enrol(holder(name, valid_from=SINCE, valid_until=UNTIL), made, by=BY, now=NOW)
    registry.put(holder(EVE, enabled=False), by=BY, now=NOW)
    for name, written in NUMBERS.items():
        hashed = kiosk_hash(registry.document_key(), written)
        registry.bind_document(name, hashed, by=BY, now=NOW)
    bound = Card(ANN, SINCE, UNTIL)
    registry.bind_card(
        card_hasher(registry.document_key()).of_text("h10301:17:4711"), bound, by=BY, now=NOW
    )
    registry.remove(ZOE, by=BY, now=NOW)
    for one in (STOLEN, LOST):
        registry.revoke(one, by=BY, now=NOW)
    registry.say_rules("staff", "[]", by=BY, now=NOW)
    registry.close()


def snapshot(path, before=None):
    return take_snapshot(open_registry(path), MANIFEST, Rates(), before)


def rows(path, table, column):
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        return connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()


def store(path, table, column, row, value):
    """The value as it lies in the file, past every rule of the schema."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        as_text = isinstance(value, bytes) and column not in ("sealed", "sealed_name", "public")
        what = "CAST(? AS TEXT)" if as_text else "?"
        connection.execute(f"UPDATE {table} SET {column} = {what} WHERE rowid = ?", (value, row))


def flipped(value, bit):
    if isinstance(value, int):
        return value ^ (1 << bit % 8)
    spoilt = bytearray(value)
    spoilt[bit // 8 % len(spoilt)] ^= 1 << bit % 8
    return bytes(spoilt)


BITS = (0, 4, 21, 42, 66, 91, 150, 700, 2000)
COLUMNS = [(table, column) for table, columns in MARKED.items() for column in (*columns, "mark")]
COLUMNS += [("holder", "sealed_name"), ("reference", "sealed"), ("reference", "holder")]
COLUMNS += [("reference", "pack"), ("reference", "pack_version"), ("document_key", "sealed")]
COLUMNS += [("revision", "number"), ("adopted", "step")]


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_flipped_bit_gives_nobody_a_right_and_holds_up_no_revocation(
    path, filled, table, column
) -> None:
    registry = open_registry(path)
    good = take_snapshot(registry, MANIFEST, Rates()).registry
    rowid, values = next((r, v) for r, v in rows(path, table, column) if v is not None)
    for bit in BITS:
        if isinstance(values, bytes) and bit >= 8 * len(values):
            break
        store(path, table, column, rowid, flipped(values, bit))
        found = take_snapshot(registry, MANIFEST, Rates())
        assert_nobody_gained(found.registry, good)
        assert registry.issuers() in ([], [ISSUER])
        # What is done next takes effect.
        newer = PassId(f"{bit:016x}")
        registry.revoke(newer, by=BY, now=NOW)
        assert newer in take_snapshot(registry, MANIFEST, Rates()).registry.revoked
        store(path, table, column, rowid, values)
    # And the next start.
    store(path, table, column, rowid, flipped(values, 4))
    assert_nobody_gained(snapshot(path).registry, good)


def assert_nobody_gained(found, good):
    assert found.revoked >= {STOLEN, LOST}
    assert found.removed.incomplete or found.removed.revokes(ZOE, NOW.utc)
    # Nobody is forgotten, nobody has more than before.
    assert found.holders.keys() >= good.holders.keys()
    for name, one in found.holders.items():
        before = good.holders.get(name)
        assert not one.enabled or (before and replace(one, name=before.name) == before)
    assert found.documents.items() <= good.documents.items()
    assert found.cards.items() <= good.cards.items()


def test_a_bit_that_flips_anywhere_in_the_file_gives_nobody_a_right(path, filled) -> None:
    """SQLite sees some of it, the marks see the rest; what neither sees changes nothing."""
    good = snapshot(path).registry
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = path.read_bytes()
    chance, refused = random.Random(4), 0
    for number in range(200):
        bit = chance.randrange(8 * len(whole))
        spoilt = bytearray(whole)
        spoilt[bit // 8] ^= 1 << bit % 8
        copy = path.parent / f"{number}" / path.name
        copy.parent.mkdir(mode=0o700)
        copy.write_bytes(spoilt)
        shutil.copy2(path.with_name("tombstone.key"), copy.parent)
        try:
            assert_nobody_gained(snapshot(copy).registry, good)
        except StoreError:
            refused += 1
    assert refused < 20


def test_it_is_counted_by_kind_and_the_rest_is_whole(path, filled) -> None:
    (row, sealed), *_ = rows(path, "reference", "sealed")
    store(path, "reference", "sealed", row, flipped(sealed, 700))
    (number, _), *_ = rows(path, "revoked_pass", "pass")
    store(path, "revoked_pass", "mark", number, b"nothing")
    found = snapshot(path)
    assert found.unreadable == {"references": 1, "revocations": 1}
    assert found.registry.unreadable == 2
    assert (found.registry.references, len(found.index.names)) == (3, 2)
    assert {STOLEN, LOST} <= found.registry.revoked


def test_a_holder_whose_every_reference_is_damaged_is_matched_by_no_face(path, filled) -> None:
    for row, sealed in rows(path, "reference", "sealed")[:2]:
        store(path, "reference", "sealed", row, flipped(sealed, 5))
    found = snapshot(path)
    assert list(found.index.names) == [BOB]
    assert found.registry.holders[ANN].enabled


@pytest.mark.parametrize("bit", [9, 13, 63])
def test_a_flipped_bit_in_the_name_of_the_key_is_damage_too(path, filled, bit) -> None:
    for row, sealed in rows(path, "reference", "sealed"):
        store(path, "reference", "sealed", row, flipped(sealed, bit))
    assert snapshot(path).unreadable == {"references": 4}


def test_a_gallery_of_another_key_is_none_that_is_damaged(path, filled) -> None:
    registry = open_registry(path, bytes(reversed(KEY)))
    with pytest.raises(KeyUnavailableError):
        take_snapshot(registry, MANIFEST, Rates())


@pytest.mark.parametrize("spoil", ["DELETE FROM revision", "UPDATE revision SET number = 'x'"])
def test_without_a_revision_the_next_start_has_one(path, filled, spoil) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(spoil)
    registry = open_registry(path)
    first = registry.revision()
    registry.revoke(PassId("12" * 8), by=BY, now=NOW)
    assert registry.revision() > first > 2**39


# --- where nobody knows any more whom a row is about ---------------------------------------------


def test_what_the_last_good_snapshot_forbade_stays_forbidden(path, filled) -> None:
    before = snapshot(path)
    for table, column in (("revoked_pass", "pass"), ("tombstone", "holder_hash"), ("holder", "id")):
        for row, _ in rows(path, table, column):
            store(path, table, column, row, b"\xff\xfe" + bytes([row]))
            store(path, table, "mark", row, None)
    found = snapshot(path, before).registry
    assert found.revoked >= {STOLEN, LOST}
    assert found.removed.revokes(ZOE, NOW.utc)
    assert not any(found.holders[name].enabled for name in (ANN, BOB, EVE))
    # Once more: what was kept is kept.
    assert snapshot(path, snapshot(path, before)).registry.revoked >= {STOLEN, LOST}


def test_without_one_whom_the_registry_does_not_know_is_nobody(path, filled) -> None:
    ((row, _),) = rows(path, "tombstone", "holder_hash")
    store(path, "tombstone", "holder_hash", row, b"\xff")
    store(path, "tombstone", "mark", row, None)
    assert snapshot(path).registry.removed.incomplete


def test_without_their_key_tombstones_are_about_nobody_knows_whom(path, filled) -> None:
    before = snapshot(path)
    path.with_name("tombstone.key").unlink()
    assert snapshot(path).registry.removed.incomplete
    kept = snapshot(path, before).registry.removed
    assert (kept.incomplete, kept.revokes(ZOE, NOW.utc)) == (False, True)
    registry = open_registry(path)
    registry.remove(BOB, by=BY, now=NOW)
    found = registry.removed()
    assert (found.incomplete, found.revokes(BOB, NOW.utc)) == (True, True)


# --- entered again -------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["id", "enabled", "category", "valid_until", "mark"])
def test_a_damaged_holder_is_named_refused_and_removed(path, filled, column) -> None:
    row, value = rows(path, "holder", column)[0]
    store(path, "holder", column, row, flipped(value, 1))
    registry = open_registry(path)
    assert registry.damage().holders == {ANN}
    with pytest.raises(RefusedError, match="damaged"):
        desk.change(registry, ANN, desk.Change(enabled=True), by=BY, now=NOW)
    assert desk.remove(registry, ANN, by=BY, now=NOW) == ANN
    assert registry.damage().rows == {}
    found = snapshot(path).registry
    assert (found.holders.keys(), found.references) == ({BOB, EVE}, 2)
    assert found.removed.revokes(ANN, NOW.utc)


@pytest.mark.parametrize("column", ["id", "enabled", "mark"])
def test_a_damaged_holder_may_be_entered_again(path, filled, column) -> None:
    row, value = rows(path, "holder", column)[0]
    store(path, "holder", column, row, flipped(value, 0))
    registry = open_registry(path)
    registry.put(holder(ANN), by=BY, now=NOW)
    assert registry.damage().rows == {}
    found = snapshot(path).registry
    assert (found.holders[ANN], found.references) == (holder(ANN), 4)


def test_a_damaged_revocation_may_be_repeated(path, filled) -> None:
    row, value = rows(path, "revoked_pass", "pass")[0]
    store(path, "revoked_pass", "pass", row, flipped(value, 0))
    registry = open_registry(path)
    registry.revoke(PassId(value.decode()), by=BY, now=NOW)
    assert registry.damage().rows == {}
    assert registry.revoked() == {STOLEN, LOST}


def test_two_rows_about_one_holder_are_one_too_many(path, filled) -> None:
    """As where an index lost what its table has, and the holder was put once more."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA legacy_alter_table = ON")
        connection.execute("ALTER TABLE holder RENAME TO old")
        connection.execute("CREATE TABLE holder AS SELECT * FROM old")
        connection.execute("INSERT INTO holder SELECT * FROM old WHERE id = 'ann'")
        connection.execute("DROP TABLE old")
        connection.commit()
    assert open_registry(path).damage().holders == {ANN}


# --- the log, and registries of before -----------------------------------------------------------


@pytest.mark.parametrize("column", ["id", "type", "time", "data"])
def test_a_damaged_change_holds_up_none_that_came_after_it(path, filled, tmp_path, column) -> None:
    registry, journal = open_registry(path), open_journal(tmp_path / "journal.sqlite")
    count = len(rows(path, "change_log", "row"))
    store(path, "change_log", column, 1, b"\xff\xfe")
    assert registry.transfer_changes(journal) == count - 1
    assert registry.damage().rows == {"changes": 1}
    assert journal.append(event()) > 0


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_registry_of_before_is_marked_once(path, version) -> None:
    old = open_database(path, APPLICATION_ID, _STEPS[:version])
    old.execute("INSERT INTO holder VALUES ('ann', '安', 'resident', 1, NULL, NULL)")
    old.execute("INSERT INTO holder VALUES ('bob', 'Bob', 'resident', 1, 'soon', NULL)")
    if version > 1:
        old.execute("INSERT INTO revoked_pass VALUES (?)", (STOLEN,))
    old.close()
    registry = open_registry(path)
    assert [one.id for one in registry.readable_holders()] == [ANN]
    assert registry.damage().holders == {BOB}
    assert registry.revoked() == ({STOLEN} if version > 1 else set())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE holder SET mark = NULL")
    assert open_registry(path).readable_holders() == []


# --- killed -------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [1, 2, 5, 20])
def test_killed_while_it_removes_nobody_is_gone_without_a_tombstone(path, after) -> None:
    names = [HolderId(f"h{number}") for number in range(60)]
    registry = open_registry(path)
    registry.put_all([holder(name) for name in names], by=BY, now=NOW)
    with process("remove", path) as child:
        for _ in range(after):
            lines_of(child).readline()
        child.kill()
    left = {one.id for one in registry.holders()}
    removed = registry.removed()
    assert not removed.incomplete
    assert {name for name in names if removed.revokes(name, NOW.utc)} == {*names} - left
