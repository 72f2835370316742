"""Writes small networks as OpenVINO's intermediate representation."""

from dataclasses import dataclass, field

import numpy as np

Source = tuple[int, int]
"""A layer and its output port."""


def _port(number: int, shape: tuple[int, ...]) -> str:
    dims = "".join(f"<dim>{size}</dim>" for size in shape)
    return f'<port id="{number}" precision="FP32">{dims}</port>'


def commas(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))


@dataclass
class Ir:
    """Layers as they are added, each with the shape that it declares."""

    layers: list[str] = field(default_factory=list)
    edges: list[str] = field(default_factory=list)
    weights: bytes = b""
    shapes: dict[Source, tuple[int, ...]] = field(default_factory=dict)

    def layer(
        self,
        kind: str,
        inputs: list[Source],
        shape: tuple[int, ...] | None,
        version: str = "opset1",
        /,
        **data: object,
    ) -> Source:
        number, out = len(self.layers), len(inputs)
        written = f'<layer id="{number}" name="l{number}" type="{kind}" version="{version}">'
        if data:
            pairs = " ".join(f'{key.replace("__", "-")}="{value}"' for key, value in data.items())
            written += f"<data {pairs} />"
        if inputs:
            ports = "".join(_port(i, self.shapes[one]) for i, one in enumerate(inputs))
            written += f"<input>{ports}</input>"
        for i, (source, port) in enumerate(inputs):
            self.edges.append(
                f'<edge from-layer="{source}" from-port="{port}"'
                f' to-layer="{number}" to-port="{i}" />'
            )
        if shape is not None:
            written += f"<output>{_port(out, shape)}</output>"
            self.shapes[number, out] = shape
        self.layers.append(written + "</layer>")
        return number, out

    def image(self, *shape: int) -> Source:
        return self.layer("Parameter", [], shape, shape=commas(shape), element_type="f32")

    def constant(self, values: np.ndarray) -> Source:
        """Half precision, and the conversion to single that comes with it."""
        content = values.astype("<f2").tobytes()
        made = self.layer(
            "Const",
            [],
            values.shape,
            element_type="f16",
            shape=commas(values.shape),
            offset=len(self.weights),
            size=len(content),
        )
        self.weights += content
        return self.layer("Convert", [made], values.shape, destination_type="f32")

    def convolve(
        self, value: Source, filters: np.ndarray, shape: tuple[int, ...], **data: object
    ) -> Source:
        kind = "GroupConvolution" if filters.ndim == 5 else "Convolution"
        settings = {
            "strides": "1, 1",
            "dilations": "1, 1",
            "pads_begin": "0, 0",
            "pads_end": "0, 0",
            "auto_pad": "explicit",
        }
        return self.layer(kind, [value, self.constant(filters)], shape, **{**settings, **data})

    def pool(self, value: Source, shape: tuple[int, ...], **data: object) -> Source:
        settings = {
            "kernel": "2, 2",
            "strides": "2, 2",
            "pads_begin": "0, 0",
            "pads_end": "0, 0",
            "exclude__pad": "true",
            "auto_pad": "explicit",
            "rounding_type": "floor",
        }
        return self.layer("AvgPool", [value], shape, **{**settings, **data})

    def both(self, kind: str, inputs: list[Source], shape: tuple[int, ...]) -> Source:
        return self.layer(kind, inputs, shape, auto_broadcast="numpy")

    def result(self, value: Source) -> "Ir":
        self.layer("Result", [value], None)
        return self

    def description(self, version: str = "11") -> bytes:
        return (
            f'<?xml version="1.0"?><net name="small" version="{version}">'
            f"<layers>{''.join(self.layers)}</layers><edges>{''.join(self.edges)}</edges>"
            "<rt_info><MO_version value='any' /></rt_info></net>"
        ).encode()


def normal(*shape: int) -> np.ndarray:
    """Values that half precision holds exactly."""
    random = np.random.default_rng(abs(hash(shape)) % 1000)
    return random.normal(0, 0.5, shape).astype(np.float16).astype(np.float32)


def small_network() -> Ir:
    """Every operation once or more, on images of 12 x 10 pixels."""
    ir = Ir()
    image = ir.image(1, 3, 12, 10)
    value = ir.both("Multiply", [image, ir.constant(normal(1, 3, 1, 1))], (1, 3, 12, 10))
    value = ir.convolve(
        value, normal(8, 3, 3, 3), (1, 8, 6, 5), strides="2, 2", pads_begin="1, 1", pads_end="1, 1"
    )
    value = ir.both("Add", [value, ir.constant(normal(1, 8, 1, 1))], (1, 8, 6, 5))
    value = ir.layer("PReLU", [value, ir.constant(normal(1))], (1, 8, 6, 5))
    inner = ir.convolve(
        value, normal(4, 4, 2, 3, 3), (1, 16, 6, 5), pads_begin="1, 1", pads_end="1, 1"
    )
    inner = ir.layer("PReLU", [inner, ir.constant(normal(16))], (1, 16, 6, 5))
    inner = ir.convolve(inner, normal(8, 16, 1, 1), (1, 8, 6, 5))
    gate = ir.pool(inner, (1, 8, 1, 1), kernel="6, 5", strides="6, 5")
    gate = ir.layer("Sigmoid", [gate], (1, 8, 1, 1))
    inner = ir.both("Multiply", [inner, gate], (1, 8, 6, 5))
    value = ir.both("Add", [value, inner], (1, 8, 6, 5))
    value = ir.pool(value, (1, 8, 3, 2))
    value = ir.convolve(value, normal(8, 1, 1, 3, 2), (1, 8, 1, 1))
    return ir.result(ir.convolve(value, normal(5, 8, 1, 1), (1, 5, 1, 1)))
