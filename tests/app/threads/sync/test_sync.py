"""Registry sync turn by turn: real bytes, a real file, and a broker that does what it likes."""

import random
import sqlite3
from dataclasses import replace

import pytest
from store_parts import BY, open_registry
from sync_kiosk import SyncedKiosk, acknowledged, answer, serve
from sync_parts import (
    NOW,
    STRANGER_KEY,
    TO,
    messages,
    packed,
    person,
    template,
)

from agent.adapters.store.sqlite import BUSY_TIMEOUT_S
from agent.credentials.sealed.chunks import chunk_message
from agent.credentials.signed.entries import Face, Removal
from agent.domain.credential.holder import HolderId
from agent.domain.record.registry_sync import ReceiptOutcome, SyncReason

ANNA = HolderId("anna")
MANY = [person(f"h{number:04}", Face("dlib", "1", template(number))) for number in range(900)]


@pytest.fixture
def kiosk(tmp_path):
    return SyncedKiosk(tmp_path)


@pytest.fixture(scope="module")
def snapshot():
    """Three parts, some 130 chunks."""
    parcels = packed(MANY, (0, 9))
    assert len(parcels) >= 2
    return parcels


def said(kiosk: SyncedKiosk) -> dict[str, int]:
    counts: dict[str, int] = kiosk.sync.as_json()["refused"]
    return counts


def test_a_delta_is_in_force_with_its_last_message_and_says_so(kiosk) -> None:
    kiosk.hear(*messages(packed([person("anna")], (0, 4))))
    kiosk.hear(*messages(packed([person("bert")], (4, 5))))
    assert (kiosk.people, kiosk.version) == (["anna", "bert"], 5)
    assert kiosk.requests[-1].version == 5
    assert kiosk.sync.as_json()["last"]["result"] == "updated"
    assert not said(kiosk)
    assert not kiosk.on_its_way


def test_a_snapshot_is_asked_for_part_by_part(kiosk, snapshot) -> None:
    kiosk.connect()
    assert [one.version for one in kiosk.requests] == [0]
    sent = serve(kiosk, snapshot)
    assert (len(kiosk.people), kiosk.version) == (900, 9)
    assert sent <= len(messages(snapshot)) + len(snapshot), "hardly anything was sent twice"


def test_nothing_is_in_force_before_the_last_chunk_is_there(kiosk, snapshot) -> None:
    everything = messages(snapshot)
    for one in everything[:-1]:
        kiosk.hear(one)
    assert (kiosk.people, kiosk.version) == ([], 0)
    kiosk.hear(everything[-1])
    assert kiosk.version == 9


def test_messages_in_any_order_many_times_and_with_losses_come_to_the_same(kiosk, snapshot) -> None:
    chance = random.Random(7)
    kiosk.connect()
    for _ in range(400):
        asked, kiosk.requests = kiosk.requests, []
        for request in asked:
            if kiosk.version:
                break
            came = [one for one in answer(request, snapshot) * 2 if chance.random() < 0.6]
            chance.shuffle(came)
            kiosk.hear(*came)
        kiosk.wait(3)
    assert (len(kiosk.people), kiosk.version) == (900, 9)
    assert not said(kiosk)


def test_killed_on_the_way_it_goes_on_with_what_it_has(kiosk, snapshot) -> None:
    first, second, *_ = snapshot
    kiosk.hear(*first.messages, second.head, *second.chunks[:10])
    kiosk.registry.close()
    kiosk.start()
    kiosk.connect()
    assert kiosk.sync.as_json()["waiting"]["parts"] == 1
    (request,) = kiosk.requests
    assert 0 not in dict(request.lacks)
    assert dict(request.lacks)[1] == ()
    serve(kiosk, snapshot)
    assert (len(kiosk.people), kiosk.version) == (900, 9)


