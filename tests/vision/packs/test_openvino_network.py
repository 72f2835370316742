"""OpenVINO's networks: each operation against OpenVINO itself, and what must be refused."""

import contextlib
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openvino_parts import Ir, Source, commas, normal, small_network

from agent.vision.packs.openvino_network import read_openvino
from agent.vision.packs.openvino_onnx import openvino_to_onnx
from agent.vision.packs.openvino_xml import LARGEST_XML_BYTES, OpenvinoFormatError, read_xml

Made = Callable[[Ir, Source], Source]

OPERATIONS: dict[str, Made] = {
    "convolution": lambda ir, x: ir.convolve(x, normal(5, 4, 3, 3), (1, 5, 6, 4)),
    "convolution, strided": lambda ir, x: ir.convolve(
        x, normal(5, 4, 3, 2), (1, 5, 4, 3), strides="2, 2", pads_begin="1, 0", pads_end="0, 1"
    ),
    "convolution, dilated": lambda ir, x: ir.convolve(
        x, normal(2, 4, 3, 3), (1, 2, 4, 2), dilations="2, 2"
    ),
    "convolution, depthwise": lambda ir, x: ir.convolve(x, normal(4, 1, 1, 3, 3), (1, 4, 6, 4)),
    "convolution, groups of two": lambda ir, x: ir.convolve(x, normal(2, 3, 2, 1, 1), (1, 6, 8, 6)),
    "pool": lambda ir, x: ir.pool(x, (1, 4, 4, 3)),
    "pool over all": lambda ir, x: ir.pool(x, (1, 4, 1, 1), kernel="8, 6", strides="8, 6"),
    "pool, padding left out": lambda ir, x: ir.pool(
        x, (1, 4, 5, 4), pads_begin="1, 1", pads_end="1, 1"
    ),
    "pool, padding counted": lambda ir, x: ir.pool(
        x, (1, 4, 5, 4), pads_begin="1, 1", pads_end="1, 1", exclude__pad="false"
    ),
    "one slope": lambda ir, x: ir.layer("PReLU", [x, ir.constant(normal(1))], (1, 4, 8, 6)),
    "a slope a channel": lambda ir, x: ir.layer("PReLU", [x, ir.constant(normal(4))], (1, 4, 8, 6)),
    "sigmoid": lambda ir, x: ir.layer("Sigmoid", [x], (1, 4, 8, 6)),
    "sum with a constant": lambda ir, x: ir.both(
        "Add", [x, ir.constant(normal(1, 4, 1, 1))], (1, 4, 8, 6)
    ),
    "sum with a constant first": lambda ir, x: ir.both(
        "Add", [ir.constant(normal(6)), x], (1, 4, 8, 6)
    ),
    "sum of images": lambda ir, x: ir.both("Add", [x, x], (1, 4, 8, 6)),
    "product with a constant": lambda ir, x: ir.both(
        "Multiply", [x, ir.constant(normal(4, 1, 1))], (1, 4, 8, 6)
    ),
    "product of images": lambda ir, x: ir.both("Multiply", [x, x], (1, 4, 8, 6)),
}


def converted(ir: Ir) -> bytes:
    return openvino_to_onnx(read_openvino(ir.description(), ir.weights))


def difference(ir: Ir, *shape: int) -> float:
    """The largest difference from OpenVINO, a batch against one image after the other."""
    openvino = pytest.importorskip("openvino", reason="openvino, a development tool, is absent")
    model = converted(ir)
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    images = np.random.default_rng(2).normal(0, 2, (3, *shape)).astype(np.float32)
    found = onnxruntime.InferenceSession(model).run(None, {"image": images})[0]
    core = openvino.Core()
    network = core.compile_model(
        core.read_model(ir.description(), ir.weights), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    expected = np.stack([network([image[None]])[0].ravel() for image in images])
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max())


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_gives_what_openvino_gives(name: str) -> None:
    ir = Ir()
    ir.result(OPERATIONS[name](ir, ir.image(1, 4, 8, 6)))
    assert difference(ir, 4, 8, 6) < 1e-5


def test_network_gives_what_openvino_gives() -> None:
    assert difference(small_network(), 3, 12, 10) < 1e-5


def test_conversion_gives_the_same_bytes_every_time() -> None:
    assert converted(small_network()) == converted(small_network())


def test_older_representation_is_read_too() -> None:
    ir = small_network()
    assert read_openvino(ir.description("10"), ir.weights).steps


