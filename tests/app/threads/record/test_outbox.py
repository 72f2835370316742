"""Journal to broker with a real Mosquitto: in order, each event once by id, nothing lost."""

import json
from dataclasses import replace

import pytest
from mosquitto import Subscriber, wait_until
from outbox_parts import IDS, NOW, Silent, event, first_arrivals, outbox_of, working

from agent.adapters.broker.mqtt import BrokerSettings
from agent.domain.record.chain import ORIGIN, Check, check, follows, link
from agent.domain.record.events import Event, EventType
from agent.domain.record.published import THINNED, Trace


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_is_journaled_arrives_as_a_cloud_event(
    journal, mosquitto, subscriber, make_sender, protocol
):
    make_sender(mosquitto.port, protocol=protocol)
    sent = event(7)
    journal.append(sent)
    assert wait_until(lambda: journal.pending() == 0)
    assert wait_until(subscriber.events)
    (body,) = subscriber.events("access")
    assert body["specversion"] == "1.0"
    assert body["id"] == sent.id
    assert body["source"] == "/gate/lakeside/g3/north-1"
    assert body["type"] == "gate.access.denied"
    assert body["subject"] == "north-entry"
    assert body["time"] == "2026-05-06T12:00:00.000Z"
    assert body["sequence"] == "00000000000000000001"
    assert body["epoch"] == journal.epoch
    assert body["data"] == {"number": 7, "clock_synced": True, "access_point": "north-entry"}
    assert body["previous"] == ORIGIN


def test_a_text_that_is_none_does_not_hold_up_the_stream(
    journal, mosquitto, subscriber, make_sender
):
    odd = Event(IDS.make(NOW), EventType.TRUST_CHANGED, NOW, True, None, {"by": "uid:7 \udcff"})
    journal.append(odd)
    journal.append(event())
    sender = make_sender(mosquitto.port)
    assert wait_until(lambda: journal.pending() == 0)
    assert sender.thread.is_alive()
    assert wait_until(lambda: len(subscriber.events()) == 2)
    # Half a character has no canonical form: no link could be made of it.
    assert subscriber.events()[0]["data"]["by"] == "uid:7 ?"


