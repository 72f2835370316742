"""What is missing is noticed, asked for with a signature; it comes, or is given up."""

import json
import time
import uuid
from itertools import pairwise

import pytest
from backend import database, gaps, kiosks
from backend_parts import (
    IMPATIENT,
    Kiosk,
    find_gaps,
    look_over,
    missing,
    put,
    put_raw,
    whole_to,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.credentials.passes.issuers import key_id
from agent.credentials.signed.command import verify_command
from agent.credentials.signed.reply import Reply, sign_reply
from agent.domain.record.command import Outcome

KEY = Ed25519PrivateKey.generate()
PATIENT = IMPATIENT.model_copy(update={"patience_s": 3600.0})


def public(wanted):
    return KEY.public_key() if wanted == key_id(KEY.public_key()) else None


def asked(store, settings=IMPATIENT):
    """The commands of one round, as the kiosks read them."""
    time.sleep(0.01)
    found = gaps.look(store, settings, KEY)
    assert found is not None
    commands = [verify_command(one.payload, public)[0] for one in found]
    assert [one.kiosk for one in found] == [one.to for one in commands]
    return commands


def reply(store, kiosk, command, outcome=Outcome.DONE, *, key=None, place=None, **more):
    said = Reply(command.id, place or kiosk.place, outcome, 1_800_000_000, True, **more)
    put_raw(store, (f"{kiosk.topics.base}/replies", sign_reply(said, key or kiosk.key)))


def refusals(store):
    return store.execute("SELECT reason, times FROM refusals").fetchall()


def made(store, *numbers, of=10):
    """A kiosk of which these never came."""
    kiosk = Kiosk()
    kiosks.pin(store, kiosk.keys())
    events = kiosk.several(of)
    put(store, *(one for number, one in enumerate(events, 1) if number not in numbers))
    look_over(store)
    return kiosk


def test_nothing_is_missing_where_all_came(store):
    made(store)
    assert asked(store) == []
    assert missing(store) == []


def test_a_gap_is_found_asked_for_and_filled(store):
    kiosk = made(store, 4, 5, 8)
    (first,) = asked(store, PATIENT.model_copy(update={"patience_s": 0.001})) or asked(store)
    assert (first.verb, first.to) == ("range", kiosk.place)
    assert dict(first.arguments) == {"epoch": kiosk.epoch, "first": 4, "last": 5}
    assert first.expires - first.issued == gaps.EXPIRES_S
    put(store, kiosk.events[3], kiosk.events[4], topic=f"{kiosk.topics.base}/ranges")
    look_over(store)
    reply(store, kiosk, first)
    (second,) = asked(store)
    assert dict(second.arguments)["first"] == 8
    put(store, kiosk.events[7])
    look_over(store)
    assert asked(store) == []
    assert missing(store) == [(4, 5, "filled", None), (8, 8, "filled", None)]
    assert whole_to(store) == [10]


def test_a_backlog_that_is_on_its_way_is_not_asked_for(store):
    kiosk = made(store, *range(1, 9))
    assert asked(store, PATIENT) == []
    put(store, *kiosk.events[:5])
    look_over(store)
    assert asked(store, PATIENT) == []
    assert missing(store) == [(6, 8, "waiting", None)]
    due = store.execute("SELECT due > now() + interval '50 minutes' FROM gaps").fetchall()
    assert due == [(True,)]


def test_one_kiosk_is_asked_one_thing_at_a_time_and_not_again_at_once(store):
    settings = IMPATIENT.model_copy(update={"retry_s": 3600.0})
    made(store, 2, 4, 6)
    find_gaps(store)
    assert len(asked(store, settings)) == 1
    assert asked(store, settings) == []


def test_nobody_is_asked_who_is_away(store):
    made(store, 2)
    find_gaps(store)
    store.execute("UPDATE kiosks SET last_seen = now() - interval '1 hour'")
    assert asked(store) == []
    assert missing(store) == [(2, 2, "waiting", None)]


def test_without_an_answer_it_is_asked_again_and_given_up_in_the_end(store):
    made(store, 2)
    find_gaps(store)
    commands = []
    for _ in range(gaps.MOST_ATTEMPTS + 1):
        commands += asked(store)
        store.execute("UPDATE gaps SET due = now()")
    assert len(commands) == len({one.id for one in commands}) == gaps.MOST_ATTEMPTS
    assert missing(store) == [(2, 2, "failed", "no_answer")]
    # What was given up holds nobody up.
    find_gaps(store)
    assert whole_to(store) == [10]


def test_the_pause_between_two_tries_grows(store):
    made(store, 2)
    find_gaps(store)
    settings = IMPATIENT.model_copy(update={"retry_s": 10.0})
    pauses = []
    for _ in range(4):
        asked(store, settings)
        (row,) = store.execute("SELECT extract(epoch FROM due - now()) FROM gaps").fetchall()
        pauses.append(float(row[0]))
        store.execute("UPDATE gaps SET due = now()")
    assert all(1.5 < later / one < 2.5 for one, later in pairwise(pauses))


def test_what_the_kiosk_has_no_more_is_given_up_with_its_reason(store):
    kiosk = made(store, 3, 4, 5, 6)
    find_gaps(store)
    (command,) = asked(store)
    reply(store, kiosk, command, result={"sent": 1, "missing": [[3, 4], 6]})
    put(store, kiosk.events[4])
    look_over(store)
    assert asked(store) == []
    reason = "kiosk_has_it_no_more"
    assert missing(store) == [(3, 4, "gone", reason), (6, 6, "gone", reason)]
    assert whole_to(store) == [10]


def test_what_came_all_the_same_is_gone_no_more(store):
    kiosk = made(store, 3)
    find_gaps(store)
    (command,) = asked(store)
    reply(store, kiosk, command, result={"missing": [3]})
    find_gaps(store)
    put(store, kiosk.events[2])
    look_over(store)
    assert missing(store) == [(3, 3, "filled", None)]


def test_a_refusal_is_kept_as_the_reason(store):
    kiosk = made(store, 3)
    find_gaps(store)
    (command,) = asked(store)
    reply(store, kiosk, command, Outcome.REFUSED, reason="not_permitted")
    assert missing(store) == [(3, 3, "waiting", "not_permitted")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key": Ed25519PrivateKey.generate()}, "not_signed"),
        ({"place": "lakeside/g3/north-2"}, "other_kiosk"),
    ],
    ids=["key", "place"],
)
def test_an_answer_of_another_counts_for_nothing(store, change, reason):
    kiosk = made(store, 3)
    find_gaps(store)
    (command,) = asked(store)
    reply(store, kiosk, command, result={"missing": [3]}, **change)
    assert refusals(store) == [(reason, 1)]
    assert missing(store) == [(3, 3, "asked", None)]


