"""Whose ID document is whose, and the key of the hashes, through every change of either."""

import sqlite3
from contextlib import closing

import pytest
from id_parts import NAME, OTHER, RESIDENT
from store_parts import BY, KEY, NOW, holder, open_journal, open_registry, rekey

from agent.adapters.store.people.registry_file import _STEPS, APPLICATION_ID
from agent.adapters.store.seal import Sealer
from agent.adapters.store.sqlite import open_database
from agent.credentials.documents.id_hash import document_key_id, kiosk_hash
from agent.domain.credential.holder import HolderId
from agent.errors import KeyUnavailableError, RefusedError, StoreError
from agent.operations.people.transfer import Documents, export_lines, parse_lines, write

OTHER_KEY = bytes(32)
ANN, BOB = HolderId("ann"), HolderId("bob")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "registry.sqlite"


@pytest.fixture
def registry(path):
    opened = open_registry(path)
    for name in (ANN, BOB):
        opened.put(holder(name), by=BY, now=NOW)
    return opened


def hashed(registry, number=RESIDENT):
    return kiosk_hash(registry.document_key(), number)


def events(registry, tmp_path):
    """Who changed by an ID document, in order."""
    journal = open_journal(tmp_path / "journal.sqlite")
    registry.transfer_changes(journal)
    found = [row.event.data for row in journal.read()]
    journal.close()
    return [data["holder"] for data in found if data.get("fields") == ["id_document"]]


def test_a_document_is_found_again_and_only_while_it_is_bound(registry, tmp_path):
    mine = hashed(registry)
    assert registry.holder_of_document(mine) is None
    assert registry.bind_document(ANN, mine, by=BY, now=NOW)
    assert registry.holder_of_document(mine) == ANN
    assert registry.holder_of_document(hashed(registry, OTHER)) is None
    assert registry.documents() == {mine: ANN}
    assert registry.unbind_document(ANN, by=BY, now=NOW)
    assert not registry.unbind_document(ANN, by=BY, now=NOW)
    assert registry.documents() == {}
    assert events(registry, tmp_path) == [ANN, ANN]


def test_what_is_so_already_changes_nothing(registry, tmp_path):
    registry.bind_document(ANN, hashed(registry), by=BY, now=NOW)
    before = registry.revision()
    assert not registry.bind_document(ANN, hashed(registry), by=BY, now=NOW)
    assert registry.revision() == before
    assert events(registry, tmp_path) == [ANN]


def test_a_new_document_takes_the_old_ones_place(registry):
    registry.bind_document(ANN, hashed(registry), by=BY, now=NOW)
    registry.bind_document(ANN, hashed(registry, OTHER), by=BY, now=NOW)
    assert registry.documents() == {hashed(registry, OTHER): ANN}


def test_one_document_is_never_two_holders(registry, tmp_path):
    mine = hashed(registry)
    registry.bind_document(ANN, mine, by=BY, now=NOW)
    with pytest.raises(RefusedError) as refusal:
        registry.bind_document(BOB, mine, by=BY, now=NOW)
    assert refusal.value.reason == "document_taken"
    assert registry.holder_of_document(mine) == ANN
    assert registry.bind_document(BOB, mine, by=BY, now=NOW, move=True)
    assert registry.documents() == {mine: BOB}
    assert events(registry, tmp_path) == [ANN, ANN, BOB]


def test_nobody_has_none(registry):
    with pytest.raises(RefusedError) as refusal:
        registry.bind_document(HolderId("zed"), hashed(registry), by=BY, now=NOW)
    assert refusal.value.reason == "no_such_holder"
    assert registry.documents() == {}


def test_a_holder_who_is_removed_takes_it_along(registry):
    registry.bind_document(ANN, hashed(registry), by=BY, now=NOW)
    registry.remove(ANN, by=BY, now=NOW)
    assert registry.documents() == {}
    assert registry.bind_document(BOB, hashed(registry), by=BY, now=NOW)


