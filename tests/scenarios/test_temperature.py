"""Skin temperatures at the gate: whose samples count, what is waited for, and what follows."""

from dataclasses import replace

import pytest
from gate_parts import ANNA, BOTH, LIN, PASS
from hypothesis import given
from hypothesis import strategies as st
from pass_parts import claims
from thermal_parts import AGAIN, ASKED, LIMIT, Warm, thermal

from agent.controller.inputs import FaultCleared, FaultRaised, Observed
from agent.domain.access.part import Part
from agent.domain.access.rule import Elevated, WhenUnreliable
from agent.domain.credential.gate_pass import PassId
from agent.domain.sight.track import Box, FaceTrack, Observation

# --- waiting -------------------------------------------------------------------------------------


def test_a_known_face_waits_for_ten_samples_and_is_told_so_once():
    gate = Warm(LIMIT)
    gate.stand(LIN, 0.9)
    assert gate.outcomes() == []
    assert gate.said() == [ASKED]
    gate.stand(LIN, 0.4, step_in=False)
    assert gate.outcomes() == ["granted"]
    said = gate.last()
    assert said["temperature_c"] == 36.5
    assert said["warnings"] == []
    assert said["temperature"] == {
        "samples": 10,
        "rejected": 0,
        "spread_c": 0.0,
        "ambient_c": 22.0,
        "baseline_c": None,
        "limit_c": 37.3,
        "unreliable": None,
    }


def test_an_elevated_reading_is_denied():
    gate = Warm(LIMIT)
    gate.meet(LIN, 37.6)
    assert gate.outcomes() == ["ElevatedTemperature"]
    assert gate.last()["warnings"] == ["elevated_temperature"]
    assert gate.opened() == 0


def test_a_thermometer_that_says_nothing_is_waited_for_and_then_denies():
    gate = Warm(LIMIT)
    gate.skin_c = None
    gate.stand(LIN, 2.9)
    assert gate.outcomes() == []
    gate.stand(LIN, 1.0, step_in=False)
    assert gate.outcomes() == ["SensorFault"]
    assert gate.last()["temperature"] is None


def test_a_thermometer_out_of_order_is_not_waited_for():
    gate = Warm(LIMIT)
    gate.stand(LIN, 0.9)
    gate.tell(FaultRaised(Part("thermometer"), "no answer"))
    assert gate.outcomes() == ["SensorFault"]
    gate.skin_c = None
    gate.meet(LIN, None, 0.5)
    assert gate.outcomes() == ["SensorFault", "SensorFault"]
    gate.tell(FaultCleared(Part("thermometer"), "agent"))
    gate.meet(LIN, 36.5)
    assert gate.outcomes()[-1] == "granted"


def test_nobody_waits_for_a_temperature_that_no_rule_asks_for():
    gate = Warm(replace(LIMIT, temperature_limit_c=None))
    gate.stand(LIN, 0.4)
    assert gate.outcomes() == ["granted"]


def test_whoever_is_refused_anyway_is_not_measured():
    gate = Warm(replace(LIMIT, categories=frozenset({"staff"})))
    gate.stand(LIN, 0.4)
    assert gate.outcomes() == ["Unauthorized"]
    assert ASKED not in gate.said()


def test_a_stranger_is_not_measured():
    gate = Warm(LIMIT)
    gate.stand("stranger", 2.0, known=False)
    assert gate.outcomes() == ["NoMatch"]
    assert ASKED not in gate.said()


def test_a_blurred_frame_while_measuring_denies_nobody():
    gate = Warm(LIMIT)
    gate.skin_c = None
    gate.stand(LIN, 1.9)
    gate.stand(LIN, 0.1, known=False, step_in=False)
    assert gate.outcomes() == []
    gate.skin_c = 36.5
    gate.stand(LIN, 1.2, step_in=False)
    assert gate.outcomes() == ["granted"]


def test_whoever_leaves_while_measured_was_not_judged():
    gate = Warm(LIMIT)
    gate.stand(LIN, 0.6)
    gate.wait(1.0)
    gate.wait(10.0)
    assert gate.outcomes() == []
    gate.meet(ANNA, 36.5)
    assert gate.outcomes() == ["granted"]
    assert gate.last()["holder"] == ANNA


# --- whose samples -------------------------------------------------------------------------------


@pytest.mark.parametrize(("first_c", "second_c"), [(36.4, 38.4), (38.4, 36.4)])
def test_nobodys_samples_are_the_next_persons(first_c, second_c):
    gate = Warm(LIMIT)
    gate.skin_c = first_c
    gate.stand(LIN, 0.9)
    gate.skin_c = second_c
    gate.stand(ANNA, 3.0)
    assert gate.last()["holder"] == ANNA
    assert gate.last()["temperature_c"] == second_c
    assert gate.opened() == (second_c < 37.3)


def test_a_sample_told_late_counts_for_whoever_stood_there():
    gate = Warm(LIMIT)
    gate.skin_c = None
    gate.stand(LIN, 0.5)
    before_s = gate.clock.now().monotonic_s - 0.2
    gate.stand(ANNA, 0.5)
    for i in range(20):
        gate.sample(36.5, before_s - i / 1000)
    gate.stand(ANNA, 1.0, step_in=False)
    assert gate.outcomes() == []


