"""The computer's own temperature, as Linux tells it in files."""

from pathlib import Path

import pytest

from agent.adapters.soc import soc_temperatures_c


def zone(folder: Path, number: int, kind: str | bytes, temp: str | None) -> None:
    place = folder / f"thermal_zone{number}"
    place.mkdir()
    (place / "type").write_bytes(kind if isinstance(kind, bytes) else f"{kind}\n".encode())
    if temp is not None:
        (place / "temp").write_text(temp)


def test_a_pi_has_one_sensor(tmp_path: Path) -> None:
    zone(tmp_path, 0, "cpu-thermal", "51121\n")
    assert soc_temperatures_c(tmp_path) == {"cpu-thermal": 51.121}


def test_of_several_with_one_name_the_warmest_counts(tmp_path: Path) -> None:
    zone(tmp_path, 0, "acpitz", "27800\n")
    zone(tmp_path, 1, "acpitz", "29800\n")
    zone(tmp_path, 2, "acpitz", "-5000\n")
    assert soc_temperatures_c(tmp_path) == {"acpitz": 29.8}


@pytest.mark.parametrize("temp", [None, "", "warm", "-274000", "999999999", "5e4"])
def test_a_sensor_that_says_no_temperature_is_left_out(tmp_path: Path, temp: str | None) -> None:
    zone(tmp_path, 0, "gpu", temp)
    zone(tmp_path, 1, "cpu-thermal", "40000")
    assert soc_temperatures_c(tmp_path) == {"cpu-thermal": 40.0}


def test_a_name_of_any_bytes_is_text(tmp_path: Path) -> None:
    zone(tmp_path, 0, b"\xff\xfe", "40000")
    assert list(soc_temperatures_c(tmp_path).values()) == [40.0]


def test_where_linux_tells_none_there_is_none(tmp_path: Path) -> None:
    assert soc_temperatures_c(tmp_path / "nowhere") == {}
