"""A command goes out signed, and counts as answered only by the kiosk's own key."""

import json
from typing import Any

import pytest
from backend import kiosks
from backend.commands import main
from backend_parts import Kiosk, Publisher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mosquitto import wait_until

from agent.credentials.passes.issuers import key_id
from agent.credentials.signed.command import verify_command
from agent.credentials.signed.reply import Reply, sign_reply
from agent.domain.record.command import Outcome

KEY = Ed25519PrivateKey.generate()


@pytest.fixture
def configured(tmp_path, mosquitto, dsn):
    key = tmp_path / "command.key"
    key.write_text(KEY.private_bytes_raw().hex() + "\n")
    key.chmod(0o600)
    path = tmp_path / "backend.toml"
    path.write_text(
        f'[store]\ndsn = "{dsn}"\n[broker]\nport = {mosquitto.port}\n[keys]\ncommand = "{key}"\n'
    )
    return path


@pytest.fixture
def side(mosquitto):
    made = Publisher(mosquitto.port)
    yield made
    made.close()


class Obeying:
    """A kiosk that answers: as it should, or as whoever is between would like."""

    def __init__(self, side, kiosk, *answers, topic=None) -> None:
        self.commands: list[Any] = []
        self.kiosk, self.answers = kiosk, answers
        side.client.on_message = self.heard
        side.client.subscribe(topic or f"{kiosk.topics.base}/commands", qos=1)

    def heard(self, client, _data, message) -> None:
        known = {key_id(KEY.public_key()): KEY.public_key()}
        command, _ = verify_command(bytes(message.payload), known.get)
        self.commands.append(command)
        assert message.properties.CorrelationData == command.id
        for answer in self.answers:
            said = {
                "command_id": command.id,
                "kiosk": self.kiosk.place,
                "outcome": Outcome.DONE,
                "utc_s": command.issued,
                "clock_trusted": True,
                **answer,
            }
            key = said.pop("key", self.kiosk.key)
            payload = sign_reply(Reply(**said), key)
            client.publish(message.properties.ResponseTopic, payload, qos=1)


def test_a_command_is_done(store, configured, side, capsys):
    kiosk = Kiosk()
    kiosks.pin(store, kiosk.keys())
    obeying = Obeying(side, kiosk, {"result": {"until": 5, "raw": b"\1", "all": (1, "a")}})
    arguments = [kiosk.place, "unlock", "access_point=north-entry", "times=2", "quiet=true"]
    assert main(["--config", str(configured), "command", *arguments, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["outcome"], said["forged"]) == ("done", 0)
    assert said["result"] == {"until": 5, "raw": "01", "all": [1, "a"]}
    (command,) = obeying.commands
    assert command.id.hex() == said["id"]
    assert (command.verb, command.to, command.expires - command.issued) == (
        *("unlock", kiosk.place, 8),
    )
    assert dict(command.arguments) == {"access_point": "north-entry", "times": 2, "quiet": True}


def test_a_refusal_fails_with_its_reason(store, configured, side, capsys):
    kiosk = Kiosk()
    kiosks.pin(store, kiosk.keys())
    Obeying(side, kiosk, {"outcome": Outcome.REFUSED, "reason": "not_permitted"})
    assert main(["--config", str(configured), "command", kiosk.place, "restart"]) == 1
    assert "not_permitted" in capsys.readouterr().out


def test_what_others_answer_is_counted_and_is_no_answer(store, configured, side, capsys):
    kiosk = Kiosk()
    kiosks.pin(store, kiosk.keys())
    Obeying(
        side,
        kiosk,
        {"key": Ed25519PrivateKey.generate()},
        {"command_id": b"\1" * 16},
        {"kiosk": "lakeside/g3/north-2"},
    )
    arguments = [kiosk.place, "unlock", "--wait", "1s", "--json"]
    assert main(["--config", str(configured), "command", *arguments]) == 69
    said = json.loads(capsys.readouterr().out)
    assert (said["outcome"], said["forged"]) == ("no_answer", 3)


def test_a_group_is_told_and_not_waited_for(configured, side, capsys):
    obeying = Obeying(side, Kiosk(), topic="gate/lakeside/commands")
    arguments = ["lakeside/g3/*", "lockdown", "--json"]
    assert main(["--config", str(configured), "command", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "sent"
    assert wait_until(lambda: obeying.commands)
    assert [one.to for one in obeying.commands] == ["lakeside/g3/*"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["lakeside/g3/north-1", "health"], 1),  # nobody pinned its key
        (["lakeside", "health", "--wait", "0"], 2),
        (["lakeside/g3/north-1", "Health", "--wait", "0"], 2),
        (["lakeside/g3/north-1", "health", "x", "--wait", "0"], 2),
        (["lakeside/g3/north-1", "set_time", "--nonce", "xx", "--wait", "0"], 2),
        (["lakeside/g3/north-1", "set_time", "--nonce", "00", "--wait", "0"], 2),
    ],
)
def test_what_no_kiosk_would_read_is_not_sent(store, configured, arguments, code, capsys):
    assert main(["--config", str(configured), "command", *arguments]) == code
    assert capsys.readouterr().err


def test_without_a_key_or_a_broker_it_says_so(store, configured, tmp_path, capsys):
    arguments = ["command", "lakeside/g3/north-1", "health", "--wait", "0"]
    (tmp_path / "command.key").chmod(0o644)
    assert main(["--config", str(configured), *arguments]) == 69
    assert "chmod 600" in capsys.readouterr().err
    (tmp_path / "command.key").chmod(0o600)
    text = configured.read_text()
    configured.write_text(text.replace("port = ", "port = 1 # "))
    assert main(["--config", str(configured), *arguments]) == 69
    assert "broker" in capsys.readouterr().err
