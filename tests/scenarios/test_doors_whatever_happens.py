"""Any order of contacts, buttons, commands and faults: how long the relay is free, and why."""

import random

from door_parts import WiredDoor
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.controller.effects import Record, Release
from agent.controller.inputs import FaultCleared, FaultRaised, Stop
from agent.domain.access.part import Part
from agent.domain.door.door_mode import Command

DEEDS = st.one_of(
    st.tuples(
        st.just("set"),
        st.sampled_from(["contact", "rex", "passage", "fire", "tamper", "feedback", "duress"]),
        st.booleans(),
    ),
    st.tuples(st.just("ask"), st.sampled_from(list(Command)), st.none()),
    st.tuples(st.just("grant"), st.none(), st.none()),
    st.tuples(st.just("fault"), st.booleans(), st.none()),
    st.tuples(st.just("wait"), st.floats(0.1, 20.0), st.none()),
)


def do(door, deed, what, active):
    match deed:
        case "set":
            door.set(what, active)
        case "ask":
            door.ask(what)
        case "grant":
            door.grant()
        case "fault":
            door.tell((FaultRaised if what else FaultCleared)(Part("door:turnstile"), "x"))
        case "wait":
            door.wait(what)


def longest_free(door):
    """For how long the relay stayed free at a time, but for free passage and its last pulse."""
    longest_s, since_s = 0.0, None
    for at_s, free, state in door.seen:
        if not free or state == "free_passage":
            since_s = None
        else:
            since_s = at_s if since_s is None else since_s
            longest_s = max(longest_s, at_s - since_s)
    return longest_s


@settings(max_examples=120)
@given(
    deeds=st.lists(DEEDS, max_size=25),
    wired=st.sampled_from([(), ("contact",), ("passage",), ("contact", "passage", "feedback")]),
)
def test_the_relay_is_never_free_for_longer_than_its_maximum(deeds, wired):
    door = WiredDoor(wired=wired)
    for deed in deeds:
        do(door, *deed)
    assert longest_free(door) <= 10.0
    for _, free, state in door.seen:
        assert free or state != "free_passage"
        assert not free or state not in ("secured", "locked_down")
    door.tell(Stop("test"))
    assert not door.free


def test_every_release_has_its_record_before_it():
    door, chance = WiredDoor(), random.Random(7)
    for _ in range(300):
        if chance.random() < 0.5:
            door.press(chance.choice(["rex", "contact", "duress"]))
        else:
            door.ask(chance.choice(list(Command)))
        door.wait(chance.random() * 4)
    recorded = False
    for effect in door.log:
        if isinstance(effect, Record):
            recorded = effect.draft.type.value == "door.released"
        if isinstance(effect, Release):
            assert recorded
            recorded = False
