"""Many kiosks' sides of MQTT: the agent's own client and outbox, on one loop that never selects."""

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mosquitto import Mosquitto, Subscriber, wait_until

from agent.credentials.signed.command import sign_command
from agent.credentials.signed.reply import verify_reply
from agent.domain.record.chain import ORIGIN, Check, check, follows, link
from agent.lab.fleet.descriptors import need_descriptors
from agent.lab.fleet.ears import Trusted
from agent.lab.fleet.fleet import Fleet, Plan
from agent.lab.fleet.processor import Sides
from agent.operations.commands import made_command

_SELECTS_NO_MORE = 1024
OFFICE = Ed25519PrivateKey.generate()
TRUSTED = Trusted(OFFICE.public_key(), OFFICE.public_key())


@contextmanager
def many_open() -> Iterator[None]:
    """So many descriptors that the next one is beyond what select() knows."""
    need_descriptors(2 * _SELECTS_NO_MORE)
    with ExitStack() as stack:
        while (one := os.open(os.devnull, os.O_RDONLY)) < _SELECTS_NO_MORE + 10:
            stack.callback(os.close, one)
        stack.callback(os.close, one)
        yield


def until(fleet: Fleet, holds: Callable[[], bool], *, says: bool = False) -> None:
    """Turn its loop until that is so."""

    def turned() -> bool:
        fleet.turn(says=says)
        return holds()

    assert wait_until(turned)


def speak(fleet: Fleet, wanted: int) -> None:
    """Until each kiosk said ``wanted`` events, and the broker has them."""
    fleet.begin()

    def enough() -> bool:
        fleet.turn(says=any(one.journal.last_sequence < wanted for one in fleet.kiosks))
        said = [one.journal.last_sequence for one in fleet.kiosks]
        return min(said) >= wanted and not fleet.pending

    assert wait_until(enough)


def streams(subscriber: Subscriber) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in subscriber.events():
        found[event["source"]].append(event)
    return found


