"""The broker from config, with what it says of the agent when it is gone."""

import hashlib

from agent.adapters.broker.login import read_password
from agent.adapters.broker.mqtt import BrokerCallbacks, BrokerSettings, PahoBroker
from agent.config import ConfigFile
from agent.domain.record.pace import Pace
from agent.domain.record.status import offline
from agent.domain.record.topics import Topics
from agent.ports import Clock


def topics_of(file: ConfigFile) -> Topics:
    """The kiosk's topics."""
    kiosk = file.config.kiosk
    return Topics(kiosk.community, kiosk.grid, kiosk.id)


def pace_of(file: ConfigFile, clock: Clock) -> Pace:
    """How fast goes what waited for the broker."""
    broker = file.config.broker
    per_s = broker.backlog_per_s if broker is not None else 0.0
    return Pace(per_s, lambda: clock.now().monotonic_s)


def open_broker(file: ConfigFile, callbacks: BrokerCallbacks) -> PahoBroker | None:
    """The configured broker, not yet connecting; None where the config names none.

    Raises:
        UnavailableError: its password or a certificate is missing.
    """
    broker = file.config.broker
    if broker is None:
        return None
    topics = topics_of(file)
    paths = {
        name: file.resolve(path) if path is not None else None
        for name, path in (
            ("password_file", broker.password_file),
            ("ca_file", broker.ca_file),
            ("cert_file", broker.cert_file),
            ("key_file", broker.key_file),
        )
    }
    password = paths["password_file"]
    settings = BrokerSettings(
        host=broker.host,
        port=broker.port,
        client_id=broker.client_id or _client_id(topics),
        will_topic=topics.status,
        will=offline("lost"),
        protocol=broker.protocol,
        username=broker.username,
        password=read_password(password) if password is not None else None,
        ca_file=paths["ca_file"],
        cert_file=paths["cert_file"],
        key_file=paths["key_file"],
        keepalive_s=broker.keepalive_s,
        own_events=topics.own_events,
    )
    return PahoBroker(settings, callbacks)


def _client_id(topics: Topics) -> str:
    # 23 characters are what every broker takes.
    return "gate-" + hashlib.sha256(topics.base.encode()).hexdigest()[:16]
