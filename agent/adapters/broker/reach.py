"""A connection as a community's people make it: for one matter, and closed after it."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from agent.adapters.broker.failures import why_not_connected
from agent.adapters.broker.login import read_password, tls_context
from agent.errors import UnavailableError

_CONNECT_S = 5.0
_KEEPALIVE_S = 30
_IN_FLIGHT = 100
_FIX = "name the broker with --host and --port, as the kiosks' [broker] does"


@dataclass(frozen=True, slots=True)
class Reach:
    """How to reach the community's broker; TLS is on where ``ca_file`` is given.

    ``password_file`` has mode 0600 or stricter.
    """

    host: str
    port: int = 1883
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = field(default=None, repr=False)
    protocol: str = "5"


@contextlib.contextmanager
def opened(
    reach: Reach,
    topics: Sequence[str],
    heard: Callable[[mqtt.Client, mqtt.MQTTMessage], None],
    timeout_s: float,
) -> Iterator[mqtt.Client]:
    """A client that is connected and hears ``topics``; ``heard`` is called from its thread.

    Raises:
        UnavailableError: the broker cannot be reached, or refuses, or a file cannot be used.
    """
    ready, refused = threading.Event(), list[str]()

    def on_connect(client: mqtt.Client, _u: Any, _f: Any, code: Any, _p: Any) -> None:
        if code.is_failure:
            refused.append(f"the broker refuses: {code}")
        elif topics:
            client.subscribe([(topic, 1) for topic in topics])
            return
        ready.set()

    def on_subscribe(_c: Any, _u: Any, _m: Any, codes: Sequence[Any], _p: Any) -> None:
        if any(code.is_failure for code in codes):
            refused.append("the broker does not let this user read there")
        ready.set()

    client = client_for(reach)
    client.on_connect, client.on_subscribe = on_connect, on_subscribe
    client.on_message = lambda one, _user, message: heard(one, message)
    try:
        client.connect(reach.host, reach.port, _KEEPALIVE_S)
    except OSError as error:
        why = why_not_connected(error, reach.host, reach.port)
        raise UnavailableError(f"the broker cannot be reached: {why}", _FIX) from error
    client.loop_start()
    try:
        if not ready.wait(timeout_s) or refused:
            raise UnavailableError(next(iter(refused), "the broker does not answer"), _FIX)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def client_for(reach: Reach) -> mqtt.Client:
    """A client that is not connected yet, with an id that the broker gives it.

    Raises:
        UnavailableError: a file cannot be used.
    """
    version = mqtt.MQTTv5 if reach.protocol == "5" else mqtt.MQTTv311
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=version)
    client.connect_timeout = _CONNECT_S
    client.max_inflight_messages_set(_IN_FLIGHT)
    if reach.username is not None:
        file = reach.password_file
        client.username_pw_set(reach.username, None if file is None else read_password(file))
    if reach.ca_file is not None:
        client.tls_set_context(tls_context(reach.ca_file, reach.cert_file, reach.key_file))
    return client
