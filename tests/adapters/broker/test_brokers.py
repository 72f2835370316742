"""What the outbox relies on, at each make of broker; where one differs, docs/broker.md says it."""

import re
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from brokers import (
    KINDS,
    LOGIN,
    MOSQUITTO_3,
    NATS_3,
    RABBITMQ_3,
    Between,
    Kind,
    RabbitMq,
    kill_connected,
)
from mosquitto import Server, Subscriber, free_port, wait_until
from outbox_parts import TOPICS, Sender, event, first_arrivals
from places import ROOT

from agent.adapters.broker import oldest
from agent.adapters.store.record.journal import SqliteJournal

every = pytest.mark.parametrize("kind", KINDS)
MakeSender = Callable[..., Sender]
Serve = Callable[..., Server]


@pytest.fixture
def listen() -> Iterator[Callable[..., Subscriber]]:
    """Somebody who listens, by the broker's MQTT."""
    made: list[Subscriber] = []

    def listen(kind: Kind, server: Server, **more: object) -> Subscriber:
        named = {"protocol": kind.protocol, **server.login, **more}
        made.append(Subscriber(server.port, **named))  # type: ignore[arg-type] # handed on
        return made[-1]

    yield listen
    for one in made:
        one.close()


def send(make_sender: MakeSender, kind: Kind, port: int, **more: object) -> Sender:
    return make_sender(port, protocol=kind.protocol, **{**LOGIN, **more})


@every
def test_a_refused_login_is_said_and_stays_the_last_word(kind, serve, make_sender, journal):
    server = serve(kind)
    journal.append(event())
    sender = send(make_sender, kind, server.port, password="wrong")
    assert wait_until(lambda: len(sender.goodbyes) > 1)
    assert {why for why in sender.goodbyes if "refuses this kiosk" not in why} == set()
    assert not sender.broker.connected()
    assert journal.pending() == 1


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (NATS_3, 'write protocol = "3.1.1" in [broker]'),
        pytest.param(RABBITMQ_3, "look at port and protocol in [broker]", marks=pytest.mark.slow),
    ],
    ids=["nats", "rabbitmq"],
)
def test_a_broker_of_3_1_1_breaks_off_at_5_and_it_is_said_where_to_look(
    kind, said, serve, make_sender
):
    sender = make_sender(serve(kind).port, protocol="5", **LOGIN)
    assert wait_until(lambda: len(sender.goodbyes) > 1)
    assert {why for why in sender.goodbyes if said not in why} == set()


@every
def test_a_killed_kiosk_is_said_to_be_lost_and_that_is_retained(kind, serve, listen):
    server = serve(kind)
    listener = listen(kind, server)
    kill_connected(server.port, kind.protocol, TOPICS.status, server.login)
    assert wait_until(listener.statuses)
    assert listener.statuses() == [{"online": False, "reason": "lost"}]
    # By its name: RabbitMQ gives what it retained to no filter.
    late = listen(kind, server, name="late", topic=TOPICS.status)
    assert wait_until(late.statuses)
    assert late.messages[0][2], "the last will is retained"


@every
def test_many_more_than_may_be_under_way_come_in_their_order(
    kind, serve, listen, make_sender, journal
):
    server = serve(kind)
    listener = listen(kind, server)
    for number in range(350):
        journal.append(event(number))
    sender = send(make_sender, kind, server.port)
    assert wait_until(lambda: journal.pending() == 0)
    assert wait_until(lambda: len(first_arrivals(listener)) == 350)
    assert first_arrivals(listener) == list(range(1, 351))
    assert (sender.refusals, sender.goodbyes) == ([], [])


@every
def test_a_half_open_connection_is_noticed_and_nothing_is_lost(
    kind, serve, between, listen, make_sender, journal
):
    server = serve(kind)
    listener, line = listen(kind, server), between(server)
    sender = send(make_sender, kind, line.port, keepalive_s=1)
    journal.append(event(1))
    assert wait_until(lambda: journal.pending() == 0)
    line.swallows = True
    for number in range(2, 12):
        journal.append(event(number))
    sender.outbox.notify()
    assert wait_until(lambda: sender.goodbyes)
    assert "does not answer any more" in sender.goodbyes[0]
    line.swallows = False
    assert wait_until(lambda: journal.pending() == 0)
    assert wait_until(lambda: len(first_arrivals(listener)) == 11)
    assert first_arrivals(listener) == list(range(1, 12))


@every
def test_a_slow_broker_gets_everything_once_and_stays_connected(
    kind, serve, between, listen, make_sender, journal
):
    server = serve(kind)
    listener, line = listen(kind, server), between(server)
    line.slow_s = 0.1
    for number in range(120):
        journal.append(event(number))
    sender = send(make_sender, kind, line.port)
    assert wait_until(lambda: journal.pending() == 0)
    assert wait_until(lambda: len(listener.events()) >= 120)
    assert [int(body["sequence"]) for body in listener.events()] == list(range(1, 121))
    assert (len(sender.connects), sender.goodbyes) == (1, [])


