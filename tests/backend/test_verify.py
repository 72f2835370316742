"""What the backend finds of what was taken out, changed, moved or signed by another."""

import json
import random

import pytest
from backend import database, kiosks, verify
from backend_parts import Kiosk, count, flaws, look_over, put, whole_to
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mosquitto import wait_until

from agent.domain.record import chain


def test_a_whole_stream_is_whole(store):
    kiosk = Kiosk()
    kiosks.pin(store, kiosk.keys())
    put(store, *kiosk.several(50), kiosk.checkpoint(), *kiosk.several(5))
    look_over(store)
    assert store.execute("SELECT whole_to, highest, signed_to FROM streams").fetchall() == [
        (56, 56, 50)
    ]
    assert (flaws(store), count(store, "touched")) == ([], 0)
    assert store.execute("SELECT last_seen IS NOT NULL FROM kiosks").fetchall() == [(True,)]


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_arrival_means_nothing(store, seed):
    kiosk = Kiosk()
    kiosks.pin(store, kiosk.keys())
    events = [*kiosk.several(20), kiosk.checkpoint(), *kiosk.several(20), kiosk.checkpoint()]
    chance = random.Random(seed)
    chance.shuffle(events)
    while events:
        size = chance.randint(1, 9)
        put(store, *events[:size])
        if chance.random() < 0.5:
            look_over(store)
        events = events[size:]
    look_over(store)
    assert store.execute("SELECT whole_to, signed_to FROM streams").fetchall() == [(42, 41)]
    assert flaws(store) == []


def changed(events, number, **change):
    return [{**one, **change} if int(one["sequence"]) == number else one for one in events]


@pytest.mark.parametrize("newest_first", [False, True])
def test_what_was_changed_breaks_the_chain_behind_it(store, newest_first):
    events = changed(Kiosk().several(9), 4, time="2026-11-23T23:00:00.000Z")
    for one in reversed(events) if newest_first else events:
        put(store, one)
        look_over(store)
    assert flaws(store) == [("chain_broken", 5)]
    # What fails is stored, and never holds up the rest.
    assert (count(store, "events"), whole_to(store)) == (9, [9])


def test_what_changed_places_breaks_the_chain(store):
    events = Kiosk().several(9)
    fourth, fifth = events[3], events[4]
    events[3] = {**fifth, "sequence": fourth["sequence"]}
    events[4] = {**fourth, "sequence": fifth["sequence"]}
    put(store, *events)
    look_over(store)
    assert flaws(store) == [("chain_broken", 4), ("chain_broken", 5), ("chain_broken", 6)]


def test_what_was_taken_out_and_closed_up_breaks_the_chain(store):
    events = Kiosk().several(9)
    del events[3]
    put(
        store,
        *({**one, "sequence": f"{number:020d}"} for number, one in enumerate(events, 1)),
    )
    look_over(store)
    # Every one behind it got another place, and so another link.
    assert flaws(store)[0] == ("chain_broken", 4)


def test_a_first_event_with_one_before_it_is_none(store):
    put(store, {**Kiosk().says(), "previous": "1" * 64})
    look_over(store)
    assert flaws(store) == [("chain_broken", 1)]


def without_chain(event):
    bare = {name: one for name, one in event.items() if name != "previous"}
    data = {k: v for k, v in event["data"].items() if k not in ("salts", "commitments")}
    return {**bare, "data": data}


def test_events_of_before_the_chain_are_no_flaw(store):
    kiosk = Kiosk()
    before = [without_chain(one) for one in kiosk.several(3)]
    later = kiosk.says()
    later["previous"] = chain.ORIGIN
    put(store, *before, later, kiosk.says(), kiosk.says())
    look_over(store)
    assert (flaws(store), whole_to(store)) == ([], [6])


def test_what_a_pinned_kiosk_said_before_its_chain_began_is_none_once_it_begins(store):
    kiosk = Kiosk()
    kiosks.pin(store, kiosk.keys())
    put(store, *[without_chain(one) for one in kiosk.several(2)])
    look_over(store)
    assert flaws(store) == [("unchained", 0)]
    later = kiosk.says()
    later["previous"] = chain.ORIGIN
    put(store, later)
    look_over(store)
    assert flaws(store) == []
    put(store, without_chain(kiosk.says()))
    look_over(store)
    assert flaws(store) == [("unchained", 0)]


def test_a_chain_that_was_taken_away_is_a_flaw(store):
    kiosk = Kiosk()
    events = kiosk.several(6)
    put(store, *events[:3], *map(without_chain, events[3:]))
    look_over(store)
    assert flaws(store) == [("unchained", 0)]


