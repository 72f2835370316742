"""What the demo brings along: a subscriber and two portraits."""

import importlib.util
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from agent.errors import UnavailableError

_PORTRAITS = {
    "collins": ("skimage", "data/astronaut.png"),
    "hopper": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
}


def portrait(name: str) -> Path:
    """A public-domain portrait out of an installed wheel (extra ``demo``).

    Raises:
        UnavailableError: the wheel is not installed, or has it no more.
    """
    package, file = _PORTRAITS[name]
    # Looked up, not imported: only the file is wanted.
    spec = importlib.util.find_spec(package)
    path = Path(spec.origin).parent / file if spec is not None and spec.origin else None
    if path is None or not path.is_file():
        raise UnavailableError(
            f"the demo's portrait from {package} is missing", "scripts/setup --demo"
        )
    return path


class Subscriber:
    """Hears everything below ``gate/``, and comes back when the broker does."""

    def __init__(self, port: int) -> None:
        self._condition = threading.Condition()
        self._events: list[dict[str, Any]] = []
        self._heard: list[tuple[str, bytes]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "demo-backend", clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._subscribe
        self._client.on_message = self._hear
        self._client.connect_async("127.0.0.1", port, keepalive=5)
        self._client.loop_start()

    def mark(self) -> int:
        """How many events came so far."""
        with self._condition:
            return len(self._events)

    def wait_for(
        self, wanted: Callable[[dict[str, Any]], bool], after: int, timeout_s: float
    ) -> dict[str, Any] | None:
        """The first event behind the first ``after`` that is ``wanted``, or None in time."""
        deadline_s = time.monotonic() + timeout_s
        with self._condition:
            while True:
                found = next((event for event in self._events[after:] if wanted(event)), None)
                left_s = deadline_s - time.monotonic()
                if found is not None or left_s <= 0.0:
                    return found
                self._condition.wait(left_s)

    def payloads(self) -> list[bytes]:
        """The events as they came, oldest first."""
        with self._condition:
            return [payload for where, payload in self._heard if "/events/" in where]

    def heard(self, topic: str) -> list[bytes]:
        """What came on exactly this topic so far."""
        with self._condition:
            return [payload for where, payload in self._heard if where == topic]

    def publish(self, topic: str, payload: bytes) -> None:
        """Say something at QoS 1."""
        self._client.publish(topic, payload, 1)

    def close(self) -> None:
        """Say goodbye."""
        self._client.disconnect()
        self._client.loop_stop()

    def _subscribe(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe("gate/#", qos=1)

    def _hear(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        with self._condition:
            self._heard.append((message.topic, bytes(message.payload)))
            if "/events/" in message.topic:
                self._events.append(json.loads(message.payload))
            self._condition.notify_all()
