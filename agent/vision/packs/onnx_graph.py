"""Writes ONNX graphs, the same bytes on every machine and every time.

The sha256 of a converted model is pinned in its manifest, so nothing here may vary: the versions of
the format are fixed and not taken from the onnx package, weights are raw little-endian bytes, and
fields are serialised in their own order.
"""

import numpy as np
import numpy.typing as npt
import onnx

IR_VERSION = 8
OPSET_VERSION = 13

Attribute = int | float | list[int]


class GraphWriter:
    """Nodes and weights as they accumulate; a value's name is the number of the node making it."""

    def __init__(self, name: str) -> None:
        self._proto = onnx.GraphProto(name=name)

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self._proto.node)

    def floats(self, name: str, values: npt.NDArray[np.floating]) -> str:
        """Weights of single precision by the name given."""
        tensor = self._proto.initializer.add(
            name=name, data_type=onnx.TensorProto.FLOAT, dims=values.shape
        )
        tensor.raw_data = np.ascontiguousarray(values, "<f4").tobytes()
        return name

    def integers(self, name: str, values: list[int]) -> str:
        """A row of integers by the name given."""
        tensor = self._proto.initializer.add(
            name=name, data_type=onnx.TensorProto.INT64, dims=[len(values)]
        )
        tensor.raw_data = np.array(values, "<i8").tobytes()
        return name

    def node(
        self, operator: str, inputs: list[str], output: str | None = None, **attributes: Attribute
    ) -> str:
        """A node's output, by ``output`` or its number."""
        output = output or f"v{self.nodes}"
        node = self._proto.node.add(op_type=operator, name=output, input=inputs, output=[output])
        for name, attribute in sorted(attributes.items()):
            if isinstance(attribute, int):
                node.attribute.add(name=name, type=onnx.AttributeProto.INT, i=attribute)
            elif isinstance(attribute, float):
                node.attribute.add(name=name, type=onnx.AttributeProto.FLOAT, f=attribute)
            else:
                node.attribute.add(name=name, type=onnx.AttributeProto.INTS, ints=attribute)
        return output

    def model(
        self, inputs: tuple[str, tuple[int, ...]], outputs: tuple[str, tuple[int, ...]]
    ) -> bytes:
        """The serialised model of one input and one output, each its name and its sizes.

        Before the sizes comes a batch dimension that is free.
        """
        _describe(self._proto.input.add(), *inputs)
        _describe(self._proto.output.add(), *outputs)
        model = onnx.ModelProto(
            ir_version=IR_VERSION, producer_name="gate-agent", graph=self._proto
        )
        model.opset_import.add(domain="", version=OPSET_VERSION)
        serialised: bytes = model.SerializeToString(deterministic=True)
        return serialised


def _describe(info: onnx.ValueInfoProto, name: str, sizes: tuple[int, ...]) -> None:
    info.name = name
    tensor = info.type.tensor_type
    tensor.elem_type = onnx.TensorProto.FLOAT
    tensor.shape.dim.add(dim_param="batch")
    for size in sizes:
        tensor.shape.dim.add(dim_value=size)