def test_a_kiosk_with_a_pinned_key_has_a_chain_from_the_first(store):
    kiosk = Kiosk()
    kiosks.pin(store, kiosk.keys())
    put(store, *map(without_chain, kiosk.several(3)))
    look_over(store)
    assert flaws(store) == [("unchained", 0)]


def test_a_chain_made_anew_is_found_by_the_checkpoint(store):
    kiosk, other = Kiosk(), Kiosk()
    kiosks.pin(store, kiosk.keys())
    other.epoch = kiosk.epoch
    other.several(5)
    put(store, *other.events)
    kiosk.several(5)
    put(store, kiosk.checkpoint())
    look_over(store)
    assert ("checkpoint_differs", 6) in flaws(store)
    assert store.execute("SELECT signed_to FROM streams").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("other", "flaw"),
    [
        ({"key": Ed25519PrivateKey.generate()}, "checkpoint_forged"),
        ({"source": "/gate/lakeside/g3/north-2"}, "checkpoint_of_another"),
        ({"epoch": "0" * 16}, "checkpoint_of_another"),
        ({"sequence": 4}, "checkpoint_of_another"),
        ({"link": b"\1" * 32}, "checkpoint_of_another"),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else one,
)
def test_a_checkpoint_that_vouches_for_something_else(store, other, flaw):
    kiosk = Kiosk()
    kiosks.pin(store, kiosk.keys())
    put(store, *kiosk.several(5), kiosk.checkpoint(**other))
    look_over(store)
    assert flaws(store) == [(flaw, 6)]


def test_a_checkpoint_without_form(store):
    kiosk = Kiosk()
    put(store, kiosk.says(), kiosk.says("journal.checkpoint", until="x", link="", signature=""))
    look_over(store)
    assert flaws(store) == [("checkpoint_malformed", 2)]


def test_checkpoints_wait_for_the_key_and_count_once_it_is_pinned(store):
    kiosk = Kiosk()
    put(store, *kiosk.several(5), kiosk.checkpoint())
    look_over(store)
    assert store.execute("SELECT signed_to FROM streams").fetchall() == [(0,)]
    kiosks.pin(store, kiosk.keys())
    look_over(store)
    assert store.execute("SELECT signed_to FROM streams").fetchall() == [(5,)]


def test_a_key_that_was_pinned_wrongly_is_put_right(store):
    kiosk = Kiosk()
    kiosks.pin(store, Kiosk().keys())
    put(store, *kiosk.several(5), kiosk.checkpoint())
    look_over(store)
    assert flaws(store) == [("checkpoint_forged", 6)]
    kiosks.pin(store, kiosk.keys(), replace=True)
    look_over(store)
    assert flaws(store) == []
    assert store.execute("SELECT signed_to FROM streams").fetchall() == [(5,)]


def test_a_former_key_counts_for_streams_of_its_time_only(store):
    kiosk, later = Kiosk(), Kiosk()
    kiosks.pin(store, kiosk.keys())
    put(store, kiosk.says())
    kiosks.pin(store, later.keys(), replace=True)
    # What came late of the old stream is the old key's; a new stream is not.
    put(store, *kiosk.several(3), kiosk.checkpoint())
    stolen = Kiosk()
    put(store, *stolen.several(3), stolen.checkpoint(kiosk.key))
    look_over(store)
    assert flaws(store) == [("checkpoint_forged", 4)]
    rows = store.execute("SELECT epoch, signed_to FROM streams ORDER BY id").fetchall()
    assert rows == [(kiosk.epoch, 4), (stolen.epoch, 0)]


def test_two_who_look_over_share_what_there_is(store, dsn):
    kiosk = Kiosk()
    put(store, *kiosk.several(5))
    other = database.connect(dsn, by_index=True)
    other.execute("BEGIN")
    assert verify.look_over(other) == 1
    # What one of them has in hand is not taken by the other; should it die, it is there again.
    assert verify.look_over(store) == 0
    other.close()
    # The server notices in its own time that the other is gone.
    assert wait_until(lambda: verify.look_over(store) == 1)
    assert whole_to(store) == [5]


def test_a_long_backlog_is_whole_step_by_step(store, monkeypatch):
    monkeypatch.setattr(verify, "_STEP", 7)
    kiosk = Kiosk()
    events = kiosk.several(40)
    put(store, *events[1:])
    look_over(store)
    assert whole_to(store) == [0]
    put(store, json.loads(json.dumps(events[0])))
    look_over(store)
    assert whole_to(store) == [40]
