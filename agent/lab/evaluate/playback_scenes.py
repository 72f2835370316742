"""Made-up presentations before a camera: living faces, and pictures of them that are played back.

Each is a second of frames of 640 x 480 pixels, 15 a second, out of one portrait. What is assumed,
none of it measured on people or devices (u is the distance between the eyes):

    living    the head is an ellipsoid with a nose (0.9 u deep, the nose 0.35 u more); it turns by
              some 4 degrees and nods by 3 (standard deviations, in half a second), a ``still`` one
              by 0.4 of that; it sways by 0.1 u
    screen    phone or tablet: a dark or bright border, gamma 0.85 to 1.15, black lifted by its
              backlight, glare on every second one, and the camera's pixels beating with its own:
              a grating of 0 to 6 % at 0.12 to 0.45 periods a pixel
    print     less contrast, a white rim on every second one; ``bent`` about an upright cylinder of
              2 to 4 u; ``fixed`` on a stand
    hand      shakes by 0.1 u, and tilts by 4 degrees each way
    camera    blurs by 0.6 pixels, noise of 2 grey values

A ``video`` is a living face that a screen plays. The portrait fills its picture as it is, its own
background with it, blurred beyond its rim; behind a device are soft shapes. Real attacks are lit,
sharpened, cut out and tried again until they pass: whatever is found here says how the cues behave,
not how often they would stop anybody.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.domain.sight.image import Image, Landmarks

WIDTH_PX, HEIGHT_PX = 640, 480
FPS = 15.0
FRAMES = 15
_STRIPS, _SPARE_PX = 12, 61

Chance = np.random.Generator
Picture = NDArray[np.float32]


class Shown(StrEnum):
    """What stands before the camera; the value is the word in reports."""

    LIVING = "living"
    LIVING_STILL = "living_still"
    PHONE_PHOTO = "phone_photo"
    PHONE_VIDEO = "phone_video"
    TABLET_PHOTO = "tablet_photo"
    TABLET_VIDEO = "tablet_video"
    PRINT = "print"
    BENT_PRINT = "bent_print"
    FIXED_PRINT = "fixed_print"

    @property
    def living(self) -> bool:
        """Whether it is no attack."""
        return self in (Shown.LIVING, Shown.LIVING_STILL)


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A photograph with the face's middle between the eyes, and the distance between them."""

    image: Image
    x: float
    y: float
    apart_px: float


def portrait_of(image: Image, points: Landmarks) -> Portrait:
    """By a detector's five landmarks, or dlib's."""
    first, second = (float(np.hypot(*(points[0] - points[i]))) for i in (1, 2))
    detectors = first > 0.7 * second
    eyes = points[:2] if detectors else np.stack([points[0:2].mean(0), points[2:4].mean(0)])
    x, y = eyes.mean(axis=0)
    return Portrait(image, float(x), float(y), max(float(np.hypot(*(eyes[1] - eyes[0]))), 4.0))


def frames(shown: Shown, portrait: Portrait, chance: Chance) -> Iterator[Image]:
    """A second of it."""
    apart_px = float(chance.uniform(42.0, 62.0))
    if shown.living:
        lively = 0.4 if shown is Shown.LIVING_STILL else 1.0
        yield from _camera(
            _living(portrait, apart_px, (WIDTH_PX, HEIGHT_PX), lively, chance), chance
        )
        return
    yield from _camera(_played(shown, portrait, apart_px, chance), chance)


def _wander(sigma: float, memory_s: float, chance: Chance) -> list[float]:
    """A value that wanders about its mean: an Ornstein-Uhlenbeck process, a value a frame."""
    keep = math.exp(-1.0 / (FPS * memory_s))
    found = [float(chance.normal(0.0, sigma))]
    for _ in range(FRAMES - 1):
        step = float(chance.normal(0.0, sigma)) * math.sqrt(1.0 - keep * keep)
        found.append(keep * found[-1] + step)
    return found


def _laid_out(portrait: Portrait, apart_px: float, size: tuple[int, int]) -> Picture:
    """The portrait so large that its eyes are ``apart_px`` apart, face in the middle."""
    scale = apart_px / portrait.apart_px
    across, down = size[0] / 2 - portrait.x * scale, size[1] * 0.42 - portrait.y * scale
    move = np.array([[scale, 0.0, across], [0.0, scale, down]])
    how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
    source = portrait.image
    if scale < 0.5:
        side = (round(source.shape[1] * scale), round(source.shape[0] * scale))
        source = np.asarray(cv2.resize(source, side, interpolation=how), dtype=np.uint8)
        move[:, :2] = np.eye(2)
    laid = cv2.warpAffine(
        source, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    ).astype(np.float32)
    # Beyond its rim it goes on without edges and without another face.
    inside = cv2.warpAffine(np.ones(source.shape[:2], np.float32), move, size)
    soft = cv2.GaussianBlur(inside, (0, 0), 0.15 * apart_px)[..., None] * inside[..., None]
    return np.asarray(soft * laid + (1.0 - soft) * cv2.blur(laid, (41, 41)), dtype=np.float32)


