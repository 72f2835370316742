"""``gate-agent update``: a signed release becomes the current one, or the one before stays it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import release_parts
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from gate_command import Answer, Gate, Typed
from places import ROOT
from release_parts import NEW, OLD, WELL, Machine, checks, deb, files_of, offered, signed

from agent.app.open.files.formats import FORMATS
from agent.operations.releases.home import Home
from agent.operations.releases.versions import is_version, newer

SETTLE = ROOT / "scripts" / "debian" / "files" / "settle"
Update = Callable[..., Answer]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "root")


@pytest.fixture
def update(machine: Machine, gate: Gate) -> Update:
    def run(file: Path, *more: object) -> Answer:
        return gate("update", file, "--root", machine.root, *more)

    return run


def unchanged(machine: Machine) -> bool:
    return (machine.current, machine.releases, machine.others) == (OLD, {OLD}, set())


def test_a_release_that_does_as_well_becomes_the_current_one(
    machine: Machine, update: Update, tmp_path: Path
) -> None:
    machine.place("0.0.9+deb12", WELL)
    answer = update(offered(tmp_path), "--json")
    assert answer.code == 0, answer.err
    assert answer.json == {
        "from": OLD,
        "to": NEW,
        "older": False,
        "file": str(tmp_path / f"{NEW}.deb"),
        "changed": True,
    }
    assert machine.current == NEW
    assert machine.is_whole(NEW)
    assert os.access(machine.home / "current" / "bin" / "gate-agent", os.X_OK)
    # The one before stays, and no other; the state is as it was.
    assert (machine.releases, machine.others) == ({OLD, NEW}, set())
    assert machine.state.read_text() == "people"
    again = update(tmp_path / f"{NEW}.deb", "--json")
    assert (again.code, again.json["changed"]) == (0, False)
    assert "runs already" in update(tmp_path / f"{NEW}.deb").out


def test_a_dry_run_changes_nothing(machine: Machine, update: Update, tmp_path: Path) -> None:
    answer = update(offered(tmp_path), "--dry-run")
    assert (answer.code, unchanged(machine)) == (0, True)
    assert f"would update from {OLD} to {NEW}" in answer.out
    assert update(tmp_path / f"{NEW}.deb", "--dry-run", "--json").json["changed"] is False


@pytest.mark.parametrize(
    ("found", "more", "said"),
    [
        ({**WELL, "broker": False}, {}, "'broker' fails"),
        (WELL, {"starts": False}, "does not start"),
    ],
)
def test_one_that_does_worse_never_becomes_current(
    machine: Machine,
    update: Update,
    tmp_path: Path,
    found: dict[str, bool],
    more: dict[str, bool],
    said: str,
) -> None:
    answer = update(offered(tmp_path, NEW, found, **more), "--json")
    assert (answer.code, answer.json["reason"]) == (1, "worse")
    assert said in answer.json["error"]
    assert unchanged(machine)


def test_what_failed_before_may_fail_afterwards(tmp_path: Path, gate: Gate) -> None:
    machine = Machine(tmp_path / "root", {**WELL, "broker": False})
    file = offered(tmp_path, NEW, {**WELL, "broker": False, "a new check": False})
    answer = gate("update", file, "--root", machine.root)
    assert answer.code == 0, answer.err
    assert machine.current == NEW


def test_one_that_does_worse_once_it_runs_goes_back(
    machine: Machine, update: Update, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = Home.turn

    def turned(home: Home, version: str) -> None:
        turn(home, version)
        # From now on whichever doctor looks finds the camera gone.
        (machine.home / "doctor.json").write_bytes(checks({**WELL, "camera front": False}))

    monkeypatch.setattr(Home, "turn", turned)
    answer = update(offered(tmp_path), "--json")
    assert (answer.code, answer.json["reason"]) == (1, "rolled_back")
    assert f"{OLD} is current again" in answer.json["error"]
    (machine.home / "doctor.json").unlink()
    assert (machine.current, machine.others) == (OLD, set())
    assert machine.state.read_text() == "people"


REFUSED = {
    "another key": ("not_signed", lambda file: signed(file, NEW, key=Ed25519PrivateKey.generate())),
    "changed": ("not_signed", lambda file: file.write_bytes(file.read_bytes() + b"\n")),
    "no sense": ("not_signed", lambda file: file.with_name(f"{file.name}.sig").write_bytes(b"a")),
    "too long": (
        "not_signed",
        lambda file: file.with_name(f"{file.name}.sig").write_bytes(bytes(2000)),
    ),
    "another version": ("not_signed", lambda file: signed(file, "9.9.9")),
    "another machine": ("other_machine", lambda file: made(file, arch="riscv64")),
    "another Debian": ("other_machine", lambda file: signed(file, NEW, debian="trixie")),
    "another package": ("no_package", lambda file: made(file, package="mosquitto")),
    "no package": ("no_package", lambda file: again(file, b"PK\x03\x04 no package at all")),
    "cut off": ("no_package", lambda file: again(file, file.read_bytes()[:-200])),
    "a name that leads away": ("not_signed", lambda file: made(file, version="../../etc")),
    "no state": ("other_state", lambda file: made(file, state=None)),
    "a newer state": (
        "other_state",
        lambda file: made(file, state={**FORMATS, "registry.sqlite": 99}),
    ),
    "a file that it does not know": ("other_state", lambda file: made(file, state={"other": 1})),
}


def made(file: Path, version: str = NEW, arch: str = "all", **more: Any) -> None:
    package = str(more.pop("package", "gate-agent"))
    files = files_of(version, WELL, **more)
    deb(file, version, files, arch=arch, package=package)
    signed(file, NEW if version != NEW else version, arch=arch)


def again(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    signed(file, NEW)


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_ours_or_not_for_this_kiosk_is_refused(
    machine: Machine, update: Update, tmp_path: Path, what: str
) -> None:
    reason, spoil = REFUSED[what]
    file = offered(tmp_path)
    spoil(file)
    for options in ((), ("--dry-run",)):
        answer = update(file, "--json", *options)
        assert (answer.code, answer.json["reason"]) == (1, reason), answer.out
        assert unchanged(machine)


def test_what_is_missing_is_told_with_its_fix(
    machine: Machine, update: Update, tmp_path: Path
) -> None:
    file = offered(tmp_path)
    assert update(tmp_path / "none.deb", "--json").code == 69
    beside = file.with_name(f"{file.name}.sig")
    beside.rename(tmp_path / "aside")
    assert "bring the package and its .sig together" in update(file).err
    (tmp_path / "aside").rename(beside)
    key = machine.root / "etc" / "gate-agent" / "release-key.pem"
    key.chmod(0o666)
    assert update(file, "--json").json["reason"] == "key_writable"
    key.unlink()
    assert "no key is pinned" in update(file).err
    assert unchanged(machine)


def test_a_package_larger_than_the_disk_is_not_begun(
    machine: Machine, update: Update, tmp_path: Path
) -> None:
    file = deb(tmp_path / "a.deb", NEW, files_of(NEW, WELL), size_kib=1 << 40)
    answer = update(signed(file, NEW), "--json")
    assert (answer.code, answer.json["fix"]) == (69, "free space")
    assert unchanged(machine)


def test_a_package_that_reaches_outside_writes_nothing_there(
    machine: Machine, update: Update, tmp_path: Path
) -> None:
    more = {
        "./opt/gate-agent/package/../../../../../../escaped": b"a",
        "./etc/cron.d/escaped": b"a",
        "/opt/gate-agent/package/app/escaped": b"a",
    }
    file = deb(tmp_path / "a.deb", NEW, files_of(NEW, WELL), more=more)
    answer = update(signed(file, NEW))
    assert answer.code == 0, answer.err
    assert list(tmp_path.rglob("escaped")) == []
    assert machine.is_whole(NEW)


def test_a_link_that_leads_away_is_not_followed(
    machine: Machine, update: Update, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    files = {**files_of(NEW, WELL), "away/escaped": b"a"}
    file = deb(tmp_path / "a.deb", NEW, files, links={"away": str(outside)})
    answer = update(signed(file, NEW), "--json")
    assert (answer.code, answer.json["reason"]) == (1, "no_package")
    assert list(outside.iterdir()) == []
    assert machine.current == OLD


def test_an_older_release_needs_a_person(
    machine: Machine, update: Update, typed: Typed, tmp_path: Path
) -> None:
    older = "0.0.9+deb12"
    file = offered(tmp_path, older)
    answer = update(file, "--json")
    assert (answer.code, answer.json["reason"]) == (1, "older_release")
    assert unchanged(machine)
    for said, code, current in (("no", 1, OLD), ("yes", 0, older)):
        answer = typed(f"{said}\n", "update", file, "--root", machine.root)
        assert (answer.code, machine.current) == (code, current)
        assert f"{older} is older than {OLD}" in answer.err


def test_two_updates_at_once_are_one(machine: Machine, update: Update, tmp_path: Path) -> None:
    with Home(machine.root).held():
        answer = update(offered(tmp_path), "--json")
    assert (answer.code, answer.json["reason"]) == (1, "update_runs")


def test_where_no_release_stands_it_says_how_to_begin(gate: Gate, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    (checkout / "opt" / "gate-agent" / ".venv").mkdir(parents=True)
    answer = gate("update", tmp_path / "a.deb", "--root", checkout)
    assert (answer.code, "apt install" in answer.err) == (69, True)
    answer = gate("update", tmp_path / "a.deb", "--root", tmp_path)
    assert answer.code == 69
    assert "apt install" in answer.err


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.2.0", "0.1.9"),
        ("0.10.0", "0.9.0"),
        ("0.2.0", "0.2.0~git1"),
        ("0.2.0~git20261128", "0.2.0~git20261127"),
        ("0.2.0+deb13", "0.2.0+deb12"),
        ("0.2.0+deb12", "0.2.0~git9+deb12"),
        ("1:0.1", "9.9"),
        ("1.0-2", "1.0-1"),
        ("1.0a", "1.0"),
        ("1.0+a", "1.0a"),
    ],
)
def test_versions_are_compared_as_debian_does(one: str, other: str) -> None:
    assert newer(one, other)
    assert not newer(other, one)
    assert not newer(one, one)
    if shutil.which("dpkg"):
        done = subprocess.run(["dpkg", "--compare-versions", one, "gt", other], check=False)
        assert done.returncode == 0


def test_a_name_that_leads_elsewhere_is_no_version() -> None:
    assert is_version(NEW)
    assert not any(map(is_version, ("", "..", "../1", "a/b", ".new", "v1", "1/2", "1" * 200)))


@pytest.fixture(scope="module")
def killing() -> Iterator[Callable[[Path, int], tuple[int, str]]]:
    """Updates the machine at a place in a process of its own, and kills that at so many calls."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'parts'}"}
    command = [sys.executable, release_parts.__file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        stdin, stdout = server.stdin, server.stdout

        def kill(root: Path, calls: int) -> tuple[int, str]:
            print("update", calls, root, file=stdin, flush=True)
            said = ""
            while not (line := stdout.readline()).startswith("ended"):
                assert line
                said += line
            return int(line.split()[1]), said

        yield kill


def settled(machine: Machine) -> None:
    """What the unit does at the next start of the service."""
    done = subprocess.run(["sh", str(SETTLE), str(machine.home)], check=True, capture_output=True)
    assert done.stderr == b""


def killed_everywhere(
    tmp_path: Path, killing: Callable[[Path, int], tuple[int, str]], steps: int
) -> set[str]:
    """Kill at ``steps`` places from the first call to the last; what was current afterwards."""
    whole = Machine(tmp_path / "whole")
    offered(whole.root)
    code, said = killing(whole.root, 1 << 40)
    assert (code, whole.current) == (0, NEW)
    calls = int(said.split()[-1])
    came_to = set()
    for step in range(1, steps + 1):
        machine = Machine(tmp_path / str(step))
        offered(machine.root)
        code, _ = killing(machine.root, step * calls // (steps + 1))
        assert code == -9, code
        # Before anybody looks after it, what is current is whole: so is it after a power cut.
        assert machine.current in (OLD, NEW)
        assert machine.is_whole(machine.current)
        settled(machine)
        assert machine.is_whole(machine.current)
        assert not (machine.home / "pending").exists()
        assert machine.state.read_text() == "people"
        came_to.add(machine.current)
        # And the next one goes through.
        code, _ = killing(machine.root, 1 << 40)
        if machine.current == OLD:
            assert code == 0
        assert (machine.current, machine.others) == (NEW, set())
        shutil.rmtree(machine.root)
    return came_to


def test_killed_anywhere_a_whole_release_is_current(
    tmp_path: Path, killing: Callable[[Path, int], tuple[int, str]]
) -> None:
    assert OLD in killed_everywhere(tmp_path, killing, 15)


@pytest.mark.slow
def test_killed_at_any_of_many_places_a_whole_release_is_current(
    tmp_path: Path, killing: Callable[[Path, int], tuple[int, str]]
) -> None:
    assert OLD in killed_everywhere(tmp_path, killing, 250)


def test_settling_leaves_alone_what_is_under_way_and_what_makes_no_sense(machine: Machine) -> None:
    machine.place(NEW, WELL)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    pending = machine.home / "pending"
    link = machine.home / "current"
    for said, current in (
        (f"{boot}\n{os.getpid()}\n{OLD}\n", NEW),
        (f"{boot}\n4194999\n{OLD}\n", OLD),
        (f"another\n{os.getpid()}\n{OLD}\n", OLD),
        (f"another\n1\n../../{OLD}\n", NEW),
        ("another\n1\n0.0.1\n", NEW),
        ("", NEW),
    ):
        link.unlink()
        link.symlink_to(f"releases/{NEW}")
        pending.write_text(said)
        settled(machine)
        assert machine.current == current, said
        assert pending.exists() is (str(os.getpid()) in said and boot in said)
        pending.unlink(missing_ok=True)
