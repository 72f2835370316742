"""Events as the broker and the backend read them: CloudEvents 1.0 in JSON."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from agent.domain.record.events import Event, EventDraft, EventType, cloud_event

TIME = datetime(2026, 5, 6, 20, 7, 8, 9_876, tzinfo=timezone(timedelta(hours=8)))
ID = "0196a4f0-0000-7000-8000-000000000000"
SOURCE = "/gate/lakeside/g3/north-1"
# CloudEvents 1.0.2, section 3.1: names of attributes are lower-case letters and digits.
NAME = re.compile(r"[a-z0-9]{1,20}")


def body(kind: EventType = EventType.ACCESS_GRANTED, access_point: str | None = None, **data):
    event = Event(ID, kind, TIME, True, access_point, data)
    return cloud_event(event, source=SOURCE, epoch="0123456789abcdef", sequence=42)


@pytest.mark.parametrize("kind", EventType)
def test_every_kind_is_a_cloud_event(kind: EventType) -> None:
    found = body(kind)
    assert found == {
        "specversion": "1.0",
        "id": ID,
        "source": SOURCE,
        "type": f"gate.{kind.value}",
        "time": "2026-05-06T12:07:08.009Z",
        "datacontenttype": "application/json",
        "dataschema": f"urn:gate:contract:1#{kind.value}",
        "epoch": "0123456789abcdef",
        "sequence": "00000000000000000042",
        "data": {"clock_synced": True},
    }
    assert all(NAME.fullmatch(name) for name in found)
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("kind", EventType)
def test_a_kind_is_a_family_and_a_word(kind: EventType) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)*", kind.value)


def test_an_access_event_names_its_access_point() -> None:
    found = body(EventType.ACCESS_DENIED, "north-entry", reason="NoMatch")
    assert found["subject"] == "north-entry"
    assert found["data"] == {
        "reason": "NoMatch",
        "clock_synced": True,
        "access_point": "north-entry",
    }


def test_an_event_of_the_whole_kiosk_has_no_subject() -> None:
    found = body(EventType.AGENT_STARTED)
    assert "subject" not in found
    assert "access_point" not in found["data"]


def test_what_the_envelope_says_is_not_overridden_by_the_data() -> None:
    data = {"clock_synced": "yes", "access_point": "elsewhere", "id": "x", "sequence": 1}
    event = Event(ID, EventType.ACCESS_DENIED, TIME, True, "north-entry", data)
    found = cloud_event(event, source=SOURCE, epoch="e", sequence=42)
    assert found["data"]["clock_synced"] is True
    assert found["data"]["access_point"] == "north-entry"
    assert (found["id"], found["sequence"]) == (ID, "00000000000000000042")


def test_numbers_of_a_stream_sort_as_text() -> None:
    event = Event(ID, EventType.ACCESS_DENIED, TIME, True)
    numbers = [1, 9, 10, 99, 100, 2**31, 2**53, 2**63 - 1]
    texts = [
        cloud_event(event, source=SOURCE, epoch="e", sequence=number)["sequence"]
        for number in numbers
    ]
    assert texts == sorted(texts)
    assert [int(text) for text in texts] == numbers
    assert {len(text) for text in texts} == {20}


def test_the_event_itself_is_left_as_it_was() -> None:
    data = {"reason": "NoMatch"}
    event = Event(ID, EventType.ACCESS_DENIED, TIME, False, "north-entry", data)
    cloud_event(event, source=SOURCE, epoch="e", sequence=1)["data"]["more"] = 1
    assert data == {"reason": "NoMatch"}


def test_a_draft_becomes_an_event_by_its_id() -> None:
    draft = EventDraft(EventType.FAULT_RAISED, TIME, False, "north-entry", {"part": "door:lane"})
    assert draft.with_id(ID) == Event(
        ID, EventType.FAULT_RAISED, TIME, False, "north-entry", {"part": "door:lane"}
    )
    assert draft == EventDraft(
        EventType.FAULT_RAISED, TIME.astimezone(UTC), False, "north-entry", {"part": "door:lane"}
    )
