"""Writes a network read from OpenVINO as ONNX; the bytes never vary (``onnx_graph``).

Input ``image``: batch x channels x rows x columns float32. Output ``template``: batch x components,
flattened. The batch is free, so that a face and its mirror image can go through together.

A parametric relu is written so that ONNX Runtime is fast on one thread, whose own operator for it
is slow: with one slope as a leaky relu, which melts into the convolution before it, with a slope a
channel as ``a x + (1 - a) relu(x)``. A pool over a whole image is a global pool.
"""

import numpy as np

from agent.vision.packs.onnx_graph import GraphWriter
from agent.vision.packs.openvino_network import (
    AveragePool,
    Convolution,
    OpenvinoNetwork,
    Prelu,
    Product,
    Sigmoid,
    Step,
    Sum,
)

INPUT_NAME = "image"
OUTPUT_NAME = "template"


def openvino_to_onnx(network: OpenvinoNetwork) -> bytes:
    """``network`` as a serialised ONNX model."""
    graph = GraphWriter("openvino_network")
    values = [INPUT_NAME]
    shapes = [network.input_shape]
    for step in network.steps:
        inputs = [values[number] for number in step.inputs]
        values.append(_write(graph, step, inputs, shapes[step.inputs[0]]))
        shapes.append(step.shape)
    graph.node("Flatten", [values[network.output]], OUTPUT_NAME, axis=1)
    components = int(np.prod(shapes[network.output][1:]))
    return graph.model((INPUT_NAME, network.input_shape[1:]), (OUTPUT_NAME, (components,)))


def _write(graph: GraphWriter, step: Step, inputs: list[str], shape: tuple[int, ...]) -> str:
    operation, name = step.operation, f"c{graph.nodes}"
    match operation:
        case Convolution():
            return graph.node(
                "Conv",
                [*inputs, graph.floats(name, operation.filters)],
                group=operation.groups,
                kernel_shape=list(operation.filters.shape[2:]),
                strides=list(operation.strides),
                dilations=list(operation.dilations),
                pads=list(operation.pads),
            )
        case AveragePool() if operation.kernel == shape[2:] and not any(operation.pads):
            return graph.node("GlobalAveragePool", inputs)
        case AveragePool():
            return graph.node(
                "AveragePool",
                inputs,
                kernel_shape=list(operation.kernel),
                strides=list(operation.strides),
                pads=list(operation.pads),
                count_include_pad=int(not operation.excludes_pads),
            )
        case Prelu():
            return _prelu(graph, operation, inputs[0], name)
        case Sigmoid():
            return graph.node("Sigmoid", inputs)
        case Sum():
            return _elementwise(graph, "Add", inputs, operation.constant)
        case Product():
            return _elementwise(graph, "Mul", inputs, operation.constant)


def _prelu(graph: GraphWriter, operation: Prelu, value: str, name: str) -> str:
    if operation.slope.size == 1:
        return graph.node("LeakyRelu", [value], alpha=float(operation.slope[0]))
    slope = operation.slope.reshape(1, -1, 1, 1).astype(np.float64)
    below = graph.node("Mul", [value, graph.floats(f"{name}.slope", slope)])
    relu = graph.node("Relu", [value])
    above = graph.node("Mul", [relu, graph.floats(f"{name}.rest", 1.0 - slope)])
    return graph.node("Add", [below, above])


def _elementwise(
    graph: GraphWriter, operator: str, inputs: list[str], constant: np.ndarray | None
) -> str:
    if constant is not None:
        return graph.node(operator, [*inputs, graph.floats(f"c{graph.nodes}", constant)])
    return graph.node(operator, inputs)
