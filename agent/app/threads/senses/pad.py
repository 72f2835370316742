"""Attack detection as one camera's thread asks it: a model that fails is a fault, and no face."""

import math

from agent.app.threads.fault_line import FaultLine
from agent.domain.foreign.boundary import read_or
from agent.domain.sight.image import DetectedFace, Image
from agent.errors import GateAgentError
from agent.vision.pad.score import PadScorer


class WatchedPad:
    """Implements ``PadScorer`` by another, and tells where that gives no number.

    Then the face is no living one: nobody is granted by it.
    """

    def __init__(self, scorer: PadScorer, fault: FaultLine) -> None:
        self._scorer = scorer
        self._fault = fault

    def score(self, image: Image, face: DetectedFace) -> float | None:
        """As the other says; NaN where it fails."""
        failed: float | None = math.nan
        found = read_or("pad", failed, lambda: self._scorer.score(image, face), GateAgentError)
        if found is not None and math.isnan(found):
            self._fault.failed("attack detection gives no number: no face is granted anything")
        else:
            self._fault.works()
        return found
