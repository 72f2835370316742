"""dpkg itself: installed, upgraded, downgraded, removed and purged, in a root laid over this one.

The root is this machine's, with a layer over it that takes every write (overlayfs in a namespace of
its own); no network, and nothing reaches this machine.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from debs import HERE, build

pytestmark = pytest.mark.slow
PATIENCE_S = 120.0
OLD, NEW = "0.1.0~git1+deb12", "0.1.0~git2+deb12"
HOME = "/opt/gate-agent"
STATE = "/var/lib/gate-agent/registry.sqlite"
CONFIG = "/etc/gate-agent/gate.toml"
InRoot = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("packages")
    return {
        OLD: build(folder / "old", OLD, "the old one"),
        NEW: build(folder / "new", NEW, "the new one"),
    }


@pytest.fixture
def in_root(
    tmp_path: Path, packages: dict[str, Path]
) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    if os.geteuid() != 0 or shutil.which("dpkg") is None or shutil.which("unshare") is None:
        pytest.skip("needs root, dpkg and unshare")
    upper, work, root = (tmp_path / name for name in ("upper", "work", "root"))
    for folder in (upper, work, root):
        folder.mkdir()
    layers = f"lowerdir=/,upperdir={upper},workdir={work}"
    mounted = f"mount -t overlay overlay -o {shlex.quote(layers)} {shlex.quote(str(root))}"

    def run(script: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        inside = f"mount -t proc proc /proc && {script}"
        whole = f"{mounted} && exec chroot {shlex.quote(str(root))} sh -c {shlex.quote(inside)}"
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "sh", "-c", whole],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_S,
        )
        if "mount:" in done.stderr:
            pytest.skip(f"no root can be laid over this one: {done.stderr.strip()}")
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    # Debian's Python stands here under the name that the package knows; what the package depends on
    # need not be installed on the machine of the tests.
    run(
        "getent passwd gate-agent >/dev/null && exit 1;"
        f" [ -e {HERE.interpreter} ] || ln -s {sys.executable} {HERE.interpreter};"
        " mkdir -p /tmp/debs"
    )
    (upper / "tmp" / "debs").mkdir(parents=True, exist_ok=True)
    for version, package in packages.items():
        shutil.copy(package, upper / "tmp" / "debs" / f"{version}.deb")
    yield run
    shutil.rmtree(upper, ignore_errors=True)


def dpkg(version: str) -> str:
    return f"dpkg --force-depends --force-downgrade -i /tmp/debs/{shlex.quote(version)}.deb"


def test_installed_it_asks_nothing_and_runs(in_root: InRoot) -> None:
    done = in_root(dpkg(OLD))
    assert "no gate is described yet" in done.stdout
    assert in_root("gate-agent").stdout.split() == [
        *("the", "old", "one", "tiny"),
        f"{HOME}/releases/{OLD}",
    ]
    shown = in_root(
        "stat -c '%U:%G %a' /etc/gate-agent /var/lib/gate-agent; id -nG gate-agent;"
        " cat /usr/lib/udev/rules.d/60-gate-agent.rules | grep -c GROUP=;"
        " systemctl is-enabled gate-agent.service; ls -A /etc/gate-agent;"
        f" stat -c %h {HOME}/current/bin/gate-agent"
    ).stdout.splitlines()
    assert shown[:2] == ["root:gate-agent 750", "gate-agent:gate-agent 700"]
    assert {"gpio", "i2c", "video", "audio", "dialout"} <= set(shown[2].split())
    assert shown[3:] == ["3", "enabled", "2"]


def test_upgrade_and_downgrade_keep_state_and_both_releases(in_root: InRoot) -> None:
    in_root(dpkg(OLD))
    in_root(f"echo people > {STATE} && chown gate-agent: {STATE}; echo gate > {CONFIG}")
    said = in_root(dpkg(NEW)).stdout
    assert "no gate is described yet" not in said
    for current, words in ((NEW, "the new one"), (OLD, "the old one")):
        in_root(dpkg(current))
        assert in_root("gate-agent").stdout.startswith(words)
        kept = in_root(f"cat {STATE} {CONFIG}; stat -c %U {STATE}; ls {HOME}/releases")
        assert kept.stdout.split() == ["people", "gate", "gate-agent", OLD, NEW]
        # Either runs while the other is current.
        for version in (OLD, NEW):
            shown = in_root(f"{HOME}/releases/{version}/bin/gate-agent").stdout
            assert shown.endswith(f"{HOME}/releases/{version}\n")


def test_a_release_outlives_the_package_that_it_came_with(in_root: InRoot) -> None:
    in_root(dpkg(OLD))
    before = in_root(f"cd {HOME}/releases/{OLD} && find . -type f | sort | xargs sha256sum").stdout
    in_root(dpkg(NEW))
    after = in_root(f"cd {HOME}/releases/{OLD} && find . -type f | sort | xargs sha256sum").stdout
    assert after == before
    in_root(f"ln -sfn releases/{OLD} {HOME}/current")
    assert in_root("gate-agent").stdout.startswith("the old one")


def test_installed_again_a_damaged_release_is_whole(in_root: InRoot) -> None:
    in_root(dpkg(OLD))
    program = f"{HOME}/releases/{OLD}/app/agent/cli/entry.py"
    in_root(f"rm {program} && echo damaged > {program}; {dpkg(OLD)}")
    assert in_root("gate-agent").stdout.startswith("the old one")
    assert in_root(f"ls -A {HOME} {HOME}/releases").stdout.split() == [
        *(f"{HOME}:", "current", "package", "releases", f"{HOME}/releases:", OLD),
    ]
    assert "damaged" not in in_root(f"cat {program}").stdout


def test_a_script_that_was_cut_short_is_ended_by_dpkg(in_root: InRoot) -> None:
    in_root(dpkg(OLD))
    # Power went after unpacking and in the middle of linking.
    in_root(f"dpkg --force-depends --unpack /tmp/debs/{NEW}.deb")
    assert in_root("gate-agent").stdout.startswith("the old one")
    in_root(f"mkdir -p {HOME}/releases/.new/bin && ln -s nowhere {HOME}/.current")
    in_root("dpkg --force-depends --configure -a")
    assert in_root("gate-agent").stdout.startswith("the new one")
    assert in_root(f"ls -A {HOME}/releases").stdout.split() == [OLD, NEW]


def test_removed_it_leaves_config_and_state_and_purged_too(in_root: InRoot) -> None:
    in_root(dpkg(OLD))
    in_root(f"echo people > {STATE}; echo gate > {CONFIG}")
    in_root("dpkg -r gate-agent")
    assert in_root(f"ls -d {HOME} /usr/bin/gate-agent", check=False).returncode != 0
    said = in_root("dpkg -P gate-agent").stdout
    assert "kept: /etc/gate-agent and /var/lib/gate-agent" in said
    assert in_root(f"cat {STATE} {CONFIG}").stdout.split() == ["people", "gate"]


def test_purged_on_request_nothing_is_left(in_root: InRoot) -> None:
    in_root(dpkg(OLD))
    in_root(f"echo people > {STATE}; touch /etc/gate-agent/remove-state-on-purge")
    in_root("dpkg -P gate-agent")
    left = f"{HOME} /etc/gate-agent /var/lib/gate-agent /usr/bin/gate-agent"
    assert in_root(f"ls -d {left} 2>/dev/null", check=False).stdout == ""
