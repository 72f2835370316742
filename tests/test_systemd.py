"""The unit as systemd itself reads it, and what its restrictions leave to the agent."""

import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from places import ROOT

from agent.lifecycle import ExitCode

FOLDER = ROOT / "systemd"
UNIT = FOLDER / "gate-agent.service"
PATIENCE_S = 120.0

needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here"
)


def settings(path: Path) -> dict[str, list[str]]:
    """``Section.Key`` to its values, in order; systemd's files repeat keys."""
    found: dict[str, list[str]] = defaultdict(list)
    section = ""
    for line in path.read_text().splitlines():
        if re.fullmatch(r"\[\w+\]", line):
            section = line[1:-1]
        elif line and not line.startswith(("#", ";")):
            key, equals, value = line.partition("=")
            assert equals, line
            found[f"{section}.{key}"].append(value)
    return found


@pytest.fixture(scope="module")
def unit() -> dict[str, list[str]]:
    return settings(UNIT)


@needs_analyze
def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    program = tmp_path / "gate-agent"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / "gate-agent.service"
    text = UNIT.read_text().replace("/opt/gate-agent/.venv/bin/gate-agent", str(program))
    # The page that it names lies where the tree will be installed.
    copy.write_text(text.replace("file:///opt/gate-agent/", "file:///"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    ours = [line for line in done.stderr.splitlines() if "gate-agent" in line]
    assert (done.returncode, ours) == (0, [])


@needs_analyze
def test_systemd_rates_its_exposure_as_ok(tmp_path: Path) -> None:
    copy = tmp_path / "gate-agent.service"
    copy.write_text(UNIT.read_text())
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", str(copy)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout[-200:] + done.stderr


def test_the_outputs_are_secured_and_a_wrong_config_is_not_tried_again(
    unit: dict[str, list[str]],
) -> None:
    assert unit["Service.Type"] == ["notify"]
    assert unit["Service.ExecStart"] == ["/opt/gate-agent/.venv/bin/gate-agent run"]
    assert unit["Service.ExecStopPost"] == ["/opt/gate-agent/.venv/bin/gate-agent secure-outputs"]
    assert unit["Service.RestartPreventExitStatus"] == [str(int(ExitCode.CONFIG))]
    assert unit["Service.Restart"] == ["on-failure"]
    assert unit["Unit.StartLimitIntervalSec"] == ["0"]


def test_the_state_is_the_agents_alone_and_no_dump_holds_templates(
    unit: dict[str, list[str]],
) -> None:
    assert unit["Service.StateDirectoryMode"] == ["0700"]
    assert unit["Service.RuntimeDirectoryMode"] == ["0750"]
    assert unit["Service.UMask"] == ["0077"]
    assert unit["Service.LimitCORE"] == ["0"]


def test_the_unit_names_no_credential_whose_absence_would_fail_the_start(
    unit: dict[str, list[str]],
) -> None:
    assert "Service.LoadCredential" not in unit
    drop_in = settings(FOLDER / "gate-agent.service.d" / "credentials.conf.example")
    assert [value.partition(":")[0] for value in drop_in["Service.LoadCredential"]] == [
        "gallery.key",
        "broker.password",
    ]


def test_the_clock_may_be_read_though_not_set(unit: dict[str, list[str]]) -> None:
    # ProtectClock= would deny clock_adjtime, by which the agent learns whether to trust UTC.
    assert "Service.ProtectClock" not in unit
    allowed = unit["Service.SystemCallFilter"][-1].split()
    assert {"adjtimex", "clock_adjtime"} <= set(allowed)
    assert unit["Service.CapabilityBoundingSet"] == [""]


@pytest.mark.skipif(
    shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not installed here"
)
def test_the_user_and_the_groups_of_its_devices_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    done = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", str(FOLDER / "gate-agent.sysusers")],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    if done.returncode and os.geteuid() != 0:
        pytest.skip("systemd-sysusers needs root here")
    assert done.returncode == 0, done.stderr
    users = (tmp_path / "etc" / "passwd").read_text()
    groups = dict(line.split(":x:") for line in (tmp_path / "etc" / "group").read_text().split())
    assert re.search(
        r"^gate-agent:x:\d+:\d+:Gate agent:/var/lib/gate-agent:\S*nologin$", users, re.MULTILINE
    )
    for group in ("audio", "dialout", "gpio", "i2c", "video"):
        assert groups[group].endswith(":gate-agent")


MEMORY = """
import ctypes, mmap, sqlite3, sys
PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit(3)
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
except PermissionError:
    pass
else:
    sys.exit("nothing was denied")
import cv2, gpiozero, numpy as np, onnxruntime, paho.mqtt.client, structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from onnx import TensorProto, helper
sealed = AESGCM(bytes(32)).encrypt(bytes(12), b"x", b"")
value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
out = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
weight = helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 3, 3], [0.5] * 108)
graph = helper.make_graph(
    [helper.make_node("Conv", ["x", "w"], ["y"])], "g", [value], [out], [weight]
)
model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])
session = onnxruntime.InferenceSession(
    model.SerializeToString(), providers=["CPUExecutionProvider"]
)
assert session.run(None, {"x": np.ones((1, 3, 8, 8), np.float32)})[0].mean() == 13.5
cv2.resize(cv2.GaussianBlur(np.zeros((99, 99, 3), np.uint8), (5, 5), 1), (40, 40))
assert sqlite3.connect(":memory:").execute("select 1").fetchone() == (1,)
from gpiozero import OutputDevice
from gpiozero.pins.mock import MockFactory
OutputDevice(17, pin_factory=MockFactory()).on()
"""


def test_the_libraries_work_without_writable_executable_memory(
    unit: dict[str, list[str]],
) -> None:
    assert unit["Service.MemoryDenyWriteExecute"] == ["yes"]
    done = subprocess.run(
        [sys.executable, "-c", MEMORY],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    if done.returncode == 3:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3 has)")
    assert done.returncode == 0, done.stderr[-2000:]
