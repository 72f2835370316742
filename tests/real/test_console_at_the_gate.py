"""A real agent, a real ``gate-agent console`` beside it, and what a technician does with both.

The short forms: ``scenarios/test_walk_test``, ``threads/control/test_walk_tester``, and
``technician/test_console_page``. Here people walk up, one in five seconds.
"""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
from chromium import PROGRAM as CHROMIUM
from chromium import Page, chromium
from console_parts import Served
from mosquitto import wait_until
from test_agent import PIN, PROGRAM, Site, ended, simulated

pytest.importorskip("starlette", reason="the extra `console` is not installed: no page is served")
pytest.importorskip("uvicorn", reason="the extra `console` is not installed: no page is served")

POINT = "north-entry"
PULSE_S = 1.0


@pytest.fixture(scope="module")
def gate(
    tmp_path_factory: pytest.TempPathFactory, retail_pack: Any, shared_faces: Path
) -> Iterator[Site]:
    """A resident and a stranger walk up by turns, so each is seen anew; for the whole module."""
    folder = tmp_path_factory.mktemp("gate")
    resident, stranger = (shared_faces / "gallery" / f"{one}.jpg" for one in ("lowe", "leslie"))
    with ended(Site(folder, retail_pack.directory.parent, "retail")) as site:
        site.attempt_interval_s = 1.0
        site.configure(simulated(resident, stranger), pulse_s=PULSE_S)
        site.enrol(resident)
        site.run()
        yield site


