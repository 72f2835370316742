"""YuNet through ONNX Runtime: faces with five landmarks, at any size.

W. Wu, H. Peng, S. Yu, "YuNet: a tiny millisecond-level face detector", 2023. For each cell of three
grids (strides of 8, 16 and 32 pixels) the network says how sure it is of a face (the root of class
times object score), the face's middle and the logarithm of its size in strides from the cell, and
the landmarks likewise. The file is of a fixed 640 x 640; its dimensions are freed in memory when it
is loaded, the file itself stays as its hash says.

The answers are ``cv2.FaceDetectorYN``'s for the same pixels, to a hundredth of a pixel (measured:
1.4e-4 on 167 faces), in 0.4 times its time.

Why ``search_px`` is 36: of the 53 faces from 79 pixels on in 69 frames of a film and 26 photographs
at 640 pixels, the search at which faces of 72 are so wide found all (at 20: 52, at 14: 48). The
faces of the enrolled compared with their references as well as at full size (mean cosine 0.672 and
0.671; 0.65 at 16 to 30), for their landmarks are as good. Of twelve hard faces (profiles, a mask,
blur, a crowd, one on its side) it finds eleven as the full size does. A frame of 640 x 480 with a
zone of 80 pixels is so searched at 320 x 240.
"""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import onnx

from agent.domain.sight.image import DetectedFace, Image
from agent.domain.sight.track import Box
from agent.errors import ModelPackError
from agent.vision.packs.manifest import YunetDetector
from agent.vision.packs.onnx import FloatArray, open_session
from agent.vision.stills.reduce import reduced

_STRIDES = (8, 16, 32)
_OUTPUTS = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in _STRIDES]
_SIDE_STEP_PX = 32
"""The coarsest grid must meet the edge; what is added is black, right and below."""


class Searched(NamedTuple):
    """What the network is run on: its input, and how many pixels of it one of the image makes."""

    planes: FloatArray
    scale: float


class Yunet:
    """Implements ``Detector``; not safe for two threads at once."""

    def __init__(
        self,
        settings: YunetDetector,
        model: Path,
        smallest_face_px: int | None = None,
        threads: int = 1,
    ) -> None:
        """Load the network.

        Raises:
            ModelPackError: it cannot be loaded, or is not YuNet.
        """
        self._settings = settings
        self._session = open_session(_any_size(model), model.name, threads)
        self.smallest_face_px = smallest_face_px or settings.smallest_face_px
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or not {output.name for output in outputs} >= set(_OUTPUTS):
            raise ModelPackError(f"{model.name} is not YuNet: it has other inputs or outputs")
        self._input: str = inputs[0].name

    def detect(self, image: Image, smallest_face_px: int | None = None) -> list[DetectedFace]:
        """Faces at least so wide by falling area, each with its landmarks."""
        smallest = smallest_face_px or self.smallest_face_px
        searched = self.searched(image, smallest)
        found = self._faces(self.bare(searched), *searched.planes.shape[2:])
        found[:, :14] /= np.float32(searched.scale)
        faces = []
        for row, places in zip(found.tolist(), found[:, 4:14], strict=True):
            box = Box(*map(round, row[:4]))
            if box.width >= smallest:
                faces.append(DetectedFace(box, row[14], places.reshape(5, 2)))
        return sorted(faces, key=lambda face: -face.box.area)

    def searched(self, image: Image, smallest_face_px: int) -> Searched:
        """``image`` at the scale at which the smallest face sought is ``search_px`` wide.

        It is never enlarged.
        """
        small, scale = reduced(image, self._settings.search_px / smallest_face_px)
        rows, columns = small.shape[:2]
        height, width = (-(-side // _SIDE_STEP_PX) * _SIDE_STEP_PX for side in (rows, columns))
        planes = np.empty((1, 3, height, width), dtype=np.float32)
        planes[0, :, rows:] = 0.0
        planes[0, :, :rows, columns:] = 0.0
        # One channel after the other: twice as fast as numpy's copy of a transposed view.
        for plane, channel in zip(planes[0], cv2.split(small), strict=True):
            plane[:rows, :columns] = channel
        return Searched(planes, scale)

    def bare(self, searched: Searched) -> list[FloatArray]:
        """The one run of the network."""
        found: list[FloatArray] = self._session.run(_OUTPUTS, {self._input: searched.planes})
        return found

    def _faces(self, outputs: list[FloatArray], height: int, width: int) -> FloatArray:
        """Faces x 15: left, top, width, height, five points, score; in the network's pixels."""
        least = self._settings.least_score
        cls, obj, box, points = (
            outputs[at : at + len(_STRIDES)] for at in range(0, len(_OUTPUTS), len(_STRIDES))
        )
        # Both come out of a sigmoid, so neither leaves 0 to 1.
        scores = _joined(cls)[:, 0] * _joined(obj)[:, 0]
        (sure,) = (scores >= least * least).nonzero()
        if not len(sure):
            return np.empty((0, 15), dtype=np.float32)
        found = _placed(_grid(height, width)[sure], _joined(box)[sure], _joined(points)[sure])
        np.sqrt(scores[sure], out=found[:, 14])
        # OpenCV's own detector compares whole pixels too.
        whole = found[:, :4].astype(np.int32).tolist()
        kept = cv2.dnn.NMSBoxes(whole, found[:, 14].tolist(), least, self._settings.overlap)
        return found[np.asarray(kept, dtype=np.intp).reshape(-1)]


def _joined(grids: list[FloatArray]) -> FloatArray:
    """One picture's cells of all grids, cells x values."""
    cells: FloatArray = np.concatenate(grids, axis=1)[0]
    return cells


@lru_cache(maxsize=8)
def _grid(height: int, width: int) -> FloatArray:
    """What each cell of all grids adds to its face's values, and behind them its stride."""
    grids = []
    for stride in _STRIDES:
        rows, columns = np.indices((height // stride, width // stride)).reshape(2, -1)
        cells = np.zeros((len(rows), 16), dtype=np.float32)
        for at in (0, *range(4, 14, 2)):
            cells[:, at], cells[:, at + 1] = columns, rows
        cells[:, 15] = stride
        grids.append(cells)
    table = np.concatenate(grids)
    table.setflags(write=False)
    return table


def _placed(cells: FloatArray, box: FloatArray, points: FloatArray) -> FloatArray:
    """The faces of some cells, faces x 15; the score is left open.

    Written in place: beside a network of a millisecond, numpy's ways to join arrays are slow.
    """
    faces = np.zeros((len(cells), 15), dtype=np.float32)
    faces[:, :2] = box[:, :2]
    np.exp(box[:, 2:], out=faces[:, 2:4])
    faces[:, 4:14] = points
    faces += cells[:, :15]
    faces *= cells[:, 15:]
    faces[:, :2] -= faces[:, 2:4] / 2
    return faces


def _any_size(model: Path) -> bytes:
    """The network with free height and width: what follows from them is inferred anew.

    Its reshapes leave the number of cells open already (-1), and its enlargements are by a factor.

    Raises:
        ModelPackError: the file is no ONNX model.
    """
    try:
        network = onnx.load_model(model)
    except Exception as error:  # protobuf's and onnx's own classes
        raise ModelPackError(f"{model.name} is no ONNX model") from error
    for value in network.graph.input:
        for dimension, name in zip(value.type.tensor_type.shape.dim[2:], "hw", strict=False):
            dimension.dim_param = name
    for value in network.graph.output:
        value.type.tensor_type.ClearField("shape")
    del network.graph.value_info[:]
    serialised: bytes = network.SerializeToString()
    return serialised
