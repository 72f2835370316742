"""The demo and the bench as their users run them."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from mosquitto import PROGRAM as MOSQUITTO

PROGRAM = Path(sys.executable).parent / "gate-agent"


@pytest.fixture
def run(dlib_pack):
    """``gate-agent`` on the installed default pack; the portraits of the demo are there."""
    for package in ("skimage", "matplotlib"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package}, of the extra demo, is not installed")
    state = dlib_pack.directory.parent.parent

    def run(*arguments):
        return subprocess.run(
            [str(PROGRAM), *arguments, "--state-dir", str(state)],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    return run


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
def test_every_step_of_the_demo_goes_as_it_should(run):
    done = run("demo", "--json")
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert [step for step in steps if not step["ok"]] == []
    assert len(steps) == 26
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_bench_has_its_keys(run):
    done = run("bench", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    compare = {"compare_1k", "compare_10k", "compare_100k", "compare_1m"}
    assert set(found["stages"]) >= {
        *("detect", "landmarks", "embed", "decide", "journal", "frame_to_relay", "button_to_relay"),
        *compare,
    }
    for stage in found["stages"].values():
        assert stage["p99_ms"] >= stage["median_ms"] > 0
        assert ("ratio" in stage) == ("bare_ms" in stage)
    assert set(found["ratios"]) >= {"face_path_to_bare", "compare_100k_to_numpy"}
    million = found["stages"]["compare_1m"]
    assert million["same_ranking"]
    assert million["memory_ratio"] <= million["memory_limit"]
    assert "peers" not in found
