"""Announcements: hostile payloads, expiry, repeats, rates, and one by way of a real broker."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from asyncapi import complaints
from asyncapi import payload as contract_of
from hypothesis import given
from hypothesis import strategies as st
from mosquitto import Subscriber, wait_until
from paho.mqtt.enums import CallbackAPIVersion
from places import ROOT
from structlog.testing import capture_logs

from agent.adapters.broker.listener import Listener
from agent.adapters.broker.mqtt import BrokerCallbacks, BrokerSettings, PahoBroker
from agent.adapters.manual_clock import ManualClock
from agent.app.threads.tell.announcements import AnnouncementFilter, parse_announcement
from agent.domain.access.hints import Priority
from agent.domain.record.announcement import Announcement
from agent.domain.record.status import offline
from agent.domain.record.topics import Topics
from agent.errors import RefusedError

PAGE = ROOT / "docs" / "telling.md"
TOPICS = Topics("lakeside", "g3", "north-1")
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "id": "a-1",
    "message": "announce.visitors",
    "priority": "routine",
    "expires": "2026-11-25T20:30:00+08:00",
}


def payload(**changes: Any) -> bytes:
    """A good one with changes; None takes a key away."""
    changed = {**GOOD, **changes}
    return json.dumps({key: value for key, value in changed.items() if value is not None}).encode()


# --- parsing -------------------------------------------------------------------------------------


def test_a_good_one_is_understood_to_the_last_key() -> None:
    assert parse_announcement(payload(repeat=2, language="en")) == Announcement(
        "a-1",
        Priority.ROUTINE,
        datetime(2026, 11, 25, 12, 30, tzinfo=UTC),
        "announce.visitors",
        repeat=2,
        language="en",
    )
    assert parse_announcement(payload(message=None, text="停水通知")).text == "停水通知"


@pytest.mark.parametrize(
    "expires", ["2026-11-25t12:30:00z", "2026-11-25T12:30:00.0000000Z", "2026-11-25T12:30:00-00:00"]
)
def test_a_time_is_read_in_every_form_of_rfc_3339(expires: str) -> None:
    """Before, small letters and a fraction of seven digits were no time."""
    assert parse_announcement(payload(expires=expires)) == parse_announcement(payload())


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe{}",
        b"{" * 4000,
        b"[" * 4000,
        b'{"id": "a", "id": "b"}',
        payload() + b" ",
        b" " * 4096 + payload(),
        payload(id=None),
        payload(id=""),
        payload(id="a" * 65),
        payload(id="a b"),
        payload(id="a\n"),
        payload(id=1),
        payload(message=None),
        payload(text="both"),
        payload(message="../../etc/passwd"),
        payload(message="announce.visitors\n"),
        payload(message=["announce.visitors"]),
        payload(message=None, text=""),
        payload(message=None, text="x" * 201),
        payload(message=None, text="two\nlines"),
        payload(message=None, text="\x1b[2J"),
        payload(message=None, text="\ud800"),
        payload(message=None, text="   "),
        payload(priority=None),
        payload(priority="attempt"),
        payload(priority=3),
        payload(priority=["routine"]),
        payload(expires=None),
        payload(expires="tomorrow"),
        payload(expires="2026-11-25T12:00:00"),
        payload(expires="20261125T120000Z"),
        payload(expires="2026-13-25T12:00:00Z"),
        payload(expires="2026-11-25T25:00:00Z"),
        payload(expires="0001-01-01T00:00:00+23:59"),
        payload(expires="9999-12-31T23:59:59-23:59"),
        payload(expires="２026-11-25T12:00:00Z"),
        payload(expires=1e12),
        payload(repeat=0),
        payload(repeat=4),
        payload(repeat=True),
        payload(repeat=1.0),
        payload(repeat="1"),
        payload(language="../en"),
        payload(language=""),
        payload(door="turnstile"),
        payload(release=True),
    ],
    ids=lambda bad: repr(bad[-40:]),
)
def test_a_bad_one_is_refused_and_not_quoted(bad: bytes) -> None:
    if bad == payload() + b" ":
        parse_announcement(bad)  # white space is JSON's own
        return
    with pytest.raises(RefusedError) as error:
        parse_announcement(bad)
    assert "passwd" not in str(error.value)
    assert str(error.value).isascii()


def test_the_page_and_the_contract_show_one_that_is_understood() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert parse_announcement(example.encode()).message == "announce.visitors"
    described = contract_of("announcement")
    assert complaints(json.loads(example), described) == []
    assert complaints({**json.loads(example), "door": "x"}, described) == [".door is not described"]


@given(st.binary(max_size=5000))
def test_whatever_bytes_come_they_are_refused_or_understood(hostile: bytes) -> None:
    try:
        parse_announcement(hostile)
    except RefusedError:
        return


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*GOOD, "text", "repeat", "language", "x"]), _VALUES))
def test_whatever_json_comes_what_is_understood_is_within_bounds(changes: dict[str, Any]) -> None:
    sieve = made_filter()
    wanted = sieve.hear(json.dumps({**GOOD, **changes}).encode("utf-8", "surrogatepass"))
    if wanted is None:
        assert sum(sieve.dropped.values()) == 1
        return
    assert 1 <= len(wanted.id) <= 64
    assert 1 <= wanted.repeat <= 3
    assert wanted.message == "announce.visitors"
    assert timedelta() < wanted.expires - NOW <= timedelta(days=7)


# --- which are said ------------------------------------------------------------------------------


def made_filter(clock: ManualClock | None = None, **more: Any) -> AnnouncementFilter:
    clock = clock or ManualClock(utc=NOW)
    return AnnouncementFilter(
        clock.now, lambda key: key != "announce.unknown", ["zh", "en"], **more
    )


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"expires": "2026-11-25T12:00:00Z"}, "expired"),
        ({"expires": "2026-12-03T12:00:00Z"}, "malformed"),
        ({"message": "announce.unknown"}, "unknown_message"),
        ({"message": "granted"}, "unknown_message"),
        ({"message": "denied.try_again"}, "unknown_message"),
        ({"language": "fr"}, "unknown_message"),
        ({"message": None, "text": "hello"}, "text_not_allowed"),
        ({"extra": 1}, "malformed"),
    ],
)
def test_what_may_not_be_said_is_dropped_and_counted(changes: dict[str, Any], kind: str) -> None:
    sieve = made_filter()
    assert sieve.hear(payload(**changes)) is None
    assert sieve.dropped == {kind: 1}
    assert sieve.hear(payload()) is not None, "one that was dropped uses up no id and no turn"


def test_free_text_is_for_those_who_allow_it() -> None:
    heard = made_filter(speak_text=True).hear(payload(message=None, text="hello"))
    assert heard is not None
    assert heard.text == "hello"


def test_without_a_trusted_clock_nothing_is_said() -> None:
    clock = ManualClock(utc=NOW, trusted=False)
    sieve = made_filter(clock)
    assert sieve.hear(payload(priority="emergency")) is None
    assert sieve.dropped == {"clock_untrusted": 1}
    clock.step_utc(0, trusted=True)
    assert sieve.hear(payload(priority="emergency")) is not None


def test_an_id_is_said_once_and_few_are_remembered() -> None:
    clock = ManualClock(utc=NOW)
    sieve = made_filter(clock)
    assert sieve.hear(payload()) is not None
    assert sieve.hear(payload(priority="emergency")) is None
    assert sieve.dropped == {"repeated": 1}
    for number in range(600):
        clock.advance(10)
        far = (clock.now().utc + timedelta(minutes=1)).isoformat()
        assert sieve.hear(payload(id=f"n-{number}", expires=far)) is not None
    assert len(sieve._heard) == 512


def test_a_flood_is_cut_off_and_leaves_room_for_an_emergency() -> None:
    clock = ManualClock(utc=NOW)
    sieve = made_filter(clock)
    heard = [sieve.hear(payload(id=f"n-{n}", priority="urgent")) for n in range(100)]
    assert sum(one is not None for one in heard) == 6
    assert sieve.dropped == {"too_many": 94}
    assert sieve.hear(payload(id="fire", priority="emergency")) is not None
    clock.advance(10)
    assert sieve.hear(payload(id="later")) is not None
    assert sieve.hear(payload(id="too soon".replace(" ", "-"))) is None


def test_a_flood_does_not_fill_the_log_and_no_text_stands_there() -> None:
    sieve = made_filter()
    with capture_logs() as logs:
        for _ in range(1000):
            sieve.hear(payload(message=None, text="Anna Liu, flat 7"))
    assert len(logs) == 10
    assert "Anna" not in str(logs)


# --- by way of a broker --------------------------------------------------------------------------


class Kiosk:
    """A broker's client with a sieve behind both topics, as ``tell.telling`` wires them."""

    def __init__(self, port: int) -> None:
        self.said: list[Announcement] = []
        self.heard: list[bytes] = []
        self.sieve = made_filter()
        self.connected = threading.Event()
        listener = Listener(self._hear, retained=True)
        topics = {TOPICS.announce: listener, TOPICS.announce_to_all: listener}
        other = "gate/lakeside/g3/north-1/time/answer"
        self.answers: list[bytes] = []
        topics[other] = Listener(self.answers.append)
        self.broker = PahoBroker(
            BrokerSettings("127.0.0.1", port, "kiosk", TOPICS.status, offline("lost")),
            BrokerCallbacks(self.connected.set, lambda _: None, lambda *_: None, topics),
        )
        self.broker.start()
        assert self.connected.wait(60)

    def _hear(self, content: bytes) -> None:
        self.heard.append(content)
        wanted = self.sieve.hear(content)
        if wanted is not None:
            self.said.append(wanted)