def test_a_sample_after_the_last_sight_of_a_face_counts_not():
    gate = Warm(LIMIT)
    gate.skin_c = None
    gate.stand(LIN, 0.5)
    for i in range(20):
        gate.sample(36.5, gate.clock.now().monotonic_s - i / 1000)
    assert gate.outcomes() == []
    gate.stand(LIN, 0.1, step_in=False)
    assert gate.outcomes() == ["granted"]


@given(
    people=st.lists(
        st.tuples(st.sampled_from([LIN, ANNA]), st.sampled_from([36.0, 36.8, 38.0, 39.0])),
        min_size=2,
        max_size=5,
    ),
    stays=st.lists(st.sampled_from([0.3, 0.8, 1.5, 2.5]), min_size=5, max_size=5),
)
def test_whatever_people_come_each_is_judged_by_their_own_samples(people, stays):
    gate = Warm(LIMIT)
    temperatures: dict[int, float] = {}
    for (who, celsius), stay in zip(people, stays, strict=False):
        gate.skin_c = celsius
        before = len(gate.outcomes())
        gate.stand(who, stay)
        temperatures[gate.track] = celsius
        for outcome in gate.outcomes()[before:]:
            assert outcome == ("granted" if celsius < 37.3 else "ElevatedTemperature")
            assert gate.last()["temperature_c"] == celsius
        gate.clock.advance(20.0)


def test_a_hot_sample_among_ten_moves_nothing():
    gate = Warm(LIMIT)
    gate.stand(LIN, 0.5)
    gate.sample(60.0)
    gate.stand(LIN, 1.0, step_in=False)
    assert gate.outcomes() == ["granted"]
    assert gate.last()["temperature_c"] == 36.5
    assert gate.last()["temperature"]["rejected"] == 1


def test_before_another_camera_nobody_is_measured():
    gate = Warm(LIMIT, **thermal(camera="back"))
    gate.stand(LIN, 4.0)
    assert gate.outcomes() == ["SensorFault"]


# --- what follows --------------------------------------------------------------------------------


def test_a_second_reading_decides():
    for second_c, outcome in ((36.5, "granted"), (37.9, "ElevatedTemperature")):
        gate = Warm(AGAIN)
        gate.meet(LIN, 37.9, 1.2)
        assert gate.outcomes() == []
        assert gate.said() == [ASKED, ASKED]
        gate.skin_c = second_c
        gate.stand(LIN, 2.5, step_in=False)
        assert gate.outcomes() == []
        gate.stand(LIN, 2.0, step_in=False)
        assert gate.outcomes() == [outcome]
        assert gate.last()["temperature_c"] == second_c


def test_whoever_leaves_before_the_second_reading_was_denied_by_the_first():
    gate = Warm(AGAIN)
    gate.meet(LIN, 37.9, 1.5)
    gate.wait(20.0)
    assert gate.outcomes() == ["ElevatedTemperature"]
    assert gate.last()["temperature_c"] == 37.9
    gate.meet(LIN, 36.5)
    assert gate.outcomes()[-1] == "granted"


def test_somebody_else_takes_no_second_reading_for_the_first():
    gate = Warm(AGAIN)
    gate.meet(LIN, 37.9, 1.5)
    gate.skin_c = 36.4
    gate.stand(ANNA, 0.1)
    assert gate.outcomes() == ["ElevatedTemperature"]
    assert gate.last()["holder"] == LIN
    gate.stand(ANNA, 4.0, step_in=False)
    assert gate.outcomes() == ["ElevatedTemperature", "granted"]
    assert gate.last()["holder"] == ANNA


def test_a_thermometer_that_dies_before_the_second_reading_leaves_the_first():
    gate = Warm(replace(AGAIN, unreliable=WhenUnreliable.WARN))
    gate.meet(LIN, 37.9, 1.5)
    gate.skin_c = None
    gate.tell(FaultRaised(Part("thermometer"), "no answer"))
    gate.stand(LIN, 1.0, step_in=False)
    assert gate.outcomes() == ["ElevatedTemperature"]


def test_a_rule_may_warn_and_let_pass():
    gate = Warm(replace(LIMIT, elevated=Elevated.WARN))
    gate.meet(LIN, 38.5)
    assert gate.outcomes() == ["granted"]
    assert gate.last()["warnings"] == ["elevated_temperature"]
    assert gate.last()["temperature"]["limit_c"] == 37.3


@pytest.mark.parametrize("ambient_c", [5.0, 45.0, None])
def test_air_outside_the_window_is_unreliable_and_not_waited_for(ambient_c):
    gate = Warm(LIMIT)
    gate.ambient_c = ambient_c
    gate.meet(LIN, 36.5)
    assert gate.outcomes() == ["SensorFault"]
    assert gate.last()["temperature"]["unreliable"] == "ambient"


