"""The agent's threads and what lies between them: slot, inbox, and the journal's writer."""

import itertools
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mosquitto import wait_until
from store_kit import NOON, event, numbers, open_journal

from agent.app import journal_writer
from agent.app.inbox import Inbox
from agent.app.journal_writer import JournalWriter, Ticket
from agent.app.workers import Slot, Worker
from agent.controller.inputs import (
    FaultCleared,
    FaultRaised,
    Input,
    Observed,
    Stop,
    TemperatureRead,
    Tick,
)
from agent.domain.events import Event
from agent.domain.evidence import Observation, TemperatureReading
from agent.errors import StoreError

# --- worker --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [RuntimeError("x"), StoreError("full"), SystemExit(3), KeyboardInterrupt()], ids=repr
)
def test_a_dead_thread_is_seen(error: BaseException) -> None:
    deaths: list[tuple[str, BaseException]] = []

    def work() -> None:
        raise error

    worker = Worker("camera-front", work, lambda name, cause: deaths.append((name, cause)))
    worker.start()
    assert worker.join(10)
    assert deaths == [("camera-front", error)]


def test_a_thread_that_ends_is_no_death() -> None:
    deaths: list[str] = []
    names: list[str] = []
    worker = Worker(
        "status",
        lambda: names.append(threading.current_thread().name),
        lambda name, _: deaths.append(name),
    )
    assert worker.join(0.0)  # not begun, so nothing runs
    worker.start()
    assert worker.join(10)
    assert (names, deaths) == (["status"], [])


def test_a_thread_that_hangs_is_said_to_run() -> None:
    go = threading.Event()

    def work() -> None:
        go.wait(10)

    worker = Worker("slow", work, lambda *_: None)
    worker.start()
    assert not worker.join(0.01)
    go.set()
    assert worker.join(10)


# --- slot ----------------------------------------------------------------------------------------


def test_a_slot_holds_the_newest_only() -> None:
    slot: Slot[int] = Slot()
    for number in range(5):
        slot.put(number)
    assert slot.take(0.0) == 4
    assert slot.take(0.0) is None
    assert slot.dropped == 4
    slot.put(0)  # what is false is still a value
    assert slot.take(0.0) == 0


def test_a_closed_slot_gives_what_is_left_and_then_nothing() -> None:
    slot: Slot[str] = Slot()
    slot.put("last")
    slot.close()
    finished = [slot.finished]
    assert slot.take(60.0) == "last"
    finished.append(slot.finished)
    assert finished == [False, True]
    assert slot.take(60.0) is None  # and does not wait


def test_closing_wakes_who_waits() -> None:
    slot: Slot[str] = Slot()
    taken: list[str | None] = []
    thread = threading.Thread(target=lambda: taken.append(slot.take(60.0)))
    thread.start()
    slot.close()
    thread.join(10)
    assert taken == [None]


def test_a_slow_reader_sees_rising_numbers_and_the_last() -> None:
    slot: Slot[int] = Slot()
    seen: list[int] = []

    def read() -> None:
        while not slot.finished:
            if (value := slot.take(1.0)) is not None:
                seen.append(value)

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(5000):
        slot.put(number)
    slot.close()
    thread.join(10)
    assert seen == sorted(set(seen))
    assert seen[-1] == 4999
    assert len(seen) + slot.dropped == 5000


# --- inbox ---------------------------------------------------------------------------------------


def observed(camera: str, at_s: float) -> Observed:
    return Observed(Observation(camera, at_s, None))


def reading(at_s: float) -> TemperatureRead:
    return TemperatureRead(TemperatureReading(at_s, 36.2))


def drained(inbox: Inbox) -> list[Input]:
    found: list[Input] = []
    while (happened := inbox.take(0.0)) is not None:
        found.append(happened)
    return found


FAULT, CLEARED, STOP = FaultRaised("door:d", "x"), FaultCleared("door:d", "agent"), Stop("why")


@pytest.mark.parametrize(
    ("posted", "taken"),
    [
        ([observed("a", 1), observed("a", 2)], [observed("a", 2)]),
        ([reading(1), reading(2)], [reading(2)]),
        ([observed("a", 1), observed("b", 1)], [observed("a", 1), observed("b", 1)]),
        ([observed("a", 1), reading(1)], [observed("a", 1), reading(1)]),
        # In the place of the old one, so that no camera pushes the other's back for ever.
        (
            [observed("a", 1), observed("b", 1), observed("a", 2)],
            [observed("a", 2), observed("b", 1)],
        ),
        ([FAULT, FAULT], [FAULT, FAULT]),
        ([Tick(), Tick(), STOP, STOP], [Tick(), Tick(), STOP, STOP]),
        # A face must not be judged before the fault that was there first.
        (
            [observed("a", 1), FAULT, observed("a", 2), observed("a", 3)],
            [observed("a", 1), FAULT, observed("a", 3)],
        ),
        ([reading(1), CLEARED, reading(2)], [reading(1), CLEARED, reading(2)]),
    ],
)
def test_observations_and_readings_coalesce_and_nothing_else(
    posted: list[Input], taken: list[Input]
) -> None:
    inbox = Inbox()
    for happened in posted:
        inbox.post(happened)
    assert drained(inbox) == taken
    assert inbox.coalesced == len(posted) - len(taken)


