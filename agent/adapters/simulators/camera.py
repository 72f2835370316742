"""A camera that looks at photographs: each frame shifts and shimmers as a living one would.

A photograph replayed to the pixel is a hung camera, which the gate refuses; so every frame gets its
own sensor noise and a shift of a pixel or two, from a seed. ``frozen`` leaves them out.
"""

import itertools
import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from agent.ports import Frame, Image

_NOISE_SIGMA = 2.0
_SHIFT_PX = 2


class SimulatedCamera:
    """Shows a scene until told otherwise; ``show`` may be called from any thread."""

    def __init__(
        self,
        scenes: Sequence[Image],
        *,
        fps: float = 15.0,
        seconds_each: float = 5.0,
        loop: bool = False,
        frozen: bool = False,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._scenes = list(scenes)
        self._period_s = 1.0 / fps
        self._seconds_each = seconds_each
        self._loop = loop
        self._frozen = frozen
        self._random = np.random.default_rng(1)
        self._now_s = now_s
        self._sleep = sleep
        self._numbers = itertools.count(1)
        self._start_s: float | None = None
        self._next_s = 0.0
        self._shown: Image | None = None
        self.frames = 0

    def show(self, scene: Image | None) -> None:
        """Show this one from now on; None returns to the script."""
        self._shown = scene

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame at the camera's rate; None when the script is over and does not loop."""
        now_s = self._now_s()
        if self._start_s is None:
            self._start_s = self._next_s = now_s
        if self._next_s > now_s:
            self._sleep(min(self._next_s - now_s, timeout_s))
        captured_s = max(self._now_s(), self._next_s)
        self._next_s = captured_s + self._period_s
        scene = self._shown if self._shown is not None else self._scripted(captured_s)
        if scene is None:
            return None
        self.frames += 1
        image = scene if self._frozen else self._living(scene)
        return Frame(image, captured_s, next(self._numbers))

    def close(self) -> None:
        """There is nothing to let go."""

    def _scripted(self, captured_s: float) -> Image | None:
        assert self._start_s is not None
        at = int((captured_s - self._start_s) / self._seconds_each)
        if at >= len(self._scenes) and not self._loop:
            return None
        return self._scenes[at % len(self._scenes)] if self._scenes else None

    def _living(self, scene: Image) -> Image:
        dx, dy = (int(v) for v in self._random.integers(-_SHIFT_PX, _SHIFT_PX + 1, size=2))
        height, width = scene.shape[:2]
        move = np.array([[1, 0, dx], [0, 1, dy]], dtype=np.float32)
        image = cv2.warpAffine(scene, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
        noise = self._random.normal(0.0, _NOISE_SIGMA, size=image.shape)
        return np.asarray(np.clip(image + noise, 0, 255), dtype=np.uint8)


def fit_scene(image: Image, width: int, height: int) -> Image:
    """A photograph on a frame of the camera's size, whole and in proportion, grey around it."""
    scale = min(width / image.shape[1], height / image.shape[0])
    size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    small = cv2.resize(image, size, interpolation=how)
    scene = np.full((height, width, 3), 127, dtype=np.uint8)
    y, x = (height - size[1]) // 2, (width - size[0]) // 2
    scene[y : y + size[1], x : x + size[0]] = small
    return scene
