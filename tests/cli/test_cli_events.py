"""What the journal tells people, and what it tells a sheet."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from gate_command import Gate
from golden import held
from screens import WIDTHS, golden_screen

from agent.adapters.store.record.journal import SqliteJournal
from agent.domain.record.events import Event, EventType

CONFIG = """
[kiosk]
community = "lakeside"
grid = "g3"
id = "north-1"
timezone = "Asia/Shanghai"
"""
NOON = datetime(2026, 5, 6, 4, tzinfo=UTC)
TRACE = {"score": 0.6123, "threshold": 0.552}
SAID: tuple[tuple[EventType, str | None, dict[str, object], bool], ...] = (
    (EventType.AGENT_STARTED, None, {}, False),
    (EventType.ACCESS_GRANTED, "north-entry", {"holder": "r-1042", **TRACE}, True),
    (
        EventType.ACCESS_DENIED,
        "north-entry",
        {"holder": None, "reason": "NoMatch", "score": 0.2, "threshold": 0.552},
        True,
    ),
    (EventType.ACCESS_DENIED, "yard", {"holder": "v-77", "reason": "CredentialExpired"}, True),
    (EventType.FAULT_RAISED, None, {"part": "camera:front", "detail": "no frame for 5 s"}, True),
)


@pytest.fixture
def site(tmp_path: Path, gate: Gate, state_dir: Path) -> tuple[str, ...]:
    """A registry with two names, a journal of five events, and where they are."""
    config = tmp_path / "gate.toml"
    config.write_text(
        CONFIG + '[[camera]]\nid = "front"\nkind = "opencv"\nsource = 0\n'
        '[[door]]\nid = "d"\nkind = "gpio"\npin = 17\nactive_high = true\n'
        'pin_factory = "mock"\n'
        '[[access_point]]\nid = "north-entry"\ndirection = "entry"\ncamera = "front"\n'
        'door = "d"\n[[rule]]\ncategories = ["resident"]\n[face]\naccept_no_pad = true\n'
    )
    people = tmp_path / "people.csv"
    people.write_text("id,name,category\nr-1042,李雨,resident\nv-77,Ana Example,visitor\n")
    made = gate("holders", "import", people)
    assert made.code == 0, made.err
    journal = SqliteJournal(state_dir / "journal.sqlite", lambda _: pytest.fail("set aside"))
    for number, (kind, point, data, synced) in enumerate(SAID):
        id_ = f"019ab2c4-0d51-7c3e-9a55-6a1f0c2b7d{number:02d}"
        moment = NOON.replace(second=number)
        journal.append(Event(id_, kind, moment, synced, point, data))
    journal.make_durable()
    journal.close()
    return ("--config", str(config))


LIST = ("events", "list", "--type", "access", "--type", "fault")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_list_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, site: tuple[str, ...], width: int
) -> None:
    shown = golden_screen("events-list", monkeypatch, width, *LIST, *site)
    assert {"0.612", "0.552", "李雨,"} <= set(shown.split())
    assert "2026-05-06 12:00:01" in shown


def test_a_list_in_colour(monkeypatch: pytest.MonkeyPatch, site: tuple[str, ...]) -> None:
    shown = golden_screen("events-list", monkeypatch, 80, *LIST, *site, colour=True)
    assert "\x1b[32maccess.granted" in shown
    assert "\x1b[31maccess.denied" in shown


def test_elsewhere_an_event_is_a_line(gate: Gate, site: tuple[str, ...]) -> None:
    listed = gate(*LIST, *site)
    held(listed.out, "events-list-piped.txt")
    assert len(listed.out.splitlines()) == 5


def test_a_sheet_has_no_name(gate: Gate, site: tuple[str, ...]) -> None:
    listed = gate("events", "list", "--csv", *site)
    rows = list(csv.DictReader(io.StringIO(listed.out)))
    seen = [row for row in rows if row["type"] == "access.granted"]
    assert [(row["holder"], row["score"], row["threshold"], row["time"]) for row in seen] == [
        ("r-1042", "0.6123", "0.552", "2026-05-06T04:00:01.000Z")
    ]
    assert "李雨" not in listed.out
    assert "李雨" not in gate("events", "list", "--json", *site).out


def test_a_sheet_is_no_json(gate: Gate, site: tuple[str, ...]) -> None:
    assert gate("events", "list", "--csv", "--json", *site).code == 2


def test_whoever_has_no_key_reads_ids(gate: Gate, site: tuple[str, ...], state_dir: Path) -> None:
    (state_dir / "gallery.key").rename(state_dir / "elsewhere")
    listed = gate(*LIST, *site)
    assert listed.code == 0
    assert "r-1042" in listed.out
    assert "李雨" not in listed.out
