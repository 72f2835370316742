"""A walk test: everything is decided as ever, and nothing opens by it, whatever else happens."""

import pytest
from gate_parts import ANNA, DOOR, FACE, LANE, LIN, PASS, Gate
from hypothesis import given, settings
from hypothesis import strategies as st
from pass_parts import claims

from agent.controller.effects import (
    Consume,
    Hold,
    Indicate,
    Learn,
    Move,
    Record,
    Release,
    Secure,
    SetStatus,
    Stand,
)
from agent.controller.inputs import (
    Commanded,
    FaultCleared,
    FaultRaised,
    InputChanged,
    Stop,
    Tick,
    WalkTestBegun,
    WalkTestEnded,
    WalkTestHeld,
)
from agent.controller.lane import LaneSettings
from agent.domain.access.indication import Indication, Outcome, Standing
from agent.domain.access.part import Part
from agent.domain.access.rule import Rule
from agent.domain.door.antipassback import Area, PassbackMode
from agent.domain.door.door_mode import Command
from agent.domain.door.signal import InputChange, Signal, Wiring
from agent.domain.door.walking import HELD_S, LONGEST_S

BY = "uid:997 gate-agent"
EITHER = Rule(frozenset({"resident"}), factors=(frozenset({FACE}), frozenset({PASS})))
ONCE = claims(uses=1, kiosk="g3/north-1")
WIRINGS = tuple(Wiring(one.value, one, "turnstile") for one in Signal if one is not Signal.TAMPER)
INSIDE = LaneSettings("north-entry", "entry", "front", "turnstile", None, "home")
WAY_OUT = LaneSettings("north-exit", "exit", "back", "turnstile")


def a_gate(**more) -> Gate:
    return Gate(
        EITHER,
        **{
            "lanes": (INSIDE,),
            "areas": (Area("home", PassbackMode.HARD),),
            "wirings": WIRINGS,
            "max_false_grants_per_day": 1000.0,
            **more,
        },
    )


def begin(gate: Gate, for_s: float = LONGEST_S, *points: str):
    return gate.tell(WalkTestBegun("one", points or ("north-entry",), BY, for_s))


def events(effects) -> list[str]:
    return [one.draft.type.value for one in effects if isinstance(one, Record)]


def moved(effects) -> list[object]:
    return [one for one in effects if isinstance(one, Release | Hold | Secure)]


def press(gate: Gate, signal: str):
    at_s = gate.clock.now().monotonic_s
    effects = gate.tell(InputChanged(InputChange(signal, True, at_s, False)))
    return effects + gate.tell(InputChanged(InputChange(signal, False, at_s, False)))


# --- what it does --------------------------------------------------------------------------------


def test_who_would_be_let_in_is_told_so_and_nothing_opens_or_is_left_behind() -> None:
    gate = a_gate()
    begun = begin(gate)
    assert events(begun) == ["walktest.began"]
    assert Stand("north-entry", Standing.WALK_TEST) in begun
    gate.stand(LIN)
    gate.show(ONCE)
    (by_face,) = [one for one in gate.log if isinstance(one, Record)][1:2]
    assert by_face.draft.type == "walktest.granted"
    assert by_face.draft.data["holder"] == LIN
    assert by_face.draft.data["score"] == -0.3
    assert events(gate.log).count("walktest.granted") == 2
    assert Indicate(Indication("north-entry", Outcome.GRANTED)) in gate.log
    left = (Release, Hold, Move, Learn, Consume)
    assert not [one for one in gate.log if isinstance(one, left)]
    assert not [one for one in events(gate.log) if one.startswith("access.")]
    ended = gate.tell(WalkTestEnded("uid:0 root"))
    assert ended[0].draft.data == {
        "access_points": ["north-entry"],
        "by": "uid:0 root",
        "cause": "asked",
    }
    assert Stand("north-entry", Standing.READY) in ended
    # Neither the pass's one use nor where Lin is was noted.
    gate.wait(70)
    gate.show(ONCE)
    assert events(gate.log)[-1] == "access.granted"
    assert gate.opened() == 1


