"""Screens of people and of the running agent at three widths, held as they are."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from gate_command import Gate
from golden import held
from screens import WIDTHS, golden_screen

from agent.adapters.store.record.journal import SqliteJournal
from agent.cli.care import daemon
from agent.cli.care.status_text import show
from agent.domain.record.events import Event, EventType

STATUS: dict[str, Any] = {
    "online": True,
    "version": "0.1.0",
    "started": "2026-05-06T03:59:00.000Z",
    "unpublished": 12,
    "pack": "retail",
    "holders": 240,
    "threshold": {"score": 0.552, "fmr": 0.001, "sufficient": True},
    "faults": {"camera:front": "no frame for 5 s"},
    "access_points": {"north-entry": "secured", "yard": "forced"},
    "modes": {"north-entry": "normal", "yard": "locked_down"},
    "causes": {"yard": "command"},
    "false_grants": {"max_per_day": 0.05, "access_points": {"yard": {"expected": 0.001}}},
    "pack_not_measured_for": ["children"],
    "clock": {"state": "settled", "confirmed": "2026-05-06T04:00:00Z", "claimed": None},
    "face_without_pad": True,
    "pad": {"packs": {"minifasnet": "1"}, "threshold": 0.5},
    "unreadable": {},
    "inside": {"yard": 7},
}


ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 5, 6, 4, tzinfo=UTC)


def decision(number: int, kind: EventType, point: str, **data: object) -> Event:
    id_ = f"019ab2c4-0d51-7c3e-9a55-6a1f0c2b7d{number:02d}"
    return Event(id_, kind, NOON + timedelta(seconds=number), number > 1, point, data)


DECISIONS = (
    decision(1, EventType.ACCESS_DENIED, "yard", reason="NoMatch", score=0.2, threshold=0.552),
    decision(2, EventType.ACCESS_DENIED, "north-entry", reason="CredentialExpired"),
    decision(3, EventType.ACCESS_GRANTED, "north-entry", holder="r-1", score=0.61, threshold=0.552),
)


@pytest.fixture
def agent(gate: Gate, state_dir: Path, config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that answers with ``STATUS``, and its journal."""
    monkeypatch.setattr(daemon, "ask_agent", lambda *_: {"status": STATUS})
    monkeypatch.setenv("GATE_AGENT_CONFIG", str(config_file))
    state_dir.mkdir()
    journal = SqliteJournal(state_dir / "journal.sqlite", lambda _: pytest.fail("set aside"))
    for event in DECISIONS:
        journal.append(event)
    journal.make_durable()
    journal.close()


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("width", WIDTHS)
def test_a_status(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    shown = golden_screen("status", monkeypatch, width, "status")
    assert "=" not in shown
    assert "_" not in shown


@pytest.mark.usefixtures("agent")
def test_a_status_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = golden_screen("status", monkeypatch, 80, "status", colour=True)
    assert "\x1b[31mforced" in shown
    assert "\x1b[33mlocked down" in shown


@pytest.mark.usefixtures("agent")
def test_a_status_is_asked_of_the_agent_alone_by_machines(gate: Gate) -> None:
    assert gate("status", "--json").json == STATUS


@pytest.mark.usefixtures("agent")
def test_whoever_may_not_read_the_journal_reads_a_status(gate: Gate, state_dir: Path) -> None:
    (state_dir / "journal.sqlite").write_bytes(b"no database" * 100)
    answer = gate("status")
    assert (answer.code, "last decision" in answer.out) == (0, False)
    assert "north-entry" in answer.out


def test_a_status_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    show({**STATUS, "faults": {}}, ZONE)
    held(capsys.readouterr().out, "status-piped.txt")


@pytest.fixture
def people(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        "id,name,category,enabled,valid_until\n"
        "r-1042,李雨,resident,true,\n"
        "v-77,Ana Example,visitor,false,2026-12-31T16:00:00Z\n"
        "t-3,阿卜杜热合曼·买买提,tenant,true,\n"
    )
    made = gate("holders", "import", file)
    assert made.code == 0, made.err


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("width", WIDTHS)
def test_a_list_of_holders(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    golden_screen("holders-list", monkeypatch, width, "holders", "list")


@pytest.mark.usefixtures("people")
def test_a_list_of_holders_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = golden_screen("holders-list", monkeypatch, 80, "holders", "list", colour=True)
    assert "\x1b[33mno" in shown


@pytest.mark.usefixtures("state_dir")
def test_nobody_yet_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = golden_screen("holders-none", monkeypatch, 80, "holders", "list")
    assert "gate-agent enrol" in shown
