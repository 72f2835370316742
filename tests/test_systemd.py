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

from agent.lifecycle import ENDS_WITHIN_S, ExitCode

FOLDER = ROOT / "systemd"
UNIT = FOLDER / "gate-agent.service"
SYSUSERS = FOLDER / "gate-agent.sysusers"
UNITS = (
    *("gate-agent.service", "gate-agent-first.service", "gate-agent-settle.service"),
    "gate-agent-console.service",
)
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
@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("drop_in", ["", "read-only-root.conf.example"])
def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path, name: str, drop_in: str) -> None:
    program = tmp_path / "gate-agent"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / name
    if drop_in:
        folder = tmp_path / f"{name}.d"
        folder.mkdir()
        shutil.copy(FOLDER / "gate-agent.service.d" / drop_in, folder / "one.conf")
    text = (FOLDER / name).read_text().replace("/opt/gate-agent/.venv/bin/gate-agent", str(program))
    text = text.replace("/usr/lib/gate-agent/settle", str(program))
    if name == "gate-agent-console.service":
        beside = (FOLDER / "gate-agent-console.socket").read_text()
        (tmp_path / "gate-agent-console.socket").write_text(beside)
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
@pytest.mark.parametrize("name", UNITS)
def test_systemd_rates_its_exposure_as_two_at_most(tmp_path: Path, name: str) -> None:
    copy = tmp_path / name
    copy.write_text((FOLDER / name).read_text())
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(copy)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout[-200:] + done.stderr


def test_the_page_is_off_listens_on_this_machine_and_takes_no_other_socket() -> None:
    listens, page = (
        settings(FOLDER / f"gate-agent-console.{one}") for one in ("socket", "service")
    )
    assert listens["Socket.ListenStream"] == ["127.0.0.1:8020"]
    assert listens["Socket.Accept"] == ["no"]
    assert page["Service.SocketBindDeny"] == ["any"]
    assert page["Service.User"] == ["gate-agent"]
    assert not [key for key in page if key.startswith("Install.")]
    # Nothing enables the socket: neither a preset, nor the package, nor a card's first boot.
    for file in (ROOT / "scripts").rglob("*"):
        if file.is_file() and file.suffix in {"", ".sh", ".py"}:
            for line in file.read_text(errors="replace").splitlines():
                assert not ("enable" in line and "gate-agent-console" in line), file
    made = [line.split() for line in (FOLDER / "gate-agent.tmpfiles").read_text().splitlines()]
    assert ["d", "/run/gate-agent-console", "0700", "gate-agent", "gate-agent", "-"] in made


def test_the_outputs_are_secured_and_a_wrong_config_is_not_tried_again(
    unit: dict[str, list[str]],
) -> None:
    assert unit["Service.Type"] == ["notify"]
    assert unit["Service.ExecStart"] == ["/opt/gate-agent/.venv/bin/gate-agent run"]
    assert unit["Service.ExecStopPost"] == ["/opt/gate-agent/.venv/bin/gate-agent secure-outputs"]
    assert unit["Service.RestartPreventExitStatus"] == [str(int(ExitCode.CONFIG))]
    assert unit["Service.Restart"] == ["on-failure"]
    assert unit["Unit.StartLimitIntervalSec"] == ["0"]


def test_what_stops_it_leaves_time_to_secure_the_outputs(unit: dict[str, list[str]]) -> None:
    # The agent's own end, then ExecStopPost, of which this is the bound as well.
    assert int(unit["Service.TimeoutStopSec"][0]) >= ENDS_WITHIN_S + 60
    assert unit["Service.WatchdogSec"] == ["10"]


def test_neither_network_nor_time_is_waited_for(unit: dict[str, list[str]]) -> None:
    awaited = {name for key in ("After", "Wants", "Requires") for name in unit[f"Unit.{key}"]}
    named = {name for line in awaited for name in line.split()}
    assert named.isdisjoint({"network-online.target", "time-sync.target"})
    assert "time-set.target" in named


def test_the_log_has_a_bound_on_the_card_and_in_memory() -> None:
    bounds = settings(FOLDER / "gate-agent.journald.conf")
    for key in ("SystemMaxUse", "SystemKeepFree", "RuntimeMaxUse", "SystemMaxFileSize"):
        assert re.fullmatch(r"\d+M", bounds[f"Journal.{key}"][0])


def test_the_boards_watchdog_is_within_what_a_pi_takes() -> None:
    manager = settings(FOLDER / "gate-agent.watchdog.conf")
    assert 0 < int(manager["Manager.RuntimeWatchdogSec"][0]) <= 15


def test_a_read_only_root_waits_for_the_states_own_partition() -> None:
    drop_in = settings(FOLDER / "gate-agent.service.d" / "read-only-root.conf.example")
    assert drop_in["Unit.RequiresMountsFor"] == ["/var/lib/gate-agent"]
    page = (ROOT / "docs" / "service.md").read_text()
    lines = [line.split() for line in page.splitlines() if re.match(r"(LABEL=|tmpfs )", line)]
    mounted = {fields[1]: fields[3].split(",") for fields in lines}
    assert "ro" in mounted["/"]
    assert {"rw", "nodev", "nosuid", "noexec"} <= set(mounted["/var/lib/gate-agent"])
    assert all(len(fields) == 6 for fields in lines)


def test_the_devices_of_the_rules_are_those_of_the_unit(unit: dict[str, list[str]]) -> None:
    rules = (FOLDER / "gate-agent.udev.rules").read_text()
    allowed = {value.split()[0] for value in unit["Service.DeviceAllow"]}
    for subsystem, device in (("gpio", "gpiochip"), ("i2c-dev", "i2c"), ("dma_heap", "dma_heap")):
        assert f'SUBSYSTEM=="{subsystem}"' in rules
        assert f"char-{device}" in allowed
    groups = set(re.findall(r'GROUP="(\w+)"', rules))
    assert groups <= set(re.findall(r"^m gate-agent (\w+)", SYSUSERS.read_text(), re.MULTILINE))


def test_the_first_start_is_held_in_as_the_agent_is(unit: dict[str, list[str]]) -> None:
    first = settings(FOLDER / "gate-agent-first.service")
    for key in ("DeviceAllow", "SystemCallFilter", "ProtectSystem", "NoNewPrivileges"):
        assert first[f"Service.{key}"] == unit[f"Service.{key}"]
    # A config that a person wrote is never replaced.
    assert first["Unit.ConditionPathExists"] == ["!/etc/gate-agent/gate.toml"]
    assert first["Unit.Before"] == ["gate-agent.service"]


def test_what_an_update_left_is_settled_before_the_agent_starts(unit: dict[str, list[str]]) -> None:
    settle = settings(FOLDER / "gate-agent-settle.service")
    assert settle["Unit.ConditionPathExists"] == ["/opt/gate-agent/pending"]
    assert "gate-agent.service" in settle["Unit.Before"][0].split()
    assert "gate-agent-settle.service" in unit["Unit.Wants"][0].split()
    # Not at the boot alone: at each start, so also where the updating process was killed.
    assert "Service.RemainAfterExit" not in settle


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
