"""One door through its day: contact, exit button, rotation, fire, commands, faults."""

from dataclasses import replace

import pytest
from door_parts import WiredDoor
from gate_parts import DOOR

from agent.controller.effects import Latch, Record, Release, SetStatus
from agent.controller.inputs import FaultCleared, FaultRaised
from agent.controller.settings import Degrade
from agent.domain.access.part import Part, PartKind
from agent.domain.door.door_mode import Command

CONTACT_OPEN = ("contact",)


# --- a release and what becomes of it ------------------------------------------------------------


def test_a_grant_that_is_used_ends_as_taken():
    door = WiredDoor()
    door.grant()
    assert (door.state, door.free) == ("released", True)
    door.set("contact")
    assert door.state == "open"
    door.wait(4)
    assert not door.free
    door.set("contact", active=False)
    assert (door.state, door.free) == ("secured", False)
    assert door.events() == ["access.taken"]
    assert door.drafts()[0].data == {"door": "turnstile", "holder": "anna", "direction": "entry"}
    assert door.drafts()[0].access_point == "north-entry"


def test_a_grant_that_is_not_used_ends_as_not_taken():
    door = WiredDoor()
    door.grant()
    door.wait(3.5)
    assert (door.state, door.free) == ("secured", False)
    assert door.events() == ["access.not_taken"]


def test_without_a_contact_nobody_says_whether_it_was_used():
    door = WiredDoor(wired=())
    door.grant()
    door.wait(5)
    assert door.state == "secured"
    assert door.events() == []


def test_the_passage_window_outlasts_the_pulse():
    door = WiredDoor(door=replace(DOOR, pulse_s=0.5, window_s=8.0))
    door.grant()
    door.wait(1)
    assert (door.state, door.free) == ("released", False)
    door.wait(6)
    door.set("contact")
    assert (door.state, door.events()) == ("open", ["access.taken"])


def test_closing_ends_the_pulse_so_that_nobody_follows():
    door = WiredDoor(door=replace(DOOR, pulse_s=8.0))
    door.grant()
    door.set("contact")
    door.set("contact", active=False)
    assert not door.free


def test_a_turnstile_locks_after_as_many_rotations_as_were_let_through():
    door = WiredDoor(wired=("passage",), door=replace(DOOR, pulse_s=5.0))
    door.grant("anna")
    door.grant("lin.2")
    door.press("passage")
    assert door.free
    door.press("passage")
    assert (door.state, door.free) == ("secured", False)
    door.press("passage")
    taken = [draft.data.get("holder") for draft in door.drafts()]
    assert door.events() == ["access.taken", "access.taken", "door.tailgated"]
    assert taken == ["anna", "lin.2", None]


def test_grants_in_a_row_are_renewed_up_to_the_maximum_and_whole_after_it():
    door = WiredDoor(door=replace(DOOR, pulse_s=3.0, max_pulse_s=4.0, window_s=60.0))
    door.grant()
    door.wait(2.5)
    door.grant()
    door.wait(1.25)
    assert door.free
    door.wait(0.5)
    assert not door.free
    door.grant()
    door.wait(2.75)
    assert door.free


# --- alarms --------------------------------------------------------------------------------------


def test_a_door_that_opens_without_a_release_is_forced_until_it_closes():
    door = WiredDoor()
    door.set("contact")
    assert door.state == "forced"
    door.wait(100)
    door.set("contact", active=False)
    assert door.state == "secured"
    assert door.events() == ["door.forced", "door.alarm_over"]
    assert door.stands() == ["alarm", "ready"]


def test_a_door_found_open_at_the_start_is_no_alarm_until_it_stays_so():
    door = WiredDoor()
    door.set("contact", initial=True)
    assert door.state == "open"
    door.wait(31)
    assert door.state == "held_open"


def test_a_door_held_open_is_an_alarm_until_it_closes():
    door = WiredDoor(door=replace(DOOR, held_open_s=10.0))
    door.grant()
    door.set("contact")
    door.wait(9.5)
    assert door.state == "open"
    door.wait(1)
    assert door.state == "held_open"
    door.set("contact", active=False)
    assert door.events() == ["access.taken", "door.held_open", "door.alarm_over"]


