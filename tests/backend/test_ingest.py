"""What is stored of what comes: once, whole, and nothing that is no event."""

import json
import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from backend import heard, kiosks, partitions
from backend.heard import MAX_BYTES
from backend_parts import (
    BEGAN,
    Kiosk,
    count,
    find_gaps,
    flaws,
    look_over,
    put,
    put_raw,
    topic_of,
    whole_to,
)

from agent.domain.record import chain


def test_an_event_comes_twice_and_is_stored_once(store):
    kiosk = Kiosk()
    events = kiosk.several(5)
    assert put(store, *events) == 5
    assert put(store, *events, kiosk.says()) == 1
    assert put(store, events[2], events[2]) == 0
    assert (count(store, "places"), count(store, "events")) == (6, 6)
    assert (count(store, "conflicts"), flaws(store)) == (0, [])


def test_what_is_stored_is_what_was_said(store):
    event = Kiosk().says(number=0.1, name='Müller \\u0000 \\ "')
    put(store, event)
    row = store.execute(
        "SELECT body, time, clock_synced, type, access_point, holder, altered FROM events"
    ).fetchone()
    assert row == (
        *(event, BEGAN + timedelta(seconds=1), True, "gate.access.granted", "north-entry"),
        *("anna", False),
    )
    assert chain.check(row[0]) is chain.Check.WHOLE


def test_a_copy_without_personal_fields_is_the_same_event(store):
    event = Kiosk().says()
    bare = json.loads(json.dumps(event))
    del bare["data"]["holder"], bare["data"]["salts"]
    assert put(store, event) == 1
    assert put(store, bare) == 0
    assert (count(store, "conflicts"), flaws(store)) == (0, [])
    assert store.execute("SELECT holder FROM events").fetchall() == [("anna",)]


def test_a_value_that_does_not_fit_is_flagged_until_a_copy_that_fits_comes(store):
    event = Kiosk().says()
    other = json.loads(json.dumps(event))
    other["data"]["holder"] = "bert"
    assert put(store, other) == 1
    assert flaws(store) == [("altered", 1)]
    assert store.execute("SELECT holder, altered FROM events").fetchall() == [("bert", True)]
    put(store, event)
    assert store.execute("SELECT holder, altered FROM events").fetchall() == [("anna", False)]
    put(store, other)
    assert store.execute("SELECT holder, altered FROM events").fetchall() == [("anna", False)]
    assert flaws(store) == [("altered", 1)]


@pytest.mark.parametrize("together", [False, True])
def test_another_event_for_a_place_that_is_taken_is_kept_beside_it(store, together):
    kiosk = Kiosk()
    event = kiosk.says()
    other = {**event, "time": "2026-11-23T08:00:00.000Z"}
    if together:
        assert put(store, event, other, other) == 1
    else:
        assert put(store, event) == 1
        assert put(store, other) == 0
        put(store, other)
    assert store.execute("SELECT body->>'time', times FROM conflicts").fetchall() == [
        ("2026-11-23T08:00:00.000Z", 1 if together else 2)
    ]
    assert store.execute("SELECT body->>'time' FROM events").fetchall() == [(event["time"],)]
    assert flaws(store) == [("two_at_one_place", 1)]


def test_an_id_that_comes_at_two_places_is_kept_once(store):
    kiosk = Kiosk()
    first = kiosk.says()
    second = {**kiosk.says(), "id": first["id"]}
    put(store, first, second)
    assert flaws(store) == [("id_repeated", 2)]
    assert (count(store, "events"), count(store, "conflicts")) == (1, 1)


def test_an_id_of_another_kiosk_costs_that_kiosk_nothing(store):
    one, other = Kiosk(), Kiosk("lakeside/g3/north-2")
    event = one.says()
    put(store, {**other.says(), "id": event["id"]})
    assert put(store, event) == 1
    assert (count(store, "events"), flaws(store)) == (2, [])


