"""One sample of the thermometer."""

from dataclasses import dataclass
from dataclasses import field as dataclass_field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TemperatureReading:
    """One sample of the thermometer, in degrees Celsius; no diagnosis.

    ``field`` is the whole thermal image of an array sensor (rows x columns, float32), where there
    is one; ``temperature_c`` is then its warmest spot.
    """

    measured_s: float
    temperature_c: float
    ambient_c: float | None = None
    field: NDArray[np.float32] | None = dataclass_field(default=None, repr=False, compare=False)
