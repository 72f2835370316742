"""A camera that looks at photographs: each frame shifts and shimmers as a living one would.

A photograph replayed to the pixel is a hung camera, which the gate refuses; so every frame gets its
own sensor noise and a shift of a pixel or two, from a seed. ``frozen`` leaves them out.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from agent.domain.sight.image import Frame, Image
from agent.errors import UnavailableError

_NOISE_SIGMA = 2.0
_SHIFT_PX = 2
_NOISE_SPARE_PX = 61
_SECONDS_EACH = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What stands before the camera, and for how long."""

    image: Image = field(repr=False)
    seconds: float


class SimulatedCamera:
    """Shows a script of scenes, or one scene until told otherwise.

    ``show``, ``silent`` and ``frozen`` may be used from any thread; ``frames`` counts what was
    delivered. The same ``seed`` makes the same frames.
    """

    def __init__(
        self,
        scenes: Sequence[Image | Scene],
        *,
        fps: float = 15.0,
        loop: bool = False,
        frozen: bool = False,
        seed: int = 1,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Scenes may differ in size; one without a time of its own stays five seconds."""
        self._scenes = [
            scene if isinstance(scene, Scene) else Scene(scene, _SECONDS_EACH) for scene in scenes
        ]
        self._period_s = 1.0 / fps
        self._loop = loop
        self._random = np.random.default_rng(seed)
        self._noise: npt.NDArray[np.int8] = np.zeros((0, 0, 3), dtype=np.int8)
        self._now_s = now_s
        self._sleep = sleep
        self._numbers = itertools.count(1)
        self._start_s: float | None = None
        self._next_s = 0.0
        self._shown: Image | None = None
        self.frozen = frozen
        self.silent = False
        self.frames = 0

    def show(self, scene: Image | None) -> None:
        """Show this one from now on; None returns to the script."""
        self._shown = scene

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame at the camera's rate; None when the script is over and does not loop.

        Raises:
            UnavailableError: the camera is silent, or its next frame comes after ``timeout_s``.
        """
        now_s = self._now_s()
        if self._start_s is None:
            self._start_s = self._next_s = now_s
        wait_s = self._next_s - now_s
        if self.silent or wait_s > timeout_s:
            self._sleep(timeout_s)
            raise UnavailableError("the simulated camera sends no frame", "its config asked for it")
        if wait_s > 0.0:
            self._sleep(wait_s)
        captured_s = max(self._now_s(), self._next_s)
        self._next_s = captured_s + self._period_s
        shown = self._shown
        scene = shown if shown is not None else self._scripted(captured_s - self._start_s)
        if scene is None:
            return None
        self.frames += 1
        image = scene if self.frozen else self._living(scene)
        return Frame(image, captured_s, next(self._numbers))

    def close(self) -> None:
        """There is nothing to let go."""

    def _scripted(self, at_s: float) -> Image | None:
        length_s = sum(scene.seconds for scene in self._scenes)
        if self._loop and length_s > 0.0:
            at_s %= length_s
        for scene in self._scenes:
            if at_s < scene.seconds:
                return scene.image
            at_s -= scene.seconds
        return None

    def _living(self, scene: Image) -> Image:
        dx, dy = (int(v) for v in self._random.integers(-_SHIFT_PX, _SHIFT_PX + 1, size=2))
        height, width = scene.shape[:2]
        move = np.array([[1, 0, dx], [0, 1, dy]], dtype=np.float32)
        image = cv2.warpAffine(scene, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.add(image, self._noise_for(height, width), dtype=cv2.CV_8U))

    def _noise_for(self, height: int, width: int) -> npt.NDArray[np.int8]:
        """A window at a chance place in one field of noise: fresh noise takes 11 ms."""
        rows, columns = height + _NOISE_SPARE_PX, width + _NOISE_SPARE_PX
        if self._noise.shape[0] < rows or self._noise.shape[1] < columns:
            field_of = self._random.normal(0.0, _NOISE_SIGMA, size=(rows, columns, 3))
            self._noise = np.clip(np.rint(field_of), -127, 127).astype(np.int8)
        y, x = (int(v) for v in self._random.integers(0, _NOISE_SPARE_PX, size=2))
        return self._noise[y : y + height, x : x + width]


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
