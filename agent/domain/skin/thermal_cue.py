"""Whether what stands there is as warm as a face: a cue against screens and prints, no more.

    spot     near the skin temperature of such a day, and above the air
    array    also: warm all over the place where the face is, warmer than what is beside and above
             it, not much larger than a face, and not as even as a sheet

The score is the least of these, 0 for an attack to 1 for a face; None where it cannot tell, so that
nobody is refused for a hot day. It is no presentation attack detection of its own: a phone that was
in use, or a print that a hand has warmed, may be as warm as skin; ``gate-agent evaluate thermal``
says how often in a simulation. Thresholds here are drawn from that simulation, not from people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from agent.domain.skin.optics import Field, Region
from agent.domain.skin.skin_temperature import MEASURED, SkinReading

_SKIN_C = 36.2
_FLAT_FROM_C = 14.0
_COLD_C_PER_C = 0.2
_APART_C = 2.0
_LEAST_PIXELS = 3


class AttackCue(StrEnum):
    """What follows from a low score; the value is the word in config."""

    OFF = "off"
    REPORT = "report"
    DENY = "deny"


class CueReason(StrEnum):
    """What the score rests on; the value is the word in reports."""

    SKIN_LIKE = "skin_like"
    TOO_COLD = "too_cold"
    TOO_HOT = "too_hot"
    LIKE_SURROUND = "like_surround"
    NOT_WARM_ALL_OVER = "not_warm_all_over"
    WRONG_SIZE = "wrong_size"
    UNIFORM = "uniform"
    HOT_DAY = "hot_day"
    UNRELIABLE = "unreliable"


@dataclass(frozen=True, slots=True)
class ThermalCue:
    """1 is a living face, 0 an attack, None where it cannot tell."""

    score: float | None
    reason: CueReason


def expected_skin_c(ambient_c: float) -> float:
    """A forehead's usual temperature in air of ``ambient_c``, degrees Celsius.

    36.2 +-0.3 over 14 to 32 C (published averages); colder air takes some 0.2 K a degree, which is
    our assumption.
    """
    return _SKIN_C - _COLD_C_PER_C * max(_FLAT_FROM_C - ambient_c, 0.0)


def spot_cue(reading: SkinReading | None) -> ThermalCue:
    """What a single spot says."""
    if reading is None or reading.unreliable not in MEASURED:
        return ThermalCue(None, CueReason.UNRELIABLE)
    skin_c, ambient_c = reading.temperature_c, reading.ambient_c
    if skin_c is None or ambient_c is None or not -100.0 < ambient_c < 200.0:
        return ThermalCue(None, CueReason.UNRELIABLE)
    usual_c = expected_skin_c(ambient_c)
    if ambient_c > usual_c - _APART_C:
        return ThermalCue(None, CueReason.HOT_DAY)
    return _least(
        {
            CueReason.TOO_COLD: _ramp(skin_c, usual_c - 4.5, usual_c - 2.5),
            CueReason.LIKE_SURROUND: _ramp(skin_c - ambient_c, 0.5, 2.5),
            CueReason.TOO_HOT: 1.0 - _ramp(skin_c, 40.0, 42.0),
        }
    )


def array_cue(reading: SkinReading | None, field: Field, region: Region | None) -> ThermalCue:
    """What a thermal image says of the face at ``region``; ``field`` may be the mean of several."""
    spot = spot_cue(reading)
    small = region is None or min(region.of(field).shape) < _LEAST_PIXELS
    if spot.score is None or reading is None or region is None or small:
        return spot if spot.score is None else ThermalCue(None, CueReason.UNRELIABLE)
    usual_c = expected_skin_c(reading.ambient_c or 0.0)
    skin = np.isfinite(field) & (field >= usual_c - 5.5) & (field <= 41.0)
    inner = _plausible(region.of(field))
    beside = _plausible(_beside(field, region))
    height, width = region.of(field).shape
    blob = int(_connected(skin, region)[: region.bottom].sum())
    scores = {
        spot.reason: spot.score,
        CueReason.NOT_WARM_ALL_OVER: _ramp(float(skin[region.part].mean()), 0.4, 0.7),
        CueReason.WRONG_SIZE: 1.0 - _ramp(blob / (height * width), 2.0, 3.0),
        CueReason.UNIFORM: _ramp(float(np.std(inner)) if inner.size else 0.0, 0.25, 0.5),
    }
    if beside.size and inner.size:
        above_c = float(np.median(inner) - np.median(beside))
        scores[CueReason.LIKE_SURROUND] = _ramp(above_c, 0.5, 2.5)
    return _least(scores)


def _least(scores: Mapping[CueReason, float]) -> ThermalCue:
    reason = min(scores, key=lambda one: scores[one])
    return ThermalCue(scores[reason], reason if scores[reason] < 1.0 else CueReason.SKIN_LIKE)


def _ramp(value: float, none: float, full: float) -> float:
    # What is no number is no word for a living face.
    return min(max((value - none) / (full - none), 0.0), 1.0) if np.isfinite(value) else 0.0


def _beside(field: Field, region: Region) -> NDArray[np.float32]:
    """The pixels to both sides of the region and above it; below is a neck, as warm as a face."""
    height, width = region.of(field).shape
    top = max(region.top - height // 2, 0)
    left, right = max(region.left - width // 2, 0), region.right + width // 2
    near = np.zeros(field.shape, bool)
    near[top : region.bottom, left:right] = True
    # One pixel of a margin: the edge of a face is in it.
    margin = (
        slice(max(region.top - 1, 0), region.bottom),
        slice(max(region.left - 1, 0), region.right + 1),
    )
    near[margin] = False
    return field[near]


def _plausible(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return pixels[np.isfinite(pixels) & (np.abs(pixels) < 500.0)]


def _connected(skin: NDArray[np.bool_], region: Region) -> NDArray[np.bool_]:
    """What of ``skin`` hangs together with that in the region."""
    grown = np.zeros_like(skin)
    grown[region.part] = skin[region.part]
    while True:
        wider = grown.copy()
        wider[1:] |= grown[:-1]
        wider[:-1] |= grown[1:]
        wider[:, 1:] |= grown[:, :-1]
        wider[:, :-1] |= grown[:, 1:]
        wider &= skin
        if (wider == grown).all():
            return grown
        grown = wider
