"""The installed agent on a state folder of which somebody took, emptied or put back a file."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from mosquitto import wait_until
from test_agent import Site, simulated


@pytest.fixture
def site(tmp_path, dlib_pack):
    site = Site(tmp_path, dlib_pack.directory.parent)
    yield site
    for process in site.processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


def status(site: Site) -> dict[str, Any]:
    done = site.command("status", "--json")
    return json.loads(done.stdout) if done.returncode == 0 else {}


def started(site: Site):
    process = site.run()
    assert wait_until(lambda: bool(status(site).get("modes")), 60), process.poll()
    return process


def killed(site: Site, process) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


def ended(process) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    process.communicate(timeout=60)


def files(site: Site) -> dict[str, str | None]:
    done = site.command("state", "show", "--json")
    return {one["file"]: one["fault"] for one in json.loads(done.stdout)["files"]}


@pytest.mark.slow
def test_a_lockdown_outlives_its_file_until_a_person_says_otherwise(site, shared_faces):
    site.configure(simulated(shared_faces / "gallery" / "obama.jpg"))
    site.enrol(shared_faces / "gallery" / "obama.jpg")
    process = started(site)
    assert site.command("door", "lockdown", "--all").returncode == 0
    ended(process)
    for ending in ("", "-wal", "-shm"):
        Path(site.state, f"latches.sqlite{ending}").unlink(missing_ok=True)
    Path(site.state, "passes.sqlite").write_bytes(b"")
    assert {name for name, fault in files(site).items() if fault} == {
        "latches.sqlite",
        "passes.sqlite",
    }
    process = started(site)
    told = status(site)
    assert set(told["faults"]) == {"state:latches", "state:passes"}
    assert set(told["modes"].values()) == {"locked_down"}
    assert site.command("door", "resume", "--all").returncode == 0
    assert status(site)["modes"] == told["modes"]
    doctor = json.loads(site.command("doctor", "--json").stdout)
    (check,) = [one for one in doctor["checks"] if one["name"] == "state files"]
    assert not check["ok"]
    assert "state accept" in check["fix"]
    killed(site, process)

    process = started(site)
    assert set(status(site)["faults"]) == {"state:latches", "state:passes"}
    refused = site.command("clear-fault", "state:latches")
    assert refused.returncode == 1
    assert "state accept" in refused.stderr
    accepted = site.command("state", "accept", "latches.sqlite", "--reason", "the card was renewed")
    assert accepted.returncode == 0, accepted.stderr
    assert wait_until(lambda: set(status(site)["modes"].values()) == {"normal"})
    ended(process)
    accepted = site.command("state", "accept", "passes.sqlite", "--reason", "likewise", "--json")
    assert json.loads(accepted.stdout) == {"file": "passes.sqlite", "part": "state:passes"}
    process = started(site)
    assert status(site)["faults"] == {}
    assert wait_until(lambda: bool(site.events("access")), 30)
    ended(process)
    words = [(one["data"]["file"], one["data"]["reason"]) for one in site.events("state")]
    assert words == [("latches.sqlite", "the card was renewed"), ("passes.sqlite", "likewise")]


@pytest.mark.slow
def test_an_older_registry_lets_nobody_in_and_takes_no_holder(site, shared_faces, tmp_path):
    portrait = shared_faces / "gallery" / "obama.jpg"
    site.configure(simulated(portrait))
    site.enrol(portrait)
    shutil.copytree(site.state, tmp_path / "older", symlinks=True)
    assert site.command("holders", "disable", "obama").returncode == 0
    shutil.copy(tmp_path / "older" / "registry.sqlite", site.state)
    refused = site.command("holders", "disable", "obama")
    assert refused.returncode == 69
    assert "older copy" in refused.stderr
    process = started(site)
    assert "state:registry" in status(site)["faults"]
    assert wait_until(lambda: bool(site.events("access")), 60)
    assert {one["data"]["reason"] for one in site.events("access")} == {"SensorFault"}
    ended(process)


def rubbish(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "deed",
    [rubbish, pytest.param(a_folder, marks=pytest.mark.slow)],
    ids=["rubbish", "folders"],
)
def test_the_agent_starts_whatever_stands_in_the_place_of_its_files(site, shared_faces, deed):
    portrait = shared_faces / "gallery" / "obama.jpg"
    site.configure(simulated(portrait))
    site.enrol(portrait)
    ended(started(site))
    own = ["installation", "agent.lock", "outputs.json", "rules.sha256", "journal.sqlite-stream"]
    parts = ("registry", "journal", "passes", "latches", "commands")
    names = [*own, *(f"{part}.sqlite" for part in parts)]
    for name in names:
        deed(Path(site.state, name))
    process = started(site)
    told = status(site)
    wanted = {"state:registry", "state:passes", "state:latches", "state:commands"}
    assert wanted <= set(told["faults"]) <= {*wanted, "state:journal"}
    assert set(told["modes"].values()) == {"locked_down"}
    assert wait_until(lambda: bool(site.events("access")), 60)
    assert {one["type"] for one in site.events("access")} == {"gate.access.denied"}
    for part in sorted(told["faults"]):
        name = f"{part.removeprefix('state:')}.sqlite"
        assert list(Path(site.state).glob(f"{name}.broken-*"))
        accepted = site.command("state", "accept", name, "--reason", "a new card")
        assert accepted.returncode == 0, accepted.stderr
    # By what is entered again the gate goes on.
    site.enrol(portrait)
    assert wait_until(lambda: not status(site)["faults"])
    assert set(status(site)["modes"].values()) == {"normal"}
    ended(process)
