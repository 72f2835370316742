"""``gate-agent events verify``: what was removed, changed or put elsewhere, by its number."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from gate_command import Gate
from screens import screen

from agent.adapters.manual_clock import ManualClock
from agent.adapters.store.record.journal import SqliteJournal
from agent.app.desk.examined import chain
from agent.app.desk.examined.chain import journal_fact
from agent.app.open.files.kiosk_keys import make_kiosk_keys, public_keys, signing_key
from agent.app.open.files.state import JOURNAL
from agent.app.open.site import site_of
from agent.app.threads.record.checkpoints import Checkpoints
from agent.domain.record.events import Event, EventDraft, EventType
from agent.domain.record.message import payload
from agent.domain.record.published import Trace
from agent.domain.record.uuid7 import Uuid7Source
from agent.operations.examination.facts import JournalFact
from agent.technician import storage
from agent.technician.verdict import Status

HERE = "/gate/lakeside/g3/north-1"
NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
IDS = Uuid7Source(bytes)
Verify = Callable[..., tuple[int, dict[str, Any]]]
LAST = 12
"""Ten events, and a checkpoint behind the fifth and the last."""


def event(number: int, time: datetime = NOON) -> Event:
    data = {"holder": f"r-{number}", "pass": None, "reason": "NoMatch", "score": number / 7}
    return Event(IDS.make(time), EventType.ACCESS_DENIED, time, True, "north-entry", data)


@pytest.fixture
def kept(state_dir: Path) -> Path:
    """A state folder with a key and a journal of twelve events; its key as others get it."""
    state_dir.mkdir(mode=0o700, exist_ok=True)
    site = site_of(state_dir, None)
    make_kiosk_keys(site)
    journal = SqliteJournal(JOURNAL.at(state_dir), lambda _: pytest.fail("set aside"), source=HERE)

    def new_id(draft: EventDraft) -> str:
        return IDS.make(draft.time)

    checkpoints = Checkpoints(
        journal, lambda: signing_key(site), ManualClock(utc=NOON + timedelta(days=20)), new_id
    )
    for number in range(10):
        journal.append(event(number, NOON + timedelta(days=number)))
        if number in (4, 9):
            checkpoints.end()
    journal.make_durable()
    journal.close()
    (state_dir / "key.json").write_text(json.dumps(public_keys(site)))
    return state_dir


def sent(state: Path, trace: Trace = Trace.MINIMAL) -> list[str]:
    """What a backend got of it."""
    with closing(SqliteJournal(JOURNAL.at(state), lambda _: pytest.fail("set aside"))) as journal:
        return [payload(row.event, row.place(HERE), trace).decode() for row in journal.read()]


@pytest.fixture
def verify(gate: Gate) -> Verify:
    def asked(*words: object) -> tuple[int, dict[str, Any]]:
        done = gate("events", "verify", *words, "--json")
        return done.code, done.json

    return asked


def flaws(found: dict[str, Any]) -> list[tuple[str, int, int]]:
    return [(one["flaw"], one["sequence"], one["last"]) for one in found["findings"]]


def written(tmp_path: Path, lines: list[str]) -> Path:
    file = tmp_path / "received.jsonl"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_the_kiosks_own_journal_is_whole(verify: Verify, kept: Path) -> None:
    code, found = verify()
    assert code == 0
    assert found == {
        "whole": True,
        "events": LAST,
        "repeats": 0,
        "others": 0,
        "unjudged": 0,
        "streams": [
            {
                "source": HERE,
                "epoch": found["streams"][0]["epoch"],
                "first": 1,
                "last": LAST,
                "events": LAST,
                "unchained": 0,
                "forgotten": 0,
                "checkpoints": 2,
                "signed": 11,
            }
        ],
        "findings": [],
    }


@pytest.mark.parametrize("trace", Trace)
def test_what_a_backend_got_is_whole(
    verify: Verify, kept: Path, tmp_path: Path, trace: Trace
) -> None:
    lines = sent(kept, trace)
    noise = ['{"online": false, "reason": "lost"}', f"gate/a/events/access {lines[3]}", ""]
    code, found = verify("--key", kept / "key.json", written(tmp_path, lines + noise))
    assert (code, found["whole"], found["events"]) == (0, True, LAST)
    assert (found["repeats"], found["others"]) == (1, 1)


def test_a_list_and_an_export_can_be_verified(
    verify: Verify, gate: Gate, kept: Path, tmp_path: Path
) -> None:
    file = tmp_path / "out.jsonl"
    assert gate("events", "export", str(file)).code == 0
    assert verify("--key", kept / "key.json", file)[0] == 0
    file.write_text(gate("events", "list", "--json", "--limit", "6").out)
    code, found = verify("--key", kept / "key.json", file)
    assert (code, found["streams"][0]["first"], found["streams"][0]["forgotten"]) == (0, 7, 6)


def changed(line: str, **fields: Any) -> str:
    body = json.loads(line)
    data = {**body["data"], **fields.pop("data", {})}
    return json.dumps({**body, **fields, "data": data})


Tampering = Callable[[list[str]], list[str]]


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        (lambda lines: lines[:3] + lines[4:], [("missing", 4, 4)]),
        (lambda lines: lines[:3] + lines[7:], [("missing", 4, 7)]),
        (
            lambda lines: [*lines[:3], changed(lines[3], data={"reason": "Expired"}), *lines[4:]],
            [("changed", 4, 4)],
        ),
        (
            lambda lines: [*lines[:3], changed(lines[3], time=f"{NOON}"), *lines[4:]],
            [("changed", 4, 4)],
        ),
        (
            lambda lines: [*lines[:3], changed(lines[3], data={"holder": "r-99"}), *lines[4:]],
            [("value_changed", 4, 4)],
        ),
        (
            lambda lines: [*lines[:3], changed(lines[3], previous="0" * 64), *lines[4:]],
            [("changed", 4, 4)],
        ),
        (lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]], [("out_of_order", 4, 4)]),
        (
            lambda lines: [
                *lines[:2],
                changed(lines[3], sequence=f"{3:020d}"),
                changed(lines[2], sequence=f"{4:020d}"),
                *lines[4:],
            ],
            [("changed", 3, 3), ("changed", 4, 4)],
        ),
        (
            lambda lines: [*lines, changed(lines[3], data={"reason": "Expired"})],
            [("twice", 4, 4)],
        ),
        (
            lambda lines: [*lines[:5], changed(lines[5], data={"until": f"{4:020d}"}), *lines[6:]],
            [("changed", 6, 6), ("checkpoint", 6, 6)],
        ),
    ],
    ids=[
        *("removed", "several removed", "open value", "time", "covered value", "link", "order"),
        *("places exchanged", "another at the same place", "checkpoint"),
    ],
)
def test_what_was_done_to_them_is_found_by_its_number(
    verify: Verify,
    kept: Path,
    tmp_path: Path,
    tampering: Tampering,
    found: list[tuple[str, int, int]],
) -> None:
    code, said = verify("--key", kept / "key.json", written(tmp_path, tampering(sent(kept))))
    assert code == 1
    assert sorted(flaws(said)) == sorted(found)
    assert said["whole"] is False


def test_lines_as_they_arrived_may_stand_in_any_order(
    verify: Verify, gate: Gate, kept: Path, tmp_path: Path
) -> None:
    lines = sent(kept)
    file = written(tmp_path, [*lines[6:], *lines[:6], lines[2]])
    assert verify("--key", kept / "key.json", file)[0] == 1
    code, found = verify("--any-order", "--key", kept / "key.json", file)
    assert (code, found["events"], found["repeats"]) == (0, LAST, 1)
    done = gate("events", "verify", str(file))
    assert "--any-order" in done.err


def test_all_made_anew_is_found_by_the_key(
    verify: Verify, gate: Gate, kept: Path, tmp_path: Path
) -> None:
    """Somebody who can write every event of the file makes a chain of their own."""
    other = tmp_path / "forged"
    other.mkdir(mode=0o700)
    make_kiosk_keys(site_of(other, None))
    journal = SqliteJournal(JOURNAL.at(other), lambda _: pytest.fail("set aside"), source=HERE)
    checkpoints = Checkpoints(
        journal,
        lambda: signing_key(site_of(other, None)),
        ManualClock(utc=NOON),
        lambda draft: IDS.make(draft.time),
    )
    journal.append(event(1))
    checkpoints.end()
    journal.make_durable()
    journal.close()
    file = written(tmp_path, sent(other))
    code, found = verify("--key", kept / "key.json", file)
    assert code == 1
    assert flaws(found) == [("checkpoint", 2, 2)]
    # Without a key nobody can tell, and that is said.
    done = gate("events", "verify", str(file))
    assert done.code == 0
    assert "1 checkpoint could not be judged" in done.err


@pytest.mark.parametrize("form", ["raw", "json", "hex"])
def test_a_key_may_be_given_as_it_is_printed(
    verify: Verify, kept: Path, tmp_path: Path, form: str
) -> None:
    shown = json.loads((kept / "key.json").read_text())["signing"]["public"]
    raw = signing_key(site_of(kept, None)).public_key().public_bytes_raw()
    word = {"raw": shown, "json": str(kept / "key.json"), "hex": raw.hex()}[form]
    code, found = verify("--key", word, written(tmp_path, sent(kept)))
    assert (code, found["unjudged"]) == (0, 0)


def test_what_is_no_key_is_refused(gate: Gate, kept: Path) -> None:
    done = gate("events", "verify", "--key", "nothing")
    assert done.code == 1
    assert "no public key and no file" in done.err
    (kept / "odd.json").write_text("{}")
    assert gate("events", "verify", "--key", str(kept / "odd.json")).code == 69


def test_a_file_that_is_none_is_unavailable_and_lines_that_are_none_are_told(
    verify: Verify, gate: Gate, kept: Path, tmp_path: Path
) -> None:
    assert gate("events", "verify", str(tmp_path / "no.jsonl")).code == 69
    lines = sent(kept)
    file = written(
        tmp_path, [*lines[:2], "not json", '{"half', '{"specversion": "1.0"}', *lines[2:]]
    )
    code, found = verify("--key", kept / "key.json", file)
    assert code == 1
    assert [(one["flaw"], one["line"]) for one in found["findings"]] == [
        ("unreadable", 3),
        ("unreadable", 4),
        ("unreadable", 5),
    ]


# --- the kiosk's own journal ----------------------------------------------------------------------


def spoil(state: Path, statement: str) -> None:
    with closing(sqlite3.connect(JOURNAL.at(state))) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM event WHERE sequence = 4", [("missing", 4, 4)]),
        ("DELETE FROM event WHERE sequence <= 4", [("missing", 1, 4)]),
        ("DELETE FROM event WHERE sequence > 10", [("missing", 11, 12)]),
        (
            "UPDATE event SET data = replace(data, 'NoMatch', 'Expired') WHERE sequence = 4",
            [("changed", 4, 4)],
        ),
        (
            "UPDATE event SET data = replace(data, 'r-3', 'r-9') WHERE sequence = 4",
            [("value_changed", 4, 4)],
        ),
        (
            "UPDATE event SET time = replace(time, '2026', '2025') WHERE sequence = 12",
            [("changed", 12, 12)],
        ),
        ("UPDATE event SET salt = randomblob(16) WHERE sequence = 4", [("value_changed", 4, 4)]),
        ("UPDATE event SET salt = randomblob(3) WHERE sequence = 4", [("missing", 4, 4)]),
        (
            "UPDATE event SET sequence = -sequence WHERE sequence = 4",
            [("missing", 4, 4), ("unreadable", None, None)],
        ),
    ],
)
def test_what_was_done_to_the_journal_is_found(
    verify: Verify, kept: Path, statement: str, found: list[tuple[str, int, int]]
) -> None:
    spoil(kept, statement)
    code, said = verify()
    assert code == 1
    assert sorted(flaws(said), key=str) == sorted(found, key=str)


def test_what_retention_forgot_and_erased_is_told_and_no_flaw(verify: Verify, kept: Path) -> None:
    with closing(SqliteJournal(JOURNAL.at(kept), lambda _: pytest.fail("set aside"))) as journal:
        rows = journal.unpublished(100)
        journal.mark_published([row.row for row in rows if row.sequence not in (2, 3)])
        assert journal.prune(NOON + timedelta(days=4)) == 2
    code, found = verify()
    assert code == 0
    assert found["streams"][0]["forgotten"] == 2
    spoil(kept, "DELETE FROM event WHERE sequence = 8")
    assert flaws(verify()[1]) == [("missing", 8, 8)]


def test_an_empty_state_folder_has_nothing_to_verify(verify: Verify, state_dir: Path) -> None:
    code, found = verify()
    assert (code, found["events"], found["streams"]) == (0, 0, [])
    assert not JOURNAL.at(state_dir).exists()


def test_without_the_key_the_own_journal_is_verified_as_far_as_it_goes(
    verify: Verify, kept: Path
) -> None:
    (kept / "kiosk-signing.key").unlink()
    code, found = verify()
    assert (code, found["unjudged"], found["streams"][0]["signed"]) == (0, 2, None)


def test_people_read_what_is_wrong(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(kept, "DELETE FROM event WHERE sequence = 4")
    shown = screen(monkeypatch, 120, "events", "verify")
    assert "missing" in shown
    assert "lakeside/g3/north-1" in shown


def test_the_doctor_looks_over_the_newest_part_or_all(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked(*, deep: bool) -> tuple[JournalFact, Status]:
        fact = journal_fact(kept, None, deep=deep)
        return fact, storage.journal(fact).finding.status

    whole = JournalFact(LAST, whole=True)
    assert looked(deep=False) == looked(deep=True) == (whole, Status.PASS)
    monkeypatch.setattr(chain, "_NEWEST", 4)
    assert looked(deep=False) == (JournalFact(4, whole=False), Status.PASS)
    with closing(sqlite3.connect(JOURNAL.at(kept))) as journal, journal:
        assert journal.execute("DELETE FROM event WHERE row = 3").rowcount == 1
    # What is missing lies before the part that was looked over.
    assert looked(deep=False)[1] is Status.PASS
    fact, status = looked(deep=True)
    assert status is Status.FAIL
    assert any("3" in one for one in fact.flaws)
    assert not any("r-" in one for one in fact.flaws)
