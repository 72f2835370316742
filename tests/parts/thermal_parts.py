"""A gate with a thermometer, and people of given temperatures before it."""

from dataclasses import replace
from typing import Any

import numpy as np
from gate_parts import Gate
from numpy.typing import NDArray

from agent.controller.inputs import Observed, TemperatureRead
from agent.controller.thermal import ThermalSettings
from agent.domain.access.indication import Outcome
from agent.domain.access.rule import Elevated, Rule
from agent.domain.skin.reading import TemperatureReading

LIMIT = Rule(frozenset({"resident"}), temperature_limit_c=37.3)
AGAIN = replace(LIMIT, elevated=Elevated.SECOND_READING, second_reading_after_s=3.0)
ASKED = (Outcome.WAITING, ("temperature",))


class Warm(Gate):
    """A gate with a thermometer: one sample with each frame, of whoever stands there."""

    skin_c: float | None = 36.5
    ambient_c: float | None = 22.0
    field: NDArray[np.float32] | None = None

    def tell(self, happened):
        effects = super().tell(happened)
        if isinstance(happened, Observed) and self.skin_c is not None:
            effects += self.sample(self.skin_c)
        return effects

    def sample(self, celsius, measured_s=None):
        now_s = self.clock.now().monotonic_s if measured_s is None else measured_s
        reading = TemperatureReading(now_s, celsius, self.ambient_c, self.field)
        return super().tell(TemperatureRead(reading))

    def meet(self, who, skin_c, seconds=1.6, **more):
        """Somebody of this temperature comes and stays; long after the one before."""
        self.clock.advance(30.0)
        self.skin_c = skin_c
        self.stand(who, seconds, **more)


def thermal(**changes: Any) -> dict[str, Any]:
    return {"thermal": replace(ThermalSettings(), **changes)}
