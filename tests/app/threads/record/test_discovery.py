"""What Home Assistant is told, at a real Mosquitto: it stands there, and goes when it shall."""

import json
import threading
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as mqtt
import pytest
from config_parts import GOOD
from mosquitto import Mosquitto, wait_until
from paho.mqtt.enums import CallbackAPIVersion

from agent.app.gate.link import BrokerLink
from agent.app.open.community.home_assistant import announcement_of, shown
from agent.app.open.files.state import ANNOUNCED
from agent.app.threads.organ import Organ
from agent.app.threads.record.discovery import Discovery
from agent.config import ConfigFile, load_config
from agent.domain.record.home_assistant import Shown

TOPIC = "homeassistant/device/gate_lakeside_g3_north-1/config"
ELSEWHERE = "ha/x/device/gate_lakeside_g3_north-1/config"
ON = "home_assistant = true\n"
CONTACT = """
[[input]]
id = "leaf"
kind = "contact"
pin = 27
active_high = true
pull = "up"
door = "in"
"""


class Ear(Organ):
    """What of the organ of the records hears for the discovery."""

    def __init__(self, discovery: Discovery) -> None:
        self.connected = discovery.connected  # type: ignore[method-assign] # it only passes it on
        self.acknowledged = discovery.acknowledged  # type: ignore[method-assign] # likewise


class Kiosk:
    """A kiosk from its config, as far as it speaks to Home Assistant, until it is stopped."""

    def __init__(self, folder: Path, port: int, broker: str, more: str = "") -> None:
        self.file = config(folder, port, broker, more)
        self.discovery = Discovery(ANNOUNCED.at(folder), announcement_of(self.file))
        self.answers: list[str | None] = []
        self.link = BrokerLink(self.file, lambda _mid, refusal: self.answers.append(refusal))
        self.thread = threading.Thread(target=self.discovery.work, args=(self.link,))

    def __enter__(self) -> Self:
        self.thread.start()
        self.link.start([Ear(self.discovery)])
        return self

    def __exit__(self, *_: object) -> None:
        self.discovery.stop()
        self.thread.join(20)
        assert not self.thread.is_alive()
        self.link.close(5)


def config(folder: Path, port: int, broker: str, more: str = "") -> ConfigFile:
    path = folder / "gate.toml"
    head = f'[broker]\nhost = "127.0.0.1"\nport = {port}\n'
    path.write_text(f"{GOOD.partition('[broker]')[0]}\n{more}\n{head}{broker}")
    return load_config(path)


