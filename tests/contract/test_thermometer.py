"""One suite for every ``ports.Thermometer``; the real parts join it with their drivers."""

import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from thermometer_parts import array_bench, array_driver, spot_bench, spot_driver

from agent.adapters.manual_clock import ManualClock
from agent.adapters.thermometer.simulated import SimulatedThermometer
from agent.app.open.thermometers import open_thermometer
from agent.config import load_config
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


def simulated() -> Subject:
    clock = ManualClock()
    part = SimulatedThermometer(now_s=lambda: clock.now().monotonic_s)
    return Subject(
        part,
        clock,
        lambda celsius: setattr(part, "temperature_c", celsius),
        lambda: setattr(part, "silent", True),
        lambda: setattr(part, "silent", False),
    )


def spot() -> Subject:
    bench, part = spot_bench()
    return Subject(
        spot_driver(bench),
        bench.clock,
        lambda celsius: setattr(part, "object_c", celsius),
        lambda: setattr(part, "silent", True),
        lambda: setattr(part, "silent", False),
    )


def array() -> Subject:
    bench, part = array_bench()
    return Subject(
        array_driver(bench),
        bench.clock,
        part.scene_c.fill,
        lambda: setattr(part, "silent", True),
        lambda: setattr(part, "silent", False),
    )


MAKERS = {"simulated": simulated, "mlx90614": spot, "mlx90640": array}


@pytest.fixture(params=MAKERS)
def subject(request: pytest.FixtureRequest) -> Subject:
    return MAKERS[request.param]()


REAL = "GATE_AGENT_TEST_THERMOMETER"


@pytest.fixture
def real() -> Iterator[Thermometer]:
    """The part of a config's [thermometer] table, which the environment names by its file."""
    file = os.environ.get(REAL)
    if file is None:
        pytest.skip(f"needs a part on a bus: {REAL}=CONFIG names the config that says which")
    thermometer = open_thermometer(load_config(Path(file)).config.thermometer)
    assert thermometer is not None
    yield thermometer
    thermometer.close()


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


@pytest.mark.hardware
def test_a_real_part_reads_a_room_or_a_person(real: Thermometer) -> None:
    readings = [real.read() for _ in range(5)]
    assert all(0.0 < reading.temperature_c < 60.0 for reading in readings)
    assert all(0.0 < (reading.ambient_c or 0.0) < 60.0 for reading in readings)
    assert all(a.measured_s < b.measured_s for a, b in pairwise(readings))
    assert readings[-1].measured_s == pytest.approx(time.monotonic(), abs=1.0)
    real.close()
    with pytest.raises(UnavailableError):
        real.read()
