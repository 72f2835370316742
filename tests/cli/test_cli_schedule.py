"""config schedule: what holds when, for people and for machines."""

import json
import re
from pathlib import Path

import pytest
from gate_command import Gate
from screens import WIDTHS, golden_screen

SCHEDULES = """
[[schedule]]
id = "office-hours"
spans = [
  { days = ["mon", "tue", "wed", "thu", "fri"], from = "08:00", until = "18:00" },
  { days = ["holiday"], from = "10:00", until = "12:00" },
]
holidays = ["public"]
exceptions = [{ date = "2026-12-24", open = false, from = "12:00" }]

[[schedule]]
id = "night"
spans = [{ days = ["sat"], from = "22:00", until = "06:00" }]

[[holiday]]
id = "public"
dates = ["12-25/12-26"]
"""


HEAD = "schedule,date,open,remarks\n"


@pytest.fixture
def scheduled(config_file: Path) -> Path:
    text = config_file.read_text().replace("Asia/Shanghai", "Europe/Berlin")
    config_file.write_text(text + SCHEDULES)
    return config_file


def test_days_and_their_marks_for_people(gate: Gate, scheduled: Path) -> None:
    answer = gate(
        *("config", "schedule", "office-hours", "--at", "2026-12-23T12:00", "--days", "4"),
        *("--config", scheduled),
    )
    assert (answer.code, answer.err) == (0, "")
    assert [line.split(maxsplit=2) for line in answer.out.splitlines()] == [
        ["office-hours", "open", "until Wed 2026-12-23 18:00:00 CET"],
        ["day", "open", "remarks"],
        ["Wed", "2026-12-23", "08:00-18:00"],
        ["Thu", "2026-12-24", "08:00-12:00  exception"],
        ["Fri", "2026-12-25", "10:00-12:00  holiday public"],
        ["Sat", "2026-12-26", "10:00-12:00  holiday public"],
    ]


@pytest.mark.parametrize(
    ("first", "hours", "change_s", "remark"),
    [
        ("2026-03-28", ["22:00-24:00", "00:00-06:00"], 3600, "clock put forward 60 min"),
        ("2026-10-24", ["22:00-24:00", "00:00-06:00"], -3600, "clock put back 60 min"),
        ("2026-05-02", ["22:00-24:00", "00:00-06:00"], 0, None),
    ],
)
def test_a_night_is_cut_at_midnight_and_a_shift_is_marked(
    gate: Gate, scheduled: Path, first: str, hours: list[str], change_s: int, remark: str | None
) -> None:
    asked = ("config", "schedule", "night", "--at", first, "--days", "2", "--config", scheduled)
    rows = gate(*asked).out.splitlines()[2:]
    assert [row.split()[2] for row in rows] == hours
    assert [row.partition("  ")[2].partition("  ")[2].strip() for row in rows] == ["", remark or ""]
    days = gate(*asked, "--json").json["days"]
    assert [day["clock_change_s"] for day in days] == [0, change_s]
    assert days[0]["open"][0]["until"] == days[1]["open"][0]["from"]


def test_a_shift_at_midnight_is_of_the_day_that_begins_then(gate: Gate, scheduled: Path) -> None:
    scheduled.write_text(scheduled.read_text().replace("Europe/Berlin", "America/Havana"))
    asked = ("config", "schedule", "night", "--at", "2026-03-07", "--days", "3", "--json")
    days = gate(*asked, "--config", scheduled).json["days"]
    assert [day["clock_change_s"] for day in days] == [0, 3600, 0]
    assert days[1]["open"][0]["from"] == "2026-03-08T01:00:00-04:00"


def test_one_moment_for_machines(gate: Gate, scheduled: Path) -> None:
    answer = gate(
        *("config", "schedule", "office-hours", "--at", "2026-12-24T11:59:30", "--json"),
        *("--config", scheduled),
    )
    assert answer.json == {
        "schedule": "office-hours",
        "timezone": "Europe/Berlin",
        "at": "2026-12-24T11:59:30+01:00",
        "open": True,
        "next_change": "2026-12-24T12:00:00+01:00",
        "days": [],
    }
    # An offset says which zone's time it is.
    other = gate(
        *("config", "schedule", "office-hours", "--at", "2026-12-24T18:59:30+08:00", "--json"),
        *("--config", scheduled),
    )
    assert other.json["at"] == "2026-12-24T11:59:30+01:00"


def test_all_of_them_from_now_on(gate: Gate, scheduled: Path) -> None:
    lines = gate("config", "schedule", "--config", scheduled, "--json").out.splitlines()
    assert ['"schedule": "office-hours"' in lines[0], '"schedule": "night"' in lines[1]] == [
        True
    ] * 2
    shown = gate("config", "schedule", "night", "--config", scheduled, "--json").json
    assert [len(shown["days"]), shown["days"][0]["date"]] == [7, shown["at"][:10]]
    assert "closed" in gate("config", "schedule", "night", "--config", scheduled).out


