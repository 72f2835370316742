"""``gate-agent doctor --fix``: what is broken is mended in steps, what people decide is not."""

import grp
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gate_command import Gate
from places import SHARED

from agent.app.desk.examined.packaged import bus_repairs, unit_found, unit_repairs, unit_state
from agent.errors import UnavailableError
from agent.operations.examination.repair import Mended, Repair, mended
from agent.operations.packs.choice import Choice, write_choice

CONFIG = """\
[kiosk]
community = "c"
grid = "g"
id = "k"
[[camera]]
id = "front"
kind = "simulated"
source = ["none.png"]
[[door]]
id = "gate"
kind = "gpio"
pin = 17
active_high = true
pin_factory = "mock"
[[access_point]]
id = "entry"
direction = "entry"
camera = "front"
door = "gate"
"""
PAD = "minifasnet"
OTHER_UID = 54321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gate.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def told(gate: Gate, config: Path) -> Any:
    """What ``doctor`` said, with ``--fix`` where words say so."""

    def ask(*words: object) -> Any:
        return gate("doctor", "--config", config, "--json", *words).json

    return ask


def named(found: Any, name: str) -> Any:
    return next(one for one in found["checks"] if one["name"] == name)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_an_empty_place_becomes_one_that_can_start_and_then_nothing_is_left_to_do(
    told: Any, state_dir: Path
) -> None:
    steps = told("--fix", "--yes")["fixed"]
    assert [(one["check"], one["ok"]) for one in steps] == [
        ("state directory", True),
        ("gallery key", True),
        ("gallery key", True),
    ]
    assert mode(state_dir) == 0o700
    made = {one.name: one.read_bytes() for one in state_dir.glob("*.key")}
    assert set(made) == {"gallery.key", "kiosk-signing.key", "kiosk-sealing.key"}
    again = told("--fix", "--yes")
    assert again["fixed"] == []
    assert named(again, "gallery key")["status"] == "pass"
    assert {one.name: one.read_bytes() for one in state_dir.glob("*.key")} == made


def test_a_key_under_which_something_was_sealed_is_not_made_anew(
    told: Any, key_state: Path
) -> None:
    (key_state / "registry.sqlite").touch(mode=0o600)
    (key_state / "gallery.key").unlink()
    found = told("--fix", "--yes")
    assert found["fixed"] == []
    assert not (key_state / "gallery.key").exists()
    assert named(found, "gallery key")["status"] == "fail"
    assert "gate-agent key init" in named(found, "gallery key")["fix"]


def test_modes_become_what_the_agent_makes_them_and_what_it_knows_not_is_let_be(
    told: Any, key_state: Path
) -> None:
    latches, stranger = key_state / "latches.sqlite", key_state / "notes.txt"
    for path, wrong in ((latches, 0o000), (stranger, 0o666), (key_state / "passes.sqlite", 0o640)):
        path.write_bytes(b"")
        path.chmod(wrong)
    (key_state / "gallery.key").chmod(0o644)
    key_state.chmod(0o755)
    before = latches.stat().st_mtime_ns
    assert named(told(), "file owners")["status"] == "fail"
    found = told("--fix", "--yes")
    assert all(one["ok"] for one in found["fixed"])
    assert any("key rotate" in one["step"] for one in found["fixed"])
    assert [mode(key_state / name) for name in ("latches.sqlite", "passes.sqlite")] == [0o600] * 2
    assert (mode(key_state), mode(key_state / "gallery.key")) == (0o700, 0o600)
    assert (mode(stranger), latches.stat().st_mtime_ns) == (0o666, before)
    assert named(found, "file owners")["status"] == "pass"
    assert told("--fix", "--yes")["fixed"] == []


def test_what_is_open_within_a_closed_folder_is_a_warning(told: Any, key_state: Path) -> None:
    (key_state / "rules.sha256").write_text("")
    (key_state / "rules.sha256").chmod(0o644)
    check = named(told(), "file owners")
    assert (check["status"], check["ok"]) == ("warn", True)
    assert "rules.sha256" in check["detail"]


