"""The thread that writes events down: in order, in time or marked late, and nothing lost."""

import threading
import time
from datetime import timedelta

import pytest
from mosquitto import wait_until
from store_parts import IDS, NOW, event, numbers, open_journal
from structlog.testing import capture_logs

from agent.app.threads.fault_line import FaultLine
from agent.app.threads.record import journal as journal_writer
from agent.app.threads.record.journal import JournalWriter, Ticket
from agent.app.threads.record.losses import Losses
from agent.app.threads.worker import Worker
from agent.controller.inputs import FaultCleared, FaultRaised, Input
from agent.domain.access.part import Part, PartKind
from agent.domain.hours.instant import utc_text
from agent.domain.record.events import Event, EventDraft, EventType
from agent.errors import StoreError


class Trouble:
    """A real journal that can be told to fail as a full disk does, and counts."""

    def __init__(self, journal):
        self.journal = journal
        self.broken: set[str] = set()
        self.appends = 0
        self.flushes = 0

    def append(self, event):
        self.appends += 1
        if "append" in self.broken:
            raise StoreError("journal.sqlite: disk full")
        return self.journal.append(event)

    def make_durable(self):
        self.flushes += 1
        if "flush" in self.broken:
            raise StoreError("journal.sqlite cannot be flushed")
        self.journal.make_durable()

    def unpublished(self, limit):
        return self.journal.unpublished(limit)

    def mark_published(self, rows):
        self.journal.mark_published(rows)

    def mark_refused(self, row, why):
        self.journal.mark_refused(row, why)


def lost_id(draft: EventDraft) -> str:
    return IDS.make(draft.time)


class Writing:
    """The writer in its thread, and what it said."""

    def __init__(self, journal):
        self.said: list[str] = []
        self.faults: list[Input] = []
        self.rounds = 0
        self.writer = JournalWriter(
            journal,
            written=self._written,
            fault=FaultLine(PartKind.JOURNAL.part(), self._told),
            losses=Losses(FaultLine(PartKind.EVENTS.part(), self.faults.append), lost_id),
        )
        self.thread = threading.Thread(target=self.writer.work)

    def _told(self, fault):
        raised = isinstance(fault, FaultRaised)
        self.said.append(f"failed: {fault.detail}" if raised else "recovered")

    def _written(self):
        self.rounds += 1

    def stop(self):
        self.writer.stop()
        self.thread.join(60)
        assert not self.thread.is_alive()


@pytest.fixture
def journal(tmp_path):
    journal = open_journal(tmp_path / "journal.sqlite")
    yield Trouble(journal)
    journal.close()


@pytest.fixture
def writing(journal, monkeypatch):
    monkeypatch.setattr(journal_writer, "_RETRY_S", 0.02)
    writing = Writing(journal)
    writing.thread.start()
    yield writing
    writing.stop()


def test_what_is_submitted_is_written_in_order(writing: Writing, journal: Trouble) -> None:
    tickets = [writing.writer.submit(event(number)) for number in range(200)]
    assert all(ticket.wait(60) for ticket in tickets)
    assert numbers(journal.journal.read()) == list(range(200))
    assert wait_until(lambda: writing.rounds > 0 and journal.flushes > 0)
    assert writing.said == []


def test_in_time_is_not_late(writing: Writing, journal: Trouble) -> None:
    assert writing.writer.submit(event(1)).wait(60)
    (row,) = journal.journal.read()
    assert "recorded_late" not in row.event.data


def test_late_is_said_in_the_event(journal: Trouble, monkeypatch) -> None:
    monkeypatch.setattr(journal_writer, "_RETRY_S", 0.02)
    writing = Writing(journal)
    one = event(1)
    ticket = writing.writer.submit(one)
    # Nobody writes yet: the door opened without the row.
    assert not ticket.wait(0.01)
    writing.thread.start()
    writing.stop()
    (row,) = journal.journal.read()
    assert row.event.id == one.id
    assert row.event.data == {**one.data, "recorded_late": True}
    assert ticket.wait(0.0)