@pytest.fixture
def publisher(mosquitto: Any) -> Iterator[mqtt.Client]:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "announcer")
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def test_an_announcement_reaches_its_kiosk_by_both_topics(
    mosquitto: Any, publisher: mqtt.Client
) -> None:
    expired = payload(id="old", expires="2026-11-25T11:59:59Z")
    publisher.publish(TOPICS.announce, expired, 1, retain=True).wait_for_publish(5)
    publisher.publish(TOPICS.announce_to_all, payload(), 1, retain=True).wait_for_publish(5)
    publisher.publish(TOPICS.time_answer, b"stale", 1, retain=True).wait_for_publish(5)
    kiosk = Kiosk(mosquitto.port)
    try:
        assert wait_until(lambda: len(kiosk.heard) == 2)
        assert [one.id for one in kiosk.said] == ["a-1"]
        for topic in (
            "gate/lakeside/g3/south-1/announce",
            "gate/elsewhere/announce",
            "gate/lakeside/g3/north-1/door",
        ):
            publisher.publish(topic, payload(id="not-here"), 1)
        publisher.publish(TOPICS.announce, bytes(5000), 1)
        publisher.publish(TOPICS.announce, payload(), 1)
        publisher.publish(TOPICS.time_answer, b"fresh", 1)
        publisher.publish(TOPICS.announce, payload(id="here", priority="emergency"), 1)
        assert wait_until(lambda: len(kiosk.said) == 2)
        assert kiosk.said[1].priority is Priority.EMERGENCY
        assert kiosk.sieve.dropped == {"expired": 1, "repeated": 1}
        assert len(kiosk.heard) == 4, "the large one was not handed on"
        assert wait_until(lambda: kiosk.answers)
        assert kiosk.answers == [b"fresh"], "a retained time answers nothing"
    finally:
        kiosk.broker.close(2.0)


