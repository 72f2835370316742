"""A wheelhouse: made as scripts/deb makes it, and installed by ``gate-agent update``."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from debian import signature, tree, wheelhouse, wheels
from debs import HERE, TIME, source, wheel
from in_process import run_here
from release_parts import KEY, NEW, OLD, Machine, signed

from agent.operations.about import RELEASE
from agent.operations.releases.wheelhouse import NAME

ENTRY = """
import json, sys
from tiny import WORD

def main():
    print(json.dumps({"checks": [], "word": WORD, "prefix": sys.prefix}))
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("house")
    built = tree.Built(NEW, "0.2.0", "0" * 40, TIME, HERE, "all")
    pin = wheel(work / "wheels", "tiny", {"tiny/__init__.py": "WORD = 'tiny'\n"})
    [path] = (work / "wheels").glob("*.whl")
    found = [wheels.Wheel(pin, path, next(iter(pin.hashes)))]
    files = source(work / "source", "", ENTRY)
    tree.environment(built, found, files, work / "stage")
    told = wheelhouse.lay(built, found, work / "stage", work / "wheelhouse")
    signature.sign(built, told, KEY)
    return told.parent


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "root")


@pytest.fixture
def copied(house: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(house, tmp_path / "brought"))


def update(machine: Machine, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.defpath}", "HOME": "/nonexistent"}
    words = ("update", folder, "--root", machine.root, "--json")
    return run_here(*words, environment=environment)


@pytest.fixture
def _strict_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_strict_umask")
def test_it_becomes_an_environment_that_runs(machine: Machine, house: Path) -> None:
    done = update(machine, house)
    assert done.returncode == 0, done.stdout
    assert machine.current == NEW
    place = machine.home / "releases" / NEW
    ran = subprocess.run(
        [place / "bin" / "gate-agent"], capture_output=True, text=True, check=True, cwd="/"
    )
    assert json.loads(ran.stdout) == {"checks": [], "word": "tiny", "prefix": str(place)}
    said = json.loads((place / RELEASE).read_text())
    assert (said["version"], "files" in said) == (NEW, False)
    assert said["state"]
    # Compiled, so that no start has to.
    assert list(place.rglob("entry.*.pyc"))
    assert (place / "share" / "gate-agent" / "sbom.cdx.json").is_file()
    assert machine.releases == {OLD, NEW}
    # The service's user reads all of it, whoever's umask it was.
    closed = [one for one in (place, *place.rglob("*")) if one.stat().st_mode & 0o044 != 0o044]
    assert closed == []


def spoilt(folder: Path, change: str) -> None:
    [own] = folder.glob("gate_agent-*.whl")
    match change:
        case "a wheel":
            own.write_bytes(own.read_bytes() + b"\n")
        case "a wheel is away":
            own.unlink()
        case "what it says":
            (folder / NAME).write_text((folder / NAME).read_text() + "\n")
        case "signed as another":
            signed(folder / NAME, "9.9.9")
        case _:
            said = json.loads((folder / NAME).read_text())
            said |= {
                "no state": {"state": None},
                "a name that leads away": {"files": {"../../etc/passwd": "0" * 64}},
                "another Python": {"python": "2.7"},
                "no Python": {"python": "3/../x"},
            }[change]
            (folder / NAME).write_text(json.dumps(said))
            signed(folder / NAME, NEW)


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        ("a wheel", 1, "no_package"),
        ("a wheel is away", 69, "unavailable"),
        ("what it says", 1, "not_signed"),
        ("signed as another", 1, "not_signed"),
        ("no state", 1, "other_state"),
        ("a name that leads away", 1, "no_package"),
        ("another Python", 69, "unavailable"),
        ("no Python", 1, "no_package"),
    ],
)
def test_what_is_not_as_it_was_signed_is_refused(
    machine: Machine, copied: Path, change: str, code: int, reason: str
) -> None:
    spoilt(copied, change)
    done = update(machine, copied)
    assert (done.returncode, json.loads(done.stdout)["reason"]) == (code, reason), done.stdout
    assert (machine.current, machine.is_whole(OLD)) == (OLD, True)
