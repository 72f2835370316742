"""The MLX90640's driver: the datasheet's worked example, and a part to the byte."""

import contextlib
import errno
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from thermometer_parts import DATASHEET_RAM, array_bench, array_driver, datasheet_eeprom

from agent.adapters.i2c import transfer
from agent.adapters.mlx90640 import ADDRESS, CONTROL, EEPROM, NEW_DATA, STATUS, warmest_spot_c
from agent.adapters.mlx90640_calibration import read_calibration
from agent.adapters.mlx90640_image import (
    background4,
    basic_temperature,
    conditions,
    cp_signal,
    pixel_signals,
    sensitivity,
    temperatures,
)
from agent.adapters.simulators.mlx90640_eeprom import typical_eeprom
from agent.errors import UnavailableError

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


@pytest.mark.parametrize("resolution", [1, 3])
def test_a_part_that_was_calibrated_at_another_resolution(resolution: int) -> None:
    words = typical_eeprom()
    words[56] = words[56] & ~0x3000 | resolution << 12
    bench, _ = array_bench(36.0, eeprom=words, noise_c=0.0)
    field = array_driver(bench).read().field
    assert field is not None
    assert np.abs(field - 36.0).max() < 0.1


@given(
    arrays(np.float64, (24, 32), elements=st.floats(20.0, 45.0)),
    st.floats(13.0, 48.0),
    st.integers(1, 5),
)
@settings(max_examples=30)
def test_any_scene_comes_through(scene, ta_c: float, seed: int) -> None:
    bench, _ = array_bench(scene, ta_c, eeprom=typical_eeprom(seed), noise_c=0.0)
    reading = array_driver(bench).read()
    assert reading.field is not None
    assert reading.field.shape == (24, 32)
    assert reading.field.dtype == np.float32
    assert np.abs(reading.field - scene).max() < 0.1
    assert reading.ambient_c == pytest.approx(ta_c - 8.0, abs=0.02)


@pytest.mark.parametrize(
    "scene_c", [-20.0, 0.5, 159.0, 161.0, 250.0], ids=lambda celsius: f"{celsius} C"
)
def test_other_ranges_come_through_as_well(scene_c: float) -> None:
    bench, _ = array_bench(scene_c, noise_c=0.0)
    field = array_driver(bench).read().field
    assert field is not None
    assert np.abs(field - scene_c).max() < 0.5


@pytest.mark.parametrize("emissivity", [0.95, 1.0])
def test_another_emissivity_on_both_sides_comes_through(emissivity: float) -> None:
    bench, part = array_bench(36.0, noise_c=0.0)
    part.surface_emissivity = emissivity
    reading = array_driver(bench, emissivity=emissivity).read()
    assert reading.temperature_c == pytest.approx(36.0, abs=0.12)


def test_the_warmest_spot_is_where_the_forehead_is() -> None:
    scene = np.full((24, 32), 22.0)
    scene[5:9, 12:18] = 36.4
    bench, _ = array_bench(scene)
    assert array_driver(bench).read().temperature_c == pytest.approx(36.4, abs=0.3)


def test_a_cigarette_is_no_spot() -> None:
    scene = np.full((24, 32), 22.0)
    scene[5:9, 12:18] = 36.4
    scene[20, 3] = 280.0
    bench, _ = array_bench(scene)
    assert array_driver(bench).read().temperature_c == pytest.approx(36.4, abs=0.3)


@given(st.integers(0, 767), st.integers(0, 0xFFFF))
@settings(max_examples=60)
def test_a_spoilt_word_of_one_pixel_moves_the_spot_by_noise_only(pixel: int, word: int) -> None:
    scene = np.full((24, 32), 22.0)
    scene[5:9, 12:18] = 36.4
    bench, part = array_bench(scene, noise_c=0.0)
    part.spoilt = {pixel: word}
    assert array_driver(bench).read().temperature_c == pytest.approx(36.4, abs=0.15)


