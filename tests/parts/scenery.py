"""Scenes without people, and the frames that a camera makes of them."""

import cv2
import numpy as np


def corridor(height: int = 480, width: int = 640) -> np.ndarray:
    """A wall with a door, a window and things that stand about; the same each time."""
    random = np.random.default_rng(7)
    scene = np.full((480, 640, 3), 120, dtype=np.uint8)
    cv2.rectangle(scene, (60, 100), (250, 470), (70, 90, 110), -1)
    cv2.rectangle(scene, (400, 60), (600, 300), (180, 170, 160), -1)
    for _ in range(90):
        x, y = int(random.integers(0, 600)), int(random.integers(0, 440))
        far = (x + int(random.integers(4, 60)), y + int(random.integers(4, 40)))
        cv2.rectangle(scene, (x, y), far, tuple(int(v) for v in random.integers(30, 220, 3)), -1)
    return np.asarray(cv2.resize(cv2.GaussianBlur(scene, (5, 5), 0), (width, height)))


def noisy(
    scene: np.ndarray, count: int, sigma: float = 3.0, *, drift: float = 0.0, seed: int = 1
) -> list[np.ndarray]:
    """So many frames of it: a sensor's noise of ``sigma`` grey levels, and light that drifts."""
    random = np.random.default_rng(seed)
    spare = 31
    height, width = scene.shape[:2]
    noise = random.normal(0.0, sigma, (height + spare, width + spare, 3)).astype(np.float32)
    frames = []
    for number in range(count):
        y, x = (int(v) for v in random.integers(0, spare, 2))
        seen = scene + noise[y : y + height, x : x + width] + drift * number
        frames.append(np.clip(seen, 0, 255).astype(np.uint8))
    return frames
