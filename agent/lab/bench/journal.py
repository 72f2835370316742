"""The journal and the way to the broker: what a row costs, what waits, and how fast it goes.

Everything is the gate's own: the journal's file, the outbox, the client, and a Mosquitto beside
them. What is sent is compared with a bare paho client that sends the same bytes to the same broker
with the same window, in turns.
"""

import itertools
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from agent import logs
from agent.adapters.broker.answers import MAX_IN_FLIGHT
from agent.adapters.broker.mqtt import BrokerCallbacks, BrokerSettings, PahoBroker
from agent.adapters.store.names import MARK
from agent.adapters.store.record.journal import SqliteJournal
from agent.adapters.store.sqlite import transaction
from agent.app.open.files.state import JOURNAL
from agent.app.threads.record.outbox import Outbox
from agent.domain.record.events import Event, EventType
from agent.domain.record.message import payload
from agent.domain.record.pace import Pace
from agent.domain.record.published import THINNED, Trace
from agent.domain.record.topics import Topics
from agent.domain.record.uuid7 import Uuid7Source
from agent.errors import InternalError
from agent.lab.servers import Mosquitto

LEAST_DRAIN_TO_BARE = 0.6
WAITING = 20_000
MANY_WAITING = 1_000_000
_APPENDS, _WRITTEN, _DRAINED, _TURNS = 2_000, 300, 5_000, 3
_PARTS = 5
_BURST = 50
_STEP_ROWS = 20_000
_NEVER = datetime(1, 1, 1, tzinfo=UTC)
_TOPICS = Topics("bench", "g1", "north-1")
_IDS = Uuid7Source(os.urandom)
_TIMEOUT_S = 600.0
Advance = Callable[[str, int, int], None]


class FilledJournal(SqliteJournal):
    """Takes many events in a transaction; rows, places and links are those of ``append``."""

    def fill(self, events: Iterator[Event]) -> None:
        """Add ``events``, in their order."""
        while step := list(itertools.islice(events, _STEP_ROWS)):
            self._file.do(lambda connection, step=step: self._add(connection, step))  # type: ignore[misc] # bound at once

    def _add(self, connection: Any, events: list[Event]) -> None:
        with transaction(connection):
            for event in events:
                place = self._file.insert(connection, event)
        self._file.mark(*place)


def decision(number: int = 0) -> Event:
    """A grant as a gate writes it, with its whole trace."""
    now = datetime.now(UTC)
    trace = {**dict.fromkeys(sorted(THINNED)), "score": 0.7312345, "frames": 3, "compared": "1:N"}
    data = {
        "boot_id": "8d8a5f0e-6f2b-4f0e-9c1d-2a53b7c6e910",
        "challenge": None,
        "direction": "entry",
        "factors": ["face"],
        "holder": f"h{number:06d}",
        "missing": [],
        "pack": "retail",
        "pack_version": "1",
        "pass": None,
        "passback": False,
        "reason": None,
        "recorded_late": False,
        "stage_ms": {"detect": 9.1, "embed": 6.4},
        "warnings": [],
        **trace,
    }
    return Event(_IDS.make(now), EventType.ACCESS_GRANTED, now, True, "north-entry", data)


def press(number: int = 0) -> Event:
    """The smallest event there is, as for a queue of very many."""
    now = datetime.now(UTC)
    return Event(_IDS.make(now), EventType.DOOR_RELEASED, now, True, "north-entry", {"n": number})


@contextmanager
def journal_in(folder: Path) -> Iterator[FilledJournal]:
    """A journal in ``folder``, open."""
    journal = FilledJournal(JOURNAL.at(folder), lambda _: press(), source=_TOPICS.source)
    try:
        yield journal
    finally:
        journal.close()


