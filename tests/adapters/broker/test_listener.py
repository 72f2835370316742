"""What a listener gets of a message, from a real Mosquitto and by the flags of a redelivery."""

import paho.mqtt.client as mqtt
import pytest
from mosquitto import wait_until
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.adapters.broker.listener import LARGEST_HEARD_BYTES, Incoming, Listener
from agent.adapters.broker.mqtt import BrokerCallbacks, BrokerSettings, PahoBroker
from agent.adapters.broker.mqtt_client import LARGEST_PACKET_BYTES
from agent.domain.record.status import offline
from agent.domain.record.topics import BYTES

ASK, REST, ANSWER = "gate/a/b/c/commands", "gate/a/b/c/rest", "gate/a/b/c/replies"


@pytest.fixture(params=["5", "3.1.1"])
def kiosk(request, mosquitto, subscriber):
    """A kiosk that hears two topics: one whole, one as far as it is for it."""
    whole: list[Incoming] = []
    rest: list[bytes] = []
    retain(subscriber, ASK, b"retained")
    retain(subscriber, REST, b"retained")
    settings = BrokerSettings(
        "127.0.0.1",
        mosquitto.port,
        "kiosk",
        "gate/a/b/c/status",
        offline("lost"),
        protocol=request.param,
    )
    listeners = {ASK: Listener(whole=whole.append), REST: Listener(rest.append)}
    callbacks = BrokerCallbacks(lambda: None, lambda _: None, lambda _m, _w: None, listeners)
    broker = PahoBroker(settings, callbacks)
    broker.start()
    assert wait_until(lambda: whole)
    yield broker, whole, rest
    broker.close(2.0)


def retain(subscriber, topic: str, payload: bytes) -> None:
    subscriber.client.publish(topic, payload, 1, retain=True).wait_for_publish(10)


def test_a_whole_one_gets_every_message_with_what_is_said_of_it(kiosk, subscriber) -> None:
    broker, whole, rest = kiosk
    asks = Properties(PacketTypes.PUBLISH)
    asks.ResponseTopic, asks.CorrelationData = f"{ANSWER}/7", b"seven"
    subscriber.client.publish(ASK, b"a" * LARGEST_HEARD_BYTES, 1, properties=asks)
    subscriber.client.publish(ASK, b"a" * (LARGEST_HEARD_BYTES + 1), 1)
    subscriber.client.publish(REST, b"a" * (LARGEST_HEARD_BYTES + 1), 1)
    subscriber.client.publish(REST, b"b", 1)
    assert wait_until(lambda: rest)
    five = broker._settings.protocol == "5"
    said = (f"{ANSWER}/7", b"seven") if five else (None, None)
    assert whole == [
        Incoming(b"retained", retained=True),
        Incoming(b"a" * LARGEST_HEARD_BYTES, False, False, *said),
        Incoming(None),
    ]
    assert rest == [b"b"]


def test_a_long_message_costs_no_connection_be_it_retained(kiosk, subscriber) -> None:
    broker, _, rest = kiosk
    lost: list[str] = []
    object.__setattr__(broker._callbacks, "disconnected", lost.append)
    # More than Mosquitto has under way at a time: each is acknowledged, or never sent.
    for _ in range(30):
        subscriber.client.publish(REST, bytes(LARGEST_PACKET_BYTES + 1), 1)
    retain(subscriber, REST, bytes(3 * LARGEST_PACKET_BYTES))
    retain(subscriber, ASK, bytes(3 * LARGEST_PACKET_BYTES))
    subscriber.client.publish(REST, b"b", 1)
    assert wait_until(lambda: rest == [b"b"])
    assert lost == []
    # And with the next connection, by which the broker says the retained ones again.
    broker._client.hang_up("a test")
    assert wait_until(lambda: lost)
    assert wait_until(broker.connected)
    assert wait_until(lambda: _heard_again(subscriber, rest))
    assert lost == ["a test"]


def _heard_again(subscriber, rest: list[bytes]) -> bool:
    subscriber.client.publish(REST, b"c", 1).wait_for_publish(10)
    return b"c" in rest


def test_an_answer_says_which_request_it_answers(kiosk, subscriber) -> None:
    broker, _, _ = kiosk
    heard: list[mqtt.MQTTMessage] = []
    subscriber.client.message_callback_add(ANSWER, lambda _c, _u, message: heard.append(message))
    assert wait_until(broker.connected)
    broker.publish(ANSWER, b"done", kind=BYTES, correlation=b"seven")
    assert wait_until(lambda: heard)
    properties = heard[0].properties
    assert properties is not None
    five = broker._settings.protocol == "5"
    assert getattr(properties, "CorrelationData", None) == (b"seven" if five else None)
    assert getattr(properties, "ContentType", None) == (BYTES if five else None)


def test_a_redelivered_message_is_known() -> None:
    heard: list[Incoming] = []
    message = mqtt.MQTTMessage(topic=ASK.encode())
    message.payload, message.dup = b"once more", True
    Listener(whole=heard.append).take(message)
    assert heard == [Incoming(b"once more", repeated=True)]
