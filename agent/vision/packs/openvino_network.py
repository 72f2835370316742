"""Reads a network from OpenVINO's intermediate representation (IR 10 and 11); no I/O.

The XML has layers, each with ports, and edges from an output port to an input port; the weights lie
in the second file, where a ``Const`` layer names offset, size, type and shape. What is read here is
what one image network needs: one input of a batch of images, one output, convolutions and what goes
between them. Anything else is refused: only this has been proven to convert.

Both files come from the network. Every number is bounded, every constant held against the bytes
that are there, and each layer's shape is worked out again and compared with the one declared.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agent.vision.packs.openvino_xml import Element, OpenvinoFormatError, read_xml

Float32Array = npt.NDArray[np.float32]
Shape = tuple[int, ...]
Pair = tuple[int, int]

LARGEST_WEIGHTS_BYTES = 64 << 20
_VERSIONS = ("10", "11")
_MOST_LAYERS = 8192
_MOST_DIMENSIONS = 5
_LARGEST_SIZE = 4096
_MOST_VALUES = 1 << 24
"""Of all constants together, and of what any one layer gives."""
_NUMBER = re.compile(r"\s*\d{1,9}\s*", re.ASCII)
_ELEMENT_TYPES = {"f16": "<f2", "f32": "<f4"}


@dataclass(frozen=True, eq=False)
class Convolution:
    """``filters`` is outputs x inputs of a group x rows x columns; ``pads`` is begin, then end."""

    filters: Float32Array
    groups: int
    strides: Pair
    dilations: Pair
    pads: tuple[int, int, int, int]


@dataclass(frozen=True)
class AveragePool:
    """The mean of ``kernel``; what is padded counts unless ``excludes_pads``."""

    kernel: Pair
    strides: Pair
    pads: tuple[int, int, int, int]
    excludes_pads: bool


@dataclass(frozen=True, eq=False)
class Prelu:
    """x where it is positive, else ``slope`` x: one value, or one a channel."""

    slope: Float32Array


@dataclass(frozen=True)
class Sigmoid:
    """1 / (1 + exp(-x))."""


@dataclass(frozen=True, eq=False)
class Sum:
    """The input and ``constant``, else the inputs, summed; sizes of one repeat."""

    constant: Float32Array | None


@dataclass(frozen=True, eq=False)
class Product:
    """The input and ``constant``, else the inputs, multiplied; sizes of one repeat."""

    constant: Float32Array | None


Operation = Convolution | AveragePool | Prelu | Sigmoid | Sum | Product


@dataclass(frozen=True, eq=False)
class Step:
    """One operation; ``inputs`` are numbers of values: 0 is the network's input, then each step's.

    ``shape`` is of what it gives: one image, channels, rows, columns.
    """

    operation: Operation
    inputs: tuple[int, ...]
    shape: Shape


@dataclass(frozen=True, eq=False)
class OpenvinoNetwork:
    """A whole network: the ``input_shape`` of one image, and steps in an order that can be run."""

    input_shape: Shape
    steps: tuple[Step, ...]
    output: int


def read_openvino(description: bytes, weights: bytes) -> OpenvinoNetwork:
    """The network of an IR: ``description`` is its XML, ``weights`` the file beside it.

    Raises:
        OpenvinoFormatError: one of them is cut short, contradicts itself, or is another network.
    """
    if len(weights) > LARGEST_WEIGHTS_BYTES:
        raise OpenvinoFormatError(f"OpenVINO network: {len(weights)} bytes of weights")
    root = read_xml(description)
    if root.tag != "net" or root.get("version") not in _VERSIONS:
        raise OpenvinoFormatError("OpenVINO network: no IR of version 10 or 11")
    layers = root.one("layers").all("layer")
    if len(layers) > _MOST_LAYERS:
        raise OpenvinoFormatError(f"OpenVINO network: {len(layers)} layers")
    reader = _Reader(weights, _edges(root.one("edges")))
    for layer in layers:
        reader.layer(layer)
    return reader.network()


@dataclass(frozen=True, eq=False)
class _Value:
    """What a layer gives: a constant, or the number of a value that the image decides."""

    shape: Shape
    constant: Float32Array | None = None
    number: int = -1


def _edges(edges: Element) -> dict[tuple[str, str], tuple[str, str]]:
    """From where each input port is fed, as layer and port."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for edge in edges.all("edge"):
        to = edge.get("to-layer"), edge.get("to-port")
        if to in found:
            raise OpenvinoFormatError("OpenVINO network: two edges to one port")
        found[to] = edge.get("from-layer"), edge.get("from-port")
    return found


