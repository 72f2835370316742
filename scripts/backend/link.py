"""The backend's side of MQTT 5: paho, with acknowledgements that wait for the database."""

import queue
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MessageType, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from backend.config import Broker, secret
from backend.failures import ConfigError, MissingError
from backend.heard import MAX_BYTES

LARGEST_PACKET = 200_000
_HEAD_BYTES = 70_000
"""Of a PUBLISH packet, which has its topic and its number in it."""
MOST_QUEUED = 10_000
KEEPALIVE_S = 30
CONNECT_S = 15.0
PUBACK = int(MessageType.PUBACK)
_TOO_LONG = bytes(MAX_BYTES + 1)
_PUBACK = struct.Struct("!BBH")
"""Without a reason, which means success (OASIS MQTT 5.0, 3.4.2.1)."""


class Reader(mqtt.Client):
    """paho's client, which reads past what is longer than any message of the contract.

    Paho gathers up to 256 MB, and everybody whom the broker lets in may send that. Nor may the
    broker be told how much it may send: Mosquitto 2.0 drops what is longer and counts it as under
    way for good, until it sends nothing else. In the place of what is too long a message of its
    topic is handed on that is too long as well: it is refused, counted and acknowledged.
    """

    def _sock_recv(self, bufsize: int) -> bytes:
        # Paho asks for what is left of a packet, and keeps what it gets.
        if self._in_packet["remaining_length"] > LARGEST_PACKET:
            del self._in_packet["packet"][_HEAD_BYTES:]
        return super()._sock_recv(min(bufsize, LARGEST_PACKET))

    def _packet_handle(self) -> MQTTErrorCode:
        if self._in_packet["remaining_length"] <= LARGEST_PACKET:
            return super()._packet_handle()
        command, head = self._in_packet["command"], bytes(self._in_packet["packet"][:_HEAD_BYTES])
        if command & 0xF0 != MessageType.PUBLISH:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        end = 2 + int.from_bytes(head[:2])
        message = mqtt.MQTTMessage(int.from_bytes(head[end : end + 2]), head[2:end])
        message.qos, message.payload = command >> 1 & 3, _TOO_LONG
        self._handle_on_message(message)
        return MQTTErrorCode.MQTT_ERR_SUCCESS


def client(broker: Broker, name: str, *, manual_ack: bool = False) -> mqtt.Client:
    """A client that is not connected yet, with what the config says of TLS and who it is.

    Raises:
        ConfigError: a certificate or key cannot be read.
        MissingError: the password's file cannot be read.
    """
    made = Reader(CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv5, manual_ack=manual_ack)
    if broker.username is not None:
        password = None if broker.password_file is None else secret(broker.password_file)
        made.username_pw_set(broker.username, password)
    if broker.ca_file is not None:
        try:
            context = ssl.create_default_context(cafile=str(broker.ca_file))
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if broker.cert_file is not None:
                key = None if broker.key_file is None else str(broker.key_file)
                context.load_cert_chain(str(broker.cert_file), key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"[broker] certificates: {error}") from None
        made.tls_set_context(context)
    made.reconnect_delay_set(1, 30)
    return made


def properties(kind: int) -> Any:
    """What MQTT 5 says beside a packet of this kind; paho left the types out."""
    make: Any = Properties
    return make(kind)


def hello(*, session_s: int, in_flight: int) -> Any:
    """What CONNECT says: how long the session outlives the connection, and how much may wait."""
    found = properties(PacketTypes.CONNECT)
    found.SessionExpiryInterval = session_s
    found.ReceiveMaximum = in_flight
    return found


