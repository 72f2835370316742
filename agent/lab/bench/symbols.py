"""Generated symbols, degraded as a gate's camera sees them on phones and paper, and who reads them.

Nothing here is a photograph: what is measured is the decoders beside each other under the same
trouble, and what a stream without any symbol costs.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import segno
import zxingcpp

from agent.lab.bench.wall import bench_wall
from agent.vision.symbols.symbol_passes import DEFAULT, ZBAR, Grey
from agent.vision.symbols.symbols import SymbolWatch, read_symbols

Random = np.random.Generator
_WIDTH, _HEIGHT = 640, 480
_LETTERS = list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


@dataclass(frozen=True, slots=True)
class CodeFrame:
    """A frame of 640 x 480 and what its code says."""

    image: Grey
    text: str


def _text(random: Random) -> str:
    """As long as a pass with or without a template: QR versions 5 to 14."""
    return "GP1:" + "".join(random.choice(_LETTERS, int(random.integers(60, 520))))


def _code(text: str, module_px: float, *, dark_mode: bool = False) -> Grey:
    rows = np.array(list(segno.make(text, error="m", boost_error=False).matrix_iter(border=4)))
    black, white = (235, 18) if dark_mode else (18, 235)
    big = np.where(rows > 0, black, white).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    side = max(round(rows.shape[0] * module_px), 21)
    return _u8(cv2.resize(big, (side, side), interpolation=cv2.INTER_AREA))


def _background(random: Random) -> Grey:
    """Something like a street behind somebody: broad shades, edges, noise."""
    coarse = random.integers(40, 200, (6, 8)).astype(np.uint8)
    image = cv2.resize(coarse, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    for _ in range(12):
        x, y = int(random.integers(0, _WIDTH)), int(random.integers(0, _HEIGHT))
        size = (int(random.integers(20, 200)), int(random.integers(20, 200)))
        cv2.rectangle(image, (x, y), (x + size[0], y + size[1]), int(random.integers(20, 230)), -1)
    return _noisy(_u8(image), random, 4.0)


def _place(code: Grey, random: Random, turn: float = 0.0, tilt: float = 0.0) -> Grey:
    """The code somewhere in a frame, turned by degrees and tilted out of the plane."""
    image, side = _background(random), code.shape[0]
    half = side / 2
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    depth = 1.0 + tilt * corners[:, 0] / max(side, 1) * 1.6
    angle = np.deg2rad(turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    placed = (corners / depth[:, None]) @ rotation.T
    reach = np.abs(placed).max(axis=0)
    low, high = reach + 2, np.array([_WIDTH, _HEIGHT]) - reach - 2
    middle = np.array([_WIDTH, _HEIGHT]) / 2
    if (high > low).all():
        middle = random.uniform(low, high)
    target = (placed + middle).astype(np.float32)
    source = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    transform = cv2.getPerspectiveTransform(source, target)
    size = (_WIDTH, _HEIGHT)
    shown = cv2.warpPerspective(code, transform, size, flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full_like(code, 255), transform, size)
    return _u8(np.where(mask > 127, shown, image))


def _noisy(image: Grey, random: Random, sigma: float) -> Grey:
    return _u8(np.clip(image + random.normal(0, sigma, image.shape), 0, 255))


def _clean(random: Random, text: str) -> Grey:
    return _noisy(_place(_code(text, random.uniform(3, 5)), random), random, 3)


def _small(random: Random, text: str) -> Grey:
    return _noisy(_place(_code(text, random.uniform(1.3, 2.0)), random), random, 3)


def _blur(random: Random, text: str) -> Grey:
    module_px = random.uniform(2.5, 5)
    image = _place(_code(text, module_px), random, random.uniform(-8, 8))
    soft = cv2.GaussianBlur(image, (0, 0), module_px * random.uniform(0.4, 0.75))
    return _noisy(_u8(soft), random, 3)


def _motion(random: Random, text: str) -> Grey:
    module_px = random.uniform(3, 5)
    length = max(round(module_px * random.uniform(0.8, 1.8)), 2)
    kernel = np.full((1, length), 1 / length)
    image = _place(_code(text, module_px), random, random.uniform(-20, 20))
    return _noisy(_u8(cv2.filter2D(image, -1, kernel)), random, 3)


def _low_light(random: Random, text: str) -> Grey:
    image = _place(_code(text, random.uniform(2.5, 4.5)), random, random.uniform(-8, 8))
    dim = image * random.uniform(0.06, 0.16) + 4
    return _noisy(_u8(dim), random, random.uniform(1.5, 3.0))


def _glare(random: Random, text: str) -> Grey:
    code = _code(text, random.uniform(3, 5))
    side = code.shape[0]
    y, x = np.mgrid[0:side, 0:side] / side
    at = random.uniform(0.1, 0.9, 2)
    spot = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / random.uniform(0.01, 0.05))
    lit = np.clip(code * 0.75 + spot * random.uniform(120, 240), 0, 255)
    return _noisy(_place(_u8(lit), random, random.uniform(-8, 8)), random, 3)


def _moire(random: Random, text: str) -> Grey:
    image = _place(_code(text, random.uniform(2.8, 4.5)), random, random.uniform(-8, 8))
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    angle, period = random.uniform(0, np.pi), random.uniform(2.3, 6)
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    strength = random.uniform(20, 60)
    return _noisy(_u8(np.clip(image * 0.8 + 20 + wave * strength, 0, 255)), random, 3)


def _perspective(random: Random, text: str) -> Grey:
    tilt = random.uniform(0.35, 0.75) * random.choice([-1, 1])
    code = _code(text, random.uniform(3, 4.5))
    return _noisy(_place(code, random, random.uniform(-30, 30), tilt), random, 3)


def _rotation(random: Random, text: str) -> Grey:
    return _noisy(
        _place(_code(text, random.uniform(2.5, 4)), random, random.uniform(0, 360)), random, 3
    )


def _dark_mode(random: Random, text: str) -> Grey:
    code = _code(text, random.uniform(2.5, 4.5), dark_mode=True)
    return _noisy(_place(code, random, random.uniform(-8, 8)), random, 3)


def _jpeg(random: Random, text: str) -> Grey:
    image = _place(_code(text, random.uniform(2.2, 4)), random, random.uniform(-8, 8))
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(12, 35))]
    _, data = cv2.imencode(".jpg", image, quality)
    again = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert again is not None
    return _u8(again)


def _phone(random: Random, text: str) -> Grey:
    """A phone held out in the evening: a little of everything."""
    module_px = random.uniform(1.8, 3.2)
    code = _code(text, module_px, dark_mode=bool(random.random() < 0.3))
    image = _place(code, random, random.uniform(-20, 20), random.uniform(-0.3, 0.3))
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    wave = np.sin((x + 0.3 * y) * 2 * np.pi / random.uniform(2.5, 5)) * random.uniform(0, 15)
    soft = cv2.GaussianBlur(np.clip(image * 0.5 + 30 + wave, 0, 255), (0, 0), module_px * 0.35)
    return _noisy(_u8(soft), random, random.uniform(2, 6))


CLASSES: dict[str, Callable[[Random, str], Grey]] = {
    "clean": _clean,
    "small_modules": _small,
    "blur": _blur,
    "motion": _motion,
    "low_light": _low_light,
    "glare": _glare,
    "moire": _moire,
    "perspective": _perspective,
    "rotation": _rotation,
    "dark_mode": _dark_mode,
    "jpeg": _jpeg,
    "phone": _phone,
}


def scenes(name: str, count: int, seed: int = 0) -> Iterable[CodeFrame]:
    """``count`` scenes of a class; the same for the same seed."""
    random = np.random.default_rng([seed, *name.encode()])
    for _ in range(count):
        text = _text(random)
        yield CodeFrame(CLASSES[name](random, text), text)


def empty_frames(count: int, seed: int = 0) -> list[Grey]:
    """Frames of a stream that shows no symbol: what lies behind drifts, and noise."""
    random = np.random.default_rng(seed)
    behind = _background(random)
    return [
        _noisy(_u8(np.roll(behind, number * 3, axis=1)), random, 4.0) for number in range(count)
    ]


def bench_symbols(
    count: int, frames: int, progress: Callable[[str, int, int], None], seed: int = 0
) -> dict[str, Any]:
    """Decode rates and times by class, and the cost of a live stream, on one thread.

    Keys: ``scenes`` (by class: ``count``, and for ``ours``, ``zxing``, ``zbar``, ``union`` the
    ``rate`` of exact texts and the median ``ms``), ``total`` (the same over all), ``wrong`` (texts
    that were never shown, by decoder), ``false_positives`` (symbols in ``frames`` empty frames),
    ``live_ms``, ``zxing_ms`` and ``live_to_zxing`` (mean of a frame without a symbol, ours and
    zxing-cpp's at its defaults, and their ratio), ``live_to_zxing_2d`` (the same to zxing-cpp at
    its defaults for the formats that are read here), ``wall`` (what sixteen forged codes in a
    frame cost: ``lab.bench.wall``).
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return _measure(count, frames, progress, seed)
    finally:
        cv2.setNumThreads(threads)


