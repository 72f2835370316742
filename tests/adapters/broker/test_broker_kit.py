"""The shipped broker: certificates on both sides, and each kiosk held to its own topics."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from mosquitto import Mosquitto, wait_until
from outbox_parts import Sender, event
from paho.mqtt.enums import CallbackAPIVersion
from places import ROOT

from agent.adapters.store.record.journal import SqliteJournal

KIT = ROOT / "scripts" / "backend" / "broker"
NORTH, SOUTH = "lakeside/g3/north-1", "lakeside/g3/south-1"

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is absent")


def certificates(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [KIT / "certificates", *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority") / "ca"
    for arguments in (
        ("new", folder, "Lakeside"),
        ("broker", folder, "127.0.0.1", "broker.lakeside.example"),
        ("client", folder, "backend"),
        ("client", folder, NORTH),
        ("client", folder, SOUTH),
    ):
        ran = certificates(*arguments)
        assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture
def broker(authority: Path, tmp_path: Path, make_mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    """By the shipped config; its port and its places are the test's own."""
    acl = tmp_path / "acl"
    acl.write_text((KIT / "acl").read_text())
    acl.chmod(0o600)
    (tmp_path / "kept").mkdir()
    places = {
        "/etc/mosquitto/gate/broker.lakeside.example": str(authority / "127.0.0.1"),
        "/etc/mosquitto/gate/ca.pem": str(authority / "ca.pem"),
        "/etc/mosquitto/gate/acl": str(acl),
        "/var/lib/mosquitto/": f"{tmp_path}/kept/",
    }
    text = (KIT / "mosquitto.conf").read_text()
    made = make_mosquitto()
    for there, here in places.items():
        assert there in text
        text = text.replace(there, here)
    made.config.write_text(
        re.sub(r"listener 8883", f"listener {made.port} 127.0.0.1", text) + "user root\n"
    )
    made.start()
    return made


class Client:
    """Somebody of the authority, who hears what they are let hear."""

    def __init__(self, port: int, authority: Path, name: str) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.refused: list[str] = []
        self.up = False
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, name.replace("/", "-"), protocol=mqtt.MQTTv5
        )
        file = authority / name.replace("/", "-")
        self.client.tls_set(str(authority / "ca.pem"), f"{file}.pem", f"{file}.key")
        self.client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self.client.on_subscribe = lambda *_: setattr(self, "up", True)
        self.client.on_message = lambda _c, _u, one: self.heard.append(
            (one.topic, bytes(one.payload))
        )
        self.client.on_publish = lambda _c, _u, _m, code, _p: (
            self.refused.append(str(code)) if code.is_failure else None
        )
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert wait_until(lambda: self.up)

    def say(self, topic: str) -> None:
        self.client.publish(topic, b"{}", 1).wait_for_publish(20)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def clients(broker: Mosquitto, authority: Path) -> Iterator[dict[str, Client]]:
    made = {name: Client(broker.port, authority, name) for name in ("backend", NORTH, SOUTH)}
    yield made
    for one in made.values():
        one.close()


def test_a_kiosk_can_neither_read_nor_write_anothers(clients: dict[str, Client]) -> None:
    north, backend = clients[NORTH], clients["backend"]
    theirs = [f"gate/{SOUTH}/{rest}" for rest in ("events/access", "status", "announce", "health")]
    for topic in (*theirs, "gate/lakeside/announce", "homeassistant/device/x/config"):
        north.say(topic)
        clients[SOUTH].say(f"gate/{SOUTH}/events/door")
    assert len(north.refused) == len(theirs) + 2
    north.say(f"gate/{NORTH}/events/access")
    assert wait_until(lambda: (f"gate/{NORTH}/events/access", b"{}") in backend.heard)
    assert {topic for topic, _ in backend.heard} == {
        f"gate/{NORTH}/events/access",
        f"gate/{SOUTH}/events/door",
    }
    assert wait_until(lambda: north.heard)
    assert {topic for topic, _ in north.heard} == {f"gate/{NORTH}/events/access"}


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_an_agent_of_the_kit_is_heard(
    broker: Mosquitto,
    authority: Path,
    clients: dict[str, Client],
    journal: SqliteJournal,
    make_sender: Callable[..., Sender],
    protocol: str,
) -> None:
    journal.append(event(1))
    file = authority / "lakeside-g3-north-1"
    for one in (NORTH, SOUTH):
        clients[one].close()
    sender = make_sender(
        broker.port,
        protocol=protocol,
        ca_file=authority / "ca.pem",
        cert_file=file.with_suffix(".pem"),
        key_file=file.with_suffix(".key"),
    )
    assert wait_until(lambda: journal.pending() == 0)
    assert wait_until(lambda: clients["backend"].heard)
    assert sender.refusals == []


def test_nobody_without_a_certificate_is_heard(
    broker: Mosquitto,
    authority: Path,
    journal: SqliteJournal,
    make_sender: Callable[..., Sender],
) -> None:
    journal.append(event(1))
    sender = make_sender(broker.port, ca_file=authority / "ca.pem")
    # It may also break off before it is heard; the next try says it.
    assert wait_until(lambda: any("wants this kiosk's" in why for why in sender.goodbyes))
    assert journal.pending() == 1


def test_a_kiosks_key_stays_where_it_was_made(authority: Path, tmp_path: Path) -> None:
    key, asked = tmp_path / "kiosk.key", tmp_path / "kiosk.csr"
    subprocess.run(
        f"openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=kiosk"
        f" -keyout {key} -out {asked}".split(),
        capture_output=True,
        check=True,
    )
    ran = certificates("client", authority, "lakeside/g4/west-1", asked)
    assert ran.returncode == 0, ran.stderr
    made = sorted(path.name for path in authority.glob("lakeside-g4-*"))
    assert made == ["lakeside-g4-west-1.pem"]
    subject = subprocess.run(
        ["openssl", "x509", "-in", authority / made[0], "-noout", "-subject"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "lakeside/g4/west-1" in subject.stdout, "the name is the authority's to give"


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("new", "{ca}", "Lakeside"), 1, "is there already"),
        (("client", "{ca}", NORTH), 1, "is there already"),
        (("client", "{ca}", "../north"), 2, "neither a name nor"),
        (("client", "{ca}", "a/b"), 2, "neither a name nor"),
        (("client", "{ca}", "a/b/" + 64 * "c"), 2, "longer than the 64"),
        (("client", "{ca}", "new-1", "{ca}/ca.pem"), 1, "no certificate request"),
        (("broker", "{ca}", "a b"), 2, "no host name"),
        (("client", "{ca}-none", "x"), 1, "there is no authority"),
        (("client",), 2, "Usage"),
    ],
)
def test_what_is_wrong_is_said_and_leaves_nothing(
    authority: Path, arguments: tuple[str, ...], code: int, why: str
) -> None:
    before = sorted(authority.iterdir())
    ran = certificates(*(one.format(ca=authority) for one in arguments))
    assert (ran.returncode, why in ran.stderr) == (code, True), ran.stderr
    assert sorted(authority.iterdir()) == before


def test_keys_are_their_owners_alone(authority: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in authority.glob("*.key")} == {0o600}
    assert authority.stat().st_mode & 0o777 == 0o700
