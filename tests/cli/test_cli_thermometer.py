"""The thermometer's commands, on simulated parts."""

import re
from pathlib import Path

import pytest
from gate_command import Gate
from places import ROOT

from agent.adapters.thermometer.mlx90614 import EMISSIVITY
from agent.adapters.thermometer.simulated_i2c import FakeBus
from agent.adapters.thermometer.simulated_mlx90614 import SimulatedMlx90614
from agent.adapters.thermometer.simulated_mlx90640 import SimulatedMlx90640
from agent.app.open import thermometers

EXAMPLE = ROOT / "config" / "gate.example.toml"


@pytest.fixture
def config(tmp_path: Path):
    """The example's config with another [thermometer]."""

    def config(table: str) -> Path:
        text = EXAMPLE.read_text()
        assert text.count('kind = "none"                 # none | simulated') == 1
        path = tmp_path / "gate.toml"
        path.write_text(text.replace('kind = "none"                 # none | simulated', table, 1))
        return path

    return config


@pytest.fixture
def spot(monkeypatch: pytest.MonkeyPatch) -> SimulatedMlx90614:
    part = SimulatedMlx90614(36.4, 21.0, starts_after_s=0.0, noise_c=0.0)
    monkeypatch.setattr(thermometers, "open_bus", lambda _number: FakeBus({0x5A: part}))
    return part


@pytest.mark.usefixtures("spot")
def test_a_spot_is_read(gate: Gate, config) -> None:
    path = config('kind = "mlx90614"\nfield_of_view_deg = 5\n#')
    assert gate("thermometer", "read", "--config", path, "--json").json == {
        "kind": "mlx90614",
        "temperature_c": pytest.approx(36.4, abs=0.011),
        "ambient_c": pytest.approx(21.0, abs=0.011),
        "part_emissivity": 0.98,
        "pec_failures": 0,
        "warmest_at": None,
        "farthest_m": 0.69,
    }
    shown = gate("thermometer", "read", "--config", path)
    assert [line.split("  ")[0] for line in shown.out.splitlines()] == [
        *("kind", "temperature", "ambient", "emissivity of the part", "wrong check bytes"),
        "farthest",
    ]
    assert re.search(r"temperature +36\.\d\d C\n", shown.out)
    assert re.search(r"farthest +0\.69 m\n", shown.out)


def test_an_array_is_read(gate: Gate, config, monkeypatch: pytest.MonkeyPatch) -> None:
    part = SimulatedMlx90640(36.4, starts_after_s=0.0)
    part.scene_c[2:6, 4:8] = 45.0  # on the camera's right
    monkeypatch.setattr(thermometers, "open_bus", lambda _number: FakeBus({0x33: part}))
    path = config('kind = "mlx90640"\nfield_of_view_deg = 55\nrefresh_hz = 32\n#')
    found = gate("thermometer", "read", "--config", path, "--json").json
    assert found["temperature_c"] == pytest.approx(45.0, abs=0.5)
    assert found["warmest_at"] == [pytest.approx(0.81, abs=0.07), pytest.approx(0.17, abs=0.07)]
    assert (found["pec_failures"], found["farthest_m"]) == (None, 0.61)
    shown = gate("thermometer", "read", "--config", path).out
    assert re.search(r"warmest +\d\d% from the left, \d\d% from the top\n", shown)
    assert "check bytes" not in shown


def test_a_new_part_is_read_right_and_can_be_set(
    gate: Gate, config, spot: SimulatedMlx90614
) -> None:
    spot.eeprom[EMISSIVITY] = 0xFFFF
    spot.power_up()
    path = config('kind = "mlx90614"\nfield_of_view_deg = 10\n#')
    before = gate("thermometer", "read", "--config", path, "--json")
    assert before.json["part_emissivity"] == 1.0
    assert before.json["temperature_c"] == pytest.approx(36.4, abs=0.03)
    assert "emissivity" in before.err
    written = gate("thermometer", "set-emissivity", "0.98", "--config", path, "--json")
    assert written.json == {"before": 1.0, "emissivity": 0.98}
    spot.power_up()
    after = gate("thermometer", "read", "--config", path, "--json")
    assert after.json["part_emissivity"] == 0.98
    assert after.json["temperature_c"] == pytest.approx(36.4, abs=0.03)
    assert after.err == ""


def test_nothing_is_read_or_set_where_there_is_none(gate: Gate) -> None:
    for words in (("read",), ("set-emissivity", "0.98")):
        refused = gate("thermometer", *words, "--config", EXAMPLE, "--json")
        assert refused.code == 1
        assert "[thermometer]" in refused.json["error"] + str(refused.json["fix"])


@pytest.mark.parametrize("emissivity", ["0", "1.01", "nan", "hot"])
def test_an_emissivity_that_is_none_is_wrong_usage(gate: Gate, emissivity: str) -> None:
    assert gate("thermometer", "set-emissivity", emissivity, "--config", EXAMPLE).code == 2


@pytest.mark.parametrize(
    "table",
    [
        'kind = "mlx90614"\n#',
        'kind = "mlx90614"\nfield_of_view_deg = 55\n#',
        'kind = "mlx90640"\nfield_of_view_deg = 5\n#',
    ],
)
def test_a_field_of_view_of_another_part_is_told(gate: Gate, config, table: str) -> None:
    answer = gate("config", "check", "--config", config(table))
    assert answer.code == 78
    assert "field_of_view_deg" in answer.err
