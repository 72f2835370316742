"""The units about the card, as systemd reads them, and what they must not touch."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from places import ROOT
from test_systemd import PATIENCE_S, settings

FOLDER = ROOT / "systemd"
UNITS = (
    "gate-agent-boot.service",
    "gate-agent-key.service",
    "gate-agent-report.service",
    "gate-agent-backup.service",
)
OPT = "/opt/gate-agent/.venv/bin/gate-agent"


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here"
)
def test_systemd_finds_no_fault_in_them(tmp_path: Path) -> None:
    program = tmp_path / "gate-agent"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in (*UNITS, "gate-agent-report.timer", "gate-agent-backup.timer"):
        text = (FOLDER / unit).read_text().replace(OPT, str(program))
        (tmp_path / unit).write_text(text.replace("file:///opt/gate-agent/", "file:///"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / unit) for unit in UNITS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, [one for one in done.stderr.splitlines() if "gate-agent" in one]) == (
        0,
        [],
    )


def test_the_config_comes_before_the_agent_and_keeps_it_from_no_start() -> None:
    boot = settings(FOLDER / "gate-agent-boot.service")
    assert "gate-agent.service" in boot["Unit.Before"][0].split()
    # Nothing requires it: a wrong file fails it, and the gate runs by the config it had.
    for unit in FOLDER.glob("*.service"):
        if unit.name not in UNITS:
            assert "gate-agent-boot" not in "".join(
                value
                for key, values in settings(unit).items()
                if key in ("Unit.Requires", "Unit.BindsTo")
                for value in values
            )


def test_no_key_is_made_where_something_may_be_sealed_by_another() -> None:
    conditions = settings(FOLDER / "gate-agent-key.service")["Unit.ConditionPathExists"]
    assert "!/var/lib/gate-agent/registry.sqlite" in conditions


def test_only_root_writes_the_card_and_only_the_service_its_state() -> None:
    boot = settings(FOLDER / "gate-agent-boot.service")
    assert "Service.User" not in boot
    assert boot["Service.ReadWritePaths"] == ["/etc -/boot"]
    report = settings(FOLDER / "gate-agent-report.service")
    assert report["Service.User"] == ["gate-agent"]
    assert re.match(r"-/bin/sh -c '.* doctor --json >", report["Service.ExecStartPre"][0])
