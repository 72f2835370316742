"""Some frames of a camera, as facts."""

from contextlib import closing

import numpy as np

from agent.adapters.camera.capture import public_name
from agent.app.open.cameras import open_camera
from agent.config import CameraConfig, ConfigFile
from agent.domain.sight.image import Image
from agent.operations.examination.facts import CameraFact
from agent.vision.frames.lens import LEAST_CONTOUR, grids

_FRAMES = 12
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
        while count < _FRAMES and (frame := opened.read(camera.timeout_s)) is not None:
            differ |= last is not None and not np.array_equal(last, frame.image)
            last, count = frame.image, count + 1
    what = f"{camera.kind}, {_source(camera)}"
    if last is None:
        return CameraFact(what, 0)
    mean, contour = grids(last)
    seen = contour > LEAST_CONTOUR
    rows, columns = seen.shape
    zone = camera.zone
    top, left = int(zone.y * rows), int(zone.x * columns)
    height, width = max(round(zone.height * rows), 1), max(round(zone.width * columns), 1)
    within = seen[top : top + height, left : left + width]
    return CameraFact(
        what,
        count,
        last.shape[1],
        last.shape[0],
        brightness=float(mean.mean()),
        contours=float(seen.mean()),
        zone_contours=float(within.mean()),
        alike=not differ,
        still=camera.kind == "simulated" and not camera.frozen,
        infrared=camera.spectrum == "ir",
    )


def _source(camera: CameraConfig) -> str:
    """As may be shown: a stream's address may hold a password."""
    source = camera.source
    if isinstance(source, list):
        return f"{len(source)} photographs"
    return public_name(source)