def test_the_spot_ignores_a_pixel_and_no_more() -> None:
    image = np.full((24, 32), 20.0)
    image[3, 3:7] = 90.0
    assert warmest_spot_c(image) == 20.0
    image[2:5, 3:5] = 36.0
    assert warmest_spot_c(image) == 36.0


def test_bad_pixels_are_their_neighbours_median() -> None:
    scene = np.full((24, 32), 30.0)
    eeprom = typical_eeprom(broken=(0, 400), outliers=(767, 33))
    bench, part = array_bench(scene, eeprom=eeprom, noise_c=0.0)
    part.spoilt = {0: 0x7FFF, 400: 0x7FFF, 767: 0x7000, 33: 0x7000}
    driver = array_driver(bench)
    assert driver.calibration.deviating == ((0, 0), (1, 1), (12, 16), (23, 31))
    field = driver.read().field
    assert field is not None
    assert np.abs(field - 30.0).max() < 0.12


@pytest.mark.parametrize(
    ("eeprom", "said"),
    [
        ([0xFFFF] * 832, "0xFFFF"),
        ([0] * 832, "0x0000"),
        (typical_eeprom(outliers=(1, 5, 9, 13, 17)), "5 bad pixels"),
        ([*typical_eeprom()[:48], 0, *typical_eeprom()[49:]], "no calibration"),
        ([*typical_eeprom()[:51], 0, *typical_eeprom()[52:]], "no calibration"),
        ([*typical_eeprom()[:63], 0, *typical_eeprom()[64:]], "no calibration"),
        (list(range(832)), "no calibration|bad pixels"),
    ],
    ids=range(7),
)
def test_an_eeprom_that_is_no_parts_is_refused_at_the_start(eeprom: list[int], said: str) -> None:
    bench, _ = array_bench(eeprom=eeprom)
    with pytest.raises(UnavailableError, match=said) as failure:
        array_driver(bench)
    assert failure.value.fix


@given(st.lists(st.integers(0, 0xFFFF), min_size=832, max_size=832))
@settings(max_examples=50)
def test_no_eeprom_makes_the_driver_stumble(eeprom: list[int]) -> None:
    with contextlib.suppress(UnavailableError):
        read_calibration(eeprom)


@given(st.dictionaries(st.integers(768, 831), st.integers(0, 0xFFFF), max_size=10))
@settings(max_examples=60)
def test_no_auxiliary_word_makes_the_driver_stumble(spoilt: dict[int, int]) -> None:
    bench, part = array_bench()
    driver = array_driver(bench)
    part.spoilt = spoilt
    with contextlib.suppress(UnavailableError):
        assert np.isfinite(driver.read().temperature_c)


def test_an_eeprom_that_reads_differently_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, part = array_bench()
    bench.clock.advance(1.0)
    reads: list[int] = []
    honest = part.read

    def read(count: int) -> bytes:
        reads.append(count)
        answer = bytearray(honest(count))
        if reads.count(2 * 832) == 2 and count == 2 * 832:
            answer[200] ^= 4
        return bytes(answer)

    monkeypatch.setattr(part, "read", read)
    with pytest.raises(UnavailableError, match="differently"):
        array_driver(bench)


def test_the_start_reads_the_eeprom_twice_and_sets_chess_and_rate() -> None:
    bench, part = array_bench()
    array_driver(bench, refresh_hz=8.0)
    asked = [one.data for one in bench.bus.transfers if not one.reads and not one.failed]
    assert asked.count(EEPROM.to_bytes(2, "big")) == 2
    assert CONTROL.to_bytes(2, "big") + b"\x1a\x01" in asked
    assert part.refresh_hz == 8.0


def test_an_image_is_measured_after_it_was_asked_for() -> None:
    bench, part = array_bench(20.0, noise_c=0.0)
    driver = array_driver(bench)
    driver.read()
    bench.clock.advance(30.0)
    # What it measured meanwhile lies there, marked as new, when the scene changes.
    assert transfer(bench.bus, ADDRESS, STATUS.to_bytes(2, "big"), 2)[1] & NEW_DATA
    part.scene_c[:] = 40.0
    field = driver.read().field
    assert field is not None
    assert field.min() > 39.8
    clears = [one.data for one in bench.bus.transfers if one.data[:2] == STATUS.to_bytes(2, "big")]
    assert b"\x80\x00\x00\x30" in clears


