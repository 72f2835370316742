"""Templates in few bits, for a pass that must fit into a QR code.

    8 bits   round(x / s), s = largest |x| / 127                        128 components: 128 bytes
    4 bits   round(x / s - 1/2) + 1/2, s = _CLIP * rms / 7.5             64 bytes
    1 bit    sign(x) * mean |x|                                          16 bytes

Four bits are a uniform mid-rise quantiser of 16 steps: for components that are near normal the
least error lies at a step of 0.3352 rms (J. Max, "Quantizing for minimum distortion", IRE Trans.
Information Theory 6, 1960). One bit keeps the mean magnitude, the best single level for the signs.
"""

import struct

import numpy as np
import numpy.typing as npt

BITS = (8, 4, 1)
_STEP_OF_RMS = 0.3352
MAX_COMPONENTS = 4096


def quantise(template: npt.NDArray[np.float32], bits: int) -> bytes:
    """``template`` (components) as a scale (float32, little-endian) and its packed components.

    Raises:
        ValueError: ``bits`` is none of ``BITS``, or the template is no finite vector.
    """
    values = np.asarray(template, dtype=np.float64)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise ValueError("a template is a vector of finite numbers")
    if bits == 8:
        scale = float(np.abs(values).max()) / 127
        packed = np.rint(values / (scale or 1.0)).astype(np.int8).tobytes()
    elif bits == 4:
        scale = _STEP_OF_RMS * float(np.sqrt(np.mean(values**2)))
        levels = np.clip(np.floor(values / (scale or 1.0)), -8, 7).astype(np.int64) + 8
        if levels.size % 2:
            levels = np.append(levels, 8)
        packed = (levels[0::2] << 4 | levels[1::2]).astype(np.uint8).tobytes()
    elif bits == 1:
        scale = float(np.abs(values).mean())
        packed = np.packbits(values >= 0).tobytes()
    else:
        raise ValueError(f"{bits} bits a component: only {BITS} are known")
    return struct.pack("<f", scale) + packed


def dequantise(data: bytes, bits: int, components: int) -> npt.NDArray[np.float32]:
    """The template that ``data`` stands for: ``components`` float32.

    Raises:
        ValueError: ``data`` has another length, or a scale that is no finite number.
    """
    if bits not in BITS or not 0 < components <= MAX_COMPONENTS:
        raise ValueError("no quantised template")
    if len(data) != 4 + (components * bits + 7) // 8:
        raise ValueError("a quantised template of another length")
    scale = struct.unpack_from("<f", data)[0]
    if not np.isfinite(scale) or scale < 0:
        raise ValueError("a quantised template without a scale")
    packed = np.frombuffer(data, np.uint8, offset=4)
    if bits == 8:
        steps = packed.view(np.int8).astype(np.float32)
    elif bits == 4:
        steps = np.stack([packed >> 4, packed & 15], axis=1).ravel()[:components] - np.float32(7.5)
    else:
        steps = np.unpackbits(packed)[:components] * np.float32(2) - np.float32(1)
    return (steps * np.float32(scale)).astype(np.float32)
