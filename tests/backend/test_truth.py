"""Others say events in a kiosk's name first; what the kiosk signed shows which count."""

import json
import random
import threading
import uuid
from typing import Any

import pytest
from backend import database, kiosks, questions
from backend_parts import Event, Kiosk, count, find_gaps, flaws, look_over, missing, put, whole_to

WHERE = questions.Where()


def forged(event: Event, number: int = 0, **change: Any) -> Event:
    """Another event for the same place, which hangs on the true one before it."""
    made: Event = json.loads(json.dumps(event))
    made["id"] = str(uuid.UUID(int=number + 1))
    made["time"] = "2026-11-23T08:00:00.000Z"
    return {**made, **change}


def stands(store, *events: Event) -> bool:
    """Whether these, and no others, are the stored ones, unflawed and signed."""
    rows = store.execute("SELECT body FROM events ORDER BY sequence").fetchall()
    return [row for (row,) in rows] == list(events)


def passages(store) -> set[tuple[bool, bool]]:
    return {(one["unflawed"], one["signed"]) for one in questions.passages(store, WHERE)}


@pytest.fixture
def kiosk(store):
    made = Kiosk()
    kiosks.pin(store, made.keys())
    return made


@pytest.mark.parametrize("at", [1, 3, 5])
@pytest.mark.parametrize("together", [False, True])
def test_the_true_one_that_comes_second_takes_the_place(store, kiosk, at, together):
    events = [*kiosk.several(5), kiosk.checkpoint()]
    lie = forged(events[at - 1])
    if together:
        put(store, *events[: at - 1], lie, *events[at - 1 :])
    else:
        put(store, lie)
        look_over(store)
        put(store, *events)
    look_over(store)
    assert stands(store, *events)
    assert flaws(store) == [("disproved", at)]
    assert store.execute("SELECT sequence, disproved, body FROM conflicts").fetchall() == [
        (at, True, lie)
    ]
    assert passages(store) == {(True, True)}
    assert whole_to(store) == [6]
    # Again, and the lie again: nothing changes, it is counted.
    put(store, lie, *events)
    look_over(store)
    assert stands(store, *events)
    assert (flaws(store), count(store, "conflicts")) == ([("disproved", at)], 1)
    assert store.execute("SELECT reason, times FROM refusals").fetchall() == [("disproved", 1)]


@pytest.mark.parametrize("seed", range(4))
def test_a_stream_made_up_ahead_gives_way_to_the_true_one(store, kiosk, seed):
    other = Kiosk()
    other.epoch = kiosk.epoch
    other.several(20)
    chance = random.Random(seed)
    put(store, *other.events)
    look_over(store)
    events = [
        *kiosk.several(8),
        kiosk.checkpoint(),
        *kiosk.several(9),
        kiosk.checkpoint(),
        kiosk.says(),
    ]
    order = chance.sample(events, len(events))
    for first in range(0, len(order), 5):
        put(store, *order[first : first + 5])
        look_over(store)
    # The last true checkpoint vouches for 18; beyond it nobody knows yet.
    rows = store.execute(
        "SELECT body FROM events WHERE sequence <= 18 ORDER BY sequence"
    ).fetchall()
    assert [row for (row,) in rows] == events[:18]
    put(store, kiosk.checkpoint())
    look_over(store)
    rows = store.execute(
        "SELECT body FROM events WHERE sequence <= 20 ORDER BY sequence"
    ).fetchall()
    assert [row for (row,) in rows] == events


def test_a_true_one_that_is_not_here_is_asked_for_and_nothing_else_is_taken(store, kiosk):
    events = [*kiosk.several(5), kiosk.checkpoint()]
    lies = [forged(events[2], number) for number in range(12)]
    for number, lie in enumerate(lies):
        put(store, {**lie, "time": f"2026-11-23T08:00:{number:02d}.000Z"})
    put(store, *events[:2], *events[3:])
    look_over(store)
    find_gaps(store)
    assert missing(store) == [(3, 3, "waiting", None)]
    assert whole_to(store) == [2]
    assert ("disproved", 3) in flaws(store)
    put(store, lies[0], forged(events[2], 99, time="2026-11-23T09:00:00.000Z"))
    assert count(store, "events") == 5
    put(store, events[2])
    look_over(store)
    find_gaps(store)
    assert missing(store) == [(3, 3, "filled", None)]
    assert stands(store, *events)
    assert (whole_to(store), passages(store)) == ([6], {(True, True)})
    assert count(store, "proven") == 0


def test_an_id_that_was_taken_by_a_lie_is_given_back(store, kiosk):
    events = [*kiosk.several(6), kiosk.checkpoint()]
    put(store, forged(events[3], id=events[1]["id"]))
    put(store, *events)
    look_over(store)
    assert stands(store, *events)
    assert {kind for kind, _ in flaws(store)} == {"disproved"}


def test_an_id_that_was_taken_in_an_epoch_made_up_is_given_back(store, kiosk):
    events = [*kiosk.several(6), kiosk.checkpoint()]
    put(store, *(forged(one, id=one["id"], epoch="0" * 16) for one in events[1:4]))
    look_over(store)
    put(store, *events)
    look_over(store)
    rows = store.execute(
        "SELECT body FROM events e JOIN streams s ON s.id = e.stream WHERE epoch = %s"
        " ORDER BY sequence",
        (kiosk.epoch,),
    ).fetchall()
    assert [row for (row,) in rows] == events
    # The epoch made up has nothing left but its flaws.
    assert count(store, "events") == 7
    assert passages(store) == {(True, True)}


def test_a_forged_checkpoint_does_not_hide_the_true_one(store, kiosk):
    liar = Kiosk()
    events = kiosk.several(5)
    put(store, forged(events[4]))
    checkpoint = kiosk.checkpoint()
    lie = json.loads(json.dumps(checkpoint))
    lie["data"]["signature"] = liar_signature(liar)
    put(store, lie)
    look_over(store)
    put(store, *events, checkpoint, kiosk.says(), kiosk.checkpoint())
    look_over(store)
    assert stands(store, *kiosk.events)
    assert {kind for kind, _ in flaws(store)} == {"disproved"}
    assert store.execute("SELECT signed_to FROM streams").fetchall() == [(7,)]


def liar_signature(liar: Kiosk) -> str:
    liar.says()
    signature: str = liar.checkpoint()["data"]["signature"]
    return signature


def test_of_whom_nobody_pinned_nothing_can_be_said(store):
    kiosk = Kiosk()
    events = [*kiosk.several(5), kiosk.checkpoint()]
    put(store, forged(events[2]), *events)
    look_over(store)
    assert flaws(store) == [("two_at_one_place", 3), ("chain_broken", 4)]
    kiosks.pin(store, kiosk.keys())
    look_over(store)
    assert stands(store, *events)
    assert flaws(store) == [("disproved", 3)]


def test_several_who_look_over_at_once_come_to_the_same(store, dsn):
    made = [Kiosk(f"lakeside/g3/north-{number}") for number in range(6)]
    for kiosk in made:
        kiosks.pin(store, kiosk.keys())
        kiosk.several(30)
        kiosk.checkpoint()
        put(store, *(forged(kiosk.events[at], at) for at in (2, 3, 17, 29)))
        put(store, *kiosk.events)

    def work() -> None:
        with database.connect(dsn, by_index=True) as connection:
            look_over(connection)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    look_over(store)
    assert {kind for kind, _ in flaws(store)} == {"disproved"}
    rows = store.execute("SELECT body FROM events").fetchall()
    assert sorted(row["id"] for (row,) in rows) == sorted(
        one["id"] for kiosk in made for one in kiosk.events
    )