@pytest.mark.parametrize("events", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_the_events_of_a_broker_that_was_away_arrive_in_order(
    journal, make_mosquitto, make_sender, events
):
    broker = make_mosquitto("max_queued_messages 0")
    for number in range(events):
        journal.append(event(number))
    make_sender(broker.port)
    assert journal.pending() == events
    broker.start()
    listener = Subscriber(broker.port)
    try:
        assert wait_until(lambda: journal.pending() == 0, 180)
        assert wait_until(lambda: len(set(first_arrivals(listener))) == events, 180)
        assert first_arrivals(listener) == list(range(1, events + 1))
    finally:
        listener.close()


def test_a_broker_killed_in_the_middle_loses_nothing(journal, make_mosquitto, make_sender):
    broker = make_mosquitto("max_queued_messages 0")
    broker.start()
    make_sender(broker.port)
    for number in range(600):
        journal.append(event(number))
        if number in (200, 400):
            broker.kill()
            broker.start()
    listener = Subscriber(broker.port)
    try:
        assert wait_until(lambda: journal.pending() == 0, 180)
        acknowledged = [row for row in journal.read() if row.published]
        assert len(acknowledged) == 600
        # What the dead broker had taken is gone with it; what came after is in order.
        numbers = first_arrivals(listener)
        assert numbers == sorted(numbers)
    finally:
        listener.close()


def test_no_row_is_marked_before_its_acknowledgement(journal, tmp_path):
    """A broker that never answers: published, and still unpublished in the journal."""
    silent = Silent()
    refusals: list[str] = []
    outbox = outbox_of(journal, refusals)
    for number in range(10):
        journal.append(event(number))
    with working(outbox, silent):
        assert wait_until(lambda: len(silent.sent) == 4)
        outbox.notify()
        outbox.acknowledged(1, None)
        outbox.acknowledged(99, None)
        assert wait_until(lambda: journal.pending() == 9)
    assert len(silent.sent) <= 8
    assert [row.sequence for row in journal.unpublished(2)] == [2, 3]


@pytest.mark.parametrize("trace", Trace)
def test_how_near_a_face_came_stays_in_the_journal(journal, trace: Trace) -> None:
    tried = event(1)
    tried = replace(tried, data={**tried.data, **dict.fromkeys(THINNED, 0.5), "reason": "NoMatch"})
    fault = replace(event(2), type=EventType.FAULT_RAISED, data={"part": "disk", "score": 1})
    for one in (tried, fault):
        journal.append(one)
    silent = Silent()
    outbox_of(journal, [], trace=trace).round(silent)
    first, second = (json.loads(payload) for payload in silent.sent)
    kept = set() if trace is Trace.MINIMAL else THINNED | {"salts"}
    always = {"number", "reason", "clock_synced", "access_point", "commitments"}
    assert set(first["data"]) == always | kept
    assert first["data"]["commitments"].keys() == THINNED
    assert check(first) is Check.WHOLE
    assert follows(second, link(first))
    assert (first["id"], first["sequence"]) == (tried.id, f"{1:020d}")
    assert second["data"]["score"] == 1
    assert [row.event for row in journal.read()] == [tried, fault]


def test_a_topic_that_the_acl_denies_is_kept_and_said(
    journal, make_mosquitto, make_sender, tmp_path
):
    acl = tmp_path / "acl"
    acl.write_text("topic read #\n")
    acl.chmod(0o600)
    broker = make_mosquitto(f"acl_file {acl}")
    broker.start()
    sender = make_sender(broker.port)
    journal.append(event())
    assert wait_until(lambda: sender.refusals)
    assert "Not authorized" in sender.refusals[0]
    assert journal.pending() == 1


def test_a_hopeless_row_does_not_hold_up_the_stream(journal):
    silent = Silent()
    refusals: list[str] = []
    outbox = outbox_of(journal, refusals)
    journal.append(event(1))
    journal.append(event(2))
    with working(outbox, silent):
        assert wait_until(lambda: len(silent.sent) == 2)
        outbox.acknowledged(1, "Payload format invalid")
        outbox.acknowledged(2, None)
        assert wait_until(lambda: journal.pending() == 0)
    assert "refused for good" in refusals[0]
    assert [row.published for row in journal.read()] == [False, True]


def test_a_wrong_password_is_said_and_nothing_is_lost(
    journal, make_mosquitto, make_sender, tmp_path
):
    passwords = tmp_path / "passwords"
    passwords.write_text("")
    passwords.chmod(0o600)
    broker = make_mosquitto(f"password_file {passwords}", anonymous=False)
    broker.start()
    sender = make_sender(broker.port, username="kiosk", password="wrong")
    journal.append(event())
    assert wait_until(lambda: any("refuses this kiosk" in why for why in sender.goodbyes))
    assert not sender.broker.connected()
    assert sender.broker.publish("gate/x", b"{}") is None
    assert journal.pending() == 1


def test_the_password_is_in_no_repr():
    settings = BrokerSettings("h", 1, "c", "t", {}, username="u", password="secret-word")
    assert "secret-word" not in repr(settings)


def test_a_graceful_end_says_stopped_and_is_retained(journal, mosquitto, subscriber, make_sender):
    sender = make_sender(mosquitto.port)
    assert wait_until(sender.broker.connected)
    sender.broker.close(2.0)
    assert wait_until(subscriber.statuses)
    assert subscriber.statuses()[-1] == {"online": False, "reason": "stopped"}
    late = Subscriber(mosquitto.port)
    try:
        assert wait_until(late.statuses)
        assert late.messages[0][2], "the status is retained"
    finally:
        late.close()
