"""The connection to a real Mosquitto: whom it trusts, and what the broker says when it is lost."""

import pytest
from brokers import kill_connected
from mosquitto import Subscriber, wait_until
from tls import make_authority

from agent.adapters.broker.login import read_password
from agent.adapters.broker.mqtt import BrokerCallbacks, BrokerSettings, PahoBroker
from agent.domain.record.status import offline
from agent.domain.record.topics import BYTES, CLOUD_EVENT, JSON
from agent.errors import UnavailableError

PLACE = "gate/lakeside/g3/north-1"
STATUS = f"{PLACE}/status"


# paho drops the socket of a failed handshake without closing it; the interpreter does.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def authority(tmp_path):
    return make_authority(tmp_path / "community")


@pytest.fixture
def connect():
    """A client with these settings, and the reasons why it is not connected."""
    made = []

    def connect(port, host="127.0.0.1", **settings):
        goodbyes: list[str] = []
        callbacks = BrokerCallbacks(lambda: None, goodbyes.append, lambda _mid, _why: None)
        broker = PahoBroker(
            BrokerSettings(host, port, "kiosk", STATUS, offline("lost"), **settings), callbacks
        )
        made.append(broker)
        broker.start()
        return broker, goodbyes

    yield connect
    for broker in made:
        broker.close(2.0)


@pytest.fixture
def secured(authority, make_mosquitto):
    """A broker with a certificate for these names."""

    def secured(*names, require_certificate=False, begins_in_days=-1.0):
        certificate, key = authority.issue("broker", *names, begins_in_days=begins_in_days)
        broker = make_mosquitto(
            f"cafile {authority.ca}",
            f"certfile {certificate}",
            f"keyfile {key}",
            f"require_certificate {str(require_certificate).lower()}",
        )
        broker.start()
        return broker

    return secured


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_of_the_communitys_authority_is_spoken_to(secured, authority, connect, protocol):
    broker = secured("127.0.0.1")
    client, _ = connect(broker.port, ca_file=authority.ca, protocol=protocol)
    assert wait_until(client.connected)
    assert client.publish("gate/x", b"{}") is not None


@pytest.mark.parametrize(
    ("names", "begins_in_days", "why"),
    [
        (["broker.elsewhere.example"], -1.0, "is not for 127.0.0.1"),
        (["127.0.0.1"], -5.0, "has expired"),
        (["127.0.0.1"], 5.0, "not valid yet: this kiosk's clock says 20"),
    ],
)
def test_a_wrong_certificate_hears_nothing_and_it_is_said_what_is_wrong(
    secured, authority, connect, names, begins_in_days, why
):
    broker = secured(*names, begins_in_days=begins_in_days)
    client, goodbyes = connect(broker.port, ca_file=authority.ca)
    assert wait_until(lambda: goodbyes)
    assert why in goodbyes[0]
    assert not client.connected()
    assert client.publish("gate/x", b"{}") is None


def test_a_broker_of_another_authority_hears_nothing(secured, connect, tmp_path):
    stranger = make_authority(tmp_path / "stranger")
    client, goodbyes = connect(secured("127.0.0.1").port, ca_file=stranger.ca)
    assert wait_until(lambda: goodbyes)
    assert "an authority that ca_file does not hold" in goodbyes[0]
    assert not client.connected()


@pytest.mark.parametrize("begins_in_days", [-5.0, 5.0])
def test_a_kiosks_certificate_out_of_its_time_is_said(secured, authority, connect, begins_in_days):
    broker = secured("127.0.0.1", require_certificate=True)
    certificate, key = authority.issue("north-1", begins_in_days=begins_in_days)
    client, goodbyes = connect(
        broker.port, ca_file=authority.ca, cert_file=certificate, key_file=key
    )
    assert wait_until(lambda: any("certificate" in why for why in goodbyes))
    assert not client.connected()


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("127.0.0.1", "nothing listens at 127.0.0.1, port 1"),
        ("nowhere.invalid", "no address is known of nowhere.invalid"),
    ],
)
def test_where_nobody_is_it_is_said_so(connect, host, why):
    _, goodbyes = connect(1, host)
    assert wait_until(lambda: goodbyes)
    assert why in goodbyes[0]


