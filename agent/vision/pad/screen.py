"""What a screen or a sheet of paper leaves in a frame: its straight border, and its grid's beat.

    border   four straight edges about the face that meet in corners: how much of the third best of
             them is there (a hand may cover one), 0 to 1
    beat     a fine grating over the face where the screen's pixels beat with the camera's: the
             highest peak of the spectrum above its surroundings, in their own spread

A door frame or a window behind somebody is a border too, and stripes of a shirt are none of the
face. A device whose edges lie outside the frame, or that is held before a striped wall, shows no
border; one whose pixels are far finer than the camera's, or out of focus, does not beat. Both are
looked at in a part of the picture of a fixed size, whatever the frame's.
"""

import itertools
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.domain.sight.image import Image
from agent.domain.sight.track import Box

BORDER, BEAT = 0.85, 3.0
"""The figures at which a cue says 0.5; docs/attack-detection.md has how they were chosen."""
_FACE_PX, _LEAST_FACE_PX = 48, 32
_ABOUT = 1.4
_AROUND = 1.4
"""Face widths looked at to each side."""
_BEAT_PX = 128
_LEAST_BEAT_PX = 64
_TILT = math.radians(20.0)
_MOST_LINES, _MOST_FOUND, _SAME_PX = 3, 60, 3.0
_STEPS = 48
_STEEPNESS = 6.0

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ScreenSigns:
    """Both figures of one frame; None where the face is too small, or too near the rim, to tell."""

    border: float | None
    beat: float | None

    @property
    def score(self) -> float | None:
        """1 where neither shows, 0 where one surely does, 0.5 at its limit; None without any."""
        told = [
            1.0 / (1.0 + (figure / limit) ** _STEEPNESS)
            for figure, limit in ((self.border, BORDER), (self.beat, BEAT))
            if figure is not None
        ]
        return min(told, default=None)


def screen_signs(image: Image, face: Box) -> ScreenSigns:
    """What a frame shows about and on a face."""
    return ScreenSigns(border(image, face), beat(image, face))


def border(image: Image, face: Box) -> float | None:
    """How much of a border about the face is there, 0 to 1; None where nothing lies about it."""
    scale = _FACE_PX / max(face.width, 1)
    spare = round(_AROUND * face.width)
    left, top = max(face.x - spare, 0), max(face.y - spare, 0)
    part = image[top : face.y + face.height + spare, left : face.x + face.width + spare]
    size = tuple(max(round(side * scale), 1) for side in part.shape[1::-1])
    if face.width < _LEAST_FACE_PX or part.size == 0 or size[0] < _ABOUT * _FACE_PX:
        return None
    how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    grey = cv2.cvtColor(cv2.resize(part, size, interpolation=how), cv2.COLOR_BGR2GRAY)
    edges = np.asarray(cv2.Canny(grey, 40, 100), dtype=np.uint8)
    inner = ((face.x - left) * scale, (face.y - top) * scale, _FACE_PX, face.height * scale)
    upright, level = _lines(edges)
    x, y, width, height = inner
    sides = [
        _apart(
            [one for one in upright if one.at(y + height / 2) < x + 0.1 * width], y + height / 2
        ),
        _apart(
            [one for one in upright if one.at(y + height / 2) > x + 0.9 * width], y + height / 2
        ),
        _apart([one for one in level if one.at(x + width / 2) < y + 0.1 * height], x + width / 2),
        _apart([one for one in level if one.at(x + width / 2) > y + 0.9 * height], x + width / 2),
    ]
    if sum(not side for side in sides) > 1:
        return 0.0
    near = np.asarray(cv2.dilate(edges, np.ones((3, 3), np.uint8)), dtype=np.uint8)
    # A side without a line is the rim of the part: it is never on an edge.
    rims = (_Line(0.0), _Line(size[0] - 1.0), _Line(0.0), _Line(size[1] - 1.0))
    there = [side or [rim] for side, rim in zip(sides, rims, strict=True)]
    missing = [not side for side in sides]
    return _best_closed(near, [list(four) for four in itertools.product(*there)], missing)


@dataclass(frozen=True, slots=True)
class _Line:
    """An upright line as x = start + slope * y, a level one as y = start + slope * x."""

    start: float
    slope: float = 0.0

    def at(self, where: float) -> float:
        return self.start + self.slope * where


