"""A server of PostgreSQL, and kiosks that say what the contract has them say."""

import json
import os
import secrets
import shutil
import subprocess
import threading
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import psycopg
from backend import gaps, verify
from backend.config import Config, Consumer
from backend.database import Connection
from backend.heard import judge
from backend.ingest import Ingest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mosquitto import free_port, wait_until
from paho.mqtt.enums import CallbackAPIVersion

from agent.credentials.passes.issuers import key_id
from agent.credentials.signed.checkpoint import Checkpoint, sign_checkpoint
from agent.domain.record import chain
from agent.domain.record.topics import Topics

Event = dict[str, Any]
BEGAN = datetime(2026, 11, 23, 7, 12, 9, 412000, tzinfo=UTC)


def text64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


class Cluster:
    """A server on a free loopback port; without fsync where none of it needs to survive."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.durable = durable
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def programs() -> Path | None:
        """Where Debian or the path has ``postgres`` and ``initdb``."""
        folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        found = shutil.which("postgres")
        if found is not None:
            folders.append(Path(found).resolve().parent)
        return next((one for one in folders if (one / "initdb").exists()), None)

    def start(self) -> None:
        programs = self.programs()
        assert programs is not None
        self.folder.chmod(0o755)
        home = self.folder / "home"
        home.mkdir()
        who: dict[str, Any] = {"cwd": home}
        if not os.getuid():
            # It refuses to be root; whoever is nobody will do.
            os.chown(home, 65534, 65534)
            who |= {"user": 65534, "group": 65534, "extra_groups": []}
        subprocess.run(
            [
                *(str(programs / "initdb"), "-D", str(home / "data"), "-A", "trust"),
                *("-U", "gate", "--no-sync", "-E", "UTF8", "--locale=C"),
            ],
            check=True,
            capture_output=True,
            **who,
        )
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "shared_buffers": "64MB",
            **({} if self.durable else {"fsync": "off", "full_page_writes": "off"}),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [programs / "postgres", "-D", home / "data", *options],
                stdout=log,
                stderr=log,
                **who,
            )
        assert wait_until(self._answers), (self.folder / "log").read_text()

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(2)  # SIGINT: at once, whoever is connected
            self.process.wait(60)

    def dsn(self, name: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=gate dbname={name}"

    def database(self, template: str = "template1") -> str:
        """A new database's name."""
        name = f"t{secrets.token_hex(6)}"
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True


class Kiosk:
    """One kiosk's stream: chained events, and a checkpoint where it is asked for."""

    def __init__(self, place: str = "lakeside/g3/north-1", began: datetime = BEGAN) -> None:
        self.place = place
        self.topics = Topics(*place.split("/"))
        self.key = Ed25519PrivateKey.generate()
        self.sealing = secrets.token_bytes(32)
        self.epoch = secrets.token_hex(8)
        self.began = began
        self.events: list[Event] = []

    def says(self, kind: str = "access.granted", **data: Any) -> Event:
        """The next event; ``holder`` is covered."""
        sequence = len(self.events) + 1
        fields: dict[str, Any] = {
            "boot_id": "8d8a5f0e-6f2b-4f0e-9c1d-2a53b7c6e910",
            "clock_synced": True,
            **data,
        }
        if kind.startswith("access."):
            fields = {
                "access_point": "north-entry",
                "direction": "entry",
                "reason": None,
                "holder": "anna",
                "stage_ms": {"detect": 9.1},
                **fields,
            }
        salt = secrets.token_bytes(16)
        covered = {name: fields[name] for name in ("holder",) if name in fields}
        if covered:
            fields |= {"commitments": chain.commitments(salt, covered)}
            fields |= {"salts": chain.salts(salt, covered)}
        event = {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": self.topics.source,
            "type": f"gate.{kind}",
            "time": time_text(self.began + timedelta(seconds=sequence)),
            "datacontenttype": "application/json",
            "dataschema": f"urn:gate:contract:1#{kind}",
            "epoch": self.epoch,
            "sequence": f"{sequence:020d}",
            "previous": chain.link(self.events[-1]) if self.events else chain.ORIGIN,
            "data": fields,
        }
        self.events.append(event)
        return event

    def several(self, count: int) -> list[Event]:
        return [self.says(number=number) for number in range(count)]

    def checkpoint(self, key: Ed25519PrivateKey | None = None, **other: Any) -> Event:
        """A checkpoint of the last event; ``other`` is what it signs instead of the truth."""
        last = len(self.events)
        link = chain.link(self.events[-1])
        said: dict[str, Any] = {"source": self.topics.source, "epoch": self.epoch, "sequence": last}
        said |= {"link": bytes.fromhex(link), "time": BEGAN, "clock_trusted": True}
        signer = key or self.key
        return self.says(
            "journal.checkpoint",
            until=f"{last:020d}",
            link=link,
            key_id=key_id(signer.public_key()).hex(),
            signature=text64(sign_checkpoint(Checkpoint(**(said | other)), signer)),
        )

    def keys(self) -> dict[str, Any]:
        """What ``gate-agent key show --json`` prints."""
        public = self.key.public_key()
        return {
            "kiosk": self.place,
            "signing": {
                "key_id": key_id(public).hex(),
                "public": text64(public.public_bytes_raw()),
            },
            "sealing": {"key_id": "00" * 8, "public": text64(self.sealing)},
        }

    def health(self, unpublished: int = 0) -> dict[str, Any]:
        """A heartbeat, as far as a backend reads it."""
        queue = {"epoch": self.epoch, "last_sequence": len(self.events), "unpublished": unpublished}
        return {
            "contract": 1,
            "time": time_text(BEGAN),
            "clock_synced": True,
            "queue": queue,
            "uptime_s": 7200.0,
            "faults": [],
            "disk": {"free_bytes": 2, "total_bytes": 3},
            "temperatures_c": {"cpu-thermal": 51.1},
            "holders": 398,
            "references": 412,
        }


