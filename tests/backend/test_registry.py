"""A registration reaches the kiosks it concerns, sealed; what they answer is kept."""

import json
import os
from typing import Any

import pytest
from backend import kiosks
from backend.commands import main
from backend.registry import updates
from backend_parts import Kiosk, Publisher, count, flaws, put_raw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from mosquitto import wait_until

from agent.credentials.passes.issuers import key_id
from agent.credentials.sealed.chunks import Acknowledged, Head, read_message
from agent.credentials.sealed.parcel import open_part
from agent.credentials.signed.entries import HolderEntry, IssuerEntry, Removal, Revocation
from agent.credentials.signed.receipt import (
    Receipt,
    Request,
    sign_receipt,
    sign_request,
    verify_acknowledged,
)
from agent.domain.record.registry_sync import ReceiptOutcome

KEY = Ed25519PrivateKey.generate()
ANNA = {"id": "anna", "name": "Anna", "category": "resident"}
BERT = {"id": "bert", "name": "Bert", "category": "visitor", "enabled": False}


def key_of(wanted):
    return KEY.public_key() if wanted == key_id(KEY.public_key()) else None


class Fed(Kiosk):
    """A kiosk that opens what is sealed to it."""

    def __init__(self, place="lakeside/g3/north-1") -> None:
        super().__init__(place)
        self.own = X25519PrivateKey.generate()
        self.sealing = self.own.public_key().public_bytes_raw()
        self.heads: dict[tuple[bytes, int], Head] = {}
        self.chunks: dict[tuple[bytes, int, int], bytes] = {}
        self.acknowledged: list[bytes] = []
        self.count = 0

    def hear(self, topic, message) -> None:
        if topic != f"{self.topics.base}/registry":
            return
        self.count += 1
        found = read_message(message, key_of, self.place)
        match found:
            case Head():
                self.heads[found.step.update, found.number] = found
            case Acknowledged():
                self.acknowledged += verify_acknowledged(found.data, key_of, self.place)
            case _:
                self.chunks[found.update, found.part, found.number] = found.data

    def lacks(self, update, part):
        head = self.heads[update, part]
        return [n for n in range(len(head.hashes)) if (update, part, n) not in self.chunks]

    def entries(self):
        """What the newest update says, of the parts that are whole."""
        step = max((head.step for head in self.heads.values()), key=lambda one: one.version)
        found: list[Any] = []
        for number in range(step.parts):
            head = self.heads[step.update, number]
            sealed = b"".join(self.chunks[step.update, number, n] for n in range(len(head.hashes)))
            found += open_part(sealed, step, number, self.own, key_of).entries
        return step, found

    def request(self, version, update=None, lacks=()):
        own = key_id(self.own.public_key())
        said = Request(self.place, version, 4096, own, update, lacks)
        return (f"{self.topics.base}/registry/request", sign_request(said, self.key))


@pytest.fixture
def fed(store):
    made = Fed()
    kiosks.pin(store, made.keys())
    return made


@pytest.fixture
def registered(tmp_path, mosquitto, dsn, capsys):
    """``backend register`` with what a file says; its answer."""
    key = tmp_path / "registry.key"
    key.write_text(KEY.private_bytes_raw().hex())
    key.chmod(0o600)
    config = tmp_path / "backend.toml"
    config.write_text(
        f'[store]\ndsn = "{dsn}"\n[broker]\nport = {mosquitto.port}\n[keys]\nregistry = "{key}"\n'
    )

    def run(code=0, *, as_json=True, **said):
        path = tmp_path / "said.json"
        path.write_text(json.dumps({"to": "lakeside/*", **said}))
        words = ["--config", str(config), "register", str(path)]
        assert main([*words, "--json"] if as_json else words) == code
        captured = capsys.readouterr()
        if code:
            return captured.err
        return json.loads(captured.out) if as_json else captured.out

    return run


@pytest.fixture
def heard(mosquitto, fed):
    side = Publisher(mosquitto.port)
    side.client.on_message = lambda _c, _d, one: fed.hear(one.topic, bytes(one.payload))
    side.client.subscribe("gate/#", qos=1)
    yield side
    side.close()


