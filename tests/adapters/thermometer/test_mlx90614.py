"""The MLX90614's driver against a part to the byte."""

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smbus2 import i2c_msg
from thermometer_parts import spot_bench, spot_driver

from agent.adapters.thermometer.mlx90614 import (
    ADDRESS,
    AMBIENT,
    EMISSIVITY,
    OBJECT,
    emissivity_word,
)
from agent.adapters.thermometer.pec import pec
from agent.adapters.thermometer.simulated_i2c import Transfer
from agent.errors import UnavailableError

# Computed by hand for the page of facts about the parts; the same polynomial as the datasheet's.
PEC_VECTORS = [
    ([0xB4, 0x07, 0xB5, 0xD2, 0x3A], 0x30),
    ([0xB4, 0x07, 0xB5, 0x7A, 0x3C], 0x92),
    ([0xB4, 0x07, 0xB5, 0xAC, 0x3C], 0x56),
    ([0xB4, 0x22, 0x07, 0xC8], 0x48),
    ([0xB4, 0x24, 0x00, 0x00], 0x28),
    ([0xB4, 0xFF], 0xE8),
]


@pytest.mark.parametrize(("message", "code"), PEC_VECTORS)
def test_the_check_byte_of_known_messages(message: list[int], code: int) -> None:
    assert pec(bytes(message)) == code