class Retained:
    """What a client finds at the broker that only now subscribes, as Home Assistant would."""

    def __init__(self, port: int) -> None:
        self.found: dict[str, bytes] = {}
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, "hass", protocol=mqtt.MQTTv5)
        self.client.on_message = self._heard
        self.client.connect("127.0.0.1", port, keepalive=5)
        self.client.loop_start()
        self.ended = threading.Event()
        self.client.subscribe("#", qos=1)
        # What is retained comes before what is said from now on.
        wait_until(self.client.is_connected)
        self.client.publish("end", b"", 1)
        assert self.ended.wait(20)
        self.client.disconnect()
        self.client.loop_stop()

    def _heard(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        if message.topic == "end":
            self.ended.set()
        elif message.retain:
            self.found[message.topic] = bytes(message.payload)


def retained(port: int) -> dict[str, Any]:
    found = Retained(port).found
    return {topic: json.loads(body) for topic, body in found.items() if topic.endswith("/config")}


def told(folder: Path) -> Any:
    file = ANNOUNCED.at(folder)
    return json.loads(file.read_text()) if file.exists() else None


def comes(port: int, *topics: str) -> bool:
    """Whether exactly this is retained, soon."""
    return bool(wait_until(lambda: set(retained(port)) == set(topics), 20))


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_it_stands_after_the_start_and_is_gone_once_the_option_is_off(
    tmp_path: Path, mosquitto: Mosquitto, protocol: str
) -> None:
    port, speaks = mosquitto.port, f'protocol = "{protocol}"\n'
    with Kiosk(tmp_path, port, speaks + ON):
        assert comes(port, TOPIC)
    # It outlives the kiosk: Home Assistant may come later.
    (message,) = retained(port).values()
    assert message["origin"]["name"] == "gate-agent"
    assert {"state-north-entry", "mode-north-exit", "decision"} <= set(message["components"])
    assert set(told(tmp_path)) == {TOPIC}
    with Kiosk(tmp_path, port, speaks) as kiosk:
        assert kiosk.discovery.due
        assert comes(port)
        assert wait_until(lambda: told(tmp_path) is None, 20)
    assert not Kiosk(tmp_path, port, "").discovery.due


def test_a_kiosk_that_never_told_it_says_nothing_there(tmp_path: Path) -> None:
    discovery = Discovery(ANNOUNCED.at(tmp_path), None)
    assert announcement_of(config(tmp_path, 1883, "")) is None
    assert announcement_of(config(tmp_path, 1883, 'discovery_prefix = "ha"\n')) is None
    assert not discovery.due
    assert told(tmp_path) is None


def test_moved_to_another_prefix_it_stands_there_only(tmp_path: Path, mosquitto: Mosquitto) -> None:
    port = mosquitto.port
    with Kiosk(tmp_path, port, ON):
        assert comes(port, TOPIC)
    with Kiosk(tmp_path, port, f'{ON}discovery_prefix = "ha/x"\n'):
        assert comes(port, ELSEWHERE)
        assert wait_until(lambda: set(told(tmp_path)) == {ELSEWHERE}, 20)


def test_what_is_no_more_is_said_to_be_gone(tmp_path: Path, mosquitto: Mosquitto) -> None:
    port = mosquitto.port
    with Kiosk(tmp_path, port, ON, CONTACT):
        assert comes(port, TOPIC)
    assert retained(port)[TOPIC]["components"]["contact-north-entry"]["device_class"] == "door"
    with Kiosk(tmp_path, port, f"{ON}health_every_s = 0\n"):
        assert wait_until(
            lambda: retained(port)[TOPIC]["components"]["uptime"].keys() == {"platform"}
        )
        gone = retained(port)[TOPIC]["components"]["contact-north-entry"]
        assert gone == {"platform": "binary_sensor"}
    # And stays so: whoever was away with it hears it from the third start too.
    with Kiosk(tmp_path, port, ON):
        assert wait_until(lambda: "state_topic" in retained(port)[TOPIC]["components"]["uptime"])
        assert retained(port)[TOPIC]["components"]["contact-north-entry"] == gone


def test_a_broker_that_forgets_is_told_again(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with Kiosk(tmp_path, mosquitto.port, ON):
        assert comes(mosquitto.port, TOPIC)
        mosquitto.kill()
        mosquitto.start()
        assert comes(mosquitto.port, TOPIC)


def test_what_was_turned_off_while_the_broker_was_away_goes_when_it_is_back(
    tmp_path: Path, make_mosquitto: Any
) -> None:
    broker = make_mosquitto("persistence true", f"persistence_location {tmp_path}/")
    broker.start()
    with Kiosk(tmp_path, broker.port, ON):
        assert comes(broker.port, TOPIC)
    broker.stop()
    with Kiosk(tmp_path, broker.port, ""):
        assert told(tmp_path) is not None
    assert told(tmp_path) is not None
    with Kiosk(tmp_path, broker.port, ""):
        broker.start()
        assert comes(broker.port)
        assert wait_until(lambda: told(tmp_path) is None, 20)


def test_a_refusal_is_remembered_and_tried_again(tmp_path: Path, make_mosquitto: Any) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic read #\ntopic write gate/#\ntopic write end\n")
    acl.chmod(0o600)
    broker = make_mosquitto(f"acl_file {acl}")
    broker.start()
    with Kiosk(tmp_path, broker.port, ON) as kiosk:
        assert wait_until(lambda: kiosk.answers == ["Not authorized"], 20)
        assert retained(broker.port) == {}
        # Whatever became of it is taken back where it is turned off.
        assert set(told(tmp_path)) == {TOPIC}
        kiosk.discovery.connected()
        assert wait_until(lambda: kiosk.answers == ["Not authorized"] * 2, 20)


def test_a_file_that_is_none_of_ours_ends_nothing(tmp_path: Path) -> None:
    for content in (b"", b"[1]", b'{"a": 1}', b"\xff\xfe\x00", b"[" * 100_000):
        ANNOUNCED.at(tmp_path).write_bytes(content)
        assert not Discovery(ANNOUNCED.at(tmp_path), None).due


def test_a_contact_that_both_directions_share_tells_of_neither(tmp_path: Path) -> None:
    relay = 'kind = "gpio"\npin = 17'

    def of(more: str, door: str = relay) -> list[Shown]:
        text = GOOD.partition("[broker]")[0].replace(relay, door)
        if door != relay:
            text = text.replace('door = "out"', 'door = "in"')
        (tmp_path / "gate.toml").write_text(f"{text}\n{more}")
        return list(shown(load_config(tmp_path / "gate.toml").config))

    turnstile = 'kind = "turnstile"\npin = 17\nexit_pin = 22'
    assert of(CONTACT) == [Shown("north-entry", contact=True), Shown("north-exit")]
    assert of("") == [Shown("north-entry"), Shown("north-exit")]
    assert of(CONTACT, turnstile) == [Shown("north-entry"), Shown("north-exit")]
