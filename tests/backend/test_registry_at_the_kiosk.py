"""The backend's registry and a kiosk's own sync, with a network between them that loses some."""

import json

import pytest
from backend import kiosks
from backend.failures import UsageError
from backend.registry import lines, updates
from backend_parts import count, put_raw, text64
from health_parts import signer
from sync_kiosk import SyncedKiosk
from sync_parts import KIOSK, REGISTRY_KEY, SEALING_KEY, SIGNING_KEY

from agent.credentials.signed.receipt import sign_receipt, sign_request
from agent.operations.health.trust_lists import installed

BASE = f"gate/{KIOSK}"
CONSENT = {"notice": "2026-1", "at": "2026-11-01T00:00Z"}


class Between:
    """A broker between the two; every ``loses``-th message to the kiosk is lost."""

    def __init__(self, store, folder, loses=0) -> None:
        self.store, self.loses, self.sent = store, loses, 0
        self.kiosk = SyncedKiosk(folder)
        raw = SIGNING_KEY.public_key().public_bytes_raw()
        sealing = SEALING_KEY.public_key().public_bytes_raw()
        shown = {"signing": {"public": text64(raw)}, "sealing": {"public": text64(sealing)}}
        kiosks.pin(store, {"kiosk": KIOSK, **shown})

    def publish(self, topic, payload) -> None:
        assert topic == f"{BASE}/registry"
        self.sent += 1
        if not self.loses or self.sent % self.loses:
            self.kiosk.hear(payload)

    def registers(self, **said) -> None:
        lines.add(self.store, lines.lines_of({"to": "lakeside/*", **said}, self.kiosk.folder))
        updates.push(self.store, REGISTRY_KEY, self.publish)

    def settles(self) -> None:
        """Until the kiosk asks for nothing more and every receipt is kept."""
        quiet = 0
        while quiet < 30:
            said = [
                ("registry/request", sign_request(one, SIGNING_KEY)) for one in self.kiosk.requests
            ]
            said += [
                ("registry/receipts", sign_receipt(one, SIGNING_KEY)) for one in self.kiosk.receipts
            ]
            quiet = 0 if said else quiet + 1
            self.kiosk.requests, self.kiosk.receipts = [], []
            put_raw(self.store, *((f"{BASE}/{name}", payload) for name, payload in said))
            updates.answer(self.store, REGISTRY_KEY, self.publish)
            self.kiosk.wait(5)


def person(name):
    return {"id": name, "name": name.title(), "category": "resident", "consent": CONSENT}


@pytest.mark.parametrize("loses", [0, 4])
def test_registrations_and_removals_arrive_and_are_answered(store, tmp_path, loses):
    between = Between(store, tmp_path, loses)
    between.registers(holders=[person("anna"), person("bert")])
    between.registers(holders=[person("carl")], remove=["anna"])
    between.settles()
    assert (between.kiosk.people, between.kiosk.version) == (["bert", "carl"], 2)
    said = between.kiosk.sync.as_json()
    assert said["waiting"]["receipts"] == 0
    rows = store.execute("SELECT holder, outcome, version FROM receipts").fetchall()
    # With losses it may get both at once, and never have had whom it is to forget.
    assert [(row[0], row[2]) for row in rows] == [("anna", 2)]
    assert rows[0][1] in {"erased", "not_here"}
    assert count(store, "refusals") == 0


def test_a_kiosk_put_back_to_an_older_state_is_brought_up_again(store, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    between = Between(store, tmp_path / "one")
    for name in ("anna", "bert", "carl"):
        between.registers(holders=[person(name)])
    between.settles()
    assert between.kiosk.version == 3
    between.kiosk = SyncedKiosk(tmp_path / "two")
    between.kiosk.connect()
    between.settles()
    assert (between.kiosk.people, between.kiosk.version) == (["anna", "bert", "carl"], 3)


def test_a_large_registry_is_asked_for_part_by_part(store, tmp_path):
    photograph = b"\xff\xd8" + bytes(range(256)) * 500
    (tmp_path / "p.jpg").write_bytes(photograph)
    between = Between(store, tmp_path, loses=9)
    people = [{**person(f"h-{number}"), "photograph": "p.jpg"} for number in range(5)]
    between.registers(holders=people)
    between.settles()
    assert between.kiosk.version == 1
    assert between.kiosk.people == [f"h-{number}" for number in range(5)]
    assert store.execute("SELECT DISTINCT outcome FROM receipts").fetchall() == [("enrolled",)]
    assert json.dumps(between.kiosk.sync.as_json()["refused"]) in {"{}", '{"not_asked": 1}'}


def test_rules_lists_and_limited_issuers_arrive_and_go(store, tmp_path):
    (tmp_path / "issuers.pem").write_text(signer().pem + "\n" * 100_000)
    between = Between(store, tmp_path)
    between.kiosk.read_rules = refuses_moons
    between.kiosk.start()
    limited = {"rules": [{"access_points": ["moon"]}], "category": "visitor"}
    passes = [{"factors": ["pass"]}]
    between.registers(
        rules=[{"category": "courier", "rules": passes}, limited],
        trust_lists=[{"name": "issuers", "file": "issuers.pem"}],
    )
    between.settles()
    said, _ = between.kiosk.registry.said_rules()
    assert {one: json.loads(words.text or "") for one, words in said.items()} == {"courier": passes}
    assert [(one.name, one.problem) for one in installed(tmp_path)] == [("issuers", None)]
    rows = store.execute("SELECT holder, outcome FROM receipts").fetchall()
    assert rows == [("visitor", "rules_refused")]
    between.registers(
        rules=[{"category": "courier", "rules": None}], trust_lists_gone=["issuers", "never"]
    )
    between.settles()
    assert between.kiosk.registry.said_rules() == ({}, False)
    assert installed(tmp_path) == []


def refuses_moons(_category, text):
    if "moon" in text:
        raise ValueError("there is no moon here")


@pytest.mark.parametrize(
    "said",
    [
        {"rules": [{"category": "courier"}]},
        {"rules": [{"category": "courier", "rules": "[]"}]},
        {"trust_lists": [{"name": "a b", "file": "a.pem"}]},
        {"trust_lists": [{"name": "a", "file": "missing.pem"}]},
        {"trust_lists_gone": [7]},
        {"cards": [{"card": "h10301:017:1", "holder": "r-1042"}]},
        {"cards_gone": ["4711"]},
        {"issuers": [{"delegation": "AAAA"}]},
    ],
)
def test_what_no_kiosk_would_take_is_refused_before_it_gets_a_version(store, tmp_path, said):
    (tmp_path / "a.pem").write_text("a")
    with pytest.raises(UsageError):
        lines.lines_of({"to": "lakeside/*", **said}, tmp_path)
