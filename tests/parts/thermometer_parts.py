"""Drivers of thermometers on simulated parts, for the tests of both."""

from dataclasses import dataclass
from typing import Any

from agent.adapters.manual_clock import ManualClock
from agent.adapters.thermometer import mlx90614, mlx90640
from agent.adapters.thermometer.mlx90614 import Mlx90614, Mlx90614Settings
from agent.adapters.thermometer.mlx90640 import Mlx90640, Mlx90640Settings
from agent.adapters.thermometer.simulated_i2c import FakeBus
from agent.adapters.thermometer.simulated_mlx90614 import SimulatedMlx90614
from agent.adapters.thermometer.simulated_mlx90640 import SimulatedMlx90640

# The header of the EEPROM in the worked example of the MLX90640's datasheet (rev 12, 11.2.2), from
# 0x2410, and the word of its pixel (12, 16), which here all pixels have.
DATASHEET_HEADER = """
4210 FFBB 0202 F202 F2F2 E2E2 D1E1 B1D1 F10F F00F E0EF E0EF E1E1 F3F2 F404 E504
79A6 2F44 FFDD 2210 3333 2233 EF01 9ACC EEDC 10FF 2221 3333 2333 0112 EEFF BBDD
18EF 2FF1 5952 9D68 5454 0994 6956 5354 2363 E446 FBB5 044B F020 9797 9797 2889
"""
DATASHEET_PIXEL = 0x08A0
DATASHEET_RAM = {
    0x056F: 0x0261,  # pixel (12, 16)
    0x0700: 0x4BF2,  # Vbe
    0x0708: 0xFFCA,  # compensation pixel, subpage 0
    0x070A: 0x1881,  # gain
    0x0720: 0x06AF,  # PTAT
    0x0728: 0xFFC8,  # compensation pixel, subpage 1
    0x072A: 0xCCC5,  # supply
}


def datasheet_eeprom() -> list[int]:
    header = [int(word, 16) for word in DATASHEET_HEADER.split()]
    return [0] * 16 + header + [DATASHEET_PIXEL] * 768


@dataclass
class Bench:
    """A clock, a bus, and how a driver is made on it."""

    clock: ManualClock
    bus: FakeBus

    @property
    def time(self) -> dict[str, Any]:
        """The clock as drivers take it."""
        return {"now_s": lambda: self.clock.now().monotonic_s, "sleep": self.clock.advance}


def spot_bench(*args, **more) -> tuple[Bench, SimulatedMlx90614]:
    clock = ManualClock()
    part = SimulatedMlx90614(*args, now_s=lambda: clock.now().monotonic_s, **more)
    return Bench(clock, FakeBus({mlx90614.ADDRESS: part})), part


def spot_driver(bench: Bench, **settings) -> Mlx90614:
    return Mlx90614(bench.bus, Mlx90614Settings(**settings), **bench.time)


def array_bench(*args, **more) -> tuple[Bench, SimulatedMlx90640]:
    clock = ManualClock()
    part = SimulatedMlx90640(*args, now_s=lambda: clock.now().monotonic_s, **more)
    return Bench(clock, FakeBus({mlx90640.ADDRESS: part})), part


def array_driver(bench: Bench, **settings) -> Mlx90640:
    """In the part's own order of pixels, unless told otherwise."""
    settings = {"mirrored": False, **settings}
    return Mlx90640(bench.bus, Mlx90640Settings(**settings), **bench.time)
