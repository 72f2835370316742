"""Some frames of a camera, as facts."""

from contextlib import closing

import numpy as np

from agent.adapters.camera.capture import public_name
from agent.app.open.cameras import open_camera
from agent.config import CameraConfig, ConfigFile
from agent.domain.sight.image import Image
from agent.operations.examination.facts import CameraFact
from agent.vision.face.zone import Zone
from agent.vision.frames.figures import figures_of

FRAMES = 12
"""Of the first ones a camera's own light metering is not done."""


def camera_fact(file: ConfigFile, camera: CameraConfig) -> CameraFact:
    """What a dozen frames show.

    Raises:
        UnavailableError: it is not there, or falls silent.
        ImageError: a photograph cannot be read.
    """
    last: Image | None = None
    count, differ = 0, False
    with closing(open_camera(file, camera)) as opened:
        while count < FRAMES and (frame := opened.read(camera.timeout_s)) is not None:
            differ |= last is not None and not np.array_equal(last, frame.image)
            last, count = frame.image, count + 1
    what = described(camera)
    if last is None:
        return CameraFact(what, 0)
    zone = camera.zone
    found = figures_of(last, Zone(zone.x, zone.y, zone.width, zone.height))
    return CameraFact(
        what,
        count,
        found.width,
        found.height,
        brightness=found.brightness,
        contours=found.contours,
        zone_contours=found.zone_contours,
        alike=not differ,
        still=camera.kind == "simulated" and not camera.frozen,
        infrared=camera.spectrum == "ir",
        blur=found.blur,
    )


def described(camera: CameraConfig) -> str:
    """Which camera it is, without the password that a stream's address may hold."""
    return f"{camera.kind}, {_source(camera)}"


def _source(camera: CameraConfig) -> str:
    source = camera.source
    if isinstance(source, list):
        return f"{len(source)} photographs"
    return public_name(source)