def test_neither_number_nor_name_is_in_the_file(registry, path):
    registry.bind_document(ANN, hashed(registry), by=BY, now=NOW)
    data = b"".join(file.read_bytes() for file in path.parent.glob("registry.sqlite*"))
    assert hashed(registry).encode() in data
    key = registry.document_key()
    for secret in (RESIDENT.encode(), RESIDENT.encode("utf-16-le"), NAME.encode(), key):
        assert secret not in data


# --- keys ----------------------------------------------------------------------------------------


def test_without_a_key_nothing_is_bound_but_all_can_be_forgotten(registry, path):
    mine = hashed(registry)
    registry.bind_document(ANN, mine, by=BY, now=NOW)
    keyless = open_registry(path, None)
    for attempt in (
        keyless.document_key,
        lambda: keyless.bind_document(BOB, mine, by=BY, now=NOW),
    ):
        with pytest.raises(KeyUnavailableError) as refusal:
            attempt()
        assert "put the key back that sealed names and faces here" in str(refusal.value.fix)
    assert keyless.unbind_document(ANN, by=BY, now=NOW)


def test_another_key_hashes_nothing_while_something_is_bound(registry, path):
    registry.bind_document(ANN, hashed(registry), by=BY, now=NOW)
    other = open_registry(path, OTHER_KEY)
    for attempt in (
        other.document_key,
        lambda: other.bind_document(BOB, "ab" * 32, by=BY, now=NOW),
    ):
        with pytest.raises(KeyUnavailableError, match="under another gallery key") as refusal:
            attempt()
        assert "unbind-document" in str(refusal.value.fix)
    assert other.documents().keys() == {hashed(registry)}
    other.unbind_document(ANN, by=BY, now=NOW)
    assert other.bind_document(ANN, hashed(other), by=BY, now=NOW)
    with pytest.raises(KeyUnavailableError):
        registry.document_key()


def test_a_new_gallery_key_leaves_every_hash_as_it_was(registry, path):
    mine = hashed(registry)
    registry.bind_document(ANN, mine, by=BY, now=NOW)
    rekey(registry, OTHER_KEY)
    renewed = open_registry(path, OTHER_KEY)
    assert hashed(renewed) == hashed(registry) == mine
    assert renewed.bind_document(BOB, hashed(renewed, OTHER), by=BY, now=NOW)
    assert hashed(renewed) == mine
    with pytest.raises(KeyUnavailableError):
        open_registry(path, KEY).document_key()


def test_a_new_gallery_key_without_documents_is_as_a_first_one(registry, path, tmp_path):
    rekey(registry, OTHER_KEY)
    fresh = open_registry(tmp_path / "fresh.sqlite", OTHER_KEY)
    assert hashed(registry) == hashed(fresh) != hashed(open_registry(path, KEY))


def test_kiosks_with_one_gallery_key_share_their_hashes_and_others_do_not(registry, tmp_path):
    same = open_registry(tmp_path / "same.sqlite")
    other = open_registry(tmp_path / "other.sqlite", OTHER_KEY)
    assert hashed(registry) == hashed(same) != hashed(other)


def test_a_document_key_that_was_altered_is_said(registry, path):
    registry.bind_document(ANN, hashed(registry), by=BY, now=NOW)
    with closing(sqlite3.connect(path)) as connection, connection:
        [(sealed,)] = connection.execute("SELECT sealed FROM document_key")
        spoilt = sealed[:-1] + bytes([sealed[-1] ^ 1])
        connection.execute("UPDATE document_key SET sealed = ?", (spoilt,))
    with pytest.raises(StoreError, match="altered"):
        registry.document_key()