def _measure(
    count: int, frames: int, progress: Callable[[str, int, int], None], seed: int
) -> dict[str, Any]:
    ways: dict[str, Callable[[Grey], list[str | None]]] = {
        "ours": lambda image: [symbol.text for symbol in read_symbols(image)],
        "zxing": lambda image: [one.text for one in zxingcpp.read_barcodes(image)],
        "zbar": _zbar_texts,
    }
    table: dict[str, Any] = {}
    everything: dict[str, list[tuple[bool, float]]] = {name: [] for name in (*ways, "union")}
    wrong = dict.fromkeys(ways, 0)
    for done, name in enumerate(CLASSES):
        progress("classes", done, len(CLASSES))
        results: dict[str, list[tuple[bool, float]]] = {way: [] for way in (*ways, "union")}
        for scene in scenes(name, count, seed):
            for way, read in ways.items():
                start_s = time.perf_counter()
                texts = read(scene.image)
                ms = (time.perf_counter() - start_s) * 1000.0
                results[way].append((scene.text in texts, ms))
                wrong[way] += sum(text not in (scene.text, None) for text in texts)
            (one, one_ms), (other, other_ms) = results["zxing"][-1], results["zbar"][-1]
            results["union"].append((one or other, one_ms + other_ms))
        table[name] = {"count": count} | {way: _figures(got) for way, got in results.items()}
        for way, got in results.items():
            everything[way] += got
    progress("classes", len(CLASSES), len(CLASSES))
    return {
        "scenes": table,
        "total": {way: _figures(got) for way, got in everything.items()},
        "wrong": wrong,
        **_live(frames, seed),
        "wall": bench_wall(max(frames // 5, 2)),
    }


def _live(frames: int, seed: int) -> dict[str, Any]:
    images = empty_frames(frames, seed)
    watch, found = SymbolWatch(), 0
    ours_s = default_s = two_s = 0.0
    for image in images:
        start_s = time.perf_counter()
        found += len(watch.look(image))
        ours_s += time.perf_counter() - start_s
        start_s = time.perf_counter()
        zxingcpp.read_barcodes(image)
        default_s += time.perf_counter() - start_s
        start_s = time.perf_counter()
        DEFAULT(image)
        two_s += time.perf_counter() - start_s
    count = max(len(images), 1)
    return {
        "frames": len(images),
        "false_positives": found + sum(len(read_symbols(image)) for image in images[:20]),
        "live_ms": round(ours_s / count * 1000.0, 3),
        "zxing_ms": round(default_s / count * 1000.0, 3),
        "live_to_zxing": round(ours_s / max(default_s, 1e-9), 3),
        "live_to_zxing_2d": round(ours_s / max(two_s, 1e-9), 3),
    }


def _zbar_texts(image: Grey) -> list[str | None]:
    return [one.text for one in ZBAR(image)]


def _figures(results: list[tuple[bool, float]]) -> dict[str, float]:
    read = [ok for ok, _ in results]
    return {
        "rate": round(sum(read) / max(len(read), 1), 4),
        "ms": round(float(np.median([ms for _, ms in results])) if results else 0.0, 3),
    }


def _u8(image: npt.ArrayLike) -> Grey:
    return np.asarray(image).astype(np.uint8)
