"""The Raspberry Pi's camera through picamera2. Not yet run on hardware.

Image and metadata come from one request, so that a frame's time is its own: ``SensorTimestamp`` is
CLOCK_BOOTTIME in nanoseconds at the start of the exposure. picamera2's "RGB888" names the bytes
from the highest down: in memory it is blue, green, red, which is what OpenCV calls BGR.
Source: the Picamera2 manual, sections 4.2 and 6.1; signatures checked against release 0.3.38.
"""

import time
from typing import Any

import numpy as np

from agent.errors import UnavailableError
from agent.ports import Frame

_FIX_MISSING = "sudo apt install --no-install-recommends python3-picamera2, then scripts/setup"
_FIX_CAMERA = "rpicam-hello --list-cameras shows what is there; stop what else uses it"


class Picamera2Camera:
    """One camera of the board, configured for video at a fixed size."""

    def __init__(self, number: int = 0, *, width: int, height: int, fps: float) -> None:
        """Open, configure and start the camera.

        Raises:
            UnavailableError: picamera2 is not installed, or the camera is absent or busy.
        """
        try:
            from picamera2 import Picamera2  # noqa: PLC0415 - only a Pi has it
        except Exception as error:  # libcamera's loader raises many kinds
            raise UnavailableError(f"no picamera2: {error}", _FIX_MISSING) from error
        self._number = 0
        self._camera: Any = None
        frame_us = round(1_000_000 / fps)
        try:
            self._camera = Picamera2(number)
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": (width, height), "format": "RGB888"},
                    buffer_count=4,
                    queue=True,
                    controls={"FrameDurationLimits": (frame_us, frame_us)},
                )
            )
            self._camera.start()
        except Exception as error:  # as above
            self.close()
            raise UnavailableError(
                f"camera {number} cannot be started: {error}", _FIX_CAMERA
            ) from error

    def read(self, timeout_s: float) -> Frame:
        """The next frame.

        Raises:
            UnavailableError: none came within ``timeout_s``, or the camera is gone.
        """
        try:
            request = self._camera.capture_request(wait=timeout_s)
        except Exception as error:  # a timeout has no class of its own on every release
            raise UnavailableError(f"the camera sends no frame: {error}", _FIX_CAMERA) from error
        try:
            image = np.ascontiguousarray(request.make_array("main"), dtype=np.uint8)
            metadata = request.get_metadata()
        finally:
            request.release()
        self._number += 1
        return Frame(image, _captured_s(metadata), self._number)

    def close(self) -> None:
        """Stop and let the camera go."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.stop()
            camera.close()


def _captured_s(metadata: dict[str, Any]) -> float:
    """The frame's start of exposure on the monotonic clock."""
    stamp_ns = metadata.get("SensorTimestamp")
    now_s = time.monotonic()
    if not isinstance(stamp_ns, int):
        return now_s
    # The two clocks differ by the time that the machine was suspended, which a kiosk never is.
    behind_s = time.clock_gettime(time.CLOCK_BOOTTIME) - stamp_ns / 1e9
    return now_s - max(behind_s, 0.0)
