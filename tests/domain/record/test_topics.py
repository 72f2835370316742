"""Where a kiosk speaks."""

import pytest

from agent.domain.record.events import EventType
from agent.domain.record.topics import Topics

TOPICS = Topics("lakeside", "g3", "north-1")


def test_a_kiosk_has_a_subtree_of_its_own() -> None:
    assert TOPICS.base == "gate/lakeside/g3/north-1"
    assert TOPICS.source == "/gate/lakeside/g3/north-1"
    assert TOPICS.status == "gate/lakeside/g3/north-1/status"
    assert TOPICS.health == "gate/lakeside/g3/north-1/health"


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        (EventType.ACCESS_GRANTED, "access"),
        (EventType.ACCESS_DENIED, "access"),
        (EventType.HOLDER_CHANGED, "holder"),
        (EventType.HOLDER_REMOVED, "holder"),
        (EventType.RULES_CHANGED, "rules"),
        (EventType.MODEL_CHANGED, "model"),
        (EventType.FAULT_RAISED, "fault"),
        (EventType.FAULT_CLEARED, "fault"),
        (EventType.AGENT_STARTED, "agent"),
        (EventType.AGENT_STOPPED, "agent"),
        (EventType.JOURNAL_SET_ASIDE, "journal"),
    ],
)
def test_a_family_of_events_has_one_topic(kind: EventType, family: str) -> None:
    assert TOPICS.event(kind) == f"gate/lakeside/g3/north-1/events/{family}"


@pytest.mark.parametrize("kind", EventType)
def test_every_topic_is_one_that_a_broker_takes(kind: EventType) -> None:
    longest = Topics("x" * 64, "y" * 64, "z" * 64)
    topic = longest.event(kind)
    assert not set(topic) & set("+#\0")
    assert not topic.startswith(("/", "$"))
    assert "//" not in topic
    assert len(topic.encode()) < 65_536


def test_two_kiosks_share_no_topic() -> None:
    other = Topics("lakeside", "g3", "north-2")
    spoken = {TOPICS.status, *(TOPICS.event(kind) for kind in EventType)}
    assert not spoken & {other.status, *(other.event(kind) for kind in EventType)}
