"""``gate-agent command``: keys, signed bytes, and a kiosk that answers, or only seems to."""

import base64
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from in_process import run_here
from mosquitto import Mosquitto, wait_until
from paho.mqtt.enums import CallbackAPIVersion

from agent.credentials.passes.issuers import key_id
from agent.credentials.shown_keys import shown_half
from agent.credentials.signed.command import Command, verify_command
from agent.credentials.signed.reply import Reply, sign_reply
from agent.domain.record.command import Outcome
from agent.operations.passes.keys import read_issuer_key

PLACE = "lakeside/g3/north-1"
KIOSK = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
Answer = Callable[[Command], bytes | None]


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return run_here(*words, environment=dict(os.environ))


def reply(command: Command, outcome: Outcome = Outcome.DONE, reason: str | None = None) -> bytes:
    made = Reply(command.id, PLACE, outcome, 1_795_000_000, True, reason, {"free": 1}, command.verb)
    return sign_reply(made, KIOSK)


@pytest.fixture
def office(tmp_path: Path) -> Path:
    made = run("command", "keygen", tmp_path / "office.pem", "--json")
    assert made.returncode == 0, made.stderr
    said = json.loads(made.stdout)
    assert said["public"] == str(tmp_path / "office.pem.pub")
    assert (tmp_path / "office.pem").stat().st_mode & 0o777 == 0o600
    return tmp_path


def read(data: bytes, folder: Path) -> Command:
    key = read_issuer_key(folder / "office.pem").public_key()
    command, named = verify_command(data, lambda _: key)
    assert named == key_id(key)
    return command


def test_a_key_is_never_overwritten(office: Path) -> None:
    assert run("command", "keygen", office / "office.pem").returncode == 1


def test_signed_bytes_are_a_command(office: Path) -> None:
    words = (
        "command",
        "sign",
        "free_passage",
        "--to",
        "lakeside/*",
        "--key",
        office / "office.pem",
    )
    arguments = (
        "--arg",
        'access_points=["a","b"]',
        "--arg",
        "until=1796000000",
        "--arg",
        "k=hex:00ff",
    )
    done = run(*words, *arguments, "--valid-s", "30", "--nonce", "00" * 16, "--json")
    said = json.loads(done.stdout)
    command = read(base64.b64decode(said["bytes"]), office)
    assert dict(command.arguments) == {
        "access_points": ("a", "b"),
        "until": 1_796_000_000,
        "k": b"\x00\xff",
    }
    assert (command.to, command.nonce) == ("lakeside/*", bytes(16))
    assert command.expires - command.issued == 30
    assert said["command"] == command.id.hex()
    out = office / "bytes"
    done = run(*words, *arguments, "--out", out)
    assert done.returncode == 0
    assert read(out.read_bytes(), office).verb == "free_passage"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("unlok", "--to", PLACE), "did you mean 'unlock'"),
        (("unlock", "--to", PLACE, "--arg", "north-entry"), "NAME=VALUE"),
        (("unlock", "--to", PLACE, "--nonce", "zz"), "hexadecimal"),
        (("unlock", "--to", "here"), "for no kiosk and no group"),
        (("unlock", "--to", PLACE, "--arg", "a=1.5"), None),
    ],
)
def test_what_is_no_command_is_not_signed(office: Path, words, said: str | None) -> None:
    done = run("command", "sign", *words, "--key", office / "office.pem")
    assert done.returncode == (0 if said is None else 1)
    assert said is None or said in done.stderr


@pytest.fixture
def kiosk(mosquitto: Mosquitto) -> Iterator[Callable[[Answer], list[bytes]]]:
    """Somebody who answers commands, as a kiosk does or otherwise."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    heard: list[bytes] = []

    def begin(answer: Answer) -> list[bytes]:
        def on_message(_c, _u, message) -> None:
            heard.append(message.payload)
            command, _ = verify_command(message.payload, lambda _: OFFICE[0].public_key())
            payload = answer(command)
            if payload is not None:
                client.publish(message.properties.ResponseTopic, payload, 1)

        client.on_message = on_message
        client.connect("127.0.0.1", mosquitto.port)
        client.subscribe([("gate/+/+/+/commands", 1), ("gate/+/commands", 1)])
        client.loop_start()
        return heard

    yield begin
    client.disconnect()
    client.loop_stop()


OFFICE: list[Ed25519PrivateKey] = []


def send(office: Path, port: int, *words: object, to: str = PLACE):
    OFFICE[:] = [read_issuer_key(office / "office.pem")]
    pinned = office / "kiosk.json"
    pinned.write_text(json.dumps({"signing": shown_half(KIOSK.public_key())}))
    ways = ("--key", office / "office.pem", "--kiosk-key", pinned, "--host", "127.0.0.1")
    return run("command", "send", *words, "--to", to, *ways, "--port", port, "--timeout-s", 5)


def test_the_reply_is_printed_and_its_outcome_is_the_exit_code(office, mosquitto, kiosk) -> None:
    kiosk(
        lambda one: reply(one) if one.verb == "health" else reply(one, Outcome.REFUSED, "expired")
    )
    done = send(office, mosquitto.port, "health", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) | {"command": ""} == {
        "command": "",
        "verb": "health",
        "to": PLACE,
        "outcome": "done",
        "reason": None,
        "result": {"free": 1},
        "time": 1_795_000_000,
        "clock_trusted": True,
    }
    done = send(office, mosquitto.port, "lockdown")
    assert done.returncode == 1
    assert "expired" in done.stdout


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda one: flipped(reply(one)), "not the kiosk's"),
        (lambda one: reply(Command(one.verb, PLACE, 0, 1, b"x" * 16)), "another command"),
    ],
)
def test_nobody_else_is_believed(office, mosquitto, kiosk, answer: Answer, said: str) -> None:
    kiosk(answer)
    done = send(office, mosquitto.port, "health")
    assert done.returncode == 69
    assert said in done.stderr


def test_who_is_not_there_does_not_answer(office: Path, mosquitto: Mosquitto) -> None:
    done = send(office, mosquitto.port, "health", "--timeout-s", "0.3")
    assert done.returncode == 69
    assert "no reply came" in done.stderr
    assert send(office, 1, "health").returncode == 69


def test_a_group_is_told_and_not_waited_for(office, mosquitto, kiosk) -> None:
    heard = kiosk(lambda _: None)
    done = send(office, mosquitto.port, "lockdown", to="lakeside/g3/*")
    assert done.returncode == 0, done.stderr
    assert wait_until(lambda: heard)  # the broker had it first
    assert [read(one, office).to for one in heard] == ["lakeside/g3/*"]
