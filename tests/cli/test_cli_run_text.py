"""What ``run`` says to a person at its terminal, entry by entry, as wide as the terminal is."""

import io
import logging
import sys
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
import structlog
from golden import held
from rich.cells import cell_len
from screens import WIDTHS, terminal

from agent import logs
from agent.cli.running.run_text import Narrator

ZONE = ZoneInfo("Asia/Shanghai")
AT: dict[str, object] = {"timestamp": "2026-05-06T04:00:00.000000Z", "level": "info"}
WATCHING = {
    "event": "watching",
    "config": "/etc/gate-agent/gate.toml",
    "kiosk": "lakeside/g3/north-1",
    "cameras": {"front": "opencv", "way-out": "opencv"},
    "doors": {"turnstile": [17], "barrier-of-the-yard": [22, 27]},
    "access_points": {"north-entry": "entry", "north-exit": "exit", "yard": "entry"},
    "broker": "broker.lakeside.example:8883",
    "holders": 240,
    "state_faults": {"state:passes": "passes.sqlite: an older copy was put in its place"},
}
DAY: list[dict[str, object]] = [
    WATCHING,
    {"event": "ready", "took_s": 1.2},
    {"event": "broker_connected", "host": "broker.lakeside.example"},
    {"event": "access.granted", "access_point": "yard", "score": 0.6123, "threshold": 0.552},
    {
        "event": "access.denied",
        "access_point": "north-entry",
        "reason": "NoMatch",
        "score": 0.2,
        "threshold": 0.552,
    },
    {"event": "access.denied", "access_point": "yard", "reason": "NotPermittedAtThisTime"},
    {"event": "fault.raised", "part": "camera:front", "detail": "no frame for 5 s"},
    {"event": "fault.cleared", "part": "camera:front", "by": "agent"},
    {
        "event": "fault.raised",
        "part": "thermometer",
        "detail": "no answer on the bus at 0x5a: is it wired, and is I2C switched on?",
    },
    {"event": "fault.cleared", "part": "thermometer", "by": "uid:1000 warden"},
    {
        "event": "door.mode_changed",
        "access_point": "yard",
        "mode": "locked_down",
        "cause": "command",
        "by": "uid:1000 warden",
    },
    {"event": "broker_away", "level": "warning", "why": "connection refused"},
    {"event": "something_new", "level": "warning", "detail": "\x1b[31m"},
    {"event": "cache_warm"},
    {"event": "stopping", "why": "SIGTERM"},
]


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    root, configured = logging.getLogger(), structlog.get_config()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    structlog.configure(**configured)


def told(monkeypatch: pytest.MonkeyPatch, columns: int, entries: list[dict[str, object]]) -> str:
    """What a terminal of ``columns`` shows of these entries of the log."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("COLUMNS", raising=False)
    with terminal(columns) as (stream, written), monkeypatch.context() as swapped:
        swapped.setattr(sys, "stderr", stream)
        tell = Narrator(ZONE)
        for entry in entries:
            line = tell({**AT, **entry})
            if line is not None:
                stream.write(f"{line}\n")
    return b"".join(written).decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_day_of_a_gate(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = told(monkeypatch, width, DAY)
    held(shown, f"run-{width}.txt")
    assert max(map(cell_len, shown.splitlines())) <= width
    assert "cache" not in shown


def test_its_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    held(told(monkeypatch, 60, DAY), "run-60-colour.txt")


def test_a_word_that_is_too_long_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    path = "/a/path/that/is/longer/than/a/line/of/forty/columns/gate.toml"
    rows = told(monkeypatch, 40, [{**WATCHING, "config": path}]).splitlines()
    assert f"{'':20}{path}" in rows
    assert f"{'':10}config" in rows


def test_elsewhere_nothing_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    line = Narrator(ZONE)({**AT, "event": "broker_away", "why": "word " * 99})
    assert line is not None
    assert "\n" not in line


@pytest.mark.usefixtures("logs_as_before")
def test_the_log_itself_comes_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("COLUMNS", raising=False)
    with terminal(60) as (stream, written), monkeypatch.context() as swapped:
        swapped.setattr(sys, "stderr", stream)
        logs.configure(tell=Narrator(ZONE))
        log = structlog.get_logger("test")
        log.warning("broker_away", why="connection refused", holder_name="Lin")
        log.info("cache_warm")
        log.info("access.denied", access_point="yard", reason="NoMatch")
    shown = b"".join(written).decode().replace("\r\n", "\n").splitlines()
    assert [line[10:] for line in shown] == [
        "broker is away: connection refused; events wait in",
        "the journal",
        "yard  denied: no match",
    ]