class _Reader:
    """Reads layer by layer; each may use only what came before it, so there is no circle."""

    def __init__(self, weights: bytes, edges: dict[tuple[str, str], tuple[str, str]]) -> None:
        self._weights = weights
        self._edges = edges
        self._values: dict[tuple[str, str], _Value] = {}
        self._seen: set[str] = set()
        self._steps: list[Step] = []
        self._input_shape: Shape | None = None
        self._output: int | None = None
        self._constant_values = 0
        self._kinds: dict[str, Callable[[Element, list[_Value]], _Value | None]] = {
            "Parameter": self._parameter,
            "Const": self._constant,
            "Convert": self._convert,
            "Result": self._result,
            "Convolution": self._convolution,
            "GroupConvolution": self._convolution,
            "AvgPool": self._average_pool,
            "PReLU": self._prelu,
            "Sigmoid": self._sigmoid,
            "Add": self._elementwise,
            "Multiply": self._elementwise,
        }

    def layer(self, layer: Element) -> None:
        """One layer and what it gives."""
        name, kind = layer.get("id"), layer.get("type")
        if name in self._seen:
            raise _fail(layer, "twice")
        self._seen.add(name)
        if kind not in self._kinds or layer.get("version") != "opset1":
            raise _fail(layer, "not known by this converter")
        value = self._kinds[kind](layer, self._inputs(layer, name))
        outputs = [port for group in layer.all("output") for port in group.all("port")]
        if len(outputs) != (value is not None):
            raise _fail(layer, f"{len(outputs)} outputs")
        for port in outputs:
            assert value is not None
            if tuple(_number(dim.text, layer) for dim in port.all("dim")) != value.shape:
                raise _fail(layer, f"gives {value.shape}, and declares another shape")
            self._values[name, port.get("id")] = value

    def network(self) -> OpenvinoNetwork:
        """All of it."""
        if self._input_shape is None or self._output is None:
            raise OpenvinoFormatError("OpenVINO network: no input, or no output")
        return OpenvinoNetwork(self._input_shape, tuple(self._steps), self._output)

    def _inputs(self, layer: Element, name: str) -> list[_Value]:
        ports = [port for group in layer.all("input") for port in group.all("port")]
        values = []
        for port in ports:
            source = self._edges.get((name, port.get("id")))
            if source is None or source not in self._values:
                raise _fail(layer, "fed by no layer before it")
            values.append(self._values[source])
        return values

    def _step(
        self, layer: Element, operation: Operation, inputs: list[_Value], shape: Shape
    ) -> _Value:
        if max(shape) > _LARGEST_SIZE or math.prod(shape) > _MOST_VALUES:
            raise _fail(layer, f"gives {shape}")
        self._steps.append(Step(operation, tuple(value.number for value in inputs), shape))
        return _Value(shape, number=len(self._steps))

    def _parameter(self, layer: Element, inputs: list[_Value]) -> _Value:
        data = layer.one("data")
        shape = _numbers(data.get("shape"), layer)
        if inputs or self._input_shape is not None:
            raise _fail(layer, "a second input")
        if len(shape) != 4 or shape[0] != 1 or min(shape) < 1 or max(shape) > _LARGEST_SIZE:
            raise _fail(layer, f"takes {shape}, not one image")
        if data.get("element_type") != "f32":
            raise _fail(layer, "takes no float32")
        self._input_shape = shape
        return _Value(shape, number=0)

    def _constant(self, layer: Element, inputs: list[_Value]) -> _Value:
        data = layer.one("data")
        shape = _numbers(data.get("shape"), layer)
        kind = _ELEMENT_TYPES.get(data.get("element_type"))
        if inputs or kind is None:
            raise _fail(layer, "neither float16 nor float32")
        count = math.prod(shape)
        offset, size = _number(data.get("offset"), layer), _number(data.get("size"), layer)
        self._constant_values += count
        if not 1 <= count <= _MOST_VALUES or self._constant_values > _MOST_VALUES:
            raise _fail(layer, f"{count} values")
        if size != count * np.dtype(kind).itemsize or offset + size > len(self._weights):
            raise _fail(layer, f"{size} bytes at {offset} of {len(self._weights)} for {shape}")
        values = np.frombuffer(self._weights, kind, count, offset)
        if not np.isfinite(values).all():
            raise _fail(layer, "values that are not finite")
        return _Value(shape, constant=values.reshape(shape).astype(np.float32))

    def _convert(self, layer: Element, inputs: list[_Value]) -> _Value:
        if len(inputs) != 1 or inputs[0].constant is None:
            raise _fail(layer, "of what is no constant")
        if layer.one("data").get("destination_type") != "f32":
            raise _fail(layer, "to what is no float32")
        return inputs[0]

    def _result(self, layer: Element, inputs: list[_Value]) -> None:
        if len(inputs) != 1 or inputs[0].constant is not None or self._output is not None:
            raise _fail(layer, "not the one output")
        self._output = inputs[0].number

    def _convolution(self, layer: Element, inputs: list[_Value]) -> _Value:
        value, filters = _image_and_constant(layer, inputs)
        groups = 1
        if layer.get("type") == "GroupConvolution":
            if filters.ndim != 5:
                raise _fail(layer, f"filters {filters.shape}")
            groups = filters.shape[0]
            filters = filters.reshape(-1, *filters.shape[2:])
        if filters.ndim != 4 or value.shape[1] != groups * filters.shape[1]:
            raise _fail(layer, f"filters {filters.shape} for {value.shape}")
        data = layer.one("data")
        strides, dilations = _pair(data, "strides", layer), _pair(data, "dilations", layer)
        pads = _pads(data, layer)
        sides = [
            (side - 1) * step + 1 for side, step in zip(filters.shape[2:], dilations, strict=True)
        ]
        rows, columns = _slide(layer, value.shape, (sides[0], sides[1]), strides, pads)
        operation = Convolution(filters, groups, strides, dilations, pads)
        return self._step(layer, operation, [value], (1, filters.shape[0], rows, columns))

    def _average_pool(self, layer: Element, inputs: list[_Value]) -> _Value:
        value, data = _image(layer, inputs), layer.one("data")
        kernel, strides = _pair(data, "kernel", layer), _pair(data, "strides", layer)
        pads, excludes = _pads(data, layer), data.get("exclude-pad")
        if data.get("rounding_type") != "floor" or excludes not in ("true", "false"):
            raise _fail(layer, "rounds or pads in a way that has not been proven to convert")
        if max(pads[0], pads[2]) >= kernel[0] or max(pads[1], pads[3]) >= kernel[1]:
            raise _fail(layer, "pads more than its kernel")
        rows, columns = _slide(layer, value.shape, kernel, strides, pads)
        operation = AveragePool(kernel, strides, pads, excludes == "true")
        return self._step(layer, operation, [value], (1, value.shape[1], rows, columns))

    def _prelu(self, layer: Element, inputs: list[_Value]) -> _Value:
        value, slope = _image_and_constant(layer, inputs)
        if slope.shape not in ((1,), (value.shape[1],)):
            raise _fail(layer, f"slopes {slope.shape} for {value.shape}")
        return self._step(layer, Prelu(slope), [value], value.shape)

    def _sigmoid(self, layer: Element, inputs: list[_Value]) -> _Value:
        value = _image(layer, inputs)
        return self._step(layer, Sigmoid(), [value], value.shape)

    def _elementwise(self, layer: Element, inputs: list[_Value]) -> _Value:
        if len(inputs) != 2 or layer.one("data").get("auto_broadcast") != "numpy":
            raise _fail(layer, "no two inputs that repeat as numpy's do")
        images = [value for value in inputs if value.constant is None]
        constants = [value.constant for value in inputs if value.constant is not None]
        if not images or any(one.ndim > 4 or one.shape[:-3] not in ((), (1,)) for one in constants):
            raise _fail(layer, "constants only, or one for each image of a batch")
        try:
            shape = np.broadcast_shapes(*(value.shape for value in inputs))
        except ValueError as error:
            raise _fail(layer, f"shapes {[value.shape for value in inputs]}") from error
        constant = constants[0] if constants else None
        kind = Sum if layer.get("type") == "Add" else Product
        return self._step(layer, kind(constant), images, shape)


