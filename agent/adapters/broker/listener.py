"""Who hears what the broker sends, and how much of it: bounded before anybody reads it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import paho.mqtt.client as mqtt

LARGEST_HEARD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came, and what the broker says of it.

    ``payload`` is None where it is longer than its listener hears. ``repeated``: the broker has
    tried to deliver it before. The last two are MQTT 5's, for whoever asks something.
    """

    payload: bytes | None = field(repr=False)
    retained: bool = False
    repeated: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears the messages of one topic; ``retained`` ones too, where it says so.

    ``heard`` is called from paho's thread with at most ``largest_bytes``; it may neither block nor
    raise. ``whole`` in its place gets every message, the retained and the too long among them, and
    tells them apart by itself.
    """

    heard: Callable[[bytes], None] | None = None
    retained: bool = False
    largest_bytes: int = LARGEST_HEARD_BYTES
    whole: Callable[[Incoming], None] | None = None

    def take(self, message: mqtt.MQTTMessage) -> None:
        """Hand the message on, as far as it is for this listener."""
        fits = len(message.payload) <= self.largest_bytes
        if self.whole is not None:
            self.whole(_incoming(message, bytes(message.payload) if fits else None))
        elif self.heard is not None and fits and (self.retained or not message.retain):
            # A retained message answers nothing that was asked just now.
            self.heard(bytes(message.payload))


def _incoming(message: mqtt.MQTTMessage, payload: bytes | None) -> Incoming:
    said = message.properties
    topic = getattr(said, "ResponseTopic", None)
    correlation = getattr(said, "CorrelationData", None)
    return Incoming(payload, bool(message.retain), bool(message.dup), topic, correlation)
