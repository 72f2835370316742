"""The installed agent obeys signed commands by a real broker, once each, and nobody else's."""

import json
import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import pytest
from asyncapi import objections
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from mosquitto import Mosquitto, Subscriber, wait_until
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from test_agent import PIN
from test_door_commands import Doors

from agent.adapters.store.commands import SqliteCommands
from agent.adapters.store.keys import load_key
from agent.credentials.formats import cose
from agent.credentials.passes.issuers import key_id
from agent.credentials.signed.command import PURPOSE, Command, sign_command
from agent.credentials.signed.reply import Reply, verify_reply
from agent.domain.record.topics import Topics
from agent.operations.passes.keys import make_issuer_key, read_issuer_key
from agent.ports import Noted

TOPICS = Topics("lakeside", "g3", "north-1")
VERBS = (
    "unlock lockdown free_passage resume health update_holder restart range rotate_kiosk_key"
    " enrol set_rule revoke_permit"
)
KEYS = """
[clock]
trust_system_clock = true
[broker]
host = "127.0.0.1"
port = {port}
health_every_s = 1
[[command_key]]
id = "office"
file = "office.pem.pub"
verbs = [{verbs}]
"""


class Backend:
    """Commands a kiosk and keeps what it answers."""

    def __init__(self, folder: Path, listener: Subscriber) -> None:
        self.client, self.messages = listener.client, listener.messages
        self.listener = listener
        make_issuer_key(folder / "office.pem")
        self.key = read_issuer_key(folder / "office.pem")
        self.kiosk: Ed25519PublicKey | None = None

    def made(self, verb: str, valid_s: int = 10, **arguments: Any) -> Command:
        now = int(time.time())
        longest = 10 if verb == "unlock" else 300
        valid_s = min(valid_s, longest)
        return Command(verb, TOPICS.kiosk_path, now, now + valid_s, os.urandom(16), arguments)

    def send(self, data: bytes, *, topic: str = TOPICS.commands, retain: bool = False) -> None:
        asks = Properties(PacketTypes.PUBLISH)
        asks.ResponseTopic, asks.CorrelationData = f"{TOPICS.replies}/office", b"seven"
        sent = self.client.publish(topic, data, 1, retain, asks)
        sent.wait_for_publish(10)

    def replies(self, command: Command) -> list[Reply]:
        assert self.kiosk is not None
        found = [
            verify_reply(payload, self.kiosk)
            for topic, payload, _ in list(self.messages)
            if topic == f"{TOPICS.replies}/office"
        ]
        return [one for one in found if one.command_id == command.id]

    def ask(self, command: Command, key: Ed25519PrivateKey | None = None) -> Reply:
        self.send(sign_command(command, key or self.key))
        assert wait_until(lambda: self.replies(command))
        return self.replies(command)[-1]

    def events(self, command: Command) -> list[tuple[str, str | None]]:
        return [
            (one["type"], one["data"].get("reason"))
            for one in self.listener.events("command")
            if one["data"]["command"] == command.id.hex()
        ]

    def refused(self) -> dict[str, int]:
        """As the last heartbeat counts them."""
        beats = [body for topic, body, _ in list(self.messages) if topic == TOPICS.health]
        return dict(json.loads(beats[-1])["commands_refused"]) if beats else {}


class Gate(Doors):
    """A gate that nobody stands before, with a broker and the backend's key."""

    mosquitto: Mosquitto
    backend: Backend

    def configure(self, camera: str, *, pulse_s: float = 3.0, broker: int | None = None) -> None:
        super().configure(camera, pulse_s=pulse_s)
        verbs = ", ".join(f'"{verb}"' for verb in VERBS.split())
        if hasattr(self, "mosquitto"):
            text = self.config.read_text()
            self.config.write_text(text + KEYS.format(port=self.mosquitto.port, verbs=verbs))

    def begun(self) -> Any:
        process = self.started()
        raw = load_key(self.state / "kiosk-signing.key")
        self.backend.kiosk = Ed25519PrivateKey.from_private_bytes(raw).public_key()
        assert wait_until(lambda: self.answer("status")["broker"] == "connected")
        time.sleep(0.2)  # the subscription follows the connection
        return process

    @property
    def opened(self) -> int:
        return self.pins.changes(PIN)


