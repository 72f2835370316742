"""One ONNX Runtime session a model, on a fixed number of threads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from agent.errors import ModelPackError

FloatArray = npt.NDArray[np.float32]


def open_session(
    model: str | bytes,
    name: str,
    threads: int = 1,
    tensors: Mapping[str, npt.NDArray[Any]] | None = None,
) -> Any:
    """A session of the file at a path, or of a model's bytes and the tensors that lie beside it.

    Raises:
        ModelPackError: ONNX Runtime cannot load it.
    """
    options = ort.SessionOptions()
    # Named, because by default the runtime pins threads by itself, which a sandbox forbids.
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    if tensors:
        values = [ort.OrtValue.ortvalue_from_numpy(tensor) for tensor in tensors.values()]
        options.add_external_initializers([*tensors], values)
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has many classes of its own
        raise ModelPackError(f"{name} cannot be loaded: {type(error).__name__}") from error


class OnnxModel:
    """A network of one input and one output; safe to run from several threads."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Load the model at ``path``, whose hash the pack has verified.

        Raises:
            ModelPackError: ONNX Runtime cannot load it, or it has more than one input or output.
        """
        self._session = open_session(str(path), path.name, threads)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelPackError(f"{path.name} has {len(inputs)} inputs and {len(outputs)} outputs")
        self._input: str = inputs[0].name
        self.input_shape: list[Any] = list(inputs[0].shape)

    @property
    def takes_batches(self) -> bool:
        """Whether the batch dimension is free."""
        return not isinstance(self.input_shape[0], int)

    def run(self, batch: FloatArray) -> FloatArray:
        """The output for ``batch`` (N x channels x height x width)."""
        return np.asarray(self._session.run(None, {self._input: batch})[0], dtype=np.float32)