def test_one_that_lost_its_supply_is_set_up_anew() -> None:
    bench, part = array_bench()
    driver = array_driver(bench, refresh_hz=16.0)
    part.power_up()
    assert part.refresh_hz == 2.0
    bench.clock.advance(1.0)
    driver.read()
    assert part.refresh_hz == 16.0


def test_no_new_data_is_waited_for_two_periods() -> None:
    bench, part = array_bench()
    driver = array_driver(bench)
    driver.read()
    part.frozen = True
    before_s = bench.clock.now().monotonic_s
    with pytest.raises(UnavailableError, match="no new data"):
        driver.read()
    assert bench.clock.now().monotonic_s - before_s == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("there", [0, 1])
def test_a_subpage_that_never_comes_is_named(there: int) -> None:
    bench, part = array_bench()
    driver = array_driver(bench)
    part.only_subpage = there
    with pytest.raises(UnavailableError, match=f"subpage {1 - there} never comes"):
        driver.read()
    part.only_subpage = None
    driver.read()


def test_one_that_measures_nothing_new_is_stuck_until_it_does() -> None:
    bench, part = array_bench()
    driver = array_driver(bench)
    driver.read()
    part.stuck = True
    for _ in range(3):
        driver.read()
    with pytest.raises(UnavailableError, match="stuck"):
        driver.read()
    part.stuck = False
    driver.read()


def test_a_bus_that_is_too_slow_for_the_rate_is_told_with_both_ways_out() -> None:
    bench, _ = array_bench()
    bench.bus.pace = bench.clock.advance
    array_driver(bench, refresh_hz=4.0).read()
    with pytest.raises(UnavailableError, match="faster than it can be read") as failure:
        array_driver(bench, refresh_hz=8.0).read()
    assert failure.value.fix is not None
    assert "refresh_hz" in failure.value.fix
    assert "400000" in failure.value.fix
    bench.bus.clock_hz = 400_000.0
    array_driver(bench, refresh_hz=16.0).read()


@pytest.mark.parametrize("vdd_v", [2.5, 5.0])
def test_a_wrong_supply_is_told(vdd_v: float) -> None:
    bench, part = array_bench()
    driver = array_driver(bench)
    part.vdd_v = vdd_v
    with pytest.raises(UnavailableError, match=r"supply|no valid"):
        driver.read()


@pytest.mark.parametrize("number", [errno.EREMOTEIO, errno.ETIMEDOUT, errno.EPERM])
def test_whatever_the_kernel_says_is_a_fault_with_its_fix(number: int) -> None:
    bench, _ = array_bench()
    driver = array_driver(bench)
    bench.bus.failures.extend([0, 0, number])
    with pytest.raises(UnavailableError, match="0x33") as failure:
        driver.read()
    assert failure.value.fix
    driver.read()


def test_the_address_is_the_configs() -> None:
    bench, part = array_bench()
    bench.bus.parts = {0x34: part}
    with pytest.raises(UnavailableError, match="0x33"):
        array_driver(bench)
    array_driver(bench, address=0x34).read()
    assert {one.address for one in bench.bus.transfers if not one.failed} == {0x34}
    assert ADDRESS == 0x33


@pytest.mark.parametrize(
    ("turned", "corner"),
    [
        ({}, (0, 0)),
        ({"mirrored": True}, (0, 31)),
        ({"upside_down": True}, (23, 31)),
        ({"mirrored": True, "upside_down": True}, (23, 0)),
    ],
    ids=["as it is", "mirrored", "upside down", "both"],
)
def test_the_image_is_turned_to_the_cameras(turned, corner: tuple[int, int]) -> None:
    scene = np.full((24, 32), 22.0)
    scene[0, 0] = 40.0
    bench, _ = array_bench(scene)
    field = array_driver(bench, **turned).read().field
    assert field is not None
    assert int(np.argmax(field)) == corner[0] * 32 + corner[1]
