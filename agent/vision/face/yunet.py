"""YuNet through ONNX Runtime: faces with five landmarks, at any size.

W. Wu, H. Peng, S. Yu, "YuNet: a tiny millisecond-level face detector", 2023. For each cell of three
grids (strides of 8, 16 and 32 pixels) the network says how sure it is of a face (the root of class
times object score), the face's middle and the logarithm of its size in strides from the cell, and
the landmarks likewise. The file is of a fixed 640 x 640; its dimensions are freed in memory when it
is loaded, and its three grids are joined there; the file itself stays as its hash says.

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
_KINDS = ("cls", "obj", "bbox", "kps")
_OUTPUTS = [f"{kind}_{stride}" for kind in _KINDS for stride in _STRIDES]
_JOINED = ["scores", "places"]
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
        self._session = open_session(
            joined_grids(any_size(model)).SerializeToString(), model.name, threads
        )
        self.smallest_face_px = smallest_face_px or settings.smallest_face_px
        self._input: str = self._session.get_inputs()[0].name

    def detect(self, image: Image, smallest_face_px: int | None = None) -> list[DetectedFace]:
        """Faces at least so wide by falling area, each with its landmarks."""
        smallest = smallest_face_px or self.smallest_face_px
        searched = self.searched(image, smallest)
        found = self._faces(self._run(searched), *searched.planes.shape[2:])
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
        right, below = width - columns, height - rows
        black = cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_CONSTANT)
        return Searched(np.asarray(cv2.dnn.blobFromImage(black), dtype=np.float32), scale)

    def _run(self, searched: Searched) -> list[FloatArray]:
        found: list[FloatArray] = self._session.run(_JOINED, {self._input: searched.planes})
        return found

    def _faces(self, outputs: list[FloatArray], height: int, width: int) -> FloatArray:
        """Faces x 15: left, top, width, height, five points, score; in the network's pixels."""
        scores, places = outputs[0][0, :, 0], outputs[1][0]
        least = self._settings.least_score
        (sure,) = (scores >= least * least).nonzero()
        if not len(sure):
            return np.empty((0, 15), dtype=np.float32)
        found = _placed(_grid(height, width)[sure], places[sure])
        np.sqrt(scores[sure], out=found[:, 14])
        # OpenCV's own detector compares whole pixels too.
        whole = found[:, :4].astype(np.int32).tolist()
        kept = cv2.dnn.NMSBoxes(whole, found[:, 14].tolist(), least, self._settings.overlap)
        return found[np.asarray(kept, dtype=np.intp).reshape(-1)]


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


def _placed(cells: FloatArray, places: FloatArray) -> FloatArray:
    """The faces of some cells, faces x 15; the score is left open.

    Written in place: beside a network of a millisecond, numpy's ways to join arrays are slow.
    """
    faces = np.zeros((len(cells), 15), dtype=np.float32)
    faces[:, :14] = places
    sides = faces[:, 2:4]
    np.exp(sides, out=sides)
    faces += cells[:, :15]
    faces *= cells[:, 15:]
    faces[:, :2] -= sides / 2
    return faces


def any_size(model: Path) -> onnx.ModelProto:
    """The network with free height and width: what follows from them is inferred anew.

    Its reshapes leave the number of cells open already (-1), and its enlargements are by a factor.

    Raises:
        ModelPackError: the file is no ONNX model, or is not YuNet.
    """
    try:
        network = onnx.load_model(model)
    except Exception as error:  # protobuf's and onnx's own classes
        raise ModelPackError(f"{model.name} is no ONNX model") from error
    graph = network.graph
    if len(graph.input) != 1 or not {output.name for output in graph.output} >= set(_OUTPUTS):
        raise ModelPackError(f"{model.name} is not YuNet: it has other inputs or outputs")
    for dimension, name in zip(graph.input[0].type.tensor_type.shape.dim[2:], "hw", strict=False):
        dimension.dim_param = name
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    del graph.value_info[:]
    return network


def joined_grids(network: onnx.ModelProto) -> onnx.ModelProto:
    """``network`` with two outputs in place of twelve, for each costs a call of Python's.

    ``scores`` (1 x cells x 1) are class times object score; neither leaves 0 to 1, for both come
    out of a sigmoid. ``places`` (1 x cells x 14) are box and points. Sums and products are those
    that numpy would make of the twelve, to the bit.
    """
    graph = network.graph
    for kind in _KINDS:
        grids = [f"{kind}_{stride}" for stride in _STRIDES]
        graph.node.append(onnx.helper.make_node("Concat", grids, [kind], axis=1))
    graph.node.append(onnx.helper.make_node("Mul", ["cls", "obj"], ["scores"]))
    graph.node.append(onnx.helper.make_node("Concat", ["bbox", "kps"], ["places"], axis=2))
    del graph.output[:]
    for name in _JOINED:
        graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return network