def test_a_ticket_is_the_event_itself_until_it_is_late() -> None:
    one = event(1)
    ticket = Ticket(one)
    assert ticket.event() is one
    ticket.written()
    assert ticket.wait(0.0)
    assert ticket.event() is one


def test_a_row_that_cannot_be_written_is_tried_again(writing: Writing, journal: Trouble) -> None:
    journal.broken = {"append"}
    tickets = [writing.writer.submit(event(number)) for number in range(5)]
    assert wait_until(lambda: journal.appends > 3)
    assert writing.said == ["failed: journal.sqlite: disk full"]  # once, however often it failed
    assert not any(ticket.wait(0.0) for ticket in tickets)
    journal.broken = set()
    assert wait_until(lambda: "recovered" in writing.said)
    assert all(ticket.wait(60) for ticket in tickets)
    assert numbers(journal.journal.read()) == [0, 1, 2, 3, 4]
    assert all(row.event.data["recorded_late"] for row in journal.journal.read())
    assert writing.said[1:] == ["recovered"]
    assert writing.faults == []


def test_a_flush_that_failed_is_tried_again_without_a_new_event(
    writing: Writing, journal: Trouble
) -> None:
    journal.broken = {"flush"}
    assert writing.writer.submit(event(1)).wait(60)
    assert wait_until(lambda: writing.said == ["failed: journal.sqlite cannot be flushed"])
    rounds = writing.rounds
    journal.broken = set()
    assert wait_until(lambda: "recovered" in writing.said)
    assert writing.rounds > rounds


def test_a_second_failure_is_said_again(writing: Writing, journal: Trouble) -> None:
    for number in range(3):
        journal.broken = {"append"}
        writing.writer.submit(event(number))
        assert wait_until(lambda n=number: len(writing.said) == 2 * n + 1)
        journal.broken = set()
        assert wait_until(lambda n=number: len(writing.said) == 2 * n + 2)
    assert [word.partition(":")[0] for word in writing.said] == ["failed", "recovered"] * 3


def test_nothing_is_lost_at_the_stop(journal: Trouble) -> None:
    writing = Writing(journal)
    tickets = [writing.writer.submit(event(number)) for number in range(300)]
    writing.thread.start()
    writing.stop()
    assert all(ticket.wait(0.0) for ticket in tickets)
    assert numbers(journal.journal.read()) == list(range(300))
    assert journal.flushes > 0


@pytest.mark.parametrize("part", ["append", "flush"])
def test_a_stop_does_not_wait_for_a_broken_journal(
    writing: Writing, journal: Trouble, part: str
) -> None:
    journal.broken = {part}
    writing.writer.submit(event(1))
    assert wait_until(lambda: bool(writing.said))
    writing.stop()
    assert writing.said[-1].startswith("failed")


def test_a_journal_that_fails_for_hours_forgets_the_oldest(
    writing: Writing, journal: Trouble, monkeypatch
) -> None:
    monkeypatch.setattr(journal_writer, "_MOST_KEPT", 10)
    journal.broken = {"append"}
    for number in range(25):
        kind = EventType.ACCESS_GRANTED if number % 3 == 0 else EventType.ACCESS_DENIED
        time = NOW.utc + timedelta(minutes=number)
        writing.writer.submit(event(number, type=kind, time=time))
    assert wait_until(lambda: bool(writing.said))
    # One may have been under way: it is the journal's still, and the next one went.
    assert [fault.part for fault in writing.faults if isinstance(fault, FaultRaised)] == ["events"]
    journal.broken = set()
    assert wait_until(lambda: "recovered" in writing.said)
    told, *kept = [row.event for row in journal.journal.read()]
    assert told.type is EventType.JOURNAL_EVENTS_LOST
    left = {one.data["number"] for one in kept}
    assert len(left) in (10, 11)
    gone = sorted(set(range(25)) - left)
    granted = sum(number % 3 == 0 for number in gone)
    assert told.data == {
        "cause": "unwritten",
        "total": len(gone),
        "counts": {"access.denied": len(gone) - granted, "access.granted": granted},
        "first": utc_text(NOW.utc + timedelta(minutes=gone[0])),
        "last": utc_text(NOW.utc + timedelta(minutes=gone[-1])),
    }
    assert told.time == NOW.utc + timedelta(minutes=gone[-1])
    assert writing.faults[1:] == [FaultCleared(Part("events"), "agent")]


