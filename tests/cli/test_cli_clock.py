"""``gate-agent clock`` while no agent runs: a person's word for the one that starts next."""

import fcntl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gate_command import Gate

from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.app.open.files.state import LEDGER, LOCK

FAR = datetime(2199, 1, 1, tzinfo=UTC)
WHY = ("--reason", "the router was wrong")


@pytest.fixture
def state(state_dir: Path) -> Path:
    """A kiosk that once believed a time far in the future."""
    state_dir.mkdir(mode=0o700)
    write(state_dir, FAR)
    return state_dir


def write(state: Path, utc: datetime) -> None:
    ledger = SqlitePassLedger(LEDGER.at(state))
    ledger.set_trusted(utc)
    ledger.close()


def latest(state: Path) -> datetime | None:
    ledger = SqlitePassLedger(LEDGER.at(state))
    try:
        return ledger.latest_trusted()
    finally:
        ledger.close()


def test_a_bad_time_is_shown_and_taken_back(gate: Gate, state: Path) -> None:
    assert gate("clock", "show", "--json").json["confirmed"] == "2199-01-01T00:00:00.000Z"
    done = gate("clock", "set-back", "--to", "2026-11-27T08:00:00Z", *WHY, "--json")
    assert (done.code, done.json["confirmed"]) == (0, "2026-11-27T08:00:00.000Z")
    assert latest(state) == datetime(2026, 11, 27, 8, tzinfo=UTC)
    (event,) = gate("events", "list", "--json").lines
    assert event["type"] == "gate.clock.set"
    assert event["data"]["reason"] == "the router was wrong"
    assert event["data"]["by"].startswith("uid:")
    assert event["data"]["was"] == "2199-01-01T00:00:00.000Z"


def test_looking_makes_no_file(gate: Gate, state_dir: Path) -> None:
    shown = gate("clock", "show", "--json")
    assert (shown.code, shown.json["state"], shown.json["confirmed"]) == (0, "unknown", None)
    assert not LEDGER.at(state_dir).exists()
    assert gate("clock", "show").out.splitlines()[0].split() == ["state", "unknown"]


def test_where_no_time_was_believed_nothing_is_taken_back(gate: Gate, state_dir: Path) -> None:
    state_dir.mkdir(mode=0o700)
    refused = gate("clock", "set-back", "--to", "2026-01-01", *WHY, "--json")
    assert (refused.code, refused.json["reason"]) == (1, "nothing_known")
    assert not LEDGER.at(state_dir).exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("set-back", "--to", "2026-01-01"), 2),
        (("set-back", "--to", "yesterday", *WHY), 1),
        (("set-back", "--to", "2200-01-01", *WHY), 1),
        (("set-back", "--reason", " "), 2),
        (("confirm", *WHY), 1),
    ],
)
def test_what_does_not_fit_is_refused(
    gate: Gate, state: Path, words: tuple[str, ...], code: int
) -> None:
    assert gate("clock", *words).code == code
    assert latest(state) == FAR
    assert gate("events", "list", "--json").lines == []


def test_an_agent_that_does_not_answer_is_not_gone_behind(gate: Gate, state: Path) -> None:
    with LOCK.at(state).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = gate("clock", "set-back", "--to", "2026-01-01", *WHY, "--json")
    assert (refused.code, refused.json["reason"]) == (69, "unavailable")
    assert latest(state) == FAR


def test_a_clock_that_leapt_is_confirmed(gate: Gate, state: Path, config_file: Path) -> None:
    config_file.write_text(config_file.read_text() + "[clock]\ntrust_system_clock = true\n")
    write(state, datetime.now(UTC) - timedelta(days=20))
    with_config = ("--config", config_file, "--json")
    assert gate("clock", "show", *with_config).json["state"] == "ahead"
    done = gate("clock", "confirm", "--reason", "off for three weeks", *with_config)
    assert (done.code, done.json["state"]) == (0, "settled")
    found = latest(state)
    assert found is not None
    assert abs(found - datetime.now(UTC)) < timedelta(minutes=2)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", "system clock, by NTP, a person where it leaps by more than a day"),
        (
            "trust_system_clock = true",
            "system clock, vouched for, a person where it leaps by more than a day",
        ),
        ('time_key_file = "time.pub"', "signed time, system clock, by NTP"),
    ],
)
def test_config_check_says_which_sources_there_are(
    gate: Gate, config_file: Path, more: str, said: str
) -> None:
    config_file.write_text(config_file.read_text() + f"[clock]\n{more}\n")
    checked = gate("config", "check", "--config", config_file, "--json").json
    assert checked["summary"]["clock"] == said
    unasked = [one for one in checked["warnings"] if "nobody is asked for the time" in one]
    assert len(unasked) == ("time_key_file" in more)


@pytest.mark.parametrize("reason", ["", " \n ", "a\x07b", "x" * 201])
def test_a_reason_is_a_line_of_text(reason: str, gate: Gate, state: Path) -> None:
    assert gate("clock", "set-back", "--to", "2026-01-01", "--reason", reason).code == 2
    assert latest(state) == FAR


def test_what_is_refused_says_where_to_look(gate: Gate, state: Path) -> None:
    refused = gate("clock", "set-back", "--to", "2199-01-01", *WHY, "--json")
    assert (refused.code, refused.json["reason"]) == (1, "not_earlier")
    assert refused.json["fix"].startswith("gate-agent clock show")
    folded = gate("clock", "set-back", "--to", "2026-01-01", "--reason", "a\nb")
    assert folded.code == 0
    assert gate("events", "list", "--json").lines[0]["data"]["reason"] == "a b"
