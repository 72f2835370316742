"""config check and show, version, and where things lie."""

import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from config_parts import MEASURED
from gate_command import Gate
from places import ROOT

from agent.app.open import paths
from agent.app.threads.control.socket import ControlServer
from agent.config.mask import mask_address

EXAMPLE = ROOT / "config" / "gate.example.toml"


def test_check_sums_up_and_warns(gate: Gate, config_file: Path) -> None:
    answer = gate("config", "check", "--config", config_file, "--json")
    assert answer.code == 0
    assert answer.err == ""
    assert set(answer.json) == {"ok", "file", "summary", "warnings", "findings"}
    assert answer.json["summary"]["kiosk"] == "lakeside/g3/north-1"
    warnings = "\n".join(answer.json["warnings"])
    for risk in ("photograph of a resident may pass", "no [broker]", "no real output moves"):
        assert risk in warnings


def test_check_speaks_to_people_too(gate: Gate, config_file: Path) -> None:
    answer = gate("config", "check", "--config", config_file)
    assert answer.out.startswith(f"OK {config_file}\n")
    assert "attack detection " in answer.out
    assert not [line for line in answer.out.splitlines()[1:] if "_" in line.partition("  ")[0]]
    assert "warning: face alone opens the gate" in answer.err


def test_every_fault_of_a_config_is_told_with_its_line(gate: Gate, config_file: Path) -> None:
    text = config_file.read_text()
    broken = text.replace("pin = 17", "pin = 99").replace("accept_no_pad", "accept_nopad")
    config_file.write_text(broken)
    answer = gate("config", "check", "--config", config_file)
    assert answer.code == 78
    assert answer.out == ""
    lines = broken.splitlines()
    assert f"door[0].pin: should be a whole number from 0 to 27\n  --> {config_file}" in answer.err
    assert f"{config_file}:{lines.index('pin = 99') + 1}:7\n" in answer.err
    assert f"{config_file}:{lines.index('accept_nopad = true') + 1}:1\n" in answer.err
    assert "did you mean 'accept_no_pad'" in answer.err


def test_check_looks_for_attack_detection_where_the_agent_would(
    gate: Gate, config_file: Path, state_dir: Path
) -> None:
    config_file.write_text(config_file.read_text().replace("no_pad = true", "no_pad = false"))
    refused = gate("config", "check", "--config", config_file)
    assert refused.code == 78
    assert "face.accept_no_pad: the rules open by face alone, and no presentation" in refused.err
    (state_dir / "models" / "antispoof").mkdir(parents=True)
    answer = gate("config", "check", "--config", config_file, "--json")
    assert answer.code == 0
    assert answer.json["summary"]["attack_detection"] == ["antispoof"]
    assert not any("photograph of a resident" in one for one in answer.json["warnings"])


def test_check_says_which_pack_the_gate_would_use_and_whether_it_is_there(
    gate: Gate, config_file: Path, state_dir: Path
) -> None:
    answer = gate("config", "check", "--config", config_file, "--json").json
    used = answer["summary"]["pack_used"]
    warned = [one for one in answer["warnings"] if "is not installed" in one]
    assert len(warned) == 1
    assert warned[0].endswith(f"Fix: scripts/setup, or gate-agent models install {used}")
    people = gate("config", "check", "--config", config_file).out
    assert f"{used}, not installed: the gate does not start\n" in people
    (state_dir / "models" / used).mkdir(parents=True)
    answer = gate("config", "check", "--config", config_file, "--json").json
    assert not any("is not installed" in one for one in answer["warnings"])


def test_a_missing_config_is_78_and_says_what_to_do(gate: Gate, tmp_path: Path) -> None:
    answer = gate("config", "check", "--config", tmp_path / "none.toml", "--json")
    assert answer.code == 78
    assert "none.toml" in answer.json["error"]
    assert "GATE_AGENT_CONFIG" in answer.json["fix"]


def test_show_masks_what_opens_a_camera(gate: Gate, config_file: Path) -> None:
    for arguments in (["--json"], []):
        answer = gate("config", "show", "--config", config_file, *arguments)
        assert json.loads(answer.out)["camera"][0]["source"] == "rtsp://***@10.0.0.7/stream?***"
        assert "hunter2" not in answer.out + answer.err
        assert "abc" not in answer.out + answer.err


