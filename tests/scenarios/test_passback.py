"""Anti-passback at a wired door: off, soft, hard, timed, by area, forgiven, and after a restart."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from door_parts import WiredDoor
from gate_parts import ANNA, DOOR, GUEST, LANE, LIN, PASS, REGISTRY, Gate
from hypothesis import given
from hypothesis import strategies as st
from pass_parts import claims

from agent.controller.effects import Consume, Move
from agent.controller.inputs import (
    Commanded,
    Forgiven,
    InputChanged,
    NotCounted,
    RegistryChanged,
)
from agent.controller.kiosk import Kiosk, Memory
from agent.domain.access.rule import Rule
from agent.domain.credential.factor import FACE_ALONE
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.domain.door.antipassback import Area, PassbackMode, Position, passes_back
from agent.domain.door.door_mode import Command
from agent.domain.door.signal import InputChange, Signal, Wiring
from agent.domain.hours.instant import Instant, MonotonicSeconds

ENTRY = replace(LANE, to_area="garden")
RULE = Rule(frozenset({"resident"}), factors=(FACE_ALONE,))
ONCE = claims(holder=GUEST, category="visitor", uses=1, kiosk="g3/north-1")
NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)


class Entrance(Gate):
    """An entry into a garden, without a contact: whoever is granted went in."""

    def __init__(self, mode: PassbackMode, *, memory: Memory | None = None, **area):
        super().__init__(RULE, areas=(Area("garden", mode, **area),))
        self.settings = replace(self.settings, lanes=(ENTRY,))
        self.kiosk = Kiosk(self.settings, self.registry, memory)

    def come(self, who=ANNA):
        self.stand(who)
        self.wait(20)
        return self.outcomes()[-1]

    def positions(self):
        return {one.holder: one.position for one in self.log if isinstance(one, Move)}


def test_off_counts_nobody_out():
    gate = Entrance(PassbackMode.OFF)
    assert [gate.come(), gate.come()] == ["granted", "granted"]


def test_soft_lets_them_in_and_says_so():
    gate = Entrance(PassbackMode.SOFT)
    assert (gate.come(), gate.last()["passback"]) == ("granted", False)
    assert (gate.come(), gate.last()["passback"]) == ("granted", True)


def test_hard_refuses_whoever_is_inside_and_nobody_else():
    gate = Entrance(PassbackMode.HARD)
    assert gate.come() == "granted"
    assert (gate.come(), gate.last()["passback"]) == ("AntiPassback", True)
    assert gate.come(LIN) == "granted"


def test_forgiven_they_come_in_again():
    gate = Entrance(PassbackMode.HARD)
    gate.come(), gate.come(LIN)
    gate.tell(Forgiven(ANNA, "uid:0 root"))
    assert gate.come() == "granted"
    assert gate.come(LIN) == "AntiPassback"
    gate.tell(Forgiven(None, "uid:0 root"))
    assert gate.come(LIN) == "granted"


def test_whoever_is_removed_is_forgotten_here_too():
    gate = Entrance(PassbackMode.HARD)
    gate.come(), gate.come(LIN)
    left = {who: holder for who, holder in REGISTRY.holders.items() if who != ANNA}
    effects = gate.tell(RegistryChanged(replace(REGISTRY, revision=2, holders=left)))
    assert [one for one in effects if isinstance(one, Move)] == [Move(ANNA, None)]
    again = gate.tell(RegistryChanged(replace(REGISTRY, revision=3, holders={})))
    assert [one for one in again if isinstance(one, Move)] == [Move(LIN, None)]


def test_whoever_is_removed_while_they_go_through_leaves_no_trace():
    """Let in, removed, and only then through the door: nothing of it reaches the disk."""
    gate = PassDoor(PassbackMode.HARD)
    assert gate.enter(LIN) == "granted"
    left = {who: holder for who, holder in REGISTRY.holders.items() if who != LIN}
    gate.tell(RegistryChanged(replace(REGISTRY, revision=2, holders=left)))
    gate.tell(InputChanged(InputChange("contact", active=True, at_s=0.0)))
    assert [one for one in gate.log if isinstance(one, Move)] == []


def test_timed_refuses_for_its_time():
    gate = Entrance(PassbackMode.TIMED, passback_s=100.0)
    assert gate.come() == "granted"
    assert gate.come() == "AntiPassback"
    gate.wait(90)
    assert gate.come() == "granted"


def test_whoever_was_seen_to_leave_comes_in_again():
    gate = Entrance(PassbackMode.HARD)
    gate.come()
    exit_lane = replace(LANE, access_point="north-exit", direction="exit", from_area="garden")
    gate.settings = replace(gate.settings, lanes=(ENTRY, exit_lane))
    gate.kiosk = Kiosk(gate.settings, gate.registry, Memory(positions=gate.positions()))
    passback = gate.kiosk._passback
    moves = passback.move(ANNA, exit_lane, gate.clock.now())
    assert moves == [Move(ANNA, None)]
    assert gate.come() == "granted"


def test_hard_survives_a_restart():
    gate = Entrance(PassbackMode.HARD)
    gate.come()
    again = Entrance(PassbackMode.HARD, memory=Memory(positions=gate.positions()))
    assert again.come() == "AntiPassback"


def test_whoever_did_not_use_their_grant_is_not_inside():
    area = (Area("garden", PassbackMode.HARD),)
    door = WiredDoor(lane=ENTRY, areas=area)
    door.grant("anna")
    door.wait(5)
    assert not [one for one in door.log if isinstance(one, Move)]
    door.grant("anna")
    door.press("contact")
    moves = [(one.holder, one.position) for one in door.log if isinstance(one, Move)]
    assert [(who, where.area if where else None) for who, where in moves] == [("anna", "garden")]


class PassDoor(Gate):
    """A door with a contact into a garden, opened by passes."""

    def __init__(self, mode: PassbackMode):
        rules = (
            Rule(frozenset({"resident"}), factors=(frozenset({PASS}),)),
            Rule(frozenset({"visitor"}), factors=(frozenset({PASS}),)),
        )
        super().__init__(*rules, areas=(Area("garden", mode),))
        self.settings = replace(
            self.settings,
            lanes=(ENTRY,),
            doors=(replace(DOOR, contact=True, window_s=15.0),),
            wirings=(Wiring("contact", Signal.CONTACT, "turnstile"),),
        )
        self.kiosk = Kiosk(self.settings, self.registry)

    def enter(self, who=ANNA):
        self.show(claims(holder=who, id=PassId(who.encode().hex().ljust(16, "0"))))
        self.wait(2.1)
        return self.outcomes()[-1]


def at(seconds: float, *, trusted: bool = True) -> Instant:
    return Instant(MonotonicSeconds(seconds), NOON + timedelta(seconds=seconds), trusted)


@pytest.mark.parametrize(
    ("boot", "trusted_then", "trusted_now", "age_s"),
    [
        ("boot", True, True, 50.0),
        ("boot", False, False, 50.0),
        ("earlier", True, True, 50.0),
        ("earlier", False, True, 20.0),
        ("earlier", True, False, 20.0),
    ],
)
def test_after_a_power_cut_only_a_trusted_clock_makes_it_older(
    boot, trusted_then, trusted_now, age_s
):
    position = Position("garden", 100.0, boot, NOON + timedelta(seconds=100), trusted_then)
    assert position.age_s(at(150.0, trusted=trusted_now), "boot", started_s=130.0) == age_s


@given(
    st.sampled_from(list(PassbackMode)),
    st.floats(0, 1000),
    st.sampled_from(["garden", "garage", None]),
)
def test_nobody_is_refused_an_area_they_are_not_in(mode, age_s, where):
    area = Area("garden", mode, 300.0)
    position = None if where is None else Position(where, 0.0, "boot", NOON, utc_trusted=True)
    found = passes_back(position, area, age_s)
    assert not found or where == "garden"
    assert not passes_back(position, None, age_s)
    if where == "garden" and mode is PassbackMode.TIMED:
        assert found is (age_s < 300.0)


def test_a_holder_nobody_has_seen_passes():
    assert not passes_back(None, Area("garden", PassbackMode.HARD), 0.0)
    assert HolderId("x") not in Entrance(PassbackMode.HARD).positions()


@pytest.mark.parametrize("mode", [PassbackMode.HARD, PassbackMode.TIMED])
def test_a_grant_that_is_being_used_opens_for_nobody_else(mode):
    """The pass handed back over the turnstile, before the first has gone through."""
    gate = PassDoor(mode)
    assert gate.enter() == "granted"
    assert gate.enter() == "AntiPassback"
    gate.wait(20)  # nobody went through: the grant is given back
    assert gate.enter() == "granted"
    gate.tell(InputChanged(InputChange("contact", active=True, at_s=0.0)))
    assert gate.enter() == "AntiPassback"
    assert gate.opened() == 2


def test_soft_says_that_a_grant_is_being_used():
    gate = PassDoor(PassbackMode.SOFT)
    gate.enter()
    assert (gate.enter(), gate.last()["passback"]) == ("granted", True)


def test_another_who_is_taken_back_leaves_the_first_who_waits():
    """A use that the disk refuses, with somebody let in before and somebody after."""
    gate = PassDoor(PassbackMode.HARD)
    gate.enter(ANNA)
    effects = gate.show(ONCE)
    (consume,) = [one for one in effects if isinstance(one, Consume)]
    gate.wait(2.1)
    gate.enter(LIN)
    gate.tell(NotCounted(consume.access_point, consume.passage, consume.gate_pass, failed=False))
    gate.log.clear()
    gate.tell(InputChanged(InputChange("contact", active=True, at_s=0.0)))
    assert [one.holder for one in gate.log if isinstance(one, Move)] == [ANNA, LIN]
    assert gate.enter(ANNA) == "AntiPassback"


def test_an_open_door_settles_a_grant_at_once():
    gate = PassDoor(PassbackMode.HARD)
    gate.tell(Commanded(Command.FREE_PASSAGE, "north-entry", "uid:0 root"))
    assert [gate.enter(), gate.enter()] == ["granted", "granted"]  # nobody is counted then
    gate.tell(Commanded(Command.RESUME, "north-entry", "uid:0 root"))
    assert gate.enter() == "granted"