def test_a_part_on_the_disk_that_was_altered_is_asked_for_again(kiosk, snapshot) -> None:
    kiosk.hear(*snapshot[0].messages, snapshot[1].head)
    (path,) = kiosk.on_its_way
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    kiosk.registry.close()
    kiosk.start()
    assert kiosk.sync.as_json()["waiting"]["parts"] == 0
    kiosk.connect()
    serve(kiosk, snapshot)
    assert kiosk.version == 9


def test_what_lacks_is_asked_for_ever_more_seldom(kiosk, snapshot) -> None:
    kiosk.hear(*snapshot[0].messages[:-3])
    for _ in range(600):
        kiosk.wait(1)
    last = len(snapshot[0].chunks) - 1
    assert 8 <= len(kiosk.requests) <= 20
    assert kiosk.requests[-1].lacks[0] == (0, ((last - 2, last),))


def test_a_stranger_can_neither_spoil_nor_fill_nor_hold_up_a_transfer(kiosk, snapshot) -> None:
    kiosk.hear(snapshot[0].head)
    step = kiosk.assembly.step
    assert step is not None
    for number, one in enumerate(snapshot[0].chunks):
        forged = chunk_message(step.update, 0, number, b"x" * 4000)
        strange = chunk_message(bytes(16), 0, number, b"x" * 4000)
        kiosk.hear(forged, strange, one)
    foreign = packed(MANY[:1], (0, 99), key=STRANGER_KEY)
    kiosk.hear(*messages(foreign), b"no message", b"x" * 5000)
    count = len(snapshot[0].chunks)
    assert said(kiosk) == {
        "broken_chunk": count,
        "not_asked": count + len(foreign[0].chunks),
        "unknown_key": 1,
        "malformed": 1,
        "too_large": 1,
    }
    assert len(kiosk.on_its_way) == 1
    for parcel in snapshot[1:]:
        kiosk.hear(*parcel.messages)
    assert kiosk.version == 9


def test_a_refusal_is_told_once_an_hour_for_each_reason(kiosk) -> None:
    for _ in range(100):
        kiosk.hear(b"no message")
    assert kiosk.refused == [(SyncReason.MALFORMED, 1)]
    kiosk.wait(3601)
    assert kiosk.refused == [(SyncReason.MALFORMED, 1), (SyncReason.MALFORMED, 99)]


def test_the_queue_has_a_bound(kiosk) -> None:
    for _ in range(5000):
        kiosk.sync.heard(b"no message")
    kiosk.sync.turn()
    assert said(kiosk)["malformed"] == 512


def test_an_old_version_and_another_kiosks_change_nothing(kiosk) -> None:
    old = messages(packed([person("anna")], (0, 4)))
    kiosk.hear(*old)
    kiosk.hear(*messages(packed([Removal(ANNA)], (4, 5))))
    kiosk.hear(*old)
    neighbour = replace(TO, kiosk="lakeside/g3/north-2")
    kiosk.hear(*messages(packed([person("eve")], (0, 9), to=neighbour)))
    assert (kiosk.people, kiosk.version) == ([], 5)
    assert said(kiosk)["replayed"] == 1
    assert said(kiosk)["other_kiosk"] == 1


def test_the_update_that_was_just_taken_is_no_replay_when_the_broker_says_it_twice(kiosk) -> None:
    once = messages(packed([person("anna")], (0, 4)))
    kiosk.hear(*once, *once)
    assert not said(kiosk)


def test_a_gap_makes_it_ask_for_what_is_missing(kiosk) -> None:
    kiosk.hear(*messages(packed([person("anna")], (0, 4))))
    kiosk.requests.clear()
    kiosk.hear(*messages(packed([person("carl")], (5, 6))))
    assert (said(kiosk)["gap"], kiosk.version) == (1, 4)
    kiosk.wait(1.5)
    assert [one.version for one in kiosk.requests] == [4]
    kiosk.hear(*messages(packed([person("bert")], (4, 5))))
    kiosk.hear(*messages(packed([person("carl")], (5, 6))))
    assert (kiosk.people, kiosk.version) == (["anna", "bert", "carl"], 6)