def test_a_broker_without_tls_hears_no_password(mosquitto, authority, connect):
    client, goodbyes = connect(
        mosquitto.port, ca_file=authority.ca, username="kiosk", password="secret-word"
    )
    assert wait_until(lambda: any("TLS" in why for why in goodbyes))
    assert not client.connected()
    assert "secret-word" not in mosquitto.log.read_text(errors="replace")


@pytest.mark.parametrize("shown", [True, False])
def test_a_broker_may_ask_for_the_kiosks_certificate(secured, authority, connect, shown):
    broker = secured("127.0.0.1", require_certificate=True)
    certificate, key = authority.issue("north-1")
    own = {"cert_file": certificate, "key_file": key} if shown else {}
    client, goodbyes = connect(broker.port, ca_file=authority.ca, **own)
    assert wait_until(lambda: client.connected() or goodbyes)
    assert client.connected() is shown
    # It may also break off before it is heard; the next try says it.
    assert shown or wait_until(lambda: any("wants this kiosk's" in why for why in goodbyes))


@pytest.mark.parametrize("wrong", ["missing", "no certificate", "another key"])
def test_tls_files_that_cannot_be_used_are_named(authority, tmp_path, wrong):
    certificate, key = authority.issue("north-1")
    ca = authority.ca
    if wrong == "missing":
        ca = tmp_path / "nowhere.pem"
    elif wrong == "no certificate":
        ca = tmp_path / "text.pem"
        ca.write_text("no certificate")
    else:
        _, key = authority.issue("other")
    settings = BrokerSettings(
        "h", 1, "c", STATUS, {}, ca_file=ca, cert_file=certificate, key_file=key
    )
    callbacks = BrokerCallbacks(lambda: None, lambda _: None, lambda _mid, _why: None)
    with pytest.raises(UnavailableError, match=str(certificate if "key" in wrong else ca)) as error:
        PahoBroker(settings, callbacks)
    assert "ca_file" in str(error.value.fix)


def test_mqtt_5_says_of_what_kind_each_message_is(mosquitto, connect):
    """Before, the question for the time was said to be an event, and the status nothing."""
    heard: dict[str, list[tuple[object, bool]]] = {}
    listener = Subscriber(mosquitto.port, "listener")
    listener.client.on_message = lambda _c, _u, one: heard.setdefault(
        one.topic.rpartition("/")[2], []
    ).append((getattr(one.properties, "ContentType", None), one.qos == 1))
    broker, _ = connect(mosquitto.port)
    assert wait_until(broker.connected)
    broker.publish(f"{PLACE}/events/access", b"{}")
    broker.publish(f"{PLACE}/time/request", b"16 random bytes.", kind=BYTES)
    broker.publish(STATUS, b"{}", retain=True, kind=JSON)
    broker.say(f"{PLACE}/health", b"{}")
    assert wait_until(lambda: len(heard) == 4)
    broker.close(2.0)
    kill_connected(mosquitto.port, "5", STATUS, {})
    assert wait_until(lambda: len(heard["status"]) == 3)
    listener.close()
    assert heard == {
        "access": [(CLOUD_EVENT, True)],
        "request": [(BYTES, True)],
        "status": [(JSON, True)] * 3,
        "health": [(JSON, False)],
    }


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_killed_kiosk_is_said_to_be_lost(mosquitto, subscriber, protocol):
    kill_connected(mosquitto.port, protocol, STATUS, {})
    assert wait_until(subscriber.statuses)
    assert subscriber.statuses() == [{"online": False, "reason": "lost"}]
    late = Subscriber(mosquitto.port, "late")
    try:
        assert wait_until(late.statuses)
        assert late.messages[0][2], "the last will is retained"
    finally:
        late.close()


def test_a_password_open_to_others_is_refused(tmp_path):
    path = tmp_path / "password"
    path.write_text("secret-word\n")
    path.chmod(0o644)
    with pytest.raises(UnavailableError, match="open to others") as error:
        read_password(path)
    assert "chmod 600" in str(error.value.fix)
    path.chmod(0o600)
    assert read_password(path) == "secret-word"


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_password_that_is_none_is_refused(tmp_path, content):
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    with pytest.raises(UnavailableError, match=str(path)):
        read_password(path)