def test_the_days_go_into_a_sheet(gate: Gate, scheduled: Path) -> None:
    asked = ("--at", "2026-12-24", "--days", "2", "--config", scheduled)
    assert gate("config", "schedule", *asked, "--csv").out == HEAD + (
        "office-hours,2026-12-24,08:00-12:00,exception\n"
        "office-hours,2026-12-25,10:00-12:00,holiday public\n"
        "night,2026-12-24,closed,\n"
        "night,2026-12-25,closed,\n"
    )
    assert gate("config", "schedule", *asked, "--csv", "--json").code == 2


def widest(shown: str) -> int:
    return max(map(len, re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()))


@pytest.mark.parametrize("width", WIDTHS)
def test_days_at_a_terminal(monkeypatch: pytest.MonkeyPatch, scheduled: Path, width: int) -> None:
    asked = ("--at", "2026-12-23T12:00", "--days", "4", "--config", scheduled)
    shown = golden_screen("config-schedule", monkeypatch, width, "config", "schedule", *asked)
    assert widest(shown) <= width


def test_whether_it_is_open_is_seen(monkeypatch: pytest.MonkeyPatch, scheduled: Path) -> None:
    asked = ("--at", "2026-12-23T12:00", "--days", "4", "--config", scheduled)
    words = ("config", "schedule", *asked)
    shown = golden_screen("config-schedule", monkeypatch, 80, *words, colour=True)
    assert "\x1b[32mopen until" in shown
    assert "\x1b[33mclosed until" in shown


@pytest.mark.parametrize("width", WIDTHS)
def test_the_config_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, scheduled: Path, width: int
) -> None:
    words = ("config", "show", "--config", scheduled)
    shown = golden_screen("config-show", monkeypatch, width, *words)
    assert widest(shown) <= width
    assert "hunter2" not in shown


def test_what_the_file_says_is_seen(monkeypatch: pytest.MonkeyPatch, scheduled: Path) -> None:
    words = ("config", "show", "--config", scheduled)
    shown = golden_screen("config-show", monkeypatch, 80, *words, colour=True)
    assert re.search(r"pin .*\x1b\[1m17", shown)
    said = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    # Nothing but what the file lacks is a default.
    assert re.search(r"^timezone +Europe/Berlin *$", said, re.MULTILINE)
    assert re.search(r"^accept_no_pad +true *$", said, re.MULTILINE)
    assert re.search(r"^spectrum +visible \(default\) *$", said, re.MULTILINE)
    absent = re.sub(r"\s+", " ", said.rpartition("not there")[2])
    assert absent.startswith(" [[indicator]], [[input]], [[reader]], ")
    assert "[registry]" in absent


def test_elsewhere_the_config_is_json_as_ever(gate: Gate, scheduled: Path) -> None:
    piped = gate("config", "show", "--config", scheduled)
    whole = gate("config", "show", "--config", scheduled, "--json")
    assert piped.out == json.dumps(whole.json, indent=2) + "\n"


def test_a_schedule_that_never_changes_says_so(gate: Gate, scheduled: Path) -> None:
    always = '[[schedule]]\nid = "always"\nspans = [{ days = ["mon", "tue", "wed", "thu", "fri", '
    always += '"sat", "sun"], from = "00:00", until = "00:00" }]\n'
    scheduled.write_text(scheduled.read_text() + always)
    asked = ("config", "schedule", "always", "--config", scheduled, "--at", "2026-03-29")
    assert gate(*asked).out == "always  open, and stays so\n"
    assert gate(*asked, "--json").json["next_change"] is None
    day = gate(*asked, "--json", "--days", "1").json["days"][0]["open"]
    assert day == [{"from": "2026-03-29T00:00:00+01:00", "until": "2026-03-30T00:00:00+02:00"}]


@pytest.mark.parametrize(
    ("asked", "code", "reason", "said"),
    [
        (["nights"], 1, "no_such_schedule", "did you mean 'night'"),
        (["night", "--at", "soon"], 1, "time", "2026-12-31T18:00"),
        (["night", "--at", "9999-12-31"], 1, "time", "2026-12-31T18:00"),
        (["night", "--days", "367"], 2, "usage", "366"),
    ],
)
def test_what_cannot_be_answered(
    gate: Gate, scheduled: Path, asked: list[str], code: int, reason: str, said: str
) -> None:
    answer = gate("config", "schedule", *asked, "--config", scheduled, "--json")
    assert (answer.code, answer.json["reason"]) == (code, reason)
    assert said in answer.err


def test_a_config_without_schedules(gate: Gate, config_file: Path) -> None:
    answer = gate("config", "schedule", "--config", config_file)
    assert (answer.code, answer.out) == (
        0,
        "the config has no [[schedule]]; gate-agent config schema says how one is written\n",
    )
    assert gate("config", "schedule", "--config", config_file, "--csv").out == HEAD
    assert gate("config", "schedule", "--config", config_file, "--json").out == ""
    assert gate("config", "schedule", "x", "--config", config_file).code == 1


def test_a_door_that_stands_free_is_a_risk(gate: Gate, scheduled: Path) -> None:
    text = scheduled.read_text().replace("pin = 17", 'pin = 17\nfree_passage_schedule = "night"')
    scheduled.write_text(text)
    warnings = gate("config", "check", "--config", scheduled, "--json").json["warnings"]
    assert any("stands free while night holds" in one for one in warnings)
