"""Checkpoints of the journal: when they come, what they sign, and that nothing waits for them."""

import base64
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from store_parts import IDS, event, set_aside
from structlog.testing import capture_logs

from agent.adapters.manual_clock import ManualClock
from agent.adapters.store.record.journal import SqliteJournal
from agent.app.threads.fault_line import FaultLine
from agent.app.threads.record.checkpoints import Checkpoints
from agent.app.threads.record.journal import JournalWriter
from agent.app.threads.record.losses import Losses
from agent.credentials.passes.issuers import key_id
from agent.credentials.signed.checkpoint import Checkpoint, verify_checkpoint
from agent.domain.access.part import PartKind
from agent.domain.record import chain
from agent.domain.record.events import EventDraft, EventType
from agent.domain.record.message import message
from agent.errors import KeyUnavailableError, StoreError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HERE = "/gate/lakeside/g3/north-1"


def new_id(draft: EventDraft) -> str:
    return IDS.make(draft.time)


class Writing:
    """A writer with its journal and checkpoints, under a clock that stands still."""

    def __init__(self, path: Path, key: Callable[[], Ed25519PrivateKey] = lambda: KEY) -> None:
        self.clock = ManualClock()
        self.journal = SqliteJournal(path, set_aside, source=HERE)
        self.faults: list[object] = []
        self.writer = JournalWriter(
            self.journal,
            written=lambda: None,
            fault=FaultLine(PartKind.JOURNAL.part(), self.faults.append),
            losses=Losses(FaultLine(PartKind.EVENTS.part(), self.faults.append), new_id),
            checkpoints=Checkpoints(self.journal, key, self.clock, new_id),
        )

    def write(self, count: int = 1) -> None:
        for number in range(count):
            self.writer.submit(event(number))
        assert self.writer.drain()

    def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.writer.tend()

    @property
    def signed(self) -> list[tuple[int, int]]:
        """Of each checkpoint its own place, and up to where it goes."""
        rows = self.journal.read(kind=EventType.JOURNAL_CHECKPOINT.value)
        return [(row.sequence, int(row.event.data["until"])) for row in rows]


@pytest.fixture
def writing(tmp_path: Path) -> Iterator[Writing]:
    one = Writing(tmp_path / "journal.sqlite")
    yield one
    one.journal.close()


def believed(body: dict[str, Any]) -> Checkpoint:
    text = body["data"]["signature"]
    signature = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return verify_checkpoint(signature, KEY.public_key())


def test_the_first_comes_with_the_first_events_and_signs_the_link_before_it(
    writing: Writing,
) -> None:
    writing.write(3)
    assert writing.signed == [(4, 3)]
    bodies = [message(row.event, row.place(HERE)) for row in writing.journal.read()]
    known = believed(bodies[3])
    now = writing.clock.now()
    assert known == Checkpoint(
        HERE,
        writing.journal.epoch,
        3,
        bytes.fromhex(chain.link(bodies[2])),
        now.utc.replace(microsecond=0),
        now.utc_trusted,
    )
    said = bodies[3]["data"]
    assert said["link"] == chain.link(bodies[2]) == bodies[3]["previous"]
    assert said["key_id"] == key_id(KEY.public_key()).hex()


def test_one_comes_after_each_hundred_events(writing: Writing) -> None:
    writing.write()
    for _ in range(199):
        writing.write()
    assert writing.signed == [(2, 1), (103, 102)]
    writing.write()
    assert writing.signed[-1] == (204, 203)


def test_one_comes_five_minutes_after_an_event_that_has_none(writing: Writing) -> None:
    writing.write()
    writing.passes(1000.0)
    assert writing.signed == [(2, 1)], "nothing happened since"
    writing.write()
    writing.passes(299.0)
    assert len(writing.signed) == 1
    writing.write()
    writing.passes(31.0)
    assert writing.signed == [(2, 1), (5, 4)]
    writing.passes(1000.0)
    assert len(writing.signed) == 2


def test_what_another_process_appends_is_covered_too(writing: Writing, tmp_path: Path) -> None:
    writing.write()
    other = SqliteJournal(tmp_path / "journal.sqlite", set_aside)
    other.append(event())
    other.close()
    writing.passes(31.0)
    assert len(writing.signed) == 1
    writing.passes(301.0)
    assert writing.signed == [(2, 1), (4, 3)]


def test_the_last_one_comes_when_the_agent_stops(tmp_path: Path) -> None:
    one = Writing(tmp_path / "journal.sqlite")
    thread = threading.Thread(target=one.writer.work)
    thread.start()
    one.writer.submit(event())
    one.writer.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert one.signed == [(2, 1)]
    one.write()
    one.writer.end()
    one.writer.end()
    assert one.signed == [(2, 1), (4, 3)]
    one.journal.close()


def test_a_key_that_is_not_there_stops_nothing_and_is_told_once(tmp_path: Path) -> None:
    keys: list[Ed25519PrivateKey] = []

    def key() -> Ed25519PrivateKey:
        if not keys:
            raise KeyUnavailableError("kiosk-signing.key is missing", "gate-agent key init")
        return keys[0]

    one = Writing(tmp_path / "journal.sqlite", key)
    with capture_logs() as logs:
        one.write()
        one.write(150)
        one.passes(301.0)
    assert [line["event"] for line in logs] == ["checkpoint_unsigned"]
    assert one.signed == []
    assert one.faults == []
    keys.append(KEY)
    one.write(100)
    assert one.signed == [(252, 251)]
    one.journal.close()


def test_a_journal_that_fails_is_the_writers_fault(
    writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing.write()

    def full(_event: object) -> int:
        raise StoreError("journal.sqlite: disk full")

    with monkeypatch.context() as broken:
        broken.setattr(writing.journal, "append", full)
        writing.clock.advance(1000.0)
        writing.writer.end()
        writing.writer.submit(event())
        assert not writing.writer.drain()
    assert writing.writer.drain()
    writing.passes(301.0)
    assert writing.signed == [(2, 1), (4, 3)]