@as_root
def test_root_gives_files_back_and_follows_no_link(
    told: Any, key_state: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("")
    outside.chmod(0o644)
    (key_state / "commands.sqlite").symlink_to(outside)
    (key_state / "rules.sha256").hardlink_to(outside)
    os.chown(key_state, OTHER_UID, OTHER_UID)
    assert "chown -R uid 54321:" in named(told(), "file owners")["fix"]
    steps = told("--fix", "--yes")["fixed"]
    refused = [one for one in steps if not one["ok"]]
    assert [one["detail"] for one in refused] == ["it is a link, or has a second name"]
    assert outside.stat().st_uid == os.geteuid()
    assert mode(outside) == 0o644
    assert {one.stat().st_uid for one in key_state.glob("*.key")} == {OTHER_UID}


def test_the_kiosks_own_keys_are_there_or_made_and_open_ones_fail(
    told: Any, key_state: Path
) -> None:
    assert str(key_state) in named(told(), "kiosk keys")["detail"]
    (key_state / "kiosk-sealing.key").unlink()
    (key_state / "kiosk-signing.key").chmod(0o644)
    assert named(told(), "kiosk keys")["status"] == "warn"
    assert "not there: kiosk-sealing.key" in named(told(), "kiosk keys")["detail"]
    mended_now = named(told("--fix", "--yes"), "kiosk keys")
    assert mended_now["status"] == "pass"
    (key_state / "kiosk-signing.key").chmod(0o644)
    assert named(told(), "kiosk keys")["status"] == "fail"


@as_root
def test_what_root_makes_on_the_way_is_given_back_too(told: Any, key_state: Path) -> None:
    (key_state / "kiosk-signing.key").unlink()
    os.chown(key_state, OTHER_UID, OTHER_UID)
    assert all(one["ok"] for one in told("--fix", "--yes")["fixed"])
    assert (key_state / "kiosk-signing.key").stat().st_uid == OTHER_UID


def test_a_folder_in_place_of_the_lock_is_set_aside(told: Any, key_state: Path) -> None:
    (key_state / "agent.lock").unlink(missing_ok=True)
    (key_state / "agent.lock").mkdir()
    assert named(told(), "agent")["status"] == "fail"
    found = told("--fix", "--yes")
    assert [one["check"] for one in found["fixed"]][-1] == "agent"
    assert named(found, "agent")["detail"] == "none runs"
    assert next(key_state.glob("agent.lock.broken-*")).is_dir()


def test_a_damaged_pack_and_one_that_was_lacking_come_from_what_was_brought(
    told: Any, state_dir: Path, tmp_path: Path, dlib_models: Path
) -> None:
    brought = SHARED / "models" / PAD
    if not brought.is_dir():
        pytest.skip(f"../shared/models/{PAD} is absent")
    (state_dir / "models").mkdir(parents=True)
    state_dir.chmod(0o700)
    (state_dir / "models" / "dlib").symlink_to(dlib_models / "dlib")
    write_choice(state_dir, Choice("dlib", "a test says so", {PAD: "there was no network"}))
    told("--fix", "--yes", "--from", brought)
    folder = state_dir / "models" / PAD
    whole = {one.name: one.read_bytes() for one in folder.iterdir()}
    max(folder.iterdir(), key=lambda one: one.stat().st_size).write_bytes(b"cut short")
    assert named(told(), "attack detection")["status"] == "fail"
    lacking = told("--fix", "--yes", "--from", tmp_path)["fixed"]
    assert [(one["check"], one["ok"]) for one in lacking] == [("attack detection", False)]
    assert lacking[0]["fix"]
    found = told("--fix", "--yes", "--from", brought)
    assert [(one["check"], one["ok"]) for one in found["fixed"]] == [("attack detection", True)]
    assert PAD in named(found, "attack detection")["detail"]
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == whole


def test_nothing_is_mended_unless_somebody_says_so(
    gate: Gate, config: Path, state_dir: Path
) -> None:
    for words in ((), ("--json",)):
        refused = gate("doctor", "--config", config, "--fix", *words)
        assert refused.code == 1
        assert "--yes" in refused.err
    assert gate("doctor", "--config", config, "--from", config.parent).code == 2
    assert not state_dir.exists()


def test_people_read_each_step(gate: Gate, config: Path, state_dir: Path) -> None:
    shown = gate("doctor", "--config", config, "--fix", "--yes").out
    assert f"state directory: make {state_dir}: done" in shown
    again = gate("doctor", "--config", config, "--fix", "--yes").out
    assert again.startswith("nothing to mend without a person's judgement\n")


def test_a_step_that_fails_keeps_no_other_from_its_turn() -> None:
    def fails() -> None:
        raise UnavailableError("no room", "make some")

    def plan() -> Iterator[Repair]:
        yield Repair("disk", "one", fails)
        yield Repair("key", "two", lambda: None)

    heard: list[Mended] = []
    steps = mended(plan, heard.append)
    assert steps == heard
    assert [(one.step, one.ok, one.fix) for one in steps] == [
        ("one", False, "make some"),
        ("two", True, None),
    ]


# --- systemd and udev: programs of the system's names that write down what they heard -----------


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``systemctl`` and ``udevadm``; what they heard stands in ``heard`` of this folder."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "is-enabled").write_text("disabled\n")
    for name in ("systemctl", "udevadm"):
        program = tools / name
        program.write_text(
            f'#!/bin/sh\necho "{name} $*" >> {tools}/heard\n'
            f'[ "$1" = is-enabled ] && exec cat {tools}/is-enabled\n'
            f'[ "$1" = enable ] && echo enabled > {tools}/is-enabled\nexit 0\n'
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    return tools


@as_root
def test_a_service_that_is_off_at_boot_is_switched_on_and_a_masked_one_is_not(
    system: Path, state_dir: Path
) -> None:
    said = unit_state(state_dir, state_dir)
    assert said == "disabled"
    with pytest.raises(UnavailableError, match="does not start at boot"):
        unit_found(said)
    steps = mended(lambda: unit_repairs(state_dir, state_dir))
    assert [one.ok for one in steps] == [True]
    assert "systemctl enable gate-agent.service" in (system / "heard").read_text()
    assert unit_found(str(unit_state(state_dir, state_dir))) == "gate-agent.service is enabled"
    (system / "is-enabled").write_text("masked\n")
    assert [*unit_repairs(state_dir, state_dir)] == []


def test_another_state_than_the_services_has_no_service(system: Path, state_dir: Path) -> None:
    assert unit_state(state_dir) is None
    (system / "is-enabled").write_text("not-found\n")
    assert unit_state(state_dir, state_dir) is None


@as_root
def test_the_bus_gets_its_group_by_the_packaged_rule_only(system: Path, tmp_path: Path) -> None:
    device, rule = tmp_path / "i2c-1", tmp_path / "60-gate-agent.rules"
    device.write_text("")
    assert [*bus_repairs(device, rule, "daemon")] == []
    rule.write_text("")
    assert [one.ok for one in mended(lambda: bus_repairs(device, rule, "daemon"))] == [True]
    assert "--subsystem-match=i2c-dev" in (system / "heard").read_text()
    os.chown(device, -1, grp.getgrnam("daemon").gr_gid)
    device.chmod(0o660)
    assert [*bus_repairs(device, rule, "daemon")] == []
