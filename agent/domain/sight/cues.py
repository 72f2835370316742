"""What stands beside attack detection's models: signs of a picture that no model was trained on.

    liveness    depth and motion of the face over the track's frames   ``domain.sight.liveness``
    screen      a device's border, its grid's beat                     ``vision.pad.screen``
    infrared    a face in the infrared camera beside this one          ``vision.pad.infrared``

Each is 0 (a picture) to 1 (a living face), None where it cannot be told or nothing looked. None of
them was measured on people and attacks in number, so none denies unless the config says so.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agent.domain.sight.pad import over_frames


@dataclass(frozen=True, slots=True)
class Cues:
    """Of one frame, or of a track."""

    liveness: float | None = None
    screen: float | None = None
    infrared: float | None = None


UNSEEN = Cues()
"""Where nothing looked."""


def together(found: Sequence[Cues]) -> Cues:
    """Those of a track by those of its frames, the newest last.

    Liveness is of all frames so far, so the newest word counts; the others are averaged as
    ``pad_score`` is. What is no number is a picture.
    """
    lively = [one.liveness for one in found if one.liveness is not None]
    newest = lively[-1] if lively else None
    return Cues(
        0.0 if newest is not None and math.isnan(newest) else newest,
        over_frames(one.screen for one in found if one.screen is not None),
        over_frames(one.infrared for one in found if one.infrared is not None),
    )