def test_whoever_comes_while_it_is_open_has_the_time_anew():
    door = WiredDoor(door=replace(DOOR, held_open_s=10.0))
    door.grant()
    door.set("contact")
    door.wait(8)
    door.grant("lin.2")
    door.wait(8)
    assert door.state == "open"
    assert door.events() == ["access.taken", "access.taken"]


# --- the way out ---------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["normal", "locked down", "fault", "forced"])
def test_the_exit_button_frees_in_every_state(before):
    door = WiredDoor()
    match before:
        case "locked down":
            door.ask(Command.LOCK_DOWN)
        case "fault":
            door.tell(FaultRaised(Part("door:turnstile"), "stuck"))
        case "forced":
            door.set("contact")
    effects = door.press("rex")
    kinds = [type(effect) for effect in effects if isinstance(effect, Record | Release)]
    assert kinds == [Record, Release]
    assert door.free
    assert door.drafts()[-1].data["cause"] == "rex"


def test_leaving_by_the_button_in_a_lockdown_is_no_forced_door_and_the_lockdown_stays():
    door = WiredDoor()
    door.ask(Command.LOCK_DOWN)
    door.press("rex")
    door.set("contact")
    assert (door.state, door.mode) == ("open", "locked_down")
    door.set("contact", active=False)
    assert (door.state, door.free) == ("locked_down", False)
    assert "door.forced" not in door.events()


def test_a_button_found_pressed_at_the_start_moves_nothing():
    door = WiredDoor()
    door.set("rex", initial=True)
    assert not door.free


def test_fire_frees_even_a_lockdown_and_the_lockdown_returns():
    door = WiredDoor()
    door.ask(Command.LOCK_DOWN)
    door.set("fire")
    door.wait(60)
    assert (door.state, door.free) == ("free_passage", True)
    door.set("fire", active=False)
    assert (door.state, door.free) == ("locked_down", False)
    causes = [draft.data["cause"] for draft in door.drafts()]
    assert causes == ["command", "fire", "fire"]
    told = [effect.causes for effect in door.log if isinstance(effect, SetStatus)]
    assert told == [{}, *({"north-entry": one} for one in ("command", "fire", "command"))]


def test_fire_frees_although_the_relay_seems_not_to_follow():
    door = WiredDoor(wired=("feedback",), degrade=Degrade((PartKind.FEEDBACK,)))
    door.set("fire")
    door.wait(5)
    assert "fault.raised" in door.events()
    assert door.free
    door.set("fire", active=False)
    assert (door.state, door.free) == ("fault", False)


# --- lockdown and free passage -------------------------------------------------------------------


def test_a_lockdown_ends_a_release_at_once_and_lasts_over_a_restart():
    door = WiredDoor()
    door.grant()
    effects = door.ask(Command.LOCK_DOWN)
    assert not door.free
    assert any(isinstance(effect, Latch) for effect in effects)
    again = WiredDoor(memory=door.memory())
    assert (again.state, again.mode) == ("locked_down", "locked_down")
    again.ask(Command.RELEASE)
    assert not again.free
    again.ask(Command.RESUME)
    assert again.state == "secured"
    again.ask(Command.RELEASE)
    assert again.free


def test_free_passage_holds_the_output_for_hours_and_over_a_restart():
    door = WiredDoor()
    door.ask(Command.FREE_PASSAGE)
    for _ in range(40):
        door.wait(30)
        assert door.free
    again = WiredDoor(memory=door.memory())
    assert again.free
    again.ask(Command.RESUME)
    assert not again.free
    assert WiredDoor(memory=again.memory()).state == "secured"


def test_a_hung_controller_holds_no_door_free():
    door = WiredDoor()
    door.ask(Command.FREE_PASSAGE)
    door.clock.advance(10.0)  # and nobody ticks
    assert not door.free


def test_free_passage_asks_for_no_sooner_than_it_is_recorded():
    door = WiredDoor()
    effects = door.ask(Command.FREE_PASSAGE)
    names = [type(effect).__name__ for effect in effects]
    assert names.index("Latch") < names.index("Record") < names.index("Hold")


