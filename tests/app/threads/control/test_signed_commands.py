"""Signed commands from bytes to replies: bounded, once, and told; with the real store."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pass_parts import KEY, OTHER_KEY
from signed_parts import THIRD, TOPICS, Clock, Kiosk

from agent.adapters.broker.listener import Incoming
from agent.credentials.signed.command import sign_command
from agent.domain.record.command import Outcome
from agent.domain.record.events import EventType


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "commands.sqlite"


@pytest.fixture
def kiosk(path: Path) -> Iterator[Kiosk]:
    made = Kiosk(path)
    with closing(made.store):
        yield made


def test_it_runs_is_told_and_answered(kiosk: Kiosk) -> None:
    command = kiosk.made()
    kiosk.ask(command, response_topic=f"{TOPICS.replies}/office", correlation=b"c")
    assert kiosk.ran == [command.id.hex()]
    (reply,) = kiosk.answers()
    assert reply.result == {"by": "key:office"}
    assert (reply.outcome, reply.verb, reply.clock_trusted) == (Outcome.DONE, "health", True)
    assert kiosk.told == [
        (EventType.COMMAND_DONE, {"command": command.id.hex(), "verb": "health", "key": "office"})
    ]
    kiosk.replies.round()
    ((topic, _, correlation),) = kiosk.published
    assert (topic, correlation) == (f"{TOPICS.replies}/office", b"c")


@pytest.mark.parametrize(
    "topic",
    ["gate/lakeside/g3/north-2/replies/x", f"{TOPICS.replies}x", f"{TOPICS.replies}/#", "a" * 300]
    + [f"{TOPICS.replies}/a{odd}" for odd in ("\0", "\x07", "\ud800", "\uffff", "\x7f")],
)
def test_a_reply_goes_to_no_topic_of_anothers(kiosk: Kiosk, topic: str) -> None:
    kiosk.ask(kiosk.made(), response_topic=topic)
    assert [owed.topic for owed in kiosk.store.owed()] == [TOPICS.replies]


@pytest.mark.parametrize(("size", "back"), [(256, 256), (257, None), (65_535, None)])
def test_correlation_data_that_would_fill_the_disk_is_not_given_back(kiosk, size, back) -> None:
    kiosk.ask(kiosk.made(), correlation=bytes(size))
    (owed,) = kiosk.store.owed()
    assert (owed.correlation and len(owed.correlation)) == back


def test_what_nobody_known_signed_is_counted_and_leaves_nothing(kiosk: Kiosk) -> None:
    kiosk.hear(None)
    kiosk.hear(b"")
    kiosk.hear(bytes(4096))
    kiosk.ask(kiosk.made(), THIRD)
    assert kiosk.counts.read() == {"malformed": 2, "too_large": 1, "unknown_key": 1}
    assert (kiosk.ran, kiosk.told, kiosk.answers()) == ([], [], [])


@pytest.mark.parametrize(
    ("said", "reason"),
    [({"retained": True}, "retained"), ({"repeated": True}, "repeated")],
)
def test_what_the_broker_kept_or_says_again_does_not_run(kiosk: Kiosk, said, reason: str) -> None:
    kiosk.ask(kiosk.made(), **said)
    assert kiosk.ran == []
    assert kiosk.reasons() == [("refused", reason)]


def test_commands_for_others_of_the_community_are_nobodys_business(kiosk: Kiosk) -> None:
    other = replace(kiosk.made(), to="lakeside/g4/*")
    kiosk.ask(other, of_group=True)
    assert (kiosk.told, kiosk.answers(), kiosk.counts.read()) == ([], [], {})
    kiosk.ask(other)
    assert kiosk.reasons() == [("refused", "wrong_kiosk")]


def test_how_a_command_may_end(kiosk: Kiosk) -> None:
    wrong: list[dict[str, Any]] = [{"holder": "nobody"}, {"holder": 7}, {"other": 1}]
    for arguments in wrong:
        kiosk.ask(kiosk.made(**arguments))
    assert kiosk.ran == []
    failing: list[dict[str, Any]] = [{"fails": "store"}, {"fails": "said"}]
    for arguments in failing:
        kiosk.ask(kiosk.made(**arguments))
    kiosk.ask(kiosk.made("set_rule"))
    assert kiosk.reasons() == [
        ("refused", "unknown_holder"),
        ("refused", "bad_arguments"),
        ("refused", "bad_arguments"),
        ("failed", "store"),
        ("failed", "bad_arguments"),
        ("refused", "unsupported"),
    ]
    assert len(kiosk.ran) == 2


def test_it_runs_once_over_restarts_restores_and_steps(kiosk: Kiosk, path: Path) -> None:
    command = kiosk.made(lasts=300)
    kiosk.ask(command)
    for clock_back_s in (0, -3, 2):
        kiosk.clock.step_utc(clock_back_s)
        kiosk.ask(command)
    assert kiosk.reasons()[1:] == [("refused", "replayed")] * 3
    next_one = Kiosk(path, kiosk.clock)
    next_one.ask(command)
    kiosk.clock.advance(5)
    restored = Kiosk(path, kiosk.clock, epoch="e2")
    fresh = replace(command, id=b"f" * 16)
    restored.ask(fresh)
    assert (next_one.ran, restored.ran) == ([], [])
    assert restored.reasons()[-1] == ("refused", "before_restore")
    now = restored.made()
    restored.ask(now)
    assert restored.ran == [now.id.hex()]
    next_one.store.close()
    restored.store.close()


def test_a_folder_that_is_new_counts_from_its_start_however_late_the_time_is_known(path) -> None:
    clock = Clock(trusted=False)
    kiosk = Kiosk(path, clock)
    clock.advance(100)
    kiosk.ask(kiosk.made("lockdown"))
    kiosk.ask(kiosk.made("resume"))
    early = replace(kiosk.made(), issued=int(clock.now().utc.timestamp()) - 150)
    clock.step_utc(0, trusted=True)
    kiosk.ask(early)
    kiosk.ask(replace(early, id=b"l" * 16, issued=early.issued + 60))
    assert kiosk.reasons() == [
        ("done", None),
        ("refused", "clock_untrusted"),
        ("refused", "before_restore"),
        ("refused", "superseded"),
    ]
    kiosk.store.close()


@pytest.mark.parametrize("first", ["lockdown", "resume"])
def test_of_two_of_one_second_the_stricter_holds_whichever_comes_first(
    kiosk: Kiosk, first: str
) -> None:
    verbs = ("lockdown", "resume")
    both = {verb: replace(kiosk.made(verb), id=verb.ljust(16).encode()) for verb in verbs}
    assert both["lockdown"].issued == both["resume"].issued
    for verb in (first, *(both.keys() - {first})):
        kiosk.ask(both[verb])
    late = ("refused", "superseded") if first == "lockdown" else ("done", None)
    assert kiosk.reasons() == [("done", None), late]
    kiosk.ask(replace(both["lockdown"], id=b"s" * 16))
    assert kiosk.reasons()[-1] == ("done", None)


def test_what_somebody_says_at_the_gate_is_not_undone_by_what_was_kept_back(kiosk, path) -> None:
    kept, again = kiosk.made("resume", 300), kiosk.made("lockdown", 300)
    kiosk.clock.advance(5)
    kiosk.signed.outdate(["door:a"])
    kiosk.ask(kept)
    next_one = Kiosk(path, kiosk.clock)
    next_one.ask(replace(again, id=b"a" * 16))
    kiosk.clock.advance(1)
    next_one.ask(kiosk.made("resume"))
    assert kiosk.reasons() == [
        *[("refused", "superseded")] * 2,
        ("done", None),
    ]
    next_one.store.close()


def test_what_is_said_at_the_gate_before_the_time_is_known_counts_from_then(path) -> None:
    clock = Clock(trusted=False)
    kiosk = Kiosk(path, clock)
    clock.advance(100)
    now = int(clock.now().utc.timestamp())
    kiosk.signed.outdate(["door:a"])
    clock.advance(30)
    clock.step_utc(0, trusted=True)
    for number, ago_s in enumerate((1, -5)):
        kept = replace(kiosk.made("resume"), id=bytes([number]) * 16, issued=now - ago_s)
        kiosk.ask(kept)
    assert kiosk.reasons() == [("refused", "superseded"), ("done", None)]
    kiosk.store.close()


def test_a_clock_that_was_a_year_ahead_keeps_no_door_shut_for_a_year(kiosk: Kiosk) -> None:
    year_s = 365 * 86_400
    kiosk.store.outdate("door:a", int(kiosk.clock.now().utc.timestamp()) + year_s)
    kiosk.ask(kiosk.made("resume"))
    kiosk.signed._prune()
    kiosk.clock.advance(6)
    kiosk.ask(kiosk.made("resume"))
    assert kiosk.reasons() == [("refused", "superseded"), ("done", None)]


def test_a_disk_that_is_full_keeps_nobody_at_the_gate_from_a_lockdown(kiosk: Kiosk) -> None:
    kiosk.store.close()
    kiosk.signed.outdate(["door:a"])


def test_a_key_that_is_refused_again_and_again_fills_nothing_and_costs_no_other(kiosk) -> None:
    for number in range(500):
        kiosk.ask(replace(kiosk.made(other=1), id=number.to_bytes(16)))
    assert len(kiosk.told) == len(kiosk.answers()) == 20
    assert kiosk.counts.read() == {"bad_arguments": 500}
    kiosk.ask(kiosk.made(other=1), OTHER_KEY)
    assert len(kiosk.told) == 21


def test_a_key_that_asks_more_than_waits_is_busy_and_no_other(kiosk: Kiosk) -> None:
    for number in range(40):
        data = sign_command(replace(kiosk.made(), id=number.to_bytes(16)), KEY)
        kiosk.signed.hear(Incoming(data))
    kiosk.signed.hear(Incoming(sign_command(kiosk.made(), OTHER_KEY)))
    waiting = Counter((one.key_id, one.wrong) for one in kiosk.signed._waiting)
    assert sorted(waiting.values()) == [1, 8, 32]
    kiosk.drain()
    assert kiosk.counts.read() == {"busy": 8}
    assert kiosk.reasons().count(("refused", "busy")) == 8
    assert len(kiosk.ran) == 33


def test_what_is_said_at_the_gate_while_no_time_is_known_outlives_the_agent(path: Path) -> None:
    clock = Clock(trusted=False)
    kiosk = Kiosk(path, clock)
    clock.advance(100)
    kept = replace(kiosk.made("resume", 300), id=b"k" * 16)
    clock.advance(5)
    kiosk.signed.outdate(["door:a"])
    kiosk.store._connection.execute("UPDATE bounds SET pending = 0")  # it began long ago
    kiosk.store.close()
    next_one = Kiosk(path, clock)
    clock.advance(5)
    clock.step_utc(0, trusted=True)
    next_one.ask(kept)
    clock.advance(2)
    next_one.ask(kiosk.made("resume"))
    assert next_one.reasons() == [("refused", "superseded"), ("done", None)]
    next_one.store.close()


def test_what_was_killed_is_told_at_the_next_start(kiosk: Kiosk, path: Path) -> None:
    command = kiosk.made()
    kiosk.ask(command)
    kiosk.store._connection.execute("UPDATE command SET outcome = NULL")
    kiosk.store._connection.execute("DELETE FROM reply")
    next_one = Kiosk(path, kiosk.clock)
    next_one.signed.stop()
    next_one.signed.work()
    assert next_one.reasons() == [("interrupted", "interrupted")]
    assert [kind for kind, _ in next_one.told] == [EventType.COMMAND_INTERRUPTED]
    next_one.ask(command)
    assert next_one.ran == []
    next_one.store.close()


def test_a_disk_that_takes_no_note_lets_nothing_run(kiosk: Kiosk) -> None:
    kiosk.store.close()
    kiosk.ask(kiosk.made())
    assert kiosk.ran == []
    assert kiosk.counts.read() == {"store": 1}


def test_without_its_own_key_a_kiosk_obeys_and_cannot_say_so(kiosk: Kiosk) -> None:
    kiosk.signer = None
    kiosk.ask(kiosk.made())
    assert len(kiosk.ran) == 1
    assert kiosk.answers() == []


def test_a_reply_is_sent_until_the_broker_has_it(kiosk: Kiosk, path: Path) -> None:
    kiosk.there = False
    kiosk.ask(kiosk.made())
    kiosk.replies.round()
    assert kiosk.published == []
    kiosk.there = True
    kiosk.replies.connected()
    kiosk.replies.round()
    kiosk.replies.round()
    assert len(kiosk.published) == 1
    # The connection breaks before the answer: again, also by the next agent.
    kiosk.replies.connected()
    kiosk.replies.round()
    assert len(kiosk.published) == 2
    next_one = Kiosk(path, kiosk.clock)
    next_one.replies.round()
    next_one.replies.acknowledged(1, None)
    next_one.replies.acknowledged(7, None)
    next_one.replies.round()
    assert next_one.store.owed() == []
    next_one.store.close()


def test_a_reply_that_no_broker_takes_is_given_up_and_one_refused_is_not(kiosk: Kiosk) -> None:
    kiosk.ask(kiosk.made())
    kiosk.replies.round()
    kiosk.replies.acknowledged(1, "Not authorized")
    kiosk.replies.round()
    assert len(kiosk.store.owed()) == 1
    kiosk.replies.acknowledged(2, "Packet too large: 300 bytes")
    kiosk.replies.round()
    assert kiosk.store.owed() == []
