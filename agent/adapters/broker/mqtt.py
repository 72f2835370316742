"""The community's broker through paho-mqtt 2.

paho keeps what was published and not acknowledged, and sends it again in order after a reconnect;
while it is offline it would queue without limit. So nothing is handed over while disconnected, and
the outbox bounds what is under way: the journal is the queue, not the RAM.

A message larger than the broker takes (Maximum Packet Size) is refused here, as if the broker had.
One that says no such thing breaks the connection off instead: whatever was the oldest in three
connections that broke before it was acknowledged, is taken back as too large.

The agent listens to no topics but those of its listeners, each with its own handler: the answer to
its own question for the time and commands, which count only with a signature, and announcements,
which make sound and nothing else.
"""

import itertools
import json
import ssl
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

from agent.adapters.broker.listener import Listener
from agent.adapters.broker.mqtt_client import SteadyClient, packet_bytes
from agent.adapters.broker.proof import Proof
from agent.adapters.secrets import exposed_mode
from agent.domain.foreign.boundary import read_or
from agent.domain.foreign.text import NoTextError, text_of
from agent.domain.record.topics import CLOUD_EVENT, JSON
from agent.errors import UnavailableError
from agent.ports import TOO_LARGE

MAX_IN_FLIGHT = 100
_FIRST_RETRY_S, _LONGEST_RETRY_S = 1, 60
_CONNECT_TIMEOUT_S = 5.0
_MOST_BREAKS = 3

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
        self._largest_bytes: int | None = None
        self._refused = itertools.count(-1, -1)
        self._proof = Proof(callbacks.acknowledged, time.monotonic)
        self._oldest: int | None = None
        self._breaks = 0
        self._kinds: dict[tuple[int, str], Properties] = {}
        self._asked: int | None = None
        version = mqtt.MQTTv5 if settings.protocol == "5" else mqtt.MQTTv311
        self._five = version == mqtt.MQTTv5
        self._client = SteadyClient(
            CallbackAPIVersion.VERSION2, settings.client_id, protocol=version
        )
        self._client.max_inflight_messages_set(MAX_IN_FLIGHT)
        self._client.reconnect_delay_set(_FIRST_RETRY_S, _LONGEST_RETRY_S)
        self._client.connect_timeout = _CONNECT_TIMEOUT_S
        will_kind = self._of_kind(JSON, PacketTypes.WILLMESSAGE)
        self._client.will_set(settings.will_topic, _json(settings.will), 1, True, will_kind)
        if settings.username is not None:
            self._client.username_pw_set(settings.username, settings.password)
        if settings.ca_file is not None:
            self._client.tls_set_context(_tls(settings))
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._client.lost = self._on_lost
        self._client.turn = self._proof.look

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
        return self._largest_bytes

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
            return self._client.publish(topic, payload, 1, retain, properties).mid

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
            info = self._client.publish(self._settings.will_topic, stopped, 1, True, kind)
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
        most = self._largest_bytes
        if most is None or (size := packet_bytes(topic, payload, properties)) <= most:
            return None
        return f"{TOO_LARGE}: {size} bytes, and the broker takes {most} (its max_packet_size)"

    def _take_limits(self, said: Properties | None) -> None:
        """What the broker said with its acceptance, and what it has shown."""
        self._largest_bytes = getattr(said, "MaximumPacketSize", None)
        at_a_time = min(getattr(said, "ReceiveMaximum", MAX_IN_FLIGHT), MAX_IN_FLIGHT)
        back = {
            one.mid: why
            for one in self._client.kept()
            if (why := self._too_large(one.topic, one.payload, one.properties))
        }
        if self._oldest is not None and self._breaks >= _MOST_BREAKS:
            why = f"{TOO_LARGE}, it seems: {self._breaks} connections broke off before its answer"
            back.setdefault(self._oldest, why)
            self._oldest, self._breaks = None, 0
        self._client.begin_again(at_a_time, back)
        for mid, why in back.items():
            self._callbacks.acknowledged(mid, why)

    def _note_break(self) -> None:
        oldest = next((one.mid for one in self._client.kept()), None)
        self._breaks = self._breaks + 1 if oldest == self._oldest else 1
        self._oldest = oldest

    def _on_connect(self, _c: Any, _u: Any, _f: Any, code: ReasonCode, said: Any) -> None:
        if code.is_failure:
            self._connected.clear()
            self._callbacks.disconnected(f"the broker refuses this kiosk: {code}")
            return
        _log.info("broker_connected", host=self._settings.host)
        self._take_limits(said)
        for topic in self._callbacks.listeners:
            self._client.subscribe(topic, qos=1)
        self._asked = None
        if self._settings.own_events is not None and not self._five:
            self._proof.connected()
            self._asked = self._client.subscribe(self._settings.own_events, qos=1)[1]
        self._connected.set()
        self._callbacks.connected()

    def _on_subscribe(self, _c: Any, _u: Any, mid: int, codes: list[ReasonCode], _p: Any) -> None:
        if mid == self._asked and any(code.is_failure for code in codes):
            _log.info("cannot_tell_what_is_passed_on")
            self._proof.not_allowed()

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

    def _on_disconnect(self, _c: Any, _u: Any, _f: Any, code: ReasonCode, _p: Any) -> None:
        if self._connected.is_set():
            self._note_break()
        self._connected.clear()
        self._gone.set()
        why = self._client.why or f"the connection to the broker ended: {code}"
        self._callbacks.disconnected(why)

    def _on_lost(self, why: str) -> None:
        self._connected.clear()
        self._callbacks.disconnected(why)

    def _on_publish(self, _c: Any, _u: Any, mid: int, code: ReasonCode, _p: Any) -> None:
        if self._proof.holds(mid):
            return
        self._callbacks.acknowledged(mid, str(code) if code.is_failure else None)


def read_password(path: Path) -> str:
    """The broker's password from a file of mode 0600 or stricter.

    Raises:
        UnavailableError: it is missing, empty, or open to others.
    """
    try:
        mode = exposed_mode(path, path.stat())
        text = text_of(path.read_bytes()).strip("\r\n")
    except (OSError, NoTextError) as error:
        fix = f"write the password into {path} with mode 0600"
        raise UnavailableError(f"the broker's password file {path} cannot be read", fix) from error
    if mode is not None:
        raise UnavailableError(f"{path} is open to others (mode {mode:04o})", f"chmod 600 {path}")
    if not text:
        raise UnavailableError(f"{path} is empty", "write the broker's password into it")
    return text


def _tls(settings: BrokerSettings) -> ssl.SSLContext:
    missing = settings.ca_file
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Python 3.13 asks for key identifiers, which a community's own small CA may leave out.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if settings.cert_file is not None:
            missing = settings.cert_file
            context.load_cert_chain(settings.cert_file, settings.key_file)
    except (OSError, ssl.SSLError) as error:
        fix = "name PEM files in [broker]: ca_file, cert_file, key_file"
        raise UnavailableError(f"TLS: {missing} cannot be used: {error}", fix) from error
    return context


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