def test_by_the_example_acl_an_announcer_is_heard_and_others_are_not(
    make_mosquitto: Any, tmp_path: Path
) -> None:
    acl = tmp_path / "acl"
    acl.write_text((ROOT / "scripts/backend/broker/acl").read_text())
    acl.chmod(0o600)
    broker = make_mosquitto(f"acl_file {acl}")
    broker.start()
    people = {
        name: Subscriber(broker.port, name=name.replace("/", "-"), username=name, password="x")
        for name in ("lakeside/g3/north-1", "lakeside/g3/south-1", "announcer", "backend")
    }
    kiosk, neighbour = people["lakeside/g3/north-1"], people["lakeside/g3/south-1"]
    try:
        neighbour.client.publish(TOPICS.announce, b"from a neighbour", 1)
        neighbour.client.publish(TOPICS.announce_to_all, b"from a neighbour", 1)
        people["announcer"].client.publish("gate/lakeside/g3/north-1/events/access", b"forged", 1)
        people["announcer"].client.publish(TOPICS.announce, b"here", 1)
        people["announcer"].client.publish(TOPICS.announce_to_all, b"all", 1)
        people["backend"].client.publish(TOPICS.announce, b"from the backend", 1)
        assert wait_until(lambda: len(kiosk.messages) == 2 and neighbour.messages)
        assert sorted(content for _, content, _ in kiosk.messages) == [b"all", b"here"]
        assert [content for _, content, _ in neighbour.messages] == [b"all"]
    finally:
        for one in people.values():
            one.close()