@pytest.fixture
def gate(tmp_path, dlib_pack, shared_faces, mosquitto, subscriber):
    site = Gate(tmp_path, dlib_pack.directory.parent, shared_faces / "hard" / "no_face.png")
    site.mosquitto, site.backend = mosquitto, Backend(tmp_path, subscriber)
    site.configure("")
    yield site
    for process in site.processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


def test_an_unlock_moves_the_pin_once_and_nothing_else_does(gate: Gate) -> None:
    gate.begun()
    backend, before = gate.backend, gate.opened
    unlock = backend.made("unlock", access_point="north-entry")
    data = sign_command(unlock, backend.key)
    reply = backend.ask(unlock)
    assert (reply.outcome, reply.verb, reply.clock_trusted) == ("done", "unlock", True)
    assert wait_until(lambda: not gate.free)
    after = gate.opened
    assert after == before + 2

    # Replayed, retained, expired, for another kiosk, by a key without the right.
    backend.send(data)
    assert wait_until(lambda: len(backend.replies(unlock)) == 2)
    assert backend.replies(unlock)[1].reason == "replayed"
    kept = backend.made("unlock", access_point="north-entry")
    old = replace(kept, id=os.urandom(16), issued=kept.issued - 20, expires=kept.issued - 10)
    early = replace(kept, id=os.urandom(16), issued=kept.issued + 60, expires=kept.issued + 65)
    long = replace(kept, id=os.urandom(16), expires=kept.issued + 60)
    elsewhere = replace(kept, id=os.urandom(16), to="lakeside/g3/north-2")
    beside = replace(kept, id=os.urandom(16), arguments={"access_point": "nowhere"})
    more = replace(kept, id=os.urandom(16), arguments={"access_point": "north-entry", "x": 1})
    reasons = {
        "expired": old,
        "not_yet_valid": early,
        "valid_too_long": long,
        "wrong_kiosk": elsewhere,
        "unknown_access_point": beside,
        "bad_arguments": more,
        "not_permitted": backend.made("remove", holder="anna"),
        "unknown_verb": backend.made("open_all"),
    }
    for reason, command in reasons.items():
        reply = backend.ask(command)
        assert (reply.outcome, reply.reason) == ("refused", reason)

    # What nobody known signed is counted, and makes neither a reply nor an event.
    stranger = Ed25519PrivateKey.generate()
    backend.send(sign_command(kept, stranger))
    body = cbor2.loads(cbor2.loads(sign_command(kept, backend.key)).value[2])
    named = key_id(backend.key.public_key())
    backend.send(cose.sign(cbor2.dumps(body), stranger, named, external_aad=PURPOSE))
    backend.send(cose.sign(cbor2.dumps(body), backend.key, named))  # for no purpose
    backend.send(b"\xff" * 200)
    backend.send(bytes(5000))
    wanted = {"unknown_key": 1, "forged": 2, "malformed": 1, "too_large": 1, "replayed": 1}
    assert wait_until(lambda: wanted.items() <= backend.refused().items()), backend.refused()
    assert backend.replies(kept) == []
    assert backend.events(kept) == []
    assert gate.opened == after

    assert wait_until(lambda: backend.events(old) == [("gate.command.refused", "expired")])
    assert wait_until(lambda: ("gate.command.done", None) in backend.events(unlock))
    for one in backend.listener.events("command"):
        assert objections(one) == []


def test_a_retained_one_opens_nothing_whenever_the_kiosk_comes(gate: Gate) -> None:
    backend = gate.backend
    kept = replace(backend.made("lockdown"), id=b"r" * 16)
    kept = replace(kept, expires=kept.issued + 300)
    backend.send(sign_command(kept, backend.key), retain=True)
    gate.begun()
    assert wait_until(lambda: backend.replies(kept))
    assert backend.replies(kept)[0].reason == "retained"
    assert gate.stands()["mode"] == "normal"


