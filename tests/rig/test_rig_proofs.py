"""The proofs of ``scripts/rig test`` in the emulated machine: ``pytest -m rig``."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from emulated import places, work
from emulated.proofs import all as proofs
from emulated.proofs.kiosk import FailedError, prove
from emulated.proofs.run import Run
from mosquitto import PROGRAM

from agent.errors import RefusedError

SHARED = places.TREE.parent / "shared"
FACE = SHARED / "faces/gallery/obama.jpg"
PACK = SHARED / "models/retail"


def test_proofs_are_chosen_by_name_in_their_own_order():
    assert list(proofs.chosen(["kill", "service"])) == ["service", "kill"]
    assert list(proofs.chosen([])) == list(proofs.PROOFS)
    with pytest.raises(RefusedError, match=r"no proof is called nonsense: service, exit-button"):
        proofs.chosen(["service", "nonsense"])


def test_what_does_not_hold_is_told_and_what_cannot_be_tried_is_no_failure(tmp_path):
    nobody: Any = None
    run = Run(nobody, nobody, nobody, tmp_path, tmp_path / "log")
    said: list[str] = []

    def fails(_run: Run) -> str:
        prove("", "one is two")
        return "never said"

    assert proofs.proven("sum", fails, run, said.append) is False
    assert "FAILED  sum" in said[0]
    assert said[0].endswith("FailedError: one is two")
    assert FailedError.__name__ in run.log.read_text()
    assert proofs.proven("cut-enrolment", proofs.PROOFS["cut-enrolment"], run, said.append)
    assert said[1].endswith("no photograph was given: --face FILE")


def _lacks() -> str | None:
    if command := work.missing():
        return f"the rig's programs are not installed: {command}"
    if PROGRAM is None:
        return "mosquitto is not installed"
    return "the rig needs root" if os.geteuid() else None


@pytest.mark.rig
@pytest.mark.slow
def test_the_emulated_kiosk_does_what_is_proven_there(tmp_path):
    if why := _lacks():
        pytest.skip(why)
    words: list[str | Path] = [places.TREE / "scripts/rig", "test"]
    if PACK.is_dir() and FACE.is_file():
        state = tmp_path / "state"
        agent = places.TREE / ".venv/bin/gate-agent"
        subprocess.run(
            [agent, "models", "install", "retail", "--from", PACK, "--state-dir", state],
            check=True,
            capture_output=True,
            timeout=120,
        )
        words += ["--models", state, "--face", FACE]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=3 * 3600)
    assert done.returncode == 0, done.stderr[-4000:]
