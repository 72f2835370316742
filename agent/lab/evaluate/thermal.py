"""How well the thermal cue tells faces from screens and prints, in a simulation and nowhere else.

The production code judges: the distance by the face's box, the median of ten samples, the cue. Only
the world before it is made up (``thermal_scenes``), and the sensors:

    spot    the mean over a circle of what each cell radiates (temperature to the fourth power,
            emissivity, and the air's reflection for the rest), aimed at the forehead with an error
            of 2 cm each way; noise 0.05 K a sample, an error of 0.2 K that stays (+-0.5 K is sold)
    array   24 x 32 pixels over 55 x 35 degrees, each the mean of nine points; noise 0.4 K an image
            (0.1 K at 1 Hz, at 16 Hz four times that), 0.2 K that stays a pixel, 0.4 K for all
            (+-1 K is sold)
    both    are set to an emissivity of 0.98 and know the air to 0.5 K

Rates are ISO/IEC 30107-3's: APCER, the share of one kind of attack that is taken for a face, and
the greatest of all kinds for a sensor; BPCER, the share of faces taken for an attack; both of those
about which the cue said something, and none where it never did. The share about which it cannot
tell (the standard's non-response) stands beside: whoever trusts the cue alone lets those pass.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.domain.skin.optics import Optics, Region, face_region, trouble, warmest_c
from agent.domain.skin.skin_temperature import SkinReading, SkinSample, SkinSettings, aggregate
from agent.domain.skin.thermal_cue import ThermalCue, array_cue, spot_cue
from agent.lab.evaluate.thermal_scenes import CELL_M, HALF_M, ThermalScene, ThermalSubject, scene

DAYS = {"temperate": (18.0, 26.0), "cold": (-5.0, 9.0), "hot": (36.0, 40.0)}
"""Air in degrees Celsius, from and to."""

SETTINGS = SkinSettings(ambient_min_c=-40.0, ambient_max_c=60.0)
"""The cue by itself: by the gate's own window a cold day would leave nothing to tell."""

SENSORS: dict[str, Optics] = {
    **{f"spot_{fov}": Optics(640, 480, 66.0, float(fov)) for fov in (5, 10, 35)},
    "array_55": Optics(640, 480, 66.0, 55.0, 35.0, columns=32),
}

THRESHOLD = 0.5
"""The default of ``attack_threshold`` under ``[thermometer]``."""

_ROWS, _COLUMNS = 24, 32
_SAMPLES, _IMAGES = 10, 8
_SET_EMISSIVITY = 0.98
_ZERO_K = 273.15
_AIM_M = 0.02
_FOCAL_PX = 320.0 / math.tan(math.radians(33.0))
_NOW_S = 100.0


