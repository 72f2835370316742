"""Writes dlib's face recognition ResNet as ONNX; the bytes never vary (``onnx_graph``).

Input ``chip``: batch x 3 x 150 x 150 float32, red, green, blue, each pixel less its mean and
divided by 256 (the manifest has the figures). Output ``template``: batch x 128 float32, not of unit
length, compared by Euclidean distance. The affine layers are folded into the convolutions. Where
the summands of a residual block differ in size or channels the smaller is padded with zeros at the
end, as dlib adds them.

The folding is elementwise in double precision: no sums, whose order a processor might choose.
"""

import numpy as np

from agent.vision.packs.dlib_format import DlibFormatError
from agent.vision.packs.dlib_network import Block, Convolution, Network
from agent.vision.packs.onnx_graph import GraphWriter

INPUT_NAME = "chip"
OUTPUT_NAME = "template"


def network_to_onnx(network: Network) -> bytes:
    """``network`` as a serialised ONNX model.

    Raises:
        DlibFormatError: an image shrinks to nothing on its way, or channels do not fit.
    """
    graph = _Graph(network)
    graph.build()
    return graph.serialise()


class _Graph:
    """The network node by node; ``_shape`` knows each value's channels, rows, columns."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._writer = GraphWriter("dlib_face_recognition_resnet")
        self._shape: dict[str, tuple[int, int, int]] = {}

    def build(self) -> None:
        network = self._network
        self._shape[INPUT_NAME] = (3, network.rows, network.columns)
        value = self._node("Relu", [self._convolve(INPUT_NAME, network.stem)])
        value = self._pool("MaxPool", value, network.stem_pool.side, network.stem_pool.stride)
        for block in network.blocks:
            value = self._residual(value, block)
        channels = self._shape[value][0]
        if channels != network.weights.shape[0]:
            raise DlibFormatError("dlib network: the last layer takes another number of channels")
        value = self._node("GlobalAveragePool", [value], shape=(channels, 1, 1))
        value = self._node("Flatten", [value], axis=1)
        weights = self._writer.floats("weights", network.weights)
        self._node("MatMul", [value, weights], output=OUTPUT_NAME)

    def serialise(self) -> bytes:
        network = self._network
        return self._writer.model(
            (INPUT_NAME, (3, network.rows, network.columns)),
            (OUTPUT_NAME, (network.weights.shape[1],)),
        )

    def _residual(self, value: str, block: Block) -> str:
        inner = self._node("Relu", [self._convolve(value, block.first)])
        branch = self._convolve(inner, block.second)
        if block.shortcut is not None:
            value = self._pool("AveragePool", value, block.shortcut.side, block.shortcut.stride)
        one, other = self._shape[branch], self._shape[value]
        largest = max(one[0], other[0]), max(one[1], other[1]), max(one[2], other[2])
        summands = [self._padded(branch, largest), self._padded(value, largest)]
        return self._node("Relu", [self._node("Add", summands)])

    def _convolve(self, value: str, layer: Convolution) -> str:
        channels, rows, columns = self._shape[value]
        outputs, inputs, side_rows, side_columns = layer.filters.shape
        if inputs != channels:
            raise DlibFormatError("dlib network: a convolution takes another number of channels")
        gamma = layer.gamma.astype(np.float64)
        filters = layer.filters.astype(np.float64) * gamma[:, None, None, None]
        bias = layer.bias.astype(np.float64) * gamma
        bias = bias + layer.beta.astype(np.float64)
        stem = f"conv{self._writer.nodes}"
        return self._node(
            "Conv",
            [
                value,
                self._writer.floats(f"{stem}.filters", filters),
                self._writer.floats(f"{stem}.bias", bias),
            ],
            shape=(
                outputs,
                _steps(rows + 2 * layer.padding, side_rows, layer.stride),
                _steps(columns + 2 * layer.padding, side_columns, layer.stride),
            ),
            kernel_shape=[side_rows, side_columns],
            pads=[layer.padding] * 4,
            strides=[layer.stride] * 2,
        )

    def _pool(self, operator: str, value: str, side: int, stride: int) -> str:
        channels, rows, columns = self._shape[value]
        return self._node(
            operator,
            [value],
            shape=(channels, _steps(rows, side, stride), _steps(columns, side, stride)),
            kernel_shape=[side] * 2,
            strides=[stride] * 2,
        )

    def _padded(self, value: str, shape: tuple[int, int, int]) -> str:
        own = self._shape[value]
        if own == shape:
            return value
        missing = [0, 0, 0, 0, 0, *(wanted - has for wanted, has in zip(shape, own, strict=True))]
        name = f"pad{self._writer.nodes}"
        return self._node("Pad", [value, self._writer.integers(name, missing)], shape=shape)

    def _node(
        self,
        operator: str,
        inputs: list[str],
        *,
        output: str | None = None,
        shape: tuple[int, int, int] | None = None,
        **attributes: int | list[int],
    ) -> str:
        output = self._writer.node(operator, inputs, output, **attributes)
        self._shape[output] = self._shape[inputs[0]] if shape is None else shape
        return output


def _steps(length: int, side: int, stride: int) -> int:
    if length < side:
        raise DlibFormatError("dlib network: an image shrinks to nothing")
    return (length - side) // stride + 1
