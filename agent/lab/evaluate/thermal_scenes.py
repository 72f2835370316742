"""What a simulated thermometer looks at: faces, screens and prints as maps of temperature.

Everything lies in one plane before the sensor, a map of 6 mm cells, and each cell has a temperature
and an emissivity. What is assumed, not measured:

    forehead    normal about the usual one of such air (0.4 K, in frost up to 1 K); one in twenty
                comes from the sun or from running (+1 to 3 K), in the cold one in five from the
                wind (-1 to -4 K)
    face        an ellipse of 15 x 20 cm (+-5 %); nose 1 to 4 K colder, cheeks 0.5 to 1.5; a neck
                below as warm as the face, a chest as clothes are; skin has an emissivity of 0.98
    hair, hat   over the forehead's upper part, half way between skin and air; a hat comes down
                further, in the cold for every second head
    phone       7 x 15 cm of glass (0.92), 6 to 16 K warmer than the air, warmer where its chip is
    print       21 x 30 cm of paper (0.94) as warm as the air
    warm_hands  such a print, 1 to 5 K warmer below and at the sides, where it is held
    heated      such a print, heated to 33 to 37 C, uneven by half a degree
    worn        such a print cut out and worn before a face: 2 to 6 K colder than the skin behind it
                and at skin temperature where the eyes are
    distance    30 to 70 cm, of an attack as its face looks
    behind      an attack is held before somebody's chest: clothes, a third of the way from air to
                skin; the hand that holds it is at 30 to 34 C
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from agent.domain.skin.thermal_cue import expected_skin_c

CELL_M = 0.006
HALF_M = 0.45
_SKIN, _GLASS, _PAPER, _CLOTH = 0.98, 0.92, 0.94, 0.95

Grid = NDArray[np.float64]


class ThermalSubject(StrEnum):
    """What stands there; all but ``FACE`` are attacks."""

    FACE = "face"
    PHONE = "phone"
    PRINT = "print"
    WARM_HANDS = "print_warm_hands"
    HEATED = "print_heated"
    WORN = "print_worn"


@dataclass(frozen=True, slots=True, eq=False)
class ThermalScene:
    """A plane at ``distance_m``; a face of ``face_width_m`` is seen at its middle.

    ``forehead_m`` is how far above the middle the forehead is.
    """

    temperature_c: Grid
    emissivity: Grid
    distance_m: float
    face_width_m: float
    forehead_m: float
    air_c: float


def scene(subject: ThermalSubject, air_c: float, chance: np.random.Generator) -> ThermalScene:
    """One subject in air of this temperature."""
    if subject in (ThermalSubject.FACE, ThermalSubject.WORN):
        return _head(air_c, chance, worn=subject is ThermalSubject.WORN)
    return _held(subject, air_c, chance)


def _axes() -> tuple[Grid, Grid]:
    """Right and up from the middle of the face, in metres."""
    steps = np.arange(-HALF_M, HALF_M, CELL_M)
    right, up = np.meshgrid(steps, -steps)
    return right, up


def _head(air_c: float, chance: np.random.Generator, *, worn: bool) -> ThermalScene:
    right, up = _axes()
    width_m = 0.15 * chance.normal(1.0, 0.05)
    height_m = width_m * 4.0 / 3.0
    skin_c = _skin_c(air_c, chance)
    cloth_c = air_c + (skin_c - air_c) / 3.0
    temperature = np.full(right.shape, air_c + chance.normal(0.0, 0.5))
    emissivity = np.full(right.shape, _CLOTH)
    chest = (up < -0.75 * height_m) & (np.abs(right) < 0.22)
    neck = (up < -0.4 * height_m) & (up > -0.8 * height_m) & (np.abs(right) < 0.3 * width_m)
    face = (right / (width_m / 2.0)) ** 2 + (up / (height_m / 2.0)) ** 2 < 1.0
    temperature[chest] = cloth_c
    temperature[neck] = temperature[face] = skin_c
    cheeks = face & (up < 0.0)
    temperature[cheeks] -= chance.uniform(0.5, 1.5)
    nose = face & (np.abs(right) < 0.02) & (np.abs(up + 0.02) < 0.03)
    temperature[nose] = skin_c - chance.uniform(1.0, 4.0)
    emissivity[face | neck] = _SKIN
    if worn:
        eyes = face & (np.abs(np.abs(right) - 0.032) < 0.012) & (np.abs(up - 0.015) < 0.008)
        paper = face & ~eyes
        temperature[paper] = skin_c - chance.uniform(2.0, 6.0)
        emissivity[paper] = _PAPER
    # From the hairline up; a fringe or a hat takes some of the forehead.
    hat = chance.random() < (0.5 if air_c < 10.0 else 0.1)
    line = height_m * (chance.uniform(0.28, 0.36) if hat else chance.uniform(0.36, 0.44))
    around = (right / (0.6 * width_m)) ** 2 + (up / (0.62 * height_m)) ** 2 < 1.0
    hair = around & ((up > line) | ~face) & (up > -0.2 * height_m)
    temperature[hair] = (skin_c + air_c) / 2.0
    emissivity[hair] = _CLOTH
    return ThermalScene(
        temperature, emissivity, chance.uniform(0.3, 0.7), width_m, 0.24 * height_m, air_c
    )


def _skin_c(air_c: float, chance: np.random.Generator) -> float:
    skin_c = chance.normal(expected_skin_c(air_c), 0.4 + 0.04 * max(14.0 - air_c, 0.0))
    if chance.random() < 0.05:
        skin_c += chance.uniform(1.0, 3.0)
    elif air_c < 14.0 and chance.random() < 0.2:
        skin_c -= chance.uniform(1.0, 4.0)
    return float(skin_c)


def _held(subject: ThermalSubject, air_c: float, chance: np.random.Generator) -> ThermalScene:
    right, up = _axes()
    body_c = air_c + (expected_skin_c(air_c) - air_c) / 3.0
    temperature = np.full(right.shape, air_c + chance.normal(0.0, 0.5))
    emissivity = np.full(right.shape, _CLOTH)
    temperature[(np.abs(right) < 0.25) & (up < chance.uniform(0.0, 0.3))] = body_c
    if subject is ThermalSubject.PHONE:
        wide_m, high_m, face_m, glass = 0.07, 0.15, chance.uniform(0.055, 0.065), _GLASS
    else:
        wide_m, high_m, face_m, glass = 0.21, 0.30, chance.uniform(0.13, 0.16), _PAPER
    sheet = (np.abs(right) < wide_m / 2.0) & (np.abs(up) < high_m / 2.0)
    temperature[sheet] = _sheet_c(subject, air_c, right, up, chance)[sheet]
    emissivity[sheet] = glass
    hand = (np.abs(right) < wide_m / 2.0 + 0.02) & (up < -high_m / 2.0 + 0.02)
    hand &= up > -high_m / 2.0 - 0.06
    temperature[hand] = chance.uniform(30.0, 34.0)
    emissivity[hand] = _SKIN
    # As near as makes the face in it as large as one that is 30 to 70 cm away.
    away_m = chance.uniform(0.3, 0.7) * face_m / 0.15
    return ThermalScene(temperature, emissivity, away_m, face_m, 0.3 * face_m, air_c)


def _sheet_c(
    subject: ThermalSubject, air_c: float, right: Grid, up: Grid, chance: np.random.Generator
) -> Grid:
    flat = np.zeros(right.shape)
    match subject:
        case ThermalSubject.PHONE:
            chip = np.exp(-(right**2 + (up - 0.05) ** 2) / 0.03**2)
            return flat + air_c + chance.uniform(6.0, 16.0) + chance.uniform(0.0, 1.0) * chip
        case ThermalSubject.WARM_HANDS:
            held = np.clip(np.hypot(right / 0.105, np.minimum(up, 0.0) / 0.15), 0.0, 1.0)
            return flat + air_c + chance.uniform(1.0, 5.0) * held
        case ThermalSubject.HEATED:
            uneven = 0.5 * np.sin(right / 0.05 + chance.uniform(0, 6)) * np.cos(up / 0.07)
            return flat + chance.uniform(33.0, 37.0) + uneven
        case _:
            return flat + air_c
