"""A fleet's whole day: real broker, real PostgreSQL, the reference backend, and both broken."""

import json
import os
import shutil
from pathlib import Path

import pytest
from in_process import run_here

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")), reason="there is no PostgreSQL"
    ),
    pytest.mark.skipif(
        shutil.which("mosquitto", path="/usr/sbin:/usr/bin") is None, reason="there is no mosquitto"
    ),
]


def test_nothing_is_missing_whatever_breaks() -> None:
    answer = run_here("fleet", 20, "--seconds", 3, "--per-s", 2, "--json", environment=os.environ)
    found = json.loads(answer.stdout)
    assert (answer.returncode, found["whole"]) == (0, True)
    assert found["stored"] == found["said"] > 100
    assert (found["missing"], found["doubles"], found["flaws"]) == (0, 0, 0)
    assert found["registry_s"] is not None
    assert found["broker_restart"]["caught_up_s"] is not None
    assert found["backend_kill"]["caught_up_s"] is not None
    assert set(found["cpu_ms_per_event"]) == {"kiosks", "broker", "backend", "database"}
    assert min(found["cpu_ms_per_event"].values()) > 0.0
    assert (found["asked_per_s"], found["unsaid"] >= 0) == (40.0, True)
    assert found["rate_held"] == (found["events_per_s"] >= 0.99 * found["asked_per_s"])
    assert set(found["end_to_end_ms"]) == {"p50", "p95", "p99", "max"}
