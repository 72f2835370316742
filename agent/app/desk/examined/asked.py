"""What a running agent has, as facts: asked for over its control socket, opened by nobody else."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.app.desk.asking import answered
from agent.app.desk.examined.sight import FRAMES, described
from agent.config import CameraConfig, ThermometerConfig
from agent.errors import RefusedError
from agent.operations.examination.facts import CameraFact, ThermometerFact

_WAIT_S = 8.0
"""For a dozen frames: a small board looks at three a second."""
_PAUSE_S = 0.1


def camera_asked(socket: Path, camera: CameraConfig) -> CameraFact | None:
    """What the frames showed that the agent looked at meanwhile; None where it is an older one.

    Raises:
        UnavailableError: the agent does not answer.
    """
    seen: dict[int, Mapping[str, Any]] = {}
    until_s = time.monotonic() + _WAIT_S
    while len(seen) < FRAMES and time.monotonic() < until_s:
        request = {"command": "look", "camera": camera.id, "figures": True}
        try:
            told = answered(socket, request)["look"].get("figures")
        except RefusedError:
            return None
        if told is not None:
            seen[told["frame"]] = told
        time.sleep(_PAUSE_S)
    if not seen:
        return CameraFact(described(camera), 0)
    last = [*seen.values()][-1]
    blues = [one["blue"] for one in seen.values() if one["blue"] is not None]
    return CameraFact(
        described(camera),
        len(seen),
        last["width"],
        last["height"],
        brightness=last["brightness"],
        contours=last["contours"],
        zone_contours=last["zone_contours"],
        alike=len({one["digest"] for one in seen.values()}) == 1,
        still=camera.kind == "simulated" and not camera.frozen,
        infrared=camera.spectrum == "ir",
        blur=last["blur"],
        blue=sum(blues) / len(blues) if blues else None,
    )


def thermometer_asked(socket: Path, config: ThermometerConfig) -> ThermometerFact | None:
    """The newest reading; None where there is none yet.

    Raises:
        UnavailableError: the agent does not answer.
    """
    reading = answered(socket, {"command": "look"})["look"]["thermometer"]
    if reading is None:
        return None
    celsius, ambient = reading["temperature_c"], reading["ambient_c"]
    beside = "" if ambient is None else f", {ambient:.1f} C around it"
    said = f"the running agent read {celsius:.1f} C{beside}, {reading['age_s']:.0f} s ago"
    return ThermometerFact(said, celsius, ambient, config.skin_max_c)
