"""What a command changes of people and passes, in a real registry; and the kiosk's own deeds."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pass_parts import KEY, OTHER_KEY
from store_parts import IDS, NOW, holder

from agent.adapters.manual_clock import ManualClock
from agent.adapters.store.people.registry import SqliteRegistry
from agent.adapters.store.people.said_here import KEPT_S
from agent.adapters.store.seal import Sealer
from agent.app.threads.control.deeds import Asked, DeedRefused
from agent.app.threads.control.kiosk import KioskDeeds
from agent.app.threads.control.people import PeopleDeeds
from agent.credentials.passes.issuers import key_id
from agent.domain.credential.gate_pass import PassId
from agent.domain.record.command import CommandReason, Verb
from agent.operations.people import holders

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
        self.clock = ManualClock(NOW.monotonic_s, NOW.utc)
        deeds = PeopleDeeds(self.registry, self.board, self.clock, lambda: NOW.utc)  # type: ignore[arg-type] # all that is asked of a board
        self.deeds = deeds.deeds()

    def ask(self, verb: Verb, **arguments: Any) -> dict[str, Any]:
        return self.signed(verb, None, **arguments)

    def signed(self, verb: Verb, ago_s: float | None, **arguments: Any) -> dict[str, Any]:
        """A command that was signed so long ago."""
        now_s = self.clock.now().utc.timestamp()
        issued = None if ago_s is None else int(now_s - ago_s)
        plan = self.deeds[verb].plan(Asked(arguments, BY, "id", 0, issued=issued, latest_s=now_s))
        return dict(plan.run())

    def late(self, verb: Verb, ago_s: float, **arguments: Any) -> bool:
        try:
            self.signed(verb, ago_s, **arguments)
        except DeedRefused as error:
            return error.word is CommandReason.SUPERSEDED
        return False

    def desk(self, *, enabled: bool) -> None:
        """Another process, as `gate-agent holders` is."""
        change = holders.Change(enabled=enabled)
        now = self.clock.now()
        holders.change(self.registry, holder().id, change, by="uid:0 root", now=now)

    def refused(self, verb: Verb, **arguments: Any) -> CommandReason:
        with pytest.raises(DeedRefused) as caught:
            self.ask(verb, **arguments)
        return caught.value.word


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    registry = SqliteRegistry(tmp_path / "registry.sqlite", Sealer(bytes(32)), IDS.make)
    with closing(registry):
        registry.put(holder(), by="uid:0 root", now=NOW)
        made = Office(registry)
        made.clock.advance(3600)
        yield made


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


def test_who_is_disabled_here_is_not_let_in_by_what_was_signed_before(office: Office) -> None:
    one = holder().id
    office.desk(enabled=False)
    office.clock.advance(60)
    assert office.late(Verb.UPDATE_HOLDER, 200, holder=one, enabled=True)
    assert office.late(Verb.UPDATE_HOLDER, 200, holder=one, valid_until=None)
    assert not office.registry.holders()[0].enabled
    # What lets in nobody is never late, and what is said since counts.
    assert not office.late(Verb.DISABLE, 200, holder=one)
    assert not office.late(Verb.UPDATE_HOLDER, 200, holder=one, enabled=False)
    assert not office.late(Verb.UPDATE_HOLDER, 50, holder=one, enabled=True)
    assert office.registry.holders()[0].enabled
    # A signed word is no word of anybody here: the next one is judged by its own time.
    assert not office.late(Verb.DISABLE, 40, holder=one)
    assert not office.late(Verb.UPDATE_HOLDER, 40, holder=one, enabled=True)


def test_who_says_again_that_somebody_is_disabled_is_heard(office: Office) -> None:
    office.signed(Verb.DISABLE, 0, holder=holder().id)
    office.clock.advance(60)
    revision = office.registry.revision()
    office.desk(enabled=False)
    assert office.registry.revision() == revision
    assert office.late(Verb.UPDATE_HOLDER, 30, holder=holder().id, enabled=True)


def test_who_was_removed_here_and_is_back_stays_as_they_came_back(office: Office) -> None:
    one = holder()
    office.registry.remove(one.id, by="uid:0 root", now=office.clock.now())
    office.clock.advance(60)
    office.registry.put_all([replace(one, enabled=False)], by="registry", now=office.clock.now())
    assert office.late(Verb.UPDATE_HOLDER, 30, holder=one.id, enabled=True)
    rows = office.registry._rows("SELECT subject FROM said_here")
    office.registry.remove(one.id, by="uid:0 root", now=office.clock.now())
    (only,) = office.registry._rows("SELECT subject FROM said_here")
    assert (len(rows), one.id in only[0]) == (2, False)


@pytest.mark.parametrize("boots", [False, True])
def test_what_was_said_before_any_time_was_known_counts_as_late_as_it_may_be(office, boots) -> None:
    office.clock.step_utc(-86_400 * 400, trusted=False)
    office.desk(enabled=False)
    if boots:
        clock = ManualClock(5.0, NOW.utc)
        deeds = PeopleDeeds(office.registry, office.board, clock, lambda: NOW.utc)
        office.clock, office.deeds = clock, deeds.deeds()
    else:
        office.clock.step_utc(86_400 * 400, trusted=True)
        office.clock.advance(60)
    assert office.late(Verb.UPDATE_HOLDER, 2 if boots else 62, holder=holder().id, enabled=True)
    office.clock.advance(10)
    assert not office.late(Verb.UPDATE_HOLDER, 8, holder=holder().id, enabled=True)


def test_a_clock_that_was_a_year_ahead_keeps_nobody_out_for_a_year(office: Office) -> None:
    one = holder().id
    office.registry._write(lambda: office.registry._say_then(f"holder:{one}", 2**40))
    assert office.late(Verb.UPDATE_HOLDER, 0, holder=one, enabled=False, valid_until=None)
    office.clock.advance(5)
    assert not office.late(Verb.UPDATE_HOLDER, 0, holder=one, valid_until=None)


def test_what_is_said_between_look_and_deed_is_heard(office: Office) -> None:
    one, now_s = holder().id, office.clock.now().utc.timestamp()
    said = {"holder": one, "enabled": True, "category": "staff"}
    asked = Asked(said, BY, "id", 0, issued=int(now_s) - 9, latest_s=now_s)
    plan = office.deeds[Verb.UPDATE_HOLDER].plan(asked)
    office.desk(enabled=False)
    with pytest.raises(DeedRefused) as caught:
        plan.run()
    assert caught.value.word is CommandReason.SUPERSEDED
    assert not office.registry.holders()[0].enabled


def test_a_key_that_was_distrusted_here_is_not_trusted_by_what_was_signed_before(office) -> None:
    key = key_id(KEY.public_key()).hex()
    office.signed(Verb.TRUST_ISSUER, 0, issuer="office", key=RAW)
    assert office.registry.remove_issuer(key, by="uid:0 root", now=office.clock.now())
    office.clock.advance(60)
    assert office.late(Verb.TRUST_ISSUER, 200, issuer="office", key=RAW)
    assert office.registry.issuers() == []
    assert not office.late(Verb.TRUST_ISSUER, 30, issuer="office", key=RAW)


def test_what_was_said_is_forgotten_in_time(office: Office) -> None:
    office.desk(enabled=False)
    now = office.clock.now()
    at_s = now.utc.timestamp()
    office.registry.settle_said(at_s, at_s, now.monotonic_s)
    assert office.registry._rows("SELECT count(*) FROM said_here") == [(1,)]
    later_s = at_s + KEPT_S + 9
    office.registry.settle_said(later_s, at_s, now.monotonic_s + KEPT_S + 9)
    assert office.registry._rows("SELECT count(*) FROM said_here") == [(1,)]
    office.registry.settle_said(later_s, later_s, now.monotonic_s + KEPT_S + 9)
    assert office.registry._rows("SELECT count(*) FROM said_here") == [(0,)]


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


def test_who_was_removed_here_is_not_added_by_what_was_signed_before(office: Office) -> None:
    one = holder()
    office.registry.remove(one.id, by="uid:0 root", now=office.clock.now())
    office.clock.advance(60)
    assert office.late(Verb.ENROL, 200, holder=one.id, category="resident")
    assert office.registry.holders() == []
    assert not office.late(Verb.ENROL, 30, holder=one.id, category="resident")
