"""One connection that finds out whether this kiosk's events would be passed on.

    connect -> subscribe to its own events -> publish an empty message at their root -> hear it

The root of the events (``.../events``) is within what a kiosk may write and read as
``.../events/#``, and no consumer takes what comes there for an event. The client's id is the
broker's to give: the running agent's own would throw the agent out.
"""

import socket
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ssl import cert_time_to_seconds
from typing import Any

import paho.mqtt.client as mqtt

from agent.adapters.broker.failures import why_not_connected
from agent.adapters.broker.login import tls_context
from agent.adapters.broker.reach import Reach, client_for
from agent.errors import UnavailableError

_STEP_S = 5
_FIX = "docs/broker.md has a table of what it says; look at [broker] in gate.toml"


@dataclass(slots=True)
class Trial:
    """What was met; ``refused`` and ``unread`` are the broker's words, by MQTT 5 only."""

    tls: str | None = None
    expires_days: float | None = None
    refused: str | None = None
    unread: bool = False
    acknowledged: bool = False
    came_back: bool = False


@dataclass(slots=True)
class _Ears:
    connected: threading.Event = field(default_factory=threading.Event)
    subscribed: threading.Event = field(default_factory=threading.Event)
    published: threading.Event = field(default_factory=threading.Event)
    heard: threading.Event = field(default_factory=threading.Event)
    no: str | None = None


def try_events(reach: Reach, root: str) -> Trial:
    """What becomes of an empty message at ``root``, the topic of the kiosk's events without ``/#``.

    Each step takes five seconds at most.

    Raises:
        UnavailableError: the broker cannot be reached, or refuses, or a file cannot be used.
    """
    ears, trial, client = _Ears(), Trial(), client_for(reach)
    _listen(client, ears, trial)
    try:
        _reach_out(reach, trial)
        client.connect(reach.host, reach.port, keepalive=_STEP_S)
    except OSError as error:
        raise UnavailableError(why_not_connected(error, reach.host, reach.port), _FIX) from error
    client.loop_start()
    try:
        if not ears.connected.wait(_STEP_S):
            message = "it does not answer to MQTT, or broke off before it accepted this kiosk"
            raise UnavailableError(message, _FIX)
        if ears.no is not None:
            raise UnavailableError(f"it refuses this kiosk: {ears.no}", _FIX)
        client.subscribe(f"{root}/#", 1)
        trial.unread = not ears.subscribed.wait(_STEP_S) or trial.unread
        client.publish(root, b"", 1)
        if ears.published.wait(_STEP_S) and trial.refused is None:
            trial.acknowledged = True
            trial.came_back = not trial.unread and ears.heard.wait(_STEP_S)
    finally:
        client.disconnect()
        client.loop_stop()
    return trial


def _listen(client: mqtt.Client, ears: _Ears, trial: Trial) -> None:
    def on_connect(_c: Any, _u: Any, _f: Any, code: Any, _p: Any) -> None:
        ears.no = str(code) if code.is_failure else None
        ears.connected.set()

    def on_subscribe(_c: Any, _u: Any, _m: Any, codes: Any, _p: Any) -> None:
        trial.unread = any(code.is_failure for code in codes)
        ears.subscribed.set()

    def on_publish(_c: Any, _u: Any, _m: Any, code: Any, _p: Any) -> None:
        trial.refused = str(code) if code.is_failure else None
        ears.published.set()

    def on_message(_c: Any, _u: Any, message: mqtt.MQTTMessage) -> None:
        if not message.payload and not message.retain:
            ears.heard.set()

    client.on_connect, client.on_subscribe = on_connect, on_subscribe
    client.on_publish, client.on_message = on_publish, on_message


def _reach_out(reach: Reach, trial: Trial) -> None:
    """Name, connection and TLS alone: of a handshake that fails paho leaves the socket open.

    Raises:
        OSError: one of them fails.
        UnavailableError: a file cannot be used.
    """
    with socket.create_connection((reach.host, reach.port), _STEP_S) as line:
        if reach.ca_file is None:
            return
        context = tls_context(reach.ca_file, reach.cert_file, reach.key_file)
        with context.wrap_socket(line, server_hostname=reach.host) as secure:
            trial.tls = secure.version()
            ends = (secure.getpeercert() or {}).get("notAfter")
    if isinstance(ends, str):
        left_s = cert_time_to_seconds(ends) - datetime.now(UTC).timestamp()
        trial.expires_days = left_s / 86_400.0
