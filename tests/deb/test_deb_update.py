"""``gate-agent update`` by dpkg itself, in a root laid over this one."""

import json
import platform
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from debs import build
from places import ROOT
from release_parts import PUBLIC, signed
from test_deb_install import HOME, NEW, OLD, STATE, InRoot, dpkg, in_root

__all__ = ["in_root"]
pytestmark = pytest.mark.slow

AGENT = """
import json, os, sys

def main():
    if sys.argv[1] == "version":
        print(json.dumps({{"agent": "tiny"}}))
        return
    # Whose file it would be is who looks.
    open(f"/tmp/looked-{{os.getuid()}}", "w").close()
    well = {well} and not os.path.exists("/tmp/worse")
    print(json.dumps({{"checks": [{{"name": "camera front", "ok": well}}]}}))
"""
BAD = "0.1.0~git3+deb12"
"""Newer, and its doctor finds something broken."""
UPDATE = (
    f"PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={shlex.quote(str(ROOT))} {sys.executable} -c"
    " 'import sys; from agent.cli.main import main; sys.exit(main())' update --json"
)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("updates")
    if shutil.which("dpkg-deb") is None:
        pytest.skip("needs dpkg-deb")
    return {
        version: build(folder / name, version, entry=AGENT.format(well=well))
        for name, version, well in (("old", OLD, True), ("new", NEW, True), ("bad", BAD, False))
    }


@pytest.fixture
def kiosk(in_root: InRoot, packages: dict[str, Path], tmp_path: Path) -> InRoot:
    """The old release installed, the key pinned, and the others there with their signatures."""
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "bookworm")
    debs = tmp_path / "upper" / "tmp" / "debs"
    for version in packages:
        signed(debs / f"{version}.deb", version, debian=release)
    (debs / "key.pem").write_bytes(PUBLIC)
    in_root(
        f"echo force-depends > /etc/dpkg/dpkg.cfg.d/tests; {dpkg(OLD)}"
        " && install -m 0644 /tmp/debs/key.pem /etc/gate-agent/release-key.pem"
        f" && echo people > {STATE} && chown gate-agent: {STATE}"
    )
    return in_root


def stands(kiosk: InRoot) -> list[str]:
    """The current release, those that stand, what dpkg names, what else lies there, the state."""
    return kiosk(
        f"readlink {HOME}/current; ls -A {HOME}/releases | tr '\\n' ' '; echo;"
        f" dpkg-query -W -f '${{Version}}\\n' gate-agent; ls -A {HOME} | tr '\\n' ' '; echo;"
        f" cat {STATE}"
    ).stdout.splitlines()


def answer(kiosk: InRoot, version: str) -> dict[str, Any]:
    said = kiosk(f"{UPDATE} /tmp/debs/{shlex.quote(version)}.deb", check=False)
    return dict(json.loads(said.stdout))


def test_dpkg_installs_what_the_doctor_finds_well(kiosk: InRoot) -> None:
    assert answer(kiosk, NEW)["changed"]
    assert stands(kiosk) == [
        f"releases/{NEW}",
        f"{OLD} {NEW} ",
        NEW,
        "current package releases ",
        "people",
    ]
    # The doctors looked as the service does.
    uid = kiosk("id -u gate-agent").stdout.strip()
    assert kiosk("ls /tmp | grep looked").stdout.split() == [f"looked-{uid}"]


def test_what_is_worse_never_reaches_dpkg(kiosk: InRoot) -> None:
    assert answer(kiosk, BAD)["reason"] == "worse"
    assert stands(kiosk)[:3] == [f"releases/{OLD}", f"{OLD} ", OLD]


def test_what_is_worse_once_it_runs_goes_back_and_dpkg_is_told_nothing(kiosk: InRoot) -> None:
    # What the doctor looks at breaks with the install.
    hook = "/etc/dpkg/dpkg.cfg.d/breaks"
    kiosk(f"echo 'post-invoke=touch /tmp/worse' > {hook}")
    found = answer(kiosk, NEW)
    assert found["reason"] == "rolled_back", found
    assert stands(kiosk)[:4] == [
        f"releases/{OLD}",
        f"{OLD} {NEW} ",
        NEW,
        "current package releases ",
    ]
    kiosk(f"rm /tmp/worse {hook}")
    assert answer(kiosk, NEW)["changed"]
    assert stands(kiosk)[0] == f"releases/{NEW}"


def test_what_the_power_cut_short_is_undone_by_the_packages_own_program(kiosk: InRoot) -> None:
    kiosk(
        f"printf 'another boot\\n1\\n{OLD}\\n' > {HOME}/pending; {dpkg(NEW)};"
        " /usr/lib/gate-agent/settle"
    )
    assert stands(kiosk)[:2] == [f"releases/{OLD}", f"{OLD} {NEW} "]
    # dpkg has it half unpacked, then the next update.
    kiosk(f"dpkg --unpack /tmp/debs/{NEW}.deb; printf 'b\\n1\\n{OLD}\\n' > {HOME}/pending")
    assert answer(kiosk, NEW)["changed"]
    assert stands(kiosk)[:3] == [f"releases/{NEW}", f"{OLD} {NEW} ", NEW]
