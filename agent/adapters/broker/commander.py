"""The other end of a command: publishes it by MQTT 5 and waits for the kiosk's reply."""

import queue

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.adapters.broker.reach import Reach, opened
from agent.domain.record.topics import BYTES
from agent.errors import UnavailableError


def ask(
    reach: Reach, topic: str, payload: bytes, replies: str | None, timeout_s: float
) -> bytes | None:
    """Publish once, at QoS 1; the first message on ``replies``, None where none is waited for.

    Raises:
        UnavailableError: the broker cannot be reached, refuses, or nothing came in time.
    """
    came: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def heard(_client: mqtt.Client, message: mqtt.MQTTMessage) -> None:
        if not message.retain:
            came.put(bytes(message.payload))

    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho left it out
    properties.ContentType = BYTES
    if replies is not None:
        properties.ResponseTopic, properties.CorrelationData = replies, payload[-8:]
    with opened(reach, [] if replies is None else [replies], heard, timeout_s) as client:
        sent = client.publish(topic, payload, 1, properties=properties)
        sent.wait_for_publish(timeout_s)
        if not sent.is_published():
            raise UnavailableError("the broker did not acknowledge the command")
        if replies is None:
            return None
        try:
            return came.get(timeout=timeout_s)
        except queue.Empty:
            fix = "see whether the kiosk is there, and whether its config has the key"
            raise UnavailableError(f"no reply came within {timeout_s:g} s", fix) from None
