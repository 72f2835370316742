"""The technician's page in a real Chromium: by keyboard, on a telephone, in Chinese."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from chromium import PROGRAM, Page, chromium
from console_parts import Served, served

pytest.importorskip("starlette", reason="the extra `console` is not installed: no page is served")
pytest.importorskip("uvicorn", reason="the extra `console` is not installed: no page is served")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed")

MEANS = "its events wait in the journal"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
STATUS = {
    "version": "0.1.0",
    "started": "2026-11-28T05:00:00Z",
    "time": "2026-11-28T07:00:00Z",
    "clock_synced": False,
    "unpublished": 3,
    "broker": "away",
    "broker_why": "nobody is there",
    "holders": 2,
    "references": 4,
    "pack": "retail",
    "pack_version": "1",
    "pad": {"packs": {}},
    "threshold": {"score": 0.56, "extrapolated": True},
    "face_without_pad": True,
    "access_points": {"north-entry": "secured", HOSTILE: "forced"},
    "modes": {"north-entry": "normal", HOSTILE: "locked_down"},
    "causes": {},
}
DECISION = {
    "row": 1,
    "time": "2026-11-28 15:00:00",
    "sure": True,
    "access_point": "north-entry",
    "granted": False,
    "reason": "NoMatch",
    "why": "no match",
    "who": "l…",
    "trace": {"score": 0.41, "threshold": 0.56, "factors": ["face"], "challenge": None},
}
SIGHT = {
    "width": 64,
    "height": 48,
    "hindrance": "too_far",
    "jpeg": base64.b64encode(
        cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
    ).decode(),
    "zone": {"x": 0.1, "y": 0.0, "width": 0.8, "height": 1.0, "min_face_px": 80},
    "face": {
        "box": {"x": 20, "y": 10, "width": 16, "height": 20},
        "size_px": 16,
        "quality": {"sharpness": 55.0, "contrast": 30.0, "face_px": 16},
        "score": 0.41,
        "threshold": 0.56,
        "pad_score": None,
    },
    "thermometer_spot": {"left": 0.4, "right": 0.6, "top": 0.3, "bottom": 0.6, "round": True},
    "codes": {"read": [{"x": 1, "y": 1, "width": 9, "height": 9}], "unread": []},
}


class PlainDesk:
    """What a kiosk would say, and what was asked of it."""

    def __init__(self) -> None:
        self.deeds: list[tuple[object, ...]] = []
        self.away = False
        self.walks: dict[str, Any] | None = None

    def state(self) -> dict[str, Any]:
        agent: dict[str, Any] = {"answers": True, "why": None, "fix": None}
        parts = [{"part": "camera:front", "well": False, "said": HOSTILE, "fix": "plug it in"}]
        whole: dict[str, Any] = {
            "status": {**STATUS, "walk_test": self.walks},
            "parts": parts,
            "decisions": [{**DECISION, "walk_test": self.walks is not None}],
            "journal": None,
        }
        if self.away:
            agent = {"answers": False, "why": "no agent answers at its socket", "fix": None}
            whole |= {"status": None, "parts": []}
        return {"agent": agent, "config": None, **whole}

    def look(self, camera: str | None) -> dict[str, Any]:
        heat = {"temperature_c": 36.2, "ambient_c": 22.0, "age_s": 0.1}
        told: dict[str, Any] = {"thermometer": heat, "inputs": {"button": False}}
        sight = {} if camera is None else {"camera": SIGHT}
        return {**told, "cameras": ["front"], **sight}

    def release(self, point: object, reason: object) -> dict[str, Any]:
        self.deeds.append(("release", point, reason))
        return {}

    def try_out(self, point: object, outcome: object) -> dict[str, Any]:
        self.deeds.append(("try", point, outcome))
        return {}

    def begin_walk_test(self, point: object, minutes: object) -> dict[str, Any]:
        self.deeds.append(("walk", point, minutes))
        self.walks = {
            "access_points": [point],
            "by": "uid:997 gate-agent",
            "until": "2026-11-28T07:05:00.000Z",
        }
        return {"walk_test": self.walks}

    def end_walk_test(self) -> dict[str, Any]:
        self.deeds.append(("end",))
        self.walks = None
        return {"walk_test": None}

    def left(self) -> None:
        self.walks = None

    def config(self) -> dict[str, Any]:
        warning = {"line": 4, "key": "clock", "message": HOSTILE, "fix": None}
        shown = {"kiosk": {"id": "north-1"}, "camera": [{"id": "front"}], "broker": None}
        findings = {"faults": [], "warnings": [warning]}
        return {"file": "/etc/gate-agent/gate.toml", "ok": True, **findings, "shown": shown}

    def check_config(self, text: object) -> dict[str, Any]:
        fault = {"line": 1, "key": "kiosk", "message": f"wrong: {text}", "fix": "mend it"}
        return {"file": "", "ok": False, "faults": [fault], "warnings": [], "shown": None}

    def examination(self) -> dict[str, Any]:
        return {"examines": False, "checks": [], "error": None}

    def examine(self) -> dict[str, Any]:
        check = {"name": "broker", "status": "fail", "detail": HOSTILE, "meaning": MEANS}
        return {"examines": False, "checks": [{**check, "fix": "start it"}], "error": None}


@pytest.fixture(scope="module")
def desk() -> PlainDesk:
    return PlainDesk()


@pytest.fixture(scope="module")
def running(desk: PlainDesk) -> Iterator[Served]:
    with served(desk) as console:
        yield console


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with chromium() as page:
        yield page


def link(running: Served) -> str:
    return f"http://{running.here}/#{running.tickets.issue()}"


@pytest.fixture
def page(browser: Page, running: Served) -> Page:
    """The page, entered anew, in English on a wide screen."""
    browser.size(1100, 900)
    browser.go("about:blank")
    browser.errors.clear()
    browser.requests.clear()
    browser.go(link(running))
    browser.wait_for("document.querySelector('#doors .card') && document.querySelector('#checks')")
    if browser.run("document.documentElement.lang") != "en":
        browser.run("document.getElementById('language').click()")
    return browser


def text(page: Page, selector: str) -> str:
    return str(page.run(f"document.querySelector({selector!r}).innerText"))


def test_the_link_opens_it_once_and_leaves_nothing_behind(page: Page, running: Served) -> None:
    assert page.run("location.href") == f"http://{running.here}/"
    assert page.run("document.cookie") == ""
    assert page.run("localStorage.length") == 0
    assert {url.partition("/#")[0][: len(running.here) + 7] for url in page.requests} == {
        f"http://{running.here}"
    }
    assert page.errors == []
    used = link(running)
    page.run("document.getElementById('leave').click()")
    page.wait_for("!document.getElementById('enter').hidden")
    assert "north" not in text(page, "#inside")
    for wanted in ("#inside", "#enter"):
        page.go("about:blank")
        page.go(used)
        page.wait_for(
            f"document.querySelector('{wanted}') && !document.querySelector('{wanted}').hidden"
        )
        page.run("sessionStorage.clear()")
    assert "used" in text(page, "#enter-said")


def test_it_shows_how_the_kiosk_stands_and_what_comes_from_there_as_text(page: Page) -> None:
    page.run("document.getElementById('watch').click(); document.getElementById('examine').click()")
    page.wait_for(
        "document.querySelector('#outlines .face') && document.querySelector('#checks b')"
    )
    page.wait_for("document.getElementById('picture').naturalWidth === 64")
    assert page.run("document.querySelectorAll('#outlines .spot, #outlines .code').length") == 2
    whole = text(page, "#inside")
    for said in (
        *("0.410 / 0.560", "away: nobody is there", "forced open", "36.2 °C", HOSTILE),
        *("What to do: plug it in", "What to do: start it", "2026-11-28 07:00 UTC (not sure)"),
    ):
        assert said in whole
    assert "denied: no match 0.410/0.560 l…" in " ".join(whole.split())
    assert page.run("document.querySelectorAll('#inside img[onerror], #inside script').length") == 0
    assert page.errors == []
    page.run("document.getElementById('watch').click()")
    page.wait_for("document.getElementById('view').hidden")


def test_markup_cannot_be_put_in_by_mistake(page: Page) -> None:
    tried = "try { document.body.innerHTML = '<b>x</b>'; 'put in' } catch (error) { error.name }"
    assert page.run(tried) == "TypeError"


def test_all_of_it_goes_by_keyboard(page: Page, desk: PlainDesk) -> None:
    where = (
        "(document.activeElement.id || document.activeElement.dataset.outcome"
        " || document.activeElement.textContent)"
    )
    # Whoever comes in stands at the content; this begins before it.
    page.run("document.querySelector('.skip').focus()")
    seen: list[str] = []
    while "text" not in seen:
        page.press("Tab")
        seen.append(page.run(where))
        assert len(seen) < 60, seen
        assert page.run("getComputedStyle(document.activeElement).outlineStyle") != "none", seen
        if seen[-1] == "granted":
            page.press("Enter")
            page.wait_for("document.getElementById('done').textContent")
        if seen[-1] == "minutes":
            page.press("ArrowUp")
        if seen[-1] == "walk-begin":
            page.press("Enter")
            page.wait_for("!document.getElementById('walking').hidden")
            page.wait_for("document.activeElement.id === 'walk-end'")
            page.press("Enter")
            page.wait_for("document.getElementById('walking').hidden")
            page.wait_for("document.activeElement.id === 'walk-begin'")
        if seen[-1] == "reason":
            page.type("a parcel")
            page.press("Enter")
            page.wait_for("document.getElementById('done').textContent.includes('released')")
        if seen[-1] == "Check another text":
            page.press("Enter")
    wanted = ("language", "leave", "watch", "camera", "point", "granted", "denied", "reason")
    assert {*wanted, "examine"} <= set(seen)
    released = ("release", "north-entry", "a parcel")
    walked = (("walk", "north-entry", 5), ("end",))
    assert desk.deeds[-4:] == [("try", "north-entry", "granted"), *walked, released]


def test_a_walk_test_is_seen_at_the_top_until_somebody_leaves(page: Page, desk: PlainDesk) -> None:
    page.run("document.getElementById('walk-begin').click()")
    page.wait_for("!document.getElementById('walking').hidden")
    said = text(page, "#walking")
    for wanted in ("north-entry", "07:05 UTC", "uid:997 gate-agent", "Nothing opens there"):
        assert wanted in said
    assert "walk test" in text(page, "#doors .card")
    assert "walk test, denied: no match" in text(page, "#decisions")
    assert page.run("getComputedStyle(document.getElementById('walking')).position") == "sticky"
    page.run("document.getElementById('leave').click()")
    page.wait_for("!document.getElementById('enter').hidden")
    assert page.run("document.getElementById('walking').hidden")
    assert desk.walks is None


def test_no_door_is_released_without_a_word(page: Page, desk: PlainDesk) -> None:
    before = len(desk.deeds)
    page.run("document.querySelector('#release button').click()")
    assert page.run("document.querySelector('#reason').validity.valueMissing")
    assert len(desk.deeds) == before


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_it_fits_a_telephone_in_both_languages(
    page: Page, language: str, tmp_path: Path, *, dark: bool
) -> None:
    page.size(360, 780, phone=True, dark=dark)
    if language != "en":
        page.run("document.getElementById('language').click()")
    page.run("document.getElementById('watch').click(); document.getElementById('examine').click()")
    page.wait_for(
        "document.querySelector('#outlines .face') && document.querySelector('#checks b')"
    )
    assert page.run("document.documentElement.lang") == language
    shown = page.run("document.querySelector('#checks .quiet').textContent")
    assert shown == (MEANS if language == "en" else "事件在日志中等待发送")
    assert page.run("document.documentElement.scrollWidth") == 360
    small = "[...document.querySelectorAll('button, select, input')].filter((one) =>"
    small += " one.offsetParent && one.getBoundingClientRect().height < 44).length"
    assert page.run(small) == 0
    page.picture(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 10_000
    assert page.errors == []


def test_every_word_has_its_chinese(page: Page) -> None:
    assert page.run("Object.keys(WORDS.en).filter((one) => !(one in WORDS.zh)).join()") == ""
    lacking = "[...document.querySelectorAll('[data-word]')].map((one) => one.dataset.word)"
    assert page.run(f"{lacking}.filter((one) => !(one in WORDS.en)).join()") == ""


def test_another_config_is_judged_by_line(page: Page) -> None:
    page.run("for (const one of document.querySelectorAll('details')) one.open = true")
    page.run("document.getElementById('text').value = '[kiosk]'")
    page.run("document.querySelector('#config-form button').click()")
    page.wait_for("document.querySelectorAll('#text-faults li').length")
    assert "line 1: kiosk: wrong: [kiosk]" in text(page, "#text-faults")
    assert text(page, "#config-said") == "/etc/gate-agent/gate.toml: right, 1 to be meant"


def test_an_agent_that_is_gone_and_a_session_that_ended_are_said(
    page: Page, desk: PlainDesk, running: Served
) -> None:
    desk.away = True
    page.wait_for("document.getElementById('stand').textContent.includes('No agent answers')")
    assert page.run("document.getElementById('deeds').hidden")
    desk.away = False
    page.wait_for("!document.getElementById('deeds').hidden")
    word = page.run("sessionStorage.getItem('gate-console-session')")
    running.tickets.end(word)
    page.wait_for("!document.getElementById('enter').hidden")
    assert "ended" in text(page, "#enter-said")
    assert "north" not in text(page, "#inside")
