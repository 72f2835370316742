"""What Home Assistant is to be told of the kiosk, from its config."""

from collections import Counter
from collections.abc import Iterator

from agent import __version__
from agent.app.open.community.broker import topics_of
from agent.app.open.settings import wirings
from agent.config import ConfigFile, GateConfig
from agent.domain.door.signal import Signal
from agent.domain.record.home_assistant import Announcement, Shown, discovery, discovery_topic


def announcement_of(file: ConfigFile) -> Announcement | None:
    """Topic and message, None where the config asks for none."""
    broker = file.config.broker
    if broker is None or not broker.home_assistant:
        return None
    topics = topics_of(file)
    message = discovery(
        topics,
        shown(file.config),
        version=__version__,
        health_every_s=broker.health_every_s,
    )
    return Announcement(discovery_topic(topics, broker.discovery_prefix), message)


def shown(config: GateConfig) -> Iterator[Shown]:
    """The access points; a contact that two directions share tells of neither."""
    contacts = [one for one in wirings(config) if one.signal is Signal.CONTACT]
    shares = Counter(one.input for one in contacts)
    own = {one.door for one in contacts if shares[one.input] == 1}
    doors = {door.id: door for door in config.door}
    for point in config.access_point:
        output = doors[point.door].output_for(point.direction)
        yield Shown(point.id, contact=output in own)
