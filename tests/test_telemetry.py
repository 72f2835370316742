"""No library tells anybody what the gate does: ONNX Runtime would, unless it is told not to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

PROCESS = """
{first}
import numpy as np, onnxruntime
from onnx import TensorProto, helper
value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
graph = helper.make_graph([helper.make_node("Abs", ["x"], ["y"])], "g", [value], [out])
model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])
session = onnxruntime.InferenceSession(
    model.SerializeToString(), providers=["CPUExecutionProvider"]
)
session.run(None, {{"x": np.ones(1, np.float32)}})
"""
# What silences it by itself, and where it would keep what it could not send yet.
SILENCERS = ("ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "CI")
FOLDERS = ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")


def left_behind(home: Path, first: str) -> list[str]:
    """The files that running a model leaves in an empty home."""
    environment = {k: v for k, v in os.environ.items() if k not in (*SILENCERS, *FOLDERS)}
    subprocess.run(
        [sys.executable, "-B", "-c", PROCESS.format(first=first)],
        env={**environment, "HOME": str(home)},
        cwd=ROOT,
        check=True,
        timeout=120,
    )
    return sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())


def test_running_a_model_leaves_no_record_and_no_device_id(tmp_path: Path) -> None:
    assert left_behind(tmp_path, "import agent") == []


def test_nobody_can_switch_it_on_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    said = subprocess.run(
        [sys.executable, "-c", "import agent, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=120,
    )
    assert said.stdout == "1\n"
