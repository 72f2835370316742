"""The installed agent and its doors: commands, wired inputs and kill -9, seen on the pins."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from mosquitto import wait_until
from test_agent import CONFIG, PIN, Site

REX, CONTACT, FIRE = 5, 6, 7
INPUTS = """
[[input]]
id = "button"
kind = "rex"
pin = 5
active_high = false
pull = "up"
door = "turnstile"
pin_factory = "simulated"
pins_file = "pins.bin"
[[input]]
id = "contact"
kind = "contact"
pin = 6
active_high = true
pull = "up"
door = "turnstile"
pin_factory = "simulated"
pins_file = "pins.bin"
[[input]]
id = "alarm"
kind = "fire"
pin = 7
active_high = true
pull = "up"
pin_factory = "simulated"
pins_file = "pins.bin"
[[area]]
id = "garden"
anti_passback = "hard"
"""


class Doors(Site):
    """A gate that nobody stands before; its contacts are pulled from outside."""

    def __init__(self, folder: Path, models: Path, scene: Path) -> None:
        self.scene = scene
        super().__init__(folder, models)
        for pin, level in ((REX, True), (CONTACT, False), (FIRE, False)):
            self.pins.set_input(pin, level=level)

    def configure(self, camera: str, *, pulse_s: float = 3.0, broker: int | None = None) -> None:
        camera = f'kind = "simulated"\nsource = ["{self.scene}"]\nloop = true\nfps = 5'
        text = (
            CONFIG.format(camera=camera, pulse_s=1.0, pack="dlib", attempt_interval_s=2.0) + INPUTS
        )
        self.config.write_text(text.replace("max_pulse_s = 30", "max_pulse_s = 4"))

    def started(self) -> Any:
        process = self.run()
        assert wait_until(self.shown)
        return process

    def shown(self) -> bool:
        """Whether the agent answers, and knows its doors by now."""
        done = self.command("door", "show", "--json")
        return done.returncode == 0 and "north-entry" in json.loads(done.stdout)["access_points"]

    def answer(self, *words: object) -> Any:
        done = self.command(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def stands(self) -> dict[str, str]:
        stands: dict[str, str] = self.answer("door", "show")["access_points"]["north-entry"]
        return stands

    @property
    def free(self) -> bool:
        return self.pins.level(PIN)


@pytest.fixture
def doors(tmp_path, dlib_pack, shared_faces):
    site = Doors(tmp_path, dlib_pack.directory.parent, shared_faces / "hard" / "no_face.png")
    yield site
    for process in site.processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


def test_the_doors_of_a_running_agent(doors):
    process = doors.started()
    assert doors.stands() == {"state": "secured", "mode": "normal", "cause": None}

    # The exit button, until it opens.
    doors.pins.set_input(REX, level=False)
    assert wait_until(lambda: doors.free)
    doors.pins.set_input(REX, level=True)
    doors.pins.set_input(CONTACT, level=True)
    assert wait_until(lambda: doors.stands()["state"] == "open")
    doors.pins.set_input(CONTACT, level=False)
    assert wait_until(lambda: doors.stands()["state"] == "secured")

    # Opened by force.
    doors.pins.set_input(CONTACT, level=True)
    assert wait_until(lambda: doors.stands()["state"] == "forced")
    doors.pins.set_input(CONTACT, level=False)
    assert wait_until(lambda: doors.stands()["state"] == "secured")

    # Commands, right and wrong.
    assert doors.answer("door", "release", "north-entry")["access_points"]["north-entry"]["mode"]
    assert wait_until(lambda: not doors.free)
    assert doors.command("door", "release", "nowhere").returncode == 1
    assert doors.command("door", "lockdown").returncode == 2
    assert doors.command("passback", "forgive", "nobody").returncode == 1
    assert doors.command("passback", "forgive").returncode == 2
    assert doors.answer("passback", "list") == {"total": 0, "positions": []}
    doors.answer("door", "lockdown", "--all")
    refused = doors.command("door", "release", "north-entry")
    assert refused.returncode == 1
    assert "locked down" in refused.stderr

    # Killed in a lockdown, and under way to the fire.
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not doors.free
    process = doors.started()
    assert doors.stands() == {
        "state": "locked_down",
        "mode": "locked_down",
        "cause": "command",
    }
    doors.pins.set_input(FIRE, level=True)
    assert wait_until(lambda: doors.free)
    assert doors.stands() == {"state": "free_passage", "mode": "locked_down", "cause": "fire"}
    doors.pins.set_input(FIRE, level=False)
    assert wait_until(lambda: not doors.free)
    doors.answer("door", "resume", "north-entry")
    assert doors.stands() == {"state": "secured", "mode": "normal", "cause": None}
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0

    kinds = [event["type"].removeprefix("gate.") for event in doors.events("door")]
    assert sorted(set(kinds)) == [
        "door.alarm_over",
        "door.forced",
        "door.mode_changed",
        "door.released",
    ]
    causes = [event["data"].get("cause") for event in doors.events("door")]
    assert causes.count("rex") == 1
    assert {"command", "fire"} <= set(causes)
    by = {event["data"]["by"] for event in doors.events("door") if "by" in event["data"]}
    assert by == {"agent", by.difference({"agent"}).pop()}


@pytest.mark.parametrize(
    "starts", [1, pytest.param(60, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_free_passage_survives_kill_9_and_no_start_moves_a_door_at_rest(doors, starts):
    before = doors.pins.changes(PIN)
    for number in range(starts):
        process = doors.started()
        process.send_signal(signal.SIGKILL if number % 3 else signal.SIGTERM)
        process.wait(60)
        assert doors.command("secure-outputs").returncode == 0
    assert doors.pins.changes(PIN) == before
    process = doors.started()
    doors.answer("door", "free-passage", "--all")
    assert wait_until(lambda: doors.free)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert doors.command("secure-outputs").returncode == 0
    assert not doors.free
    doors.started()
    assert doors.free
