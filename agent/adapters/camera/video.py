"""Cameras through OpenCV: USB devices, streams, and video files that play as a camera would.

A file is paced by its own timestamps, so that three frames of it mean what three of a camera mean.
A device or stream is opened and read by a thread of its own into a slot: a driver that hangs then
costs a timeout, not the agent.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np

from agent.adapters.camera.capture import OPEN_TIMEOUT_S, capture_time_s, open_capture, public_name
from agent.domain.foreign.boundary import read_or
from agent.domain.sight.image import Frame, Image
from agent.errors import UnavailableError

_LONGEST_GAP_S = 5.0
_LATEST_S = 0.4  # within what the policy calls fresh
_JOIN_S = 1.0


class FileCamera:
    """A video file at its own pace; ``read`` returns None at its end unless it loops."""

    def __init__(
        self,
        path: Path,
        *,
        loop: bool = False,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open the file and decode its first frame.

        Raises:
            UnavailableError: there is no such file, or no video in it.
        """
        self._path = path
        self._loop = loop
        self._now_s = now_s
        self._sleep = sleep
        self._number = 0
        self._start_s: float | None = None
        self._captured_s = 0.0
        self._first: tuple[Image, float] | None = self._begin()

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame when its time has come, captured at that time.

        Frames that are late come at once, in order and with the time that they should have had. A
        gap longer than ``timeout_s`` is cut to it, and a player more than 0.4 s behind (a decoder
        too slow, a suspended process) goes on from where it is: in both cases the file's clock is
        shifted, and no frame is captured in the future or too stale to count.
        """
        shown, self._first = self._first or self._decode(), None
        if shown is None and self._loop:
            shown = self._begin()
        if shown is None:
            return None
        image, pts_s = shown
        now_s = self._now_s()
        if self._start_s is None:
            self._start_s = now_s - pts_s
        captured_s = self._start_s + pts_s
        if not now_s - _LATEST_S <= captured_s <= now_s + timeout_s:
            captured_s = now_s + timeout_s if captured_s > now_s else now_s
            self._start_s = captured_s - pts_s
        if captured_s > now_s:
            self._sleep(captured_s - now_s)
        self._captured_s = captured_s
        self._number += 1
        return Frame(image, captured_s, self._number)

    def close(self) -> None:
        """Let the file go."""
        self._capture.release()

    def _begin(self) -> tuple[Image, float]:
        problem = f"no video in {self._path}" if self._path.exists() else f"no {self._path}"
        self._capture: Any = open_capture(str(self._path), problem)
        fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self._period_s = 1.0 / (fps if 0.1 < fps < 1000.0 else 25.0)
        self._last_pts_s: float | None = None
        first = self._decode()
        if first is None:
            self._capture.release()
            raise UnavailableError(f"no frame in {self._path}", "name a video that plays")
        if self._start_s is not None:
            # Once more: its first frame follows the last one as the others follow each other.
            self._start_s = self._captured_s + self._period_s - first[1]
        return first

    def _decode(self) -> tuple[Image, float] | None:
        got, image = read_or("video", (False, None), self._capture.read)
        if not got:
            return None
        pts_s = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
        last_s = self._last_pts_s
        # Some containers carry no timestamps or broken ones: then the frame rate counts.
        if last_s is not None and not last_s < pts_s < last_s + _LONGEST_GAP_S:
            pts_s = last_s + self._period_s
        self._last_pts_s = pts_s
        return np.ascontiguousarray(image, dtype=np.uint8), pts_s


class LiveCamera:
    """A USB device or a stream; ``read`` gives the newest frame and drops what came before it."""

    # A thread that hangs in its driver cannot be ended, so none is started beside it.
    _threads: ClassVar[dict[int | str, threading.Thread]] = {}

    def __init__(
        self, source: int | str, *, width: int = 640, height: int = 480, fps: float = 15.0
    ) -> None:
        """Open the source and begin to read; ``width``, ``height``, ``fps`` are a device's.

        Raises:
            UnavailableError: the device or stream does not answer.
        """
        self._source = source
        self._name = public_name(source)
        before = self._threads.get(source)
        if before is not None and before.is_alive():
            fix = "unplug it and plug it in again; if that is no help restart the agent"
            raise UnavailableError(f"{self._name} still hangs in its driver", fix)
        self._settings = (
            (cv2.CAP_PROP_FRAME_WIDTH, width),
            (cv2.CAP_PROP_FRAME_HEIGHT, height),
            (cv2.CAP_PROP_FPS, fps),
        )
        self._device = isinstance(source, int) or source.startswith("/dev/")
        self._condition = threading.Condition()
        self._frame: Frame | None = None
        self._opened = False
        self._failure: UnavailableError | None = None
        self._closing = threading.Event()
        thread = threading.Thread(target=self._work, name=f"reads {self._name}", daemon=True)
        self._threads[source] = self._thread = thread
        thread.start()
        with self._condition:
            self._condition.wait_for(
                lambda: self._opened or self._failure is not None, 2.0 * OPEN_TIMEOUT_S
            )
            opened, failure = self._opened, self._failure
        if not opened:
            self._closing.set()
            raise failure or self._silent()

    def read(self, timeout_s: float) -> Frame | None:
        """The newest frame nobody has seen.

        Raises:
            UnavailableError: none came within ``timeout_s``, or the source has ended.
        """
        with self._condition:
            self._condition.wait_for(
                lambda: self._frame is not None or self._failure is not None, timeout_s
            )
            frame, self._frame = self._frame, None
            failure = self._failure
        if frame is None:
            raise failure or self._silent()
        return frame

    def close(self) -> None:
        """End the reading thread; one that hangs in its driver is left behind."""
        self._closing.set()
        self._thread.join(_JOIN_S)

    def _work(self) -> None:
        failure = self._silent()
        try:
            capture = open_capture(self._source, f"{self._name} cannot be opened")
            try:
                self._pump(capture)
            finally:
                capture.release()
        except UnavailableError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - whatever it is, the reader is told
            failure = UnavailableError(f"{self._name}: {type(error).__name__}")
        finally:
            with self._condition:
                self._failure = failure
                self._condition.notify_all()

    def _pump(self, capture: Any) -> None:
        if self._device:
            for setting, value in self._settings:
                capture.set(setting, value)
        with self._condition:
            self._opened = True
            self._condition.notify_all()
        number = 0
        while not self._closing.is_set():
            got, image = capture.read()
            if not got:
                return
            now_s = time.monotonic()
            if self._device:
                now_s = capture_time_s(float(capture.get(cv2.CAP_PROP_POS_MSEC)), now_s)
            number += 1
            frame = Frame(np.ascontiguousarray(image, dtype=np.uint8), now_s, number)
            with self._condition:
                self._frame = frame
                self._condition.notify_all()

    def _silent(self) -> UnavailableError:
        return UnavailableError(
            f"{self._name} sends no frame", "check its cable, power and address"
        )