def test_the_config_may_come_from_the_environment(
    gate: Gate, config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATE_AGENT_CONFIG", str(config_file))
    assert gate("config", "show", "--json").json["kiosk"]["id"] == "north-1"
    assert gate("config", "show", "--json", "--config", EXAMPLE).json["kiosk"]["grid"] == "g3"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("rtsp://user:pass@host:554/a?x=1&y=2", "rtsp://***@host:554/a?***"),
        ("rtsp://host/a", "rtsp://host/a"),
        ("http://user@host/a", "http://***@host/a"),
        ("https://host/a?token=1", "https://host/a?***"),
        ("rtsp://u:p@ss@host/a", "rtsp://***@host/a"),
        ("rtsp://u:p/s?x@host/a", "rtsp://***@host/a"),
        ("/dev/video0", "/dev/video0"),
        ("clip@home.mp4", "clip@home.mp4"),
        ("rtsp://host/user=u&password=p&channel=1", "rtsp://host/***"),
        ("rtsp://host/a/u=1_p=2.sdp?real", "rtsp://host/a/***"),
        ("http://host/a#token", "http://host/a#***"),
    ],
)
def test_an_address_loses_its_login_and_query(source: str, shown: str) -> None:
    assert mask_address(source) == shown


def test_version_names_what_is_installed(gate: Gate, state_dir: Path) -> None:
    pack = state_dir / "models" / "dlib"
    pack.mkdir(parents=True)
    (pack / "installed.json").write_text('{"pack": "dlib", "version": "1", "sha256": {}}')
    answer = gate("version", "--json")
    assert answer.code == 0
    assert set(answer.json) == {"agent", "python", "machine", "package", "packs", "libraries"}
    assert answer.json["packs"] == {"dlib": "1"}
    assert answer.json["libraries"]["numpy"] is not None
    assert "gate-agent" in gate("version").out


def test_state_lies_where_it_was_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("GATE_AGENT_STATE_DIR", "STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert paths.state_dir() == tmp_path / ".local" / "state" / "gate-agent"
    monkeypatch.setenv("XDG_STATE_HOME", "/xdg")
    assert paths.state_dir() == Path("/xdg/gate-agent")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/gate-agent")
    assert paths.state_dir() == Path("/var/lib/gate-agent")
    monkeypatch.setenv("GATE_AGENT_STATE_DIR", "/given")
    assert paths.state_dir() == Path("/given")
    assert paths.state_dir(Path("asked")) == Path("asked")


def test_the_socket_is_that_of_the_same_agent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    assert paths.control_socket(None, tmp_path) == tmp_path / "control.sock"
    system = Path("/run/gate-agent/control.sock")
    assert paths.control_socket(None, Path("/var/lib/gate-agent")) == system
    assert paths.control_socket(Path("/x.sock"), tmp_path) == Path("/x.sock")
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/elsewhere")
    assert paths.control_socket(None, tmp_path) == Path("/run/elsewhere/control.sock")


@pytest.fixture
def running(state_dir: Path) -> Iterator[list[tuple[str, object]]]:
    """An agent's control socket, answering; what it was asked, and by whom."""
    asked: list[tuple[str, object]] = []

    def clear(request: Mapping[str, object], caller: str) -> dict[str, object]:
        if request["part"] != "camera:front":
            raise ValueError("no such fault")
        asked.append((caller, request["part"]))
        return {}

    server = ControlServer(
        state_dir / "control.sock",
        {"status": lambda _request, _caller: {"status": {"online": True}}, "clear_fault": clear},
    )
    thread = threading.Thread(target=server.work)
    thread.start()
    yield asked
    server.stop()
    thread.join(timeout=10)


def test_a_running_agent_answers(running: list[tuple[str, object]], gate: Gate) -> None:
    assert gate("status", "--json").json == {"online": True}
    assert gate("status").out == "faults  none\nonline  yes\n"
    assert gate("clear-fault", "camera:front", "--json").json == {"part": "camera:front"}
    assert [(caller.split()[0], part) for caller, part in running] == [
        (f"uid:{os.getuid()}", "camera:front")
    ]
    refused = gate("clear-fault", "door:x", "--json")
    assert (refused.code, refused.json["reason"]) == (1, "refused")


def test_no_agent_runs(gate: Gate, state_dir: Path) -> None:
    answer = gate("status", "--json")
    assert answer.code == 69
    assert str(state_dir / "control.sock") in answer.json["error"]
    assert "gate-agent run" in answer.json["fix"]


def test_check_says_where_a_measurement_is_of_another_pack(gate: Gate, config_file: Path) -> None:
    text = config_file.read_text()
    config_file.write_text(text + MEASURED.replace('"retail"', '"taguchi"'))
    answer = gate("config", "check", "--config", config_file)
    assert answer.code == 0
    assert (
        "warning: [face.operating_point] is of pack taguchi 1 and counts for nothing" in answer.err
    )
    assert "Fix: gate-agent evaluate operating-point DIR" in answer.err
