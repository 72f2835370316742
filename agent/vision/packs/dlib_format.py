"""The codec of dlib's serialised files: integers, floats, strings, booleans and tensors, no I/O.

The format, as read from the files and proven by converting them: an integer is a control byte (low
four bits: byte count, 1 to 8; 0x80: negative; all else zero) and that many bytes, least significant
first. A float is two such integers, mantissa and exponent of two; the exponents 32000 to 32002
stand for the infinities and not-a-number and never occur in a model. A string is its length and its
bytes, a boolean the character 1 or 0. A tensor is its version (2), its four dimensions (samples,
channels, rows, columns) and raw little-endian float32.

The files come from the network, so nothing here trusts a count: every one is held against the bytes
that are left before anything of its size is made.
"""

from array import array

import numpy as np
import numpy.typing as npt

from agent.errors import ModelPackError

TENSOR_VERSION = 2
LONGEST_NAME_BYTES = 64
_LARGEST_EXPONENT = 1100
_NEGATIVE = 0x80
_COUNT_MASK = 0x0F
_UNUSED_BITS = 0x70

Float32Array = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]


class DlibFormatError(ModelPackError, ValueError):
    """The bytes are no dlib file of the kind expected; nothing of them is used."""


class DlibReader:
    """A cursor over the bytes of a dlib file; every read either advances or raises.

    Raises:
        DlibFormatError: from every method, where the bytes end early or are not what was asked.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    @property
    def remaining_bytes(self) -> int:
        """How many bytes have not been read."""
        return len(self._data) - self.position

    def fail(self, what: str) -> DlibFormatError:
        """An error that names the place."""
        return DlibFormatError(f"dlib file, byte {self.position}: {what}")

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        if not 0 <= count <= self.remaining_bytes:
            raise self.fail(f"{count} bytes expected, {self.remaining_bytes} left")
        start = self.position
        self.position += count
        return self._data[start : self.position]

    def integer(self) -> int:
        """One integer of up to 64 bits and a sign."""
        control = self.take(1)[0]
        count = control & _COUNT_MASK
        if control & _UNUSED_BITS or not 1 <= count <= 8:
            raise self.fail(f"control byte 0x{control:02x} of no integer")
        magnitude = int.from_bytes(self.take(count), "little")
        return -magnitude if control & _NEGATIVE else magnitude

    def count(self, least: int, most: int, what: str) -> int:
        """An integer within bounds; ``what`` names it in the error."""
        value = self.integer()
        if not least <= value <= most:
            raise self.fail(f"{what} is {value}, not {least} to {most}")
        return value

    def expect(self, value: int, what: str) -> None:
        """One integer that can only have this value."""
        self.count(value, value, what)

    def real(self) -> float:
        """One finite float."""
        mantissa, exponent = self.integer(), self.integer()
        if not -_LARGEST_EXPONENT <= exponent <= _LARGEST_EXPONENT or abs(mantissa) >= 1 << 63:
            raise self.fail(f"no finite float: {mantissa} x 2^{exponent}")
        try:
            return float(np.ldexp(float(mantissa), exponent))
        except FloatingPointError as error:
            raise self.fail(f"no finite float: {mantissa} x 2^{exponent}") from error

    def string(self) -> str:
        """One short ASCII name."""
        name = self.take(self.count(0, LONGEST_NAME_BYTES, "the length of a name"))
        if not name.isascii():
            raise self.fail("a name that is not ASCII")
        return name.decode("ascii")

    def boolean(self) -> bool:
        """One boolean."""
        character = self.take(1)
        if character not in (b"0", b"1"):
            raise self.fail(f"{character!r} is no boolean")
        return character == b"1"

    def dimensions(self) -> tuple[int, int, int, int]:
        """Samples, channels, rows and columns; no tensor that large need be in the file."""
        samples, channels, rows, columns = (self.count(0, 1 << 31, "a size") for _ in range(4))
        return samples, channels, rows, columns

    def tensor(self) -> Float32Array:
        """One tensor, flat, all of it finite."""
        self.expect(TENSOR_VERSION, "the version of a tensor")
        samples, channels, rows, columns = self.dimensions()
        values = np.frombuffer(self.take(4 * samples * channels * rows * columns), "<f4")
        if not np.isfinite(values).all():
            raise self.fail("a tensor with values that are not finite")
        return values.astype(np.float32)

    def end(self) -> None:
        """The file ends here."""
        if self.remaining_bytes:
            raise self.fail(f"{self.remaining_bytes} bytes after the end")


def read_integers(data: bytes) -> Int64Array:
    """Every integer of a file that holds nothing else, as a shape predictor's does.

    One tight loop, since such a file has millions (a second or so on a desktop, several on a Pi);
    memory stays under nine times the file's size.

    Raises:
        DlibFormatError: the bytes end early, or one of the integers is none or exceeds 63 bits.
    """
    values = array("q")
    append, from_bytes = values.append, int.from_bytes
    position, end = 0, len(data)
    while position < end:
        control = data[position]
        following = position + 1 + (control & _COUNT_MASK)
        if control & _UNUSED_BITS or not position + 2 <= following <= position + 9:
            raise DlibFormatError(f"dlib file, byte {position}: 0x{control:02x} is no integer")
        if following > end:
            raise DlibFormatError(f"dlib file, byte {position}: ends within an integer")
        magnitude = from_bytes(data[position + 1 : following], "little")
        if magnitude >> 63:
            raise DlibFormatError(f"dlib file, byte {position}: an integer of more than 63 bits")
        append(-magnitude if control & _NEGATIVE else magnitude)
        position = following
    return np.frombuffer(values, np.int64) if values else np.zeros(0, np.int64)


def float32_of(mantissas: Int64Array, exponents: Int64Array) -> Float32Array:
    """Floats from their integers, elementwise and exact for what dlib wrote from a float32.

    Raises:
        DlibFormatError: one of them is not finite, or no float32.
    """
    if mantissas.size and (np.abs(exponents).max() > _LARGEST_EXPONENT):
        raise DlibFormatError("dlib file: a float that is not finite")
    with np.errstate(over="ignore", under="ignore"):
        values = np.ldexp(mantissas.astype(np.float64), exponents.astype(np.int32))
        single = values.astype(np.float32)
    if not np.isfinite(single).all():
        raise DlibFormatError("dlib file: a float beyond single precision")
    return single