def _apart(lines: list[_Line], where: float) -> list[_Line]:
    """The strongest of a side that are not one and the same."""
    kept: list[_Line] = []
    for line in lines:
        if all(abs(line.at(where) - one.at(where)) > _SAME_PX for one in kept):
            kept.append(line)
    return kept[:_MOST_LINES]


def _lines(edges: Grey) -> tuple[list[_Line], list[_Line]]:
    """Upright and level ones, the strongest first."""
    found = cv2.HoughLines(edges, 1.0, math.pi / 120.0, _FACE_PX // 2)
    upright: list[_Line] = []
    level: list[_Line] = []
    for rho, theta in [] if found is None else found[:_MOST_FOUND, 0].tolist():
        if min(theta, math.pi - theta) < _TILT:
            upright.append(_Line(rho / math.cos(theta), -math.tan(theta)))
        elif abs(theta - math.pi / 2) < _TILT:
            level.append(_Line(rho / math.sin(theta), -1.0 / math.tan(theta)))
    return upright, level


def _best_closed(near: Grey, fours: list[list[_Line]], missing: list[bool]) -> float:
    """Of each four sides how much of the third best lies on edges, from corner to corner."""
    lines = np.array([[(one.start, one.slope) for one in four] for four in fours])
    corners = np.empty((len(fours), 2, 2, 2))
    for i, j in itertools.product((0, 1), (0, 1)):
        upright, level = lines[:, i], lines[:, 2 + j]
        y = (level[:, 0] + level[:, 1] * upright[:, 0]) / (1.0 - level[:, 1] * upright[:, 1])
        corners[:, i, j] = np.stack([upright[:, 0] + upright[:, 1] * y, y], axis=1)
    ends = (
        (corners[:, 0, 0], corners[:, 0, 1]),
        (corners[:, 1, 0], corners[:, 1, 1]),
        (corners[:, 0, 0], corners[:, 1, 0]),
        (corners[:, 0, 1], corners[:, 1, 1]),
    )
    shares = np.stack(
        [
            np.zeros(len(fours)) if gone else _on_edges(near, *two)
            for two, gone in zip(ends, missing, strict=True)
        ]
    )
    return float(np.sort(shares, axis=0)[1].max())


def _on_edges(
    near: Grey, one: NDArray[np.float64], two: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The share of each stretch that lies on edges; none of one that lies half outside."""
    steps = np.linspace(0.0, 1.0, _STEPS)[:, None]
    places = np.rint(one[:, None] + (two - one)[:, None] * steps).astype(int)
    x, y = places[..., 0], places[..., 1]
    inside = (x >= 0) & (y >= 0) & (x < near.shape[1]) & (y < near.shape[0])
    on = near[np.clip(y, 0, near.shape[0] - 1), np.clip(x, 0, near.shape[1] - 1)] > 0
    told = inside.sum(axis=1)
    share = (on & inside).sum(axis=1) / np.maximum(told, 1)
    return np.asarray(np.where(told >= _STEPS // 2, share, 0.0))


def beat(image: Image, face: Box) -> float | None:
    """The highest peak of the face's spectrum above its surroundings; None of a small face."""
    side = min(face.width, face.height, _BEAT_PX)
    if side < _LEAST_BEAT_PX:
        return None
    left = max(face.x + (face.width - side) // 2, 0)
    top = max(face.y + (face.height - side) // 2, 0)
    part = image[top : top + side, left : left + side]
    if part.shape[:2] != (side, side):
        return None
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32)
    window = np.hanning(side)[:, None] * np.hanning(side)[None]
    spectrum = np.fft.fftshift(np.abs(np.fft.fft2((grey - grey.mean()) * window)))
    power = np.log(spectrum + 1e-3)
    steps = np.fft.fftshift(np.fft.fftfreq(side))
    across, down = np.meshgrid(steps, steps)
    radius = np.hypot(across, down)
    # Blocks of a compressed picture beat along the axes, and a face fills what is coarse.
    wanted = (radius > 0.1) & (radius < 0.49) & (np.abs(across) > 0.03) & (np.abs(down) > 0.03)
    around = cv2.blur(power.astype(np.float32), (9, 9))
    above = (power - around)[wanted]
    spread = float(np.median(np.abs(above - np.median(above)))) * 1.4826
    return float(above.max() - np.median(above)) / max(spread, 1e-3)