def test_a_registration_is_sent_to_the_kiosks_it_concerns(store, fed, heard, registered):
    other = Fed("elsewhere/g1/k-1")
    kiosks.pin(store, other.keys())
    consent = {"notice": "2026-11", "at": "2026-11-28T09:00Z"}
    said = registered(
        holders=[{**ANNA, "from": "2026-12-01", "consent": consent}, BERT],
        revoke=["0123456789abcdef"],
        issuers=[{"issuer": "office", "public": "A" * 43}],
    )
    assert (said["version"], said["entries"], said["without_key"]) == (1, 4, [])
    assert wait_until(lambda: fed.count >= 2)
    step, entries = fed.entries()
    assert (step.since, step.version, step.kiosk) == (0, 1, fed.place)
    kinds = sorted(type(one).__name__ for one in entries)
    assert kinds == sorted(
        one.__name__ for one in (HolderEntry, HolderEntry, Revocation, IssuerEntry)
    )
    anna = next(one for one in entries if isinstance(one, HolderEntry) and one.holder.id == "anna")
    assert anna.holder.consent is not None
    assert anna.holder.consent.notice == "2026-11"
    # Another community's kiosk gets an empty update, and nobody's name.
    assert said["sent_to"] == ["elsewhere/g1/k-1", "lakeside/g3/north-1"]


def test_a_change_is_a_delta_and_a_removal_takes_the_name_along(store, fed, heard, registered):
    registered(holders=[ANNA, BERT])
    registered(holders=[{**BERT, "enabled": True}])
    registered(remove=["anna"])
    assert wait_until(lambda: len({key[0] for key in fed.heads}) == 3 and fed.count >= 6)
    step, entries = fed.entries()
    assert (step.since, step.version) == (2, 3)
    assert [type(one) for one in entries] == [Removal]
    kept = store.execute("SELECT entry FROM registry_lines WHERE key = 'holder:anna'").fetchall()
    assert not any(b"Anna" in bytes(one) for (one,) in kept)


def test_who_moves_out_of_a_groups_reach_is_removed_there(store, fed, heard, registered):
    registered(holders=[ANNA])
    registered(to="lakeside/g4/*", holders=[ANNA])
    assert wait_until(lambda: len({key[0] for key in fed.heads}) == 2 and fed.count >= 4)
    _, entries = fed.entries()
    assert [(type(one), one.holder) for one in entries] == [(Removal, "anna")]


def test_a_kiosk_that_lags_is_brought_up_from_where_it_is(store, fed, heard, registered):
    for holder in (ANNA, BERT, {**ANNA, "id": "carl"}):
        registered(holders=[holder])
    topic, payload = fed.request(1)
    put_raw(store, (topic, payload))
    assert wait_until(lambda: fed.count >= 6)
    sent = []
    assert updates.answer(store, KEY, lambda topic, payload: sent.append((topic, payload))) == 1
    for one in sent:
        fed.hear(*one)
    step, entries = next(
        (step, entries) for step, entries in [fed_since(fed, 1)] if step is not None
    )
    assert (step.since, step.version) == (1, 3)
    assert sorted(str(one.holder.id) for one in entries) == ["bert", "carl"]


def fed_since(fed, since):
    heads = [head for head in fed.heads.values() if head.step.since == since]
    step = max((head.step for head in heads), key=lambda one: one.version)
    fed.heads = {key: one for key, one in fed.heads.items() if one.step.update == step.update}
    return fed.entries()