def _living(
    portrait: Portrait, apart_px: float, size: tuple[int, int], lively: float, chance: Chance
) -> Iterator[Picture]:
    """A head that turns: each pixel moves by its depth, seen from far away."""
    still = _laid_out(portrait, apart_px, size)
    columns, rows = np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1]))
    x = ((columns - size[0] / 2) / apart_px).astype(np.float32)
    y = ((rows - size[1] * 0.42) / apart_px).astype(np.float32)
    round_head = np.sqrt(np.maximum(1.0 - (x / 1.2) ** 2 - ((y - 0.45) / 1.7) ** 2, 0.0))
    nose = np.exp(-(x**2 + (y - 0.6) ** 2) / (2.0 * 0.22**2))
    depth = ((0.9 * round_head + 0.35 * nose) * apart_px).astype(np.float32)
    turns = _wander(math.radians(4.0) * lively, 0.5, chance)
    nods = _wander(math.radians(3.0) * lively, 0.5, chance)
    sways = [_wander(0.1 * lively * apart_px, 0.7, chance) for _ in range(2)]
    for turn, nod, right, down in zip(turns, nods, *sways, strict=True):
        from_x = (columns - depth * math.sin(turn) - right).astype(np.float32)
        from_y = (rows - depth * math.sin(nod) - down).astype(np.float32)
        seen = cv2.remap(still, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        yield np.asarray(seen, dtype=np.float32)


def _played(shown: Shown, portrait: Portrait, apart_px: float, chance: Chance) -> Iterator[Picture]:
    """A picture of a face, held before soft shapes."""
    tablet = shown in (Shown.TABLET_PHOTO, Shown.TABLET_VIDEO)
    paper = shown in (Shown.PRINT, Shown.BENT_PRINT, Shown.FIXED_PRINT)
    wide = 5.0 if tablet or paper else 3.6
    size = (round(wide * apart_px), round(wide * apart_px * (1.35 if tablet or paper else 1.6)))
    behind = _soft_shapes(chance)
    video = shown in (Shown.PHONE_VIDEO, Shown.TABLET_VIDEO)
    look = _paper(size, chance) if paper else _screen(size, chance)
    hand = 0.0 if shown is Shown.FIXED_PRINT else 1.0
    bend = float(chance.uniform(2.0, 4.0)) * apart_px if shown is Shown.BENT_PRINT else None
    still = _laid_out(portrait, apart_px, size)
    moving = _living(portrait, apart_px, size, 1.0, chance) if video else None
    tilts = [_wander(math.radians(4.0) * hand, 0.5, chance) for _ in range(3)]
    shakes = [_wander(0.1 * hand * apart_px, 0.4, chance) for _ in range(2)]
    for tilt_x, tilt_y, roll, right, down in zip(*tilts, *shakes, strict=True):
        picture = look.of(next(moving) if moving is not None else still)
        place = (WIDTH_PX / 2 + right, HEIGHT_PX / 2 + down)
        yield _held(picture, behind, (tilt_x, tilt_y, 0.5 * roll), place, bend)


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What a device makes of a picture."""

    gamma: float
    black: float
    white: float
    extra: Picture
    border_px: int
    border: float

    def of(self, picture: Picture) -> Picture:
        toned = 255.0 * (np.clip(picture, 0.0, 255.0) / 255.0) ** self.gamma
        toned = self.black + toned * (self.white - self.black) / 255.0
        toned = toned * self.extra[..., :1] + self.extra[..., 1:2]
        wide = self.border_px
        framed = cv2.copyMakeBorder(
            toned, wide, wide, wide, wide, cv2.BORDER_CONSTANT, value=(self.border,) * 3
        )
        return np.asarray(framed, dtype=np.float32)


def _screen(size: tuple[int, int], chance: Chance) -> _Look:
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    angle = float(chance.uniform(0.0, math.pi))
    periods = float(chance.uniform(0.12, 0.45))
    along = math.cos(angle) * x + math.sin(angle) * y
    beat = 1.0 + float(chance.uniform(0.0, 0.06)) * np.sin(2.0 * math.pi * periods * along)
    glare = np.zeros_like(beat)
    if chance.random() < 0.5:
        at_x, at_y = chance.uniform(0.1, 0.9) * size[0], chance.uniform(0.1, 0.9) * size[1]
        far2 = (x - at_x) ** 2 + (y - at_y) ** 2
        glare = chance.uniform(20.0, 90.0) * np.exp(-far2 / (2.0 * (0.2 * size[0]) ** 2))
    border = float(chance.choice([12.0, 22.0, 225.0]))
    return _Look(
        float(chance.uniform(0.85, 1.15)),
        float(chance.uniform(4.0, 20.0)),
        float(chance.uniform(215.0, 250.0)),
        np.dstack([beat, glare]).astype(np.float32),
        max(round(size[0] * float(chance.uniform(0.02, 0.06))), 3),
        border,
    )


def _paper(size: tuple[int, int], chance: Chance) -> _Look:
    even = np.dstack([np.ones((size[1], size[0])), np.zeros((size[1], size[0]))])
    rim = round(size[0] * float(chance.uniform(0.02, 0.08))) if chance.random() < 0.5 else 0
    black, white = float(chance.uniform(15.0, 45.0)), float(chance.uniform(190.0, 235.0))
    return _Look(1.0, black, white, even.astype(np.float32), rim, white)


def _held(
    picture: Picture,
    behind: Picture,
    tilt: tuple[float, float, float],
    place: tuple[float, float],
    bend_px: float | None,
) -> Picture:
    """``picture`` turned by ``tilt`` (about its axes across and down, and in its own plane).

    A bent one is made of flat strips.
    """
    height, width = picture.shape[:2]
    across = np.linspace(-0.5, 0.5, 2 if bend_px is None else _STRIPS + 1) * width
    x, z = across, np.zeros(len(across))
    if bend_px is not None:
        x, z = bend_px * np.sin(across / bend_px), bend_px * (np.cos(across / bend_px) - 1.0)
    frame = behind.copy()
    for left, right in itertools.pairwise(range(len(across))):
        ends = ((left, -1.0), (right, -1.0), (right, 1.0), (left, 1.0))
        corners = np.array([[x[i], end * height / 2, z[i]] for i, end in ends])
        flat = np.array([[across[i] + width / 2, (end + 1.0) * height / 2] for i, end in ends])
        _paste(frame, picture, flat, _projected(corners, tilt, place))
    return frame


def _paste(
    frame: Picture, picture: Picture, flat: NDArray[np.float64], seen: NDArray[np.float64]
) -> None:
    """The part of ``picture`` between the corners ``flat``, seen between the corners ``seen``."""
    left, top = np.maximum(np.floor(seen.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(seen.max(axis=0)).astype(int) + 1, (WIDTH_PX, HEIGHT_PX))
    if right <= left or bottom <= top:
        return
    moved = (seen - (left, top)).astype(np.float32)
    how = cv2.getPerspectiveTransform(flat.astype(np.float32), moved)
    size = (int(right - left), int(bottom - top))
    part = cv2.warpPerspective(picture, how, size, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros(part.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.rint(moved * 16).astype(np.int32), (1,), cv2.LINE_8, 4)
    inside = mask > 0
    frame[top:bottom, left:right][inside] = part[inside]


def _projected(
    corners: NDArray[np.float64], tilt: tuple[float, float, float], place: tuple[float, float]
) -> NDArray[np.float64]:
    """Points in the picture's pixels, seen from six of its widths away."""
    about_x, about_y, roll = tilt
    turned, _ = cv2.Rodrigues(np.array([about_x, about_y, 0.0]))
    rolled, _ = cv2.Rodrigues(np.array([0.0, 0.0, roll]))
    points = corners @ (rolled @ turned).T
    far_px = 900.0
    scale = far_px / (far_px - points[:, 2:])
    return np.asarray(points[:, :2] * scale + np.array(place), dtype=np.float64)


def _soft_shapes(chance: Chance) -> Picture:
    """A place without a face: soft light, and here and there a straight edge."""
    small = chance.uniform(60.0, 190.0, (6, 8, 3)).astype(np.float32)
    place = cv2.resize(small, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    for _ in range(int(chance.integers(0, 4))):
        x = int(chance.integers(0, WIDTH_PX))
        grey = float(chance.uniform(40.0, 210.0))
        cv2.rectangle(place, (x, 0), (x + 40, HEIGHT_PX), (grey, grey, grey), -1)
    return np.asarray(place, dtype=np.float32)


def _camera(pictures: Iterator[Picture], chance: Chance) -> Iterator[Image]:
    """Each frame has another window of one field of noise, which takes long to make."""
    shape = (HEIGHT_PX + _SPARE_PX, WIDTH_PX + _SPARE_PX, 3)
    noise = 2.0 * chance.standard_normal(shape, dtype=np.float32)
    for picture in pictures:
        blurred = cv2.GaussianBlur(picture, (5, 5), 0.6)
        y, x = (int(one) for one in chance.integers(0, _SPARE_PX, size=2))
        seen = blurred + noise[y : y + HEIGHT_PX, x : x + WIDTH_PX]
        yield np.clip(np.rint(seen), 0, 255).astype(np.uint8)