SMALL = small_network()
DESCRIPTION = SMALL.description().decode()
LAYERS = DESCRIPTION.count("<layer ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('version="11"', 'version="7"'),
        ("<net ", "<network "),
        ("</net>", ""),
        ("</layers>", "</layers><layers></layers>"),
        ("<edges>", "<edges/><other>"),
        ('type="Sigmoid"', 'type="Tanh"'),
        ('type="Sigmoid" version="opset1"', 'type="Sigmoid" version="opset9"'),
        ('type="Sigmoid"', 'type="Result"'),
        ('type="Sigmoid"', 'type="Parameter"'),
        ('type="Convert"', 'type="Sigmoid"'),
        ('destination_type="f32"', 'destination_type="i64"'),
        ('element_type="f32"', 'element_type="f16"'),
        ('element_type="f16"', 'element_type="i8"'),
        ('element_type="f16"', 'element_type="f32"'),
        ('shape="1, 3, 12, 10"', 'shape="2, 3, 12, 10"'),
        ('shape="1, 3, 12, 10"', 'shape="1, 3, 12"'),
        ('shape="1, 3, 12, 10"', 'shape="1, 3, 12, -10"'),
        ('shape="1, 3, 12, 10"', 'shape="1, 3, 12, ?"'),
        ('shape="1, 3, 12, 10"', 'shape="1, 3, 12, 99999"'),
        ('shape="1, 3, 1, 1"', 'shape="1, 3, 1, 1, 1, 1"'),
        ('offset="0"', 'offset="999999999"'),
        ('offset="0"', 'offset="1e3"'),
        ('offset="0"', 'offset="٣"'),
        ('size="6"', 'size="4"'),
        ("<dim>12</dim>", "<dim>13</dim>"),
        ("<dim>12</dim>", "<dim>twelve</dim>"),
        ("<dim>12</dim>", ""),
        ('strides="2, 2"', 'strides="0, 2"'),
        ('strides="2, 2"', 'strides="2"'),
        ('strides="2, 2"', 'strides="2, 5000"'),
        ('strides="2, 2"', ""),
        ('dilations="1, 1"', 'dilations="900, 900"'),
        ('pads_begin="1, 1"', 'pads_begin="4000, 4000"'),
        ('kernel="2, 2"', 'kernel="20, 20"'),
        ('pads_begin="0, 0" pads_end="0, 0" exclude', 'pads_begin="6, 6" pads_end="6, 6" exclude'),
        ('auto_pad="explicit"', 'auto_pad="same_upper"'),
        ('rounding_type="floor"', 'rounding_type="ceil"'),
        ('exclude-pad="true"', 'exclude-pad="maybe"'),
        ('auto_broadcast="numpy"', 'auto_broadcast="pdpd"'),
        ('id="1"', 'id="0"'),
        ('from-layer="0"', 'from-layer="9"'),
        ('from-port="0"', 'from-port="5"'),
        ('to-port="1"', 'to-port="0"'),
        ('<edge from-layer="0"', '<edge from="0"'),
        ("<?xml", "<!DOCTYPE net [<!ENTITY a 'aa'>]><?xml"),
        ('version="1.0"?>', 'version="1.0"?><!DOCTYPE net [<!ENTITY a "aaaaaaaaaa">]>'),
        ('version="1.0"?>', 'version="1.0"?><?php echo 1 ?>'),
    ],
)
def test_network_that_contradicts_itself_is_refused(old: str, new: str) -> None:
    assert old in DESCRIPTION
    with pytest.raises(OpenvinoFormatError, match="OpenVINO network"):
        read_openvino(DESCRIPTION.replace(old, new, 1).encode(), SMALL.weights)


def test_weights_that_are_cut_short_or_not_finite_are_refused() -> None:
    with pytest.raises(OpenvinoFormatError, match="bytes at"):
        read_openvino(DESCRIPTION.encode(), SMALL.weights[:-1])
    with pytest.raises(OpenvinoFormatError, match="finite"):
        read_openvino(DESCRIPTION.encode(), b"\x00\x7c" + SMALL.weights[2:])


def test_constants_that_repeat_the_same_bytes_are_bounded() -> None:
    ir = Ir()
    value = ir.image(1, 1, 4096, 1024)
    shape = (1, 1, 4096, 1024)
    large = ir.layer(
        "Const", [], shape, element_type="f16", shape=commas(shape), offset=0, size=2 * 4096 * 1024
    )
    ir.result(ir.both("Add", [value, large], shape))
    ir.layers[-1:-1] = [ir.layers[1].replace('id="1"', f'id="{100 + i}"') for i in range(8)]
    with pytest.raises(OpenvinoFormatError, match="values"):
        read_openvino(ir.description(), bytes(2 * 4096 * 1024))


@pytest.mark.parametrize(
    "text",
    [
        "<a>" * 20 + "</a>" * 20,
        "<a>" + "<b/>" * 100_001 + "</a>",
        "<a " + " ".join(f'a{i}=""' for i in range(40)) + "/>",
        f'<a b="{"c" * 600}"/>',
        "<a>&b;</a>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        '<?xml version="1.0" encoding="no-such"?><a>',
        "",
        "<a/>" + " " * LARGEST_XML_BYTES,
    ],
)
def test_xml_beyond_what_a_network_needs_is_refused(text: str) -> None:
    with pytest.raises(OpenvinoFormatError):
        read_xml(text.encode())


def test_text_that_is_long_is_not_kept() -> None:
    assert len(read_xml(b"<a>" + b"b" * 100_000 + b"</a>").text) < 1024


def read_or_refuse(description: bytes, weights: bytes) -> None:
    with contextlib.suppress(OpenvinoFormatError):
        openvino_to_onnx(read_openvino(description, weights))


@given(st.binary(max_size=200), st.binary(max_size=16))
def test_any_bytes_are_read_or_refused(description: bytes, weights: bytes) -> None:
    read_or_refuse(description, weights)


@settings(max_examples=150)
@given(st.data())
def test_any_change_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(DESCRIPTION.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.integers(0, 12)))
        content[start:end] = data.draw(
            st.one_of(st.binary(max_size=3), st.sampled_from([b"0", b"4096", b"-1", b"<a>", b"1,"]))
        )
    read_or_refuse(bytes(content), SMALL.weights)


@settings(max_examples=150)
@given(st.integers(0, LAYERS - 1), st.integers(0, LAYERS - 1), st.sampled_from("0123456789"))
def test_any_edge_is_read_or_refused(layer: int, other: int, port: str) -> None:
    ir = small_network()
    ir.layers[layer], ir.layers[other] = ir.layers[other], ir.layers[layer]
    edge = ir.edges[layer % len(ir.edges)]
    ir.edges[other % len(ir.edges)] = edge.replace('from-port="1"', f'from-port="{port}"')
    read_or_refuse(ir.description(), ir.weights)