@every
def test_two_kiosks_of_one_name_take_it_from_each_other_and_it_is_said(kind, serve, make_sender):
    server = serve(kind)
    first = send(make_sender, kind, server.port)
    assert wait_until(first.broker.connected)
    second = send(make_sender, kind, server.port)
    assert wait_until(lambda: first.goodbyes)
    second.broker.close(2.0)
    # Mosquitto 2.0 breaks off by MQTT 5 too, without the word for it.
    assert "another client may have this kiosk's client_id" in first.goodbyes[0]
    assert wait_until(first.broker.connected), "it comes back"


@every
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_what_was_acknowledged_waits_for_a_backend_that_is_away(
    kind, how, serve, listen, make_sender, journal
):
    """Of Mosquitto only where it ends in peace: it writes down what it holds each half an hour."""
    server = serve(kind)
    stays = {
        "name": f"backend-{how}",
        "protocol": "3.1.1",
        "stays": True,
        "topic": f"{TOPICS.base}/#",
    }
    listen(kind, server, **stays).close()
    for number in range(20):
        journal.append(event(number))
    sender = send(make_sender, kind, server.port)
    assert wait_until(lambda: journal.pending() == 0)
    getattr(server, how)()
    assert wait_until(lambda: not sender.broker.connected())
    server.start()
    backend = listen(kind, server, **stays)
    assert wait_until(sender.broker.connected)
    journal.append(event(20))
    assert wait_until(lambda: 21 in first_arrivals(backend))
    kept = kind.name != "mosquitto" or how == "stop"
    assert first_arrivals(backend) == list(range(1 if kept else 21, 22))


@pytest.mark.parametrize("kind", [MOSQUITTO_3, NATS_3], ids=["mosquitto", "nats"])
def test_a_broker_that_has_forgotten_everything_gets_the_rest(
    kind, serve, listen, make_sender, journal, tmp_path: Path
):
    """No session of the kiosk's is needed: what counts is in the journal."""
    server = serve(kind)
    sender = send(make_sender, kind, server.port)
    journal.append(event(1))
    assert wait_until(lambda: journal.pending() == 0)
    server.kill()
    shutil.rmtree(tmp_path / "jetstream", ignore_errors=True)
    (tmp_path / "mosquitto.db").unlink(missing_ok=True)
    journal.append(event(2))
    server.start()
    assert wait_until(lambda: journal.pending() == 0)
    assert len(sender.connects) == 2


@pytest.mark.parametrize(
    ("kind", "arrives"),
    [
        (MOSQUITTO_3, "gate/lakeside/g3/north.1/events/access"),
        pytest.param(RABBITMQ_3, "gate/lakeside/g3/north/1/events/access", marks=pytest.mark.slow),
    ],
    ids=["mosquitto", "rabbitmq"],
)
def test_a_dot_in_a_name_stays_one_or_becomes_a_slash(kind, arrives, serve, listen, make_sender):
    server = serve(kind)
    listener = listen(kind, server)
    sender = send(make_sender, kind, server.port)
    assert wait_until(sender.broker.connected)
    sender.broker.publish("gate/lakeside/g3/north.1/events/access", b"{}")
    assert wait_until(lambda: listener.messages)
    assert listener.messages[0][0] == arrives


def test_nats_takes_no_kiosk_with_a_dot_in_its_name_and_it_is_said(serve, make_sender):
    sender = send(
        make_sender, NATS_3, serve(NATS_3).port, will_topic="gate/lakeside/g3/north.1/status"
    )
    assert wait_until(lambda: sender.goodbyes)
    assert "no dots in the names of a topic" in sender.goodbyes[0]


def test_a_full_nats_takes_nobody_until_there_is_room(
    serve, make_sender, journal: SqliteJournal, tmp_path: Path
):
    storage = f'jetstream {{ store_dir: "{tmp_path}/jetstream", max_file_store: 40KB }}'
    server = serve(NATS_3, storage)
    Subscriber(server.port, "backend", protocol="3.1.1", stays=True, **LOGIN).close()
    for number in range(200):
        journal.append(event(number))
    sender = send(make_sender, NATS_3, server.port)
    assert wait_until(lambda: len(sender.goodbyes) > 1)
    assert "the broker is full" in sender.goodbyes[0]
    assert "may be full" in sender.goodbyes[1]
    assert journal.pending() > 100
    server.stop()
    server.config.write_text(server.config.read_text().replace("40KB", "40MB"))
    server.start()
    assert wait_until(lambda: journal.pending() == 0)


@pytest.mark.slow
def test_a_full_rabbitmq_takes_nobody_until_there_is_room(
    rabbitmq: RabbitMq, between: Callable[[Server], Between], make_sender, journal
):
    line = between(rabbitmq)
    sender = send(make_sender, RABBITMQ_3, line.port, keepalive_s=1)
    assert wait_until(sender.broker.connected)
    rabbitmq.control("set_disk_free_limit", "1000000GB")
    try:
        journal.append(event(1))
        assert wait_until(lambda: sender.goodbyes)
        time.sleep(2)  # and it does not come in either
        assert journal.pending() == 1
        assert not sender.broker.connected()
    finally:
        rabbitmq.control("set_disk_free_limit", "50MB")
    assert wait_until(lambda: journal.pending() == 0)


