"""The installed agent on a card that had its share for today: it tells, says less, and goes on."""

import json
import signal
from datetime import UTC, datetime

import pytest
from bundle_parts import told as told_by
from mosquitto import wait_until
from test_agent import Site, ended, simulated

from agent.app.open.files.written import keep_day, kept_day
from agent.domain.record.wear import Day

LOGGED = {"warning", "error", "critical"}


@pytest.fixture
def site(tmp_path, dlib_pack):
    with ended(Site(tmp_path, dlib_pack.directory.parent)) as site:
        site.configure(simulated())
        yield site


def test_beyond_the_budget_the_gate_decides_and_records_as_ever(site, shared_faces):
    portrait = shared_faces / "gallery" / "obama.jpg"
    site.configure(simulated(portrait))
    with site.config.open("a") as config:
        config.write("[clock]\ntrust_system_clock = true\n[store]\nwritten_mb_a_day = 1\n")
    site.enrol(portrait)
    before = Day(datetime.now(UTC).date(), written=2_000_000)
    keep_day(site.state, before)
    process = site.run()

    def status():
        done = site.command("status", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else {}

    assert wait_until(lambda: "wear" in status().get("faults", {}), 60)
    told = status()["written"]
    assert told["over"]
    assert told["budget_bytes"] == 1_000_000
    assert told["bytes"] > 2_000_000
    assert "written today" in site.command("status").stdout
    assert wait_until(lambda: bool(site.events("access")), 30)
    assert [one["data"]["part"] for one in site.events("fault")] == ["wear"]
    released = site.command("door", "release", "north-entry", "--json")
    assert released.returncode == 0, released.stderr
    # The answer comes once the line has moved; its row is written right behind it.
    assert wait_until(lambda: bool(site.events("door")), 30)
    # A bundle beside it says the same, and the heartbeat as the agent would send it.
    parcel = site.folder / "bundle.zip"
    bundled = site.command("bundle", parcel, "--json")
    assert all(one["ok"] for one in json.loads(bundled.stdout)["parts"][6:10]), bundled.stdout
    parts = told_by(parcel)
    assert parts["health"]["uptime_s"] > 0
    assert parts["health"]["written"]["over"] is True
    assert parts["status"]["faults"] == ["wear"]
    assert "obama" not in json.dumps(parts)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    lines = [json.loads(line) for line in process.stderr.read().splitlines()]
    since = next(n for n, one in enumerate(lines) if one.get("part") == "wear")
    assert {one["level"] for one in lines[since:]} <= LOGGED
    kept = kept_day(site.state)
    assert kept.on == before.on
    assert kept.total >= told["bytes"]
    assert not told["measured"] or "MainThread" in told["by"]