def test_a_door_open_when_free_passage_ends_may_close_in_its_time():
    door = WiredDoor(door=replace(DOOR, held_open_s=10.0))
    door.ask(Command.FREE_PASSAGE)
    door.set("contact")
    door.wait(100)
    door.ask(Command.RESUME)
    assert (door.state, door.free) == ("open", False)
    door.wait(11)
    assert door.state == "held_open"


def test_a_forced_door_enters_the_lockdown_when_it_closes():
    door = WiredDoor()
    door.set("contact")
    door.ask(Command.LOCK_DOWN)
    assert door.state == "forced"
    door.set("contact", active=False)
    assert door.state == "locked_down"


# --- faults, tamper, duress ----------------------------------------------------------------------


def test_a_failed_output_latches_over_a_restart_until_somebody_clears_it():
    door = WiredDoor()
    door.tell(FaultRaised(Part("door:turnstile"), "stuck"))
    again = WiredDoor(memory=door.memory())
    assert again.state == "fault"
    assert again.kiosk.faults == {"door:turnstile": "stuck"}
    again.ask(Command.RELEASE)
    assert not again.free
    again.tell(FaultCleared(Part("door:turnstile"), "uid:0 root"))
    assert again.state == "secured"
    assert WiredDoor(memory=again.memory()).state == "secured"


def test_a_relay_that_does_not_follow_is_a_fault_and_one_that_does_is_none():
    good = WiredDoor(wired=("feedback",))
    good.grant()
    good.set("feedback")
    good.wait(3)
    good.set("feedback", active=False)
    good.wait(3)
    assert good.kiosk.faults == {}
    bad = WiredDoor(wired=("feedback",))
    bad.grant()
    bad.wait(1)
    assert bad.kiosk.faults == {"feedback:turnstile": "the relay does not follow"}


def test_a_relay_that_sticks_is_a_fault():
    door = WiredDoor(wired=("feedback",), degrade=Degrade((PartKind.FEEDBACK,)))
    door.grant()
    door.set("feedback")
    door.wait(5)
    assert door.kiosk.faults == {"feedback:turnstile": "the relay stays released"}
    assert door.state == "fault"


def test_tamper_latches_and_is_not_cleared_while_the_housing_is_open():
    door = WiredDoor()
    door.set("tamper")
    door.tell(FaultCleared(Part("tamper:tamper"), "uid:0 root"))
    assert "tamper:tamper" in door.kiosk.faults
    door.set("tamper", active=False)
    assert "tamper:tamper" in WiredDoor(memory=door.memory()).kiosk.faults
    door.tell(FaultCleared(Part("tamper:tamper"), "uid:0 root"))
    assert door.kiosk.faults == {}


@pytest.mark.parametrize(("denies", "standing"), [((), []), ((PartKind.TAMPER,), ["out_of_order"])])
def test_the_config_says_whether_a_tampered_kiosk_still_grants(denies, standing):
    door = WiredDoor(degrade=Degrade(denies))
    door.set("tamper")
    assert door.stands() == standing


def test_duress_is_told_and_shows_nothing():
    door = WiredDoor()
    effects = door.press("duress")
    assert [type(effect) for effect in effects] == [Record]
    assert door.events() == ["duress.signalled"]


@pytest.mark.parametrize("hidden", ["forced", "way out"])
@pytest.mark.parametrize("why", ["lockdown", "fault"])
def test_no_operator_releases_what_is_locked_down_or_failed_behind_an_alarm(hidden, why):
    door = WiredDoor()
    if hidden == "forced":
        door.set("contact")
    if why == "lockdown":
        door.ask(Command.LOCK_DOWN)
    else:
        door.tell(FaultRaised(Part("door:turnstile"), "stuck"))
    if hidden == "way out":
        door.press("rex")
        door.set("contact")
    door.wait(4)
    door.ask(Command.RELEASE)
    assert not door.free


def test_a_mode_that_a_start_enters_again_says_so():
    door = WiredDoor()
    door.ask(Command.LOCK_DOWN)
    again = WiredDoor(memory=door.memory())
    (event,) = again.drafts()
    assert event.data == {
        "door": "turnstile",
        "mode": "locked_down",
        "cause": "restart",
        "by": "agent",
    }
