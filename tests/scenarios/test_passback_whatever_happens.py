"""Whatever happens at two doors in any order: nobody is in twice, no place is held for ever.

Two watched doors of a garden with hard anti-passback, passes with and without counted uses.
"""

from dataclasses import replace

from gate_parts import ANNA, DOOR, LANE, LIN, PASS, Gate
from hypothesis import given, settings
from hypothesis import strategies as st
from pass_parts import claims

from agent.controller.effects import Consume, Record
from agent.controller.inputs import (
    Commanded,
    CredentialShown,
    FaultCleared,
    FaultRaised,
    InputChanged,
    NotCounted,
    Tick,
)
from agent.controller.kiosk import Kiosk
from agent.domain.access.part import Part
from agent.domain.access.rule import Rule
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.presented import PassPresented
from agent.domain.door.antipassback import Area, PassbackMode
from agent.domain.door.door_mode import Command
from agent.domain.door.signal import InputChange, Signal, Wiring
from agent.domain.record.events import EventType

ENTRY = replace(LANE, to_area="garden")
EXIT = replace(
    LANE, access_point="north-exit", camera="back", direction="exit", door="out", from_area="garden"
)
BEARER = Rule(frozenset({"resident"}), factors=(frozenset({PASS}),))
OUTPUTS = ("turnstile", "out")
USES = st.sampled_from(["uncounted", "counted", "refused"])
IN = st.tuples(st.just("show"), st.sampled_from([LIN, ANNA]), st.just("north-entry"), USES)
OUT = st.tuples(st.just("show"), st.sampled_from([LIN, ANNA]), st.just("north-exit"), USES)
GO = st.tuples(st.just("go"), st.sampled_from(OUTPUTS))
WAIT = st.tuples(st.just("wait"), st.floats(0.1, 8.0))
ELSE = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(["fire", "rex"]), st.booleans()),
    st.tuples(st.just("ask"), st.sampled_from(list(Command))),
    st.tuples(st.just("fault"), st.booleans()),
)
DEEDS = st.sampled_from([IN, IN, IN, GO, GO, OUT, WAIT, ELSE]).flatmap(lambda one: one)


class Garden(Gate):
    """Each pass is another one, so that no pace but anti-passback stands in the way."""

    def __init__(self, *wired: str) -> None:
        super().__init__(BEARER, areas=(Area("garden", PassbackMode.HARD),))
        signals = {"contact": Signal.CONTACT, "passage": Signal.PASSAGE}
        wirings = [Wiring(f"{one} {to}", signals[one], to) for one in wired for to in OUTPUTS]
        wirings += [Wiring("fire", Signal.FIRE, None), Wiring("rex", Signal.REX, "turnstile")]
        contact, sensor = "contact" in wired, "passage" in wired
        doors = tuple(
            replace(DOOR, door=one, window_s=6.0, contact=contact, passage_sensor=sensor)
            for one in OUTPUTS
        )
        self.wired, self.number = wired, 0
        self.settings = replace(
            self.settings, lanes=(ENTRY, EXIT), doors=doors, wirings=tuple(wirings)
        )
        self.kiosk = Kiosk(self.settings, self.registry)

    def show_at(self, who, point, uses) -> None:
        self.number += 1
        limited = {} if uses == "uncounted" else {"uses": 3, "kiosk": "g3/north-1"}
        one = claims(holder=who, id=PassId(f"{self.number:016x}"), **limited)
        now_s = self.clock.now().monotonic_s
        shown = PassPresented(self.number, now_s, one)
        for effect in self.tell(CredentialShown(point, shown)):
            if isinstance(effect, Consume) and uses == "refused":
                self.tell(NotCounted(point, effect.passage, effect.gate_pass, failed=False))

    def put(self, name: str, *, active: bool) -> None:
        at_s = self.clock.now().monotonic_s
        self.tell(InputChanged(InputChange(name, active=active, at_s=at_s)))

    def do(self, deed: str, *what) -> None:
        match deed:
            case "show":
                self.show_at(*what)
            case "go":
                for one in self.wired:
                    self.put(f"{one} {what[0]}", active=True)
                self.clock.advance(0.3)
                for one in self.wired:
                    self.put(f"{one} {what[0]}", active=False)
            case "set":
                self.put(what[0], active=what[1])
            case "ask":
                self.tell(Commanded(what[0], "north-entry", "uid:0 root"))
            case "fault":
                self.tell((FaultRaised if what[0] else FaultCleared)(Part("door:turnstile"), "x"))
            case "wait":
                self.wait(what[0])

    def taken(self):
        drafts = [effect.draft for effect in self.log if isinstance(effect, Record)]
        return [one.data for one in drafts if one.type is EventType.ACCESS_TAKEN]


@settings(max_examples=150)
@given(
    wired=st.sampled_from([("contact",), ("passage",), ("contact", "passage")]),
    deeds=st.lists(DEEDS, min_size=15, max_size=40),
)
def test_nobody_comes_in_twice_and_no_place_is_held_for_ever(wired, deeds) -> None:
    garden = Garden(*wired)
    for deed in deeds:
        garden.do(*deed)
    inside = set()
    for data in garden.taken():
        if data["direction"] == "exit":
            inside.discard(data["holder"])
            continue
        assert data["holder"] not in inside
        inside.add(data["holder"])
    for _ in range(15):
        garden.wait(1.0)
    garden.tell(Tick())
    assert garden.kiosk._passback._reserved == {}
