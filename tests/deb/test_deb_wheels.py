"""What goes into a package: by the locks, for another machine, held to its hash."""

import zipfile
from pathlib import Path

import pytest
from debian import wheels
from debian.releases import RELEASES, tags
from debs import wheel
from places import ROOT

from agent.errors import UnavailableError
from agent.operations.releases.environment import unpack

BOOKWORM, TRIXIE = RELEASES["bookworm"], RELEASES["trixie"]
LOCKS = [
    (ROOT / name).read_text()
    for name in ("requirements/console.txt", "requirements/pi.txt", "scripts/debian/pins.txt")
]


def test_the_locks_are_read_for_the_kiosk_and_not_for_this_machine() -> None:
    names = {pin.name for pin in wheels.pins(LOCKS, BOOKWORM, "arm64")}
    assert {"starlette", "uvicorn", "numpy", "onnxruntime", "cffi", "simplejpeg", "lgpio"} <= names
    assert "colorama" not in names
    # No wheel of it is for 3.13.
    assert "lgpio" not in {pin.name for pin in wheels.pins(LOCKS, TRIXIE, "arm64")}


def test_every_pin_has_a_hash_and_a_package_is_there_once() -> None:
    pins = wheels.pins(LOCKS, BOOKWORM, "amd64")
    assert all(pin.hashes for pin in pins)
    assert len({pin.name for pin in pins}) == len(pins)


def test_a_package_of_two_versions_is_refused() -> None:
    with pytest.raises(UnavailableError, match="1 and 2"):
        wheels.pins(
            ["a==1 --hash=sha256:" + "0" * 64, "A==2 --hash=sha256:" + "0" * 64], TRIXIE, "amd64"
        )


def test_each_platform_of_debian_12_is_asked_for() -> None:
    asked = tags("arm64")
    assert {f"manylinux_2_{minor}_aarch64" for minor in range(17, 37)} <= set(asked)
    assert not any("x86" in tag for tag in asked)


def test_wheels_come_from_a_folder_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    brought = tmp_path / "brought"
    pin = wheel(brought, "tiny", {"tiny.py": ""})
    [found] = wheels.fetch([pin], BOOKWORM, "arm64", tmp_path / "cache", brought)
    assert found.path.parent == tmp_path / "cache"
    assert {found.sha256} == pin.hashes
    # The second time the cache suffices.
    found.path.rename(tmp_path / "cache" / found.path.name)
    assert wheels.fetch([pin], BOOKWORM, "arm64", tmp_path / "cache", tmp_path) == [found]


def test_a_wheel_of_another_hash_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pin = wheel(tmp_path, "tiny", {"tiny.py": ""})
    wheel(tmp_path, "tiny", {"tiny.py": "changed = True\n"})
    with pytest.raises(UnavailableError, match="not every wheel for arm64"):
        wheels.fetch([pin], BOOKWORM, "arm64", tmp_path / "cache", tmp_path)
    assert "HASH" in capfd.readouterr().err.upper()


def test_the_parts_of_a_wheel_go_where_an_environment_has_them(tmp_path: Path) -> None:
    files = {
        "tiny/__init__.py": "",
        "tiny-1.0.data/purelib/more.py": "",
        "tiny-1.0.data/data/share/tiny.txt": "",
        "tiny-1.0.data/scripts/tiny": "#!python\n",
    }
    wheel(tmp_path / "w", "tiny", files)
    [path] = (tmp_path / "w").glob("*.whl")
    prefix = tmp_path / "env"
    unpack(path, prefix / "site", prefix)
    there = {str(p.relative_to(prefix)) for p in prefix.rglob("*") if p.is_file()}
    assert there >= {"site/tiny/__init__.py", "site/more.py", "share/tiny.txt"}
    assert not [name for name in there if "scripts" in name or "bin" in name]


@pytest.mark.parametrize("name", ["../../out.py", "tiny-1.0.data/data/../../out.py"])
def test_a_wheel_cannot_write_outside(tmp_path: Path, name: str) -> None:
    path = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "")
    one = wheels.Wheel(wheels.Pin("tiny", "1.0", frozenset()), path, "")
    with pytest.raises(UnavailableError, match="outside"):
        unpack(one.path, tmp_path / "env" / "site", tmp_path / "env")
    assert not list(tmp_path.rglob("out.py"))


def test_two_wheels_never_write_one_file(tmp_path: Path) -> None:
    for name in ("one", "two"):
        pin = wheel(tmp_path / name, name, {"same.py": ""})
        [path] = (tmp_path / name).glob("*.whl")
        made = wheels.Wheel(pin, path, "")
        if name == "one":
            unpack(made.path, tmp_path / "env" / "site", tmp_path / "env")
    with pytest.raises(UnavailableError, match=r"same\.py"):
        unpack(made.path, tmp_path / "env" / "site", tmp_path / "env")
