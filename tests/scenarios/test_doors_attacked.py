"""What somebody may try at a door: several inputs, several faults, several doors at a time."""

from dataclasses import replace

import pytest
from door_parts import WIRINGS, WiredDoor
from gate_parts import DOOR, LANE, REGISTRY

from agent.adapters.manual_clock import ManualClock
from agent.controller.effects import Effect, Latch, Record, Release
from agent.controller.inputs import FaultCleared, FaultRaised, InputChanged
from agent.controller.kiosk import Kiosk, Memory
from agent.controller.settings import Degrade, KioskSettings
from agent.domain.access.part import Part, PartKind
from agent.domain.door.door_mode import Command, DoorLatch, Latches, Mode
from agent.domain.door.signal import InputChange, Signal, Wiring

LOCKED = DoorLatch(Mode.LOCKED_DOWN)


def test_no_file_of_a_start_lacks_the_lockdown_of_a_door_still_to_come():
    names = ("first", "second", "third")
    settings = KioskSettings(
        lanes=tuple(replace(LANE, access_point=name, camera=name, door=name) for name in names),
        doors=tuple(replace(DOOR, door=name) for name in names),
        rules=(),
        boot_id="boot",
    )
    was = dict.fromkeys(names, LOCKED) | {"second": DoorLatch(None, Mode.FREE_PASSAGE)}
    kiosk = Kiosk(settings, REGISTRY, Memory(latches=Latches(was)))
    effects = kiosk.start(ManualClock().now())
    # Whatever is written last before a kill -9: both lockdowns are in it.
    written = [effect.latches.doors for effect in effects if isinstance(effect, Latch)]
    assert written == [{"first": LOCKED, "third": LOCKED}]


def test_one_fire_input_that_is_calm_again_ends_no_fire_of_another():
    door = WiredDoor(wirings=(*WIRINGS, Wiring("smoke", Signal.FIRE, "turnstile")))
    door.set("fire")
    door.set("smoke")
    door.set("fire", active=False)
    assert (door.state, door.free) == ("free_passage", True)
    door.set("smoke", active=False)
    assert (door.state, door.free) == ("secured", False)


@pytest.mark.parametrize("order", [("door:", "feedback:"), ("feedback:", "door:")])
def test_a_door_works_again_once_both_of_its_faults_are_cleared(order):
    door = WiredDoor(wired=("contact", "feedback"), degrade=Degrade((PartKind.FEEDBACK,)))
    for kind in ("door:", "feedback:"):
        door.tell(FaultRaised(Part(f"{kind}turnstile"), "it does not obey"))
    first, second = (Part(f"{kind}turnstile") for kind in order)
    door.tell(FaultCleared(first, "uid:0 root"))
    assert door.state == "fault"
    door.grant()
    assert not door.free
    door.tell(FaultCleared(second, "uid:0 root"))
    assert door.state == "secured"


@pytest.mark.parametrize("why", ["lockdown", "fault"])
def test_who_was_let_in_before_opens_nothing_behind_an_alarm(why):
    door = WiredDoor(
        wired=("contact", "passage"), door=replace(DOOR, held_open_s=5.0, window_s=60.0)
    )
    door.grant("anna")
    door.grant("lin.2")
    door.set("contact")
    door.wait(6)
    assert door.state == "held_open"
    if why == "lockdown":
        door.ask(Command.LOCK_DOWN)
    else:
        door.tell(FaultRaised(Part("door:turnstile"), "it does not obey"))
    effects = door.press("passage")
    assert not any(isinstance(effect, Release) for effect in effects)
    assert not door.free


def test_no_event_tells_of_a_release_that_a_fault_behind_an_alarm_refused():
    door = WiredDoor()
    door.set("contact")
    door.tell(FaultRaised(Part("door:turnstile"), "it does not obey"))
    assert door.state == "forced"
    door.ask(Command.RELEASE)
    assert "door.released" not in door.events()


class Gate:
    """A gate with a relay for each direction, and one contact for both."""

    def __init__(self):
        names = ("gate.entry", "gate.exit")
        self.clock = ManualClock()
        self.kiosk = Kiosk(
            KioskSettings(
                lanes=(
                    replace(LANE, door="gate.entry"),
                    replace(LANE, access_point="x", direction="exit", camera="b", door="gate.exit"),
                ),
                doors=tuple(replace(DOOR, door=name, contact=True) for name in names),
                rules=(),
                boot_id="boot",
                wirings=(
                    *(Wiring("contact", Signal.CONTACT, name) for name in names),
                    Wiring("rex", Signal.REX, "gate.exit"),
                ),
            ),
            REGISTRY,
        )
        self.log: list[Effect] = [*self.kiosk.start(self.clock.now())]

    def set(self, name, *, active=True):
        change = InputChange(name, active, self.clock.now().monotonic_s)
        self.log += self.kiosk.handle(InputChanged(change), self.clock.now())

    @property
    def states(self):
        return [lane.door.state.value for lane in self.kiosk._lanes]

    @property
    def events(self):
        return [one.draft.type.value for one in self.log if isinstance(one, Record)]


@pytest.mark.parametrize("locked", [False, True])
def test_a_gate_let_open_in_one_direction_is_forced_in_neither(locked):
    gate = Gate()
    entry = gate.kiosk._doors["gate.entry"]
    if locked:
        entry.set_modes(Mode.LOCKED_DOWN, None, 0.0)
    before = gate.states
    gate.set("rex")
    gate.set("contact")
    assert gate.states == ["open", "open"]
    assert "door.forced" not in gate.events
    gate.set("contact", active=False)
    assert gate.states == before


def test_a_gate_that_nothing_let_open_is_forced():
    gate = Gate()
    gate.set("contact")
    assert gate.states == ["forced", "forced"]
