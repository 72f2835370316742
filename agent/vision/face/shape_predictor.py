"""Evaluates dlib's shape predictor with numpy: regression trees on differences of pixels.

Method: V. Kazemi and J. Sullivan, "One millisecond face alignment with an ensemble of regression
trees", CVPR 2014, in dlib's variant. All trees of a level are walked at once. The single precision
of dlib and its order of summation are kept, so that a pixel on the edge of a comparison falls to
the same side: the points are dlib's own, before it rounds them to whole pixels.
"""

import numpy as np
import numpy.typing as npt

from agent.vision.packs.dlib_format import Float32Array
from agent.vision.packs.dlib_shape import ShapeForests, unpack_shape_forests

Pixels = npt.NDArray[np.uint8]

Grey = npt.NDArray[np.int16]

_MOST_SPLITS_IN_A_TABLE = 15
_THIRDS = (np.arange(3 * 255 + 1) // 3).astype(np.int16)
"""A sum of three colours to its intensity in whole numbers."""


class ShapePredictor:
    """Finds the points of a face in a box; holds no state between faces, so threads may share it.

    Loading takes milliseconds and 15 MB; a face takes about a millisecond on a desktop.
    """

    def __init__(self, forests: ShapeForests) -> None:
        cascades, trees, splits = forests.first_feature.shape
        self._initial_shape = forests.initial_shape
        initial = forests.initial_shape.astype(np.float64)
        x, y = (initial - initial.mean(axis=0)).T
        spread = float((x * x + y * y).sum())
        self._fit = np.stack([np.stack([x, y], axis=1), np.stack([-y, x], axis=1)])
        self._fit = self._fit.reshape(2, -1) / spread
        self._depth = (splits + 1).bit_length() - 1
        # The answers of a tree's splits fill whole bytes; the spare ones are not asked for.
        spare = -splits % 8
        padded = ((0, 0), (0, 0), (0, spare))
        features = np.stack(
            [np.pad(one, padded) for one in (forests.first_feature, forests.second_feature)], axis=1
        )
        self._features = features.reshape(cascades, 2, -1).astype(np.intp)
        # Differences are whole numbers, so what exceeds a threshold exceeds its whole part; beyond
        # any difference all are alike. What is no number is never exceeded.
        whole = np.clip(np.floor(np.nan_to_num(forests.thresholds, nan=512.0)), -512.0, 512.0)
        self._thresholds = np.pad(whole.astype(np.int16), padded).reshape(cascades, -1)
        self._leaf_of = _leaf_table(splits)
        self._leaves = forests.leaves.reshape(cascades, trees * (splits + 1), -1)
        self._anchors = forests.anchors.astype(np.intp)
        deltas = forests.deltas.transpose(0, 2, 1)
        self._deltas = np.ascontiguousarray(deltas)
        self._turned_deltas = np.stack([-deltas[:, 1], deltas[:, 0]], axis=1)
        self._first_node = np.arange(trees, dtype=np.intp) * (splits + spare)
        self._first_leaf = np.arange(trees, dtype=np.intp) * (splits + 1)
        self._splits = splits
        self._bytes = (splits + spare) // 8

    @classmethod
    def from_bytes(cls, data: bytes) -> "ShapePredictor":
        """A predictor from its compact file.

        Raises:
            DlibFormatError: the bytes are not that file.
        """
        return cls(unpack_shape_forests(data))

    def predict(
        self, image: Pixels, box: tuple[float, float, float, float], levels: int | None = None
    ) -> Float32Array:
        """Points x 2 (x, y) in the image's pixels, unrounded, in the model's order.

        ``image`` is rows x columns x 3, the order of the colours does not matter; ``box`` is left,
        top, right, bottom with right and bottom still inside, as dlib counts. A box may leave the
        image: what lies outside counts as black. For the five-point model the order is outer and
        inner corner of the eye on the image's right, outer and inner corner of the eye on its left,
        base of the nose. With ``levels`` only the first so many of the forests have their say: a
        guess in less time.
        """
        left, top, right, bottom = box
        width, height = right - left, bottom - top
        shape = self._initial_shape
        for level in range(len(self._anchors))[:levels]:
            values = self._intensities(image, level, shape, (left, top, width, height))
            shape = self._improved(level, shape, values)
        scaled = shape.astype(np.float64) * (width, height) + (left, top)
        return scaled.astype(np.float32)

    def _intensities(
        self,
        image: Pixels,
        level: int,
        shape: Float32Array,
        box: tuple[float, float, float, float],
    ) -> Grey:
        """What each feature of a level sees: (red + green + blue) / 3 in whole numbers."""
        left, top, width, height = box
        rows, columns = image.shape[:2]
        # Scale and turn that best lay the initial shape on this one, by least squares; what is
        # fitted has its mean at zero, so the place of the shape does not count.
        cosine, sine = (self._fit @ shape.ravel().astype(np.float64)).astype(np.float32)
        points = cosine * self._deltas[level] + sine * self._turned_deltas[level]
        points += shape.T.take(self._anchors[level], axis=1)
        # dlib maps to pixels in double precision, and rounds halves up.
        pixels = points * np.array([[width], [height]], np.float64)
        pixels += [[left + 0.5], [top + 0.5]]
        column, row = np.floor(pixels, out=pixels).astype(np.int64)
        # Seen without a sign, a negative number is beyond every image.
        inside = (row.view(np.uint64) < rows) & (column.view(np.uint64) < columns)
        all_inside = bool(inside.all())
        index = row * columns + column
        if not all_inside:
            index[~inside] = 0
        colours = image.reshape(-1, 3).take(index, axis=0)
        sums = colours[:, 0].astype(np.intp) + colours[:, 1] + colours[:, 2]
        values: Grey = _THIRDS.take(sums)
        if not all_inside:
            values[~inside] = 0
        return values

    def _improved(self, level: int, shape: Float32Array, values: Grey) -> Float32Array:
        first, second = values.take(self._features[level], mode="clip")
        first -= second
        goes_right = first <= self._thresholds[level]
        if self._leaf_of is None:
            leaf = self._walked(goes_right)
        else:
            answers = np.packbits(goes_right, bitorder="little").view(f"<u{self._bytes}")
            leaf = self._leaf_of.take(answers)
        leaves = self._leaves[level].take(leaf + self._first_leaf, axis=0)
        leaves[0] += shape.ravel()
        # Rows are added one after the other, as dlib adds its trees.
        summed: Float32Array = np.add.reduce(leaves, axis=0)
        return summed.reshape(-1, 2)

    def _walked(self, goes_right: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
        """The leaf of each tree; from the root on, node n has the children 2n + 1 and 2n + 2."""
        node = np.zeros_like(self._first_node)
        for _ in range(self._depth):
            node += node + 1 + goes_right.take(node + self._first_node)
        leaf: npt.NDArray[np.intp] = node - self._splits
        return leaf


def _leaf_table(splits: int) -> npt.NDArray[np.intp] | None:
    """The leaf by all answers of a tree at once, split n being bit n; None where they are many."""
    if splits > _MOST_SPLITS_IN_A_TABLE:
        return None
    answers = np.arange(1 << (splits + -splits % 8), dtype=np.intp)
    node = np.zeros_like(answers)
    for _ in range((splits + 1).bit_length() - 1):
        node += node + 1 + (answers >> node & 1)
    leaf: npt.NDArray[np.intp] = node - splits
    return leaf
