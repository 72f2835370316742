"""Cameras through OpenCV: USB devices, streams, and video files that play as a camera would.

A file is paced by its own timestamps, so that three frames of it mean what three of a camera mean.
A device or stream is read by a thread of its own into a slot: a driver that hangs then costs a
timeout, not the agent.
"""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from agent.errors import UnavailableError
from agent.ports import Frame

_OPEN_TIMEOUT_MS = 5000
_LONGEST_GAP_S = 5.0

# OpenCV prints what it could not open; the error says it already.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


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
        """Open the file.

        Raises:
            UnavailableError: there is no such file, or no video in it.
        """
        self._path = path
        self._loop = loop
        self._now_s = now_s
        self._sleep = sleep
        self._number = 0
        self._capture = _open(str(path), f"no video in {path}" if path.exists() else f"no {path}")
        self._fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self._start_s: float | None = None
        self._last_pts_s = -1.0

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame when its time has come; late frames come at once, in order."""
        got, image = self._capture.read()
        if not got and self._loop and self._last_pts_s >= 0.0:
            self._rewind()
            got, image = self._capture.read()
        if not got:
            return None
        pts_s = self._timestamp_s()
        now_s = self._now_s()
        if self._start_s is None:
            self._start_s = now_s - pts_s
        captured_s = self._start_s + pts_s
        if captured_s > now_s:
            self._sleep(min(captured_s - now_s, timeout_s))
        self._number += 1
        return Frame(np.ascontiguousarray(image, dtype=np.uint8), captured_s, self._number)

    def close(self) -> None:
        """Let the file go."""
        self._capture.release()

    def _timestamp_s(self) -> float:
        pts_s = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
        # Some containers carry no timestamps or broken ones: then the frame rate counts.
        rate = self._fps if 0.1 < self._fps < 1000.0 else 25.0
        if not self._last_pts_s < pts_s < self._last_pts_s + _LONGEST_GAP_S:
            pts_s = self._last_pts_s + 1.0 / rate if self._last_pts_s >= 0.0 else 0.0
        self._last_pts_s = pts_s
        return pts_s

    def _rewind(self) -> None:
        self._capture.release()
        self._capture = _open(str(self._path), f"no video in {self._path} any more")
        self._start_s = None
        self._last_pts_s = -1.0


class LiveCamera:
    """A USB device or a stream; ``read`` gives the newest frame and drops what came before it."""

    def __init__(
        self, source: int | str, *, width: int = 640, height: int = 480, fps: float = 15.0
    ) -> None:
        """Open the source and begin to read.

        Raises:
            UnavailableError: the device or stream does not answer.
        """
        self._name = f"camera {source}" if isinstance(source, int) else str(source)
        self._capture = _open(source, f"{_without_password(self._name)} cannot be opened")
        if isinstance(source, int) or str(source).startswith("/dev/"):
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
            self._capture.set(cv2.CAP_PROP_FPS, fps)
        self._condition = threading.Condition()
        self._frame: Frame | None = None
        self._ended = False
        self._closing = False
        self._thread = threading.Thread(target=self._pump, name=f"v4l {source}", daemon=True)
        self._thread.start()

    def read(self, timeout_s: float) -> Frame | None:
        """The newest frame nobody has seen.

        Raises:
            UnavailableError: none came within ``timeout_s``, or the source has ended.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._frame is not None or self._ended, timeout_s)
            frame, self._frame = self._frame, None
        if frame is None:
            name = _without_password(self._name)
            raise UnavailableError(f"{name} sends no frame", "check its cable, power and address")
        return frame

    def close(self) -> None:
        """End the reading thread; one that hangs in its driver is left behind."""
        self._closing = True
        self._thread.join(1.0)

    def _pump(self) -> None:
        number = 0
        try:
            while not self._closing:
                got, image = self._capture.read()
                if not got:
                    return
                number += 1
                frame = Frame(np.ascontiguousarray(image, dtype=np.uint8), time.monotonic(), number)
                with self._condition:
                    self._frame = frame
                    self._condition.notify()
        except cv2.error:
            return  # said by the end that follows
        finally:
            with self._condition:
                self._ended = True
                self._condition.notify_all()
            self._capture.release()


def _open(source: int | str, problem: str) -> Any:
    parameters: list[int] = []
    if isinstance(source, str):
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        if "://" in source:
            parameters = [
                *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS),
                *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS),
            ]
    try:
        backend = cv2.CAP_FFMPEG if parameters else cv2.CAP_ANY
        capture = cv2.VideoCapture(source, backend, parameters)
    except cv2.error as error:
        raise UnavailableError(_without_password(problem)) from error
    if not capture.isOpened():
        capture.release()
        fix = "name a camera that is there: ls /dev/video*, or a file or stream that plays"
        raise UnavailableError(_without_password(problem), fix)
    return capture


def _without_password(text: str) -> str:
    """A stream's address without the user and password in it."""
    scheme, found, rest = text.partition("://")
    if not found:
        return text
    host = rest.split("/", 1)
    return f"{scheme}://{host[0].rpartition('@')[2]}" + (f"/{host[1]}" if len(host) > 1 else "")
