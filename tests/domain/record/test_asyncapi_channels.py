"""config/asyncapi.yaml names every topic, and who speaks there."""

from asyncapi import contract, whole

from agent.domain.record.events import EventType
from agent.domain.record.topics import Topics

TOPICS = Topics("{community}", "{grid}", "{kiosk}")


def test_every_type_is_a_message_on_its_topic() -> None:
    described = {
        reference["$ref"].rpartition("/")[2]: channel["address"]
        for channel in contract()["channels"].values()
        for reference in channel["messages"].values()
    }
    expected = {kind.value: TOPICS.event(kind) for kind in EventType}
    status = {f"status.{word}": TOPICS.status for word in ("online", "offline")}
    status |= {"health": TOPICS.health, "keys": TOPICS.keys}
    status["home_assistant"] = "{prefix}/device/{device}/config"
    times = {"time.request": TOPICS.time_request, "time.answer": TOPICS.time_answer}
    times |= {
        "registry.update": TOPICS.registry,
        "registry.request": TOPICS.registry_request,
        "registry.receipt": TOPICS.registry_receipts,
    }
    # The same message on two topics: the last one stands for it here.
    announcements = {"announcement": TOPICS.announce_to_all}
    commands = {
        "command": TOPICS.commands_to_all,
        "reply": TOPICS.replies,
        "event.again": TOPICS.ranges,
    }
    assert described == expected | status | times | commands | announcements
    assert contract()["channels"]["announceHere"]["address"] == TOPICS.announce
    assert set(contract()["components"]["messages"]) == set(described)


def test_every_channel_is_sent_to_and_little_is_received() -> None:
    operations = contract()["operations"].values()
    received = [o["channel"]["$ref"] for o in operations if o["action"] == "receive"]
    assert received == [
        f"#/channels/{one}"
        for one in (
            *("timeAnswer", "commands", "commandsToAll", "registryUpdate"),
            *("announceHere", "announceToAll"),
        )
    ]
    sent = [o["channel"]["$ref"].rpartition("/")[2] for o in operations]
    assert sorted(sent) == sorted(contract()["channels"])
    bindings = [whole(operation["bindings"])["mqtt"] for operation in operations]
    assert [s for s, b in zip(sent, bindings, strict=True) if b["retain"]] == [
        *("status", "keys", "homeAssistant")
    ]
    assert [s for s, b in zip(sent, bindings, strict=True) if b["qos"] != 1] == ["health"]
