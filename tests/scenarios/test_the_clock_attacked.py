"""Somebody moves the clock: nothing that has ended opens again, and nothing begins too early."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, time, timedelta
from typing import Any

import pytest
from gate_parts import ANNA, FACE, LIN, PASS, REGISTRY, Gate
from hypothesis import given, settings
from hypothesis import strategies as st
from pass_parts import NOW, claims

from agent.controller.effects import Record
from agent.controller.inputs import ClockTold, FaultCleared, Tick
from agent.controller.kiosk import Kiosk, Memory
from agent.domain.access.part import PartKind
from agent.domain.access.rule import Rule
from agent.domain.credential.holder import Holder
from agent.domain.hours.reckoning import ClockChange
from agent.domain.hours.schedule import Schedule, Span
from agent.domain.record.events import EventType

DAY, HOUR = 86_400.0, 3_600.0
BY_PASS = Rule(frozenset({"resident"}), factors=(frozenset({PASS}),))
ALWAYS = Schedule((Span(frozenset(range(8)), time(0), time(0)),), UTC)


class Attacked(Gate):
    """A gate whose clock somebody moves."""

    def __init__(self, *rules: Rule, latest=NOW, **settings) -> None:
        super().__init__(*(rules or (BY_PASS,)), **settings)
        self.kiosk = Kiosk(self.settings, self.registry, Memory(latest_utc=latest))
        self.kiosk.start(self.clock.now())
        self.wait(1)

    def step(self, seconds: float, **more: bool) -> None:
        self.clock.step_utc(seconds, **more)
        self.wait(1)

    def outcome(self, one=None) -> str:
        self.wait(60)
        self.show(one)
        self.wait(1)
        return str(self.outcomes()[-1])

    def told(self, kind: EventType) -> list[Mapping[str, Any]]:
        drafts = [effect.draft for effect in self.log if isinstance(effect, Record)]
        return [draft.data for draft in drafts if draft.type is kind]

    def person(self, change: ClockChange) -> None:
        self.tell(ClockTold(self.clock.now().utc, change, "uid:0 root", "the router was wrong"))


def ending(hours: float):
    return claims(valid_until=NOW + timedelta(hours=hours))


def test_a_clock_that_steps_back_opens_no_expired_pass() -> None:
    gate = Attacked()
    gate.clock.advance(2 * HOUR)
    assert gate.outcome(ending(1)) == "CredentialExpired"
    gate.step(-2 * HOUR)
    assert gate.outcome(ending(1)) == "ClockUntrusted"
    raised = gate.told(EventType.FAULT_RAISED)
    assert [one["part"] for one in raised] == ["clock"]
    assert "behind" in raised[0]["detail"]


def test_a_small_step_back_opens_no_expired_pass_and_keeps_the_clock() -> None:
    gate = Attacked()
    gate.clock.advance(HOUR)
    assert gate.outcome(ending(1)) == "CredentialExpired"
    gate.step(-200)
    assert gate.outcome(ending(1)) == "CredentialExpired"
    assert gate.outcome(ending(5)) == "granted"
    assert gate.kiosk.faults == {}


def test_with_lower_bound_a_clock_that_is_behind_is_judged_by_what_was() -> None:
    gate = Attacked(judge_by_lower_bound=True)
    gate.clock.advance(2 * HOUR)
    gate.wait(1)
    gate.step(-2 * HOUR)
    assert gate.outcome(ending(1)) == "CredentialExpired"
    assert gate.outcome(ending(9)) == "granted"


@pytest.mark.parametrize("lower_bound", [False, True])
def test_a_leap_by_one_source_expires_rights_and_begins_none(lower_bound: bool) -> None:  # noqa: FBT001 - a parameter
    gate = Attacked(judge_by_lower_bound=lower_bound)
    gate.step(400 * DAY)
    next_year = claims(
        valid_from=NOW + timedelta(days=399),
        valid_until=NOW + timedelta(days=401),
        issued_at=None,
    )
    assert gate.outcome(next_year) == "ClockUntrusted"
    assert gate.outcome() == "CredentialExpired"
    assert gate.outcome(ending(24 * 900)) == "granted"
    gate.step(-400 * DAY)
    assert gate.outcome() == "CredentialExpired", "until a person or another source says"
    assert gate.outcome(next_year) == "ClockUntrusted"


def test_one_bad_future_time_is_taken_back_by_a_person() -> None:
    gate = Attacked()
    gate.step(400 * DAY)
    assert gate.outcome() == "CredentialExpired"
    gate.step(-400 * DAY)
    gate.tell(FaultCleared(PartKind.CLOCK.part(), "uid:0 root"))
    assert "clock" in gate.kiosk.faults, "clearing the fault is no word on the time"
    gate.person(ClockChange.SET_BACK)
    assert gate.outcome() == "granted"
    (said,) = gate.told(EventType.CLOCK_SET)
    assert (said["by"], said["reason"]) == ("uid:0 root", "the router was wrong")
    assert said["change"] == "set_back"
    assert gate.told(EventType.FAULT_CLEARED)


def test_a_wrong_time_within_the_day_is_taken_back_too() -> None:
    gate = Attacked()
    gate.step(20 * HOUR)
    gate.step(-20 * HOUR)
    assert gate.outcome() == "ClockUntrusted"
    gate.person(ClockChange.SET_BACK)
    assert gate.outcome() == "granted"


def test_after_weeks_without_power_one_source_begins_nothing_and_two_do() -> None:
    gate = Attacked(latest=NOW - timedelta(days=30))
    month_old = claims(valid_from=NOW - timedelta(days=60), issued_at=NOW - timedelta(days=60))
    assert gate.outcome() == "ClockUntrusted"
    assert gate.outcome(month_old) == "granted"
    assert gate.outcome(replace(month_old, valid_until=NOW - timedelta(days=2))) == (
        "CredentialExpired"
    )
    gate.step(0, confirmed=True)
    assert gate.outcome() == "granted"
    assert gate.kiosk.faults == {}


def test_a_schedule_needs_a_settled_hour() -> None:
    gate = Attacked(replace(BY_PASS, schedule=ALWAYS))
    assert gate.outcome() == "granted"
    gate.step(400 * DAY)
    assert gate.outcome(ending(24 * 900)) == "ClockUntrusted"


@pytest.mark.parametrize(
    ("ahead_s", "outcome"),
    [
        (0, "granted"),
        (240, "granted"),
        (900, "CredentialNotActive"),
        (40 * DAY, "CredentialNotActive"),
    ],
)
def test_a_pass_that_was_issued_in_the_future_is_not_active(ahead_s: float, outcome: str) -> None:
    gate = Attacked()
    made = claims(
        issued_at=NOW + timedelta(seconds=ahead_s + 62),
        valid_from=None,
        valid_until=NOW + timedelta(days=90),
    )
    assert gate.outcome(made) == outcome


def test_a_pass_that_does_not_say_when_it_was_issued_opens() -> None:
    assert Attacked().outcome(claims(issued_at=None)) == "granted"


@pytest.mark.parametrize("step_s", [-400 * DAY, -HOUR, HOUR, 400 * DAY])
def test_residents_without_dates_are_never_touched(step_s: float) -> None:
    gate = Attacked(Rule(frozenset({"resident"}), factors=(frozenset({FACE}),)))
    gate.step(step_s)
    gate.stand(LIN)
    assert gate.outcomes() == ["granted"]


def test_a_holders_own_dates_are_judged_by_the_same_rule() -> None:
    until = Holder(ANNA, "Anna", "resident", valid_until=NOW + timedelta(hours=1))
    gate = Attacked(
        Rule(frozenset({"resident"}), factors=(frozenset({FACE}),)),
        registry=replace(REGISTRY, holders={**REGISTRY.holders, ANNA: until}),
    )
    gate.clock.advance(2 * HOUR)
    gate.stand(ANNA)
    gate.step(-200)
    gate.wait(30)
    gate.stand(ANNA)
    gate.step(-2 * HOUR)
    gate.wait(30)
    gate.stand(ANNA)
    assert gate.outcomes() == ["CredentialExpired", "CredentialExpired", "ClockUntrusted"]


def test_the_status_is_told_once_and_not_at_every_tick() -> None:
    gate = Attacked()
    before = len(gate.log)
    gate.step(400 * DAY)
    for _ in range(20):
        gate.wait(5)
    told = [type(effect).__name__ for effect in gate.log[before:]]
    assert sorted(told) == ["Record", "SetStatus"]
    gate.tell(Tick())


MOVES = st.lists(
    st.tuples(
        st.sampled_from([0.0, 900.0, HOUR, DAY]),  # what passes
        st.sampled_from([0.0, 200.0, -200.0, HOUR, -HOUR, 20 * HOUR, -DAY, 400 * DAY, -400 * DAY]),
        st.booleans(),  # whether somebody vouches for the clock
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(moves=MOVES, lower_bound=st.booleans())
def test_whatever_the_clock_does_what_has_ended_stays_shut(moves, *, lower_bound: bool) -> None:
    gate = Attacked(judge_by_lower_bound=lower_bound)
    ended = False
    for passed_s, step_s, trusted in moves:
        gate.clock.advance(passed_s)
        gate.step(step_s, trusted=trusted)
        outcome = gate.outcome(ending(1))
        ended = ended or outcome == "CredentialExpired"
        assert not ended or outcome in ("CredentialExpired", "ClockUntrusted")
    gate.person(ClockChange.SET_BACK)
    gate.step(0.0, trusted=True)
    lasting = claims(valid_from=None, issued_at=None, valid_until=NOW + timedelta(days=9000))
    assert gate.outcome(lasting) == "granted", "a person's word settles all of it"


@settings(max_examples=40, deadline=None)
@given(moves=MOVES)
def test_whatever_the_clock_does_residents_without_dates_get_in(moves) -> None:
    gate = Attacked(Rule(frozenset({"resident"}), factors=(frozenset({FACE}),)))
    for passed_s, step_s, trusted in moves:
        gate.clock.advance(passed_s)
        gate.step(step_s, trusted=trusted)
        gate.wait(30)
        gate.stand(LIN)
        assert gate.outcomes()[-1] == "granted"
    assert len(gate.outcomes()) == len(moves)
