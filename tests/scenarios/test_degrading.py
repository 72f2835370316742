"""A part that fails: an event, how the gate shows it, the status, and what still opens."""

import pytest
from door_parts import WiredDoor
from gate_parts import ANNA, Gate

from agent.controller.effects import Record, SetStatus, Stand
from agent.controller.inputs import FaultCleared, FaultRaised
from agent.controller.settings import Degrade
from agent.domain.access.indication import Standing
from agent.domain.access.part import PartKind
from agent.domain.access.rule import Rule
from agent.domain.credential.factor import FACE_ALONE

RULE = Rule(frozenset({"resident"}), factors=(FACE_ALONE,))
PARTS = ["camera:front", "door:turnstile", "feedback:turnstile", "journal", "disk", "inputs"]
PARTS += ["tamper:housing", "latches", "broker"]
BY_CHOICE = (
    PartKind.JOURNAL,
    PartKind.DISK,
    PartKind.TAMPER,
    PartKind.FEEDBACK,
    PartKind.INPUTS,
    PartKind.LATCHES,
)


def failing(part, denies):
    gate = Gate(RULE, degrade=Degrade(denies))
    effects = gate.tell(FaultRaised(part, "broken"))
    gate.stand(ANNA)
    return gate, effects


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("denies", [(), BY_CHOICE], ids=["go on", "deny"])
def test_a_fault_is_told_shown_and_denies_as_the_config_says(part, denies):
    gate, effects = failing(part, denies)
    denied = part.startswith(("camera:", "door:", *denies))
    recorded = [one.draft for one in effects if isinstance(one, Record)]
    assert [draft.data for draft in recorded] == [{"part": part, "detail": "broken"}]
    statuses = [one for one in effects if isinstance(one, SetStatus)]
    assert statuses[-1].faults == {part: "broken"}
    stands = [one for one in effects if isinstance(one, Stand)]
    expected = [Stand("north-entry", Standing.OUT_OF_ORDER)] if denied else []
    assert stands == expected
    assert gate.outcomes() == ["SensorFault" if denied else "granted"]
    assert gate.opened() == (0 if denied else 1)


@pytest.mark.parametrize("part", PARTS)
def test_once_it_is_cleared_the_gate_opens_again(part):
    gate, _ = failing(part, BY_CHOICE)
    gate.tell(FaultCleared(part, "uid:0 root"))
    gate.wait(20)
    gate.stand(ANNA)
    assert gate.outcomes()[-1] == "granted"
    assert [one.standing for one in gate.log if isinstance(one, Stand)][1:] in (
        [],
        [Standing.READY],
    )


@pytest.mark.parametrize("part", PARTS)
def test_the_exit_button_and_fire_free_the_door_whatever_failed(part):
    door = WiredDoor(degrade=Degrade(BY_CHOICE))
    door.tell(FaultRaised(part, "broken"))
    door.press("rex")
    assert door.free
    door.wait(10)
    assert not door.free
    door.set("fire")
    assert door.free