def test_a_large_update_is_asked_for_part_by_part(store, fed, registered, tmp_path):
    photograph = os.urandom(100_000)
    consent = {"notice": "2026-11", "at": "2026-11-28T09:00Z"}
    said: list[tuple[str, bytes]] = []
    people = [
        {**ANNA, "id": f"r-{number}", "consent": consent, "photograph": f"p{number}.jpg"}
        for number in range(4)
    ]
    for number in range(4):
        (tmp_path / f"p{number}.jpg").write_bytes(photograph)
    registered(holders=people)
    store.execute("UPDATE kiosks SET registry_sent = 0")
    updates.push(store, KEY, lambda topic, payload: said.append((topic, payload)))
    assert len(said) == 1
    fed.hear(*said.pop())
    ((update, _), head), *_ = fed.heads.items()
    for _ in range(20):
        lacks: list[tuple[int, Any]] = []
        for part in range(head.step.parts):
            if (update, part) not in fed.heads:
                lacks.append((part, ()))
            elif missing := fed.lacks(update, part):
                lacks.append((part, ((missing[0], missing[-1]),)))
        if not lacks:
            break
        put_raw(store, fed.request(0, update, lacks))
        updates.answer(store, KEY, lambda topic, payload: said.append((topic, payload)))
        # Some of it is lost on the way.
        for number, one in enumerate(said):
            if number % 7 != 3:
                fed.hear(*one)
        said.clear()
    _, entries = fed.entries()
    assert sorted(str(one.holder.id) for one in entries) == ["r-0", "r-1", "r-2", "r-3"]
    assert all(one.photograph == photograph for one in entries)


def test_a_kiosk_with_another_sealing_key_is_sent_nothing(store, fed, registered):
    registered(holders=[ANNA])
    fed.own = X25519PrivateKey.generate()
    put_raw(store, fed.request(0))
    sent: list[tuple[str, bytes]] = []
    updates.answer(store, KEY, lambda *one: sent.append(one))
    assert (sent, flaws(store)) == ([], [("sealing_key_differs", 0)])
    fed.sealing = fed.own.public_key().public_bytes_raw()
    kiosks.pin(store, fed.keys(), replace=True)
    assert flaws(store) == []
    put_raw(store, fed.request(0))
    updates.answer(store, KEY, lambda *one: sent.append(one))
    assert len(sent) >= 2


def receipt(fed, number=1, **more):
    said = {
        "kiosk": fed.place,
        "id": bytes([number]) * 16,
        "version": 3,
        "utc_s": 1_800_000_000,
        "outcome": ReceiptOutcome.ERASED,
        "holder": "anna",
        "clock_trusted": True,
        "counts": {"references": 2, "names": 1},
        **more,
    }
    key = said.pop("key", fed.key)
    return (f"{fed.topics.base}/registry/receipts", sign_receipt(Receipt(**said), key))


def test_a_receipt_is_kept_shown_and_acknowledged_until_the_kiosk_knows(store, fed, capsys):
    put_raw(store, receipt(fed), receipt(fed), receipt(fed, 2, holder="bert"))
    assert main(["receipts", "--holder", "anna", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["kiosk"], row["outcome"], row["version"]) == (fed.place, "erased", 3)
    assert row["counts"] == {"references": 2, "names": 1}
    assert bytes.fromhex(row["signed"]) == receipt(fed)[1]
    sent = []
    assert updates.answer(store, KEY, lambda *one: sent.append(one)) == 1
    assert updates.answer(store, KEY, lambda *one: sent.append(one)) == 0
    for one in sent:
        fed.hear(*one)
    assert sorted(fed.acknowledged) == [b"\1" * 16, b"\2" * 16]
    # It did not hear that, and says it again.
    put_raw(store, receipt(fed))
    assert updates.answer(store, KEY, lambda *one: sent.append(one)) == 1
    assert count(store, "receipts") == 2


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"key": Ed25519PrivateKey.generate()}, "not_signed"),
        ({"kiosk": "lakeside/g3/north-2"}, "other_kiosk"),
    ],
    ids=["key", "kiosk"],
)
def test_a_receipt_of_another_counts_for_nothing(store, fed, more, reason):
    put_raw(store, receipt(fed, **more))
    assert count(store, "receipts") == 0
    assert store.execute("SELECT reason FROM refusals").fetchall() == [(reason,)]


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"to": "lakeside"}, '"to"'),
        ({"to": "*"}, '"to"'),
        ({"to": "a/b/c/*"}, '"to"'),
        ({"holder": []}, "holder"),
        ({"holders": {}}, "holders"),
        ({"holders": [{"id": "x"}]}, "holders[0]"),
        ({"holders": ["x"]}, "holders[0]"),
        ({"remove": [7]}, "remove[0]"),
        ({"holders": [ANNA, {**ANNA, "id": "a b"}]}, "holders[1]"),
        ({"holders": [{**ANNA, "nickname": "x"}]}, "holders[0]"),
        ({"holders": [{**ANNA, "enabled": "yes"}]}, "holders[0]"),
        ({"holders": [{**ANNA, "photograph": "x.jpg"}]}, "consent"),
        ({"holders": [ANNA], "remove": ["anna"]}, "twice"),
        ({"revoke": ["x"]}, "revoke[0]"),
        ({"issuers": [{"issuer": "x", "public": "AA"}]}, "issuers[0]"),
    ],
)
def test_what_no_kiosk_would_take_changes_nothing(store, registered, said, where):
    message = registered(code=2, **said)
    assert where in message
    assert "Anna" not in message
    assert count(store, "registry_lines") == 0
    assert store.execute("SELECT version FROM registry").fetchone() in {None, (0,)}