@pytest.mark.slow
def test_what_is_too_large_for_rabbitmq_waits_and_the_rest_goes_on(
    rabbitmq: RabbitMq, make_sender, journal, monkeypatch
):
    """It keeps the connection, and says nothing from then on."""
    monkeypatch.setattr(oldest, "STALLED_S", 2.0)
    rabbitmq.control("eval", "application:set_env(rabbit, max_message_size, 2000).")
    try:
        sender = send(make_sender, RABBITMQ_3, rabbitmq.port)
        assert wait_until(sender.broker.connected)
        large = event(2)
        large.data["note"] = "x" * 3000
        for one in (event(1), large, event(3)):
            journal.append(one)
        assert wait_until(lambda: journal.pending() == 1)
        assert [row.sequence for row in journal.unpublished(9)] == [2]
        assert any("Packet too large" in why for why in sender.refusals)
    finally:
        rabbitmq.control("eval", "application:set_env(rabbit, max_message_size, 134217728).")


def block(language: str, beginning: str) -> str:
    """A block of lines of docs/broker.md."""
    text = (ROOT / "docs" / "broker.md").read_text()
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return next(str(found) for found in blocks if found.startswith(beginning))


def holds_to_its_own(sender: Sender, journal: SqliteJournal, port: int) -> None:
    """A kiosk of one place is heard there and nowhere else, and hears what it sent."""
    office = Subscriber(port, "office", "3.1.1", **LOGIN)
    try:
        journal.append(event(1))
        assert wait_until(lambda: journal.pending() == 0)
        assert wait_until(lambda: sender.broker.window > 1)
        sender.broker.publish("gate/lakeside/g3/south-1/events/access", b"{}")
        journal.append(event(2))
        assert wait_until(lambda: first_arrivals(office) == [1, 2])
        assert {topic for topic, _, _ in office.messages} == {f"{TOPICS.base}/events/access"}
    finally:
        office.close()


@pytest.mark.slow
def test_rabbitmq_by_the_lines_of_the_docs_holds_a_kiosk_to_its_own_topics(
    rabbitmq: RabbitMq, make_sender, journal
):
    for line in block("", "rabbitmqctl").replace("\\\n", " ").splitlines():
        rabbitmq.control(*(part.replace("PASSWORD", "a-word") for part in shlex.split(line)[1:]))
    north = send(make_sender, RABBITMQ_3, rabbitmq.port, username="north-1", own_events=None)
    holds_to_its_own(north, journal, rabbitmq.port)
    assert wait_until(lambda: north.goodbyes), "it is thrown out"
    assert "may not write its topics" in north.goodbyes[0].replace("\n", " ")


def test_nats_by_the_lines_of_the_docs_holds_a_kiosk_to_its_own_topics(
    serve, make_sender, journal, tmp_path: Path
):
    server = serve(NATS_3)
    server.stop()
    lines = re.sub(r"\n  tls \{.*\}\n", "\n", block("", "server_name"))
    for there, here in (
        ("port: 8883", f"listen: 127.0.0.1:{server.port}"),
        ("/var/lib/nats", str(tmp_path / "kept")),
        ("user: backend", f"user: {LOGIN['username']}"),
        ('"..."', '"a-word"'),
    ):
        assert there in lines
        lines = lines.replace(there, here)
    server.config.write_text(f"listen: 127.0.0.1:{free_port()}\n{lines}")
    server.start()
    north = send(make_sender, NATS_3, server.port, username="north-1")
    holds_to_its_own(north, journal, server.port)
    assert (north.goodbyes, north.refusals) == ([], []), "and does not say that it drops"


@pytest.mark.parametrize(
    ("kind", "finds"),
    [
        (MOSQUITTO_3, True),
        (NATS_3, True),
        pytest.param(RABBITMQ_3, False, marks=pytest.mark.slow),
    ],
    ids=["mosquitto", "nats", "rabbitmq"],
)
def test_whether_a_filter_finds_what_is_retained(kind, finds, serve, listen, make_sender):
    server = serve(kind)
    sender = send(make_sender, kind, server.port)
    assert wait_until(sender.broker.connected)
    place = f"gate/lakeside/g3/{kind.name}"
    sender.broker.publish(f"{place}/status", b"{}", retain=True)
    by_name = listen(kind, server, name="by-name", topic=f"{place}/status")
    assert wait_until(lambda: by_name.messages)
    by_filter = listen(kind, server, name="by-filter", topic=f"{place}/#")
    sender.broker.publish(f"{place}/last", b"{}")
    assert wait_until(lambda: any(topic.endswith("/last") for topic, *_ in by_filter.messages))
    assert any(retained for *_, retained in by_filter.messages) is finds