def test_an_answer_of_a_kiosk_without_a_pinned_key_counts_for_nothing(store):
    kiosk = made(store, 3)
    store.execute("UPDATE kiosks SET signing_key = NULL")
    find_gaps(store)
    (command,) = asked(store)
    reply(store, kiosk, command, result={"missing": [3]})
    assert refusals(store) == [("not_signed", 1)]


def test_bytes_that_are_no_answer_are_counted(store):
    kiosk = made(store)
    put_raw(store, (f"{kiosk.topics.base}/replies", b"\xff" * 40))
    assert refusals(store) == [("not_signed", 1)]


def test_one_kiosk_cannot_answer_for_another(store):
    made(store, 3)
    other = Kiosk("lakeside/g3/north-2")
    kiosks.pin(store, other.keys())
    find_gaps(store)
    (command,) = asked(store)
    reply(store, other, command, result={"missing": [3]})
    assert missing(store) == [(3, 3, "asked", None)]


def test_what_a_heartbeat_says_was_sent_and_never_came_is_missing(store):
    kiosk = Kiosk()
    events = kiosk.several(10)
    put(store, *events[:7])
    look_over(store)
    beat = f"{kiosk.topics.base}/health"
    put_standing(store, beat, kiosk.health(unpublished=3))
    find_gaps(store)
    assert missing(store) == []
    put_standing(store, beat, kiosk.health())
    find_gaps(store)
    assert missing(store) == [(8, 10, "waiting", None)]
    # The end moves on; the gap is the same one.
    kiosk.several(2)
    put_standing(store, beat, kiosk.health())
    find_gaps(store)
    assert missing(store) == [(8, 12, "waiting", None)]


def test_a_stream_of_which_nothing_came_is_missing_from_the_first(store):
    kiosk = Kiosk()
    kiosk.several(3)
    put_standing(store, f"{kiosk.topics.base}/health", kiosk.health())
    find_gaps(store)
    assert missing(store) == [(1, 3, "waiting", None)]


def put_standing(store, topic, said):
    put_raw(store, (topic, json.dumps(said).encode()))


def test_a_gap_that_is_filled_from_the_middle_is_two(store):
    kiosk = made(store, *range(2, 9))
    find_gaps(store)
    put(store, kiosk.events[4])
    look_over(store)
    find_gaps(store)
    assert missing(store) == [(2, 4, "waiting", None), (6, 8, "waiting", None)]


def test_a_long_gap_is_asked_for_in_parts(store, monkeypatch):
    monkeypatch.setattr(gaps, "CHUNK", 3)
    made(store, *range(2, 9))
    find_gaps(store)
    (command,) = asked(store)
    assert (command.arguments["first"], command.arguments["last"]) == (2, 4)


