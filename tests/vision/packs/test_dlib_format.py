"""dlib's files: the codec, small files written here in dlib's format, and hostile ones."""

import contextlib
import math

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.vision.face.shape_predictor import ShapePredictor
from agent.vision.packs.dlib_format import DlibFormatError, DlibReader, float32_of, read_integers
from agent.vision.packs.dlib_network import read_network
from agent.vision.packs.dlib_onnx import network_to_onnx
from agent.vision.packs.dlib_shape import (
    pack_shape_forests,
    read_shape_forests,
    unpack_shape_forests,
)

INTEGERS = st.integers(-(2**63) + 1, 2**63 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)


def integer(value: int) -> bytes:
    magnitude = abs(value).to_bytes(max(1, (abs(value).bit_length() + 7) // 8), "little")
    return bytes([len(magnitude) | (0x80 if value < 0 else 0)]) + magnitude


def real(value: float) -> bytes:
    fraction, exponent = math.frexp(value)
    return integer(int(fraction * 2**24)) + integer(exponent - 24)


def string(text: str) -> bytes:
    return integer(len(text)) + text.encode()


def sizes(*values: int) -> bytes:
    return b"".join(map(integer, values))


def tensor(values: np.ndarray) -> bytes:
    return sizes(2, values.size, 1, 1, 1) + values.astype("<f4").tobytes()


TRAILER = b"110" + 3 * sizes(2, 0, 0, 0, 0)
RATES = b"".join(map(real, (1.0, 1.0, 1.0, 0.0)))


class Writer:
    """Writes networks of dlib's shape with random weights; ``newer`` uses the newest layers."""

    def __init__(self, *, newer: bool = False) -> None:
        self.random = np.random.default_rng(3)
        self.newer = newer

    def weights(self, count: int) -> np.ndarray:
        return self.random.normal(0, 0.3, count).astype(np.float32)

    def convolution(
        self, inputs: int, outputs: int, side: int, stride: int, padding: int, tail: bytes = b""
    ) -> bytes:
        name, flags = ("con_6", b"10") if self.newer else ("con_4", b"")
        written = string(name) + tensor(self.weights(outputs * inputs * side * side + outputs))
        written += sizes(outputs, side, side, stride, stride, padding, padding)
        written += sizes(1, outputs, inputs, side, side, 1, 1, outputs, 1, 1) + RATES + flags
        name, flags = ("affine_2", b"0") if self.newer else ("affine_", b"")
        written += TRAILER + tail + string(name) + tensor(self.weights(2 * outputs))
        return written + 2 * sizes(1, 1, outputs, 1, 1) + integer(0) + flags + TRAILER

    def relu(self) -> bytes:
        return (string("relu_2") + b"0" if self.newer else string("relu_")) + TRAILER

    def pool(self, kind: str, side: int, stride: int) -> bytes:
        return string(kind) + sizes(side, side, stride, stride, 0, 0) + TRAILER

    def block(self, inputs: int, outputs: int, *, halving: bool) -> bytes:
        stride, padding = (2, 0) if halving else (1, 1)
        written = self.convolution(inputs, outputs, 3, stride, padding) + self.relu()
        written += self.convolution(outputs, outputs, 3, 1, 1)
        written += self.pool("avg_pool_2", 2, 2) if halving else b""
        return written + string("add_prev_") + TRAILER + self.relu()

    def network(self) -> bytes:
        written = integer(1) + string("loss_metric_2") + real(0.04) + real(0.6)
        written += sizes(2, 2, 1, 2, 3) + string("input_rgb_image_sized")
        written += real(120.0) + real(110.0) + real(100.0) + sizes(30, 30)
        written += self.convolution(3, 4, 7, 2, 0, tail=integer(1)) + self.relu()
        written += self.pool("max_pool_2", 3, 2) + self.block(4, 4, halving=False)
        written += self.block(4, 6, halving=True) + self.pool("avg_pool_2", 0, 1)
        name, flags = ("fc_3", b"0") if self.newer else ("fc_2", b"")
        written += string(name) + sizes(5, 6) + tensor(self.weights(30))
        written += sizes(1, 6, 5, 1, 1, 1, 0, 0, 0, 0, 1) + RATES + flags
        return written + TRAILER


def shape_file(points: int = 2, cascades: int = 2, trees: int = 3, splits: int = 3) -> bytes:
    random = np.random.default_rng(4)

    def matrix() -> bytes:
        values = random.normal(0, 0.1, 2 * points).astype(np.float32)
        return sizes(-2 * points, -1) + b"".join(real(float(value)) for value in values)

    features = 8
    written = integer(1) + matrix() + integer(cascades)
    for _ in range(cascades):
        written += integer(trees)
        for _ in range(trees):
            written += integer(splits)
            for _ in range(splits):
                written += sizes(*(int(i) for i in random.integers(0, features, 2))) + real(12.5)
            written += integer(splits + 1) + b"".join(matrix() for _ in range(splits + 1))
    written += integer(cascades)
    written += cascades * (integer(features) + sizes(*(i % points for i in range(features))))
    written += integer(cascades)
    return written + cascades * (integer(features) + 2 * features * real(0.125))


@given(INTEGERS)
def test_integer_comes_back(value: int) -> None:
    reader = DlibReader(integer(value))
    assert reader.integer() == value
    reader.end()


@given(st.lists(INTEGERS))
def test_integers_come_back_in_one_go(values: list[int]) -> None:
    assert read_integers(b"".join(map(integer, values))).tolist() == values


@given(FLOATS)
def test_float_comes_back(value: float) -> None:
    assert DlibReader(real(value)).real() == value
    mantissa, exponent = read_integers(real(value))
    assert float32_of(np.array([mantissa]), np.array([exponent])).tolist() == [value]


@pytest.mark.parametrize("exponent", [32000, 32001, 32002, 2**40, -(2**40)])
def test_float_that_is_not_finite_is_refused(exponent: int) -> None:
    with pytest.raises(DlibFormatError):
        DlibReader(integer(1) + integer(exponent)).real()
    with pytest.raises(DlibFormatError):
        float32_of(np.array([1]), np.array([exponent]))


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (read_integers, read_network, read_shape_forests, unpack_shape_forests):
        with contextlib.suppress(DlibFormatError):
            read(data)
    reader = DlibReader(data)
    for method in (reader.integer, reader.real, reader.string, reader.boolean, reader.tensor):
        with contextlib.suppress(DlibFormatError):
            method()


@pytest.mark.parametrize("control", [0x00, 0x09, 0x0F, 0x11, 0x41, 0x80])
def test_control_byte_of_no_integer_is_refused(control: int) -> None:
    data = bytes([control]) + 16 * b"\1"
    with pytest.raises(DlibFormatError):
        DlibReader(data).integer()
    with pytest.raises(DlibFormatError):
        read_integers(data)


def test_tensor_larger_than_the_file_is_refused_before_it_is_made() -> None:
    with pytest.raises(DlibFormatError, match="left"):
        DlibReader(sizes(2, 2**31, 2**31, 2**31, 2**31) + b"1234").tensor()


def test_tensor_with_nan_is_refused() -> None:
    with pytest.raises(DlibFormatError, match="finite"):
        DlibReader(tensor(np.array([1.0, np.nan]))).tensor()


@pytest.mark.parametrize("newer", [False, True])
def test_network_converts_and_agrees_with_plain_arithmetic(*, newer: bool) -> None:
    network = read_network(Writer(newer=newer).network())
    session = onnxruntime.InferenceSession(network_to_onnx(network))
    chips = np.random.default_rng(5).normal(0, 0.3, (2, 3, 30, 30)).astype(np.float32)
    templates = session.run(None, {"chip": chips})[0]
    expected = np.stack([plain_network(network, chip.astype(np.float64)) for chip in chips])
    assert templates.shape == (2, 5)
    assert np.abs(templates - expected).max() < 1e-5


def plain_network(network, value):
    value = np.maximum(plain_convolution(value, network.stem), 0)
    value = plain_pool(value, network.stem_pool, np.max)
    for block in network.blocks:
        branch = np.maximum(plain_convolution(value, block.first), 0)
        branch = plain_convolution(branch, block.second)
        shortcut = plain_pool(value, block.shortcut, np.mean) if block.shortcut else value
        shape = tuple(map(max, branch.shape, shortcut.shape))
        value = np.zeros(shape)
        for summand in (branch, shortcut):
            value[tuple(map(slice, summand.shape))] += summand
        value = np.maximum(value, 0)
    return value.mean(axis=(1, 2)) @ network.weights


def plain_convolution(value, layer):
    pad = layer.padding
    value = np.pad(value, ((0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(value, layer.filters.shape[2:], (1, 2))
    windows = windows[:, :: layer.stride, :: layer.stride]
    result = np.einsum("crsij,ocij->ors", windows, layer.filters) + layer.bias[:, None, None]
    return result * layer.gamma[:, None, None] + layer.beta[:, None, None]


def plain_pool(value, pool, reduce):
    windows = np.lib.stride_tricks.sliding_window_view(value, (pool.side, pool.side), (1, 2))
    return reduce(windows[:, :: pool.stride, :: pool.stride], axis=(3, 4))


def test_both_dialects_give_the_same_bytes_and_so_does_a_second_time() -> None:
    older, newer = Writer().network(), Writer(newer=True).network()
    converted = network_to_onnx(read_network(older))
    assert converted == network_to_onnx(read_network(newer))
    assert converted == network_to_onnx(read_network(older))


def test_network_cut_anywhere_is_refused() -> None:
    data = Writer().network()
    for end in [*range(0, len(data), 7), len(data) - 1]:
        with pytest.raises(DlibFormatError):
            read_network(data[:end])


def test_network_with_more_behind_it_is_refused() -> None:
    with pytest.raises(DlibFormatError, match="after the end"):
        read_network(Writer().network() + b"\0")


@given(st.data())
def test_network_with_a_changed_byte_is_read_or_refused(data: st.DataObject) -> None:
    network = bytearray(Writer().network())
    place = data.draw(st.integers(0, len(network) - 1))
    network[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DlibFormatError):
        network_to_onnx(read_network(bytes(network)))


def test_shape_predictor_comes_back_from_its_compact_form() -> None:
    forests = read_shape_forests(shape_file())
    packed = pack_shape_forests(forests)
    assert packed == pack_shape_forests(unpack_shape_forests(packed))
    image = np.random.default_rng(6).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    points = ShapePredictor(forests).predict(image, (10, 10, 50, 50))
    again = ShapePredictor.from_bytes(packed).predict(image, (10, 10, 50, 50))
    assert points.shape == (2, 2)
    assert np.array_equal(points, again)


@pytest.mark.parametrize("box", [(-500, -500, -400, -400), (70, 50, 500, 500), (3, 3, 3, 3)])
def test_box_outside_the_image_still_gives_points(box: tuple[int, int, int, int]) -> None:
    image = np.full((60, 80, 3), 255, np.uint8)
    predictor = ShapePredictor(read_shape_forests(shape_file()))
    assert np.isfinite(predictor.predict(image, box)).all()


def test_shape_predictor_cut_anywhere_is_refused() -> None:
    data = shape_file()
    packed = pack_shape_forests(read_shape_forests(data))
    for end in range(len(data)):
        with pytest.raises(DlibFormatError):
            read_shape_forests(data[:end])
    for end in range(len(packed)):
        with pytest.raises(DlibFormatError):
            unpack_shape_forests(packed[:end])


@pytest.mark.parametrize(("splits", "trees"), [(2, 3), (0, 3), (3, 0)])
def test_shape_predictor_of_odd_trees_is_refused(splits: int, trees: int) -> None:
    with pytest.raises(DlibFormatError):
        read_shape_forests(shape_file(trees=trees, splits=splits))


@given(st.data())
def test_shape_predictor_with_a_changed_byte_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(shape_file())
    if data.draw(st.booleans()):
        content = bytearray(pack_shape_forests(read_shape_forests(bytes(content))))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255))
    for read in (read_shape_forests, unpack_shape_forests):
        with contextlib.suppress(DlibFormatError):
            read(bytes(content))
