"""The agent's own journal, checkpoints and outbox on one side, the backend on the other."""

import itertools
import json
import threading
from datetime import UTC, datetime

import pytest
from backend import kiosks
from backend.consume import Consuming
from backend.heard import Heard, judge
from backend_parts import config_for, count, flaws, put_raw, text64
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mosquitto import wait_until
from outbox_parts import IDS, TOPICS
from places import TESTS

from agent.adapters.manual_clock import ManualClock
from agent.app.threads.record.checkpoints import Checkpoints
from agent.domain.record.events import Event, EventType

CORPUS = TESTS / "domain" / "record" / "corpus"


def test_what_the_agent_sends_is_whole_and_signed(mosquitto, store, dsn, journal, make_sender):
    key = Ed25519PrivateKey.generate()
    public = {"public": text64(key.public_key().public_bytes_raw())}
    kiosks.pin(store, {"kiosk": TOPICS.kiosk_path, "signing": public})
    consuming = Consuming(config_for(mosquitto.port, dsn))
    thread = threading.Thread(target=consuming.run)
    thread.start()
    try:
        assert wait_until(lambda: consuming.subscribed)
        clock = ManualClock()
        checkpoints = Checkpoints(
            journal, lambda: key, clock, lambda _: IDS.make(datetime.now(UTC))
        )
        for number in range(250):
            journal.append(granted(number))
            checkpoints.written()
        checkpoints.end()
        sequence = journal.last_sequence()
        make_sender(mosquitto.port).outbox.notify()
        assert wait_until(lambda: standing(store) == (sequence, sequence - 1))
    finally:
        consuming.stop()
        thread.join(60)
    assert flaws(store) == []
    rows = store.execute(
        "SELECT DISTINCT holder, body->'data'->>'pack', body->'data' ? 'score' FROM events"
        " WHERE type = 'gate.access.granted'"
    ).fetchall()
    assert rows == [("anna", "retail", False)]


def granted(number: int) -> Event:
    now = datetime.now(UTC)
    data = {"holder": "anna", "score": 0.5 + number / 1000, "pack": "retail", "direction": "entry"}
    return Event(IDS.make(now), EventType.ACCESS_GRANTED, now, True, "north-entry", data)


def standing(store):
    return store.execute("SELECT whole_to, signed_to FROM streams").fetchone()


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_every_event_that_an_agent_ever_sent_is_one(path):
    said = [json.loads(line) for line in path.read_text().splitlines()]
    events = [one for one in said if "specversion" in one]
    topics = (f"{one['source'][1:]}/events/x" for one in events)
    judged = [
        judge(topic, json.dumps(one).encode()) for topic, one in zip(topics, events, strict=True)
    ]
    assert all(isinstance(one, Heard) and not one.altered for one in judged)
    assert events or said


def test_the_corpus_is_stored(store):
    paths = sorted(CORPUS.glob("events-*.jsonl"))
    lines = itertools.chain.from_iterable(path.read_text().splitlines() for path in paths)
    put_raw(store, *((f"{TOPICS.base}/events/x", line.encode()) for line in lines))
    assert count(store, "events") > 20