def time_text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def topic_of(event: Event) -> str:
    return f"{event['source'][1:]}/events/{event['type'].split('.')[1]}"


def put(connection: Connection, *events: Event, topic: str | None = None) -> int:
    """Store events as the consumer does; how many were new."""
    return put_raw(
        connection, *((topic or topic_of(one), json.dumps(one).encode()) for one in events)
    )


def put_raw(connection: Connection, *messages: tuple[str, bytes], only_pinned: bool = False) -> int:
    judged = [judge(topic, payload) for topic, payload in messages]
    found = [(one, False) for one in judged if one is not None]
    return Ingest(connection, only_pinned=only_pinned).store(found)


def look_over(connection: Connection) -> None:
    while verify.look_over(connection):
        pass


def flaws(connection: Connection) -> list[tuple[str, int]]:
    rows = connection.execute("SELECT kind, sequence FROM flaws ORDER BY sequence, kind")
    return [(str(kind), int(str(sequence))) for kind, sequence in rows]


def count(connection: Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(str(row[0]))


def missing(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT first, last, state, reason FROM gaps ORDER BY last"
    ).fetchall()


def whole_to(connection: Connection) -> list[int]:
    return [
        int(str(one)) for (one,) in connection.execute("SELECT whole_to FROM streams ORDER BY id")
    ]


IMPATIENT = Consumer(instance="one", patience_s=0.001, retry_s=0.001, round_s=0.1, group="backend")


def find_gaps(connection: Connection, settings: Consumer = IMPATIENT) -> None:
    assert gaps.look(connection, settings, None) == []


class Publisher:
    """A client that says things in a kiosk's name, at QoS 1."""

    def __init__(self, port: int) -> None:
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, "", protocol=mqtt.MQTTv5)
        self.client.max_inflight_messages_set(1000)
        self.connected = threading.Event()
        self.client.on_connect = lambda *_: self.connected.set()
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.connected.wait(60)

    def send(self, messages: Iterable[tuple[str, bytes]], *, retain: bool = False) -> None:
        """Publish all, and wait until the broker has them."""
        sent = [self.client.publish(topic, payload, 1, retain) for topic, payload in messages]
        for one in sent:
            one.wait_for_publish(60)

    def events(self, events: Sequence[Event]) -> None:
        self.send((topic_of(one), json.dumps(one).encode()) for one in events)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def config_for(port: int, dsn: str, **consumer: Any) -> Config:
    settings = IMPATIENT.model_dump() | consumer
    return Config.model_validate(
        {
            "store": {"dsn": dsn},
            "broker": {"host": "127.0.0.1", "port": port},
            "consumer": settings,
        }
    )
