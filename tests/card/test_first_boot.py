"""first-boot.sh run for real in a root of its own: whole, cut short at every call, and wrong.

Stubs on the PATH stand for what only a Pi with systemd has: systemctl, dpkg, apt-get, runuser,
hostname, pinctrl; and for the agent that the package would bring.
"""

import os
import shutil
import signal
import subprocess
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from card_parts import CMDLINE
from places import ROOT

SCRIPT = ROOT / "scripts" / "card" / "first-boot.sh"
STEPS = ("host", "package", "wheels", "packs", "config", "start")
STUBS = ("systemctl", "dpkg", "apt-get", "runuser", "hostname", "pinctrl", "sync")
STUB = """\
#!/bin/bash
# Each call is noted; the one that CUT_AT counts to takes the whole script with it, as a power cut.
name=${0##*/}
[[ $name == sync || $name == pinctrl ]] || echo "$name $*" >>"$CALLS"
if [[ $name != pinctrl ]]; then
  echo x >>"$COUNT"
  # The script leads a group of its own: its lights end with it.
  [[ $(wc -l <"$COUNT") == "${CUT_AT:-0}" ]] && kill -9 -- "-$(ps -o pgid= -p $$ | tr -d ' ')"
fi
[[ $name == runuser ]] && { shift 3; exec "$@"; }
[[ "$name ${1:-}" == "${FAILS:-} "* ]] && exit 1
exit 0
"""
AGENT = """\
#!/bin/bash
echo "gate-agent $*" >>"$CALLS"
case "$*" in "config adopt"*) exit "${ADOPT:-0}" ;; esac
"""