def test_what_is_lost_while_it_is_told_is_told_next(journal: Trouble, monkeypatch) -> None:
    monkeypatch.setattr(journal_writer, "_MOST_KEPT", 2)
    writing = Writing(journal)
    append = journal.journal.append
    told: list[Event] = []

    def slow(one) -> int:
        def made() -> Event:
            told.append(one())
            if len(told) == 1:
                for number in (5, 6):
                    writing.writer.submit(event(number))
            return told[-1]

        return int(append(made))

    monkeypatch.setattr(journal.journal, "append", slow)
    for number in range(5):
        writing.writer.submit(event(number))
    writing.thread.start()
    writing.stop()
    events = [row.event for row in journal.journal.read()]
    assert [one.data["number"] for one in events if "number" in one.data] == [5, 6]
    lost = [one.data["total"] for one in events if one.type is EventType.JOURNAL_EVENTS_LOST]
    assert lost == [3, 2]
    assert writing.faults[-1] == FaultCleared(Part("events"), "agent")


def test_an_end_with_a_journal_that_fails_says_in_the_log_what_is_lost(journal: Trouble) -> None:
    writing = Writing(journal)
    journal.broken = {"append"}
    for number in range(3):
        writing.writer.submit(event(number))
    with capture_logs() as logs:
        writing.thread.start()
        writing.stop()
    (line,) = [log for log in logs if log["event"] == "events_lost"]
    assert (line["log_level"], line["counts"]) == ("error", {"access.denied": 3})


def test_a_row_is_dropped_from_the_queue_while_it_is_written(journal: Trouble, monkeypatch) -> None:
    """The queue runs over in the middle of an append: no other row may go in its place."""
    monkeypatch.setattr(journal_writer, "_MOST_KEPT", 2)
    writing = Writing(journal)
    append = journal.journal.append

    def slow(one) -> int:
        if not journal.flushes:
            journal.flushes = 1
            for number in (2, 3):
                writing.writer.submit(event(number))
        return int(append(one))

    monkeypatch.setattr(journal.journal, "append", slow)
    for number in (0, 1):
        writing.writer.submit(event(number))
    writing.thread.start()
    writing.stop()
    told, *kept = reversed([*journal.journal.read()])
    assert numbers(reversed(kept)) == [0, 2, 3]
    # What was being written when the queue ran over is not lost, and not called so.
    assert told.event.data["total"] == 1


def test_an_event_that_is_none_ends_the_thread_and_not_unseen(journal: Trouble) -> None:
    writing = Writing(journal)
    deaths: list[tuple[str, str]] = []
    worker = Worker(
        "journal", writing.writer.work, lambda name, error: deaths.append((name, str(error)))
    )
    writing.writer.submit(Event("id", event().type, NOW.utc, True, None, {"score": float("nan")}))
    worker.start()
    assert worker.join(60)
    assert [name for name, _ in deaths] == ["journal"]
    assert "JSON" in deaths[0][1]


def test_many_threads_submit_at_once(writing: Writing, journal: Trouble) -> None:
    def submit(first: int) -> None:
        for number in range(first, first + 100):
            writing.writer.submit(event(number)).wait(0.001)
            time.sleep(0)

    threads = [threading.Thread(target=submit, args=(first,)) for first in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wait_until(lambda: journal.journal.last_sequence() == 300)
    found = numbers(journal.journal.read())
    assert sorted(found) == list(range(300))
    for first in (0, 100, 200):
        own = [number for number in found if first <= number < first + 100]
        assert own == sorted(own)
