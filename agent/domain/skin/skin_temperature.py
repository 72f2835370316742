"""One person's skin temperature out of many samples: what is left when the odd ones are gone.

    samples of this presentation -> those near the median -> their median -> corrected for the air
                                    |                        or a word why it is not to be relied on
                                    nearer than 3.5 scaled median absolute deviations

Half of the samples may be wrong before a median is; the mean of ten is wrong with the first. It is
an elevated skin reading that may come of it, and never a diagnosis: sun, wind, exercise and make-up
move a forehead by more than an illness does (IEC 80601-2-59 asks for 18 to 24 C air without a
draught, and for the inner corner of the eye; no gate outdoors has either).

Emissivity is the part's own affair: human skin has 0.98 (+-0.01), a part that says 1.0 reads some
0.2 K too low in a room, and its driver refuses to start so.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

MAD_TO_SIGMA = 1.4826
"""A median absolute deviation times this is a standard deviation, where noise is Gaussian."""

_LEAST_SIGMA_C = 0.05
"""Parts count in steps of 0.02 K; samples that are all alike would reject the first that is not."""

_MOST_REJECTED = 1 / 3


class Unreliable(StrEnum):
    """Why a reading is not to be relied on; the value is the word in events."""

    SPOT_TOO_LARGE = "spot_too_large"
    NO_DISTANCE = "no_distance"
    TOO_FEW_SAMPLES = "too_few_samples"
    STALE = "stale"
    AMBIENT = "ambient"
    SCATTERED = "scattered"
    NOT_SKIN = "not_skin"
    COLD = "cold"


MEASURED = frozenset({None, Unreliable.NOT_SKIN, Unreliable.COLD})
"""What is nevertheless a measurement of what stands there: it may be no skin, or in the cold."""

MAY_MEND = frozenset({*Unreliable} - {Unreliable.AMBIENT})
"""What more samples of the same face, or one step nearer, may mend."""


@dataclass(frozen=True, slots=True)
class SkinSample:
    """One sample of the place where the face is, degrees Celsius, on the monotonic clock."""

    measured_s: float
    temperature_c: float
    ambient_c: float | None = None


@dataclass(frozen=True, slots=True)
class SkinSettings:
    """When samples make a reading.

    ``ambient_offset_c_per_c`` is added to the reading for each degree by which the air is colder
    than ``ambient_reference_c``; 0 corrects nothing, and so it is unless somebody measured it at
    this very gate. The window of ambient temperatures is where the part still measures well, in
    degrees Celsius; guidance for screening is 18 to 24. ``spread_max_c`` is a standard deviation.
    ``skin_min_c`` to ``skin_max_c`` is what living skin can have: a part measures from -70 to 380,
    and a cup, a flame or a wall in the sun are there too.
    """

    samples_min: int = 10
    outlier_sigmas: float = 3.5
    ambient_offset_c_per_c: float = 0.0
    ambient_reference_c: float = 23.0
    ambient_min_c: float = 10.0
    ambient_max_c: float = 40.0
    spread_max_c: float = 0.5
    skin_min_c: float = 28.0
    skin_max_c: float = 43.0
    max_age_s: float = 2.0


@dataclass(frozen=True, slots=True)
class SkinReading:
    """What the samples of one presentation say; no diagnosis.

    ``temperature_c`` is None where no sample counted. ``measured_s`` is the newest sample's time,
    ``first_s`` the oldest's. ``unreliable`` says why it is not to be relied on. ``baseline_c`` is
    what most people had at this gate lately, None while too few passed.
    """

    temperature_c: float | None
    measured_s: float = -math.inf
    first_s: float = -math.inf
    samples: int = 0
    rejected: int = 0
    spread_c: float | None = None
    ambient_c: float | None = None
    baseline_c: float | None = None
    drifting: bool = False
    unreliable: Unreliable | None = None


def aggregate(
    samples: Iterable[SkinSample],
    settings: SkinSettings,
    now_s: float,
    trouble: Unreliable | None = None,
) -> SkinReading:
    """The reading that ``samples`` make, in whatever order they come.

    They must be one person's: the caller chooses them by the presentation's times. ``trouble`` is
    what makes it unreliable whatever the samples say: a spot that is larger than the forehead.
    """
    given = list({sample.measured_s: sample for sample in _in_order(samples)}.values())
    finite = [sample for sample in given if math.isfinite(sample.temperature_c)]
    if not finite:
        return SkinReading(None, unreliable=trouble or Unreliable.TOO_FEW_SAMPLES)
    middle_c = median(sample.temperature_c for sample in finite)
    off_c = median(abs(sample.temperature_c - middle_c) for sample in finite)
    spread_c = MAD_TO_SIGMA * off_c
    reach_c = settings.outlier_sigmas * max(spread_c, _LEAST_SIGMA_C)
    kept = [one for one in finite if abs(one.temperature_c - middle_c) <= reach_c]
    ambients = [one.ambient_c for one in kept if one.ambient_c is not None]
    ambient_c = median(ambients) if ambients else None
    newest_s = max(sample.measured_s for sample in kept)
    rejected = len(given) - len(kept)
    measured_c = median(one.temperature_c for one in kept)
    skin_c = measured_c + _correction_c(ambient_c, settings)
    return SkinReading(
        temperature_c=skin_c,
        measured_s=newest_s,
        first_s=min(sample.measured_s for sample in kept),
        samples=len(kept),
        rejected=rejected,
        spread_c=spread_c,
        ambient_c=ambient_c,
        unreliable=trouble
        or _too_few(len(kept), settings)
        or (None if 0.0 <= now_s - newest_s <= settings.max_age_s else Unreliable.STALE)
        or _ambient(ambient_c, settings)
        or _scattered(spread_c, rejected / len(given), settings)
        or _no_skin(skin_c, settings),
    )


def _in_order(samples: Iterable[SkinSample]) -> list[SkinSample]:
    # Two values of one moment are one sample; which of them must not hang on their order.
    return sorted(samples, key=lambda one: (one.measured_s, _sortable(one.temperature_c)))


def _sortable(value: float) -> float:
    return -math.inf if math.isnan(value) else value


def _correction_c(ambient_c: float | None, settings: SkinSettings) -> float:
    if ambient_c is None or not math.isfinite(ambient_c):
        return 0.0
    return settings.ambient_offset_c_per_c * (settings.ambient_reference_c - ambient_c)


def _too_few(count: int, settings: SkinSettings) -> Unreliable | None:
    return Unreliable.TOO_FEW_SAMPLES if count < settings.samples_min else None


def _ambient(ambient_c: float | None, settings: SkinSettings) -> Unreliable | None:
    # What is not known, or no number, lies in no window.
    known = ambient_c is not None
    within = known and settings.ambient_min_c <= (ambient_c or 0.0) <= settings.ambient_max_c
    return None if within else Unreliable.AMBIENT


def _no_skin(skin_c: float, settings: SkinSettings) -> Unreliable | None:
    if skin_c < settings.skin_min_c:
        return Unreliable.COLD
    return None if skin_c <= settings.skin_max_c else Unreliable.NOT_SKIN


def _scattered(spread_c: float, rejected: float, settings: SkinSettings) -> Unreliable | None:
    much = spread_c > settings.spread_max_c or rejected > _MOST_REJECTED
    return Unreliable.SCATTERED if much else None
