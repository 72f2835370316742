"""The package as a file: what lies where, that it is the same each time, and the bill inside."""

import json
import marshal
import os
import re
import shutil
import stat
import subprocess
import tarfile
import types
from pathlib import Path

import pytest
from debian.commands import main
from debian.package import control
from debian.tree import Built
from debs import HERE, PYTHON, TIME, build
from places import ROOT

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not here")
VERSION = "0.1.0~git1+deb12"
PLACE = "opt/gate-agent/package"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("package"), VERSION)


@pytest.fixture(scope="module")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["dpkg-deb", "-R", str(package), str(folder / "root")], check=True)
    return folder / "root"


def test_two_builds_are_one_file(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    before = os.umask(0o077)  # another person's machine
    try:
        again = build(tmp_path / "another-place", VERSION)
    finally:
        os.umask(before)
    assert again.read_bytes() == package.read_bytes()


def test_what_it_takes_is_counted_alike_on_every_disk(tmp_path: Path) -> None:
    counted = []
    for many in (0, 3000):
        root = tmp_path / str(many)
        root.mkdir()
        for number in range(many):  # the folder grows on the disk, and stays so
            (root / f"some-file-that-is-gone-again-{number}").touch()
        for path in list(root.iterdir()):
            path.unlink()
        (root / "file").write_bytes(bytes(5000))
        built = Built(VERSION, "0.1.0", "0" * 40, TIME, HERE, "all")
        counted += re.findall(r"^Installed-Size: .*$", control(built, root), re.MULTILINE)
    assert counted == ["Installed-Size: 5"] * 2


def test_modes_owners_and_times_are_of_no_machine(package: Path, tmp_path: Path) -> None:
    listed = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", str(package)], check=True, capture_output=True
    )
    archive = tmp_path / "files"
    archive.write_bytes(listed.stdout)
    with tarfile.open(archive) as files:
        members = files.getmembers()
    assert {(one.uid, one.gid, one.mtime) for one in members} == {(0, 0, TIME)}
    assert {stat.S_IMODE(one.mode) for one in members if not one.issym()} == {0o755, 0o644}
    assert [one.name for one in members if one.name.endswith("first.env")] == []


def test_everything_is_compiled_by_hash_and_knows_where_it_will_lie(unpacked: Path) -> None:
    compiled = list((unpacked / PLACE).rglob("*.pyc"))
    assert {path.name.partition(".")[0] for path in compiled} >= {"entry", "__init__"}
    for path in compiled:
        content = path.read_bytes()
        assert int.from_bytes(content[4:8], "little") == 0b01, "unchecked hash, no time"
        code = marshal.loads(content[16:])
        assert isinstance(code, types.CodeType)
        assert code.co_filename.startswith(f"/opt/gate-agent/releases/{VERSION}/")


def test_the_program_and_the_units_name_what_will_be_there(unpacked: Path) -> None:
    program = unpacked / PLACE / "bin" / "gate-agent"
    assert program.read_text().startswith(f"#!/opt/gate-agent/releases/{VERSION}/bin/python -I\n")
    for unit in (unpacked / "lib/systemd/system").iterdir():
        text = unit.read_text()
        assert "/.venv/" not in text
        pages = re.findall(r"^Documentation=file://(.*)$", text, re.MULTILINE)
        assert pages
        assert all(page.startswith("/usr/share/doc/gate-agent/docs/") for page in pages)
    assert (unpacked / "usr/bin/gate-agent").readlink() == Path(
        "/opt/gate-agent/current/bin/gate-agent"
    )


def test_no_file_is_a_conffile_and_the_sums_are_true(unpacked: Path) -> None:
    assert not (unpacked / "DEBIAN" / "conffiles").exists()
    assert not (unpacked / "etc").exists()
    done = subprocess.run(
        ["md5sum", "--check", "--quiet", "DEBIAN/md5sums"], cwd=unpacked, check=False
    )
    assert done.returncode == 0
    summed = len((unpacked / "DEBIAN" / "md5sums").read_text().splitlines())
    files = [p for p in unpacked.rglob("*") if p.is_file() and not p.is_symlink()]
    assert summed == len([p for p in files if "DEBIAN" not in p.parts])


def test_the_bill_inside_has_what_was_packed(unpacked: Path) -> None:
    bill = json.loads((unpacked / PLACE / "share/gate-agent/sbom.cdx.json").read_bytes())
    [tiny] = [one for one in bill["components"] if one["name"] == "tiny"]
    assert (tiny["licenses"], tiny["version"]) == ([{"expression": "MIT"}], "1.0")
    assert len(tiny["hashes"][0]["content"]) == 64
    assert bill["metadata"]["timestamp"].startswith("2026-11-18T")


def test_what_it_needs_is_of_its_release(unpacked: Path) -> None:
    control = (unpacked / "DEBIAN" / "control").read_text()
    [needs] = re.findall(r"^Depends: (.*)$", control, re.MULTILINE)
    assert {f"python{PYTHON}", "libzbar0", "systemd"} <= set(needs.split(", "))
    assert f"Version: {VERSION}\n" in control


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm"])
def test_the_scripts_are_shell(unpacked: Path, script: str) -> None:
    path = unpacked / "DEBIAN" / script
    assert "@" not in path.read_text()
    assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0


@pytest.mark.skipif(shutil.which("lintian") is None, reason="lintian is not installed here")
def test_lintian_says_nothing_but_what_a_small_tree_cannot_have(package: Path) -> None:
    done = subprocess.run(
        ["lintian", "--fail-on=none", "--allow-root", str(package)],
        check=False,
        capture_output=True,
        text=True,
    )
    # The small package is of no architecture; overrides for wheels have nothing to override.
    said = [line for line in done.stdout.splitlines() if line.startswith(("E:", "W:"))]
    assert said == [], "\n".join(said)


def test_the_page_of_the_script_is_of_this_project() -> None:
    done = subprocess.run(
        [str(ROOT / "scripts" / "deb"), "--help"], check=False, capture_output=True, text=True
    )
    assert (done.returncode, "--arch" in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--python", "/bin/false"], r"no Python 3\.11 is here"),
        (["--wheels", "pyproject.toml"], "is no folder"),
        (["--sign", "none.pem"], r"Fix: openssl genpkey"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_fetched(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--release", "bookworm", *words]) == 69
    assert re.search(said, capsys.readouterr().err)


def test_a_release_that_is_not_known_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--release", "sid"])
    assert ended.value.code == 2
    assert "trixie" in capsys.readouterr().err
