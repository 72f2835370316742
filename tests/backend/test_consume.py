"""The consumer against a real broker: nothing lost, nothing twice, whatever ends in between."""

import json
import random
import signal
import subprocess
import threading

import pytest
from backend import kiosks
from backend.consume import Consuming
from backend_parts import (
    Kiosk,
    Publisher,
    config_for,
    count,
    flaws,
    missing,
    topic_of,
    whole_to,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mosquitto import wait_until
from places import ROOT

from agent.credentials.passes.issuers import key_id
from agent.credentials.signed.command import verify_command
from agent.credentials.signed.reply import Reply, sign_reply
from agent.domain.record.command import Outcome

GENEROUS = ("max_inflight_messages 2000", "max_queued_messages 100000")


class Running:
    """An instance in a thread of its own."""

    def __init__(self, config) -> None:
        self.consuming = Consuming(config)
        self.thread = threading.Thread(target=self.consuming.run)
        self.thread.start()
        assert wait_until(lambda: self.consuming.subscribed)

    def stop(self) -> None:
        self.consuming.stop()
        self.thread.join(60)


@pytest.fixture
def run(dsn):
    made = []

    def start(config):
        made.append(Running(config))
        return made[-1]

    yield start
    for one in made:
        one.stop()


@pytest.fixture
def publish():
    made = []

    def connect(port):
        made.append(Publisher(port))
        return made[-1]

    yield connect
    for one in made:
        one.close()


@pytest.fixture
def broker(make_mosquitto):
    made = make_mosquitto(*GENEROUS)
    made.start()
    return made


def fleet(size, each):
    """So many kiosks' events, mixed as they would come; each kiosk's in order."""
    made = [Kiosk(f"lakeside/g{number % 3}/k-{number}") for number in range(size)]
    for kiosk in made:
        kiosk.several(each)
    lines = [list(kiosk.events) for kiosk in made]
    chance = random.Random(7)
    mixed = []
    while lines:
        line = chance.choice(lines)
        mixed.append(line.pop(0))
        if not line:
            lines.remove(line)
    return made, mixed


def test_events_are_stored_verified_and_acknowledged(broker, store, dsn, run, publish):
    one = run(config_for(broker.port, dsn))
    made, events = fleet(5, 40)
    for kiosk in made:
        kiosks.pin(store, kiosk.keys())
        events.append(kiosk.checkpoint())
    publish(broker.port).events(events)
    assert wait_until(lambda: whole_to(store) == [41] * 5)
    assert wait_until(lambda: count(store, "touched") == 0)
    assert store.execute("SELECT DISTINCT signed_to FROM streams").fetchall() == [(40,)]
    assert (flaws(store), one.consuming.stored) == ([], 205)


def test_what_is_too_long_is_counted_and_holds_up_nothing(make_mosquitto, store, dsn, run, publish):
    broker = make_mosquitto()
    broker.start()
    run(config_for(broker.port, dsn, in_flight=30))
    publisher, kiosk = publish(broker.port), Kiosk()
    # More than may be under way at a time: a broker that thinks so of each would stand still.
    long = [(f"gate/a/b/c/events/{number}", bytes(1_100_000)) for number in range(40)]
    publisher.send(long)
    publisher.send([("gate/a/b/c/keys", bytes(3_000_000))], retain=True)
    publisher.events(kiosk.several(100))
    assert wait_until(lambda: count(store, "events") == 100)
    assert wait_until(
        lambda: (
            store.execute("SELECT kiosk, reason, times FROM refusals").fetchall()
            == [("a/b/c", "oversized", 41)]
        )
    )


def test_two_instances_share_the_load_without_a_double_row(broker, store, dsn, run, publish):
    one = run(config_for(broker.port, dsn, instance="one"))
    other = run(config_for(broker.port, dsn, instance="two"))
    _, events = fleet(10, 60)
    publish(broker.port).events(events)
    assert wait_until(lambda: whole_to(store) == [60] * 10)
    assert (count(store, "events"), count(store, "conflicts"), flaws(store)) == (600, 0, [])
    stored = (one.consuming.stored, other.consuming.stored)
    assert sum(stored) == 600
    assert min(stored) > 0


def test_a_consumer_that_is_killed_loses_nothing(broker, store, dsn, publish, tmp_path):
    config = tmp_path / "backend.toml"
    config.write_text(
        f'[store]\ndsn = "{dsn}"\n[broker]\nport = {broker.port}\n'
        '[consumer]\ninstance = "one"\nround_s = 0.2\n'
    )
    arguments = [ROOT / "scripts" / "backend" / "backend", "--config", config, "consume"]

    def start():
        return subprocess.Popen(arguments, stderr=subprocess.DEVNULL)

    _, events = fleet(8, 250)
    processes = [start()]
    try:
        # Its session is there: what is published from now on is kept for it.
        heard = publish(broker.port)
        assert wait_until(lambda: probed(heard, store))
        thread = threading.Thread(target=heard.events, args=(events,))
        thread.start()
        for so_many in (200, 700, 1200):
            assert wait_until(lambda so_many=so_many: count(store, "events") > so_many)
            processes[-1].kill()
            processes[-1].wait(60)
            processes.append(start())
        thread.join(60)
        assert wait_until(lambda: whole_to(store) == [250] * 8)
    finally:
        processes[-1].send_signal(signal.SIGTERM)
        assert processes[-1].wait(60) == 0
    assert (count(store, "events"), count(store, "places")) == (2000, 2000)
    assert (flaws(store), count(store, "conflicts"), missing(store)) == ([], 0, [])


def probed(publisher, store):
    publisher.send([("gate/lakeside/g9/probe/events/x", b"{")])
    return count(store, "refusals") > 0


def test_a_broker_that_starts_again_is_found_again(make_mosquitto, store, dsn, run, publish):
    broker = make_mosquitto(*GENEROUS)
    broker.start()
    one = run(config_for(broker.port, dsn))
    kiosk = Kiosk()
    events = kiosk.several(20)
    first = publish(broker.port)
    first.events(events[:10])
    assert wait_until(lambda: whole_to(store) == [10])
    broker.kill()
    assert wait_until(lambda: not one.consuming.subscribed)
    broker.start()
    assert wait_until(lambda: one.consuming.subscribed)
    publish(broker.port).events(events[10:])
    assert wait_until(lambda: whole_to(store) == [20])


def test_a_gap_is_asked_for_and_filled_over_the_broker(broker, store, dsn, run, publish, tmp_path):
    key = Ed25519PrivateKey.generate()
    path = tmp_path / "command.key"
    path.write_text(key.private_bytes_raw().hex())
    path.chmod(0o600)
    config = config_for(broker.port, dsn)
    run(config.model_copy(update={"keys": config.keys.model_copy(update={"command": path})}))
    kiosk = Kiosk()
    kiosks.pin(store, kiosk.keys())
    events = kiosk.several(12)
    side = publish(broker.port)
    Answering(side, kiosk, key, gone={3})
    side.events([one for number, one in enumerate(events, 1) if number not in {3, 6, 7}])
    assert wait_until(lambda: whole_to(store) == [12])
    assert wait_until(lambda: [row[2] for row in missing(store)] == ["gone", "filled"])
    assert [row[:2] for row in missing(store)] == [(3, 3), (6, 7)]
    assert (count(store, "events"), flaws(store)) == (11, [])


class Answering:
    """A kiosk that sends again what it has, and says what it has no more."""

    def __init__(self, publisher, kiosk, key, gone) -> None:
        self.publisher, self.kiosk, self.key, self.gone = publisher, kiosk, key, gone
        publisher.client.on_message = self.heard
        publisher.client.subscribe(f"{kiosk.topics.base}/commands", qos=1)

    def heard(self, client, _data, message) -> None:
        known = {key_id(self.key.public_key()): self.key.public_key()}
        command, _ = verify_command(bytes(message.payload), known.get)
        assert command.is_for(self.kiosk.place)
        first, last = (int(command.arguments[name]) for name in ("first", "last"))
        asked = range(first, last + 1)
        base = self.kiosk.topics.base
        for number in sorted({*asked} - self.gone):
            said = json.dumps(self.kiosk.events[number - 1]).encode()
            client.publish(f"{base}/ranges", said, qos=1)
        result = {"sent": len(asked), "missing": sorted(self.gone & {*asked})}
        reply = Reply(
            command.id, self.kiosk.place, Outcome.DONE, command.issued, True, None, result
        )
        client.publish(f"{base}/replies", sign_reply(reply, self.kiosk.key), qos=1)


def test_hostile_messages_stop_nobody(broker, store, dsn, run, publish):
    run(config_for(broker.port, dsn))
    kiosk, other = Kiosk(), Kiosk("lakeside/g3/north-2")
    good, foreign = kiosk.says(), other.says()
    topic = topic_of(good)
    base = kiosk.topics.base
    side = publish(broker.port)
    side.send(
        [
            *((topic, b"{"), (topic, b""), (topic, b"\x00" * 100), (topic, b"x" * 100_000)),
            *((topic, json.dumps(foreign).encode()), (f"{base}/status", b"[]")),
            *((topic, json.dumps({**good, "dataschema": "urn:gate:contract:9#x"}).encode()),),
            *((f"{base}/replies", b"x"), (f"{base}/keys", b"{}"), (f"{base}/health", b"null")),
            *(("gate/!/g/k/events/access", b"{}"), (f"{base}/registry/receipts", b"x")),
            (topic, json.dumps(good).encode()),
        ]
    )
    assert wait_until(lambda: whole_to(store) == [1])
    said = dict(store.execute("SELECT reason, sum(times)::int FROM refusals GROUP BY 1").fetchall())
    assert said == {
        "not_json": 3,
        "oversized": 1,
        "other_kiosk": 2,
        "unknown_version": 1,
        "not_of_contract": 2,
        "not_signed": 2,
        "topic": 1,
    }
    assert count(store, "events") == 1


def test_keys_on_the_broker_are_only_compared(broker, store, dsn, run, publish):
    kiosk = Kiosk()
    kiosks.pin(store, kiosk.keys())
    side = publish(broker.port)
    topic = f"{kiosk.topics.base}/keys"
    side.send([(topic, json.dumps(kiosk.keys()).encode())], retain=True)
    run(config_for(broker.port, dsn))
    assert wait_until(
        lambda: store.execute("SELECT said_signing = signing_key FROM kiosks").fetchone() == (True,)
    )
    assert flaws(store) == []
    side.send([(topic, json.dumps(Kiosk().keys()).encode())], retain=True)
    assert wait_until(lambda: flaws(store) == [("key_differs", 0)])
    pinned = store.execute("SELECT signing_key FROM kiosks").fetchone()
    assert bytes(pinned[0]) == kiosk.key.public_key().public_bytes_raw()


REFUSES = """
CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'reads only' USING ERRCODE = '25006'; END $$;
CREATE TRIGGER refuses BEFORE INSERT ON places EXECUTE FUNCTION refuse();
"""


def test_without_a_database_nothing_is_acknowledged(
    broker, store, dsn, run, publish, monkeypatch, caplog
):
    monkeypatch.setattr("backend.consume._PAUSE_S", 0.1)
    run(config_for(broker.port, dsn))
    kiosk = Kiosk()
    events = kiosk.several(9)
    side = publish(broker.port)
    side.events(events[:3])
    assert wait_until(lambda: whole_to(store) == [3])
    # It refuses all that is written, as after a change to a server that only reads.
    store.execute(REFUSES)
    side.events(events[3:6])
    assert wait_until(lambda: "ReadOnlySqlTransaction" in caplog.text)
    store.execute("DROP TRIGGER refuses ON places")
    assert wait_until(lambda: whole_to(store) == [6])
    assert count(store, "refusals") == 0
    # Its connections end in the midst of it, as at a restart of the server.
    store.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    side.events(events[6:])
    assert wait_until(lambda: whole_to(store) == [9])
