"""One suite for every ``ports.Broker``: paho's at each make of broker, and the simulated one.

What the simulated broker is told to retain it does not keep, so that is no part of the suite.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from brokers import KINDS, Kind
from mosquitto import Server, Subscriber, wait_until

from agent.adapters.broker.mqtt import BrokerCallbacks, BrokerSettings, PahoBroker
from agent.adapters.broker.simulated import SimulatedBroker, SimulatedClient
from agent.adapters.manual_clock import ManualClock
from agent.domain.record.status import offline
from agent.ports import Broker

TOPIC = "gate/lakeside/g3/north-1/events/access/granted"
STATUS = "gate/lakeside/g3/north-1/status"
PATIENCE_S = 20.0


@dataclass
class Subject:
    broker: Broker
    answers: list[tuple[int, str | None]]
    heard: Callable[[], list[tuple[str, bytes]]]
    """What came to whoever listens to events."""
    go: Callable[[], None]
    come_back: Callable[[], None]
    pass_s: Callable[[float], None]

    def until(self, holds: Callable[[], bool]) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end_s
            self.pass_s(0.01)

    def hand_over(self, payload: bytes) -> int:
        mid = self.broker.publish(TOPIC, payload)
        assert mid is not None
        return mid


@pytest.fixture(params=[*KINDS, "simulated"])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    answers: list[tuple[int, str | None]] = []

    def answered(mid: int, refusal: str | None) -> None:
        answers.append((mid, refusal))

    if request.param == "simulated":
        yield simulated(answers, answered)
        return
    serve: Callable[[Kind], Server] = request.getfixturevalue("serve")
    protocol, server = request.param.protocol, serve(request.param)
    user, password = server.login["username"], server.login["password"]
    listener = Subscriber(server.port, protocol=protocol, username=user, password=password)
    settings = BrokerSettings(
        "127.0.0.1",
        server.port,
        "kiosk",
        STATUS,
        offline("lost"),
        protocol=protocol,
        username=user,
        password=password,
    )
    paho = PahoBroker(settings, BrokerCallbacks(lambda: None, lambda _why: None, answered))
    paho.start()

    def come_back() -> None:
        server.start()
        assert wait_until(listener.subscribed.is_set)

    yield Subject(
        paho,
        answers,
        lambda: [(topic, body) for topic, body, _ in list(listener.messages) if topic == TOPIC],
        server.kill,
        come_back,
        time.sleep,
    )
    paho.close(2.0)
    listener.close()


def simulated(
    answers: list[tuple[int, str | None]], answered: Callable[[int, str | None], None]
) -> Subject:
    clock, heard = ManualClock(), list[tuple[str, bytes]]()

    def later(delay_s: float, call: Callable[[], None]) -> None:
        clock.after(delay_s, call)

    broker = SimulatedBroker(
        later, lambda topic, payload: heard.append((topic, payload)), random.Random(7)
    )
    client = SimulatedClient(broker, answered, lambda: None, lambda: None)
    return Subject(client, answers, lambda: heard, broker.go, broker.come_back, clock.advance)


def test_messages_come_in_their_order_to_the_byte_and_are_acknowledged(subject: Subject) -> None:
    subject.until(subject.broker.connected)
    payloads = [b"{}", b"", "门禁".encode(), bytes(range(256)), b"x" * 50_000]
    mids = [subject.hand_over(payload) for payload in payloads]
    assert len(set(mids)) == len(mids)
    subject.until(lambda: len(subject.answers) == len(mids))
    assert subject.answers == [(mid, None) for mid in mids]
    subject.until(lambda: len(subject.heard()) == len(mids))
    assert subject.heard() == [(TOPIC, payload) for payload in payloads]


def test_nothing_is_taken_while_the_broker_is_away(subject: Subject) -> None:
    subject.until(subject.broker.connected)
    subject.go()
    subject.until(lambda: not subject.broker.connected())
    assert subject.broker.publish(TOPIC, b"unsent") is None
    subject.come_back()
    subject.until(subject.broker.connected)
    mid = subject.hand_over(b"sent")
    subject.until(lambda: (mid, None) in subject.answers)
    subject.until(lambda: (TOPIC, b"sent") in subject.heard())
    assert (TOPIC, b"unsent") not in subject.heard()


def test_what_was_taken_is_acknowledged_though_the_broker_goes_meanwhile(subject: Subject) -> None:
    subject.until(subject.broker.connected)
    mids = [subject.hand_over(b"%d" % number) for number in range(20)]
    subject.go()
    subject.until(lambda: not subject.broker.connected())
    subject.come_back()
    subject.until(lambda: {mid for mid, _ in subject.answers} == set(mids))
    assert all(refusal is None for _, refusal in subject.answers)


def test_what_is_only_said_comes_beside_what_is_handed_over(subject: Subject) -> None:
    subject.until(subject.broker.connected)
    subject.broker.say(TOPIC, b"beat")
    subject.until(lambda: (TOPIC, b"beat") in subject.heard())
    mid = subject.hand_over(b"{}")
    subject.until(lambda: (mid, None) in subject.answers)
    subject.until(lambda: subject.heard() == [(TOPIC, b"beat"), (TOPIC, b"{}")])


def test_what_is_said_while_the_broker_is_away_never_comes(subject: Subject) -> None:
    subject.until(subject.broker.connected)
    subject.go()
    subject.until(lambda: not subject.broker.connected())
    subject.broker.say(TOPIC, b"lost")
    subject.come_back()
    subject.until(subject.broker.connected)
    subject.hand_over(b"after")
    subject.until(lambda: (TOPIC, b"after") in subject.heard())
    assert (TOPIC, b"lost") not in subject.heard()


def test_closed_it_is_not_connected_and_takes_nothing(subject: Subject) -> None:
    subject.until(subject.broker.connected)
    subject.broker.close(2.0)
    assert not subject.broker.connected()
    assert subject.broker.publish(TOPIC, b"{}") is None
    subject.broker.close(2.0)