def test_a_month_of_deltas_is_caught_up(kiosk) -> None:
    kiosk.hear(*messages(packed([person("anna")], (0, 1))))
    for day in range(1, 31):
        kiosk.hear(
            *messages(packed([person(f"d{day}"), Removal(HolderId(f"d{day - 1}"))], (day, day + 1)))
        )
    assert (kiosk.people, kiosk.version) == (["anna", "d30"], 31)
    assert len(kiosk.registry.receipts(100)) == 30


def test_a_later_snapshot_takes_the_place_of_one_that_is_on_its_way(kiosk, snapshot) -> None:
    kiosk.hear(*snapshot[0].messages)
    kiosk.hear(*messages(packed([person("anna")], (0, 12))))
    assert (kiosk.people, kiosk.version) == (["anna"], 12)
    kiosk.hear(*messages(snapshot))
    assert kiosk.version == 12


def test_an_update_beyond_the_bound_is_refused(kiosk) -> None:
    big = [person(f"p{number}", photograph=b"x" * 190_000) for number in range(50)]
    parcels = packed(big, (0, 2))
    for parcel in parcels:
        kiosk.hear(*parcel.messages)
    assert said(kiosk)["too_large"] >= 1
    assert (kiosk.people, kiosk.version) == ([], 0)


def test_a_receipt_is_sent_until_the_registry_has_it(kiosk) -> None:
    kiosk.hear(*messages(packed([person("anna", Face("dlib", "1", template(1)))], (0, 1))))
    kiosk.online = False
    kiosk.hear(*messages(packed([Removal(ANNA)], (1, 2))))
    assert not kiosk.receipts
    kiosk.online = True
    kiosk.connect()
    (receipt,) = kiosk.receipts
    assert (receipt.outcome, receipt.holder) == (ReceiptOutcome.ERASED, "anna")
    assert receipt.counts["references"] == 1
    kiosk.wait(61)
    kiosk.registry.close()
    kiosk.start()
    kiosk.connect()
    assert kiosk.receipts == [receipt] * 3
    kiosk.hear(acknowledged([receipt]))
    kiosk.wait(61)
    assert len(kiosk.receipts) == 3
    assert kiosk.sync.as_json()["waiting"]["receipts"] == 0
    left = b"".join(file.read_bytes() for file in kiosk.folder.glob("registry.sqlite*"))
    assert b"anna" not in left


def test_many_receipts_are_sent_once_each_where_each_is_acknowledged(kiosk) -> None:
    kiosk.hear(*messages(packed([person(f"h{number}") for number in range(300)], (0, 1))))
    gone = [Removal(HolderId(f"h{number}")) for number in range(300)]
    for one in messages(packed(gone, (1, 2))):
        kiosk.hear(one)
    kiosk.wait(2)
    done = 0
    while done < len(kiosk.receipts):
        kiosk.hear(acknowledged([kiosk.receipts[done]]))
        done += 1
    assert len(kiosk.receipts) == len({one.id for one in kiosk.receipts}) == 300
    assert kiosk.sync.as_json()["waiting"]["receipts"] == 0
    assert not kiosk.registry.owes_erasure()


def test_no_receipt_says_erased_before_the_file_was_built_anew(kiosk) -> None:
    kiosk.hear(*messages(packed([person("anna")], (0, 1))))
    reader = sqlite3.connect(kiosk.folder / "registry.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM holder").fetchone()
    kiosk.hear(*messages(packed([Removal(ANNA)], (1, 2))))
    assert (kiosk.version, kiosk.receipts) == (2, [])
    kiosk.wait(2)
    assert kiosk.receipts == []
    reader.execute("ROLLBACK")
    reader.close()
    kiosk.wait(6)
    assert [one.holder for one in kiosk.receipts] == ["anna"]