def test_an_unreliable_reading_may_be_let_pass():
    gate = Warm(replace(LIMIT, unreliable=WhenUnreliable.WARN))
    gate.ambient_c = 5.0
    gate.meet(LIN, 36.5)
    assert gate.outcomes() == ["granted"]
    assert gate.last()["warnings"] == ["temperature_unreliable"]


def test_scattered_samples_are_measured_on_and_then_denied():
    gate = Warm(LIMIT)
    for i in range(45):
        gate.skin_c = 35.0 + 2.0 * (i % 2)
        gate.stand(LIN, 0.1, step_in=i == 0)
    assert gate.outcomes() == ["SensorFault"]
    assert gate.last()["temperature"]["unreliable"] == "scattered"


# --- with other factors --------------------------------------------------------------------------


def test_a_pass_and_its_holders_face_wait_for_the_temperature():
    gate = Warm(replace(LIMIT, factors=BOTH))
    gate.show()
    gate.stand(LIN, 0.6)
    assert gate.outcomes() == []
    assert gate.said()[-1] == ASKED
    gate.stand(LIN, 0.8, step_in=False)
    assert gate.outcomes() == ["granted"]


def test_a_blurred_frame_beside_a_pass_while_measuring_denies_nobody():
    gate = Warm(replace(LIMIT, factors=BOTH))
    gate.skin_c = None
    gate.show()
    gate.stand(LIN, 2.0)
    gate.stand("blurred", 0.1, step_in=False)
    assert gate.outcomes() == []
    gate.skin_c = 36.5
    gate.stand(LIN, 1.2, step_in=False)
    assert gate.outcomes() == ["granted"]


def test_a_pass_and_an_elevated_reading_are_denied():
    gate = Warm(replace(AGAIN, factors=BOTH))
    gate.skin_c = 38.0
    gate.show()
    gate.stand(LIN, 6.0)
    assert gate.outcomes() == ["ElevatedTemperature"]


def test_a_pass_alone_needs_a_face_to_be_measured():
    gate = Warm(replace(LIMIT, factors=(frozenset({PASS}),)))
    gate.show()
    gate.wait(2.0)
    assert gate.outcomes() == []
    gate.wait(1.1)
    assert gate.outcomes() == ["SensorFault"]


def test_a_pass_alone_opens_once_whoever_holds_it_was_measured():
    gate = Warm(replace(LIMIT, factors=(frozenset({PASS}),)))
    gate.show()
    gate.stand("somebody", 1.5, known=False)
    assert gate.outcomes() == ["granted"]


def test_a_health_certificate_shown_after_the_face_is_measured_too():
    gate = Warm(replace(LIMIT, health_certificate=True))
    gate.stand(LIN, 0.5)
    gate.certify()
    assert gate.outcomes() == []
    gate.stand(LIN, 1.0, step_in=False)
    assert gate.outcomes() == ["granted"]


def test_what_a_thermometer_said_before_it_failed_counts_no_more():
    gate = Warm(replace(LIMIT, health_certificate=True))
    gate.stand(LIN, 1.5)
    gate.tell(FaultRaised(Part("thermometer"), "no answer"))
    gate.tell(FaultCleared(Part("thermometer"), "agent"))
    gate.certify()
    assert gate.outcomes() == []
    gate.stand(LIN, 0.9, step_in=False)
    assert gate.outcomes() == []
    gate.stand(LIN, 0.3, step_in=False)
    assert gate.outcomes() == ["granted"]


def test_measuring_may_last_beyond_the_time_to_show_what_belongs_together():
    gate = Warm(replace(LIMIT, factors=BOTH, factor_window_s=1.0))
    gate.show()
    gate.skin_c = None
    gate.stand(LIN, 1.5)
    assert gate.outcomes() == []
    gate.skin_c = 36.5
    gate.stand(LIN, 1.2, step_in=False)
    assert gate.outcomes() == ["granted"]


def test_a_tick_is_asked_for_when_the_time_to_measure_is_up():
    gate = Warm(replace(LIMIT, factors=(frozenset({PASS}),)))
    began_s = gate.clock.now().monotonic_s
    gate.show()
    assert gate.kiosk.deadline_s == began_s + 3.0


def test_another_pass_ends_what_is_being_measured():
    gate = Warm(replace(LIMIT, factors=BOTH))
    gate.show()
    gate.stand(LIN, 0.5)
    assert gate.said()[-1] == ASKED
    gate.wait(3.0)
    gate.show(claims(id=PassId("aabbccddeeff0011"), holder=ANNA))
    assert gate.outcomes() == ["FactorMissing"]
    assert gate.kiosk.deadline_s is not None
    gate.wait(0.1)
    gate.skin_c = 36.5
    gate.stand(LIN, 2.0)
    assert gate.opened() == 0


def test_a_track_without_a_sample_of_the_face_is_measured_and_nothing_more():
    gate = Warm(LIMIT)
    now_s = gate.clock.now().monotonic_s
    track = FaceTrack(1, Box(0, 0, 99, 99), now_s, now_s)
    for _ in range(30):
        gate.tell(Observed(Observation("front", now_s, track, {}, 1)))
        gate.clock.advance(0.1)
    assert gate.outcomes() == []
