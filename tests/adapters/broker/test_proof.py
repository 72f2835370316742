"""MQTT 3.1.1 refuses no message: what is not passed on is found out by the next real event."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mosquitto import Subscriber, wait_until
from outbox_parts import TOPICS, event, first_arrivals

from agent.adapters.broker import proof
from agent.adapters.broker.proof import LOST_FIRST, NOT_PASSED_ON, PATIENCE_S, Proof

EVENT, OTHER = b'{"id": 1}', b'{"id": 2}'


class Asked:
    def __init__(self) -> None:
        self.s = 50.0
        self.answers: list[tuple[int, str | None]] = []
        self.proof = Proof(lambda mid, refusal: self.answers.append((mid, refusal)), lambda: self.s)
        self.mids = itertools.count(1)

    def hand_over(self, payload: bytes = EVENT) -> int:
        return self.proof.hand_over(payload, lambda: next(self.mids))


def asked() -> Asked:
    it = Asked()
    it.proof.connected()
    assert not it.proof.settled
    return it


def test_what_comes_back_is_delivered_and_settles_it() -> None:
    it = asked()
    mid = it.hand_over()
    assert it.proof.holds(mid)
    assert it.answers == []
    assert not it.proof.heard(OTHER)
    assert it.proof.heard(EVENT)
    assert it.answers == [(mid, None)]
    assert it.proof.settled
    assert not it.proof.holds(it.hand_over())


def test_it_may_come_back_before_its_acknowledgement() -> None:
    it = asked()
    mid = it.hand_over()
    assert it.proof.heard(EVENT)
    assert it.answers == []
    assert not it.proof.holds(mid), "this acknowledgement counts"


def test_it_may_be_acknowledged_before_its_id_is_known() -> None:
    it = asked()

    def publish() -> int:
        assert it.proof.holds(7)
        assert it.proof.holds(3)
        return 7

    assert it.proof.hand_over(EVENT, publish) == 7
    assert it.answers == [(3, None)]
    assert it.proof.heard(EVENT)
    assert it.answers == [(3, None), (7, None)]


def test_what_does_not_come_back_is_refused_and_the_next_is_asked_about() -> None:
    it = asked()
    mid = it.hand_over()
    it.proof.look()
    assert it.proof.holds(mid)
    it.s += PATIENCE_S - 0.1
    it.proof.look()
    assert it.answers == []
    it.s += 0.1
    it.proof.look()
    assert it.answers == [(mid, NOT_PASSED_ON)]
    again = it.hand_over()
    assert it.proof.holds(again)
    assert it.proof.heard(EVENT)
    assert it.answers[-1] == (again, None)


def test_a_kiosk_that_may_not_subscribe_cannot_tell_and_goes_on() -> None:
    it = asked()
    mid = it.hand_over()
    assert it.proof.holds(mid)
    it.proof.not_allowed()
    assert it.answers == [(mid, None)]
    assert it.proof.settled


def test_what_was_kept_back_when_the_connection_ended_goes_again() -> None:
    it = asked()
    mid = it.hand_over()
    assert it.proof.holds(mid)
    it.proof.connected()
    assert it.answers == [(mid, LOST_FIRST)]


def test_what_cannot_be_handed_over_is_not_waited_for() -> None:
    it = asked()

    def fails() -> int:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - paho's own, without a word
        it.proof.hand_over(EVENT, fails)
    assert not it.proof.holds(5)
    assert it.proof.holds(it.hand_over())


@given(st.lists(st.sampled_from(["hand", "ack", "heard", "denied", "connected", "late"])))
def test_whatever_happens_each_acknowledgement_is_told_once(steps: list[str]) -> None:
    """Kept back and answered later, or let through; never both, never neither once it settles."""
    it = asked()
    handed: list[int] = []
    told: list[int] = []
    for step in steps:
        match step:
            case "hand" if not handed or it.proof.settled:
                handed.append(it.hand_over())
            case "ack" if handed:
                mid = handed.pop(0)
                if not it.proof.holds(mid):
                    told.append(mid)
                else:
                    it.s += 1.0
            case "heard":
                it.proof.heard(EVENT)
            case "denied":
                it.proof.not_allowed()
            case "connected":
                it.proof.connected()
            case "late":
                it.s += PATIENCE_S
                it.proof.look()
    it.proof.not_allowed()
    told += [mid for mid, _ in it.answers]
    assert len(told) == len(set(told))
    assert set(told) | set(handed) == set(range(1, next(it.mids)))


ACL = "topic read gate/#\n"


@pytest.fixture
def acl(tmp_path: Path) -> Path:
    path = tmp_path / "acl"
    path.write_text(ACL)
    path.chmod(0o600)
    return path


def test_a_topic_that_the_acl_denies_is_found_out_and_nothing_is_lost(
    journal, make_mosquitto, make_sender, acl, monkeypatch
):
    monkeypatch.setattr(proof, "PATIENCE_S", 1.0)
    broker = make_mosquitto(f"acl_file {acl}")
    broker.start()
    for number in range(30):
        journal.append(event(number))
    sender = make_sender(broker.port, protocol="3.1.1")
    assert wait_until(lambda: sender.refusals)
    assert "none comes back" in sender.refusals[0]
    assert journal.pending() == 30

    broker.stop()
    acl.write_text("topic readwrite gate/#\n")
    broker.start()
    listener = Subscriber(broker.port)
    try:
        assert wait_until(lambda: journal.pending() == 0)
        assert wait_until(lambda: len(set(first_arrivals(listener))) == 30)
    finally:
        listener.close()
    assert sender.refusals[-1] == "accepted"


def test_where_events_may_only_be_written_they_wait_and_it_is_said_why(
    journal, make_mosquitto, make_sender, acl, monkeypatch
):
    """Mosquitto grants the subscription all the same, so it looks like one that drops events."""
    monkeypatch.setattr(proof, "PATIENCE_S", 1.0)
    acl.write_text(f"topic write {TOPICS.base}/#\n")
    broker = make_mosquitto(f"acl_file {acl}")
    broker.start()
    journal.append(event())
    sender = make_sender(broker.port, protocol="3.1.1")
    assert wait_until(lambda: sender.refusals)
    assert "write and read its own events" in sender.refusals[0]
    assert journal.pending() == 1


def test_mqtt_5_says_it_itself_and_is_not_asked(journal, make_mosquitto, make_sender, acl):
    acl.write_text(f"topic write {TOPICS.base}/#\n")
    broker = make_mosquitto(f"acl_file {acl}")
    broker.start()
    journal.append(event())
    sender = make_sender(broker.port)
    assert wait_until(lambda: journal.pending() == 0)
    assert sender.refusals == []