# --- the file ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
def test_a_registry_of_before_is_brought_up_to_date(path, version):
    old = open_database(path, APPLICATION_ID, _STEPS[:version])
    old.execute("INSERT INTO holder VALUES ('ann', 'Ann', 'resident', 1, NULL, NULL)")
    if version == 2:
        old.execute("INSERT INTO id_document VALUES (?, 'ann')", ("ab" * 32,))
    old.close()
    registry = open_registry(path)
    assert [one.id for one in registry.holders()] == [ANN]
    assert registry.documents() == {}
    assert registry.bind_document(ANN, hashed(registry), by=BY, now=NOW)


# --- export and import ---------------------------------------------------------------------------


def here(registry):
    return Documents(document_key_id(registry.document_key()), registry.documents())


def exported(registry, key=KEY):
    return list(export_lines(registry.holders(), (), Sealer(key), here(registry)))


def imported(registry, lines, key=KEY):
    found = parse_lines(lines, "file", Sealer(key), documents=here(registry))
    return write(found, registry, by=BY, now=NOW)


def test_a_binding_travels_sealed_to_a_kiosk_with_the_same_key(registry, tmp_path):
    mine = hashed(registry)
    registry.bind_document(ANN, mine, by=BY, now=NOW)
    lines = exported(registry)
    assert not any(mine in line or RESIDENT in line for line in lines)
    other = open_registry(tmp_path / "other.sqlite")
    assert imported(other, lines) == 2
    assert other.documents() == {mine: ANN}
    assert imported(other, lines) == 0


def test_without_a_key_no_binding_travels(registry):
    registry.bind_document(ANN, hashed(registry), by=BY, now=NOW)
    lines = list(export_lines(registry.holders(), (), None, here(registry)))
    assert not any("id_document" in line for line in lines)


def test_a_kiosk_with_another_key_takes_nothing(registry, tmp_path):
    registry.bind_document(ANN, hashed(registry), by=BY, now=NOW)
    other = open_registry(tmp_path / "other.sqlite", OTHER_KEY)
    with pytest.raises(RefusedError, match="another key"):
        imported(other, exported(registry), OTHER_KEY)
    assert other.holders() == []


def test_a_kiosk_whose_hashes_are_of_another_key_takes_nothing(registry, tmp_path):
    """Both have one gallery key now, but one of them had another when it bound its first."""
    registry.bind_document(ANN, hashed(registry), by=BY, now=NOW)
    other = open_registry(tmp_path / "other.sqlite", OTHER_KEY)
    other.put(holder("zed"), by=BY, now=NOW)
    other.bind_document(HolderId("zed"), hashed(other, OTHER), by=BY, now=NOW)
    rekey(other, KEY)
    with pytest.raises(RefusedError, match="hashed with another key"):
        imported(other, exported(registry))
    assert [one.id for one in other.holders()] == ["zed"]


def test_a_binding_of_another_holder_here_is_a_finding(registry, tmp_path):
    mine = hashed(registry)
    registry.bind_document(ANN, mine, by=BY, now=NOW)
    other = open_registry(tmp_path / "other.sqlite")
    other.put(holder("zed"), by=BY, now=NOW)
    other.bind_document(HolderId("zed"), mine, by=BY, now=NOW)
    with pytest.raises(RefusedError, match="file:1: its ID document is bound to zed"):
        imported(other, exported(registry))
    assert [one.id for one in other.holders()] == ["zed"]


def test_a_binding_copied_to_another_line_does_not_open(registry):
    registry.bind_document(ANN, hashed(registry), by=BY, now=NOW)
    [ann, _] = exported(registry)
    with pytest.raises(RefusedError, match="altered"):
        imported(registry, [ann.replace('"ann"', '"thief"')])


@pytest.mark.parametrize("value", ["1", "[]", '"!"', '""', '"AAAA"'])
def test_what_is_no_binding_is_a_finding(registry, value):
    [line, _] = exported(registry)
    with pytest.raises(RefusedError, match="file:1: "):
        imported(registry, [line[:-1] + f', "id_document": {value}' + "}"])
