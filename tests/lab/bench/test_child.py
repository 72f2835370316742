"""A measuring process does not outlive who asked for it, however that one ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from places import ROOT

from agent.lab.child import python

PATIENCE_S = 60.0
MEASURES = """
import os, sys, time
print(os.getpid(), *sys.argv, flush=True)
time.sleep(600)
"""
ASKS = """
import subprocess, sys
from agent.lab.child import python
subprocess.run(python("measures", "one", "two"))
"""


def lives(pid: int) -> bool:
    """Whether it runs still; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_its_parent(tmp_path: Path, by: signal.Signals) -> None:
    (tmp_path / "measures.py").write_text(MEASURES)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    with subprocess.Popen(
        [sys.executable, "-c", ASKS], env=environment, stdout=subprocess.PIPE, text=True
    ) as asks:
        assert asks.stdout is not None
        pid, _, *arguments = asks.stdout.readline().split()
        assert arguments == ["one", "two"]
        assert lives(int(pid))
        asks.send_signal(by)
        asks.wait(PATIENCE_S)
        until_s = time.monotonic() + PATIENCE_S
        while lives(int(pid)) and time.monotonic() < until_s:
            time.sleep(0.02)
        assert not lives(int(pid))


def test_one_whose_parent_is_gone_already_does_not_begin(tmp_path: Path) -> None:
    (tmp_path / "measures.py").write_text(MEASURES)
    command = python("measures")
    command[command.index(str(os.getpid()))] = "1"  # no child of ours has this parent
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"},
        capture_output=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stdout) == (-signal.SIGTERM, b"")
