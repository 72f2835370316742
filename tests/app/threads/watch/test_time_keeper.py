"""The time by way of a real broker: asked for, believed once, and written down."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from mosquitto import wait_until
from paho.mqtt.enums import CallbackAPIVersion
from pass_parts import KEY, OTHER_KEY

from agent.adapters.broker.listener import Listener
from agent.adapters.broker.mqtt import BrokerCallbacks, BrokerSettings, PahoBroker
from agent.adapters.clock import SystemClock
from agent.adapters.manual_clock import ManualClock
from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.app.threads.watch.clock import TimeKeeper
from agent.credentials.signed.time import answer_time
from agent.domain.hours.reckoning import Reckoning
from agent.domain.record.status import offline
from agent.domain.record.topics import Topics
from agent.errors import StoreError

TOPICS = Topics("lakeside", "g3", "north-1")
THEN = datetime(2031, 5, 6, tzinfo=UTC)
"""Far from this machine's own clock."""


class Kiosk:
    """A clock that nobody keeps, its keeper and its broker's client, as the agent wires them."""

    def __init__(self, port: int, path: Path) -> None:
        self.clock = SystemClock(kept=lambda: False, offset_s=lambda: 0.0)
        self.ledger = SqlitePassLedger(path)
        self.reckoning = Reckoning()
        self.connected = threading.Event()
        self.asked: list[bytes] = []
        self.keeper = TimeKeeper(
            self.clock,
            self.ledger,
            key=KEY.public_key(),
            kiosk=TOPICS.kiosk_path,
            ask=self._ask,
            reckoning=lambda: self.reckoning,
        )
        self.broker = PahoBroker(
            BrokerSettings(
                "127.0.0.1",
                port,
                "kiosk",
                TOPICS.status,
                offline("lost"),
            ),
            BrokerCallbacks(
                self.connected.set,
                lambda _: None,
                lambda *_: None,
                {TOPICS.time_answer: Listener(self.keeper.heard)},
            ),
        )
        self.broker.start()
        assert self.connected.wait(60)

    def _ask(self, nonce: bytes) -> bool:
        self.asked.append(nonce)
        return self.broker.publish(TOPICS.time_request, nonce) is not None

    def close(self) -> None:
        self.broker.close(2.0)
        self.ledger.close()


@pytest.fixture
def kiosk(mosquitto, tmp_path):
    kiosk = Kiosk(mosquitto.port, tmp_path / "passes.sqlite")
    yield kiosk
    kiosk.close()


