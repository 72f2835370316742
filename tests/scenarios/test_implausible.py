"""What no skin can have: unreliable by a word of its own, told as cold, or the part's fault."""

from dataclasses import replace

import pytest
from gate_parts import ANNA, LIN, Gate
from thermal_parts import AGAIN, ASKED, LIMIT, Warm, thermal

from agent.adapters.thermometer.simulated import SimulatedThermometer
from agent.app.threads.senses.thermometer import ThermometerReader
from agent.controller.inputs import FaultCleared, Observed
from agent.domain.access.indication import Outcome
from agent.domain.access.part import Part
from agent.domain.access.rule import WhenUnreliable
from agent.domain.skin.thermal_cue import AttackCue

COLD = (Outcome.WAITING, ("cold",))
DENIED = (Outcome.DENIED, ())
GRANTED = (Outcome.GRANTED, ())
SOON = replace(LIMIT, second_reading_after_s=2.0)


@pytest.mark.parametrize("skin_c", [43.1, 54.0, 120.0, 294.0])
def test_what_is_warmer_than_skin_can_be_elevates_nobody(skin_c):
    gate = Warm(LIMIT)
    gate.meet(LIN, skin_c, 5.0)
    assert gate.outcomes() == ["SensorFault"]
    said = gate.last()
    assert said["temperature"]["unreliable"] == "not_skin"
    assert said["warnings"][0] == "temperature_unreliable"
    assert gate.said() == [ASKED, DENIED]


@pytest.mark.parametrize("skin_c", [41.5, 43.0])
def test_what_skin_can_have_is_elevated_as_before(skin_c):
    gate = Warm(LIMIT)
    gate.meet(LIN, skin_c)
    assert gate.outcomes() == ["ElevatedTemperature"]


def test_a_hot_thing_that_is_taken_away_in_time_is_no_reading():
    gate = Warm(LIMIT)
    gate.meet(LIN, 80.0, 1.2)
    gate.skin_c = 36.5
    gate.stand(LIN, 2.9, step_in=False)
    assert gate.outcomes() == ["granted"]


# --- cold ----------------------------------------------------------------------------------------


def test_a_winter_forehead_is_told_so_and_measured_again():
    gate = Warm(SOON)
    gate.meet(LIN, 25.0)
    assert gate.outcomes() == []
    assert gate.said() == [ASKED, COLD]
    gate.skin_c = 33.5
    gate.stand(LIN, 4.0, step_in=False)
    assert gate.outcomes() == ["granted"]
    assert gate.said()[2:] == [GRANTED]
    assert gate.last()["temperature_c"] == 33.5


def test_one_that_stays_cold_is_asked_again_once_and_is_unreliable():
    gate = Warm(SOON)
    gate.meet(LIN, 25.0, 12.0)
    assert gate.outcomes() == ["SensorFault"]
    assert gate.said() == [ASKED, COLD, DENIED]
    assert gate.last()["temperature"]["unreliable"] == "cold"


def test_one_that_stays_cold_passes_with_a_warning_where_the_rule_lets_it():
    gate = Warm(replace(SOON, unreliable=WhenUnreliable.WARN))
    gate.meet(LIN, 25.0, 12.0)
    assert gate.outcomes() == ["granted"]
    assert gate.last()["warnings"][0] == "temperature_unreliable"


def test_whoever_was_cold_and_left_opens_nothing_for_the_next():
    gate = Warm(replace(SOON, unreliable=WhenUnreliable.WARN))
    gate.meet(LIN, 25.0)
    gate.skin_c = 36.5
    gate.stand("a stranger", 8.0, known=False)
    assert set(gate.outcomes()) == {"NoMatch"}
    assert gate.opened() == 0


def test_a_warmed_forehead_may_still_be_elevated_and_then_the_second_reading_decides():
    gate = Warm(replace(AGAIN, second_reading_after_s=2.0))
    gate.meet(LIN, 25.0)
    gate.skin_c = 38.5
    gate.stand(LIN, 3.5, step_in=False)
    assert gate.said() == [ASKED, COLD, ASKED]
    gate.skin_c = 36.6
    gate.stand(LIN, 5.0, step_in=False)
    assert gate.outcomes() == ["granted"]


def test_nobody_is_told_of_the_cold_where_no_rule_asks():
    rule = replace(LIMIT, temperature_limit_c=None)
    gate = Warm(rule, **thermal(attack_cue=AttackCue.DENY))
    gate.ambient_c = 10.0
    gate.meet(LIN, 27.0, 2.0)
    assert COLD not in gate.said()
    assert len(gate.outcomes()) == 1


# --- the part ------------------------------------------------------------------------------------


def part_faults(gate):
    return "thermometer" in gate.kiosk.faults


def test_several_hot_faces_in_a_row_are_the_parts_fault_until_one_is_not():
    gate = Warm(LIMIT)
    for _ in range(2):
        gate.meet(LIN, 54.0, 5.0)
    assert not part_faults(gate)
    gate.meet(ANNA, 54.0, 5.0)
    assert part_faults(gate)
    gate.meet(LIN, 36.5)
    assert not part_faults(gate)
    assert gate.outcomes() == ["SensorFault"] * 3 + ["granted"]


def test_a_fault_that_a_person_clears_comes_back_with_the_next_hot_face():
    gate = Warm(LIMIT)
    for _ in range(3):
        gate.meet(LIN, 54.0, 5.0)
    gate.tell(FaultCleared(Part("thermometer"), "uid:0 root"))
    assert not part_faults(gate)
    gate.meet(LIN, 54.0, 5.0)
    assert part_faults(gate)


def test_one_person_with_a_hot_cup_is_no_fault_however_long():
    gate = Warm(LIMIT)
    gate.meet(LIN, 60.0, 60.0)
    assert not part_faults(gate)


def test_a_hot_face_between_others_is_no_run():
    gate = Warm(LIMIT)
    for skin_c in (54.0, 54.0, 36.5, 54.0, 54.0):
        gate.meet(LIN, skin_c, 5.0)
    assert not part_faults(gate)


class Hung(Gate):
    """A gate behind the thread that reads a simulated thermometer, ten times a second."""

    def __init__(self):
        super().__init__(LIMIT)
        self.part = SimulatedThermometer(36.4, now_s=lambda: self.clock.now().monotonic_s)
        self.reader = ThermometerReader(self.part, 0.1, super().tell)

    def tell(self, happened):
        effects = super().tell(happened)
        if isinstance(happened, Observed):
            self.reader.round()
        return effects

    def idle(self, seconds):
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)
            self.reader.round()


def test_a_value_that_never_changes_is_a_part_that_hangs():
    gate = Hung()
    gate.idle(30.0)
    assert not part_faults(gate)
    gate.part.stuck = True
    gate.idle(9.0)
    assert not part_faults(gate)
    gate.idle(2.0)
    assert part_faults(gate)
    gate.stand(LIN, 5.0)
    assert gate.outcomes() == ["SensorFault"]
    gate.part.stuck = False
    gate.idle(0.2)
    assert not part_faults(gate)
    gate.idle(10.0)
    gate.stand(LIN, 3.0)
    assert gate.outcomes() == ["SensorFault", "granted"]
