"""The broker, as facts: what a kiosk's own message meets there."""

from agent.adapters.broker.reach import Reach
from agent.adapters.broker.trial import try_events
from agent.app.open.community.broker import topics_of
from agent.config import ConfigFile
from agent.operations.examination.facts import BrokerFact


def broker_fact(file: ConfigFile, agent_why: str | None) -> BrokerFact:
    """The whole way to the broker and back; ``agent_why`` is why a running agent is away from it.

    Raises:
        UnavailableError: it ends before a message can be sent; the message says where.
    """
    broker = file.config.broker
    assert broker is not None
    paths = {
        name: None if (path := getattr(broker, name)) is None else file.resolve(path)
        for name in ("password_file", "ca_file", "cert_file", "key_file")
    }
    reach = Reach(broker.host, broker.port, broker.username, **paths, protocol=broker.protocol)
    root = topics_of(file).own_events.removesuffix("/#")
    trial = try_events(reach, root)
    return BrokerFact(
        f"{broker.host}:{broker.port}",
        trial.tls,
        trial.expires_days,
        five=broker.protocol == "5",
        refused=trial.refused,
        unread=trial.unread,
        acknowledged=trial.acknowledged,
        came_back=trial.came_back,
        agent_why=agent_why,
    )
