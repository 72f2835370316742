"""A pass of limited uses whose use cannot be counted: nobody is let through, and nothing stays."""

from dataclasses import replace

import pytest
from gate_parts import DOOR, GUEST, LANE, PASS, Gate
from pass_parts import claims

from agent.controller.effects import Consume, Record, Secure
from agent.controller.inputs import InputChanged, NotCounted
from agent.controller.kiosk import Kiosk
from agent.domain.access.rule import Rule
from agent.domain.door.antipassback import Area, PassbackMode
from agent.domain.door.signal import InputChange, Signal, Wiring

ONCE = claims(holder=GUEST, category="visitor", uses=1, kiosk="g3/north-1")


class Entrance(Gate):
    """A door with a contact, or without; its disk takes what it is told to take."""

    def __init__(self, *, contact: bool):
        super().__init__(Rule(frozenset({"visitor"}), factors=(frozenset({PASS}),)))
        self.settings = replace(
            self.settings,
            lanes=(replace(LANE, to_area="garden"),),
            doors=(replace(DOOR, contact=contact),),
            areas=(Area("garden", PassbackMode.HARD),),
            wirings=(Wiring("contact", Signal.CONTACT, "turnstile"),),
        )
        self.kiosk = Kiosk(self.settings, self.registry)

    def fail(self, *, failed: bool):
        effects = self.show(ONCE)
        (consume,) = [effect for effect in effects if isinstance(effect, Consume)]
        self.log = []
        return self.tell(
            NotCounted(consume.access_point, consume.passage, consume.gate_pass, failed)
        )

    @property
    def state(self):
        return self.kiosk._lanes[0].door.state.value


@pytest.mark.parametrize("contact", [True, False])
@pytest.mark.parametrize("failed", [True, False])
def test_the_door_is_secured_and_nothing_is_said_of_a_passage(contact, failed):
    gate = Entrance(contact=contact)
    effects = gate.fail(failed=failed)
    assert Secure("turnstile") in effects
    assert gate.state == "secured"
    gate.wait(10)
    assert not [effect for effect in gate.log if isinstance(effect, Record)]


def test_whoever_opens_it_then_forces_it():
    gate = Entrance(contact=True)
    gate.fail(failed=True)
    gate.tell(InputChanged(InputChange("contact", active=True, at_s=0.0)))
    assert gate.state == "forced"


@pytest.mark.parametrize(
    ("failed", "then"), [(True, "granted"), (False, "CredentialReplayed")], ids=["disk", "used up"]
)
def test_a_use_that_the_disk_did_not_take_was_none(failed, then):
    gate = Entrance(contact=False)
    gate.fail(failed=failed)
    gate.wait(20)
    gate.show(ONCE)
    assert gate.outcomes()[-1] == then


def test_nobody_went_in():
    gate = Entrance(contact=False)
    gate.fail(failed=True)
    lane, now = gate.settings.lanes[0], gate.clock.now()
    assert gate.kiosk._passback.violates(GUEST, lane, now) is None


def test_another_who_waits_still_may():
    gate = Entrance(contact=True)
    doors = gate.kiosk._doors
    passage = doors.passage(gate.settings.lanes[0], granted=True)
    doors["turnstile"].release(passage, gate.clock.now().monotonic_s)
    gate.fail(failed=True)
    assert gate.state == "released"