def _image(layer: Element, inputs: list[_Value]) -> _Value:
    if len(inputs) != 1 or inputs[0].constant is not None:
        raise _fail(layer, "not one image as its input")
    return inputs[0]


def _image_and_constant(layer: Element, inputs: list[_Value]) -> tuple[_Value, Float32Array]:
    if len(inputs) != 2 or inputs[0].constant is not None or inputs[1].constant is None:
        raise _fail(layer, "not an image and a constant as its inputs")
    return inputs[0], inputs[1].constant


def _slide(
    layer: Element, shape: Shape, window: Pair, strides: Pair, pads: tuple[int, int, int, int]
) -> Pair:
    """Rows and columns that a window gives on its way over an image."""
    rows = (shape[2] + pads[0] + pads[2] - window[0]) // strides[0] + 1
    columns = (shape[3] + pads[1] + pads[3] - window[1]) // strides[1] + 1
    if rows < 1 or columns < 1:
        raise _fail(layer, "an image shrinks to nothing")
    return rows, columns


def _pads(data: Element, layer: Element) -> tuple[int, int, int, int]:
    if data.get("auto_pad") != "explicit":
        raise _fail(layer, "pads by a rule")
    begin, end = _pair(data, "pads_begin", layer, 0), _pair(data, "pads_end", layer, 0)
    return (*begin, *end)


def _pair(data: Element, name: str, layer: Element, least: int = 1) -> Pair:
    numbers = _numbers(data.get(name), layer)
    if len(numbers) != 2 or min(numbers) < least or max(numbers) > _LARGEST_SIZE:
        raise _fail(layer, f"{name} {numbers}")
    return numbers[0], numbers[1]


def _numbers(text: str, layer: Element) -> Shape:
    numbers = tuple(_number(part, layer) for part in text.split(","))
    if len(numbers) > _MOST_DIMENSIONS:
        raise _fail(layer, f"{len(numbers)} sizes")
    return numbers


def _number(text: str, layer: Element) -> int:
    if _NUMBER.fullmatch(text) is None:
        raise _fail(layer, f"{text[:20]!r} is no number")
    return int(text)


def _fail(layer: Element, what: str) -> OpenvinoFormatError:
    """An error that names the layer."""
    kind, name = layer.attributes.get("type", ""), layer.attributes.get("id", "")
    return OpenvinoFormatError(f"OpenVINO network, layer {name[:20]} {kind[:40]}: {what}")
