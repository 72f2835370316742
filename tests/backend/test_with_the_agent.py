"""The agent's own journal, checkpoints and outbox on one side, the backend on the other."""

import itertools
import json
import threading
import time
from datetime import UTC, datetime

import pytest
from backend import kiosks
from backend.consume import Consuming
from backend.heard import Heard, judge
from backend_parts import Publisher, config_for, count, flaws, missing, put_raw, text64
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mosquitto import wait_until
from outbox_parts import IDS, TOPICS
from places import TESTS

from agent.adapters.manual_clock import ManualClock
from agent.app.threads.control.deeds import Asked
from agent.app.threads.control.ranges import Ranges
from agent.app.threads.record.checkpoints import Checkpoints
from agent.credentials.signed.command import verify_command
from agent.credentials.signed.reply import Reply, sign_reply
from agent.domain.record.command import Outcome, Verb
from agent.domain.record.events import Event, EventType
from agent.domain.record.message import payload
from agent.domain.record.pace import Pace
from agent.domain.record.published import Trace

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


class Saying:
    """The agent's own answer to ``range``, from its journal, by a client of its own."""

    def __init__(self, journal, port, office, key) -> None:
        self.office, self.key = office, key
        self.side = Publisher(port)
        self.rows = journal.between(journal.epoch, 1, 1000, 1000)
        self.ranges = Ranges(journal, text_of, self.publish, Pace(0, time.monotonic))
        self.thread = threading.Thread(target=self.ranges.work)
        self.thread.start()
        client = self.side.client
        client.on_publish = lambda _c, _d, mid, *_: self.ranges.acknowledged(mid, None)
        client.on_message = self.heard
        client.subscribe(TOPICS.commands, qos=1)

    def publish(self, text: bytes) -> int:
        return self.side.client.publish(TOPICS.ranges, text, qos=1).mid

    def heard(self, client, _data, message) -> None:
        command, _ = verify_command(bytes(message.payload), lambda _: self.office.public_key())
        asked = Asked(command.arguments, "backend", command.id.hex(), command.expires)
        plan = self.ranges.deeds()[Verb.RANGE].plan(asked)

        def done(result: object) -> None:
            assert isinstance(result, dict)
            said = Reply(
                *(command.id, TOPICS.kiosk_path, Outcome.DONE, command.issued, True),
                result=result,
            )
            client.publish(TOPICS.replies, sign_reply(said, self.key), qos=1)

        assert plan.later is not None
        plan.later(done)

    def close(self) -> None:
        self.ranges.stop()
        self.thread.join(60)
        self.side.close()


def text_of(row):
    return payload(row.event, row.place(TOPICS.source), Trace.MINIMAL)


def test_what_never_came_is_said_again_by_the_agent(mosquitto, store, dsn, journal, tmp_path):
    key, office = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    path = tmp_path / "office"
    path.touch(0o600)
    path.write_text(office.private_bytes_raw().hex())
    public = {"public": text64(key.public_key().public_bytes_raw())}
    kiosks.pin(store, {"kiosk": TOPICS.kiosk_path, "signing": public})
    for number in range(60):
        journal.append(granted(number))
    config = config_for(mosquitto.port, dsn)
    keys = config.keys.model_copy(update={"command": path})
    consuming = Consuming(config.model_copy(update={"keys": keys}))
    saying = Saying(journal, mosquitto.port, office, key)
    thread = threading.Thread(target=consuming.run)
    thread.start()
    try:
        assert wait_until(lambda: consuming.subscribed)
        topic = TOPICS.event(EventType.ACCESS_GRANTED)
        came = [row for row in saying.rows if row.sequence not in range(20, 40)]
        saying.side.send((topic, text_of(row)) for row in came)
        assert wait_until(lambda: standing(store) == (60, 0))
        # What the journal never had has not happened, by the kiosk's own word.
        store.execute("UPDATE streams SET said_last = 65")
        said = "SELECT said_last FROM streams"
        assert wait_until(lambda: store.execute(said).fetchone() == (60,))
    finally:
        saying.close()
        consuming.stop()
        thread.join(60)
    assert [row[:3] for row in missing(store)] == [(20, 39, "filled")]
    assert (flaws(store), count(store, "events")) == ([], 60)


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
