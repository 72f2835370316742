"""Brokers of several makes, each with a login: what the kiosk relies on must hold of all of them.

RabbitMQ takes a quarter of a minute to start, so one runs for all tests, and who uses it is slow.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mosquitto import PROGRAM, Mosquitto, Server, free_port

NATS = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")
# The one in /usr/sbin changes to a user of its own.
RABBITMQ = shutil.which("rabbitmq-server", path="/usr/lib/rabbitmq/bin")

LOGIN: dict[str, Any] = {"username": "kiosk", "password": "a-word"}


def mosquitto(folder: Path, *lines: str) -> Server:
    """As the kit has it: queues and retained messages are written down."""
    passwords = folder / "passwords"
    passwords.write_text("kiosk:a-word\n")
    passwords.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-U", passwords], check=True)
    kept = ("persistence true", f"persistence_location {folder}/")
    made = Mosquitto(folder, f"password_file {passwords}", *kept, *lines, anonymous=False)
    made.login = LOGIN
    return made


class Nats(Server):
    """NATS with JetStream, which its MQTT needs."""

    def __init__(self, folder: Path, *lines: str) -> None:
        super().__init__(folder, "nats")
        self.login = LOGIN
        # Storage is a block of its own, and may stand there once.
        blocks = "\n".join(lines)
        store = "" if "jetstream" in blocks else f'jetstream {{ store_dir: "{folder}/jetstream" }}'
        self.config.write_text(
            "\n".join(
                [
                    "server_name: gate",
                    f"listen: 127.0.0.1:{free_port()}",
                    store,
                    f"mqtt {{ listen: 127.0.0.1:{self.port} }}",
                    'authorization { users: [{ user: kiosk, password: "a-word" }] }',
                    blocks,
                ]
            )
        )

    def command(self) -> list[str]:
        assert NATS is not None
        return [NATS, "-c", str(self.config)]


class RabbitMq(Server):
    """RabbitMQ with its MQTT plugin; node, cookie and port mapper are in a folder of its own."""

    def __init__(self, folder: Path, *lines: str) -> None:
        super().__init__(folder, "rabbitmq")
        self.login = LOGIN
        self.folder = folder
        self._ports = {"ERL_EPMD_PORT": str(free_port()), "RABBITMQ_DIST_PORT": str(free_port())}
        self._mapper: subprocess.Popen[bytes] | None = None
        (folder / "plugins").write_text("[rabbitmq_mqtt].")
        self.config.write_text(
            "\n".join(
                [
                    "listeners.tcp = none",
                    f"mqtt.listeners.tcp.1 = 127.0.0.1:{self.port}",
                    "mqtt.allow_anonymous = false",
                    "mqtt.exchange = amq.topic",
                    "mqtt.subscription_ttl = 604800000",
                    "mqtt.prefetch = 100",
                    "default_user = kiosk",
                    "default_pass = a-word",
                    *lines,
                    "",
                ]
            )
        )

    def command(self) -> list[str]:
        assert RABBITMQ is not None
        return [RABBITMQ]

    def surroundings(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "RUNNING_UNDER_SYSTEMD": "1",  # its script becomes the server, and does not wait for it
            "HOME": str(self.folder),
            "ERL_CRASH_DUMP": str(self.folder / "crash"),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"gate{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.config),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false"
            ),
            **self._ports,
        }

    def start(self) -> None:
        if self._mapper is None:  # else Erlang starts one that stays
            self._mapper = subprocess.Popen(["epmd"], env=self.surroundings())
        super().start()

    def control(self, *arguments: str) -> None:
        """By ``rabbitmqctl``, which takes some seconds."""
        assert RABBITMQ is not None
        subprocess.run(
            [Path(RABBITMQ).with_name("rabbitmqctl"), *arguments],
            env=self.surroundings(),
            check=True,
            capture_output=True,
        )

    def close(self) -> None:
        self.stop()
        if self._mapper is not None:
            self._mapper.terminate()
            self._mapper.wait(60)


class Between:
    """A line to a broker on which a test has its hand: it can swallow, and be slow."""

    def __init__(self, port: int) -> None:
        self.swallows = False
        """What goes either way on connections of before is lost, and none of them ends."""
        self.slow_s = 0.0
        """What comes from the broker waits so long, each read of it."""
        self._there = port
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._run(self._accept)

    def _run(self, work: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._there))
                self._open += [near, far]
                lost = threading.Event()
                self._run(self._carry, near, far, lost, lambda: 0.0)
                self._run(self._carry, far, near, lost, lambda: self.slow_s)

    def _carry(
        self,
        source: socket.socket,
        sink: socket.socket,
        lost: threading.Event,
        slow_s: Callable[[], float],
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                if self.swallows:
                    lost.set()
                time.sleep(slow_s())
                if not lost.is_set():
                    sink.sendall(data)
            if not lost.is_set():
                sink.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(60)


_CHILD = """
import json, sys, time
from agent.adapters.broker.mqtt import BrokerCallbacks, BrokerSettings, PahoBroker
from agent.domain.record.status import offline
own = json.loads(sys.argv[1])
settings = BrokerSettings("127.0.0.1", client_id="killed", will=offline("lost"), **own)
said = lambda *_: print("connected", flush=True)
broker = PahoBroker(settings, BrokerCallbacks(said, lambda why: None, lambda mid, why: None))
broker.start()
time.sleep(60)
"""


def kill_connected(port: int, protocol: str, topic: str, login: Mapping[str, str]) -> None:
    """A kiosk that connects, with its last will at ``topic``, and is killed."""
    settings = {"port": port, "protocol": protocol, "will_topic": topic, **login}
    command = [sys.executable, "-c", _CHILD, json.dumps(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        connected = any(line == "connected\n" for line in child.stdout)
        child.send_signal(signal.SIGKILL)
    assert connected


@dataclass(frozen=True)
class Kind:
    """A make, and the MQTT that is spoken with it."""

    name: str
    protocol: str
    make: Callable[..., Server]
    absent: str | None
    """How to install it, where it is not."""


def _unless(there: str | None, package: str) -> str | None:
    return None if there is not None else f"{package} is not installed: apt-get install {package}"


MOSQUITTO_5 = Kind("mosquitto", "5", mosquitto, _unless(PROGRAM, "mosquitto"))
MOSQUITTO_3 = Kind("mosquitto", "3.1.1", mosquitto, _unless(PROGRAM, "mosquitto"))
NATS_3 = Kind("nats", "3.1.1", Nats, _unless(NATS, "nats-server"))
RABBITMQ_3 = Kind("rabbitmq", "3.1.1", RabbitMq, _unless(RABBITMQ, "rabbitmq-server"))

KINDS = [
    pytest.param(MOSQUITTO_5, id="mosquitto-5"),
    pytest.param(MOSQUITTO_3, id="mosquitto-3.1.1"),
    pytest.param(NATS_3, id="nats"),
    pytest.param(RABBITMQ_3, id="rabbitmq", marks=pytest.mark.slow),
]


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMq]:
    """The one that all tests share; whoever stops it starts it again."""
    made = RabbitMq(tmp_path_factory.mktemp("rabbitmq"))
    made.start()
    yield made
    made.close()


@pytest.fixture
def serve(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts one of a kind, with lines of config of its own; it ends with the test."""
    made: list[Server] = []

    def serve(kind: Kind, *lines: str) -> Server:
        if kind.absent is not None:
            pytest.skip(kind.absent)
        if kind is RABBITMQ_3:
            assert not lines, "it is shared"
            shared: RabbitMq = request.getfixturevalue("rabbitmq")
            if shared.process is None:  # a test failed while it was stopped
                shared.start()
            return shared
        made.append(kind.make(tmp_path, *lines))
        made[-1].start()
        return made[-1]

    yield serve
    for one in made:
        one.stop()


@pytest.fixture
def between() -> Iterator[Callable[[Server], Between]]:
    """A line to this broker."""
    made: list[Between] = []

    def lay(server: Server) -> Between:
        made.append(Between(server.port))
        return made[-1]

    yield lay
    for one in made:
        one.close()