@pytest.mark.slow
def test_modes_by_command_and_their_order(gate: Gate) -> None:
    gate.begun()
    backend = gate.backend
    late = backend.made("resume")
    time.sleep(1.1)
    group = replace(backend.made("lockdown"), to="lakeside/g3/*")
    other = replace(backend.made("lockdown"), to="lakeside/g4/*")
    backend.send(sign_command(other, backend.key), topic=TOPICS.commands_to_all)
    backend.send(sign_command(group, backend.key), topic=TOPICS.commands_to_all)
    assert wait_until(lambda: backend.replies(group))
    assert gate.stands() == {"state": "locked_down", "mode": "locked_down", "cause": "command"}
    assert backend.replies(other) == []
    # What the broker kept back until now undoes nothing.
    assert backend.ask(late).reason == "superseded"
    refused = backend.ask(backend.made("unlock", access_point="north-entry"))
    assert refused.reason == "locked_down"
    assert gate.stands()["mode"] == "locked_down"
    time.sleep(1.1)  # of two of one second the stricter would hold
    assert backend.ask(backend.made("resume")).outcome == "done"
    until = int(time.time()) + 4
    reply = backend.ask(backend.made("free_passage", until=until))
    assert reply.outcome == "done"
    assert gate.free
    assert wait_until(lambda: not gate.free)
    assert gate.stands()["mode"] == "normal"
    assert backend.ask(backend.made("free_passage")).reason == "bad_arguments"


def test_a_lockdown_by_somebody_at_the_gate_is_ended_by_nothing_of_before(gate: Gate) -> None:
    gate.begun()
    backend = gate.backend
    resume = backend.made("resume", 300)
    free = backend.made("free_passage", 300, until=int(time.time()) + 3000)
    time.sleep(1.1)
    assert gate.answer("door", "lockdown", "--all")
    # The broker had kept them back.
    assert [backend.ask(one).reason for one in (resume, free)] == ["superseded"] * 2
    assert gate.stands()["mode"] == "locked_down"
    time.sleep(1.1)
    assert backend.ask(backend.made("resume", 300)).outcome == "done"
    assert gate.stands()["mode"] == "normal"


def test_people_and_rules_change_by_command_and_a_broker_that_goes_moves_no_door(
    gate: Gate,
) -> None:
    gate.begun()
    backend = gate.backend
    reply = backend.ask(backend.made("health"))
    assert reply.result is not None
    assert reply.result["holders"] == 0
    assert backend.ask(backend.made("enrol", holder="bert", category="courier")).outcome == "done"
    assert wait_until(lambda: gate.answer("status")["holders"] == 1)
    passes = '[{"factors": ["pass"]}]'
    ruled = backend.ask(backend.made("set_rule", category="courier", rules=passes))
    assert ruled.result is not None
    assert ruled.result["new"]
    (rule,) = (one for one in gate.answer("rules", "list") if one["category"] == "courier")
    assert (rule["by"], rule["rule"]["factors"]) == ("key:office", ["pass"])
    moon = '[{"access_points": ["moon"]}]'
    refused = backend.ask(backend.made("set_rule", category="courier", rules=moon))
    assert refused.reason == "bad_arguments"
    number = "00112233445566aa"
    assert backend.ask(backend.made("revoke_permit", permit=number)).result == {
        "permit": number,
        "new": True,
    }
    before = gate.opened
    gate.mosquitto.kill()
    assert wait_until(lambda: gate.answer("status")["broker"] == "away")
    gate.mosquitto.start()
    assert wait_until(lambda: gate.answer("status")["broker"] == "connected")
    assert gate.opened == before
    assert wait_until(backend.listener.subscribed.is_set)
    time.sleep(0.2)
    assert backend.ask(backend.made("unlock", access_point="north-entry")).outcome == "done"


