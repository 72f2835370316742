"""How near a face must be, whether it is as warm as one, and what most people had lately."""

from dataclasses import replace

import numpy as np
import pytest
from gate_parts import ANNA, LIN, REGISTRY
from thermal_parts import LIMIT, Warm, thermal

from agent.controller.effects import Record
from agent.controller.kiosk import Kiosk, Memory
from agent.controller.settings import KioskSettings
from agent.domain.access.rule import Elevated
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.skin.baseline import Baseline
from agent.domain.skin.optics import Optics
from agent.domain.skin.thermal_cue import AttackCue

NEAR = Optics(640, 480, camera_fov_deg=80.0, thermometer_fov_deg=5.0)  # 58 cm
FAR = replace(NEAR, camera_fov_deg=66.0)  # 75 cm: the spot is wider than a forehead

# --- how near ------------------------------------------------------------------------------------


def test_a_spot_larger_than_the_forehead_measures_nobody():
    gate = Warm(LIMIT, **thermal(optics={"front": FAR}))
    gate.stand(LIN, 4.0)
    assert gate.outcomes() == ["SensorFault"]
    assert gate.last()["temperature"]["unreliable"] == "spot_too_large"
    near = Warm(LIMIT, **thermal(optics={"front": NEAR}))
    near.stand(LIN, 1.5)
    assert near.outcomes() == ["granted"]


def test_without_the_cameras_field_of_view_no_distance_is_known():
    gate = Warm(LIMIT, **thermal(optics={"front": replace(NEAR, camera_fov_deg=None)}))
    gate.stand(LIN, 4.0)
    assert gate.last()["temperature"]["unreliable"] == "no_distance"


# --- the cue -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cue", "outcome", "warnings"),
    [
        (AttackCue.DENY, "PresentationAttack", ["temperature_unreliable", "thermal_cue"]),
        (AttackCue.REPORT, "SensorFault", ["temperature_unreliable", "thermal_cue"]),
        (AttackCue.OFF, "SensorFault", ["temperature_unreliable"]),
    ],
)
def test_a_print_is_no_warmer_than_the_air(cue, outcome, warnings):
    gate = Warm(LIMIT, **thermal(attack_cue=cue))
    gate.meet(LIN, 22.5, 10.0)
    assert set(gate.outcomes()) == {outcome}
    assert gate.last()["warnings"] == warnings
    assert gate.last()["thermal_score"] == 0.0


def test_a_cue_that_may_deny_is_waited_for_though_no_rule_asks():
    gate = Warm(replace(LIMIT, temperature_limit_c=None), **thermal(attack_cue=AttackCue.DENY))
    gate.meet(LIN, 22.5, 0.5)
    assert gate.outcomes() == []
    gate.stand(LIN, 1.0, step_in=False)
    assert gate.outcomes() == ["PresentationAttack"]


def test_a_hot_day_says_nothing_of_attacks():
    gate = Warm(LIMIT, **thermal(attack_cue=AttackCue.DENY))
    gate.ambient_c = 36.0
    gate.meet(LIN, 36.0)
    assert gate.outcomes() == ["granted"]
    assert gate.last()["thermal_score"] is None


def test_an_image_is_measured_where_the_face_is():
    optics = Optics(640, 480, 80.0, 55.0, 35.0, columns=32)
    gate = Warm(LIMIT, **thermal(optics={"front": optics}))
    # The face's box lies in the upper left corner, beyond the thermal image; a lamp is in it.
    gate.field = np.full((24, 32), 60.0, np.float32)
    gate.meet(LIN, 60.0, 4.0)
    assert gate.outcomes() == ["SensorFault"]
    assert gate.last()["temperature"]["samples"] == 0
    assert gate.last()["temperature"]["unreliable"] == "too_few_samples"


def test_what_is_warm_beside_the_face_is_not_the_face():
    optics = Optics(640, 480, 80.0, 110.0, 75.0, columns=32)
    gate = Warm(LIMIT, **thermal(optics={"front": optics}))
    gate.field = np.full((24, 32), 50.0, np.float32)
    gate.field[:, :16] = 36.4  # the face is on the left
    gate.meet(LIN, 50.0, 4.0)
    assert gate.last()["temperature_c"] is None  # 110 degrees measure nobody at half a metre
    wide = replace(optics, thermometer_fov_deg=80.0, thermometer_fov_v_deg=62.0, columns=64)
    gate = Warm(LIMIT, **thermal(optics={"front": wide}))
    gate.field = np.full((48, 64), 50.0, np.float32)
    gate.field[:24, :24] = 36.4
    gate.meet(LIN, 50.0)
    assert (gate.outcomes(), gate.last()["temperature_c"]) == (["granted"], 36.4)


# --- the baseline --------------------------------------------------------------------------------


def crowd(gate, temperatures):
    people = [HolderId(f"p{i}") for i, _ in enumerate(temperatures)]
    for who, celsius in zip(people, temperatures, strict=True):
        gate.meet(who, celsius)


def crowded(rule, count=25):
    holders = {HolderId(f"p{i}"): Holder(HolderId(f"p{i}"), "P", "resident") for i in range(count)}
    return Warm(rule, registry=replace(REGISTRY, holders={**REGISTRY.holders, **holders}))


def test_on_a_cold_day_whoever_is_warmer_than_the_rest_stands_out():
    gate = crowded(replace(LIMIT, baseline_delta_c=1.0))
    crowd(gate, [34.0] * 20)
    assert gate.outcomes() == ["granted"] * 20
    gate.meet(LIN, 35.2)
    assert gate.outcomes()[-1] == "ElevatedTemperature"
    assert gate.last()["temperature"]["baseline_c"] == 34.0
    assert gate.last()["temperature"]["limit_c"] == 35.0
    gate.meet(ANNA, 34.8)
    assert gate.outcomes()[-1] == "granted"


def test_one_person_who_comes_often_makes_no_baseline():
    gate = crowded(replace(LIMIT, baseline_delta_c=1.0))
    for _ in range(25):
        gate.meet(LIN, 34.0)
    assert gate.last()["temperature"]["baseline_c"] is None


def test_whoever_was_let_pass_with_a_warning_is_no_part_of_it():
    gate = crowded(replace(LIMIT, elevated=Elevated.WARN))
    crowd(gate, [38.5] * 21)
    assert gate.outcomes() == ["granted"] * 21
    assert gate.last()["temperature"]["baseline_c"] is None


def test_a_baseline_that_drifts_is_told_and_comes_back():
    gate = crowded(LIMIT, count=55)
    crowd(gate, [37.2] * 21 + [36.0] * 30)
    recorded = [one.draft.data for one in gate.log if isinstance(one, Record)]
    drifting = [data["warnings"] == ["baseline_drift"] for data in recorded]
    assert drifting[20]
    assert not drifting[-1]
    assert recorded[20]["temperature"]["baseline_c"] == 36.9
    assert recorded[-1]["temperature"]["baseline_c"] == 36.0


def test_a_baseline_outlives_the_kiosk():
    gate = crowded(replace(LIMIT, baseline_delta_c=1.0))
    crowd(gate, [34.0] * 20)
    kept = gate.kiosk.baseline.as_json()
    settings: KioskSettings = gate.settings
    gate.kiosk = Kiosk(settings, gate.registry, Memory(baseline=Baseline.from_json(kept)))
    gate.meet(LIN, 35.2)
    assert gate.outcomes()[-1] == "ElevatedTemperature"