@pytest.mark.parametrize(
    ("runs", "without", "left"),
    [
        ([(1, 9)], [], [(1, 9)]),
        ([(1, 9)], [(1, 9)], []),
        ([(1, 9)], [(3, 4)], [(1, 2), (5, 9)]),
        ([(1, 9)], [(0, 4)], [(5, 9)]),
        ([(1, 9)], [(8, 20)], [(1, 7)]),
        ([(1, 3), (5, 9)], [(3, 5)], [(1, 2), (6, 9)]),
        ([(1, 9)], [(20, 30)], [(1, 9)]),
    ],
)
def test_what_is_left_of_stretches(runs, without, left):
    assert gaps.less(runs, without) == left


def test_only_one_instance_asks(store, dsn):
    made(store, 2)
    other = database.connect(dsn, by_index=True)
    other.execute("BEGIN")
    assert gaps.look(other, IMPATIENT, KEY) is not None
    assert gaps.look(store, IMPATIENT, KEY) is None
    other.close()


def says_far(store, kiosk, way):
    """Somebody at the broker says a number that is far ahead, by an event or by a heartbeat."""
    if way == "event":
        far = {**kiosk.events[0], "id": str(uuid.uuid4()), "sequence": f"{2**61:020d}"}
        put(store, far)
        look_over(store)
    else:
        body = kiosk.health()
        body["queue"]["last_sequence"] = 2**61
        put_raw(store, (f"{kiosk.topics.base}/health", json.dumps(body).encode()))


@pytest.mark.parametrize("way", ["event", "heartbeat"])
def test_a_number_far_ahead_hides_nothing_that_is_missing(store, way):
    kiosk = made(store)
    says_far(store, kiosk, way)
    assert asked(store) == []
    kiosk.several(10)
    put(store, *(one for number, one in enumerate(kiosk.events, 1) if number not in (14, 15)))
    look_over(store)
    find_gaps(store)
    assert [row[:3] for row in missing(store)] == [
        (14, 15, "waiting"),
        (21, 2**61 - (way == "event"), "failed"),
    ]
    (command,) = asked(store)
    assert (command.arguments["first"], command.arguments["last"]) == (14, 15)
    put(store, *kiosk.events[13:15])
    look_over(store)
    find_gaps(store)
    assert whole_to(store) == [20]
    # What the heartbeat says to be sent, and what did not come, is missing at the end.
    kiosk.several(5)
    if way == "event":
        put_raw(store, (f"{kiosk.topics.base}/health", json.dumps(kiosk.health()).encode()))
        find_gaps(store)
        assert missing(store)[1][:3] == (21, 25, "waiting")


def test_a_kiosk_that_makes_up_epochs_keeps_no_other_from_being_asked(store, monkeypatch):
    monkeypatch.setattr(gaps, "_STREAMS", 8)
    monkeypatch.setattr(gaps, "_OF_A_KIOSK", 4)
    neighbour = Kiosk("lakeside/g3/north-2")
    kiosks.pin(store, neighbour.keys())
    for number in range(20):
        neighbour.epoch, neighbour.events = f"made-up-{number}", []
        neighbour.several(3)
        put(store, neighbour.events[2])
    strangers = [Kiosk(f"lakeside/g4/{number}") for number in range(20)]
    for one in strangers:
        put(store, one.several(3)[2])
    kiosk = made(store, 4)
    look_over(store)
    find_gaps(store)
    settings = IMPATIENT.model_copy(update={"asks_per_round": 2})
    assert sorted(one.to for one in asked(store, settings)) == [kiosk.place, neighbour.place]


def test_what_has_not_happened_yet_is_not_gone(store):
    kiosk = made(store)
    body = kiosk.health()
    body["queue"]["last_sequence"] = 1010
    put_raw(store, (f"{kiosk.topics.base}/health", json.dumps(body).encode()))
    find_gaps(store)
    (command,) = asked(store)
    missed = {"sent": 0, "missing": ((11, 1010),), "more_missing": False, "last": 12}
    reply(store, kiosk, command, result=missed)
    find_gaps(store)
    assert [row[:3] for row in missing(store)] == [(11, 12, "gone")]
    kiosk.several(10)
    put(store, *(one for number, one in enumerate(kiosk.events, 1) if number not in (15, 16)))
    look_over(store)
    find_gaps(store)
    assert (15, 16, "waiting") in [row[:3] for row in missing(store)]


def test_a_reply_whose_numbers_are_true_holds_up_nobody(store):
    kiosk = made(store, 1)
    find_gaps(store)
    (command,) = asked(store)
    said = {"sent": 0, "missing": (True, (True, True)), "more_missing": False, "last": True}
    reply(store, kiosk, command, result=said)
    assert [row[:2] for row in missing(store)] == [(1, 1)]
    assert "gone" not in [row[2] for row in missing(store)]