def test_a_range_is_said_again_to_the_byte(gate: Gate) -> None:
    gate.begun()
    backend = gate.backend
    assert backend.ask(backend.made("unlock", access_point="north-entry")).outcome == "done"
    assert wait_until(lambda: len(backend.listener.events()) >= 3)
    told = {
        (one["epoch"], int(one["sequence"])): payload
        for topic, payload, _ in list(backend.messages)
        if "/events/" in topic and (one := json.loads(payload))
    }
    epoch, last = max(told)
    reply = backend.ask(backend.made("range", epoch=epoch, first=1, last=last + 500))
    assert reply.outcome == "done"
    assert reply.result is not None
    again = {
        (one["epoch"], int(one["sequence"])): payload
        for topic, payload, _ in list(backend.messages)
        if topic == TOPICS.ranges and (one := json.loads(payload))
    }
    assert len(again) == reply.result["sent"] >= last
    assert told.items() <= again.items()
    (gap,) = reply.result["missing"]
    assert gap[1] == last + 500
    assert last <= reply.result["last"] < last + 100
    nothing = backend.ask(backend.made("range", epoch="another", first=1, last=9))
    assert nothing.result == {"sent": 0, "missing": ((1, 9),), "more_missing": False}
    assert backend.ask(backend.made("range", epoch=epoch, first=9, last=1)).reason == (
        "bad_arguments"
    )


@pytest.mark.slow
def test_a_new_signing_key_is_told_by_the_old_one(gate: Gate) -> None:
    gate.begun()
    backend, before = gate.backend, gate.backend.kiosk
    reply = backend.ask(backend.made("rotate_kiosk_key"))
    assert reply.outcome == "done"
    assert reply.result is not None
    assert wait_until(
        lambda: gate.answer("key", "show")["signing"] == dict(reply.result["signing"])
    )
    raw = load_key(gate.state / "kiosk-signing.key")
    backend.kiosk = Ed25519PrivateKey.from_private_bytes(raw).public_key()
    assert backend.kiosk != before
    backend.messages.clear()
    assert backend.ask(backend.made("health")).outcome == "done"


def test_killed_between_note_and_run_it_is_interrupted_and_never_runs(gate: Gate) -> None:
    process = gate.begun()
    backend = gate.backend
    unlock = backend.made("unlock", access_point="north-entry")
    data = sign_command(unlock, backend.key)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _noted_only(gate, unlock)
    before = gate.opened
    gate.begun()
    assert wait_until(lambda: backend.replies(unlock))
    assert (backend.replies(unlock)[0].outcome, backend.replies(unlock)[0].reason) == (
        "interrupted",
        "interrupted",
    )
    backend.send(data)
    assert wait_until(lambda: len(backend.replies(unlock)) == 2)
    assert backend.replies(unlock)[1].reason in ("replayed", "expired")
    assert gate.opened == before
    assert wait_until(lambda: ("gate.command.interrupted", "interrupted") in backend.events(unlock))


def _noted_only(gate: Gate, command: Command) -> None:
    """As the disk is where the process dies right after the note."""
    store = SqliteCommands(gate.state / "commands.sqlite")
    topic = f"{TOPICS.replies}/office"
    named = key_id(gate.backend.key.public_key())
    one = Noted(command.id, named, command.verb, command.issued, command.expires, topic, b"seven")
    assert store.note(one, []) is None
    store.close()


@pytest.mark.slow
def test_a_restart_is_answered_and_ends_with_its_own_code(gate: Gate) -> None:
    process = gate.begun()
    restart = gate.backend.made("restart")
    gate.backend.send(sign_command(restart, gate.backend.key))
    assert process.wait(60) == 75
    assert wait_until(lambda: gate.backend.replies(restart)) or gate.begun()
    assert gate.backend.replies(restart)[0].outcome == "done"


@pytest.mark.slow
def test_a_folder_that_was_put_back_runs_nothing_of_before(gate: Gate) -> None:
    process = gate.begun()
    backend = gate.backend
    lockdown = replace(backend.made("lockdown"), expires=int(time.time()) + 200)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    was = gate.state.rename(gate.folder / "was")
    # A copy: other inodes, as from a backup.
    shutil.copytree(was, gate.state, symlinks=True, ignore=lambda *_: ["control.sock"])
    time.sleep(1.1)
    gate.begun()
    assert backend.ask(lockdown).reason == "before_restore"
    assert backend.ask(backend.made("lockdown")).outcome == "done"
