"""The simulation of the thermal cue: its physics, its rates, and that it says what it is."""

import numpy as np
import pytest

from agent.domain.skin.optics import Optics
from agent.domain.skin.thermal_cue import CueReason, ThermalCue
from agent.lab.evaluate import thermal as module
from agent.lab.evaluate.thermal import (
    DAYS,
    SENSORS,
    THRESHOLD,
    evaluate_thermal,
    look,
    table_rows,
)
from agent.lab.evaluate.thermal_scenes import ThermalScene, ThermalSubject, scene

PEOPLE = 12


@pytest.fixture(scope="module")
def found():
    return evaluate_thermal(PEOPLE, 1, THRESHOLD)


def plane(celsius, emissivity=0.98, air_c=22.0, distance_m=0.4):
    shape = (150, 150)
    return ThermalScene(
        np.full(shape, celsius), np.full(shape, emissivity), distance_m, 0.15, 0.048, air_c
    )


def test_it_says_that_it_is_a_simulation_and_of_what(found):
    assert found["simulated"] is True
    assert (found["people"], found["seed"], found["threshold"]) == (PEOPLE, 1, THRESHOLD)
    assert set(found["sensors"]) == {"spot_5", "spot_10", "spot_35", "array_55"}
    for days in found["sensors"].values():
        assert set(days) == set(DAYS)
        for rates in days.values():
            assert set(rates) == {"bpcer", "apcer", "apcer_by_attack", "cannot_tell"}
            assert set(rates["apcer_by_attack"]) == {s.value for s in ThermalSubject} - {"face"}
            assert set(rates["cannot_tell"]) == {s.value for s in ThermalSubject}
            told = [share for share in rates["apcer_by_attack"].values() if share is not None]
            assert rates["apcer"] == max(told, default=None)
            shares = [rates["bpcer"], *told, *rates["cannot_tell"].values()]
            assert all(share is None or 0.0 <= share <= 1.0 for share in shares)


def test_the_same_seed_gives_the_same_figures(found):
    assert evaluate_thermal(PEOPLE, 1, THRESHOLD) == found
    assert evaluate_thermal(PEOPLE, 2, THRESHOLD) != found


def test_a_hot_day_and_a_spot_of_35_degrees_tell_nothing(found):
    for sensor in SENSORS:
        assert set(found["sensors"][sensor]["hot"]["cannot_tell"].values()) == {1.0}
    for day in DAYS:
        assert set(found["sensors"]["spot_35"][day]["cannot_tell"].values()) == {1.0}
        assert found["sensors"]["spot_35"][day]["apcer"] is None


def test_a_cold_print_is_told_and_a_heated_one_is_what_a_spot_cannot_tell(found):
    spot = found["sensors"]["spot_5"]["temperate"]["apcer_by_attack"]
    assert spot["print"] == 0.0
    assert spot["print_heated"] > 0.5
    array = found["sensors"]["array_55"]["temperate"]["apcer_by_attack"]
    assert array["print_heated"] < spot["print_heated"]


def test_a_cue_that_takes_all_for_faces_is_found_out(monkeypatch):
    always = ThermalCue(1.0, CueReason.SKIN_LIKE)
    monkeypatch.setattr(module, "spot_cue", lambda _reading: always)
    monkeypatch.setattr(module, "array_cue", lambda *_: always)
    rates = evaluate_thermal(2, 1, THRESHOLD)["sensors"]["spot_5"]["temperate"]
    assert (rates["bpcer"], rates["apcer"]) == (0.0, 1.0)


def test_a_cue_that_takes_none_for_a_face_is_found_out(monkeypatch):
    never = ThermalCue(0.0, CueReason.TOO_COLD)
    monkeypatch.setattr(module, "spot_cue", lambda _reading: never)
    rates = evaluate_thermal(2, 1, THRESHOLD)["sensors"]["spot_5"]["temperate"]
    assert (rates["bpcer"], rates["apcer"]) == (1.0, 0.0)


def test_progress_is_told_to_its_end():
    told: list[tuple[int, int]] = []
    evaluate_thermal(1, 1, THRESHOLD, lambda done, total: told.append((done, total)))
    assert told[-1] == (len(told), len(told))


def test_rows_for_people_name_the_worst_attack(found):
    rows = table_rows(found)
    assert len(rows) == len(SENSORS) * len(DAYS)
    assert ("spot_5", "hot", "-", "-", "", "100.0%") in rows


# --- the physics ---------------------------------------------------------------------------------


def spot_c(seen, radius_m=0.02, seed=1):
    return module._spot_c(seen, radius_m, np.random.default_rng(seed))


def test_skin_all_over_the_spot_is_read_as_it_is():
    assert spot_c(plane(36.0)) == pytest.approx(36.0, abs=0.01)


def test_glass_reflects_the_air():
    colder = spot_c(plane(36.0, emissivity=0.92, air_c=22.0))
    warmer = spot_c(plane(36.0, emissivity=0.92, air_c=45.0))
    assert colder < 35.5
    assert warmer > 36.2


def test_a_larger_spot_mixes_in_what_is_around():
    chance = np.random.default_rng(4)
    seen = scene(ThermalSubject.FACE, 5.0, chance)
    small, large = spot_c(seen, 0.02), spot_c(seen, 0.25)
    assert large < small - 3.0


def test_a_pixel_is_the_mean_of_its_points():
    optics = SENSORS["array_55"]
    seen = plane(20.0)
    seen.temperature_c[:, 75:] = 40.0
    image = module._image(seen, optics)
    assert image.shape == (24, 32)
    assert image[:, 0] == pytest.approx(20.0, abs=0.1)
    assert image[:, -1] == pytest.approx(40.0, abs=0.5)
    assert (np.diff(image, axis=1) > -0.1).all()


@pytest.mark.parametrize("sensor", ["spot_5", "array_55"])
def test_a_sheet_as_warm_as_the_air_is_an_attack(sensor):
    cue = look(plane(22.0), SENSORS[sensor], np.random.default_rng(1))
    assert cue.score == 0.0


def test_whoever_is_too_far_away_is_not_judged():
    far = plane(22.0, distance_m=2.0)
    for optics in SENSORS.values():
        assert look(far, optics, np.random.default_rng(1)).score is None


def test_a_face_near_an_array_is_a_face():
    chance = np.random.default_rng(5)
    optics: Optics = SENSORS["array_55"]
    scores = [
        look(scene(ThermalSubject.FACE, 22.0, chance), optics, chance).score for _ in range(30)
    ]
    told = [score for score in scores if score is not None]
    assert len(told) > 10
    assert sum(score >= THRESHOLD for score in told) >= 0.9 * len(told)