steps = st.lists(
    st.sampled_from(["a", "b", "reading", "fault", "tick", "take"]), min_size=1, max_size=60
)


@given(steps=steps)
def test_whatever_comes_nothing_is_lost_or_overtaken(steps: list[str]) -> None:
    inbox = Inbox()
    numbered = itertools.count(1)
    posted: list[tuple[int, Input]] = []
    taken: list[Input] = []
    for step in steps:
        number = next(numbered)
        if step == "take":
            taken += [happened for happened in [inbox.take(0.0)] if happened is not None]
            continue
        happened: Input
        if step in {"a", "b"}:
            happened = observed(step, number)
        elif step == "reading":
            happened = reading(number)
        else:
            happened = FaultRaised("door:d", str(number))
        inbox.post(happened)
        posted.append((number, happened))
    taken += drained(inbox)
    at = {id(happened): number for number, happened in posted}
    order = [at[id(happened)] for happened in taken]
    assert len(set(order)) == len(order)
    faults = [happened for _, happened in posted if isinstance(happened, FaultRaised)]
    assert [happened for happened in taken if isinstance(happened, FaultRaised)] == faults
    # Around each fault: what came before it was taken before it, what came after it after.
    for i, happened in enumerate(taken):
        if isinstance(happened, FaultRaised):
            assert max(order[: i + 1]) == order[i]
            assert min(order[i:]) == order[i]
    for camera in ("a", "b"):
        times = [
            happened.observation.captured_s
            for happened in taken
            if isinstance(happened, Observed) and happened.observation.camera == camera
        ]
        assert times == sorted(times)
        newest = [number for number, step in enumerate(steps, 1) if step == camera]
        assert not newest or times[-1] == newest[-1]
    assert len(taken) + inbox.coalesced == len(posted)


def test_a_fast_camera_does_not_fill_the_inbox() -> None:
    inbox = Inbox()
    for number in range(10_000):
        inbox.post(observed("a", number))
    inbox.post(STOP)
    assert drained(inbox) == [observed("a", 9999), STOP]


def test_who_waits_is_woken_and_a_signal_handler_may_post() -> None:
    inbox = Inbox()
    taken: list[Input | None] = []
    thread = threading.Thread(target=lambda: taken.append(inbox.take(60.0)))
    thread.start()
    inbox.post(STOP)
    thread.join(10)
    assert taken == [STOP]
    with inbox._condition:  # as a handler that interrupts ``take`` in its own thread
        inbox.post(FAULT)
    assert inbox.take(-1.0) == FAULT
    assert inbox.take(-1.0) is None


# --- the journal's writer ------------------------------------------------------------------------


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


class Writing:
    """The writer in its thread, and what it said."""

    def __init__(self, journal):
        self.said: list[str] = []
        self.rounds = 0
        self.writer = JournalWriter(
            journal,
            written=self._written,
            failed=lambda why: self.said.append(f"failed: {why}"),
            recovered=lambda: self.said.append("recovered"),
        )
        self.thread = threading.Thread(target=self.writer.work)

    def _written(self):
        self.rounds += 1

    def stop(self):
        self.writer.stop()
        self.thread.join(20)
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
    assert all(ticket.wait(10) for ticket in tickets)
    assert numbers(journal.journal) == list(range(200))
    assert wait_until(lambda: writing.rounds > 0 and journal.flushes > 0)
    assert writing.said == []


def test_in_time_is_not_late(writing: Writing, journal: Trouble) -> None:
    assert writing.writer.submit(event(1)).wait(10)
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
    assert all(ticket.wait(10) for ticket in tickets)
    assert numbers(journal.journal) == [0, 1, 2, 3, 4]
    assert all(row.event.data["recorded_late"] for row in journal.journal.read())
    assert writing.said[1:] == ["recovered"]
    assert writing.writer.lost == 0


def test_a_flush_that_failed_is_tried_again_without_a_new_event(
    writing: Writing, journal: Trouble
) -> None:
    journal.broken = {"flush"}
    assert writing.writer.submit(event(1)).wait(10)
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
    assert numbers(journal.journal) == list(range(300))
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
        writing.writer.submit(event(number))
    assert writing.writer.lost == 15
    assert wait_until(lambda: bool(writing.said))
    journal.broken = set()
    assert wait_until(lambda: "recovered" in writing.said)
    assert numbers(journal.journal) == list(range(15, 25))


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
    assert numbers(journal.journal) == [0, 2, 3]
    assert writing.writer.lost == 2


def test_an_event_that_is_none_ends_the_thread_and_not_unseen(journal: Trouble) -> None:
    writing = Writing(journal)
    deaths: list[tuple[str, str]] = []
    worker = Worker(
        "journal", writing.writer.work, lambda name, error: deaths.append((name, str(error)))
    )
    writing.writer.submit(Event("id", event().type, NOON, True, None, {"score": float("nan")}))
    worker.start()
    assert worker.join(10)
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
        thread.join(20)
    assert wait_until(lambda: journal.journal.last_sequence() == 300)
    found = numbers(journal.journal)
    assert sorted(found) == list(range(300))
    for first in (0, 100, 200):
        own = [number for number in found if first <= number < first + 100]
        assert own == sorted(own)
