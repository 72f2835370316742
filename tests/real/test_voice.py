"""The installed agent with a loudspeaker: what aplay gets to play, and what does not come of it."""

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from mosquitto import wait_until
from paho.mqtt.enums import CallbackAPIVersion
from test_agent import PIN, Site, simulated
from voice_parts import Tones

from agent.operations.voice.prepare import VoiceFiles, prepare
from agent.operations.voice.texts import load_texts

ANNOUNCE = "gate/lakeside/g3/north-1/announce"
TABLES = """
[voice]
kind = "aplay"
access_point = "north-entry"
languages = ["zh", "en"]
[clock]
trust_system_clock = true
"""


class Street:
    """The agent as a process whose aplay writes down what it should play."""

    def __init__(self, site: Site, port: int, portrait: Path) -> None:
        self.site, self._log = site, site.folder / "played"
        programs = site.folder / "programs"
        programs.mkdir()
        (programs / "aplay").write_text(f'#!/bin/sh\necho "$3" >> {self._log}\n')
        (programs / "aplay").chmod(0o755)
        site.environment["PATH"] = f"{programs}:{os.environ['PATH']}"
        site.configure(simulated(portrait), pulse_s=0.5, broker=port)
        site.config.write_text(site.config.read_text() + TABLES)
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, "announcer")
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def heard(self) -> list[str]:
        rows = self._log.read_text().split() if self._log.exists() else []
        return [f"{Path(row).parent.name}/{Path(row).stem}" for row in rows]

    def announce(self, name: str, **changes: object) -> None:
        expires = (datetime.now(UTC) + timedelta(minutes=5)).isoformat(timespec="seconds")
        told = {"id": name, "message": "announce.visitors", "priority": "urgent"}
        payload = json.dumps({**told, "expires": expires, **changes})
        self.client.publish(ANNOUNCE, payload, 1).wait_for_publish(5)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def site(tmp_path, dlib_pack):
    site = Site(tmp_path, dlib_pack.directory.parent)
    prepare(VoiceFiles(site.state), [load_texts("zh"), load_texts("en")], Tones())
    yield site
    for process in site.processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


@pytest.fixture
def street(site, mosquitto, shared_faces):
    street = Street(site, mosquitto.port, shared_faces / "gallery" / "lowe.jpg")
    yield street
    street.close()


def test_a_resident_is_let_in_aloud_and_an_announcement_moves_no_output(
    street, site, shared_faces, subscriber
):
    site.enrol(shared_faces / "gallery" / "lowe.jpg")
    process = site.run()
    assert wait_until(lambda: "en/granted" in street.heard())
    assert street.heard()[:2] == ["zh/granted", "en/granted"]
    assert wait_until(lambda: subscriber.statuses() and not site.pins.level(PIN))
    moved = site.pins.changes(PIN)
    events = len(site.events())
    street.announce("hostile", release="turnstile", door="turnstile")
    street.announce("not-ours", message="granted")
    street.announce("visitors", repeat=2, language="en")
    said = "en/announce.visitors"
    assert wait_until(lambda: street.heard().count(said) == 2)
    if len(site.events()) == events:  # the resident may have come again meanwhile
        assert site.pins.changes(PIN) == moved
    assert street.heard().count("zh/announce.visitors") == 0
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_a_gate_whose_aplay_is_broken_opens_all_the_same(street, site, shared_faces):
    site.enrol(shared_faces / "gallery" / "lowe.jpg")
    (site.folder / "programs" / "aplay").write_text("#!/bin/sh\necho no card >&2; exit 1\n")
    process = site.run()
    assert wait_until(lambda: site.events("fault"))
    assert wait_until(lambda: site.pins.changes(PIN) >= 2)
    (fault,) = [e["data"] for e in site.events("fault") if e["data"]["part"] == "voice"]
    assert fault["detail"] == "aplay failed: no card"
    assert [event["type"] for event in site.events()] == ["gate.access.granted"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
