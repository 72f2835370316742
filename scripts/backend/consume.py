"""The consumer: from the broker into the database, and acknowledged when it is committed.

    paho's thread     message ──▶ queue                                  acknowledge ──▶ broker
    this thread         queue ──▶ judge ──▶ one transaction ──▶ committed ──┘
    the keeper's        touched ──▶ verify;  gaps ──▶ signed commands;  partitions

The broker holds what is not acknowledged: at most ``in_flight`` messages at once, so nothing grows
here, and whoever is killed gets them again. While the database is away nothing is acknowledged.
"""

import contextlib
import logging
import queue
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import paho.mqtt.client as mqtt
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.domain.record.topics import command_topic
from backend import database, gaps, link, migrations, partitions, verify
from backend.config import Config, Consumer, signing_key
from backend.failures import BackendError, MissingError
from backend.heard import Judged, judge
from backend.ingest import Ingest
from backend.registry import updates

_MOST = 1000
_GATHER_S = 0.02
_IDLE_S = 0.2
_PAUSE_S = 2.0
_MOST_UNASKED = 20_000
"""Messages at QoS 0 are dropped beyond so many waiting: the next heartbeat says the same."""
_PARTITIONS_EVERY_S = 3600.0

_log = logging.getLogger("backend")

Message = tuple[int, mqtt.MQTTMessage]


def subscriptions(group: str) -> list[tuple[str, int]]:
    """The filters, each with its QoS: shared, but for what is retained, which no share gets."""
    kiosk = "gate/+/+/+"
    shared = [
        *((f"{kiosk}/events/#", 1), (f"{kiosk}/ranges", 1), (f"{kiosk}/replies/#", 1)),
        *((f"{kiosk}/registry/receipts", 1), (f"{kiosk}/registry/request", 1)),
        (f"{kiosk}/health", 0),
    ]
    own = [(f"{kiosk}/status", 1), (f"{kiosk}/keys", 1)]
    return [*((f"$share/{group}/{topic}", qos) for topic, qos in shared), *own]


class Consuming:
    """One instance; ``run`` returns after ``stop``."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._dsn = config.dsn()
        keys = config.keys
        self._key = None if keys.command is None else signing_key(keys.command, "command")
        self._registry = None if keys.registry is None else signing_key(keys.registry, "registry")
        self._queue: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._stopping = threading.Event()
        settings = config.consumer
        name = f"{settings.group}-{settings.instance}"
        self._line = link.Line(
            link.client(config.broker, name, manual_ack=True),
            subscriptions(settings.group),
            self._heard,
            _log.info,
        )
        self.stored = 0

    @property
    def subscribed(self) -> bool:
        """Whether the broker sends."""
        return self._line.subscribed.is_set()

    def stop(self) -> None:
        """End after what is in hand; any thread may, and a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Until ``stop``. The tables are made first; a database that is away later is waited for.

        Raises:
            MissingError: the database does not answer at the start.
            BackendError: verifying broke off; nobody goes on without it.
        """
        with database.connect(self._dsn) as connection:
            if applied := migrations.apply(connection):
                _log.info("migrations applied: %s", ", ".join(map(str, applied)))
            partitions.make(connection, datetime.now(UTC))
        settings = self._config.consumer
        keeper = Keeper(self._dsn, settings, self._line.publish, self._stopping)
        keeper.commands, keeper.registry = self._key, self._registry
        thread = threading.Thread(target=keeper.work, name="keeper")
        thread.start()
        self._line.start(
            self._config.broker,
            link.hello(session_s=settings.session_s, in_flight=settings.in_flight),
        )
        try:
            self._store_all()
        finally:
            self._stopping.set()
            self._line.stop()
            thread.join()
        if keeper.broke is not None:
            raise BackendError("verifying broke off") from keeper.broke

    def _heard(self, connection: int, message: mqtt.MQTTMessage) -> None:
        if message.qos or self._queue.qsize() < _MOST_UNASKED:
            self._queue.put((connection, message))

    def _store_all(self) -> None:
        batch: list[Message] = []
        only_pinned = self._config.consumer.only_pinned
        while not self._stopping.is_set():
            try:
                with contextlib.closing(database.connect(self._dsn, by_index=True)) as connection:
                    ingest = Ingest(connection, only_pinned=only_pinned)
                    while not self._stopping.is_set():
                        batch = batch or self._gathered()
                        self._store(ingest, batch)
                        batch = []
            except (psycopg.Error, MissingError) as error:
                # Of the error only its kind: its text may quote a row.
                _log.warning(
                    "the database does not take it (%s); it is tried again", type(error).__name__
                )
                self._stopping.wait(_PAUSE_S)

    def _store(self, ingest: Ingest, batch: list[Message]) -> None:
        """Store, then acknowledge; what is not stored stays the broker's."""
        if batch:
            self.stored += ingest.store(judged(batch))
        self._line.acknowledge(
            (connection, message.mid) for connection, message in batch if message.qos
        )

    def _gathered(self) -> list[Message]:
        """What came until nothing more comes, ``_MOST`` at most."""
        found: list[Message] = []
        wait_s = _IDLE_S
        while len(found) < _MOST:
            try:
                found.append(self._queue.get(timeout=wait_s))
            except queue.Empty:
                break
            wait_s = _GATHER_S
        return found


