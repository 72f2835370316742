"""The MLX90640's driver against a part to the byte."""

import contextlib
import errno

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from thermometer_parts import array_bench, array_driver

from agent.adapters.thermometer.i2c import transfer
from agent.adapters.thermometer.mlx90640 import (
    ADDRESS,
    CONTROL,
    EEPROM,
    NEW_DATA,
    STATUS,
    warmest_spot_c,
)
from agent.adapters.thermometer.mlx90640_calibration import read_calibration
from agent.adapters.thermometer.simulated_eeprom import typical_eeprom
from agent.errors import UnavailableError


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
