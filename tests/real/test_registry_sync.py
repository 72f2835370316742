"""The installed agent at a real broker: somebody registered elsewhere is let in, and removed."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from asyncapi import objections
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mosquitto import Mosquitto, Subscriber, wait_until
from sync_office import Office
from sync_parts import REGISTRY_KEY, STRANGER_KEY, messages, packed, person, template
from test_agent import Site, ended, simulated

from agent.credentials.signed.entries import Face, Removal
from agent.credentials.signed.word_entries import RulesEntry
from agent.domain.credential.holder import HolderId
from agent.domain.record.registry_sync import ReceiptOutcome

OBAMA = HolderId("obama")


class Kiosk(Site):
    """A kiosk whose config names a registry."""

    def listen(self, camera: str, broker: int) -> None:
        self.configure(camera, broker=broker)
        public = REGISTRY_KEY.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        (self.folder / "registry.pub").write_bytes(public)
        text = self.config.read_text()
        text += '[registry]\nkey_files = ["registry.pub"]\nrules = true\n'
        text += "[clock]\ntrust_system_clock = true\n"
        self.config.write_text(text)

    def keys(self) -> Any:
        done = self.command("key", "show", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def sync(self) -> Any:
        done = self.command("status", "--json")
        return json.loads(done.stdout)["registry_sync"] if done.returncode == 0 else None

    def status(self) -> Any:
        done = self.command("status", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def people(self) -> list[str]:
        done = self.command("holders", "list", "--json")
        return [one["id"] for one in json.loads(done.stdout)]


@pytest.fixture
def kiosk(tmp_path: Path, dlib_pack: Any) -> Iterator[Kiosk]:
    with ended(Kiosk(tmp_path, dlib_pack.directory.parent)) as site:
        assert isinstance(site, Kiosk)
        yield site


@pytest.fixture
def office(mosquitto: Mosquitto, kiosk: Kiosk) -> Iterator[Office]:
    made = Office(mosquitto.port, kiosk.keys())
    yield made
    made.close()


def portrait(shared_faces: Path) -> bytes:
    """A photograph as a registry sends one."""
    image = cv2.imread(str(shared_faces / "gallery" / "obama.jpg"))
    assert image is not None
    scale = 600 / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
    assert len(encoded) < 190_000
    return encoded


def reasons(kiosk: Kiosk) -> list[str | None]:
    return [event["data"]["reason"] for event in kiosk.events()]


def test_a_photograph_from_the_registry_opens_the_gate_until_its_person_is_removed(
    kiosk: Kiosk, office: Office, subscriber: Subscriber, mosquitto: Mosquitto, shared_faces: Path
) -> None:
    kiosk.attempt_interval_s = 1.0
    kiosk.listen(simulated(shared_faces / "gallery" / "obama.jpg"), mosquitto.port)
    photograph = portrait(shared_faces)
    process = kiosk.run()
    assert wait_until(lambda: kiosk.sync() is not None)
    assert wait_until(lambda: office.requests != [])
    assert office.requests[0].version == 0
    nobody = RulesEntry("resident", "[]")
    office.register([nobody, person("obama", photograph=photograph)], (0, 6))
    assert wait_until(lambda: [one.outcome for one in office.receipts] == [ReceiptOutcome.ENROLLED])
    assert wait_until(lambda: "Unauthorized" in reasons(kiosk)), reasons(kiosk)
    assert None not in reasons(kiosk)
    office.register([RulesEntry("resident", None)], (6, 7))
    assert wait_until(lambda: kiosk.sync()["version"] == 7)
    # Whoever was refused as Unauthorized stays so until they step away: here, until it comes back.
    process.kill()
    process.wait(60)
    process = kiosk.run()
    assert wait_until(lambda: None in reasons(kiosk)), reasons(kiosk)
    assert wait_until(lambda: kiosk.sync()["waiting"]["receipts"] == 0)
    assert kiosk.sync()["version"] == 7
    sent = [payload for topic, payload, _ in subscriber.messages if not topic.endswith("/registry")]
    assert not [one for one in sent if photograph[:64] in one]

    forged = packed([person("eve")], (7, 8), to=office.to, key=STRANGER_KEY)
    office.send(messages(forged))
    office.register([Removal(OBAMA)], (7, 8))
    assert wait_until(lambda: office.receipts[-1].outcome is ReceiptOutcome.ERASED)
    erased = office.receipts[-1]
    assert (erased.holder, erased.version, erased.clock_trusted) == ("obama", 8, True)
    assert (erased.counts["holders"], erased.counts["references"]) == (1, 1)
    assert kiosk.people() == []
    assert wait_until(lambda: kiosk.status()["holders"] == 0)
    granted = reasons(kiosk).count(None)
    assert wait_until(lambda: kiosk.sync()["waiting"]["receipts"] == 0)
    assert kiosk.sync()["refused"]["unknown_key"] == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert reasons(kiosk).count(None) == granted
    told = subscriber.events("registry")
    assert {event["type"] for event in told} == {"gate.registry.updated", "gate.registry.refused"}
    assert [objections(event) for event in told] == [[]] * len(told)
    assert "obama" not in json.dumps(told)
    left = b"".join(file.read_bytes() for file in kiosk.state.glob("registry*"))
    assert b"obama" not in left


@pytest.mark.slow
def test_killed_in_the_middle_of_a_snapshot_the_kiosk_goes_on_where_it_was(
    kiosk: Kiosk, office: Office, mosquitto: Mosquitto, shared_faces: Path
) -> None:
    kiosk.listen(simulated(shared_faces / "hard" / "no_face.png"), mosquitto.port)
    process = kiosk.run()
    assert wait_until(lambda: office.requests != [])
    people = [
        person(f"h{number:05}", Face("dlib", "1", template(number))) for number in range(2000)
    ]
    office.register(people, (0, 3))
    place = kiosk.state
    assert wait_until(lambda: len([*place.glob("registry-incoming-*")]) >= 2)
    process.kill()
    process.wait(60)
    assert len([*place.glob("registry-incoming-*")]) < len(office.parcels)
    office.requests.clear()
    process = kiosk.run()
    assert wait_until(lambda: office.requests != [])
    kept = set(range(len(office.parcels))) - {part for part, _ in office.requests[0].lacks}
    assert 0 in kept
    assert wait_until(lambda: (kiosk.sync() or {}).get("version") == 3)
    assert len(kiosk.people()) == 2000

    office.register([person("late")], (3, 4))
    assert wait_until(lambda: kiosk.status()["holders"] == 2001)
    assert not [*place.glob("registry-incoming-*")]
