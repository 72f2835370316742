"""What a command changes of people and passes, in a real registry; and the kiosk's own deeds."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pass_parts import KEY, OTHER_KEY
from store_parts import IDS, NOW, holder

from agent.adapters.manual_clock import ManualClock
from agent.adapters.store.people.registry import SqliteRegistry
from agent.adapters.store.seal import Sealer
from agent.app.threads.control.deeds import Asked, DeedRefused
from agent.app.threads.control.kiosk import KioskDeeds
from agent.app.threads.control.people import PeopleDeeds
from agent.credentials.passes.issuers import key_id
from agent.domain.credential.gate_pass import PassId
from agent.domain.record.command import CommandReason, Verb

RAW = KEY.public_key().public_bytes_raw()
BY = "key:office"


class Board:
    def __init__(self) -> None:
        self.latched: list[str] = []

    def faults(self) -> list[str]:
        return self.latched


@dataclass
class Office:
    registry: SqliteRegistry
    board: Board = field(default_factory=Board)

    def __post_init__(self) -> None:
        clock = ManualClock(utc=NOW.utc)
        deeds = PeopleDeeds(self.registry, self.board, clock, lambda: NOW.utc)  # type: ignore[arg-type] # all that is asked of a board
        self.deeds = deeds.deeds()

    def ask(self, verb: Verb, **arguments: Any) -> dict[str, Any]:
        plan = self.deeds[verb].plan(Asked(arguments, BY, "id", 0))
        return dict(plan.run())

    def refused(self, verb: Verb, **arguments: Any) -> CommandReason:
        with pytest.raises(DeedRefused) as caught:
            self.ask(verb, **arguments)
        return caught.value.word


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    registry = SqliteRegistry(tmp_path / "registry.sqlite", Sealer(bytes(32)), IDS.make)
    with closing(registry):
        registry.put(holder(), by="uid:0 root", now=NOW)
        yield Office(registry)


def test_a_holder_is_changed_disabled_and_removed(office: Office) -> None:
    one = holder()
    until = int(NOW.utc.timestamp()) + 3600
    assert office.ask(Verb.UPDATE_HOLDER, holder=one.id, category="staff", valid_until=until) == {
        "holder": one.id,
        "changed": True,
    }
    (stored,) = office.registry.holders()
    assert (stored.category, stored.name) == ("staff", one.name)
    assert stored.valid_until == datetime.fromtimestamp(until, UTC)
    office.ask(Verb.UPDATE_HOLDER, holder=one.id, valid_until=None)
    assert office.registry.holders()[0].valid_until is None
    assert office.ask(Verb.DISABLE, holder=one.id)["changed"]
    assert not office.registry.holders()[0].enabled
    assert not office.ask(Verb.DISABLE, holder=one.id)["changed"]
    office.ask(Verb.REMOVE, holder=one.id)
    assert office.registry.holders() == []
    assert office.refused(Verb.REMOVE, holder=one.id) is CommandReason.UNKNOWN_HOLDER


def test_a_pass_is_revoked_and_an_issuer_trusted(office: Office) -> None:
    assert office.ask(Verb.REVOKE_PASS, **{"pass": "00112233445566aa"})["new"]
    assert not office.ask(Verb.REVOKE_PASS, **{"pass": "00112233445566aa"})["new"]
    assert office.registry.revoked() == {PassId("00112233445566aa")}
    said = office.ask(Verb.TRUST_ISSUER, issuer="office", key=RAW)
    assert said == {"key_id": key_id(KEY.public_key()).hex()}
    (trusted,) = office.registry.issuers()
    assert (trusted.issuer, trusted.key_id) == ("office", key_id(KEY.public_key()))


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        (Verb.UPDATE_HOLDER, {"holder": "lin.2", "enabled": "yes"}),
        (Verb.UPDATE_HOLDER, {"holder": "lin.2", "valid_until": True}),
        (Verb.UPDATE_HOLDER, {"holder": "lin.2", "valid_from": 10**12}),
        (Verb.DISABLE, {}),
        (Verb.DISABLE, {"holder": 7}),
        (Verb.REVOKE_PASS, {"pass": "NGP1:whole"}),
        (Verb.REVOKE_PASS, {}),
        (Verb.TRUST_ISSUER, {"issuer": "office"}),
        (Verb.TRUST_ISSUER, {"issuer": "office", "key": b"short"}),
        (Verb.TRUST_ISSUER, {"issuer": "office", "key": RAW, "delegation": b"x"}),
        (Verb.TRUST_ISSUER, {"issuer": "office", "key": RAW, "valid_from": 9, "valid_until": 9}),
    ],
)
def test_what_says_nothing_that_could_be_done_changes_nothing(office, verb, arguments) -> None:
    assert office.refused(verb, **arguments) is CommandReason.BAD_ARGUMENTS
    assert office.registry.issuers() == []


def test_a_registry_in_fault_takes_nothing(office: Office) -> None:
    office.board.latched = ["state:registry"]
    for verb in (Verb.DISABLE, Verb.REVOKE_PASS, Verb.TRUST_ISSUER):
        word = office.refused(
            verb, holder="x", issuer="o", key=OTHER_KEY.public_key().public_bytes_raw()
        )
        assert word is CommandReason.FAULT


class Voice:
    """Says what it may, or is not there."""

    heard: list[bytes]

    def __init__(self, says: bool | None) -> None:  # noqa: FBT001 - its answer
        self.says, self.heard = says, []

    def __call__(self, payload: bytes) -> bool | None:
        self.heard.append(payload)
        return self.says


def kiosk(voice: Voice, restarted: list[str]) -> KioskDeeds:
    return KioskDeeds(
        announce=voice,
        believe=lambda nonce, utc: nonce == b"n" * 16,
        health=lambda: {"holders": 3},
        restart=restarted.append,
        rotation=(dict, lambda: None),
    )


@pytest.mark.parametrize(
    ("says", "word"), [(None, CommandReason.UNSUPPORTED), (False, CommandReason.REFUSED)]
)
def test_what_is_not_said_is_told(says: bool | None, word: CommandReason) -> None:  # noqa: FBT001 - a table's column
    deed = kiosk(Voice(says), []).deeds()[Verb.ANNOUNCE]
    with pytest.raises(DeedRefused) as caught:
        deed.plan(Asked({"message": "announce.visitors"}, BY, "id", 1_795_000_000)).run()
    assert caught.value.word is word


def test_an_announcement_has_the_commands_id_and_end() -> None:
    voice = Voice(True)
    deed = kiosk(voice, []).deeds()[Verb.ANNOUNCE]
    deed.plan(Asked({"message": "announce.visitors"}, BY, "ab", 1_795_000_000)).run()
    assert b'"id": "ab"' in voice.heard[0]
    assert b'"expires": "2026-11-18T11:06:40.000Z"' in voice.heard[0]


def test_a_time_needs_the_nonce_and_a_restart_follows_its_answer() -> None:
    restarted: list[str] = []
    deeds = kiosk(Voice(None), restarted).deeds()
    for nonce in (None, b"x" * 16):
        with pytest.raises(DeedRefused) as caught:
            deeds[Verb.SET_TIME].plan(Asked({"utc": 1_795_000_000}, BY, "id", 0, None, nonce)).run()
        assert caught.value.word is CommandReason.WRONG_NONCE
    assert (
        deeds[Verb.SET_TIME].plan(Asked({"utc": 1_795_000_000}, BY, "id", 0, None, b"n" * 16)).run()
        == {}
    )
    with pytest.raises(DeedRefused):
        deeds[Verb.SET_TIME].plan(Asked({"utc": 5}, BY, "id", 0, None, b"n" * 16))
    plan = deeds[Verb.RESTART].plan(Asked({}, BY, "id", 0))
    plan.run()
    assert restarted == []
    assert plan.afterwards is not None
    plan.afterwards()
    assert restarted == ["restart by key:office"]


def test_somebody_new_is_enrolled_without_a_name_or_a_face(office: Office) -> None:
    at = int(NOW.utc.timestamp())
    told = office.ask(
        Verb.ENROL, holder="bert", category="tenant", valid_until=at, consent="v2", consent_at=at
    )
    assert told == {"holder": "bert"}
    made = office.registry.holder("bert")  # type: ignore[arg-type] # a word is an id
    assert made is not None
    assert (made.name, made.category, made.enabled) == ("bert", "tenant", True)
    assert made.consent is not None
    assert made.consent.notice == "v2"
    assert office.refused(Verb.ENROL, holder="bert", category="staff") is CommandReason.KNOWN_HOLDER


@pytest.mark.parametrize(
    "said",
    [
        {"holder": "bert"},
        {"category": "tenant"},
        {"holder": "110101199003071233", "category": "tenant"},
        {"holder": "bert", "category": "a b"},
        {"holder": "bert", "category": "tenant", "enabled": 1},
        {"holder": "bert", "category": "tenant", "valid_from": 20, "valid_until": 10},
        {"holder": "bert", "category": "tenant", "consent": "v2"},
        {"holder": "bert", "category": "tenant", "consent": "no notice", "consent_at": 10},
        {"holder": "bert", "category": "tenant", "consent_at": 10},
    ],
)
def test_who_is_not_well_named_is_not_enrolled(office: Office, said: dict[str, Any]) -> None:
    assert office.refused(Verb.ENROL, **said) is CommandReason.BAD_ARGUMENTS
    assert [one.id for one in office.registry.holders()] == [holder().id]


def test_a_permit_is_revoked_as_the_pass_that_it_is(office: Office) -> None:
    number = "00112233445566aa"
    assert office.ask(Verb.REVOKE_PERMIT, permit=number) == {"permit": number, "new": True}
    assert office.registry.revoked() == {PassId(number)}
    assert office.ask(Verb.REVOKE_PASS, **{"pass": number}) == {"pass": number, "new": False}
    assert office.refused(Verb.REVOKE_PERMIT, permit="x") is CommandReason.BAD_ARGUMENTS
