"""The thermometer's thread: a fault once, cleared once, and alive through whatever a bus does."""

import errno
import threading
from collections.abc import Callable
from typing import Any

import pytest
from thermometer_parts import array_bench, spot_bench

from agent.adapters.thermometer import mlx90614, mlx90640
from agent.adapters.thermometer.simulated import SimulatedThermometer
from agent.adapters.thermometer.simulated_i2c import FakeBus
from agent.app.open import thermometers
from agent.app.open.thermometers import (
    AwaitedThermometer,
    open_or_await,
    open_thermometer,
    write_emissivity,
)
from agent.app.threads.senses.thermometer import ThermometerReader
from agent.config import ThermometerConfig
from agent.controller.inputs import FaultCleared, FaultRaised, Input, TemperatureRead
from agent.domain.access.part import Part
from agent.domain.skin.reading import TemperatureReading
from agent.errors import RefusedError, UnavailableError

SPOT = ThermometerConfig(kind="mlx90614", field_of_view_deg=5)
ARRAY = ThermometerConfig(kind="mlx90640", field_of_view_deg=55)


class Scripted:
    """A thermometer whose answers are given, and which ends the thread after the last."""

    def __init__(self, *answers: Exception | float) -> None:
        self.answers = list(answers)
        self.closed = 0
        self.ended: Callable[[], None] = lambda: None

    def read(self) -> TemperatureReading:
        answer = self.answers.pop(0)
        if not self.answers:
            self.ended()
        if isinstance(answer, Exception):
            raise answer
        return TemperatureReading(1.0, answer)

    def close(self) -> None:
        self.closed += 1


def told_by(thermometer: Any) -> list[Input]:
    told: list[Input] = []
    reader = ThermometerReader(thermometer, 0.001, told.append)
    thermometer.ended = reader.stop
    reader.work()
    return told


@pytest.mark.parametrize(
    "failure",
    [
        UnavailableError("the MLX90614 at 0x5A does not answer", "look"),
        OSError(errno.EREMOTEIO, "Remote I/O error"),
        OSError(errno.ETIMEDOUT, "Connection timed out"),
        OSError("of no number"),
        TimeoutError(),
        ConnectionResetError(),
    ],
    ids=repr,
)
def test_a_fault_is_raised_once_and_cleared_on_recovery(failure: Exception) -> None:
    thermometer = Scripted(36.2, failure, failure, failure, 36.4, 36.3)
    told = told_by(thermometer)
    kinds = [type(one) for one in told]
    assert kinds == [TemperatureRead, FaultRaised, FaultCleared, TemperatureRead, TemperatureRead]
    assert thermometer.closed == 1


def test_a_part_that_is_unplugged_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, part = spot_bench()
    thermometer = open_thermometer(SPOT, bench.bus, **bench.time)
    assert thermometer is not None
    told: list[Input] = []
    seen = threading.Event()

    def post(one: Input) -> None:
        told.append(one)
        if isinstance(one, FaultRaised):
            part.silent = False
        if isinstance(one, TemperatureRead) and len(told) == 1:
            part.silent = True
        if isinstance(one, FaultCleared):
            seen.set()
            reader.stop()

    reader = ThermometerReader(thermometer, 0.001, post)
    worker = threading.Thread(target=reader.work)
    worker.start()
    assert seen.wait(60)
    worker.join(60)
    assert [type(one).__name__ for one in told[:3]] == [
        "TemperatureRead",
        "FaultRaised",
        "FaultCleared",
    ]
    assert bench.bus.closed


def test_the_configured_part_is_opened_and_no_other() -> None:
    assert open_thermometer(ThermometerConfig()) is None
    simulated = open_thermometer(ThermometerConfig(kind="simulated", temperature_c=37.0))
    assert isinstance(simulated, SimulatedThermometer)
    bench, _ = spot_bench()
    assert isinstance(open_thermometer(SPOT, bench.bus, **bench.time), mlx90614.Mlx90614)
    bench, _ = array_bench()
    assert isinstance(open_thermometer(ARRAY, bench.bus, **bench.time), mlx90640.Mlx90640)