@dataclass
class Pi:
    """A machine: its root, its boot partition, what was called."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def boot(self) -> Path:
        return self.folder / "boot"

    @property
    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def run(self, *words: str, **more: str) -> int:
        (self.folder / "count").unlink(missing_ok=True)
        done = subprocess.run(
            ["bash", str(self.boot / "gate" / "first-boot.sh"), *words],
            env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "GATE_FIRST_BOOT_ROOT": str(self.root),
                "CALLS": str(self.folder / "calls"),
                "COUNT": str(self.folder / "count"),
                **more,
            },
            capture_output=True,
            check=False,
            timeout=60,
            start_new_session=True,
        )
        return done.returncode

    def led(self, name: str) -> str:
        return (self.root / "sys/class/leds/ACT" / name).read_text().strip()

    def told(self) -> str:
        return (self.boot / "gate-first-boot.txt").read_bytes().decode("ascii")

    def done(self) -> set[str]:
        folder = self.root / "var/lib/gate-first-boot"
        return {one.name for one in folder.iterdir()} if folder.is_dir() else set()


@pytest.fixture
def pi(tmp_path: Path) -> Pi:
    made = Pi(tmp_path)
    for folder in ("bin", "root/etc", "root/sys/class/leds/ACT", "root/var/lib/gate-agent"):
        (tmp_path / folder).mkdir(parents=True)
    (made.boot / "gate" / "deb").mkdir(parents=True)
    (made.boot / "gate" / "packs" / "retail").mkdir(parents=True)
    shutil.copy(SCRIPT, made.boot / "gate" / "first-boot.sh")
    (made.boot / "gate" / "deb" / "gate-agent_1_arm64.deb").write_bytes(b"x")
    (made.boot / "gate" / "host").write_text("north-1\n")
    (made.boot / "gate" / "lights").write_text("27 dl\n")
    (made.boot / "cmdline.txt").write_bytes(
        CMDLINE.strip() + b" systemd.run=/boot/firmware/gate/first-boot.sh"
        b" systemd.run_success_action=reboot systemd.unit=kernel-command-line.target\n"
    )
    for name in ("brightness", "trigger", "delay_on", "delay_off"):
        (made.root / "sys/class/leds/ACT" / name).write_text("")
    (made.root / "etc/hosts").write_text("127.0.0.1\tlocalhost\n127.0.1.1\traspberrypi\n")
    for name in STUBS:
        stub = tmp_path / "bin" / name
        stub.write_text(STUB)
        stub.chmod(0o755)
    agent = made.root / "opt/gate-agent/current/bin/gate-agent"
    agent.parent.mkdir(parents=True)
    agent.write_text(AGENT)
    agent.chmod(0o755)
    return made


def test_the_first_boot_leaves_a_service_and_takes_its_words_away(pi: Pi) -> None:
    assert pi.run() == 0
    units = pi.root / "etc/systemd/system"
    link = units / "multi-user.target.wants" / "gate-first-boot.service"
    assert link.resolve() == units / "gate-first-boot.service"
    assert f"ExecStart=/bin/bash {pi.boot}/gate/first-boot.sh run" in link.read_text()
    assert (pi.boot / "cmdline.txt").read_bytes() == CMDLINE
    assert pi.run("arm") == 0
    assert (pi.boot / "cmdline.txt").read_bytes() == CMDLINE


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here"
)
def test_systemd_reads_that_service(pi: Pi) -> None:
    pi.run()
    unit = pi.root / "etc/systemd/system/gate-first-boot.service"
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert [one for one in done.stderr.splitlines() if "gate-first-boot" in one] == []


def test_it_installs_without_a_network_and_shows_where_it_is(pi: Pi) -> None:
    pi.run()
    assert pi.run("run") == 0
    state, config = pi.root / "var/lib/gate-agent", pi.root / "etc/gate-agent/gate.toml"
    said = "\n".join(pi.calls)
    assert "apt-get install -y --no-install-recommends" in said
    assert "Dir::Etc::SourceList=/dev/null" in said
    assert f"gate-agent models setup --from {pi.boot}/gate/packs" in said
    assert f"gate-agent config adopt --from {pi.boot} --config {config} --state-dir {state}" in said
    assert "systemctl enable gate-agent.service gate-agent-boot.service" in said
    # In this order: the config is judged by the packs that are there by then.
    order = [said.index(one) for one in ("apt-get", "models setup", "config adopt", "enable")]
    assert order == sorted(order)
    assert (pi.root / "etc/hostname").read_text() == "north-1\n"
    hosts = (pi.root / "etc/hosts").read_text()
    assert hosts == "127.0.0.1\tlocalhost\n127.0.1.1\tnorth-1\n"
    assert pi.done() == {*STEPS, "all"}
    assert not (
        pi.root / "etc/systemd/system/multi-user.target.wants/gate-first-boot.service"
    ).is_symlink()
    assert pi.led("brightness") == "1"
    assert "step 2 of 6: package\r\n" in pi.told()
    assert pi.told().endswith("done: the kiosk is made\r\n")
    # Done is done.
    before = pi.calls
    assert pi.run("run") == 0
    assert pi.calls == before


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_cut_short_at_any_call_the_next_boots_end_it(pi: Pi, tmp_path: Path, every: int) -> None:
    pi.run()
    whole = Pi(tmp_path / "whole")
    fresh = {one: tmp_path / one for one in ("bin", "root", "boot")}
    for name, source in fresh.items():
        shutil.copytree(source, whole.folder / name, symlinks=True)
    whole.run("run")
    cut, ended = 0, False
    while not ended:
        cut += every
        one = Pi(tmp_path / f"cut-{cut}")
        for name, source in fresh.items():
            shutil.copytree(source, one.folder / name, symlinks=True)
        code = one.run("run", CUT_AT=str(cut))
        ended = code == 0
        assert ended or code == -signal.SIGKILL
        assert one.run("run") == 0
        assert one.done() == whole.done()
        assert (one.root / "etc/hosts").read_text() == (whole.root / "etc/hosts").read_text()
        # Nothing was left out, whatever was done twice.
        assert {call.replace(str(one.folder), "") for call in one.calls} == {
            call.replace(str(whole.folder), "") for call in whole.calls
        }
    assert cut > len(STEPS)


def test_a_package_that_fails_is_said_and_tried_again(pi: Pi) -> None:
    pi.run()
    assert pi.run("run", FAILS="apt-get") == 1
    assert pi.done() == {"host"}
    assert (pi.led("trigger"), pi.led("delay_on")) == ("timer", "60")
    assert "package FAILED" in pi.told()
    assert pi.run("run") == 0


def test_a_wrong_config_keeps_nothing_else_from_being_made(pi: Pi) -> None:
    pi.run()
    assert pi.run("run", ADOPT="78") == 0
    assert "gate.toml is wrong: gate-status.txt says where" in pi.told()
    assert "all" in pi.done()


def test_wheels_that_the_package_lacks_are_put_into_its_environment(pi: Pi) -> None:
    python = pi.root / "opt/gate-agent/current/bin/python"
    venv.create(pi.root / "opt/gate-agent/current", with_pip=False, symlinks=True)
    assert python.exists()
    house = pi.boot / "gate" / "wheelhouse"
    house.mkdir()
    for name in ("lgpio", "shipped"):
        with zipfile.ZipFile(house / f"{name}-1-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}.py", "new = True\n")
            wheel.writestr(f"{name}-1.dist-info/RECORD", "")
    (place,) = (pi.root / "opt/gate-agent/current/lib").glob("python3*/site-packages")
    (place / "shipped-0.dist-info").mkdir()
    (place / "shipped-0.dist-info" / "RECORD").write_text("")
    pi.run()
    assert pi.run("run") == 0
    assert (place / "lgpio.py").read_text() == "new = True\n"
    assert not (place / "shipped.py").exists()


def test_another_word_is_wrong_usage(pi: Pi) -> None:
    assert pi.run("fly") == 2