def test_kiosks_beyond_what_select_knows_are_heard_in_order(
    mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    # Who listens here is there already: its own loop selects.
    with many_open():
        fleet = Fleet(Plan(4, per_s=50.0), mosquitto.port, TRUSTED)
        try:
            until(fleet, lambda: fleet.connected == 4)
            speak(fleet, 20)
        finally:
            fleet.close()
    said = fleet.tally.said
    assert wait_until(lambda: len(subscriber.events()) >= said)
    heard = streams(subscriber)
    assert len(heard) == 4
    for events in heard.values():
        before = ORIGIN
        for event in events:
            assert (check(event), follows(event, before)) == (Check.WHOLE, True)
            before = link(event)
    assert len(fleet.tally.acknowledged_s) == said


def test_what_happened_while_the_broker_was_away_arrives(
    mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    fleet = Fleet(Plan(3, per_s=50.0), mosquitto.port, TRUSTED)
    try:
        until(fleet, lambda: fleet.connected == 3)
        speak(fleet, 5)
        mosquitto.kill()
        until(fleet, lambda: fleet.pending > 15, says=True)
        mosquitto.start()
        assert wait_until(subscriber.subscribed.is_set)
        until(fleet, lambda: not fleet.pending)
        wanted = {one.topics.source: one.journal.last_sequence for one in fleet.kiosks}
        assert wait_until(
            lambda: (
                {
                    source: len({event["sequence"] for event in events})
                    for source, events in streams(subscriber).items()
                }
                == wanted
            )
        )
    finally:
        fleet.close()


def test_what_a_backend_lacks_is_said_again_to_the_byte(
    mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    fleet = Fleet(Plan(1, per_s=50.0), mosquitto.port, TRUSTED)
    (kiosk,) = fleet.kiosks
    heard = subscriber.messages
    try:
        until(fleet, lambda: fleet.connected == 1)
        speak(fleet, 6)
        words = (f"epoch={kiosk.journal.epoch}", "first=2", "last=900")
        command = made_command("range", kiosk.topics.kiosk_path, words, now_s=int(time.time()))
        for key in (Ed25519PrivateKey.generate(), OFFICE):
            data = sign_command(command, key)
            subscriber.client.publish(kiosk.topics.commands, data, 1)
        until(fleet, lambda: any(topic == kiosk.topics.replies for topic, _, _ in heard))
    finally:
        fleet.close()
    said = [data for topic, data, _ in heard if "/events/" in topic]
    assert [data for topic, data, _ in heard if topic == kiosk.topics.ranges] == said[1:]
    (answer,) = [data for topic, data, _ in heard if topic == kiosk.topics.replies]
    reply = verify_reply(answer, kiosk.keys.signing.public_key())
    assert reply.command_id == command.id
    assert reply.result is not None
    assert list(reply.result["missing"]) == [(kiosk.journal.last_sequence + 1, 900)]


@pytest.mark.parametrize(
    ("most", "says"), [(200, "ulimit -n 1064; as a service: LimitNOFILE=1064"), (2000, "1064")]
)
def test_descriptors_are_had_or_refused_before_anything_is_opened(most: int, says: str) -> None:
    script = f"""
import resource
from agent.errors import UnavailableError
from agent.lab.fleet.descriptors import need_descriptors
resource.setrlimit(resource.RLIMIT_NOFILE, (200, {most}))
try:
    print(need_descriptors(1000))
except UnavailableError as error:
    print(error.fix)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == says


def test_one_seed_makes_one_fleet(mosquitto: Mosquitto) -> None:
    def first_events(seed: int) -> list[Any]:
        fleet = Fleet(Plan(2, per_s=100.0, seed=seed), mosquitto.port, TRUSTED)
        try:
            for kiosk in fleet.kiosks:
                kiosk.say()
            rows = [kiosk.journal.unpublished(1)[0].event.data for kiosk in fleet.kiosks]
        finally:
            fleet.close()
        return rows

    assert first_events(1) == first_events(1) != first_events(2)


def test_what_cannot_be_said_in_time_is_left_out_and_counted(mosquitto: Mosquitto) -> None:
    fleet = Fleet(Plan(3, per_s=100.0), mosquitto.port, TRUSTED)
    try:
        fleet.begin()
        time.sleep(0.2)  # as on a machine that is elsewhere: twenty of each are due
        fleet.turn(says=True)
        said, unsaid = fleet.tally.said, fleet.tally.unsaid
        fleet.begin()
        began_s = time.monotonic()
        while time.monotonic() - began_s < 0.1:
            fleet.turn(says=True)
    finally:
        fleet.close()
    assert said == 3
    assert unsaid >= 3 * 18
    # Nothing is due that was left out.
    assert fleet.tally.said - said <= 3 * 12


def test_what_a_kiosk_cannot_write_at_once_goes_once_it_can(
    mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    fleet = Fleet(Plan(1, per_s=1.0), mosquitto.port, TRUSTED)
    (kiosk,) = fleet.kiosks
    large = b"x" * 200_000
    try:
        until(fleet, lambda: fleet.connected == 1)
        for _ in range(100):
            kiosk.broker.publish(kiosk.topics.ranges, large, kind="application/octet-stream")
        until(fleet, lambda: sum(data == large for _, data, _ in subscriber.messages) >= 100)
    finally:
        fleet.close()


@pytest.mark.parametrize("behind", [0, 1])
def test_each_side_has_its_own_time_of_the_processor(behind: int) -> None:
    class One:
        def __init__(self, pid: int | None) -> None:
            self.pid = pid

    command = [sys.executable, "-c", "while True: pass"]
    if behind:  # as PostgreSQL, whose work is its children's
        command = [sys.executable, "-c", f"import subprocess; subprocess.run({command})"]
    with ExitStack() as stack:
        process = subprocess.Popen(command)
        stack.callback(process.wait)
        stack.callback(process.kill)
        sides = Sides(one=[One(process.pid), One(None)], none=[One(None)])
        assert wait_until(lambda: len(children(process.pid)) == behind)
        for child in children(process.pid):
            stack.callback(os.kill, child, signal.SIGKILL)
        before = sides.busy_s()
        assert wait_until(lambda: sides.busy_s()["one"] > before["one"] + 0.1)
        assert (set(before), before["none"]) == ({"kiosks", "one", "none"}, 0.0)


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