HOSTILE = {
    "not_json": b"{",
    "not_json ": b"\xff\xfe",
    "not_json  ": b'{"a": 1, "a": 2}',
    "not_json   ": b"[" * 5000,
    "not_json    ": b'{"a": 1e999}',
    "oversized": b'"' + b"a" * MAX_BYTES + b'"',
    "not_of_contract": b"[]",
    "not_of_contract ": b"{}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_event_is_counted_and_kept_nowhere(store, name):
    kiosk = Kiosk()
    topic = "gate/lakeside/g3/north-1/events/access"
    good = (topic, json.dumps(kiosk.says()).encode())
    assert put_raw(store, (topic, HOSTILE[name]), good, (topic, HOSTILE[name])) == 1
    assert store.execute("SELECT kiosk, reason, times FROM refusals").fetchall() == [
        ("lakeside/g3/north-1", name.strip(), 2)
    ]
    assert (count(store, "events"), count(store, "conflicts"), flaws(store)) == (1, 0, [])


def test_of_whom_nobody_pinned_nothing_is_kept_where_it_is_asked(store):
    known, made_up = Kiosk(), Kiosk("lakeside/g3/north-9")
    kiosks.pin(store, known.keys())
    said = [(topic_of(one), json.dumps(one).encode()) for one in (known.says(), made_up.says())]
    said += [(f"gate/{made_up.place}/keys", b"{}"), (f"gate/{made_up.place}/status", b'{"a": 1}')]
    said += [(f"gate/lakeside/g3/north-{number}/events/access", b"{") for number in range(20, 30)]
    assert put_raw(store, *said, only_pinned=True) == 1
    assert store.execute("SELECT kiosk FROM kiosks").fetchall() == [(known.place,)]
    refusals = store.execute("SELECT kiosk, reason, times FROM refusals ORDER BY 2").fetchall()
    assert refusals[0] == ("", "not_json", 10)
    assert {kiosk for kiosk, _, _ in refusals} == {""}
    assert ("", "not_pinned", 1) in refusals
    kiosks.pin(store, made_up.keys())
    assert put_raw(store, said[1], only_pinned=True) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"source": "/gate/lakeside/g3/north-2"}, "other_kiosk"),
        ({"dataschema": "urn:gate:contract:2#access.granted"}, "unknown_version"),
        ({"dataschema": "urn:gate:contract:x#access.granted"}, "not_of_contract"),
        ({"specversion": "2.0"}, "not_of_contract"),
        ({"sequence": "1"}, "not_of_contract"),
        ({"sequence": "0" * 20}, "not_of_contract"),
        ({"sequence": "9" * 20}, "not_of_contract"),
        ({"sequence": 1}, "not_of_contract"),
        ({"id": "x"}, "not_of_contract"),
        ({"time": "yesterday"}, "not_of_contract"),
        ({"time": "2026-11-23T07:12:09.412"}, "not_of_contract"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "not_of_contract"),
        ({"epoch": ""}, "not_of_contract"),
        ({"epoch": None}, "not_of_contract"),
        ({"previous": "0" * 63}, "not_of_contract"),
        ({"previous": None}, "not_of_contract"),
        ({"type": "com.example.access"}, "not_of_contract"),
        ({"data": None}, "not_of_contract"),
        ({"more": "half \ud800"}, "not_of_contract"),
        ({"more": "nul \0"}, "not_of_contract"),
        ({"more": 10**400}, "not_of_contract"),
    ],
)
def test_an_event_that_is_none_is_counted(store, change, reason):
    event = {**Kiosk().says(), **change}
    assert put(store, event, topic="gate/lakeside/g3/north-1/ranges") == 0
    assert store.execute("SELECT reason FROM refusals").fetchall() == [(reason,)]


def test_what_only_the_database_refuses_is_found_by_halves(store):
    kiosk = Kiosk()
    events = kiosk.several(9)
    bad = {**events[4], "more": {"nested": json.loads("[" * 3 + "1" + "]" * 3)}}
    store.execute("ALTER TABLE events ADD CONSTRAINT odd CHECK (NOT body ? 'more') NOT VALID")
    assert put(store, *events[:4], bad, *events[5:]) == 8
    assert store.execute("SELECT kiosk, reason, times FROM refusals").fetchall() == [
        (kiosk.place, "not_storable", 1)
    ]


