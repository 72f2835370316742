"""A real Mosquitto on a free loopback port, and somebody who listens; fixtures for every test."""

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds, timeout_s=60.0):
    """Whether ``holds()`` came true in time; polled, so only what does not takes long.

    A costly look is taken more rarely: what is waited for needs the processor too.
    """
    deadline_s = time.monotonic() + timeout_s
    while True:
        looked_s = time.monotonic()
        if holds():
            return True
        now_s = time.monotonic()
        if now_s > deadline_s:
            return False
        time.sleep(min(max(0.01, 4 * (now_s - looked_s)), 0.25))


class Server:
    """A broker of any make: ``start``, ``stop``, ``kill`` and ``start`` again on the same port.

    ``login`` is for whoever connects: with the fields of ``BrokerSettings``.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        self.port = free_port()
        self.config = folder / f"{kind}-{self.port}.conf"
        self.log = self.config.with_suffix(".log")
        self.login: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def surroundings(self) -> dict[str, str] | None:
        """Its environment; None for that of the tests."""
        return None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, env=self.surroundings()
            )
        assert wait_until(self.answers), self.log.read_text()

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.terminate()
            process.wait(60)

    def kill(self) -> None:
        process, self.process = self.process, None
        assert process is not None
        process.kill()
        process.wait(60)

    def answers(self) -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=0.5).close()
            return True
        return False


class Mosquitto(Server):
    """Mosquitto by these lines of config; it writes nothing down unless they say so."""

    def __init__(self, folder: Path, *lines: str, anonymous: bool = True) -> None:
        super().__init__(folder, "mosquitto")
        self.config.write_text(
            "\n".join(
                [
                    f"listener {self.port} 127.0.0.1",
                    f"allow_anonymous {'true' if anonymous else 'false'}",
                    "persistence false",
                    "user root",
                    *lines,
                    "",
                ]
            )
        )

    def command(self) -> list[str]:
        assert PROGRAM is not None
        return [PROGRAM, "-c", str(self.config)]


class Subscriber:
    """Keeps every message in the order of arrival."""

    def __init__(
        self,
        port: int,
        name: str = "subscriber",
        protocol: str = "5",
        topic: str = "gate/#",
        *,
        stays: bool = False,
        **login: str,
    ) -> None:
        """``stays``: by MQTT 3.1.1 the broker keeps for it what comes while it is away."""
        self.messages: list[tuple[str, bytes, bool]] = []
        self.subscribed = threading.Event()
        version = mqtt.MQTTv5 if protocol == "5" else mqtt.MQTTv311
        clean = None if protocol == "5" else not stays
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, name, clean_session=clean, protocol=version
        )
        if login:
            self.client.username_pw_set(login["username"], login["password"])
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_disconnect = lambda *_: self.subscribed.clear()
        self.client.on_message = lambda _c, _u, message: self.messages.append(
            (message.topic, bytes(message.payload), message.retain)
        )
        self.client.connect("127.0.0.1", port, keepalive=5)
        self.client.loop_start()
        assert self.subscribed.wait(60)

    def events(self, family: str = "") -> list[dict[str, Any]]:
        return [
            json.loads(payload)
            for topic, payload, _ in list(self.messages)
            if f"/events/{family}" in topic
        ]

    def statuses(self) -> list[dict[str, Any]]:
        return [
            json.loads(payload)
            for topic, payload, _ in list(self.messages)
            if topic.endswith("/status")
        ]

    def close(self) -> None:
        self.client.disconnect()
        # paho closes the socket with the goodbye, or never.
        wait_until(lambda: not self.subscribed.is_set(), 3)
        self.client.loop_stop()
        self.client._reset_sockets()  # as it would when the interpreter thinks of it


@pytest.fixture
def make_mosquitto(tmp_path):
    """Brokers with settings of their own; all are stopped at the end."""
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    made: list[Mosquitto] = []

    def make(*lines: str, anonymous: bool = True) -> Mosquitto:
        made.append(Mosquitto(tmp_path, *lines, anonymous=anonymous))
        return made[-1]

    yield make
    for broker in made:
        broker.stop()


@pytest.fixture
def mosquitto(make_mosquitto):
    """A running broker that takes anybody."""
    broker = make_mosquitto()
    broker.start()
    return broker


@pytest.fixture
def subscriber(mosquitto):
    """Somebody who hears everything below ``gate/``."""
    listener = Subscriber(mosquitto.port)
    yield listener
    listener.close()
