"""Anti-passback at a wired door: off, soft, hard, timed, by area, forgiven, and after a restart."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from door_parts import WiredDoor
from gate_parts import ANNA, LANE, LIN, REGISTRY, Gate
from hypothesis import given
from hypothesis import strategies as st

from agent.controller.effects import Move
from agent.controller.inputs import Forgiven, RegistryChanged
from agent.controller.kiosk import Kiosk, Memory
from agent.domain.access.rule import Rule
from agent.domain.credential.factor import FACE_ALONE
from agent.domain.credential.holder import HolderId
from agent.domain.door.antipassback import Area, PassbackMode, Position, passes_back
from agent.domain.hours.instant import Instant, MonotonicSeconds

ENTRY = replace(LANE, to_area="garden")
RULE = Rule(frozenset({"resident"}), factors=(FACE_ALONE,))
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
