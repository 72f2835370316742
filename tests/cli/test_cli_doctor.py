"""``gate-agent doctor``: everything looked at, nothing moved, and each trouble with its fix."""

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from gate_command import Answer, Gate
from rich.cells import cell_len
from screens import WIDTHS, screen
from state_parts import of_an_earlier_version
from store_parts import BY, NOW, holder, reference

from agent.adapters.pins.simulated import PinBank
from agent.app.open.files.stores import Key, open_registry
from agent.app.open.site import site_of
from agent.errors import UnavailableError
from agent.operations.packs.choice import Choice, write_choice
from agent.technician.doctor import run_checks
from agent.technician.verdict import Status

PINS = 'pin_factory = "simulated"\npins_file = "header.pins"\n'
DOOR, CONTACT, WAY_OUT, FEEDBACK = 17, 6, 13, 19
PATIENCE_S = 60.0


def wire(name: str, kind: str, pin: int, *, high: bool, door: bool = True) -> str:
    return (
        f'[[input]]\nid = "{name}"\nkind = "{kind}"\npin = {pin}\n'
        f'active_high = {str(high).lower()}\npull = "up"\n' + 'door = "gate"\n' * door + PINS
    )


CONFIG = (
    """\
[kiosk]
community = "c"
grid = "g"
id = "k"
[clock]
trust_system_clock = true
[[camera]]
id = "front"
kind = "simulated"
source = ["scene.png"]
[[door]]
id = "gate"
kind = "gpio"
pin = 17
active_high = true
"""
    + PINS
    + """\
[[access_point]]
id = "entry"
direction = "entry"
camera = "front"
door = "gate"
[thermometer]
kind = "simulated"
"""
    + wire("north-contact", "contact", CONTACT, high=True)
    + wire("way-out", "rex", WAY_OUT, high=False)
    + wire("housing", "tamper", 26, high=True, door=False)
)
RELAY = wire("relay", "feedback", FEEDBACK, high=True)


class Kiosk:
    """A config on simulated pins, a closed door, and a state directory with a key in it."""

    def __init__(self, folder: Path, gate: Gate) -> None:
        self.config = folder / "gate.toml"
        self.config.write_text(CONFIG)
        scene = np.random.default_rng(1).integers(40, 220, (30, 40, 3), np.uint8)
        enlarged = cv2.resize(scene, (640, 480), interpolation=cv2.INTER_NEAREST)
        assert cv2.imwrite(str(folder / "scene.png"), enlarged)
        self.bank = PinBank(folder / "header.pins")
        self.bank.set_input(CONTACT, False)
        self.gate = gate

    def doctor(self, *words: object) -> Answer:
        return self.gate("doctor", "--config", self.config, *words)

    def checks(self, *words: object) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.doctor("--json", *words).lines[0]["checks"]}

    @contextmanager
    def relay(self) -> Iterator[None]:
        """A relay's auxiliary contact: it follows the pin for as long as the block runs."""
        ended = threading.Event()
        self.bank.set_input(FEEDBACK, False)

        def follow() -> None:
            while not ended.wait(0.005):
                self.bank.set_input(FEEDBACK, self.bank.level(DOOR))

        thread = threading.Thread(target=follow)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(PATIENCE_S)


@pytest.fixture
def kiosk(key_state: Path, tmp_path: Path, gate: Gate) -> Kiosk:
    return Kiosk(tmp_path, gate)


def test_all_well_is_exit_code_0_and_nothing_moves(kiosk: Kiosk) -> None:
    told = kiosk.doctor("--json")
    assert told.code == 0, told.out
    assert {one["name"]: one["ok"] for one in told.json["checks"]} == dict.fromkeys(
        (
            *("agent", "state directory", "state files"),
            *("unknown files", "file owners", "disk"),
            *("model pack", "attack detection"),
            *("gallery key", "kiosk keys", "time", "board", "software", "inference"),
            *("camera front", "thermometer", "north-contact", "way-out", "housing"),
        ),
        True,
    )
    assert all(
        set(one) == {"name", "ok", "detail", "fix", "status", "meaning"}
        for one in told.json["checks"]
    )
    assert kiosk.bank.changes(DOOR) == 0


def test_the_pin_map_says_what_each_pin_is_and_means_now(kiosk: Kiosk) -> None:
    rows = {row["pin"]: row for row in kiosk.doctor("--json").json["pins"]}
    assert rows[DOOR] == {
        "pin": DOOR,
        "what": "door 'gate'",
        "direction": "out",
        "active_high": True,
        "pull": None,
        "power_on": "down",
        "level": None,
        "verdict": "not touched",
    }
    assert (rows[CONTACT]["level"], rows[CONTACT]["verdict"]) == (False, "door closed")
    assert (rows[WAY_OUT]["level"], rows[WAY_OUT]["verdict"]) == (True, "not pressed")
    # A switch that nobody has connected reads as its pull, which is the alarm.
    assert (rows[26]["level"], rows[26]["verdict"]) == (True, "housing open")


