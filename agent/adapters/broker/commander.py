"""The other end of a command: publishes it by MQTT 5 and waits for the kiosk's reply."""

import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.adapters.broker.failures import why_not_connected
from agent.domain.record.topics import BYTES
from agent.errors import UnavailableError

_CONNECT_S = 5.0


@dataclass(frozen=True, slots=True)
class Reach:
    """How to reach the community's broker."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


def ask(
    reach: Reach, topic: str, payload: bytes, replies: str | None, timeout_s: float
) -> bytes | None:
    """Publish once, at QoS 1; the first message on ``replies``, None where none is waited for.

    Raises:
        UnavailableError: the broker cannot be reached, refuses, or nothing came in time.
    """
    call = _Call(reach, replies, timeout_s)
    try:
        call.begin()
        return call.put(topic, payload)
    finally:
        call.end()


class _Call:
    """One question, on a connection of its own."""

    def __init__(self, reach: Reach, replies: str | None, timeout_s: float) -> None:
        self._reach = reach
        self._replies = replies
        self._timeout_s = timeout_s
        self._ready, self._answered = threading.Event(), threading.Event()
        self._why: str | None = None
        self._heard: bytes | None = None
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.connect_timeout = _CONNECT_S
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def begin(self) -> None:
        """Connect, and listen for the reply before anything is asked."""
        reach = self._reach
        if reach.username is not None:
            self._client.username_pw_set(reach.username, reach.password)
        if reach.ca_file is not None:
            self._client.tls_set_context(_tls(reach))
        try:
            self._client.connect(reach.host, reach.port, keepalive=30)
        except OSError as error:
            raise UnavailableError(why_not_connected(error, reach.host, reach.port)) from error
        self._client.loop_start()
        if not self._ready.wait(self._timeout_s) or self._why is not None:
            raise UnavailableError(self._why or "the broker does not answer")

    def put(self, topic: str, payload: bytes) -> bytes | None:
        """Publish, and wait."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho left it out
        properties.ContentType = BYTES
        if self._replies is not None:
            properties.ResponseTopic, properties.CorrelationData = self._replies, payload[-8:]
        sent = self._client.publish(topic, payload, 1, properties=properties)
        sent.wait_for_publish(self._timeout_s)
        if not sent.is_published():
            raise UnavailableError("the broker did not acknowledge the command")
        if self._replies is not None and not self._answered.wait(self._timeout_s):
            fix = "see whether the kiosk is there, and whether its config has the key"
            raise UnavailableError(f"no reply came within {self._timeout_s:g} s", fix)
        return self._heard

    def end(self) -> None:
        """Say goodbye."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, _c: Any, _u: Any, _f: Any, code: Any, _p: Any) -> None:
        if code.is_failure:
            self._why = f"the broker refuses: {code}"
        elif self._replies is not None:
            self._client.subscribe(self._replies, qos=1)
            return
        self._ready.set()

    def _on_subscribe(self, _c: Any, _u: Any, _m: Any, codes: list[Any], _p: Any) -> None:
        if any(code.is_failure for code in codes):
            self._why = "the broker lets nobody read the reply here"
        self._ready.set()

    def _on_message(self, _c: Any, _u: Any, message: mqtt.MQTTMessage) -> None:
        if not message.retain and self._heard is None:
            self._heard = bytes(message.payload)
            self._answered.set()


def _tls(reach: Reach) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=reach.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # As the kiosk's own: a community's own small CA may leave key identifiers out.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if reach.cert_file is not None:
            context.load_cert_chain(reach.cert_file, reach.key_file)
    except (OSError, ssl.SSLError) as error:
        raise UnavailableError(f"TLS: a file cannot be used: {error}", "name PEM files") from error
    return context
