"""The Raspberry Pi's camera through picamera2. Not yet run on hardware.

Image and metadata come from one request, so a frame's time is its own: ``SensorTimestamp`` is the
start of its exposure, in nanoseconds on CLOCK_BOOTTIME. picamera2's "RGB888" names the bytes from
the highest down: in memory it is blue, green, red, which OpenCV and the agent call BGR.

picamera2 does its work in an event loop and hands out jobs. A job that is given up stays in that
loop's queue: it would take a buffer that nobody returns, and ``stop`` would wait behind it.
So a read that times out leaves its job for the next read, and ``close`` cancels what waits first.
Source: the Picamera2 manual, sections 4.2 and 6.1, and the class itself, release 0.3.38.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from agent.domain.sight.image import Frame
from agent.errors import UnavailableError

_BUFFERS = 4  # one being copied, one kept for the next read, two with the sensor
_CLOSE_S = 2.0
_FIX_MISSING = "sudo apt install --no-install-recommends python3-picamera2, then scripts/setup"
_FIX_NUMPY = "apt's simplejpeg is built for an older numpy: pip install 'simplejpeg>=1.9' here too"
_FIX_CAMERA = (
    "rpicam-hello --list-cameras shows what is there; where it is busy, stop what uses it:"
    " sudo fuser -v /dev/media*"
)


class Picamera2Camera:
    """One camera of the board, configured for video at a fixed size."""

    def __init__(
        self,
        number: int = 0,
        *,
        width: int,
        height: int,
        fps: float,
        driver: Callable[[int], Any] | None = None,
    ) -> None:
        """Open, configure and start the camera; ``driver`` is ``picamera2.Picamera2``.

        Raises:
            UnavailableError: picamera2 is not installed, or the camera is absent or busy.
        """
        opens = driver or _driver()
        self._name = f"camera {number}"
        self._number = 0
        self._job: Any = None
        self._camera: Any = None
        frame_us = round(1_000_000 / fps)
        try:
            self._camera = opens(number)
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": (width, height), "format": "RGB888"},
                    buffer_count=_BUFFERS,
                    # Without it each frame that ends between two reads is lost: half the rate.
                    # What is kept is one frame old at most, and its own time says so.
                    queue=True,
                    controls={"FrameDurationLimits": (frame_us, frame_us)},
                )
            )
            self._camera.start()
        except Exception as error:  # picamera2 raises RuntimeError, libcamera more
            self.close()
            said = str(error.__cause__ or error)
            raise UnavailableError(
                f"{self._name} cannot be started: {said}", _FIX_CAMERA
            ) from error

    def read(self, timeout_s: float) -> Frame:
        """The next frame: height x width x 3, BGR, a copy.

        Raises:
            UnavailableError: none came within ``timeout_s``, or the camera is gone.
        """
        if self._camera is None:
            raise UnavailableError(f"{self._name} is closed")
        try:
            if self._job is None:
                self._job = self._camera.capture_request(wait=False)
            request = self._camera.wait(self._job, timeout=timeout_s)
        except TimeoutError as error:
            problem = f"{self._name} sends no frame"
            raise UnavailableError(problem, _FIX_CAMERA) from error
        except Exception as error:
            self._job = None
            raise UnavailableError(f"{self._name} has failed: {error}", _FIX_CAMERA) from error
        self._job = None
        try:
            image = np.ascontiguousarray(request.make_array("main"), dtype=np.uint8)
            metadata = request.get_metadata()
        except Exception as error:
            raise UnavailableError(f"{self._name} has failed: {error}", _FIX_CAMERA) from error
        finally:
            request.release()
        self._number += 1
        now_ns, boot_ns = time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        return Frame(image, captured_s(metadata, now_ns, boot_ns), self._number)

    def close(self) -> None:
        """Stop and let the camera go; one that hangs in its driver is left behind."""
        camera, self._camera = self._camera, None
        self._job = None
        if camera is not None:
            closing = threading.Thread(
                target=_close, args=(camera,), name=f"closes {self._name}", daemon=True
            )
            closing.start()
            closing.join(_CLOSE_S)


def captured_s(metadata: Mapping[str, Any], now_ns: int, boot_ns: int) -> float:
    """A frame's start of exposure on the monotonic clock, from its age on CLOCK_BOOTTIME.

    ``now_ns`` and ``boot_ns`` are this moment on both clocks, which differ by the time that the
    machine slept. A driver that stamps by the monotonic clock then makes its frames seem older, and
    an old frame grants nothing. Without a stamp the frame counts as captured now.
    """
    stamp_ns = metadata.get("SensorTimestamp")
    age_ns = boot_ns - stamp_ns if isinstance(stamp_ns, int) else 0
    return (now_ns - max(age_ns, 0)) / 1e9


def _driver() -> Callable[[int], Any]:
    try:
        from picamera2 import Picamera2  # noqa: PLC0415 - only a Pi has it
    except Exception as error:  # libcamera's loader raises many kinds
        fix = _FIX_NUMPY if "numpy.dtype size changed" in str(error) else _FIX_MISSING
        raise UnavailableError(f"no picamera2: {error}", fix) from error
    return Picamera2  # type: ignore[no-any-return] # picamera2 has no types


def _close(camera: Any) -> None:
    # Each step by itself: a camera that was unplugged fails at the first and must still be let go.
    for step in (camera.cancel_all_and_flush, camera.stop, camera.close):
        with contextlib.suppress(Exception):
            step()