def test_who_would_be_refused_is_told_why() -> None:
    gate = a_gate()
    begin(gate)
    gate.stand("stranger", 4.0)
    assert gate.last()["reason"] == "NoMatch"
    assert events(gate.log)[-1] == "walktest.denied"
    gate.tell(Commanded(Command.LOCK_DOWN, "north-entry", BY))
    gate.wait(70)
    gate.tell(WalkTestEnded(BY))
    begin(gate)
    gate.stand(LIN)
    assert (events(gate.log)[-1], gate.last()["reason"]) == ("walktest.denied", "LockedDown")


@pytest.mark.parametrize(
    ("ends", "cause"),
    [
        (lambda gate: gate.wait(HELD_S), "left"),
        (lambda gate: gate.tell(Stop("SIGTERM")), "stopped"),
        (lambda gate: gate.tell(WalkTestEnded(BY)), "asked"),
    ],
)
def test_it_ends_where_nobody_looks_or_somebody_says_so(ends, cause: str) -> None:
    gate = a_gate()
    begin(gate)
    ends(gate)
    (over,) = [one.draft for one in gate.log if isinstance(one, Record)][1:]
    assert (over.type.value, over.data["cause"]) == ("walktest.ended", cause)


def test_nobody_holds_it_beyond_its_time_and_no_other_holds_it_at_all() -> None:
    gate = a_gate()
    begin(gate, 1e9)
    for second in range(int(LONGEST_S)):
        assert gate.kiosk.deadline_s is not None
        gate.wait(1.0)
        gate.tell(WalkTestHeld("one"))
        walking = [one for one in gate.log if isinstance(one, SetStatus)][-1].walk_test
        assert (walking is not None) is (second + 1 < LONGEST_S)
    assert events(gate.log)[-1] == "walktest.ended"
    begin(gate)
    for _ in range(int(HELD_S)):
        gate.wait(1.0)
        gate.tell(WalkTestHeld("another"))
    assert gate.last()["cause"] == "left"


def test_what_comes_after_its_time_is_decided_as_ever_though_nobody_ticked() -> None:
    gate = a_gate()
    begin(gate)
    gate.clock.advance(HELD_S)
    effects = gate.show()
    assert events(effects) == ["walktest.ended", "access.granted"]
    assert gate.opened() == 1


def test_there_is_one_at_a_time_and_the_first_stays() -> None:
    gate = a_gate()
    begin(gate)
    assert events(gate.tell(WalkTestBegun("two", ("north-entry",), "x", 60.0))) == []
    assert events(gate.tell(WalkTestEnded(BY))) == ["walktest.ended"]
    assert events(gate.tell(WalkTestEnded(BY))) == []


@pytest.mark.parametrize("for_s", [0.0, -1.0, float("nan")])
def test_of_no_time_there_is_none(for_s: float) -> None:
    gate = a_gate()
    assert events(begin(gate, for_s)) == []
    gate.show()
    assert gate.opened() == 1


# --- the way out ---------------------------------------------------------------------------------


def test_an_exit_is_never_tested_though_it_shares_the_door() -> None:
    gate = a_gate(lanes=(INSIDE, WAY_OUT))
    assert events(begin(gate, 600.0, "north-exit", "nowhere")) == []
    begun = begin(gate, 600.0, "north-entry", "north-exit")
    assert begun[0].draft.data["access_points"] == ["north-entry"]
    gate.stand(LIN)
    assert gate.opened() == 0
    for lane in gate.kiosk._lanes:
        assert gate.kiosk._walk_test.holds(lane.settings.access_point) is (
            lane.settings.direction == "entry"
        )