@pytest.mark.parametrize(
    ("size", "why"),
    [(192 * 1024 + 1, "has 193 KiB"), (0, "is empty"), (None, "No such file")],
)
def test_a_photograph_that_cannot_go_is_named(store, registered, tmp_path, size, why):
    if size is not None:
        (tmp_path / "lin.jpg").write_bytes(bytes(size))
    consent = {"notice": "2026-11", "at": "2026-11-28T09:00Z"}
    message = registered(code=2, holders=[{**ANNA, "photograph": "lin.jpg", "consent": consent}])
    assert "holders[0]: " in message
    assert "lin.jpg" in message
    assert why in message
    assert count(store, "registry_lines") == 0


def test_people_are_told_that_it_is_not_in_effect_yet(store, heard, registered, capsys):
    assert registered(holders=[ANNA])["sent_to"] == ["lakeside/g3/north-1"]
    said = registered(as_json=False, holders=[ANNA])
    assert "handed to the broker for" in said
    assert "Not yet in effect" in said


def test_a_kiosk_without_a_pinned_key_is_named(store, heard, registered):
    put_raw(store, ("gate/lakeside/g3/new/health", b'{"contract": 1}'))
    assert registered(holders=[ANNA])["without_key"] == ["lakeside/g3/new"]


def test_whoever_repeats_a_question_keeps_no_other_waiting(store, fed, registered):
    neighbour = Fed("lakeside/g3/north-2")
    kiosks.pin(store, neighbour.keys())
    registered(holders=[ANNA])
    put_raw(store, *[neighbour.request(0)] * 30, fed.request(0), *[neighbour.request(0)] * 30)
    assert count(store, "registry_requests") == 2
    sent: list[str] = []
    assert updates.answer(store, KEY, lambda topic, _: sent.append(topic)) == 2
    assert {topic.split("/")[3] for topic in sent} == {"north-1", "north-2"}


def test_a_question_that_nobody_can_answer_stops_nothing(store, fed, registered, tmp_path):
    photograph = tmp_path / "anna.jpg"
    photograph.write_bytes(b"\xff\xd8\xff" + os.urandom(190_000))
    consent = {"notice": "1", "at": "2026-11-28T09:00Z"}
    registered(holders=[{**ANNA, "photograph": photograph.name, "consent": consent}])
    own = key_id(fed.own.public_key())
    topic = f"{fed.topics.base}/registry/request"
    for version, largest in ((-1, 4096), (0, 1), (0, 4096)):
        said = sign_request(Request(fed.place, version, largest, own, None, ()), fed.key)
        put_raw(store, (topic, said))
        updates.answer(store, KEY, lambda *_: None)
        assert count(store, "registry_requests") == 0
    store.execute("UPDATE kiosks SET message_bytes = 1, registry_version = 0, registry_sent = 0")
    other = Fed("lakeside/g3/north-2")
    kiosks.pin(store, other.keys())
    assert updates.push(store, KEY, lambda *_: None) == [other.place]
