"""Updates of the community's registry in a real file: whole or not at all, and who wins."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from store_parts import BY, holder, open_journal, open_registry, reference
from sync_parts import (
    ISSUED,
    NOW,
    STRANGER_KEY,
    open_synced,
    packed,
    parts_of,
    person,
    receipts,
    take,
    taking,
    template,
)

from agent.credentials.passes.issuers import IssuerKey
from agent.credentials.signed.entries import (
    Entry,
    Face,
    IssuerEntry,
    IssuerGone,
    Removal,
    Revocation,
)
from agent.credentials.signed.update import UpdateError
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.domain.record.events import EventType
from agent.domain.record.registry_sync import ReceiptOutcome, SyncReason

ANNA, BERT = HolderId("anna"), HolderId("bert")
PASS = PassId("0f1e2d3c4b5a6978")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "registry.sqlite"


@pytest.fixture
def registry(path):
    return open_synced(path)


def face(seed: int = 1) -> Face:
    return Face("dlib", "1", template(seed))


def names(registry) -> list[str]:
    return [one.id for one in registry.holders()]


def test_a_snapshot_brings_everything_and_a_delta_what_changed(registry, path) -> None:
    key = IssuerKey("office", STRANGER_KEY.public_key())
    entries: list[Entry] = [
        *(person("anna", face()), person("bert")),
        *(Revocation(PASS), IssuerEntry(key)),
    ]
    counts = take(registry, entries, (0, 5))
    assert {name: count for name, count in counts.items() if count} == {
        "holders": 2,
        "references": 1,
        "revoked": 1,
        "issuers": 1,
    }
    assert registry.standing().version == 5
    assert registry.standing().is_snapshot
    assert registry.revoked() == {PASS}
    assert [one.key_id for one in registry.issuers()] == [key.key_id]
    take(registry, [Removal(BERT), IssuerGone(key.key_id.hex())], (5, 6))
    beside = open_registry(path)
    assert names(beside) == ["anna"]
    assert not beside.issuers()
    (found,) = beside.references("dlib", "1")
    assert np.array_equal(found.template, template(1))
    assert beside.damage().rows == {}


def test_the_same_once_more_changes_nothing_and_says_so(registry) -> None:
    entries = [person("anna", face()), person("bert")]
    take(registry, entries, (0, 5))
    rows = registry._rows("SELECT number, sealed FROM reference")
    assert not any(take(registry, entries, (0, 6)).values())
    assert registry._rows("SELECT number, sealed FROM reference") == rows
    assert registry.standing().version == 6


def test_who_is_in_no_snapshot_any_more_goes_but_not_who_was_enrolled_here(registry, path) -> None:
    open_registry(path).put(holder("local"), by=BY, now=NOW)
    key = IssuerKey("office", STRANGER_KEY.public_key())
    take(registry, [person("anna"), person("bert"), IssuerEntry(key)], (0, 5))
    take(registry, [person("bert")], (0, 9))
    assert names(registry) == ["bert", "local"]
    assert not registry.issuers()
    assert [(one.holder, one.outcome) for one in receipts(registry)] == [
        ("anna", ReceiptOutcome.ERASED)
    ]


@pytest.mark.parametrize(
    ("versions", "word"),
    [
        ((4, 5), SyncReason.REPLAYED),
        ((0, 5), SyncReason.REPLAYED),
        ((0, 4), SyncReason.REPLAYED),
        ((3, 6), SyncReason.GAP),
        ((6, 7), SyncReason.GAP),
    ],
)
def test_versions_that_do_not_follow_change_nothing(registry, versions, word) -> None:
    take(registry, [person("anna")], (0, 5))
    before = registry.revision()
    with pytest.raises(UpdateError) as caught:
        take(registry, [person("eve")], versions)
    assert caught.value.word is word
    assert (names(registry), registry.revision()) == (["anna"], before)


def test_a_part_that_cannot_be_read_takes_back_those_before_it(registry) -> None:
    step, parts = parts_of(packed([person("anna")]))

    def broken():
        yield from parts
        raise UpdateError(SyncReason.FORGED, "the second part")

    with pytest.raises(UpdateError):
        registry.take(step, broken, taking())
    assert not names(registry)
    assert registry.standing().version == 0
    assert not receipts(registry)


def test_a_removal_is_answered_and_leaves_nothing_of_the_holder_in_the_file(
    registry, path, tmp_path
) -> None:
    parts = (template(2), template(3))
    take(registry, [person("anna", Face("dlib", "1", template(1), parts)), person("bert")], (0, 1))
    registry._write(lambda: registry._keep_photographs(ANNA, [b"a photograph"], registry._sealer))
    registry.bind_document(ANNA, "ab" * 32, by=BY, now=NOW)
    sealed = registry._rows("SELECT sealed FROM reference")[0][0]
    counts = take(registry, [Removal(ANNA), Removal(HolderId("nobody"))], (1, 2))
    assert counts["removed"] == 1
    erased, unknown = receipts(registry)
    assert (erased.outcome, erased.holder, erased.version) == (ReceiptOutcome.ERASED, "anna", 2)
    assert erased.counts == {
        "holders": 1,
        "names": 1,
        "references": 1,
        "parts": 2,
        "photographs": 1,
        "id_documents": 1,
        "cards": 0,
        "records": 0,
        "category_changes": 0,
    }
    assert (erased.utc_s, erased.clock_trusted) == (int(NOW.utc.timestamp()), True)
    assert unknown.outcome is ReceiptOutcome.NOT_HERE
    assert registry.owes_erasure()
    assert registry.acknowledged([erased.id, unknown.id, bytes(16)]) == 2
    # The binding's own event names the holder, and goes to the journal.
    registry.transfer_changes(open_journal(tmp_path / "journal.sqlite"))
    assert registry.erase()
    left = b"".join(file.read_bytes() for file in tmp_path.glob("registry.sqlite*"))
    assert b"bert" in left
    for trace in (b"anna", sealed, b"ab" * 32):
        assert trace not in left
    assert registry.removed().revokes(ANNA, NOW.utc - timedelta(days=1))


def test_a_pass_of_before_stays_closed_to_whom_the_registry_removed_and_brought_again(
    registry,
) -> None:
    take(registry, [person("anna")], (0, 1))
    take(registry, [Removal(ANNA)], (1, 2))
    counts = take(registry, [person("anna")], (2, 3))
    assert counts["kept"] == 0
    assert names(registry) == ["anna"]
    assert registry.removed().revokes(ANNA, NOW.utc - timedelta(days=1))


def test_who_was_disabled_here_stays_so_until_the_registry_overrules_it(registry, path) -> None:
    take(registry, [person("anna")], (0, 1))
    desk = open_registry(path)
    desk.put(replace(desk.holders()[0], enabled=False), by=BY, now=NOW)
    counts = take(registry, [person("anna", called="Anna B")], (1, 2))
    found = registry.holder(ANNA)
    assert (counts["kept"], found.enabled, found.name) == (1, False, "Anna B")
    take(registry, [person("anna")], (0, 3))
    assert not registry.holder(ANNA).enabled
    assert {one.outcome for one in receipts(registry)} == {ReceiptOutcome.KEPT_DISABLED}
    take(registry, [person("anna", overrules=True)], (3, 4))
    assert registry.holder(ANNA).enabled


def test_who_was_disabled_by_the_registry_is_enabled_by_it(registry) -> None:
    take(registry, [person("anna", enabled=False)], (0, 1))
    assert not registry.holder(ANNA).enabled
    assert take(registry, [person("anna")], (1, 2))["kept"] == 0
    assert registry.holder(ANNA).enabled


def test_who_was_removed_here_stays_so_until_the_registry_overrules_it(registry, path) -> None:
    take(registry, [person("anna", face())], (0, 1))
    open_registry(path).remove(ANNA, by=BY, now=NOW)
    counts = take(registry, [person("anna", face()), person("bert")], (0, 2))
    assert (counts["kept"], names(registry)) == (1, ["bert"])
    assert [one.outcome for one in receipts(registry)] == [ReceiptOutcome.KEPT_REMOVED]
    take(registry, [person("anna", face(), overrules=True)], (2, 3))
    assert names(registry) == ["anna", "bert"]
    open_registry(path)._write(lambda: None)
    take(registry, [person("anna", face())], (3, 4))
    assert len(receipts(registry)) == 1


def test_whom_the_desk_brought_back_the_registry_may_change(registry, path) -> None:
    take(registry, [person("anna")], (0, 1))
    desk = open_registry(path)
    desk.remove(ANNA, by=BY, now=NOW)
    desk.put(holder("anna"), by=BY, now=NOW)
    assert take(registry, [person("anna", category="staff")], (0, 2))["kept"] == 0
    assert registry.holder(ANNA).category == "staff"


def test_no_face_enters_without_consent_unless_the_broker_is_on_the_premises(registry) -> None:
    entries = [
        person("anna", face(1), consent=None),
        person("bert", face(2)),
        person("carl", photograph=b"\xff\xd8", consent=None),
    ]
    counts = take(registry, entries, (0, 1))
    assert names(registry) == ["anna", "bert", "carl"]
    assert (counts["without_consent"], counts["photographs"]) == (2, 0)
    assert registry.packs_of_holders() == [("bert", "dlib", "1", 1)]
    assert registry.holder(BERT).consent is not None
    counts = take(registry, entries, (1, 2), taking(on_premises=True))
    assert (counts["without_consent"], counts["references"]) == (0, 1)
    assert len(registry.packs_of_holders()) == 2


def test_references_of_the_kiosk_stay_where_an_entry_says_nothing_and_go_where_it_says_none(
    registry, path
) -> None:
    open_registry(path).enrol(holder("anna"), [reference("anna")], by=BY, now=NOW)
    take(registry, [person("anna")], (0, 1))
    assert len(registry.packs_of_holders()) == 1
    take(registry, [replace(person("anna", consent=None), faces=())], (1, 2))
    assert not registry.packs_of_holders()


def test_a_change_of_the_desks_keeps_the_consent(registry, path) -> None:
    take(registry, [person("anna")], (0, 1))
    desk = open_registry(path)
    found = desk.holders()[0]
    desk.put(replace(found, category="staff"), by=BY, now=NOW)
    assert registry.holder(ANNA).consent == found.consent is not None


def test_the_event_has_counts_and_versions_and_nobodys_name(registry, tmp_path) -> None:
    take(registry, [person("anna", face())], (0, 7))
    journal = open_journal(tmp_path / "journal.sqlite")
    assert registry.transfer_changes(journal) == 1
    (row,) = journal.read()
    assert row.event.type is EventType.REGISTRY_UPDATED
    said = row.event.data
    assert (said["version_from"], said["version_to"], said["by"]) == (0, 7, "registry")
    assert said["counts"]["holders"] == 1
    assert "anna" not in repr(said).casefold()


def test_a_damaged_row_is_written_over_and_costs_no_other(registry, path) -> None:
    take(registry, [person(f"h{number}") for number in range(100)], (0, 1))
    with sqlite3.connect(path) as broken:
        broken.execute("UPDATE holder SET enabled = 0 WHERE id = 'h7'")
        broken.execute("UPDATE holder SET id = 'h999' WHERE id = 'h8'")
    broken.close()
    assert registry.damage().holders == {"h7", "h8"}
    take(registry, [person(f"h{number}") for number in range(100)], (0, 2))
    assert not registry.damage().rows
    assert len(names(registry)) == 100
    assert all(one.enabled for one in registry.holders())


def test_a_time_in_doubt_is_said_in_the_receipt(registry) -> None:
    unset = replace(NOW, utc=datetime(1970, 1, 1, tzinfo=UTC), utc_trusted=False)
    take(registry, [person("anna")], (0, 1))
    take(registry, [Removal(ANNA)], (1, 2), replace(taking(now=unset), at_least=None))
    (receipt,) = receipts(registry)
    assert not receipt.clock_trusted
    assert registry.removed().revokes(ANNA, ISSUED + timedelta(days=9))


def test_a_command_of_before_an_update_does_not_undo_it(registry) -> None:
    key = IssuerKey("office", STRANGER_KEY.public_key())
    entries: list[Entry] = [person(one) for one in ("anna", "bert", "carl")]
    entries.append(IssuerEntry(key))
    take(registry, entries, (0, 5))
    named, issued_s = f"issuer:{key.key_id.hex()}", int(ISSUED.timestamp())
    assert registry._rows("SELECT count(*) FROM said_here") == [(1,)]  # of the issuer's key
    gone: list[Entry] = [person("anna", enabled=False), Removal(BERT), IssuerGone(key.key_id.hex())]
    take(registry, gone, (5, 6))
    take(registry, [person("bert")], (6, 7))
    for subject in ("holder:anna", "holder:bert", named):
        assert registry.is_late(subject, issued_s - 1)
        assert not registry.is_late(subject, issued_s)
    assert not registry.is_late("holder:carl", issued_s - 1)
    found = [one for (one,) in registry._rows("SELECT subject FROM said_here")]
    assert not any("bert" in one for one in found)
