"""The community's broker through paho-mqtt 2.

paho keeps what was published and not acknowledged, and sends it again in order after a reconnect;
while it is offline it would queue without limit. So nothing is handed over while disconnected, and
the outbox bounds what is under way: the journal is the queue, not the RAM.

A message larger than the broker takes (Maximum Packet Size) is refused here, as if the broker had.
One that says no such thing breaks the connection off instead, or falls silent: then the oldest is
taken back (``oldest``).

The agent listens to no topics but those of its listeners, each with its own handler: the answer to
its own question for the time and commands, which count only with a signature, and announcements,
which make sound and nothing else.
"""

import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from agent.adapters.broker.answers import (
    MAX_IN_FLIGHT,
    RETAIN_NOT_SUPPORTED,
    Limits,
    why_ended,
    why_refused,
)
from agent.adapters.broker.listener import Listener
from agent.adapters.broker.login import tls_context
from agent.adapters.broker.mqtt_client import SteadyClient, packet_bytes
from agent.adapters.broker.oldest import STALLED_S, Oldest
from agent.adapters.broker.proof import Proof
from agent.adapters.broker.subscriptions import Subscriptions
from agent.domain.foreign.boundary import read_or
from agent.domain.record.topics import CLOUD_EVENT, JSON
from agent.ports import TOO_LARGE

_FIRST_RETRY_S, _LONGEST_RETRY_S = 1, 60
_CONNECT_TIMEOUT_S = 5.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """How to reach the broker, and what it says of us when we are gone."""

    host: str
    port: int
    client_id: str
    will_topic: str
    will: Mapping[str, Any]
    protocol: str = "5"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    keepalive_s: int = 30
    own_events: str | None = None
    """A filter of the topics of our own events, by which MQTT 3.1.1 is asked what it passes on."""


@dataclass(frozen=True, slots=True)
class BrokerCallbacks:
    """What the owner hears, from paho's thread; none of it may block.

    ``acknowledged`` gets a message id and the refusal's name, None where the broker accepted it.
    ``listeners`` are the only topics that are subscribed to, each without wildcards.
    """

    connected: Callable[[], None]
    disconnected: Callable[[str], None]
    acknowledged: Callable[[int, str | None], None]
    listeners: Mapping[str, Listener] = field(default_factory=dict)


