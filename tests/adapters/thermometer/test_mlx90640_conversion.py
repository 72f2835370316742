"""The MLX90640's conversion: the worked example of its datasheet (rev 12, 11.2.2)."""

from typing import Any

import numpy as np
import pytest
from thermometer_parts import DATASHEET_RAM, datasheet_eeprom

from agent.adapters.thermometer.mlx90640_calibration import read_calibration
from agent.adapters.thermometer.mlx90640_image import (
    background4,
    basic_temperature,
    conditions,
    cp_signal,
    pixel_signals,
    sensitivity,
    temperatures,
)

PIXEL = (11, 15)  # the datasheet's (12, 16) counts from 1


@pytest.fixture(scope="module")
def example() -> Any:
    return read_calibration(datasheet_eeprom())


@pytest.fixture(scope="module")
def ram() -> Any:
    words = np.zeros(832, dtype=np.uint16)
    for at, word in DATASHEET_RAM.items():
        words[at - 0x0400] = word
    return words.astype(np.int16)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("k_vdd", -3168),
        ("vdd_25", -13056),
        ("kv_ptat", 0.005371094),
        ("kt_ptat", 42.25),
        ("v_ptat_25", 12273),
        ("alpha_ptat", 9.0),
        ("gain", 6383),
        ("tgc", 1.0),
        ("ks_ta", -0.001953125),
        ("resolution", 2),
        ("chess", True),
        ("cp_offset", (-75.0, -77.0)),
        ("cp_alpha", (4.07453626394272e-9, 3.85171006200835e-9)),
        ("cp_kta", 0.00457763671875),
        ("cp_kv", 0.5),
        ("corners_c", (-40, 0, 160, 320)),
        ("ks_to", (-0.00080108642578125,) * 4),
    ],
)
def test_the_parameters_of_the_worked_example(example, name: str, value: object) -> None:
    assert getattr(example, name) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "value"),
    [("offset", -75.0), ("alpha", 1.26223312690854e-7), ("kta", 0.005126953125), ("kv", 0.5)],
)
def test_the_pixel_of_the_worked_example(example, name: str, value: float) -> None:
    assert getattr(example, name)[PIXEL] == pytest.approx(value, rel=1e-9)


def test_the_measurement_of_the_worked_example(example, ram) -> None:
    at = conditions(ram, example, resolution=2)
    assert at.vdd_v == pytest.approx(3.319, abs=0.001)
    assert at.ta_c == pytest.approx(39.184, abs=0.001)
    assert at.gain == pytest.approx(1.01753546947234)
    assert pixel_signals(ram, example, at, chess=True)[PIXEL] == pytest.approx(700.882495690866)
    blind = cp_signal(ram, example, at, 0, chess=True)
    assert blind == pytest.approx(25.66665750599561)
    assert sensitivity(example, 39.184, 0)[PIXEL] == pytest.approx(1.1876487360496e-7)
    assert background4(39.184, 31.0, 1.0) == pytest.approx(9516495632.56)


def test_the_object_of_the_worked_example_has_80_degrees(example) -> None:
    signal, alpha, beside4 = np.array(679.250909123826), np.array(1.1876487360496e-7), 9516495632.56
    first = basic_temperature(signal, alpha, beside4, example.ks_to[1])
    assert float(first) == pytest.approx(80.36331, abs=1e-5)
    # The datasheet's second step, by the range that the first one names.
    assert float(temperatures(signal, alpha, beside4, example)) == pytest.approx(80.4278, abs=1e-4)


def test_the_other_reading_pattern_is_corrected_for(example, ram) -> None:
    at = conditions(ram, example, resolution=2)
    assert pixel_signals(ram, example, at, chess=False)[PIXEL] == pytest.approx(704.0074956908)
    assert cp_signal(ram, example, at, 1, chess=False) == pytest.approx(24.437722295626)


def test_each_number_of_the_four_ranges_has_its_place() -> None:
    words = datasheet_eeprom()
    words[61], words[62] = 0x0201, 0x0403
    slopes = read_calibration(words).ks_to
    assert [slope * 2**17 for slope in slopes] == [1, 2, 3, 4]


def test_what_differs_by_odd_and_even_has_its_place() -> None:
    words = datasheet_eeprom()
    words[52], words[54], words[55] = 0x1234, 0x0102, 0x0304
    found = read_calibration(words)
    scale = 2.0 ** (words[56] >> 8 & 0xF)
    # The maker counts from 1: odd row and odd column is the first pixel.
    assert (found.kv[:2, :2] * scale).tolist() == [[1, 3], [2, 4]]
    bare = found.kta[:2, :2] - read_calibration([*words[:54], 0, 0, *words[56:]]).kta[:2, :2]
    assert (bare * 2.0 ** (8 + (words[56] >> 4 & 0xF))).tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize("emissivity", [0.5, 0.9, 1.0])
def test_what_a_grey_body_reflects_is_taken_off(example, emissivity: float) -> None:
    """A grey body shines with its own share and reflects the rest of the room."""
    object_k, room_k, own_k = 309.0, 285.0, 298.0
    shines = emissivity * object_k**4 + (1.0 - emissivity) * room_k**4
    beside4 = background4(own_k - 273.15, room_k - 273.15, emissivity)
    assert (shines - own_k**4) / emissivity + beside4 == pytest.approx(object_k**4)
