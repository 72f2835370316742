"""Reads the layers of dlib's face recognition ResNet from its file; no I/O.

The file begins with the loss (``loss_metric_2``, margin, threshold) and the version numbers of the
nested layers down to the input (3), then the layers follow from the input to the output, each with
its name, its parameters and a trailer of three booleans and three tensors, empty in a finished
model; the first layer ends with one integer more, the images a sample is expanded to. A residual
block is convolution, affine, relu, convolution, affine, in a halving block an average pool of the
shortcut, the sum, relu. Anything else is refused: only this shape has been proven to convert.

A newer dlib adds booleans to some layers (``con_5``, ``con_6``, ``affine_2``, ``fc_3``), and a
model straight from training has batch normalisation (``bn_con2``) for its affine layers.
"""

from dataclasses import dataclass

import numpy as np

from agent.vision.packs.dlib_format import DlibReader, Float32Array

_DEEPEST_NESTING = 4096
_MOST_BLOCKS = 256
_LARGEST_SIDE = 64
_CONVOLUTIONS = {"con_4": 0, "con_5": 1, "con_6": 2}
_AFFINES = {"affine_": 0, "affine_2": 1}
_RELUS = {"relu_": 0, "relu_2": 1}
_CONNECTIONS = {"fc_2": 0, "fc_3": 1}
"""Each version of a layer by name, and how many booleans it has at its end."""
_MOST_CHANNELS = 4096


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution and the affine layer behind it.

    ``filters`` is outputs x inputs x rows x columns; ``bias``, ``gamma`` and ``beta`` have one
    value an output: the layers' result is ``(filters * x + bias) * gamma + beta``.
    """

    filters: Float32Array
    bias: Float32Array
    gamma: Float32Array
    beta: Float32Array
    stride: int
    padding: int


@dataclass(frozen=True)
class Pool:
    """A pool of ``side`` x ``side``; side 0 is the whole image."""

    side: int
    stride: int


@dataclass(frozen=True, eq=False)
class Block:
    """A residual block; ``shortcut`` is None where the input is added as it is."""

    first: Convolution
    second: Convolution
    shortcut: Pool | None


@dataclass(frozen=True, eq=False)
class Network:
    """A whole network: ``means`` are red, green, blue on 0 to 255; pixels are divided by 256 then.

    ``weights`` is inputs x outputs of the last, fully connected layer, which has no bias.
    """

    means: tuple[float, float, float]
    rows: int
    columns: int
    stem: Convolution
    stem_pool: Pool
    blocks: tuple[Block, ...]
    weights: Float32Array


def read_network(data: bytes) -> Network:
    """The network in ``data``, the content of a ``dlib_face_recognition_resnet_model`` file.

    Raises:
        DlibFormatError: it is cut short, goes on too long, or is another network.
    """
    reader = DlibReader(data)
    reader.expect(1, "the version of the loss layer")
    _name(reader, "loss_metric_2")
    reader.real()
    reader.real()
    for _ in range(_DEEPEST_NESTING):
        if reader.count(1, 3, "the version of a layer") == 3:
            break
    else:
        raise reader.fail("layers nested too deeply")
    _name(reader, "input_rgb_image_sized")
    means = reader.real(), reader.real(), reader.real()
    rows = reader.count(1, 1024, "the rows of the input")
    columns = reader.count(1, 1024, "the columns of the input")
    stem = _convolution(reader, reader.string(), is_first=True)
    _relu(reader)
    _name(reader, "max_pool_2")
    stem_pool = _pool(reader)
    blocks: list[Block] = []
    name = reader.string()
    while name in _CONVOLUTIONS and len(blocks) < _MOST_BLOCKS:
        blocks.append(_block(reader, name))
        name = reader.string()
    if name != "avg_pool_2" or _pool(reader).side != 0:
        raise reader.fail(f"{name!r} where the global pool should be")
    weights = _fully_connected(reader)
    reader.end()
    return Network(means, rows, columns, stem, stem_pool, tuple(blocks), weights)


def _name(reader: DlibReader, expected: str) -> None:
    found = reader.string()
    if found != expected:
        raise reader.fail(f"layer {found!r} where {expected!r} should be")


def _trailer(reader: DlibReader) -> None:
    for _ in range(3):
        reader.boolean()
    for _ in range(3):  # gradients and cached output, empty in a finished model
        reader.tensor()


def _version(reader: DlibReader, versions: dict[str, int], name: str) -> int:
    """How many booleans this version of a layer ends with."""
    if name not in versions:
        raise reader.fail(f"layer {name!r} where {' or '.join(versions)} should be")
    return versions[name]


def _unset(reader: DlibReader, booleans: int, what: str) -> None:
    for _ in range(booleans):
        if reader.boolean():
            raise reader.fail(f"{what}, which has not been proven to convert")


def _relu(reader: DlibReader) -> None:
    booleans = _version(reader, _RELUS, reader.string())
    _unset(reader, booleans, "a relu that is switched off")
    _trailer(reader)


def _alias(reader: DlibReader) -> tuple[int, int, int, int]:
    reader.expect(1, "the version of an alias tensor")
    return reader.dimensions()


def _learning_rates(reader: DlibReader) -> None:
    for _ in range(4):
        reader.real()


def _convolution(reader: DlibReader, name: str, *, is_first: bool = False) -> Convolution:
    booleans = _version(reader, _CONVOLUTIONS, name)
    parameters = reader.tensor()
    outputs = reader.count(1, _MOST_CHANNELS, "the filters of a convolution")
    rows = reader.count(1, _LARGEST_SIDE, "the rows of a filter")
    columns = reader.count(1, _LARGEST_SIDE, "the columns of a filter")
    stride = reader.count(1, _LARGEST_SIDE, "a stride")
    reader.expect(stride, "the other stride")
    padding = reader.count(0, _LARGEST_SIDE, "a padding")
    reader.expect(padding, "the other padding")
    shape = _alias(reader)
    if shape != (outputs, shape[1], rows, columns) or _alias(reader) != (1, outputs, 1, 1):
        raise reader.fail("a convolution whose shapes disagree")
    bias_at = outputs * shape[1] * rows * columns
    _learning_rates(reader)
    has_bias = booleans == 0 or reader.boolean()
    _unset(reader, booleans - 1, "a convolution with a relu of its own")
    if not 1 <= shape[1] <= _MOST_CHANNELS or parameters.size != bias_at + outputs * has_bias:
        raise reader.fail("a convolution whose parameters are too few or too many")
    _trailer(reader)
    if is_first:
        reader.expect(1, "the expansion of a sample")
    gamma, beta = _affine(reader, outputs)
    filters = parameters[:bias_at].reshape(shape)
    bias = parameters[bias_at:] if has_bias else np.zeros(outputs, np.float32)
    return Convolution(filters, bias, gamma, beta, stride, padding)


def _affine(reader: DlibReader, channels: int) -> tuple[Float32Array, Float32Array]:
    name = reader.string()
    booleans = 0 if name == "bn_con2" else _version(reader, _AFFINES, name)
    parameters = reader.tensor()
    if parameters.size != 2 * channels:
        raise reader.fail("an affine layer of another width than its convolution")
    for _ in range(2):
        if _alias(reader) != (1, channels, 1, 1):
            raise reader.fail("an affine layer whose shapes disagree")
    gamma, beta = parameters[:channels], parameters[channels:]
    if name == "bn_con2":
        gamma, beta = _normalisation(reader, gamma, beta)
    else:
        reader.expect(0, "the mode of an affine layer")
        _unset(reader, booleans, "an affine layer that is switched off")
    _trailer(reader)
    return gamma, beta


def _normalisation(
    reader: DlibReader, gamma: Float32Array, beta: Float32Array
) -> tuple[Float32Array, Float32Array]:
    """What batch normalisation does once training is over, as an affine layer."""
    reader.tensor()  # means and deviations of the last batch
    reader.tensor()
    means, variances = reader.tensor(), reader.tensor()
    reader.count(0, 1 << 62, "the updates of a normalisation")
    reader.count(0, 1 << 62, "the window of a normalisation")
    _learning_rates(reader)
    epsilon = reader.real()
    if means.size != gamma.size or variances.size != gamma.size:
        raise reader.fail("a normalisation of another width than its convolution")
    if epsilon <= 0 or variances.min() < 0:
        raise reader.fail("a normalisation that divides by zero")
    wide = gamma.astype(np.float64) / np.sqrt(variances.astype(np.float64) + epsilon)
    shift = wide * means.astype(np.float64)
    return wide.astype(np.float32), (beta.astype(np.float64) - shift).astype(np.float32)


def _pool(reader: DlibReader) -> Pool:
    side = reader.count(0, _LARGEST_SIDE, "the rows of a pool")
    reader.expect(side, "the columns of a pool")
    stride = reader.count(1, _LARGEST_SIDE, "a stride")
    reader.expect(stride, "the other stride")
    for _ in range(2):
        reader.expect(0, "the padding of a pool")
    _trailer(reader)
    return Pool(side, stride)


def _block(reader: DlibReader, name: str) -> Block:
    first = _convolution(reader, name)
    _relu(reader)
    second = _convolution(reader, reader.string())
    shortcut = None
    name = reader.string()
    if name == "avg_pool_2":
        shortcut = _pool(reader)
        if shortcut.side == 0:
            raise reader.fail("a shortcut through a global pool")
        name = reader.string()
    if name != "add_prev_":
        raise reader.fail(f"layer {name!r} where the sum should be")
    _trailer(reader)
    _relu(reader)
    return Block(first, second, shortcut)


def _fully_connected(reader: DlibReader) -> Float32Array:
    booleans = _version(reader, _CONNECTIONS, reader.string())
    outputs = reader.count(1, _MOST_CHANNELS, "the outputs")
    inputs = reader.count(1, _MOST_CHANNELS, "the inputs")
    weights = reader.tensor()
    if weights.size != inputs * outputs or _alias(reader) != (inputs, outputs, 1, 1):
        raise reader.fail("a fully connected layer whose shapes disagree")
    if _alias(reader) != (0, 0, 0, 0):
        raise reader.fail("a fully connected layer with a bias")
    reader.expect(1, "the bias mode")
    _learning_rates(reader)
    for _ in range(booleans):  # whether the bias is used, and there is none
        reader.boolean()
    _trailer(reader)
    return weights.reshape(inputs, outputs)
