"""Opening a source through OpenCV with its timeouts, and what a message may say about it."""

import os
import re
from typing import Any

import cv2

from agent.errors import UnavailableError

OPEN_TIMEOUT_S = 5.0
_TIMEOUT_MS = int(OPEN_TIMEOUT_S * 1000)
_OLDEST_S = 5.0
_SAID = re.compile(r"[?#]|/(?=[^/?#]*=)")

# OpenCV and FFmpeg print what they could not open, password and all; the error says it without.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def open_capture(source: int | str, problem: str) -> Any:
    """A ``cv2.VideoCapture`` that has begun; a stream's address is opened and read with timeouts.

    Blocks for five seconds at most on a stream, and for as long as its driver likes on a device.

    Raises:
        UnavailableError: ``problem``, with the fix.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    capture: Any = cv2.VideoCapture()
    try:
        if isinstance(source, str) and "://" in source:
            timeouts = [
                *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _TIMEOUT_MS),
                *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, _TIMEOUT_MS),
            ]
            opened = capture.open(source, cv2.CAP_FFMPEG, timeouts)
        else:
            opened = capture.open(source, cv2.CAP_ANY)
    except cv2.error as error:
        raise UnavailableError(problem) from error
    if not opened:
        capture.release()
        fix = "name a camera that is there: ls /dev/video*, or a file or stream that plays"
        raise UnavailableError(problem, fix)
    return capture


def capture_time_s(stamp_ms: float, now_s: float) -> float:
    """When a device's frame was captured, on the monotonic clock.

    V4L2 drivers stamp their buffers with that clock, so a frame that waited in the driver shows
    its age. Other stamps (zero, or another clock's) are told by lying in the future or far back;
    the frame then counts as captured now.
    """
    stamp_s = stamp_ms / 1000.0
    return stamp_s if now_s - _OLDEST_S <= stamp_s <= now_s else now_s


def public_name(source: int | str) -> str:
    """The source without the user, password, query and fragment of a stream's address.

    Some recorders have their query in the path (``/user=admin&password=...``), which goes as well.
    It stands in faults, which the broker hears. Everything before the last ``@`` counts as login: a
    password may hold any character, and to leave out too much tells nothing.
    """
    if isinstance(source, int):
        return f"camera {source}"
    scheme, found, rest = source.partition("://")
    if not found:
        return source
    place = rest.rpartition("@")[2]
    return f"{scheme}://{_SAID.split(place, maxsplit=1)[0]}"
