"""Reads dlib's shape predictor file into arrays, and writes them as one compact file; no file I/O.

The file holds integers only, floats being two of them: version 1, the initial shape, then three
lists as long as the cascade: forests, anchors, deltas. A list is its length and its items. A tree
is its splits (two feature indices and a threshold each, in breadth-first order) and its leaves; a
leaf and the initial shape are matrices, which are their rows and columns, negated, and their
floats. Points are x, y in a box that runs from 0 to 1. All trees must be of one size, as dlib's
trainer makes them, so that every level is a plain array.

The compact form is eight bytes of magic, five sizes (points, levels, trees, splits, features; 32
bits each) and the arrays one after the other, all little-endian: the same bytes on every machine,
read back in milliseconds, and its length follows from its sizes.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from agent.vision.packs.dlib_format import (
    DlibFormatError,
    Float32Array,
    Int64Array,
    float32_of,
    read_integers,
)

_MOST_CASCADES = 64
_MOST_TREES = 4096
_MOST_FEATURES = 4096
_DEEPEST = 10
_MOST_POINTS = 256
_SPLIT_INTEGERS = 4
_MAGIC = b"GATESHP1"
_SIZES = struct.Struct("<5I")
_DTYPES = ("<f4", "<u2", "<u2", "<f4", "<f4", "<u2", "<f4")


@dataclass(frozen=True, eq=False)
class ShapeForests:
    """A cascade of forests over pixel differences.

    With C levels, T trees a level, S splits and S + 1 leaves a tree, F features a level and P
    points: ``initial_shape`` P x 2; ``first_feature``, ``second_feature``, ``thresholds`` C x T x S
    (a tree goes left where first - second > threshold, intensities 0 to 255); ``leaves``
    C x T x (S + 1) x 2P; ``anchors`` C x F (a feature's nearest point) and ``deltas`` C x F x 2
    (its offset from that point).
    """

    initial_shape: Float32Array
    first_feature: npt.NDArray[np.uint16]
    second_feature: npt.NDArray[np.uint16]
    thresholds: Float32Array
    leaves: Float32Array
    anchors: npt.NDArray[np.uint16]
    deltas: Float32Array

    def __post_init__(self) -> None:
        points = self.initial_shape.shape[0]
        cascades, trees, splits = self.first_feature.shape
        features = self.anchors.shape[1]
        agree = (
            self.initial_shape.shape == (points, 2)
            and self.second_feature.shape == self.thresholds.shape == (cascades, trees, splits)
            and self.leaves.shape == (cascades, trees, splits + 1, 2 * points)
            and self.anchors.shape == (cascades, features)
            and self.deltas.shape == (cascades, features, 2)
            and (splits + 1) & splits == 0
        )
        if not agree or min(points, cascades, trees, splits, features) < 1:
            raise DlibFormatError("shape predictor: its arrays do not belong together")
        if max(self.first_feature.max(), self.second_feature.max()) >= features:
            raise DlibFormatError("shape predictor: a split looks at a feature that is not there")
        if self.anchors.max() >= points:
            raise DlibFormatError("shape predictor: an anchor is no point")


class _Cursor:
    def __init__(self, integers: Int64Array) -> None:
        self._integers = integers
        self._at = 0

    def block(self, count: int) -> Int64Array:
        if count > self._integers.size - self._at:
            raise DlibFormatError("shape predictor: it ends early")
        self._at += count
        return self._integers[self._at - count : self._at]

    def count(self, least: int, most: int, what: str) -> int:
        value = int(self.block(1)[0])
        if not least <= value <= most:
            raise DlibFormatError(f"shape predictor: {what} is {value}, not {least} to {most}")
        return value

    def peek(self, offset: int) -> int:
        if offset >= self._integers.size - self._at:
            raise DlibFormatError("shape predictor: it ends early")
        return int(self._integers[self._at + offset])

    def end(self) -> None:
        if self._at != self._integers.size:
            raise DlibFormatError("shape predictor: it goes on after its end")


def read_shape_forests(data: bytes) -> ShapeForests:
    """The forests in ``data``, the content of a dlib ``shape_predictor`` file.

    Raises:
        DlibFormatError: it is cut short, goes on too long, or is no shape predictor.
    """
    cursor = _Cursor(read_integers(data))
    cursor.count(1, 1, "the version")
    coordinates = -cursor.count(-2 * _MOST_POINTS, -2, "the rows of the initial shape")
    cursor.count(-1, -1, "the columns of the initial shape")
    initial_shape = _floats(cursor.block(2 * coordinates))
    cascades = cursor.count(1, _MOST_CASCADES, "the levels of the cascade")
    forests = [_forest(cursor, coordinates) for _ in range(cascades)]
    anchors = [cursor.block(n) for n in _lengths(cursor, cascades)]
    deltas = [_floats(cursor.block(4 * n)).reshape(n, 2) for n in _lengths(cursor, cascades)]
    cursor.end()
    try:
        return ShapeForests(
            initial_shape.reshape(-1, 2),
            _unsigned([forest[0] for forest in forests]),
            _unsigned([forest[1] for forest in forests]),
            np.stack([forest[2] for forest in forests]),
            np.stack([forest[3] for forest in forests]),
            _unsigned(anchors),
            np.stack(deltas),
        )
    except ValueError as error:
        raise DlibFormatError("shape predictor: its levels are of different sizes") from error


def pack_shape_forests(forests: ShapeForests) -> bytes:
    """``forests`` in the compact form."""
    points, (cascades, trees, splits) = len(forests.initial_shape), forests.first_feature.shape
    sizes = _SIZES.pack(points, cascades, trees, splits, forests.anchors.shape[1])
    arrays = [
        np.ascontiguousarray(getattr(forests, field.name), dtype).tobytes()
        for field, dtype in zip(fields(forests), _DTYPES, strict=True)
    ]
    return b"".join([_MAGIC, sizes, *arrays])


def unpack_shape_forests(data: bytes) -> ShapeForests:
    """Forests from the compact form.

    Raises:
        DlibFormatError: it is cut short or was not written by ``pack_shape_forests``.
    """
    at = len(_MAGIC) + _SIZES.size
    if len(data) < at or not data.startswith(_MAGIC):
        raise DlibFormatError("shape predictor: its compact file is none")
    points, cascades, trees, splits, features = _SIZES.unpack_from(data, len(_MAGIC))
    if not min(points, cascades, trees, splits, features):
        raise DlibFormatError("shape predictor: its compact file is empty")
    shapes: list[tuple[int, ...]] = [
        (points, 2),
        (cascades, trees, splits),
        (cascades, trees, splits),
        (cascades, trees, splits),
        (cascades, trees, splits + 1, 2 * points),
        (cascades, features),
        (cascades, features, 2),
    ]
    arrays = []
    for shape, dtype in zip(shapes, _DTYPES, strict=True):
        count = math.prod(shape)
        if count * np.dtype(dtype).itemsize > len(data) - at:
            raise DlibFormatError("shape predictor: its compact file ends early")
        arrays.append(np.frombuffer(data, dtype, count, at).reshape(shape))
        at += arrays[-1].nbytes
    if at != len(data):
        raise DlibFormatError("shape predictor: its compact file goes on after its end")
    return ShapeForests(*arrays)


def _floats(integers: Int64Array) -> Float32Array:
    pairs = integers.reshape(-1, 2)
    return float32_of(pairs[:, 0], pairs[:, 1])


def _unsigned(levels: list[Int64Array]) -> npt.NDArray[np.uint16]:
    values = np.stack(levels)
    if values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
        raise DlibFormatError("shape predictor: an index out of all bounds")
    return values.astype(np.uint16)


def _lengths(cursor: _Cursor, cascades: int) -> Iterator[int]:
    """Each item's length, read just before the item itself is."""
    cursor.count(cascades, cascades, "the length of a list a level")
    for _ in range(cascades):
        yield cursor.count(1, _MOST_FEATURES, "the features of a level")


def _forest(
    cursor: _Cursor, coordinates: int
) -> tuple[Int64Array, Int64Array, Float32Array, Float32Array]:
    """First and second features, thresholds and leaves of one level, read as one table.

    A tree's layout is fixed once its number of splits is, so a forest is a table with a tree a
    row; the lengths and sizes between the values are columns that must be constant.
    """
    trees = cursor.count(1, _MOST_TREES, "the trees of a forest")
    splits = cursor.peek(0)
    if splits not in [2**depth - 1 for depth in range(1, _DEEPEST + 1)]:
        raise DlibFormatError(f"shape predictor: a tree of {splits} splits is not full")
    leaf_integers = 2 + 2 * coordinates
    leaves_at = 1 + splits * _SPLIT_INTEGERS
    tree_integers = leaves_at + 1 + (splits + 1) * leaf_integers
    table = cursor.block(trees * tree_integers).reshape(trees, tree_integers)
    nodes = table[:, 1:leaves_at].reshape(trees, splits, _SPLIT_INTEGERS)
    leaves = table[:, leaves_at + 1 :].reshape(trees, splits + 1, leaf_integers)
    if (
        (table[:, 0] != splits).any()
        or (table[:, leaves_at] != splits + 1).any()
        or (leaves[:, :, 0] != -coordinates).any()
        or (leaves[:, :, 1] != -1).any()
    ):
        raise DlibFormatError("shape predictor: trees of different sizes")
    thresholds = float32_of(nodes[:, :, 2].ravel(), nodes[:, :, 3].ravel())
    values = _floats(leaves[:, :, 2:].reshape(-1, 2))
    return (
        nodes[:, :, 0],
        nodes[:, :, 1],
        thresholds.reshape(trees, splits),
        values.reshape(trees, splits + 1, coordinates),
    )