def bench_journal(waiting: int, advance: Advance = lambda *_: None) -> dict[str, Any]:
    """All figures, as JSON values; ``waiting`` events are queued at the start.

    Raises:
        UnavailableError: there is no Mosquitto.
    """
    logs.configure("error")
    with tempfile.TemporaryDirectory(prefix="gate-bench-") as name:
        folder = Path(name)
        advance("append", 0, _PARTS)
        append = _append(folder / "append")
        advance("written", 1, _PARTS)
        written = {
            "burst": _written(folder / "burst", _BURST),
            "single": _written(folder / "single", 1),
        }
        advance("start", 2, _PARTS)
        start = _start(folder / "start", waiting)
        drain = {}
        for number, (kind, event_of) in enumerate((("decision", decision), ("press", press)), 3):
            advance("drain", number, _PARTS)
            drain[kind] = _drain(folder / kind, min(waiting, _DRAINED), event_of)
        advance("drain", _PARTS, _PARTS)
    return {"append": append, "start": start, "drain": drain, "written": written}


def _append(folder: Path) -> dict[str, float]:
    with journal_in(folder) as journal:
        took = []
        for number in range(_APPENDS):
            event = decision(number)
            start_s = time.perf_counter()
            journal.append(event)
            took.append((time.perf_counter() - start_s) * 1e6)
    return {"p50_us": _percentile(took, 50), "p99_us": _percentile(took, 99)}


def _start(folder: Path, waiting: int) -> dict[str, float]:
    """What the agent does with a journal before and as it begins to send; each by itself."""
    with journal_in(folder) as journal:
        journal.fill(press(number) for number in range(waiting))
    found: dict[str, float] = {"waiting": waiting}
    begun_s = time.perf_counter()
    journal = FilledJournal(JOURNAL.at(folder), lambda _: press(), source=_TOPICS.source)
    try:
        found["open_ms"] = (time.perf_counter() - begun_s) * 1e3
        steps: dict[str, Callable[[], object]] = {
            "pending": journal.pending,
            "newest": journal.newest_row,
            "first": lambda: journal.unpublished(MAX_IN_FLIGHT),
            "prune": lambda: journal.prune(_NEVER),
            "status": lambda: (journal.epoch, journal.last_sequence(), journal.pending()),
        }
        for name, step in steps.items():
            start_s = time.perf_counter()
            step()
            found[f"{name}_ms"] = (time.perf_counter() - start_s) * 1e3
        found["all_s"] = time.perf_counter() - begun_s
    finally:
        journal.close()
    found["file_bytes_per_event"] = JOURNAL.at(folder).stat().st_size / waiting
    return {name: round(value, 3) for name, value in found.items()}


