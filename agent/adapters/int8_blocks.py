"""Blocks of int8 codes that ONNX Runtime keeps as its product of bytes reads them.

A matrix that is part of a model is packed once, when the model is opened, and multiplied in half
the time of any other way that was measured (docs/decisions/2026-11-28-codes-in-packed-blocks.md).
The sums are whole and exact, on each processor: one without an instruction for it (x86 before VNNI)
adds pairs in 16 bits, which a probe of seven bits cannot fill (2 * 127 * 127 < 2^15). Whatever
other form of the matrix the runtime had is given back, so there is one in memory; the codes are
read back where they are wanted, by a product with a matrix of ones on the diagonal.
"""

import ctypes

import numpy as np
import numpy.typing as npt

from agent.domain.sight.coded.blocks import CodeBlock, Codes, PlainBlock, Rows, Sums

FEWEST_ROWS = 1024
"""Fewer are multiplied as fast by numpy, and a session takes as much memory as 200 of them."""
SESSION_BYTES = 36 * 1024
"""Of a session itself, as measured with onnxruntime 1.23 to 1.32 on x86-64."""
_ZERO = 64
_OPSET = 13
_IR_VERSION = 8
_READ_AT_ONCE = 32


def packed_block(codes: Codes) -> CodeBlock:
    """Implements ``domain.sight.blocks.Pack``."""
    return PackedBlock(codes) if len(codes) >= FEWEST_ROWS else PlainBlock(codes)


class PackedBlock:
    """Implements ``CodeBlock``; any number of threads may ask at once."""

    def __init__(self, codes: Codes) -> None:
        self._count, self._components = map(int, codes.shape)
        from agent.vision.packs.onnx import open_session  # noqa: PLC0415 - as onnx below

        matrix = np.ascontiguousarray(codes.T)
        model = _model(*matrix.shape)
        self._session = open_session(model, "a block of codes", tensors={"codes": matrix})
        self._asked: tuple[Rows, Codes] | None = None
        del matrix
        give_back()

    def __len__(self) -> int:
        """How many rows."""
        return self._count

    @property
    def nbytes(self) -> int:
        """What it takes in memory: components by fours, rows by sixteens, and a sum for each."""
        rows, components = -(-self._count // 16) * 16, -(-self._components // 4) * 4
        return rows * (components + 4) + SESSION_BYTES

    def products(self, probe: Codes) -> Sums:
        """The dot product of each row with a probe's code."""
        sums: Sums = self._run((probe + np.int8(_ZERO)).view(np.uint8)[None])[0]
        return sums

    def rows(self, which: Rows) -> Codes:
        """The codes of these rows, all of the block unpacked; what was asked last is kept.

        A site's bound asks for the same few of each block after every change.
        """
        asked = self._asked
        if asked is not None and np.array_equal(asked[0], which):
            return asked[1].copy()
        codes = np.empty((len(which), self._components), dtype=np.int8)
        for start in range(0, self._components, _READ_AT_ONCE):
            some = np.arange(start, min(start + _READ_AT_ONCE, self._components))
            ones = np.full((len(some), self._components), _ZERO, dtype=np.uint8)
            ones[np.arange(len(some)), some] += 1
            codes[:, some] = self._run(ones)[:, which].T
        give_back()
        if len(which) < self._count // 8:
            self._asked = which.copy(), codes.copy()
        return codes

    def _run(self, probes: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
        found: npt.NDArray[np.int32] = self._session.run(None, {"probes": probes})[0]
        return found


def _model(components: int, count: int) -> bytes:
    """The product of any number of probes with codes that lie beside the model."""
    from onnx import TensorProto, helper  # noqa: PLC0415 - who opens few rows loads no runtime

    codes = TensorProto(name="codes", data_type=TensorProto.INT8, dims=[components, count])
    codes.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "codes"), ("offset", 0), ("length", components * count)):
        codes.external_data.add(key=key, value=str(value))
    zero = helper.make_tensor("zero", TensorProto.UINT8, (), [_ZERO])
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["probes", "codes", "zero"], ["sums"])],
        "block",
        [helper.make_tensor_value_info("probes", TensorProto.UINT8, (None, components))],
        [helper.make_tensor_value_info("sums", TensorProto.INT32, (None, count))],
        [codes, zero],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
    )
    made: bytes = model.SerializeToString()
    return made


def give_back() -> None:
    """What was used on the way goes back to the system; else as much again stays resident."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; others keep less anyway
    if trim is not None:
        trim(0)