def evaluate_thermal(
    people: int, seed: int, threshold: float, advance: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """The rates of each sensor on each day, for so many people and as many of each attack.

    ``advance`` is told how many of how many scenes were looked at.
    """
    chance = np.random.default_rng(seed)
    scores: dict[tuple[str, str, ThermalSubject], list[float | None]] = {}
    total = len(DAYS) * len(ThermalSubject) * people
    for done, (day, subject) in enumerate((d, s) for d in DAYS for s in ThermalSubject):
        for number in range(people):
            seen = scene(subject, chance.uniform(*DAYS[day]), chance)
            for sensor, optics in SENSORS.items():
                cue = look(seen, optics, chance)
                scores.setdefault((sensor, day, subject), []).append(cue.score)
            if advance is not None:
                advance(done * people + number + 1, total)
    return {
        "simulated": True,
        "people": people,
        "seed": seed,
        "threshold": threshold,
        "sensors": {
            sensor: {day: _rates(scores, sensor, day, threshold) for day in DAYS}
            for sensor in SENSORS
        },
    }


def table_rows(found: dict[str, Any]) -> list[tuple[str, ...]]:
    """One row a sensor and day, for people: the worst kind of attack by name."""
    rows: list[tuple[str, ...]] = []
    for sensor, days in found["sensors"].items():
        for day, rates in days.items():
            told = {kind: share for kind, share in rates["apcer_by_attack"].items() if share}
            worst = max(told, key=lambda kind: told[kind], default="")
            silent = rates["cannot_tell"][ThermalSubject.FACE]
            rows.append(
                (
                    sensor,
                    day,
                    *map(_percent, (rates["bpcer"], rates["apcer"])),
                    worst,
                    _percent(silent),
                )
            )
    return rows


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def look(seen: ThermalScene, optics: Optics, chance: np.random.Generator) -> ThermalCue:
    """What the gate makes of one scene by one sensor."""
    face = _face(seen)
    why = trouble(face.right - face.left, optics)
    if why is not None:
        return spot_cue(None)  # too far away: whatever it reads is not used
    air_c = seen.air_c + chance.normal(0.0, 0.5)
    if optics.columns is None:
        circle_m = seen.distance_m * math.tan(math.radians(optics.thermometer_fov_deg) / 2.0)
        true_c = _spot_c(seen, circle_m, chance) + chance.normal(0.0, 0.2)
        return spot_cue(_reading(true_c + chance.normal(0.0, 0.05, _SAMPLES), air_c))
    image = _image(seen, optics) + chance.normal(0.0, 0.2, (_ROWS, _COLUMNS))
    image += chance.normal(0.0, 0.4)
    noise = chance.normal(0.0, 0.4, (_IMAGES, _ROWS, _COLUMNS))
    images = (image + noise).astype(np.float32)
    region = face_region(face, optics, images[0])
    if region is None:
        return array_cue(None, images[0], None)
    # Ten samples of eight images: enough for a median, and quicker.
    warm_c = np.resize([warmest_c(one, region) for one in images], _SAMPLES)
    mean = np.asarray(images.mean(axis=0), np.float32)
    return array_cue(_reading(warm_c, air_c), mean, region)


def _face(seen: ThermalScene) -> Region:
    """The face in the camera's picture, where the face is in its middle."""
    width_px = round(_FOCAL_PX * seen.face_width_m / seen.distance_m)
    height_px = round(width_px * 1.2)
    return Region.spanning(320 - width_px // 2, 240 - height_px // 2, width_px, height_px)


def _reading(temperatures: NDArray[np.float64], air_c: float) -> SkinReading:
    given = [
        SkinSample(_NOW_S - 0.1 * i, float(celsius), air_c)
        for i, celsius in enumerate(temperatures)
    ]
    return aggregate(given, replace(SETTINGS, spread_max_c=1.0), _NOW_S)


def _radiance(seen: ThermalScene) -> NDArray[np.float64]:
    """What each cell sends to the sensor, its own and the air's that it reflects, in K^4."""
    air = (seen.air_c + _ZERO_K) ** 4
    own = seen.emissivity * (seen.temperature_c + _ZERO_K) ** 4
    return np.asarray(own + (1.0 - seen.emissivity) * air)


def _celsius(radiance: NDArray[np.float64] | float, air_c: float) -> NDArray[np.float64]:
    """What a sensor makes of it that is set to the emissivity of skin."""
    air = (air_c + _ZERO_K) ** 4
    own = (np.asarray(radiance) - (1.0 - _SET_EMISSIVITY) * air) / _SET_EMISSIVITY
    return np.asarray(np.maximum(own, 0.0) ** 0.25 - _ZERO_K)


def _spot_c(seen: ThermalScene, radius_m: float, chance: np.random.Generator) -> float:
    steps = np.arange(-HALF_M, HALF_M, CELL_M)
    right, up = np.meshgrid(steps, -steps)
    at_x, at_y = chance.normal(0.0, _AIM_M, 2)
    inside = np.hypot(right - at_x, up - seen.forehead_m - at_y) <= max(radius_m, CELL_M)
    return float(_celsius(float(_radiance(seen)[inside].mean()), seen.air_c))


def _image(seen: ThermalScene, optics: Optics) -> NDArray[np.float64]:
    across = seen.distance_m * math.tan(math.radians(optics.thermometer_fov_deg) / 2.0)
    down = seen.distance_m * math.tan(math.radians(optics.thermometer_fov_v_deg or 0.0) / 2.0)
    x = (np.arange(3 * _COLUMNS) + 0.5) / (3 * _COLUMNS) * 2.0 * across - across
    y = (np.arange(3 * _ROWS) + 0.5) / (3 * _ROWS) * 2.0 * down - down
    size = seen.temperature_c.shape[0]
    columns = np.clip(((x + HALF_M) / CELL_M).astype(int), 0, size - 1)
    rows = np.clip(((y + HALF_M) / CELL_M).astype(int), 0, size - 1)
    fine = _radiance(seen)[np.ix_(rows, columns)]
    mean = fine.reshape(_ROWS, 3, _COLUMNS, 3).mean(axis=(1, 3))
    return _celsius(mean, seen.air_c)


def _rates(
    scores: dict[tuple[str, str, ThermalSubject], list[float | None]],
    sensor: str,
    day: str,
    threshold: float,
) -> dict[str, Any]:
    def found(subject: ThermalSubject) -> list[float | None]:
        return scores[sensor, day, subject]

    def taken_for_a_face(subject: ThermalSubject) -> float | None:
        told = [score for score in found(subject) if score is not None]
        return sum(score >= threshold for score in told) / len(told) if told else None

    faces = taken_for_a_face(ThermalSubject.FACE)
    apcer = {
        one.value: taken_for_a_face(one) for one in ThermalSubject if one is not ThermalSubject.FACE
    }
    worst = max((share for share in apcer.values() if share is not None), default=None)
    return {
        "bpcer": None if faces is None else round(1.0 - faces, 4),
        "apcer": _rounded(worst),
        "apcer_by_attack": {kind: _rounded(share) for kind, share in apcer.items()},
        "cannot_tell": {
            one.value: round(found(one).count(None) / len(found(one)), 4) for one in ThermalSubject
        },
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