@contextmanager
def console(gate: Site) -> Iterator[tuple[Served, str, "subprocess.Popen[str]"]]:
    """The command as a process: where it listens, and its link."""
    assert wait_until(lambda: POINT in gate.command("status", "--json").stdout)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    process = subprocess.Popen(
        [str(PROGRAM), "console", "--port", str(port), "--json"],
        env=gate.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        link = json.loads(process.stdout.readline())["url"]
        yield Served(port, None), link, process  # type: ignore[arg-type] # its tickets are the process's
    finally:
        process.terminate()
        process.communicate(timeout=60)


def kinds(gate: Site, *families: str) -> list[str]:
    events = [one for family in families for one in gate.events(family)]
    ordered = sorted(events, key=lambda one: one["sequence"])
    return [one["type"].removeprefix("gate.") for one in ordered]


class Line:
    """Looks at the door's pin many times a second, for a moment in which it moves."""

    def __init__(self, gate: Site) -> None:
        self._gate = gate
        self._stop = threading.Event()
        self.moved = False
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        assert wait_until(lambda: not self._gate.pins.level(PIN))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        pins = self._gate.pins
        while not self._stop.wait(0.01):
            self.moved = self.moved or bool(pins.level(PIN))


@pytest.mark.slow
def test_a_walk_test_opens_nothing_and_everything_else_goes_on(gate: Site) -> None:
    with console(gate) as (page, link, process):
        page.session = page.ask("POST", "/api/enter", {"token": link.partition("#")[2]}).json[
            "session"
        ]
        wrong = page.ask("POST", "/api/walk-test", {"access_point": POINT, "minutes": 99})
        assert wrong.status == 409
        assert "from 1 to 30" in wrong.json["error"]
        begun = page.ask("POST", "/api/walk-test", {"access_point": POINT, "minutes": 5})
        assert begun.json["walk_test"]["access_points"] == [POINT]
        assert begun.json["walk_test"]["by"].startswith(f"uid:{os.getuid()}")
        again = page.ask("POST", "/api/walk-test", {"access_point": POINT, "minutes": 5})
        assert "makes one already" in again.json["error"]
        with Line(gate) as line:

            def decided() -> bool:
                found = page.ask("GET", "/api/state").json["decisions"]
                return any(one["walk_test"] and one["granted"] for one in found)

            assert wait_until(decided)
        assert not line.moved
        found = page.ask("GET", "/api/state").json
        assert found["status"]["walk_test"]["access_points"] == [POINT]
        granted = next(one for one in found["decisions"] if one["granted"] and one["walk_test"])
        assert granted["trace"]["score"] >= granted["trace"]["threshold"]
        assert (granted["who"], "lowe" in json.dumps(found)) == ("l…", False)
        # A person's release goes on as ever, for its reason.
        released = page.ask(
            "POST", "/api/release", {"access_point": POINT, "reason": "a walk test"}
        )
        assert released.status == 200
        assert wait_until(lambda: gate.pins.level(PIN))
        # The console is killed as nothing else ends it: by SIGTERM it says so at once.
        process.terminate()
        process.wait(60)
    assert wait_until(lambda: kinds(gate, "walktest")[-1] == "walktest.ended")
    during = kinds(gate, "walktest", "access")
    during = during[during.index("walktest.began") : during.index("walktest.ended") + 1]
    assert {one for one in during if one.startswith("access.")} <= {"access.unjudged"}
    assert wait_until(lambda: not gate.pins.level(PIN))
    assert wait_until(lambda: gate.pins.level(PIN)), "afterwards the resident is let in as ever"


@pytest.mark.slow
def test_a_console_that_is_killed_leaves_the_gate_as_ever_within_a_minute(gate: Site) -> None:
    with console(gate) as (page, link, process):
        token = {"token": link.partition("#")[2]}
        page.session = page.ask("POST", "/api/enter", token).json["session"]
        assert (
            page.ask("POST", "/api/walk-test", {"access_point": POINT, "minutes": 5}).status == 200
        )
        process.kill()
        process.wait(60)
    status = json.loads(gate.command("status", "--json").stdout)
    assert status["walk_test"]["access_points"] == [POINT]
    assert wait_until(
        lambda: json.loads(gate.command("status", "--json").stdout)["walk_test"] is None, 60
    )
    (last,) = gate.events("walktest")[-1:]
    assert (last["type"], last["data"]["cause"]) == ("gate.walktest.ended", "left")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_technician_does_all_of_it_by_keyboard_in_a_browser(gate: Site, tmp_path: Path) -> None:
    pictures = Path(os.environ.get("GATE_PICTURES", tmp_path))
    with console(gate) as (_, link, _process), chromium() as page:
        page.size(1100, 900)
        page.go(link)
        page.wait_for("document.querySelector('#doors .card')")
        if page.run("document.documentElement.lang") != "en":
            page.run("document.getElementById('language').click()")
        tab_to(page, "watch")
        page.press("Enter")
        page.wait_for("document.querySelector('#outlines .face')")
        page.wait_for("document.getElementById('picture').naturalWidth > 0")
        tab_to(page, "examine")
        page.press("Enter")
        page.wait_for("document.querySelectorAll('#checks tbody tr').length > 5")
        page.run("document.querySelector('.skip').focus()")
        tab_to(page, "walk-begin")
        page.press("Enter")
        page.wait_for("!document.getElementById('walking').hidden")
        with Line(gate) as line:
            page.wait_for(
                "document.getElementById('decisions').innerText.includes('walk test, granted')"
            )
            assert not line.moved
            page.run("document.querySelector('#decisions details').open = true")
            trace = page.run("document.querySelector('#decisions details dl').innerText")
            assert "threshold" in trace
            page.picture(pictures / "wide-en.png")
            page.run("document.getElementById('language').click()")
            page.wait_for("document.documentElement.lang === 'zh-Hans'")
            page.picture(pictures / "wide-zh.png")
            page.size(360, 780, phone=True)
            page.wait_for("document.documentElement.scrollWidth === 360")
            page.picture(pictures / "narrow-zh.png")
            page.run("document.getElementById('language').click()")
            page.picture(pictures / "narrow-en.png")
            assert not line.moved
        assert "lowe" not in page.run("document.body.innerText")
        page.run("document.querySelector('.skip').focus()")
        tab_to(page, "reason")
        page.type("a parcel")
        page.press("Enter")
        page.wait_for("document.getElementById('done').textContent.includes('released')")
        assert wait_until(lambda: gate.pins.level(PIN))
        page.run("document.querySelector('.skip').focus()")
        tab_to(page, "walk-end")
        page.press("Enter")
        page.wait_for("document.getElementById('walking').hidden")
        assert page.errors == []
    assert gate.events("door")[-1]["data"]["reason"] == "a parcel"
    assert gate.events("walktest")[-1]["data"]["cause"] == "asked"


def tab_to(page: Page, wanted: str) -> None:
    """On by keyboard, until what has this id has the focus."""
    for _ in range(60):
        if page.run("document.activeElement.id") == wanted:
            return
        page.press("Tab")
    pytest.fail(f"no way to {wanted} by keyboard")
