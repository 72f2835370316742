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

_THIRDS = (np.arange(3 * 255 + 1) // 3).astype(np.float32)
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
        features = np.stack([forests.first_feature, forests.second_feature], axis=1)
        self._features = features.reshape(cascades, 2, -1).astype(np.intp)
        self._thresholds = forests.thresholds.reshape(cascades, -1)
        self._leaves = forests.leaves.reshape(cascades, trees * (splits + 1), -1)
        self._anchors = forests.anchors.astype(np.intp)
        deltas = forests.deltas.transpose(0, 2, 1)
        self._deltas = np.ascontiguousarray(deltas)
        self._turned_deltas = np.stack([-deltas[:, 1], deltas[:, 0]], axis=1)
        self._first_node = np.arange(trees, dtype=np.intp) * splits
        # A leaf's number among all nodes, less this, is its number among all leaves.
        self._before_leaves = self._first_node + splits - np.arange(trees) * (splits + 1)

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
    ) -> Float32Array:
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
        values: Float32Array = _THIRDS.take(sums)
        if not all_inside:
            values[~inside] = 0
        return values

    def _improved(self, level: int, shape: Float32Array, values: Float32Array) -> Float32Array:
        first, second = values.take(self._features[level], mode="clip")
        goes_right = ~(first - second > self._thresholds[level])
        node = self._first_node.copy()
        for _ in range(self._depth):
            turns = goes_right.take(node)
            # From the root of its tree on, node n has the children 2n + 1 and 2n + 2.
            node += node
            node -= self._first_node
            node += 1
            node += turns
        leaves = self._leaves[level].take(node - self._before_leaves, axis=0)
        leaves[0] += shape.ravel()
        # Rows are added one after the other, as dlib adds its trees.
        summed: Float32Array = np.add.reduce(leaves, axis=0)
        return summed.reshape(-1, 2)
