"""The doctor's checks as functions: facts in, a verdict out; and the page that is made of them."""

import re
from dataclasses import replace

import pytest
from places import ROOT

from agent.operations.examination.facts import (
    AgentFact,
    BoardFact,
    BrokerFact,
    CameraFact,
    ThermometerFact,
    TimeFact,
)
from agent.technician import checks
from agent.technician.page import table_text
from agent.technician.plain import OTHER, PLAIN
from agent.technician.verdict import Status, Verdict, check_of

PASS, WARN, FAIL = Status.PASS, Status.WARN, Status.FAIL
SEES = CameraFact("opencv, 0", 12, 640, 480, brightness=110, contours=0.6, zone_contours=0.5)
WARM = ThermometerFact("23 C", 23.0, 22.0, 43.0)
LINKED = BrokerFact("b:8883", "TLSv1.3", 300.0, acknowledged=True, came_back=True)
KEPT = TimeFact("2026-11-28 05:00 UTC", kept=True, vouched=False, past=False)


@pytest.mark.parametrize(
    ("verdict", "status", "says"),
    [
        (checks.agent(AgentFact(runs=False)), PASS, "none runs"),
        (checks.agent(AgentFact(runs=True)), PASS, "none"),
        (checks.agent(AgentFact(runs=True, faults=("disk",))), WARN, "disk"),
        (checks.agent(AgentFact(runs=True, faults=None)), FAIL, "does not answer"),
        (checks.camera(SEES), PASS, "640x480"),
        (checks.camera(CameraFact("opencv, 0", 0)), FAIL, "no picture"),
        (checks.camera(replace(SEES, brightness=3, contours=0.0)), FAIL, "brightness 3"),
        (checks.camera(replace(SEES, brightness=90, contours=0.0)), FAIL, "brightness 90"),
        (checks.camera(replace(SEES, brightness=9)), FAIL, "brightness 9"),
        (checks.camera(replace(SEES, brightness=9, infrared=True)), PASS, "brightness 9"),
        (checks.camera(replace(SEES, alike=True)), FAIL, "same to the byte"),
        (checks.camera(replace(SEES, alike=True, still=True)), PASS, "640x480"),
        (checks.camera(replace(SEES, alike=True, frames=1)), PASS, "640x480"),
        (checks.camera(replace(SEES, zone_contours=0.0)), WARN, "zone"),
        (checks.camera(replace(SEES, brightness=30)), WARN, "brightness 30"),
        (checks.camera(replace(SEES, brightness=240)), WARN, "brightness 240"),
        (checks.camera(replace(SEES, blur=0.45, blue=0.7)), PASS, "640x480"),
        (checks.camera(replace(SEES, blur=0.66)), WARN, "blur 0.66"),
        (checks.camera(replace(SEES, blue=1.5)), WARN, "1.5 times as much blue"),
        (checks.camera(replace(SEES, blue=1.5, infrared=True)), PASS, "640x480"),
        (checks.thermometer(WARM), PASS, "23 C"),
        (checks.thermometer(replace(WARM, temperature_c=54.0)), FAIL, "43 C at most"),
        (checks.thermometer(replace(WARM, temperature_c=2.0)), WARN, "23 C"),
        (checks.thermometer(replace(WARM, ambient_c=None)), PASS, "23 C"),
        (checks.broker(LINKED), PASS, "came back"),
        (checks.broker(replace(LINKED, refused="Not authorized")), FAIL, "Not authorized"),
        (checks.broker(replace(LINKED, acknowledged=False)), FAIL, "not acknowledged"),
        (checks.broker(replace(LINKED, came_back=False)), WARN, "did not come back"),
        (checks.broker(replace(LINKED, came_back=False, five=False)), FAIL, "not passed on"),
        (
            checks.broker(replace(LINKED, came_back=False, five=False, unread=True)),
            WARN,
            "did not come back",
        ),
        (checks.broker(replace(LINKED, expires_days=12.0)), WARN, "12 days"),
        (checks.broker(replace(LINKED, agent_why="no address")), FAIL, "no address"),
        (checks.time(KEPT), PASS, "network"),
        (checks.time(replace(KEPT, kept=False)), FAIL, "not set"),
        (checks.time(replace(KEPT, kept=False, vouched=True)), PASS, "config"),
        (checks.time(replace(KEPT, past=True)), FAIL, "before this release"),
        (checks.time(replace(KEPT, doubt="ahead")), FAIL, "ahead"),
        (checks.board(BoardFact(None, None)), PASS, "no sensor"),
        (checks.board(BoardFact(50.0, 0)), PASS, "50 C, throttled 0x0"),
        (checks.board(BoardFact(50.0, 0x50005)), FAIL, "0x50005"),
        (checks.board(BoardFact(50.0, 0x50000)), WARN, "0x50000"),
        (checks.board(BoardFact(72.0, 0)), WARN, "72 C"),
        (checks.board(BoardFact(85.0, None)), FAIL, "85 C"),
    ],
)
def test_facts_make_a_verdict(verdict: Verdict, status: Status, says: str) -> None:
    check = check_of("one", verdict)
    assert (check.status, check.ok) == (status, status is not FAIL)
    assert says in check.detail
    assert check.meaning
    assert (check.fix is None) is (status is PASS)


def test_every_check_says_what_each_finding_means_and_how_it_is_mended() -> None:
    rows = checks.all_rows()
    assert len({row.name for row in rows}) == len(rows)
    for row in rows:
        assert row.findings[0].status is PASS, row.name
        assert row.missing.status is not PASS, row.name
        assert all(one.meaning and one.seen for one in (*row.findings, row.missing)), row.name
        assert all(one.fix for one in row.findings if one.status is not PASS), row.name


def test_the_page_has_the_table_of_all_checks() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert table_text() in page, "docs/doctor.md: put agent.technician.page.table_text() there"


def test_each_check_and_what_it_means_has_a_chinese_sentence_on_the_page() -> None:
    page = ROOT / "agent" / "technician" / "console" / "page"
    table = (page / "words.js").read_text(encoding="utf-8").partition("const DOCTOR_ZH = {")[2]
    told = dict(re.findall(r'^  "([^"]+)": "([^"]+)",$', table, re.MULTILINE))
    rows = [*checks.all_rows(), OTHER]
    meanings = {one.meaning for row in rows for one in (*row.findings, row.missing)}
    # A camera, an input and a door are called by their own names.
    named = {row.name for row in checks.ROWS if row.name != "camera ID"} | set(PLAIN)
    assert set(told) == meanings | named
    assert all(re.search(r"[\u4e00-\u9fff]", one) for one in told.values())