def _written(folder: Path, at_once: int) -> dict[str, float]:
    """Bytes that reach the disk an event: appended, flushed, sent and marked, ``at_once`` a round.

    Each round ends as the system ends it by itself after some seconds: all that is dirty is
    written. So events that come together share what is written, and lone ones pay it all.
    """
    with journal_in(folder) as journal:
        journal.fill(decision(number) for number in range(2_000))
        journal.mark_published(range(1, 2_001))
        path = JOURNAL.at(folder)
        _settle(path)
        before, size = _io_bytes(), path.stat().st_size
        rounds = max(_WRITTEN // at_once, 20)
        for number in range(rounds):
            for one in range(at_once):
                journal.append(decision(number * at_once + one))
            journal.mark_published([row.row for row in journal.unpublished(at_once)])
            _settle(path)
    _settle(path)
    events = rounds * at_once
    return {
        "bytes_per_event": round((_io_bytes() - before) / events),
        "row_bytes": round((path.stat().st_size - size) / events),
    }


def _settle(path: Path) -> None:
    for file in (path, Path(f"{path}-wal"), Path(f"{path}{MARK}")):
        try:
            descriptor = os.open(f"{file}", os.O_RDONLY)
        except FileNotFoundError:
            continue
        os.fdatasync(descriptor)
        os.close(descriptor)


def _io_bytes() -> int:
    """What this process has caused to be written to a disk, as Linux counts it."""
    for line in Path("/proc/self/io").read_text("ascii").splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    raise InternalError("this system does not tell write_bytes")


@dataclass(frozen=True, slots=True)
class _Run:
    per_s: float
    cpu_ms: float


def _drain(folder: Path, waiting: int, event_of: Callable[[int], Event]) -> dict[str, float]:
    folder.mkdir()
    broker = Mosquitto(folder)
    broker.start()
    try:
        ours, bare = [], []
        for turn in range(_TURNS):
            with journal_in(folder / str(turn)) as journal:
                journal.fill(event_of(number) for number in range(waiting))
                # Read before, so that the bare client has them at hand.
                sent = [
                    (
                        _TOPICS.event(row.event.type),
                        payload(row.event, row.place(""), Trace.MINIMAL),
                    )
                    for row in journal.read()
                ]
                bare.append(_bare(broker.port, sent))
                ours.append(_ours(broker.port, journal, waiting))
    finally:
        broker.stop()
    per_s = float(np.median([one.per_s for one in ours]))
    bare_per_s = float(np.median([one.per_s for one in bare]))
    return {
        "events": waiting,
        "payload_bytes": round(float(np.mean([len(one) for _, one in sent]))),
        "window": MAX_IN_FLIGHT,
        "per_s": round(per_s, 1),
        "bare_per_s": round(bare_per_s, 1),
        "ratio": round(
            float(np.median([a.per_s / b.per_s for a, b in zip(ours, bare, strict=True)])), 3
        ),
        "cpu_us": round(float(np.median([one.cpu_ms for one in ours])) * 1e3 / waiting, 1),
        "bare_cpu_us": round(float(np.median([one.cpu_ms for one in bare])) * 1e3 / waiting, 1),
        "limit": LEAST_DRAIN_TO_BARE,
    }


def _ours(port: int, journal: FilledJournal, waiting: int) -> _Run:
    """The outbox and the gate's own client, unpaced, until the broker has all."""
    connected = threading.Event()
    outbox = Outbox(
        journal,
        _TOPICS,
        pace=Pace(0.0, time.monotonic),
        trace=Trace.MINIMAL,
        refused=_refused,
        accepted=lambda: None,
    )

    def come() -> None:
        connected.set()
        outbox.notify()

    client = PahoBroker(
        BrokerSettings("127.0.0.1", port, "bench-outbox", _TOPICS.status, {}),
        BrokerCallbacks(come, lambda _: None, outbox.acknowledged),
    )
    client.start()
    if not connected.wait(_TIMEOUT_S):
        raise InternalError("the bench's own broker does not answer")
    thread = threading.Thread(target=outbox.work, args=(client,))
    start_s, cpu_s = time.perf_counter(), time.process_time()
    thread.start()
    try:
        # By its end: to look more often would take from what is measured.
        while journal.unpublished(1):
            if time.perf_counter() - start_s > _TIMEOUT_S:
                raise InternalError("the outbox does not come to its end")
            time.sleep(0.01)
        took_s, cpu_s = time.perf_counter() - start_s, time.process_time() - cpu_s
    finally:
        outbox.stop()
        thread.join()
        client.close(2.0)
    return _Run(waiting / took_s, cpu_s * 1e3)


def _refused(why: str) -> None:
    raise InternalError(f"the bench's own broker refuses: {why}")


def _bare(port: int, sent: list[tuple[str, bytes]]) -> _Run:
    """A paho client alone: at most a window under way, the next as soon as one is acknowledged."""
    connected, done = threading.Event(), threading.Event()
    room = threading.Semaphore(MAX_IN_FLIGHT)
    left = itertools.count(len(sent) - 1, -1)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "bench-bare", protocol=mqtt.MQTTv5)
    client.max_inflight_messages_set(MAX_IN_FLIGHT)
    client.on_connect = lambda *_: connected.set()

    def acknowledged(*_: object) -> None:
        room.release()
        if next(left) == 0:
            done.set()

    client.on_publish = acknowledged
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        if not connected.wait(_TIMEOUT_S):
            raise InternalError("the bench's own broker does not answer")
        start_s, cpu_s = time.perf_counter(), time.process_time()
        for topic, one in sent:
            room.acquire()
            client.publish(topic, one, 1)
        if not done.wait(_TIMEOUT_S):
            raise InternalError("the bare client does not come to its end")
        return _Run(
            len(sent) / (time.perf_counter() - start_s), (time.process_time() - cpu_s) * 1e3
        )
    finally:
        client.disconnect()
        client.loop_stop()


def _percentile(took: list[float], at: float) -> float:
    return round(float(np.percentile(took, at)), 1)