@pytest.mark.parametrize("lane", [LANE, INSIDE])
def test_the_exit_button_fire_and_a_persons_release_free_the_door(lane: LaneSettings) -> None:
    gate = a_gate(lanes=(lane,))
    begin(gate)
    assert Release("turnstile", DOOR.pulse_s) in press(gate, "rex")
    gate.wait(5)
    released = gate.tell(Commanded(Command.RELEASE, "north-entry", BY, reason="a parcel"))
    assert Release("turnstile", DOOR.pulse_s) in released
    gate.wait(5)
    at_s = gate.clock.now().monotonic_s
    fire = gate.tell(InputChanged(InputChange("fire", True, at_s, False)))
    assert [one for one in fire if isinstance(one, Hold)]


# --- whatever happens ----------------------------------------------------------------------------

DEEDS = st.one_of(
    st.tuples(
        st.just("set"),
        st.sampled_from(["contact", "rex", "passage", "fire", "feedback", "duress"]),
        st.booleans(),
    ),
    st.tuples(st.just("ask"), st.sampled_from(list(Command)), st.none()),
    st.tuples(st.just("fault"), st.booleans(), st.none()),
    st.tuples(st.just("wait"), st.floats(0.1, 20.0), st.none()),
    st.tuples(st.just("stand"), st.sampled_from([LIN, ANNA, "stranger"]), st.booleans()),
    st.tuples(st.just("show"), st.sampled_from([None, 1]), st.none()),
)


def happen(gate: Gate, deed: str, what, active, *, people: bool) -> None:
    """One deed; without ``people`` the same time passes, and nobody stands there."""
    match deed:
        case "set":
            at_s = gate.clock.now().monotonic_s
            gate.tell(InputChanged(InputChange(what, active, at_s, False)))
        case "ask":
            gate.tell(Commanded(what, "north-entry", BY))
        case "fault":
            gate.tell((FaultRaised if what else FaultCleared)(Part("door:turnstile"), "x"))
        case "wait":
            gate.wait(what)
        case "stand" if people:
            gate.stand(what, 0.6 if active else 1.8)
        case "stand":
            for _ in range(6 if active else 18):
                gate.tell(Tick())
                gate.clock.advance(0.1)
        case "show":
            gate.show(ONCE if what else None) if people else gate.tell(Tick())


def calm(gate: Gate) -> None:
    for signal in ("contact", "rex", "passage", "fire", "feedback", "duress"):
        at_s = gate.clock.now().monotonic_s
        gate.tell(InputChanged(InputChange(signal, False, at_s, False)))
    gate.tell(FaultCleared(Part("door:turnstile"), "x"))
    gate.tell(Commanded(Command.RESUME, "north-entry", BY))
    for _ in range(8):
        gate.wait(20.0)


@settings(max_examples=100, deadline=None)
@given(deeds=st.lists(DEEDS, max_size=20))
def test_the_door_moves_as_if_nobody_stood_there_and_afterwards_as_if_there_had_been_no_test(
    deeds,
) -> None:
    tested, empty = a_gate(), a_gate()
    begin(tested)
    for deed in deeds:
        happen(tested, *deed, people=True)
        happen(empty, *deed, people=False)
        tested.tell(WalkTestHeld("one"))
        empty.tell(Tick())
    assert moved(tested.log) == moved(empty.log)
    assert not [one for one in tested.log if isinstance(one, Move | Learn)]
    assert not [one for one in events(tested.log) if one.startswith("access.g")]
    tested.tell(WalkTestEnded(BY))
    empty.tell(Tick())
    for gate in (tested, empty):
        calm(gate)
        gate.log.clear()
        gate.stand(LIN, 2.0)
        gate.wait(10)
        gate.show(ONCE)
        gate.wait(10)
    assert moved(tested.log) == moved(empty.log)
    assert tested.opened() == 1
    assert tested.outcomes() == empty.outcomes() == ["granted", "AntiPassback"]
