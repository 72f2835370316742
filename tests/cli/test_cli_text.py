"""The text of a credential: from stdin where nobody sees it, from the arguments with a warning."""

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gate_command import Answer, Gate
from health_parts import certificate_text, signer
from test_cli_passes import ISSUE

from agent.cli.main import program

WARNED = "the shell's history keeps it"
Typed = Callable[..., Answer]


@pytest.fixture
def typed(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """A command with something on its stdin."""

    def run(stdin: bytes, *arguments: object) -> Answer:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        return gate(*arguments)

    return run


@pytest.fixture
def made(gate: Gate, tmp_path: Path) -> Any:
    """A pass whose issuer is trusted here."""
    key = tmp_path / "office.pem"
    assert gate("pass", "keygen", key).code == 0
    assert gate("pass", "trust", f"{key}.pub", "--issuer", "office").code == 0
    words = [word for pair in ISSUE.items() for word in pair]
    return gate("pass", "issue", "r-1", "--key", key, *words, "--json").json


def commands(one: Any, *words: str) -> Iterator[tuple[str, Any]]:
    for name, below in getattr(one, "commands", {}).items():
        yield from commands(below, *words, name)
    if not hasattr(one, "commands"):
        yield " ".join(words), one


def test_every_text_of_a_credential_may_come_from_stdin() -> None:
    """Whoever adds a command with a text tells of stdin, and has it in this list."""
    found = {
        name: parameter.help
        for name, command in commands(program())
        for parameter in command.params
        if "--text" in parameter.opts
    }
    assert set(found) == {"pass verify", "pass print", "health verify", "verify health"}
    assert all("- reads it from stdin" in text for text in found.values())


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_pass_on_stdin_is_in_no_argument(typed: Typed, made: Any, end: bytes) -> None:
    stdin = made["text"].encode() + end
    checked = typed(stdin, "pass", "verify", "--text", "-", "--json")
    assert (checked.code, checked.json["valid"], checked.err) == (0, True, "")


def test_a_pass_on_stdin_is_printed(typed: Typed, made: Any, tmp_path: Path) -> None:
    card = tmp_path / "card.pdf"
    answer = typed(made["text"].encode(), "pass", "print", "--text", "-", "--out", card, "--json")
    assert (answer.code, answer.json["cards"], answer.err) == (0, 1, "")


def test_a_pass_on_stdin_is_revoked(typed: Typed, made: Any) -> None:
    answer = typed(made["text"].encode() + b"\n", "pass", "revoke", "-", "--json")
    assert (answer.code, answer.json["pass"], answer.err) == (0, made["pass"], "")


def test_a_certificate_on_stdin_is_verified(typed: Typed, tmp_path: Path) -> None:
    trust = tmp_path / "issuers.pem"
    trust.write_text(signer().pem)
    asked = ("verify", "health", "--text", "-", "--trust", trust, "--json")
    answer = typed(certificate_text().encode() + b"\n", *asked)
    assert (answer.json["signature"], answer.err) == (True, "")


def test_a_text_in_the_arguments_works_and_is_warned_of(
    gate: Gate, made: Any, tmp_path: Path
) -> None:
    card = tmp_path / "card.pdf"
    for words in (
        ("pass", "verify", "--text", made["text"]),
        ("pass", "print", "--text", made["text"], "--out", card),
        ("pass", "revoke", made["text"]),
    ):
        answer = gate(*words)
        assert (answer.code, WARNED in answer.err) == (0, True)
        assert made["text"] not in answer.err
    assert "pass revoke -" in answer.err


def test_an_id_is_no_secret(gate: Gate, made: Any) -> None:
    assert gate("pass", "revoke", made["pass"]).err == ""


@pytest.mark.parametrize("stdin", [b"\xff\xff\xff\xffGP1", b"A" * 1_000_001])
def test_what_is_no_text_is_told_and_not_shown(typed: Typed, stdin: bytes) -> None:
    answer = typed(stdin, "pass", "verify", "--text", "-", "--json")
    assert (answer.code, answer.json["reason"]) == (1, "text")