@given(st.binary(min_size=1, max_size=8), st.data())
def test_one_flipped_bit_always_changes_the_check_byte(message: bytes, data) -> None:
    bit = data.draw(st.integers(0, len(message) * 8 - 1))
    flipped = bytearray(message)
    flipped[bit // 8] ^= 1 << bit % 8
    assert pec(bytes(flipped)) != pec(message)


@pytest.mark.parametrize(
    ("celsius", "word"), [(28.01, 0x3AD2), (36.5, 0x3C7A), (37.5, 0x3CAC)], ids=str
)
def test_the_words_of_known_temperatures(celsius: float, word: int) -> None:
    bench, _ = spot_bench(celsius, noise_c=0.0)
    driver = spot_driver(bench)
    bench.bus.transfers.clear()
    assert driver.read().temperature_c == pytest.approx(celsius, abs=0.011)
    heard = bench.bus.transfers[-1].data
    assert abs((heard[0] | heard[1] << 8) - word) <= 1


def test_a_read_is_a_register_then_three_bytes_after_a_repeated_start() -> None:
    bench, _ = spot_bench()
    driver = spot_driver(bench)
    bench.bus.transfers.clear()
    driver.read()
    asked = [(one.address, one.reads, len(one.data)) for one in bench.bus.transfers]
    assert asked == [(ADDRESS, False, 1), (ADDRESS, True, 3)] * 2
    assert [one.data for one in bench.bus.transfers if not one.reads] == [
        bytes([AMBIENT]),
        bytes([OBJECT]),
    ]


@given(st.floats(-30.0, 100.0), st.floats(-30.0, 80.0))
def test_any_temperature_comes_through(object_c: float, ambient_c: float) -> None:
    bench, _ = spot_bench(object_c, ambient_c, noise_c=0.0)
    reading = spot_driver(bench).read()
    assert reading.temperature_c == pytest.approx(object_c, abs=0.011)
    assert reading.ambient_c == pytest.approx(ambient_c, abs=0.011)


@given(st.integers(0, 23))
def test_any_single_flipped_bit_is_refused_and_tried_again(bit: int) -> None:
    bench, part = spot_bench(36.5, noise_c=0.0)
    driver = spot_driver(bench)
    part.pec_flips = [0, 1 << bit]
    assert driver.read().temperature_c == pytest.approx(36.5, abs=0.011)
    assert driver.pec_failures == 1


def test_one_that_never_passes_its_check_is_a_fault_with_its_fix() -> None:
    bench, part = spot_bench()
    driver = spot_driver(bench)
    part.pec_wrong = True
    bench.bus.transfers.clear()
    with pytest.raises(UnavailableError, match="PEC") as failure:
        driver.read()
    assert failure.value.fix is not None
    assert "check_pec" in failure.value.fix
    assert driver.pec_failures == 3
    assert len(bench.bus.transfers) == 6
    part.pec_wrong = False
    driver.read()


def test_without_the_check_failures_are_counted_and_taken() -> None:
    bench, part = spot_bench(36.5, noise_c=0.0)
    driver = spot_driver(bench, check_pec=False)
    part.pec_wrong = True
    assert driver.read().temperature_c == pytest.approx(36.5, abs=0.011)
    assert driver.pec_failures == 2


@pytest.mark.parametrize("number", [errno.EREMOTEIO, errno.ENXIO, errno.ETIMEDOUT, errno.EPERM])
def test_whatever_the_kernel_says_twice_is_tried_again_and_then_a_fault(number: int) -> None:
    bench, _ = spot_bench()
    driver = spot_driver(bench)
    bench.bus.failures.extend([number, number])
    driver.read()
    bench.bus.failures.extend([number] * 3)
    with pytest.raises(UnavailableError, match="0x5A") as failure:
        driver.read()
    assert failure.value.fix
    driver.read()


def test_a_bus_that_hangs_is_told_from_a_part_that_is_silent() -> None:
    bench, part = spot_bench()
    driver = spot_driver(bench)
    bench.bus.hangs = True
    with pytest.raises(UnavailableError, match="hangs"):
        driver.read()
    bench.bus.hangs, part.silent = False, True
    with pytest.raises(UnavailableError, match="does not answer"):
        driver.read()


def test_a_slow_starter_is_waited_for() -> None:
    bench, _ = spot_bench(starts_after_s=1.5)
    spot_driver(bench).read()
    assert bench.clock.now().monotonic_s == pytest.approx(1001.5, abs=0.1)


def test_one_that_never_starts_is_waited_for_two_seconds() -> None:
    bench, _ = spot_bench(starts_after_s=60.0)
    with pytest.raises(UnavailableError, match="does not answer"):
        spot_driver(bench)
    assert bench.clock.now().monotonic_s == pytest.approx(1002.0, abs=0.1)


def test_an_error_bit_is_a_fault() -> None:
    bench, part = spot_bench()
    driver = spot_driver(bench)
    part.failed = True
    with pytest.raises(UnavailableError, match="failed"):
        driver.read()


@pytest.mark.parametrize(
    ("object_c", "ambient_c", "what"), [(200.0, 22.0, "object"), (36.0, 100.0, "ambient")]
)
def test_what_cannot_be_is_a_fault(object_c: float, ambient_c: float, what: str) -> None:
    bench, part = spot_bench()
    driver = spot_driver(bench)
    part.object_c, part.ambient_c = object_c, ambient_c
    with pytest.raises(UnavailableError, match=what):
        driver.read()


def test_one_that_says_the_same_for_ever_is_stuck_until_it_moves() -> None:
    bench, part = spot_bench()
    driver = spot_driver(bench)
    part.stuck = True
    for _ in range(63):
        driver.read()
        bench.clock.advance(0.25)
    with pytest.raises(UnavailableError, match="stuck"):
        driver.read()
    part.stuck = False
    driver.read()


def test_the_same_words_asked_for_in_haste_are_no_proof() -> None:
    bench, part = spot_bench()
    driver = spot_driver(bench)
    part.stuck = True
    for _ in range(200):
        driver.read()
        bench.clock.advance(0.04)


def test_noise_of_a_living_part_is_never_stuck() -> None:
    bench, _ = spot_bench(noise_c=0.02)
    driver = spot_driver(bench)
    for _ in range(500):
        driver.read()
        bench.clock.advance(0.25)


@given(st.floats(0.5, 1.0), st.floats(0.9, 1.0), st.floats(20.0, 45.0), st.floats(0.0, 40.0))
def test_a_part_that_reckons_with_another_emissivity_is_corrected(
    parts: float, configs: float, object_c: float, ambient_c: float
) -> None:
    bench, part = spot_bench(object_c, ambient_c, noise_c=0.0)
    part.eeprom[EMISSIVITY] = emissivity_word(parts)
    part.surface_emissivity = configs
    part.power_up()
    driver = spot_driver(bench, emissivity=configs)
    assert driver.read().temperature_c == pytest.approx(object_c, abs=0.05)
    assert driver.part_emissivity == pytest.approx(parts, abs=1e-4)


def test_a_new_part_uncorrected_would_read_too_low() -> None:
    bench, part = spot_bench(36.5, 20.0, noise_c=0.0)
    part.eeprom[EMISSIVITY] = 0xFFFF
    part.power_up()
    assert spot_driver(bench, emissivity=1.0).read().temperature_c == pytest.approx(36.2, abs=0.05)
    assert spot_driver(bench, emissivity=0.98).read().temperature_c == pytest.approx(36.5, abs=0.02)


def test_an_emissivity_that_cannot_be_stops_the_start() -> None:
    bench, part = spot_bench()
    part.eeprom[EMISSIVITY] = 0
    with pytest.raises(UnavailableError, match=r"emissivity of 0\.0") as failure:
        spot_driver(bench)
    assert failure.value.fix


def test_the_emissivity_is_erased_then_written_and_counts_from_the_next_start() -> None:
    bench, part = spot_bench(36.5, noise_c=0.0)
    part.eeprom[EMISSIVITY] = 0xFFFF
    part.power_up()
    driver = spot_driver(bench, emissivity=1.0)
    bench.bus.transfers.clear()
    driver.set_emissivity(0.98)
    assert part.writes == [(EMISSIVITY, 0), (EMISSIVITY, 0xFAE0)]
    sent = [one.data for one in bench.bus.transfers if not one.reads and len(one.data) == 4]
    assert sent == [bytes([0x24, 0, 0, 0x28]), bytes([0x24, 0xE0, 0xFA, pec(b"\xb4\x24\xe0\xfa")])]
    assert driver.emissivity() == pytest.approx(0.98, abs=1e-4)
    too_low = driver.read().temperature_c
    part.power_up()
    bench.clock.advance(1.0)
    assert too_low < 36.3 < driver.read().temperature_c


def test_an_eeprom_that_keeps_nothing_is_told() -> None:
    bench, part = spot_bench()
    driver = spot_driver(bench)
    part.eeprom = dict.fromkeys(part.eeprom, 0) | {EMISSIVITY: emissivity_word(0.98)}
    kept = type("Kept", (dict,), {"__setitem__": lambda *_: None})(part.eeprom)
    part.eeprom = kept
    with pytest.raises(UnavailableError, match="does not keep"):
        driver.set_emissivity(0.95)


def test_a_word_without_its_check_byte_is_not_taken_by_the_part() -> None:
    bench, part = spot_bench()
    bench.clock.advance(1.0)
    with pytest.raises(OSError, match="Remote I/O"):
        bench.bus.i2c_rdwr(i2c_msg.write(ADDRESS, [0x24, 0, 0, 0x29]))
    assert part.writes == []
    assert bench.bus.transfers[-1] == Transfer(ADDRESS, False, b"\x24\x00\x00\x29", failed=True)