@pytest.mark.parametrize("bounded", [True, False])
def test_a_message_that_no_index_holds_costs_no_other(store, monkeypatch, bounded):
    kiosk, chance = Kiosk(), random.Random(1)
    long = "gate.a." + "".join(chance.choices("abcdefghijklmnopqrstuvwxyz_", k=20_000))
    events = kiosk.several(5)
    if not bounded:
        monkeypatch.setattr(heard, "_TYPE", re.compile(r"gate\.[a-z_]+\.[a-z_]+"))
    assert put(store, *events[:2], {**events[2], "type": long}, *events[3:]) == 4
    reason = "not_of_contract" if bounded else "not_storable"
    assert store.execute("SELECT reason FROM refusals").fetchall() == [(reason,)]


@pytest.mark.parametrize(
    "time", ["1970-01-01T00:00:04.000Z", "9998-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z"]
)
def test_a_clock_that_cannot_be_right_breaks_nothing(store, time):
    partitions.make(store, datetime.now(UTC))
    kiosk = Kiosk()
    put(store, {**kiosk.says(clock_synced=False), "time": time})
    row = store.execute(
        "SELECT time = %s, now() - at < interval '1 minute', clock_synced FROM events", (time,)
    ).fetchone()
    assert row == (True, True, False)


def test_partitions_are_made_ahead_and_take_what_lay_elsewhere(store):
    now = datetime(2026, 11, 28, tzinfo=UTC)
    put(store, *Kiosk("lakeside/g3/north-2").several(2))
    assert count(store, "events_other") == 2
    names = ["events_2026_10", "events_2026_11", "events_2026_12", "events_2027_01"]
    assert partitions.make(store, now) == names
    assert partitions.make(store, now) == []
    assert (count(store, "events_other"), count(store, "events_2026_11")) == (0, 2)
    assert partitions.make(store, datetime(2027, 1, 31, tzinfo=UTC)) == [
        "events_2027_02",
        "events_2027_03",
    ]


def test_a_wrong_time_does_not_make_two_of_one_event(store):
    event = Kiosk().says(clock_synced=False)
    early = {**event, "time": "1970-01-01T00:00:00.000Z"}
    assert put(store, early) == 1
    assert put(store, event) == 0
    assert count(store, "events") == 1


def test_a_status_and_a_heartbeat_are_kept_as_they_stand(store):
    kiosk = Kiosk()
    base = kiosk.topics.base
    lost = json.dumps({"online": False, "reason": "lost"}).encode()
    put_raw(store, (f"{base}/health", json.dumps(kiosk.health()).encode()))
    seen = store.execute("SELECT last_seen, health->'uptime_s' FROM kiosks").fetchone()
    assert seen[0] is not None
    assert seen[1] == 7200.0
    put_raw(store, (f"{base}/status", lost), (f"{base}/status", b""), (f"{base}/status", b"{}"))
    # A last will is no sign of life.
    assert store.execute("SELECT online, last_seen FROM kiosks").fetchone() == (False, seen[0])
    assert store.execute("SELECT reason FROM refusals").fetchall() == [("not_of_contract",)]


def test_a_hostile_sequence_holds_up_nobody(store):
    kiosk, other = Kiosk(), Kiosk("lakeside/g3/north-2")
    first = kiosk.says()
    far = {**kiosk.says(), "sequence": f"{2**62:020d}"}
    put(store, first, far, *other.several(3))
    look_over(store)
    find_gaps(store)
    assert store.execute("SELECT first, last, state, reason FROM gaps").fetchall() == [
        (2, 2**62 - 1, "failed", "too_long")
    ]
    find_gaps(store)
    assert whole_to(store) == [1, 3]


def test_a_heartbeat_whose_number_is_true_holds_up_nobody(store):
    kiosk, other = Kiosk(), Kiosk("lakeside/g3/north-2")
    body = {"contract": 1, "queue": {"epoch": "e", "last_sequence": True, "unpublished": 0}}
    event = other.says()
    beat = (f"{kiosk.topics.base}/health", json.dumps(body).encode())
    put_raw(store, beat, (f"{other.topics.base}/events/access", json.dumps(event).encode()))
    assert (count(store, "events"), count(store, "streams")) == (1, 1)
