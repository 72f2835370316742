"""The screen of ``watch``: what it shows at which size of the terminal, and what is left out."""

import sys
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from golden import held
from rich.cells import cell_len
from screens import WIDTHS, terminal

from agent.app.desk.watching import Seen
from agent.cli.running.watch_screen import screen
from agent.cli.terminal.table import console
from agent.domain.record.events import Event, EventType
from agent.ports import StoredEvent

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 5, 6, 4, tzinfo=UTC)
STATUS = {
    "faults": {"camera:front": "no frame for 5 s"},
    "access_points": {"north-entry": "secured", "yard": "forced"},
    "modes": {"north-entry": "normal", "yard": "locked_down"},
    "causes": {"yard": "command"},
    "broker": "away",
    "broker_why": "nobody listens at broker.lakeside.example:8883",
    "unpublished": 12,
    "holders": 240,
    "inside": {"yard": 7},
    "pack": "retail",
    "pad": {"packs": {"minifasnet": "1.0"}, "threshold": 0.6},
    "threshold": {"score": 0.552},
}


def decision(
    number: int, kind: EventType, point: str = "yard", days_ago: int = 0, **data: object
) -> StoredEvent:
    id_ = f"019ab2c4-0d51-7c3e-9a55-6a1f0c2b7d{number:02d}"
    moment = NOON + timedelta(seconds=number) - timedelta(days=days_ago)
    return StoredEvent(number, "e", number, Event(id_, kind, moment, True, point, data), True)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    monkeypatch.setattr(time, "time", NOON.timestamp)
    found = Seen(STATUS)
    found.take(
        [
            decision(0, EventType.ACCESS_GRANTED, "north-entry", 1, holder="r-7"),
            decision(1, EventType.ACCESS_GRANTED, holder="r-1042", score=0.6123, threshold=0.552),
            decision(2, EventType.ACCESS_DENIED, reason="NoMatch", score=0.2, threshold=0.552),
        ]
    )
    return found


def shown(monkeypatch: pytest.MonkeyPatch, seen: Seen, size: tuple[int, int]) -> str:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(size[0]))
    with terminal(size[0]) as (stream, written), monkeypatch.context() as swapped:
        swapped.setattr(sys, "stdout", stream)
        console().print(screen(seen, ZONE, {"r-1042": "李雨"}.get, size))
    text = b"".join(written).decode().replace("\r\n", "\n")
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


@pytest.mark.parametrize("width", [40, *WIDTHS])
def test_the_screen(monkeypatch: pytest.MonkeyPatch, seen: Seen, width: int) -> None:
    held(shown(monkeypatch, seen, (width, 24)), f"watch-{width}.txt")


def test_a_low_terminal_shows_what_weighs_most(monkeypatch: pytest.MonkeyPatch, seen: Seen) -> None:
    found = shown(monkeypatch, seen, (80, 10))
    assert len(found.splitlines()) <= 10
    assert "camera:front" in found
    assert "denied: no match" in found
    assert "broker" not in found


def test_an_agent_that_is_gone_is_said_to_be(monkeypatch: pytest.MonkeyPatch, seen: Seen) -> None:
    seen.away, seen.away_since_s = "no agent answers", NOON.timestamp()
    found = shown(monkeypatch, seen, (80, 24))
    assert "the agent does not answer since 12:00:00" in found
    assert "secured" not in found
    assert "denied: no match" in found


def test_each_access_point_has_its_last_decision(
    monkeypatch: pytest.MonkeyPatch, seen: Seen
) -> None:
    many = [decision(number, EventType.ACCESS_DENIED, reason="NoMatch") for number in range(3, 99)]
    seen.take(many)
    rows = shown(monkeypatch, seen, (160, 24)).splitlines()
    (north,) = (row for row in rows if row.startswith("north-entry"))
    # Long gone from the list below, and of another day.
    assert north.endswith("05-05 12:00 granted r-7")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"pad": {"packs": {"minifasnet": "1.0", "antispoof": "2"}}}, "minifasnet 1.0, antispoof"),
        ({"pad": {"packs": {}}, "face_without_pad": True}, "none: a photo may pass"),
        ({"pad": {"packs": {}}, "face_without_pad": False}, "attack detection none  "),
    ],
)
def test_attack_detection_is_told(
    monkeypatch: pytest.MonkeyPatch, seen: Seen, status: dict[str, object], said: str
) -> None:
    seen.status = {**STATUS, **status}
    assert said in shown(monkeypatch, seen, (160, 24))


CROWD = {
    **STATUS,
    "faults": {f"camera:lane-{number}": "no frame for 5 s " * 9 for number in range(20)},
    "access_points": {f"lane-number-{number}": "locked_down" for number in range(30)},
    "modes": {f"lane-number-{number}": "free_passage" for number in range(30)},
    "inside": {f"garden-number-{number}": number for number in range(12)},
    "pack": "a-pack-with-a-name-that-is-longer-than-a-line-of-forty-columns",
}


@pytest.mark.parametrize("width", [20, 40, 60, 80])
@pytest.mark.parametrize("state", ["stands", "crowd", "away", "barred"])
def test_it_holds_within_the_terminal(
    monkeypatch: pytest.MonkeyPatch, seen: Seen, width: int, state: str
) -> None:
    seen.take(decision(number, EventType.ACCESS_DENIED, reason="NoMatch") for number in range(60))
    long = "a word and /a/path/that/is/longer/than/the/line/of/a/narrow/terminal/control.sock " * 3
    seen.status = CROWD if state == "crowd" else STATUS
    if state in ("away", "barred"):
        seen.away, seen.unread = long, f"{long}\nFix: {long}"
        seen.fix = long if state == "barred" else None
    for height in (4, 5, 6, 8, 10, 13, 17, 24, 39):
        lines = shown(monkeypatch, seen, (width, height)).splitlines()
        assert len(lines) <= height
        assert max(map(cell_len, lines)) <= width
        # The first line always, and under all else a decision.
        assert lines[0].startswith(("in service", "the agent"))
        assert lines[-1].startswith("12:00:")


def test_what_has_no_room_is_counted(monkeypatch: pytest.MonkeyPatch, seen: Seen) -> None:
    seen.status = CROWD
    found = shown(monkeypatch, seen, (80, 24))
    assert "camera:lane-0" in found
    assert "and " in found
    rows = found.splitlines()
    faults = [row for row in rows if row.startswith("camera:lane-")]
    assert f"and {20 - len(faults)} more" in [row.strip() for row in rows]


def test_no_right_to_ask_is_no_silence(monkeypatch: pytest.MonkeyPatch, seen: Seen) -> None:
    seen.away, seen.fix = "the socket is not for this user", "join the group gate-agent"
    found = shown(monkeypatch, seen, (80, 24))
    assert found.startswith(
        "the agent: no right to ask it: the socket is not for this user\n"
        "Fix: join the group gate-agent\n"
    )
    assert "does not answer" not in found


def test_a_journal_that_cannot_be_read_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch, seen: Seen
) -> None:
    seen.unread = "journal.sqlite is damaged\nFix: restart the agent"
    found = shown(monkeypatch, seen, (80, 24))
    assert "the journal cannot be read: journal.sqlite is damaged\nFix: restart" in found
    assert "north-entry" in found
    assert "denied: no match" in found
