"""What a broker of MQTT 5 says that it takes is kept to, and why it takes nobody is said.

paho 2 reads the properties of a CONNACK, obeys Server Keep Alive (to the letter, at 0 or hours as
well, and of the next broker too) and leaves all else to whoever uses it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import pytest
from byte_broker import (
    AUTH,
    CONNECT,
    OLD_CONNACK,
    PINGREQ,
    PUBLISH,
    SUBSCRIBE,
    connack,
    disconnect,
)
from mosquitto import Subscriber, wait_until
from outbox_parts import TOPICS, event

from agent.adapters.broker import oldest
from agent.adapters.broker.listener import Listener
from agent.adapters.broker.mqtt import BrokerCallbacks, BrokerSettings, PahoBroker
from agent.domain.record.status import offline
from agent.domain.record.topics import JSON
from agent.ports import TOO_LARGE

RETAINED = 0x01


class Kiosk:
    """A client, and what it heard."""

    def __init__(
        self,
        port: int,
        protocol: str = "5",
        keepalive_s: int = 30,
        listeners: Mapping[str, Listener] = MappingProxyType({}),
    ) -> None:
        self.ups = 0
        self.goodbyes: list[str] = []
        self.answers: list[tuple[int, str | None]] = []
        settings = BrokerSettings(
            "127.0.0.1",
            port,
            "kiosk",
            TOPICS.status,
            offline("lost"),
            protocol=protocol,
            keepalive_s=keepalive_s,
            own_events=TOPICS.own_events,
        )
        callbacks = BrokerCallbacks(
            self._up,
            self.goodbyes.append,
            lambda mid, why: self.answers.append((mid, why)),
            listeners,
        )
        self.broker = PahoBroker(settings, callbacks)
        self.broker._client.reconnect_delay_set(0.05, 0.2)  # type: ignore[arg-type] # in seconds
        self.broker.start()

    def _up(self) -> None:
        self.ups += 1


@pytest.fixture
def kiosk() -> Iterator[Callable[..., Kiosk]]:
    made: list[Kiosk] = []

    def make(*arguments: object, **named: object) -> Kiosk:
        made.append(Kiosk(*arguments, **named))  # type: ignore[arg-type] # handed on
        return made[-1]

    yield make
    for one in made:
        one.broker.close(2.0)


@pytest.mark.parametrize(
    ("server_s", "own_s", "pings"),
    [(1, 30, True), (0, 1, True), (65_535, 1, True), (65_535, 30, False)],
)
def test_signs_of_life_go_as_often_as_the_broker_says_or_the_kiosk_does(
    byte_broker, kiosk, server_s, own_s, pings
):
    """Before, a broker that said 0 or hours was never found to be half open."""
    broker = byte_broker(connack(ServerKeepAlive=server_s))
    client = kiosk(broker.port, keepalive_s=own_s)
    assert wait_until(lambda: client.ups)
    assert wait_until(lambda: broker.of(PINGREQ), 10 if pings else 2) is pings


def test_the_next_connection_asks_for_the_kiosks_own_again(byte_broker, kiosk):
    broker = byte_broker(connack(ServerKeepAlive=7), connack())
    client = kiosk(broker.port)
    assert wait_until(lambda: client.ups)
    broker.say(disconnect(0x8B))
    assert wait_until(lambda: client.ups == 2)
    assert [packet.keepalive_s for packet in broker.of(CONNECT)] == [30, 30]


def test_a_broker_of_qos_0_only_gets_nothing_and_it_is_said(byte_broker, kiosk):
    broker = byte_broker(connack(MaximumQoS=0))
    client = kiosk(broker.port)
    assert wait_until(lambda: client.goodbyes)
    assert "QoS 0 only" in client.goodbyes[0]
    assert not client.broker.connected()
    assert client.broker.publish("gate/x", b"{}") is None
    broker.say(disconnect(0x8B))
    assert wait_until(lambda: len(broker.of(CONNECT)) == 2)
    assert all("QoS 0 only" in why for why in client.goodbyes), "the status shows the last word"
    assert broker.of(PUBLISH) == []


def test_what_was_handed_over_to_one_that_then_takes_qos_0_only_is_taken_back(byte_broker, kiosk):
    broker = byte_broker(connack(), connack(MaximumQoS=0))
    client = kiosk(broker.port)
    assert wait_until(lambda: client.ups)
    broker.say(disconnect(0x8B))
    mid = client.broker.publish("gate/x", b"{}")  # it is noticed, or is not, that it is gone
    assert wait_until(lambda: len(broker.of(CONNECT)) == 2)
    assert wait_until(lambda: mid is None or client.answers)
    assert wait_until(lambda: any("QoS 0 only" in why for why in client.goodbyes))


def test_a_broker_that_retains_nothing_is_asked_for_nothing_of_the_kind(byte_broker, kiosk):
    broker = byte_broker(connack(RetainAvailable=0), connack(0x9A), connack(RetainAvailable=0))
    client = kiosk(broker.port)
    assert wait_until(client.broker.connected)
    client.broker.publish(TOPICS.status, b"{}", retain=True)
    assert wait_until(lambda: client.answers)
    assert [packet.head & RETAINED for packet in broker.of(PUBLISH)] == [0]
    broker.say(disconnect(0x8B))
    assert wait_until(lambda: client.ups == 2)
    assert [packet.will_is_retained for packet in broker.of(CONNECT)] == [True, False, False]


def test_one_that_refuses_a_retained_will_gets_another_and_the_next_one_is_asked_again(
    byte_broker, kiosk
):
    broker = byte_broker(connack(0x9A), connack(), connack())
    client = kiosk(broker.port)
    assert wait_until(lambda: client.ups == 1)
    assert "retains no message" in client.goodbyes[0]
    broker.say(disconnect(0x8B))
    assert wait_until(lambda: client.ups == 2)
    assert [packet.will_is_retained for packet in broker.of(CONNECT)] == [True, False, True]


def test_a_name_or_session_that_the_broker_gives_is_not_taken(byte_broker, kiosk):
    broker = byte_broker(
        connack(AssignedClientIdentifier="other", SessionExpiryInterval=1, TopicAliasMaximum=9)
    )
    client = kiosk(broker.port)
    assert wait_until(client.broker.connected)
    for _ in range(3):
        client.broker.publish(TOPICS.status, b"{}")
    assert wait_until(lambda: len(client.answers) == 3)
    topic = TOPICS.status.encode()
    assert all(packet.body[2:].startswith(topic) for packet in broker.of(PUBLISH)), "no alias"
    broker.say(disconnect(0x8B))
    assert wait_until(lambda: client.ups == 2)
    first, second = (packet.body for packet in broker.of(CONNECT))
    assert b"\x00\x05kiosk" in first
    assert b"\x00\x05kiosk" in second


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (connack(0x84), 'does not speak MQTT 5: write protocol = "3.1.1"'),
        (b"\x20\x02\x00\x01", 'does not speak MQTT 5: write protocol = "3.1.1"'),
        (connack(0x85), "client_id"),
        (
            connack(0x87, ReasonString="ask\nthe office"),
            'Not authorized (it says: "ask\\nthe office")',
        ),
        (connack(0x97), "Quota exceeded"),
        (connack(0x9B), "QoS 0 only"),
        (connack(0x9C, ServerReference="b.lakeside.example"), "another one, b.lakeside.example"),
        (connack(0x9D), "to another one: look at host"),
        (AUTH, "AUTH"),
        (connack() + disconnect(0x8E), "does another kiosk have its names"),
        (
            connack() + disconnect(0x8B, ReasonString="at noon"),
            'shutting down (it says: "at noon")',
        ),
        (connack() + disconnect(0x9D, ServerReference="x" * 500), f"one, {'x' * 120}: look"),
        (connack() + AUTH, "AUTH"),
    ],
    ids=lambda value: value[-20:] if isinstance(value, str) else "",
)
def test_why_it_takes_nobody_or_ends_is_said_and_stays_the_last_word(
    byte_broker, kiosk, answer, words
):
    """Before, "Unspecified error" or "Protocol error" followed, and the status showed that."""
    broker = byte_broker(answer)
    client = kiosk(broker.port)
    assert wait_until(lambda: len(broker.of(CONNECT)) == 2)
    assert wait_until(lambda: client.goodbyes)
    assert {why for why in client.goodbyes if words not in why} == set()


def test_one_that_hangs_up_without_a_word_is_told_apart(byte_broker, kiosk):
    broker = byte_broker(b"")
    client = kiosk(broker.port, "3.1.1")
    assert wait_until(lambda: broker.of(CONNECT))
    broker.close()
    assert wait_until(lambda: client.goodbyes)
    assert "before it accepted this kiosk" in client.goodbyes[0]


def test_mqtt_3_1_1_is_not_given_up_for_an_older_one(byte_broker, kiosk):
    """paho goes down to MQTT 3.1 at such an answer, for good: then nothing would be asked for."""
    broker = byte_broker(b"\x20\x02\x00\x01", OLD_CONNACK)
    client = kiosk(broker.port, "3.1.1")
    assert wait_until(lambda: client.ups)
    assert {packet.level for packet in broker.of(CONNECT)} == {4}
    assert set(client.goodbyes) == {
        "the broker does not speak MQTT 3.1.1: look at protocol in [broker]"
    }


def test_one_that_breaks_off_at_the_question_what_it_passes_on_is_asked_no_more(byte_broker, kiosk):
    """A refusal that MQTT 3.1.1 has a word for, and some brokers have none."""
    broker = byte_broker(OLD_CONNACK)
    broker.breaks_at = TOPICS.own_events.encode()
    client = kiosk(broker.port, "3.1.1")
    assert wait_until(lambda: client.ups == 4)
    mid = client.broker.publish(TOPICS.status, b"{}")
    assert wait_until(lambda: (mid, None) in client.answers)
    assert len(broker.of(SUBSCRIBE)) == 3
    assert client.broker.window > 1


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_one_that_breaks_off_at_a_topic_is_not_asked_for_it_and_the_kiosk_stays(
    byte_broker, kiosk, protocol
):
    """RabbitMQ does, where a kiosk may not read: before, it was thrown out for ever."""
    broker = byte_broker(connack() if protocol == "5" else OLD_CONNACK)
    broker.breaks_at = b"/announce"
    heard = {topic: Listener(lambda _: None) for topic in ("a/first", "a/announce", "a/last")}
    client = kiosk(broker.port, protocol, listeners=heard)
    assert wait_until(lambda: client.ups == 4)
    mid = client.broker.publish(TOPICS.status, b"{}", kind=JSON)
    assert wait_until(lambda: (mid, None) in client.answers)
    asked = [packet.body for packet in broker.of(SUBSCRIBE)]
    assert sum(b"/announce" in body for body in asked) == 3
    assert sum(b"/first" in body for body in asked) == 4
    assert wait_until(lambda: any(b"/last" in one.body for one in broker.of(SUBSCRIBE)))
    broker.say(disconnect(0x8B) if protocol == "5" else b"\xf0\x00")
    assert wait_until(lambda: sum(b"/announce" in one.body for one in broker.of(SUBSCRIBE)) == 4)


def test_one_that_falls_silent_at_a_message_is_left_and_the_others_go(
    byte_broker, kiosk, monkeypatch
):
    """As RabbitMQ does at one larger than its max_message_size: before, nothing went any more."""
    monkeypatch.setattr(oldest, "STALLED_S", 0.3)
    broker = byte_broker(OLD_CONNACK)
    broker.chokes_on = b"large"
    client = kiosk(broker.port, "3.1.1")
    assert wait_until(client.broker.connected)
    first, second = (client.broker.publish(TOPICS.status, one) for one in (b"large", b"small"))
    assert wait_until(lambda: len(client.answers) == 2)
    answers = dict(client.answers)
    assert answers[first].startswith(TOO_LARGE)
    assert answers[second] is None
    assert {why for why in client.goodbyes if "acknowledges nothing" not in why} == set()
    assert client.ups == 4


def test_mosquitto_without_retained_messages_is_told_what_happens(make_mosquitto, kiosk):
    broker = make_mosquitto("retain_available false")
    broker.start()
    listener = Subscriber(broker.port)
    client = kiosk(broker.port)
    assert wait_until(client.broker.connected)
    client.broker.publish(TOPICS.status, b'{"online":true}', retain=True)
    assert wait_until(listener.statuses)
    listener.close()
    assert client.ups == 1


def test_mosquitto_at_qos_0_gets_no_event_and_nothing_is_lost(make_mosquitto, make_sender, journal):
    broker = make_mosquitto("max_qos 0")
    broker.start()
    journal.append(event(1))
    sender = make_sender(broker.port)
    assert wait_until(lambda: sender.goodbyes)
    assert wait_until(lambda: len(sender.goodbyes) > 2)
    assert {why for why in sender.goodbyes if "QoS 0 only" not in why} == set()
    assert journal.pending() == 1


def test_mosquitto_says_how_long_it_waits_for_a_sign_of_life(make_mosquitto, kiosk):
    broker = make_mosquitto("max_keepalive 10", "log_type all")
    broker.start()
    client = kiosk(broker.port)
    assert wait_until(client.broker.connected)
    assert client.broker._client.keepalive == 10
    assert json.dumps(client.goodbyes) == "[]"
