"""``gate-agent doctor`` through the running agent: a black film, 54 degrees, a dead broker."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mosquitto import wait_until
from test_agent import Site, ended

SECONDS = 90
"""Of film, in which the agent runs: it ends with its film."""
MORE = """
[clock]
trust_system_clock = true
[thermometer]
kind = "simulated"
temperature_c = {celsius}
"""


def film(path: Path, *, alive: bool) -> None:
    """Of a scene in which something moves, or of nothing."""
    small = np.random.default_rng(3).integers(40, 200, (23, 31, 3), np.uint8)
    scene = cv2.resize(small, (320, 240), interpolation=cv2.INTER_NEAREST)
    made = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 10, (320, 240))
    assert made.isOpened()
    for number in range(SECONDS * 10):
        frame = scene.copy() if alive else np.zeros_like(scene)
        if alive:
            cv2.circle(frame, (20 + number * 3 % 280, 120), 15, (240, 240, 240), -1)
        made.write(frame)
    made.release()


@pytest.fixture
def site(tmp_path, dlib_pack):
    with ended(Site(tmp_path, dlib_pack.directory.parent)) as site:
        yield site


def started(site: Site, port: int, *, alive: bool, celsius: float) -> None:
    film(site.folder / "film.avi", alive=alive)
    site.configure('kind = "opencv"\nsource = "film.avi"', broker=port)
    site.config.write_text(site.config.read_text() + MORE.format(celsius=celsius))
    site.run()
    assert wait_until(lambda: connected(site))


def connected(site: Site) -> bool:
    said = site.command("status", "--json")
    return said.returncode == 0 and json.loads(said.stdout)["broker"] == "connected"


def checks(site: Site) -> tuple[int, dict[str, Any]]:
    said = site.command("doctor", "--json")
    found = json.loads(said.stdout)
    wanted = {"name", "status", "ok", "detail", "meaning", "fix"}
    assert all(set(one) == wanted for one in found["checks"])
    assert all(one["ok"] is (one["status"] != "fail") for one in found["checks"])
    return said.returncode, {one["name"]: one for one in found["checks"]}


def test_a_gate_that_is_well_warns_at_most(site, mosquitto):
    started(site, mosquitto.port, alive=True, celsius=36.4)
    code, found = checks(site)
    assert {name: one["detail"] for name, one in found.items() if not one["ok"]} == {}
    assert code == 0
    assert found["model pack"]["status"] == "warn"
    assert "320x240" in found["camera front"]["detail"]
    assert "the running agent read 36." in found["thermometer"]["detail"]
    assert found["broker"]["status"] == "pass"
    assert site.pins.changes(17) == 0


def test_a_black_film_54_degrees_and_a_dead_broker_are_failures(site, make_mosquitto):
    broker = make_mosquitto()
    broker.start()
    started(site, broker.port, alive=False, celsius=54.0)
    code, found = checks(site)
    assert code == 1
    wrong = {name for name, one in found.items() if one["status"] == "fail"}
    assert wrong == {"camera front", "thermometer"}
    assert "living skin has 43 C at most" in found["thermometer"]["detail"]
    assert "brightness 0 of 255" in found["camera front"]["detail"]
    broker.stop()
    assert wait_until(lambda: not connected(site))
    code, found = checks(site)
    assert (code, found["broker"]["status"]) == (1, "fail")
    assert "nothing listens" in found["broker"]["detail"]
