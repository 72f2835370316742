"""What a broker kept back undoes nothing said since, nor does its backlog hold up a lockdown."""

import signal
import time
from typing import Any

import pytest
from mosquitto import wait_until
from test_commands_at_the_gate import Backend, Gate

from agent.credentials.signed.command import sign_command

VERBS = ("update_holder", "remove", "trust_issuer", "announce", "lockdown")


@pytest.fixture
def gate(tmp_path, dlib_pack, shared_faces, mosquitto, subscriber):
    site = Gate(tmp_path, dlib_pack.directory.parent, shared_faces / "hard" / "no_face.png")
    site.mosquitto, site.backend = mosquitto, Backend(tmp_path, subscriber)
    site.configure("")
    before, _, _ = site.config.read_text().partition("verbs = [")
    words = ", ".join(f'"{verb}"' for verb in VERBS)
    site.config.write_text(f"{before}verbs = [{words}]\n")
    yield site
    for process in site.processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


def _enabled(gate: Gate, holder: str) -> bool:
    found: dict[str, Any] = gate.answer("holders", "show", holder)
    return bool(found["enabled"])


def _imported(gate: Gate, *ids: str) -> None:
    lines = "\n".join(f'{{"id": "{one}", "name": "{one}", "category": "resident"}}' for one in ids)
    file = gate.folder / "people.jsonl"
    file.write_text(lines)
    done = gate.command("holders", "import", file, "--yes")
    assert done.returncode == 0, done.stderr


def test_who_was_disabled_at_the_kiosk_is_let_in_by_nothing_of_before(gate: Gate) -> None:
    process = gate.begun()
    _imported(gate, "anna", "ben", "carl")
    backend = gate.backend
    people, raw = ("anna", "ben", "carl"), backend.key.public_key().public_bytes_raw()
    kept = {one: backend.made("update_holder", 300, holder=one, enabled=True) for one in people}
    trust = backend.made("trust_issuer", 300, issuer="office", key=raw)
    time.sleep(1.1)
    # One while it runs, one that is removed and comes back, one while it is stopped.
    assert gate.command("holders", "disable", "anna").returncode == 0
    assert gate.command("holders", "remove", "ben", "--yes").returncode == 0
    _imported(gate, "ben")
    assert gate.command("holders", "disable", "ben").returncode == 0
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert gate.command("holders", "disable", "carl").returncode == 0
    gate.begun()
    assert wait_until(backend.listener.subscribed.is_set)
    assert {one: backend.ask(kept[one]).reason for one in kept} == dict.fromkeys(kept, "superseded")
    assert not any(_enabled(gate, one) for one in kept)
    assert backend.ask(backend.made("trust_issuer", 300, **trust.arguments)).outcome == "done"
    (issuer,) = gate.answer("pass", "issuers")
    assert gate.command("pass", "distrust", issuer["key_id"], "--yes").returncode == 0
    assert backend.ask(trust).reason == "superseded"
    # What is said now counts.
    time.sleep(2.1)
    let = backend.made("update_holder", 300, holder="anna", enabled=True)
    assert backend.ask(let).outcome == "done"
    assert _enabled(gate, "anna")


def test_a_backlog_of_its_own_key_holds_up_no_lockdown(gate: Gate) -> None:
    gate.begun()
    backend = gate.backend
    ids = [f"r-{number}" for number in range(120)]
    _imported(gate, *ids)
    flood = [backend.made("remove", 300, holder=one) for one in ids]
    flood += [backend.made("announce", 300, text="a") for _ in range(60)]
    for command in flood:
        backend.client.publish(f"gate/{command.to}/commands", sign_command(command, backend.key), 1)
    lockdown = backend.made("lockdown", 300)
    backend.send(sign_command(lockdown, backend.key))
    assert wait_until(lambda: backend.replies(lockdown))
    assert backend.replies(lockdown)[0].outcome == "done"
    assert gate.stands()["mode"] == "locked_down"
    # It was told while the others waited, each of which has run, or was answered or counted.
    told = [one["data"]["verb"] for one in backend.listener.events("command")]
    assert "lockdown" in told[:40]
