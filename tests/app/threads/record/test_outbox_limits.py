"""What a broker takes, and how fast: its limits, a backlog beside the stream, and who hears it."""

import json

import pytest
from mosquitto import Subscriber, wait_until
from outbox_parts import Silent, event, first_arrivals, outbox_of

from agent.adapters.manual_clock import ManualClock
from agent.domain.record.pace import Pace

LIMIT = "max_packet_size 700"
LARGE = {"note": "x" * 1000}


def sequences(silent: Silent) -> list[int]:
    return [int(json.loads(payload)["sequence"]) for payload in silent.sent]


def large(number: int):
    one = event(number)
    one.data.update(LARGE)
    return one


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_the_broker_cannot_take_waits_and_the_rest_goes_on(
    journal, make_mosquitto, make_sender, tmp_path, protocol
):
    """By its Maximum Packet Size, or, of MQTT 3.1.1, because it breaks off each time."""
    broker = make_mosquitto(LIMIT)
    broker.start()
    journal.append(event(1))
    journal.append(large(2))
    journal.append(event(3))
    sender = make_sender(broker.port, protocol=protocol)
    assert wait_until(lambda: journal.pending() == 1)
    assert [row.sequence for row in journal.unpublished(9)] == [2]
    assert any("Packet too large" in why for why in sender.refusals)
    assert "accepted" not in sender.refusals
    connects = len(sender.connects)
    journal.append(event(4))
    assert wait_until(lambda: journal.pending() == 1)
    assert len(sender.connects) == connects, "it goes on over the same connection"

    broker.stop()
    broker.config.write_text(broker.config.read_text().replace(LIMIT, ""))
    broker.start()
    listener = Subscriber(broker.port)
    if protocol == "3.1.1":
        sender.skipped_s = 600.0  # it does not say that it takes more now
    try:
        assert wait_until(lambda: journal.pending() == 0)
        assert wait_until(lambda: first_arrivals(listener) == [2])
    finally:
        listener.close()
    journal.append(event(5))
    assert wait_until(lambda: "accepted" in sender.refusals)


def test_a_broker_of_which_everything_is_too_large_keeps_its_connection(
    journal, make_mosquitto, make_sender
):
    broker = make_mosquitto("max_packet_size 300")
    broker.start()
    sender = make_sender(broker.port)
    for number in range(5):
        journal.append(event(number))
    assert wait_until(lambda: sender.refusals)
    assert "the broker takes 300" in sender.refusals[0]
    assert sender.broker.connected()
    assert (len(sender.connects), sender.goodbyes) == (1, [])
    assert journal.pending() == 5


def test_what_was_handed_over_to_a_broker_that_then_takes_less_is_taken_back(
    journal, make_mosquitto, make_sender
):
    broker = make_mosquitto()
    broker.start()
    sender = make_sender(broker.port)
    assert wait_until(sender.broker.connected)
    broker.kill()
    # Handed over before the loss is noticed, or not: either way it must not break the next one.
    journal.append(large(1))
    journal.append(event(2))
    broker.config.write_text(f"{broker.config.read_text()}\n{LIMIT}\n")
    broker.start()
    assert wait_until(lambda: journal.pending() == 1)
    assert [row.sequence for row in journal.unpublished(9)] == [1]


def test_no_more_is_under_way_than_the_broker_receives_at_a_time(
    journal, make_mosquitto, make_sender
):
    broker = make_mosquitto("max_inflight_messages 7", "max_queued_messages 0")
    broker.start()
    sender = make_sender(broker.port)
    assert wait_until(sender.broker.connected)
    assert sender.broker._client.max_inflight_messages == 7
    for number in range(60):
        journal.append(event(number))
    assert wait_until(lambda: journal.pending() == 0)


def test_the_stream_does_not_wait_behind_a_backlog(journal):
    clock, silent = ManualClock(), Silent(window=8)
    outbox = outbox_of(journal, [], pace=Pace(10.0, lambda: clock.now().monotonic_s))
    for number in range(150):
        journal.append(event(number))

    def a_second() -> None:
        for _ in range(5):
            clock.advance(0.2)
            outbox.round(silent)
            for mid in range(1, len(silent.sent) + 1):
                outbox.acknowledged(mid, None)

    outbox.round(silent)
    for _ in range(3):
        a_second()
    paced = sequences(silent)
    assert paced == list(range(1, len(paced) + 1))
    assert 20 <= len(paced) <= 31
    journal.append(event(150))
    outbox.round(silent)
    assert sequences(silent)[len(paced) :][:1] == [151]
    for _ in range(16):
        a_second()
    assert journal.pending() == 0
    assert sequences(silent) == [*paced, 151, *range(len(paced) + 1, 151)]


def test_a_short_wait_is_no_backlog(journal):
    clock, silent = ManualClock(), Silent(window=100)
    outbox = outbox_of(journal, [], pace=Pace(1.0, lambda: clock.now().monotonic_s))
    for number in range(100):
        journal.append(event(number))
    outbox.round(silent)
    assert sequences(silent) == list(range(1, 101))


def test_what_was_refused_in_the_stream_goes_again_once_it_may(journal):
    clock, silent, refusals = ManualClock(), Silent(window=8), list[str]()
    outbox = outbox_of(journal, refusals, pace=Pace(10.0, lambda: clock.now().monotonic_s))
    journal.append(event(1))
    outbox.round(silent)
    outbox.acknowledged(1, "Not authorized")
    assert outbox.round(silent) > 0
    journal.append(event(2))
    outbox.round(silent)
    assert sequences(silent) == [1, 1, 2]
    outbox.acknowledged(2, None)
    outbox.acknowledged(3, None)
    outbox.round(silent)
    assert journal.pending() == 0
    assert refusals[-1] == "accepted"


def test_what_is_too_large_is_tried_again_after_some_minutes(journal):
    clock, silent, refusals = ManualClock(), Silent(window=8), list[str]()
    outbox = outbox_of(journal, refusals, pace=Pace(10.0, lambda: clock.now().monotonic_s))
    journal.append(event(1))
    journal.append(event(2))
    outbox.round(silent)
    outbox.acknowledged(1, "Packet too large: 812 bytes")
    outbox.acknowledged(2, None)
    outbox.round(silent)
    clock.advance(500.0)
    outbox.round(silent)
    assert sequences(silent) == [1, 2]
    clock.advance(101.0)
    outbox.round(silent)
    assert sequences(silent) == [1, 2, 1]
    outbox.acknowledged(3, None)
    outbox.round(silent)
    assert journal.pending() == 0
    assert refusals == [refusals[0], "accepted"]


@pytest.mark.slow
def test_a_backlog_of_3003_reaches_a_listener_of_default_limits(
    journal, make_mosquitto, make_sender
):
    """An acknowledgement is no delivery: Mosquitto drops beyond 1,000 in a listener's queue."""
    broker = make_mosquitto()
    for number in range(3003):
        journal.append(event(number))
    broker.start()
    listener = Subscriber(broker.port)
    try:
        make_sender(broker.port, per_s=50.0)
        assert wait_until(lambda: journal.pending() == 0, 180)
        assert wait_until(lambda: len(first_arrivals(listener)) == 3003, 20)
    finally:
        listener.close()