def test_the_file_is_built_anew_once_for_what_comes_one_after_the_other(kiosk, monkeypatch) -> None:
    kiosk.hear(*messages(packed([person("anna"), person("bela")], (0, 1))))
    built, erase = [], kiosk.registry.erase

    def counted(within_s):
        built.append(1)
        return erase(within_s)

    monkeypatch.setattr(kiosk.registry, "erase", counted)
    kiosk.hear(*messages(packed([Removal(ANNA)], (1, 2))))
    kiosk.wait(1)
    kiosk.hear(*messages(packed([Removal(HolderId("bela"))], (2, 3))))
    assert built == []
    kiosk.wait(1)
    assert ([one.holder for one in kiosk.receipts], built) == (["anna", "bela"], [1])


def test_while_the_file_is_locked_or_in_fault_the_update_waits_whole(kiosk) -> None:
    kiosk.usable = False
    kiosk.hear(*messages(packed([person("anna")], (0, 1))))
    assert (kiosk.people, said(kiosk)) == ([], {"not_written": 1})
    kiosk.usable = True
    other = sqlite3.connect(kiosk.folder / "registry.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    kiosk.wait(6)
    assert said(kiosk) == {"not_written": 2}
    assert BUSY_TIMEOUT_S < 5
    other.execute("ROLLBACK")
    other.close()
    kiosk.wait(6)
    assert kiosk.people == ["anna"]


def test_a_photograph_is_looked_at_once_the_update_is_in_force_and_answered(kiosk) -> None:
    seen = []

    def enrol(entry):
        seen.append((entry.holder.id, entry.photograph, kiosk.version))
        return None if entry.holder.id == "anna" else "no_face"

    kiosk.enrol = enrol
    people = [
        person("anna", photograph=b"a"),
        person("bert", photograph=b"b"),
        person("carl", photograph=b"c", consent=None),
    ]
    kiosk.hear(*messages(packed(people, (0, 3))))
    assert seen == [("anna", b"a", 3), ("bert", b"b", 3)]
    answers = {one.holder: (one.outcome, one.reason) for one in kiosk.receipts}
    assert answers == {
        "anna": (ReceiptOutcome.ENROLLED, None),
        "bert": (ReceiptOutcome.NOT_ENROLLED, "no_face"),
        "carl": (ReceiptOutcome.NOT_ENROLLED, "no_consent"),
    }


def test_killed_between_the_update_and_its_photographs_it_answers_all_the_same(kiosk) -> None:
    class Killed(BaseException):
        pass

    def killed(_entry):
        raise Killed

    kiosk.enrol = killed
    with pytest.raises(Killed):
        kiosk.hear(*messages(packed([person("anna", photograph=b"a")], (0, 3))))
    kiosk.registry.close()
    kiosk.enrol = lambda _entry: None
    kiosk.start()
    kiosk.connect()
    assert kiosk.version == 3
    assert [one.outcome for one in kiosk.receipts] == [ReceiptOutcome.ENROLLED]


def test_no_face_leaves_the_kiosk_and_none_without_consent_is_kept(kiosk, tmp_path) -> None:
    face, photograph = template(5), b"\xff\xd8 a photograph of anna"
    kiosk.hear(
        *messages(
            packed(
                [
                    person("anna", Face("dlib", "1", face), consent=None),
                    person("bert", photograph=photograph, consent=None),
                ],
                (0, 1),
            )
        )
    )
    assert kiosk.people == ["anna", "bert"]
    assert not kiosk.registry.packs_of_holders()
    assert kiosk.registry.reference_total("dlib", "1") == 0
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert face.tobytes()[:16] not in file.read_bytes()
            assert photograph not in file.read_bytes()


def test_what_the_desk_does_meanwhile_is_not_lost(kiosk, snapshot) -> None:
    kiosk.hear(*snapshot[0].messages)
    desk = open_registry(kiosk.folder / "registry.sqlite")
    desk.put(person("local").holder, by=BY, now=NOW)
    for parcel in snapshot[1:]:
        kiosk.hear(*parcel.messages)
    assert "local" in kiosk.people
    assert len(kiosk.people) == 901
