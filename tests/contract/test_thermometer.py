"""One suite for every ``ports.Thermometer``; the real parts join it with their drivers."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import pytest

from agent.adapters.simulators.clock import ManualClock
from agent.adapters.simulators.thermometer import SimulatedThermometer
from agent.errors import UnavailableError
from agent.ports import Thermometer


@dataclass
class Subject:
    thermometer: Thermometer
    clock: ManualClock
    warm_to: Callable[[float], None]
    """Puts something of this temperature before it."""
    unplug: Callable[[], None]
    plug_in: Callable[[], None]


@pytest.fixture(params=["simulated"])
def subject(request: pytest.FixtureRequest) -> Subject:
    assert request.param == "simulated"
    clock = ManualClock()
    part = SimulatedThermometer(now_s=lambda: clock.now().monotonic_s)
    return Subject(
        part,
        clock,
        lambda celsius: setattr(part, "temperature_c", celsius),
        lambda: setattr(part, "silent", True),
        lambda: setattr(part, "silent", False),
    )


def test_a_reading_is_taken_now_and_is_finite(subject: Subject) -> None:
    reading = subject.thermometer.read()
    assert reading.measured_s == subject.clock.now().monotonic_s
    assert math.isfinite(reading.temperature_c)
    assert reading.ambient_c is None or math.isfinite(reading.ambient_c)


def test_readings_follow_what_is_before_it(subject: Subject) -> None:
    for celsius in (35.0, 39.5, 36.4):
        subject.warm_to(celsius)
        assert subject.thermometer.read().temperature_c == pytest.approx(celsius, abs=0.5)


def test_time_of_readings_rises(subject: Subject) -> None:
    times = []
    for _ in range(4):
        times.append(subject.thermometer.read().measured_s)
        subject.clock.advance(0.1)
    assert all(before < after for before, after in pairwise(times))


def test_one_that_does_not_answer_raises_with_the_fix_and_may_recover(subject: Subject) -> None:
    subject.unplug()
    for _ in range(2):
        with pytest.raises(UnavailableError) as failure:
            subject.thermometer.read()
        assert failure.value.fix
    subject.plug_in()
    subject.thermometer.read()


def test_close_may_be_called_twice_and_ends_reading(subject: Subject) -> None:
    subject.thermometer.close()
    subject.thermometer.close()
    with pytest.raises(UnavailableError):
        subject.thermometer.read()
