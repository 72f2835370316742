"""How many events a second one instance stores and verifies: the figure in docs/backend.md.

.venv/bin/python -m pytest -m slow -s tests/backend/test_throughput.py
"""

import json
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from backend import database, kiosks, migrations
from backend_parts import Cluster, Kiosk, Publisher, count, flaws, topic_of
from mosquitto import wait_until
from places import ROOT

KIOSKS, EACH = 200, 100


@pytest.mark.slow
def test_a_backlog_goes_through_one_instance(make_mosquitto, tmp_path, capsys):
    if Cluster.programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="gate-postgres-"))
    server = Cluster(folder, durable=True)
    broker = make_mosquitto("max_inflight_messages 0", "max_queued_messages 0")
    try:
        server.start()
        broker.start()
        measure(server.dsn(server.database()), broker.port, tmp_path, capsys)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def measure(dsn, port, tmp_path, capsys) -> None:
    config = tmp_path / "backend.toml"
    config.write_text(
        f'[store]\ndsn = "{dsn}"\n[broker]\nport = {port}\n[consumer]\ninstance = "one"\n'
    )
    command = [ROOT / "scripts" / "backend" / "backend", "--config", config, "consume"]
    made = [Kiosk(f"lakeside/g{number % 9}/k-{number}") for number in range(KIOSKS)]
    with database.connect(dsn) as store:
        migrations.apply(store)
        for kiosk in made:
            kiosk.several(EACH)
            kiosk.checkpoint()
            kiosks.pin(store, kiosk.keys())
        messages = [
            (topic_of(event), json.dumps(event).encode())
            for line in zip(*(kiosk.events for kiosk in made), strict=True)
            for event in line
        ]
        side = Publisher(port)
        with subprocess.Popen(command) as process:
            # So that the broker keeps a session for it.
            assert wait_until(lambda: probed(side, store))
            process.send_signal(signal.SIGTERM)
        side.send(messages)
        side.close()
        with subprocess.Popen(command) as process:
            assert wait_until(lambda: count(store, "events") > 0)
            began_s, before = time.monotonic(), count(store, "events")
            assert wait_until(lambda: count(store, "events") == len(messages), 300)
            stored_s = time.monotonic() - began_s
            assert wait_until(lambda: signed(store) == KIOSKS, 300)
            verified_s = time.monotonic() - began_s
            process.send_signal(signal.SIGTERM)
        assert flaws(store) == []
    events = len(messages) - before
    with capsys.disabled():
        print(  # noqa: T201 - the answer of whoever runs it
            f"\n{events} events of {KIOSKS} kiosks: stored {events / stored_s:.0f} a second,"
            f" verified {events / verified_s:.0f} a second (fsync on)"
        )


def probed(publisher, store):
    publisher.send([("gate/lakeside/g9/probe/events/x", b"{")])
    return count(store, "refusals") > 0


def signed(store):
    row = store.execute(
        "SELECT count(*) FROM streams WHERE whole_to = %s AND signed_to = %s", (EACH + 1, EACH)
    ).fetchone()
    return row[0]
