"""The files that a backend builds on say what the agent does, and the broker's example runs."""

import pytest
from asyncapi import contract
from mosquitto import Subscriber, wait_until
from places import ROOT

from agent.domain.record.events import EventType
from agent.domain.record.topics import Topics


@pytest.mark.parametrize("kind", EventType)
def test_every_event_is_described_under_its_topic(kind):
    topic = Topics("{community}", "{grid}", "{kiosk}").event(kind)
    (channel,) = [one for one in contract()["channels"].values() if one["address"] == topic]
    reference = {"$ref": f"#/components/messages/{kind.value}"}
    assert reference in channel["messages"].values()


def test_the_acl_keeps_each_kiosk_on_its_own_topics(make_mosquitto, tmp_path):
    acl = tmp_path / "acl"
    acl.write_text((ROOT / "scripts/backend/broker/acl").read_text())
    acl.chmod(0o600)
    broker = make_mosquitto(f"acl_file {acl}", "allow_zero_length_clientid true")
    broker.start()
    backend = Subscriber(broker.port, username="backend", password="x")
    kiosk = Subscriber(broker.port, username="lakeside/g3/north-1", password="x", name="kiosk")
    try:
        own = "gate/lakeside/g3/north-1/status"
        kiosk.client.publish("gate/lakeside/g3/south-1/status", b"{}", 1)
        # Where it is spoken to, only the backend speaks.
        for told in ("commands", "registry", "time/answer", "announce"):
            kiosk.client.publish(f"gate/lakeside/g3/north-1/{told}", b"kiosk", 1)
        kiosk.client.publish("gate/lakeside/commands", b"kiosk", 1)
        kiosk.client.publish(own, b"{}", 1)
        assert wait_until(lambda: backend.messages)
        assert [topic for topic, *_ in backend.messages] == [own]
        assert kiosk.messages == []
        for topic in (
            *("gate/lakeside/g3/south-1/commands", "gate/lakeside/g3/north-1/commands"),
            "gate/lakeside/commands",
        ):
            backend.client.publish(topic, b"asked", 1)
        assert wait_until(lambda: len(kiosk.messages) == 2)
        assert [topic for topic, *_ in kiosk.messages] == [
            *("gate/lakeside/g3/north-1/commands", "gate/lakeside/commands")
        ]
        for said in ("keys", "ranges", "replies", "replies/office", "events/access", "health"):
            kiosk.client.publish(f"gate/lakeside/g3/north-1/{said}", b"said", 1)
        assert wait_until(lambda: len(backend.messages) == 1 + 3 + 6)
    finally:
        backend.close()
        kiosk.close()