@contextmanager
def opened(made: mqtt.Client, broker: Broker, response: str | None = None) -> Iterator[None]:
    """``made`` connected, and subscribed to ``response``; closed at the end.

    Raises:
        MissingError: the broker does not answer, or refuses.
    """
    ready: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def connected(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            ready.put(f"the broker refuses this backend: {reason}")
        elif response is None:
            ready.put(None)
        else:
            made.subscribe(response, qos=1)

    def subscribed(_client: Any, _data: Any, _mid: Any, reasons: Any, _properties: Any) -> None:
        refused = any(one.is_failure for one in reasons)
        ready.put(f"the broker refuses {response}" if refused else None)

    made.on_connect = connected
    made.on_subscribe = subscribed
    try:
        made.connect(broker.host, broker.port)
    except OSError as error:
        raise MissingError(f"the broker does not answer: {error.strerror or error}") from None
    made.loop_start()
    try:
        try:
            why = ready.get(timeout=CONNECT_S)
        except queue.Empty:
            why = "the broker does not answer"
        if why is not None:
            raise MissingError(why)
        yield
    finally:
        made.disconnect()
        made.loop_stop()


@contextmanager
def sending(broker: Broker) -> Iterator[Callable[[str, bytes], None]]:
    """Something that publishes at QoS 1; at the end the broker has all of it.

    Raises:
        MissingError: the broker does not answer, refuses, or does not take it all.
    """
    made = client(broker, "")
    sent: list[mqtt.MQTTMessageInfo] = []
    with opened(made, broker):
        yield lambda topic, payload: sent.append(made.publish(topic, payload, qos=1))
        for one in sent:
            one.wait_for_publish(CONNECT_S)
        if not all(one.is_published() for one in sent):
            raise MissingError("the broker did not take all of it")


class Line:
    """A connection that keeps coming back, whose messages are acknowledged when somebody says so.

    A packet's number means something within one connection only: after the next one the broker
    sends again what was not acknowledged, under numbers of its own. So each message bears the
    number of its connection, and of an older one nothing is acknowledged.
    """

    def __init__(
        self,
        made: mqtt.Client,
        subscriptions: list[tuple[str, int]],
        heard: Callable[[int, mqtt.MQTTMessage], None],
        said: Callable[[str], None],
    ) -> None:
        """``heard`` gets the connection's number and a message; ``said`` a line for the log."""
        self._client = made
        self._subscriptions = subscriptions
        self._heard = heard
        self._said = said
        self._lock = threading.Lock()
        self._connection = 0
        self.subscribed = threading.Event()
        # What a broker does not acknowledge would fill the memory; kiosks and gaps ask again.
        made.max_queued_messages_set(MOST_QUEUED)
        made.on_connect = self._on_connect
        made.on_subscribe = self._on_subscribe
        made.on_disconnect = self._on_disconnect
        made.on_connect_fail = lambda *_: said("the broker does not answer")
        made.on_message = lambda _client, _data, message: heard(self._connection, message)

    def start(self, broker: Broker, said: Any) -> None:
        """Begin; it goes on by itself until ``stop``."""
        self._client.connect_async(
            broker.host,
            broker.port,
            keepalive=KEEPALIVE_S,
            clean_start=False,
            properties=said,
        )
        self._client.loop_start()

    def acknowledge(self, messages: Iterable[tuple[int, int]]) -> None:
        """Tell the broker that these messages are kept: each one's connection and number.

        Those of the connection as it is now; what came by an older one comes again.
        """
        with self._lock:
            mids = [mid for connection, mid in messages if connection == self._connection]
            if mids:
                # One write for all of them: by ``Client.ack`` each is a write and wakes paho's
                # thread, a third of what an event costs.
                acknowledged = b"".join(_PUBACK.pack(PUBACK, 2, mid) for mid in mids)
                self._client._packet_queue(PUBACK, acknowledged, 0, 0)  # noqa: SLF001 - as above

    def publish(self, topic: str, payload: bytes) -> None:
        """Hand a message over, at QoS 1; it waits while the broker is away, ``MOST_QUEUED`` do."""
        self._client.publish(topic, payload, qos=1)

    def stop(self) -> None:
        """Say goodbye; the session stays at the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, made: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._said(f"the broker refuses this backend: {reason}")
            return
        with self._lock:
            self._connection += 1
        made.subscribe([(topic, SubscribeOptions(qos=qos)) for topic, qos in self._subscriptions])

    def _on_subscribe(
        self, _client: Any, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        for (topic, _), reason in zip(self._subscriptions, reasons, strict=False):
            if reason.is_failure:
                self._said(f"the broker refuses {topic}: {reason}")
        self._said("connected")
        self.subscribed.set()

    def _on_disconnect(
        self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        with self._lock:
            self._connection += 1
        self.subscribed.clear()
        self._said(f"the connection ended: {reason}")