class PahoBroker:
    """One connection that keeps coming back; no call waits for the network."""

    def __init__(self, settings: BrokerSettings, callbacks: BrokerCallbacks) -> None:
        """Prepare the client; ``start`` connects.

        Raises:
            UnavailableError: a certificate or key file is missing or wrong.
        """
        self._settings = settings
        self._callbacks = callbacks
        self._connected = threading.Event()
        self._gone = threading.Event()
        self._limits = Limits()
        self._refused = itertools.count(-1, -1)
        self._proof = Proof(callbacks.acknowledged, time.monotonic)
        self._oldest = Oldest()
        self._kinds: dict[tuple[int, str], Properties] = {}
        self._subscriptions = Subscriptions()
        version = mqtt.MQTTv5 if settings.protocol == "5" else mqtt.MQTTv311
        self._five = version == mqtt.MQTTv5
        self._client = SteadyClient(
            CallbackAPIVersion.VERSION2, settings.client_id, protocol=version
        )
        self._client.own_keepalive_s = settings.keepalive_s
        self._client.max_inflight_messages_set(MAX_IN_FLIGHT)
        self._client.reconnect_delay_set(_FIRST_RETRY_S, _LONGEST_RETRY_S)
        self._client.connect_timeout = _CONNECT_TIMEOUT_S
        self._leave_will(retained=True)
        if settings.username is not None:
            self._client.username_pw_set(settings.username, settings.password)
        if settings.ca_file is not None:
            context = tls_context(settings.ca_file, settings.cert_file, settings.key_file)
            self._client.tls_set_context(context)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._client.lost = self._on_lost
        self._client.turn = self._look

    def start(self) -> None:
        """Begin to connect, for ever, with growing patience; returns at once."""
        self._client.connect_async(
            self._settings.host, self._settings.port, self._settings.keepalive_s
        )
        self._client.loop_start()

    @property
    def window(self) -> int:
        """100: what is more than the broker takes at a time (Receive Maximum) waits in paho.

        One while it is not known whether the broker passes events on.
        """
        return MAX_IN_FLIGHT if self._proof.settled else 1

    @property
    def largest_bytes(self) -> int | None:
        """The broker's Maximum Packet Size; None where it said none, as in MQTT 3.1.1."""
        return self._limits.largest_bytes

    def connected(self) -> bool:
        """Whether the broker has accepted this client."""
        return self._connected.is_set()

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        kind: str = CLOUD_EVENT,
        correlation: bytes | None = None,
    ) -> int | None:
        """Hand one QoS 1 message over; its message id, or None while not connected.

        One that is larger than the broker takes is refused at once, under an id below 0.
        ``correlation`` says which request it answers; MQTT 3.1.1 has no place for it.
        """
        if not self._connected.is_set():
            return None
        properties = self._of_kind(kind)
        if properties is not None and correlation is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # as below
            properties.ContentType, properties.CorrelationData = kind, correlation
        why = self._too_large(topic, payload, properties)
        if why is not None:
            mid = next(self._refused)
            _log.warning("message_too_large", topic=topic, why=why)
            self._callbacks.acknowledged(mid, why)
            return mid

        def publish() -> int:
            # A connection lost just now leaves the message with paho, which sends it on return.
            kept = retain and self._limits.retains
            return self._client.publish(topic, payload, 1, kept, properties).mid

        try:
            return self._proof.hand_over(payload, publish) if kind == CLOUD_EVENT else publish()
        except (ValueError, RuntimeError) as error:
            _log.error("publish_refused", topic=topic, error=str(error))
            return None

    def say(self, topic: str, payload: bytes) -> None:
        """Hand one JSON message over at QoS 0; what meets a lost connection is gone with it."""
        if not self._connected.is_set():
            return
        properties = self._of_kind(JSON)
        if self._too_large(topic, payload, properties) is not None:
            return
        try:
            self._client.publish(topic, payload, 0, properties=properties)
        except (ValueError, RuntimeError) as error:
            _log.error("publish_refused", topic=topic, error=str(error))

    def close(self, timeout_s: float) -> None:
        """Say that the agent has stopped, and disconnect, within ``timeout_s``."""
        if self._connected.is_set():
            stopped = _json({**self._settings.will, "reason": "stopped"})
            kind = self._of_kind(JSON)
            kept = self._limits.retains
            info = self._client.publish(self._settings.will_topic, stopped, 1, kept, kind)
            try:
                info.wait_for_publish(timeout_s)
            except (ValueError, RuntimeError):
                _log.warning("status_not_published")
        self._client.finish()
        self._gone.clear()
        if self._client.disconnect() == mqtt.MQTT_ERR_SUCCESS:
            # paho closes its socket with the goodbye, or never.
            self._gone.wait(timeout_s)
        stopper = threading.Thread(target=self._client.loop_stop, daemon=True)
        stopper.start()
        stopper.join(timeout_s)

    def _of_kind(self, kind: str, packet: int = PacketTypes.PUBLISH) -> Properties | None:
        if not self._five:
            return None
        if (packet, kind) not in self._kinds:
            properties = Properties(packet)  # type: ignore[no-untyped-call] # paho left it out
            properties.ContentType = kind
            packed = properties.pack()  # type: ignore[no-untyped-call] # paho left it out
            # Made and packed once: for each event anew it took a fourth of the time to send it.
            object.__setattr__(properties, "pack", lambda: packed)
            self._kinds[packet, kind] = properties
        return self._kinds[packet, kind]

    def _too_large(
        self, topic: str, payload: bytes | bytearray, properties: Properties | None
    ) -> str | None:
        most = self._limits.largest_bytes
        if most is None or (size := packet_bytes(topic, payload, properties)) <= most:
            return None
        return f"{TOO_LARGE}: {size} bytes, and the broker takes {most} (its max_packet_size)"

    def _leave_will(self, *, retained: bool) -> None:
        """What the broker is told with the next connection to say when the kiosk is lost."""
        kind = self._of_kind(JSON, PacketTypes.WILLMESSAGE)
        will = _json(self._settings.will)
        self._client.will_set(self._settings.will_topic, will, 1, retained, kind)

    def _take_limits(self, said: Properties | None) -> None:
        """What the broker said with its acceptance, and what it has shown."""
        self._limits = limits = Limits.of(said)
        self._client.keep_alive(limits.keepalive_s)
        self._leave_will(retained=limits.retains)
        if not limits.retains:
            _log.warning("broker_retains_nothing", host=self._settings.host)
        back = {
            one.mid: why
            for one in self._client.kept()
            if (why := limits.objection or self._too_large(one.topic, one.payload, one.properties))
        }
        self._oldest.connected(time.monotonic())
        hopeless = self._oldest.hopeless()
        if hopeless is not None:
            mid, ends = hopeless
            seems = f"it seems, or not allowed: {ends} connections ended before its answer"
            back.setdefault(mid, f"{TOO_LARGE}, {seems}")
        self._client.begin_again(limits.at_a_time, back, retain=limits.retains)
        for mid, why in back.items():
            self._callbacks.acknowledged(mid, why)

    def _look(self) -> None:
        self._proof.look()
        if not self._connected.is_set():
            return
        if self._oldest.stalls(self._client.oldest(), time.monotonic()):
            why = f"the broker acknowledges nothing for {STALLED_S:.0f} s"
            self._client.hang_up(f"{why}: is it full, or does it not take what this kiosk sends?")

    def _on_connect(self, _c: Any, _u: Any, _f: Any, code: ReasonCode, said: Any) -> None:
        if code.is_failure:
            self._connected.clear()
            if code.value == RETAIN_NOT_SUPPORTED:
                self._leave_will(retained=False)
            self._stay_away(why_refused(code, said, self._settings.protocol))
            return
        self._take_limits(said)
        if self._limits.objection is not None:
            self._stay_away(self._limits.objection)
            return
        _log.info("broker_connected", host=self._settings.host)
        self._begin_to_ask()
        self._connected.set()
        self._callbacks.connected()

    def _stay_away(self, why: str) -> None:
        """Say why, and again as the connection ends: the last word counts."""
        self._client.why = why
        self._callbacks.disconnected(why)

    def _begin_to_ask(self) -> None:
        own = None if self._five else self._settings.own_events
        # First: it must be asked for before the first event goes.
        topics = [*([own] if own is not None else []), *self._callbacks.listeners]
        without = self._subscriptions.begin(topics)
        if own is not None:
            self._proof.connected()
        for topic in without:
            self._not_heard(topic, "it breaks off at the question")
        self._ask()

    def _ask(self) -> None:
        topic = self._subscriptions.next()
        if topic is not None:
            self._subscriptions.ask(self._client.subscribe(topic, qos=1)[1], topic)

    def _not_heard(self, topic: str, why: str) -> None:
        if topic == self._settings.own_events:
            _log.info("cannot_tell_what_is_passed_on", why=why)
            self._proof.not_allowed()
        else:
            _log.warning("broker_lets_not_hear", topic=topic, why=why)

    def _on_subscribe(self, _c: Any, _u: Any, mid: int, codes: list[ReasonCode], _p: Any) -> None:
        topic = self._subscriptions.answered(mid)
        if topic is not None and any(code.is_failure for code in codes):
            self._not_heard(topic, ", ".join(str(code) for code in codes))
        self._ask()

    def _on_message(self, _c: Any, _u: Any, message: mqtt.MQTTMessage) -> None:
        payload, own = bytes(message.payload), self._settings.own_events
        if own is not None and self._proof.heard(payload):
            self._client.unsubscribe(own)
        listener = self._callbacks.listeners.get(message.topic)
        if listener is not None:
            # Raising would end the connection, and a message that is not acknowledged comes again.
            read_or("broker message", None, lambda: listener.take(message))

    def _on_connect_fail(self, _c: Any, _u: Any) -> None:
        self._callbacks.disconnected(self._client.why or "the broker cannot be reached")

    def _on_disconnect(self, _c: Any, _u: Any, _f: Any, code: ReasonCode, said: Any) -> None:
        accepted = self._connected.is_set()
        if accepted:
            self._oldest.ended(self._client.oldest())
        self._connected.clear()
        self._gone.set()
        why = self._client.why or why_ended(code, said, accepted=accepted)
        self._callbacks.disconnected(why)

    def _on_lost(self, why: str) -> None:
        self._connected.clear()
        self._callbacks.disconnected(why)

    def _on_publish(self, _c: Any, _u: Any, mid: int, code: ReasonCode, _p: Any) -> None:
        if self._proof.holds(mid):
            return
        self._callbacks.acknowledged(mid, str(code) if code.is_failure else None)


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