def judged(batch: list[Message]) -> list[tuple[Judged, bool]]:
    """What the messages are, each with whether it was retained; without what nobody listens to."""
    found = ((judge(message.topic, bytes(message.payload)), message.retain) for _, message in batch)
    return [(one, retained) for one, retained in found if one is not None]


class Keeper:
    """What goes on beside storing: verifying, gaps, partitions; by a connection of its own."""

    def __init__(
        self,
        dsn: str,
        settings: Consumer,
        publish: Callable[[str, bytes], None],
        stopping: threading.Event,
    ) -> None:
        """``publish`` takes a topic and a payload; without their keys nothing is signed."""
        self._dsn = dsn
        self._settings = settings
        self.commands: Ed25519PrivateKey | None = None
        self.registry: Ed25519PrivateKey | None = None
        self._publish = publish
        self._stopping = stopping
        self._round_due_s = self._partitions_due_s = 0.0
        self.broke: Exception | None = None

    def work(self) -> None:
        """``run``, and the end of all where it ends by itself."""
        try:
            self.run()
        except Exception as error:  # noqa: BLE001 - no thread dies unseen, whatever of
            self.broke = error
        finally:
            self._stopping.set()

    def run(self) -> None:
        """Until ``stopping`` is set; a database that is away is waited for."""
        while not self._stopping.is_set():
            try:
                with contextlib.closing(database.connect(self._dsn, by_index=True)) as connection:
                    while not self._stopping.is_set():
                        self._turn(connection)
            except (psycopg.Error, MissingError) as error:
                _log.warning("verifying waits (%s)", type(error).__name__)
                self._stopping.wait(_PAUSE_S)

    def _turn(self, connection: database.Connection) -> None:
        now_s = time.monotonic()
        if now_s >= self._partitions_due_s:
            partitions.make(connection, datetime.now(UTC))
            self._partitions_due_s = now_s + _PARTITIONS_EVERY_S
        if now_s >= self._round_due_s:
            for asked in gaps.look(connection, self._settings, self.commands) or []:
                self._publish(command_topic(asked.kiosk), asked.payload)
            self._round_due_s = now_s + self._settings.round_s
        done = verify.look_over(connection)
        if self.registry is not None:
            done += updates.answer(connection, self.registry, self._publish)
        if not done:
            self._stopping.wait(_IDLE_S)


def consume(config: Config) -> None:
    """Run one instance until SIGTERM or SIGINT."""
    consuming = Consuming(config)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: consuming.stop())
    consuming.run()
