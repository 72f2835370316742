"""What the journal and the outbox live through: kill -9, a dead line, a month, a wrong clock."""

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from mosquitto import Subscriber, wait_until
from outbox_parts import IDS, NOW, Silent, event, first_arrivals, outbox_of
from places import ROOT
from store_parts import kills_of

from agent.adapters.manual_clock import ManualClock
from agent.adapters.store.record.journal import SqliteJournal
from agent.app.threads.watch.retention import Retention
from agent.domain.record.events import Event, EventType
from agent.domain.record.pace import Pace
from agent.lab.bench.journal import journal_in, press

HUGE = 1 << 40


@pytest.mark.parametrize("rounds", [6, pytest.param(80, marks=pytest.mark.slow)])
def test_kill_9_anywhere_loses_nothing_and_keeps_the_order(tmp_path, mosquitto, rounds):
    """The gate's own journal, outbox and client in a process; the broker hears it all."""
    path = tmp_path / "journal.sqlite"
    where = Path(f"{mosquitto.port}:{path}")
    listener = Subscriber(mosquitto.port)
    program = ROOT / "tests" / "parts" / "outbox_kills.py"
    chance = random.Random(7)
    try:
        with kills_of(tmp_path / "log", program) as ask:
            whole = ask("send", where, HUGE)
            assert whole is not None
            killed = []
            for number in range(rounds):
                killed.append(ask("send", where, chance.randint(1, whole)))
                if (
                    number % 5 == 4
                ):  # more than a hundred would be a backlog, with an order of its own
                    assert ask("drain", where, HUGE) is not None
            assert killed.count(None) > rounds // 2
            assert ask("drain", where, HUGE) is not None
        journal = SqliteJournal(path, lambda _: event())
        rows = list(journal.read())
        pending, epoch = journal.pending(), journal.epoch
        journal.close()
        # A kill is no power failure: whatever had a number has it still, in the one stream.
        assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
        assert {row.epoch for row in rows} == {epoch}
        assert pending == 0
        assert wait_until(lambda: len(set(first_arrivals(listener))) == len(rows))
        assert first_arrivals(listener) == [row.sequence for row in rows]
        assert {body["id"] for body in listener.events()} == {row.event.id for row in rows}
    finally:
        listener.close()


class Line:
    """A line to a broker that can go dead without a word: bytes go in and nothing comes out."""

    def __init__(self, port: int) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self._to = port
        self.lines = 0
        self._dead: set[int] = set()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def go_dead(self) -> None:
        """Whatever is connected by now is, to both ends, connected for ever."""
        self._dead |= set(range(self.lines + 1))

    def close(self) -> None:
        for one in (self.server, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self.server.accept()
                there = socket.create_connection(("127.0.0.1", self._to))
                self._open += [here, there]
                self.lines += 1
                for way in ((here, there), (there, here)):
                    threading.Thread(
                        target=self._carry, args=(*way, self.lines), daemon=True
                    ).start()

    def _carry(self, one: socket.socket, other: socket.socket, number: int) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                if number not in self._dead:
                    other.sendall(data)
            if number not in self._dead:
                other.shutdown(socket.SHUT_RDWR)


@contextmanager
def line(port: int) -> Iterator[Line]:
    made = Line(port)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_line_that_went_dead_is_noticed_and_nothing_is_lost(
    journal, mosquitto, subscriber, make_sender, protocol
):
    with line(mosquitto.port) as to_broker:
        sender = make_sender(to_broker.port, keepalive_s=2, protocol=protocol)
        for number in range(20):
            journal.append(event(number))
            sender.outbox.notify()
        assert wait_until(lambda: journal.pending() == 0)
        to_broker.go_dead()
        for number in range(20, 60):
            journal.append(event(number))
            sender.outbox.notify()
        assert wait_until(lambda: to_broker.lines > 1)
        assert wait_until(lambda: journal.pending() == 0)
        assert wait_until(lambda: len(first_arrivals(subscriber)) == 60)
        assert first_arrivals(subscriber) == list(range(1, 61))
        sender.broker.close(2.0)


def test_a_broker_that_forgot_the_session_gets_what_it_had_not_answered(
    journal, make_mosquitto, make_sender
):
    broker = make_mosquitto("max_queued_messages 0")
    broker.start()
    sender = make_sender(broker.port)
    assert wait_until(sender.broker.connected)
    for round_ in range(4):
        for number in range(50):
            journal.append(event(50 * round_ + number))
        sender.outbox.notify()
        broker.kill()  # with its sessions: it keeps none on its disk
        broker.start()
    assert wait_until(lambda: journal.pending() == 0)
    assert [row.published for row in journal.read()] == [True] * 200


class Answering(Silent):
    """Takes a window, and answers it before the next round."""

    def answer(self, outbox) -> None:
        for mid in range(self.answered + 1, len(self.sent) + 1):
            outbox.acknowledged(mid, None)
        self.answered = len(self.sent)

    answered = 0


@pytest.mark.parametrize("days", [1, pytest.param(30, marks=pytest.mark.slow)])
def test_days_offline_are_caught_up_at_their_pace_and_what_happens_goes_at_once(tmp_path, days):
    """5,000 events a day; the time is virtual."""
    clock, broker, waiting = ManualClock(), Answering(window=100), 5000 * days
    with journal_in(tmp_path) as journal:
        journal.fill(press(number) for number in range(waiting))
        pace = Pace(50.0, lambda: clock.now().monotonic_s)
        outbox = outbox_of(journal, [], pace=pace)
        outbox.round(broker)
        behind = rounds = 0
        while journal.pending():
            rounds += 1
            assert rounds < waiting
            broker.answer(outbox)
            clock.advance(0.5)
            if rounds % 35 == 0 and len(broker.sent) < waiting:
                sequence = journal.append(press())
                before = len(broker.sent)
                outbox.round(broker)
                behind += f'"sequence":"{sequence:020d}"' not in broker.sent[before].decode()
            else:
                outbox.round(broker)
            assert len(outbox._under_way) <= 100
        assert behind == 0
        # 25 a half second, and no faster.
        assert rounds >= waiting // 25


def test_after_120_hours_without_power_the_order_is_the_sequence(tmp_path):
    """The clock begins where it stood, or far behind; nobody trusts it until somebody sets it."""
    path, clock = tmp_path / "journal.sqlite", ManualClock(utc=NOW)

    def at(hours: float, *, synced: bool) -> Event:
        moment = NOW + timedelta(hours=hours)
        return Event(
            IDS.make(moment), EventType.DOOR_RELEASED, moment, synced, None, {"cause": "rex"}
        )

    journal = SqliteJournal(path, lambda _: event())
    for minute in range(30):
        journal.append(at(minute / 60, synced=True))
    journal.close()
    journal = SqliteJournal(path, lambda _: event())
    try:
        for minute in range(20):
            journal.append(at(-500_000 + minute / 60, synced=False))
        for minute in range(10):
            journal.append(at(120 + minute / 60, synced=True))
        rows = journal.unpublished(100)
        assert [row.sequence for row in rows] == list(range(1, 61))
        assert len({row.epoch for row in rows}) == 1
        clock.step_utc(120 * 3600.0, trusted=True)
        journal.mark_published([row.row for row in rows])
        # Untrusted rows are as old as the trusted one after them, and not as they look.
        Retention(journal.prune, clock, 90).tend()
        assert len(list(journal.read())) == 60
        Retention(journal.prune, clock, 3).tend()
        assert [row.sequence for row in journal.read()] == list(range(31, 61))
    finally:
        journal.close()