@pytest.mark.parametrize("config", [SPOT, ARRAY], ids=["mlx90614", "mlx90640"])
def test_a_part_that_is_not_there_stops_the_start_and_lets_the_bus_go(config) -> None:
    bench, _ = spot_bench()
    bench.bus = FakeBus({})
    with pytest.raises(UnavailableError, match="does not answer"):
        open_thermometer(config, bench.bus, **bench.time)
    assert bench.bus.closed


def test_a_bus_that_is_not_there_is_told_with_its_fix() -> None:
    config = ThermometerConfig(kind="mlx90614", field_of_view_deg=5, bus=255)
    with pytest.raises(UnavailableError, match="no I2C bus 255") as failure:
        open_thermometer(config)
    assert failure.value.fix is not None
    assert "raspi-config" in failure.value.fix
    assert "i2c" in failure.value.fix


def test_the_emissivity_is_written_whatever_the_part_says_now() -> None:
    bench, part = spot_bench()
    part.eeprom[mlx90614.EMISSIVITY] = 0xFFFF
    bench.clock.advance(1.0)
    before, after = write_emissivity(SPOT, 0.98, bench.bus, bench.clock.advance)
    assert (before, after) == pytest.approx((1.0, 0.98), abs=1e-4)
    assert bench.bus.closed


@pytest.mark.parametrize("config", [ThermometerConfig(), ARRAY], ids=["none", "mlx90640"])
def test_no_emissivity_is_written_where_none_is_kept(config, monkeypatch) -> None:
    monkeypatch.setattr(thermometers, "open_bus", None)
    with pytest.raises(RefusedError, match="only an mlx90614"):
        write_emissivity(config, 0.98)


# --- a part that is dead when the gate starts ----------------------------------------------------


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_part_that_is_dead_at_the_start_is_a_fault_and_counts_once_it_comes() -> None:
    clock, opened, there = Clock(), [], SimulatedThermometer(36.4)
    alive = threading.Event()

    def opens() -> SimulatedThermometer:
        opened.append(clock.now)
        if not alive.is_set():
            raise UnavailableError("nobody answers at 0x5A", "check its wiring")
        return there

    told: list[Input] = []
    reader = ThermometerReader(AwaitedThermometer(opens, lambda: None, clock), 0.1, told.append)
    for _ in range(50):
        reader.round()
        clock.now += 0.1
    assert told == [FaultRaised(Part("thermometer"), "nobody answers at 0x5A")]
    assert len(opened) == 2  # not with every reading: it takes two seconds to find nobody
    alive.set()
    clock.now += 5.0
    reader.round()
    assert told[1] == FaultCleared(Part("thermometer"), "agent")
    assert isinstance(told[2], TemperatureRead)


def test_the_bus_goes_with_or_without_a_part() -> None:
    closed: list[str] = []
    part = Scripted(36.4, 36.5)
    never = AwaitedThermometer(lambda: part, lambda: closed.append("bus"), Clock())
    never.close()
    once = AwaitedThermometer(lambda: part, lambda: closed.append("bus"), Clock())
    once.read()
    once.close()
    assert closed == ["bus"]
    assert part.closed == 1


def test_a_bus_that_is_not_there_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_number: int) -> FakeBus:
        raise UnavailableError("there is no /dev/i2c-1", "raspi-config")

    monkeypatch.setattr(thermometers, "open_bus", missing)
    with pytest.raises(UnavailableError, match="no /dev/i2c-1"):
        open_or_await(SPOT)


def test_a_silent_part_stops_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thermometers, "open_bus", lambda _number: FakeBus({}))
    thermometer = open_or_await(SPOT)
    assert thermometer is not None
    thermometer.close()


def test_no_thermometer_is_none() -> None:
    assert open_or_await(ThermometerConfig()) is None
    assert isinstance(open_or_await(ThermometerConfig(kind="simulated")), SimulatedThermometer)