@pytest.fixture
def server(mosquitto):
    """Whoever answers; with what, a test says."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "time-server")
    answers: list[tuple[Callable[[bytes], bytes], bool]] = []
    subscribed = threading.Event()
    client.on_connect = lambda c, *_: c.subscribe("gate/+/+/+/time/request", qos=1)
    client.on_subscribe = lambda *_: subscribed.set()

    def on_message(_client, _user, message):
        for make, retain in answers:
            client.publish(TOPICS.time_answer, make(bytes(message.payload)), 1, retain=retain)

    client.on_message = on_message
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    assert subscribed.wait(60)
    yield answers
    client.disconnect()
    client.loop_stop()


def signed(nonce: bytes, key=KEY, kiosk: str = TOPICS.kiosk_path) -> bytes:
    return answer_time(nonce, kiosk, THEN, key)


def test_before_it_is_answered_nobody_trusts_the_clock(kiosk) -> None:
    assert not kiosk.clock.now().utc_trusted
    kiosk.keeper.tend()
    assert len(kiosk.asked) == 1
    kiosk.keeper.tend()
    assert len(kiosk.asked) == 1, "not again at once"
    assert kiosk.ledger.latest_trusted() is None


def test_a_signed_answer_is_believed_and_written_down(kiosk, server) -> None:
    server.append((signed, False))
    asked_s = kiosk.clock.now().monotonic_s
    kiosk.keeper.tend()
    assert wait_until(lambda: kiosk.clock.now().utc_trusted)
    now = kiosk.clock.now()
    assert timedelta() <= now.utc - THEN <= timedelta(seconds=now.monotonic_s - asked_s + 0.001)
    before = kiosk.clock.now()
    time.sleep(0.05)
    after = kiosk.clock.now()
    passed = (after.utc - before.utc).total_seconds()
    assert passed == pytest.approx(after.monotonic_s - before.monotonic_s, abs=1e-4)
    kiosk.keeper.tend()
    assert kiosk.ledger.latest_trusted() >= THEN


def test_what_is_not_signed_silences_nobody(kiosk, server) -> None:
    server.append((lambda nonce: signed(nonce, OTHER_KEY), False))
    server.append((lambda _: b"\xff" * 100, False))
    server.append((lambda _: signed(bytes(16)), False))
    server.append((lambda nonce: signed(nonce, kiosk="lakeside/g3/south-1"), False))
    server.append((lambda _: bytes(5000), False))
    kiosk.keeper.tend()
    time.sleep(0.5)
    assert not kiosk.clock.now().utc_trusted
    server.append((signed, False))
    kiosk.keeper._next_ask_s = 0.0
    kiosk.keeper.tend()
    assert wait_until(lambda: kiosk.clock.now().utc_trusted)


def test_a_late_answer_is_refused(kiosk, monkeypatch) -> None:
    kiosk.keeper.tend()
    monkeypatch.setattr("agent.app.threads.watch.clock._LONGEST_ANSWER_S", -1.0)
    kiosk.keeper.heard(signed(kiosk.asked[-1]))
    assert not kiosk.clock.now().utc_trusted


def test_an_answer_counts_once(kiosk) -> None:
    kiosk.keeper.tend()
    kiosk.keeper.heard(signed(kiosk.asked[-1]))
    assert kiosk.clock.now().utc_trusted
    kiosk.keeper.heard(
        answer_time(kiosk.asked[-1], TOPICS.kiosk_path, THEN.replace(year=2040), KEY)
    )
    assert kiosk.clock.now().utc.year == 2031


def test_a_signed_time_outranks_ntp() -> None:
    clock = SystemClock(kept=lambda: True, offset_s=lambda: 0.0)
    clock.believe(THEN, clock.now().monotonic_s)
    now = clock.now()
    assert abs(now.utc - THEN) < timedelta(seconds=5)
    assert (now.utc_trusted, now.confirmed) == (True, True)


def test_ntp_that_agrees_with_a_signed_time_is_finer_and_both_are_sure() -> None:
    clock = SystemClock(kept=lambda: True, offset_s=lambda: 0.0)
    assert not clock.now().confirmed
    clock.believe(datetime.now(UTC) - timedelta(seconds=200), clock.now().monotonic_s)
    now = clock.now()
    assert abs(now.utc - datetime.now(UTC)) < timedelta(seconds=5)
    assert now.confirmed


def test_a_persons_word_that_the_disk_refused_is_written_later(tmp_path: Path) -> None:
    clock, ledger = ManualClock(utc=THEN), SqlitePassLedger(tmp_path / "passes.sqlite")
    ledger.note_trusted(THEN + timedelta(days=400))
    reckoning = Reckoning.since(THEN).heard(clock.now())
    keeper = TimeKeeper(
        clock, ledger, key=None, kiosk="", ask=lambda _: False, reckoning=lambda: reckoning
    )
    ledger._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError):
        keeper.told(THEN)
    ledger._connection.execute("PRAGMA query_only = OFF")
    keeper.tend()
    assert ledger.latest_trusted() == THEN
    ledger.close()


def test_what_one_source_claims_is_not_written_down(tmp_path: Path) -> None:
    """The worst of a bad future time: it used to stay for ever."""
    clock = ManualClock(utc=THEN)
    ledger = SqlitePassLedger(tmp_path / "passes.sqlite")
    ledger.note_trusted(THEN)
    reckoning = Reckoning.since(ledger.latest_trusted()).heard(clock.now())
    keeper = TimeKeeper(
        clock, ledger, key=None, kiosk="", ask=lambda _: False, reckoning=lambda: reckoning
    )
    clock.step_utc(400 * 86_400.0)
    keeper.tend()
    assert ledger.latest_trusted() == THEN
    clock.step_utc(-400 * 86_400.0)
    clock.advance(3600.0)
    keeper.tend()
    assert ledger.latest_trusted() == THEN + timedelta(hours=1)
    keeper.told(THEN - timedelta(days=2))
    assert ledger.latest_trusted() == THEN - timedelta(days=2)
    ledger.close()


def test_a_signed_command_answers_the_question_of_just_now_once(tmp_path: Path) -> None:
    class Told(ManualClock):
        believed: datetime | None = None

        def believe(self, utc: datetime, monotonic_s: float) -> None:
            self.believed = utc
            self.step_utc(0, trusted=True, confirmed=True)

    clock, ledger = Told(utc=THEN, trusted=False), SqlitePassLedger(tmp_path / "passes.sqlite")
    asked: list[bytes] = []
    keeper = TimeKeeper(
        clock,
        ledger,
        key=None,
        kiosk="",
        ask=lambda nonce: asked.append(nonce) is None,
        reckoning=lambda: Reckoning.since(None).heard(clock.now()),
        commanded=True,
    )
    keeper.tend()
    (nonce,) = asked
    assert not keeper.commanded(bytes(16), THEN)
    assert not Told.believed
    clock.advance(1.0)
    assert keeper.commanded(nonce, THEN)
    assert clock.believed == THEN + timedelta(seconds=0.5)
    assert not keeper.commanded(nonce, THEN)
    # Nobody is asked while the time is known; later it is another question.
    clock.advance(7 * 3600.0)
    keeper.tend()
    assert len(asked) == 1
    clock.step_utc(0, trusted=False)
    keeper.tend()
    assert len(asked) == 2
    clock.advance(5.5)
    assert not keeper.commanded(asked[1], THEN)
    ledger.close()