def test_people_see_the_map_and_the_checks(kiosk: Kiosk) -> None:
    told = kiosk.doctor()
    assert told.code == 0
    assert "door closed" in told.out
    header = told.out.splitlines()[0]
    # The longest words are last, where a narrow terminal folds them.
    assert header.split()[-2:] == ["verdict", "what"]
    assert "at power-on" in header
    assert "FAILED" not in told.out
    assert "door gate" in told.out
    assert told.out.endswith("nothing failed: 19 checks, 2 warnings\n")


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_terminal(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    kiosk.bank.set_input(WAY_OUT, False)
    shown = screen(monkeypatch, width, "doctor", "--config", kiosk.config)
    assert "FAILED" in shown
    # What is copied into a shell is one line, however narrow the terminal is.
    folded = [line for line in shown.splitlines() if "Fix: gate-agent " not in line]
    assert max(map(cell_len, folded)) <= width


def test_a_button_that_nobody_presses_and_is_pressed_is_not_well(kiosk: Kiosk) -> None:
    kiosk.bank.set_input(WAY_OUT, False)
    told = kiosk.doctor()
    assert told.code == 1
    assert "way-out: Fix: where nobody does that now" in told.out
    assert "active_high = true" in told.out
    assert told.out.endswith("1 of 19 checks failed, 2 warnings\n")


def test_what_is_missing_is_told_with_its_fix_and_hides_nothing(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    text = kiosk.config.read_text().replace(
        '"simulated"\nsource = ["scene.png"]', '"opencv"\nsource = "/dev/video99"'
    )
    text = text.replace('"simulated"\npins_file = "header.pins"\n[[acc', '"lgpio"\n[[acc')
    text = text.replace('kind = "simulated"', 'kind = "mlx90614"\nbus = 99\nfield_of_view_deg = 5')
    kiosk.config.write_text(
        text.replace(f"pin = {WAY_OUT}", "pin = 2").replace(
            'pin_factory = "simulated"\npins_file = "header.pins"\n[[input]]\nid = "housing"',
            'pin_factory = "lgpio"\n[[input]]\nid = "housing"',
        )
    )
    checks = kiosk.checks()
    for name in ("camera front", "i2c bus", "thermometer", "way-out"):
        assert not checks[name]["ok"], name
        assert checks[name]["fix"]
    assert "/dev/i2c-99" in checks["i2c bus"]["detail"]
    assert checks["north-contact"]["ok"]


def test_a_fix_that_is_a_command_fits_this_state(
    state_dir: Path, tmp_path: Path, gate: Gate
) -> None:
    checks = Kiosk(tmp_path, gate).checks("--state-dir", tmp_path / "elsewhere")
    assert checks["gallery key"]["fix"].startswith("gate-agent key init --config ")
    assert f"--state-dir {tmp_path / 'elsewhere'}" in checks["gallery key"]["fix"]
    # Looking has made nothing.
    assert not (tmp_path / "elsewhere").exists()


def test_beside_a_running_agent_its_pins_are_let_be(kiosk: Kiosk, key_state: Path) -> None:
    with (key_state / "agent.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        checks = kiosk.checks()
        pins = kiosk.doctor("--json").json["pins"]
        assert {row["verdict"] for row in pins} == {"not touched"}
        # It holds the lock and says nothing: what it has cannot be told.
        assert checks["agent"]["detail"] == "one runs; it does not answer"
        assert checks["agent"]["status"] == "fail"
        assert "north-contact" not in checks
        assert "does not answer" in checks["camera front"]["detail"]
        assert "does not answer" in checks["thermometer"]["detail"]
        refused = kiosk.doctor("--pulse", "gate", "--yes", "--json")
        assert (refused.code, refused.json["reason"]) == (1, "agent_runs")
    assert kiosk.bank.changes(DOOR) == 0


def test_a_wrong_config_is_78(kiosk: Kiosk) -> None:
    kiosk.config.write_text("[kiosk\n")
    assert kiosk.doctor().code == 78


# --- a door moves only when somebody says so ------------------------------------------------------


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_pulse_without_a_yes_is_refused(kiosk: Kiosk, words: tuple[str, ...]) -> None:
    refused = kiosk.doctor("--pulse", "gate", *words)
    assert refused.code == 1
    assert "--yes" in refused.err
    assert kiosk.bank.changes(DOOR) == 0


def test_a_door_that_is_not_there_is_not_pulsed(kiosk: Kiosk) -> None:
    refused = kiosk.doctor("--pulse", "gat", "--yes", "--json")
    assert (refused.code, refused.json["reason"]) == (1, "unknown_door")
    assert "gate" in refused.json["fix"]


def test_a_pulse_is_one_and_its_feedback_is_read(kiosk: Kiosk) -> None:
    kiosk.config.write_text(CONFIG + RELAY)
    with kiosk.relay():
        checks = kiosk.checks("--pulse", "gate", "--yes")
    told = checks["pulse gate"]
    assert told["ok"]
    assert told["detail"] == "released for 1 s, the door stayed closed, and relay followed"
    assert kiosk.bank.changes(DOOR) == 2
    assert not kiosk.bank.level(DOOR)


def test_a_relay_that_does_not_follow_is_not_well(kiosk: Kiosk) -> None:
    kiosk.config.write_text(CONFIG + RELAY)
    kiosk.bank.set_input(FEEDBACK, False)
    told = kiosk.checks("--pulse", "gate", "--yes")["pulse gate"]
    assert not told["ok"]
    assert "relay did not follow" in told["detail"]
    assert "supply" in told["fix"]
    assert not kiosk.bank.level(DOOR)


def test_watching_tells_each_button_as_it_is_pressed(kiosk: Kiosk) -> None:
    ended = threading.Event()

    def press() -> None:
        level = False
        while not ended.wait(0.2):
            kiosk.bank.set_input(26, level)
            level = not level

    hand = threading.Thread(target=press)
    hand.start()
    told = kiosk.doctor("--watch", "1.5", "--json")
    ended.set()
    hand.join(PATIENCE_S)
    found, pressed = told.lines[1:4], told.lines[4:]
    assert [(one["input"], one["initial"]) for one in found] == [
        ("north-contact", True),
        ("way-out", True),
        ("housing", True),
    ]
    assert pressed
    # Each change once: whoever has seen one level sees the other next.
    before = found[2]["active"]
    for one in pressed:
        assert one == {"input": "housing", "active": not before, "initial": False}
        before = one["active"]


# --- the checks themselves ------------------------------------------------------------------------


def raising(error: BaseException) -> Callable[[], str]:
    def probe() -> str:
        raise error

    return probe


def test_a_probe_that_fails_or_hangs_keeps_no_other_from_its_turn() -> None:
    ended = threading.Event()

    def hangs() -> str:
        ended.wait(PATIENCE_S)
        return "late"

    checks = run_checks(
        [
            ("missing", raising(UnavailableError("not there", "plug it in"))),
            ("defect", raising(KeyError("a name that no log may hold"))),
            ("hangs", hangs),
            ("well", lambda: "there"),
        ],
        timeout_s=0.1,
    )
    ended.set()
    assert (checks[0].ok, checks[0].detail, checks[0].fix) == (False, "not there", "plug it in")
    assert (checks[1].status, checks[1].detail) == (Status.FAIL, "failed: KeyError")
    assert (checks[2].ok, checks[2].detail) == (False, "did not answer within 0.1 s")
    assert (checks[3].status, checks[3].detail) == (Status.PASS, "there")
    assert json.dumps([check.as_json() for check in checks])


def test_a_state_directory_that_cannot_be_written_is_told(kiosk: Kiosk, key_state: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    key_state.chmod(0o500)
    assert not kiosk.checks()["state directory"]["ok"]


def test_files_of_an_earlier_version_are_told_as_that(kiosk: Kiosk, key_state: Path) -> None:
    of_an_earlier_version(key_state)
    (check,) = (
        one for one in kiosk.doctor("--json").json["checks"] if one["name"] == "state files"
    )
    assert (check["ok"], "earlier version" in check["detail"]) == (True, True)


def test_a_config_that_leaves_the_pack_to_what_was_chosen_has_its_holders_counted(
    kiosk: Kiosk, key_state: Path
) -> None:
    write_choice(key_state, Choice("taguchi", "a reason"))
    with open_registry(site_of(key_state, None), Key.NEEDED) as registry:
        registry.enrol(holder("ann"), [reference("ann", pack="taguchi")], by=BY, now=NOW)
    kiosk.config.write_text(CONFIG + '[face]\npack = "chosen"\n')
    found = kiosk.checks()["registry"]
    assert (found["ok"], found["detail"]) == (True, "1 holder")


def test_whoever_is_enrolled_by_another_pack_only_is_told_of(kiosk: Kiosk, key_state: Path) -> None:
    with open_registry(site_of(key_state, None), Key.NEEDED) as registry:
        made = reference("ann", pack="taguchi")
        registry.enrol(holder("ann"), [made], by=BY, now=NOW)
    found = kiosk.checks()["registry"]
    assert not found["ok"]
    assert found["detail"].startswith("1 holder is not known by face")
    assert "gate-agent holders re-enrol" in found["fix"]
    assert "--pack dlib" in found["fix"]
