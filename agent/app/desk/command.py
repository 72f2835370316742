"""Sends a signed command to a kiosk and reads its reply; for a backend's people and for tests."""

import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.adapters.broker.commander import ask
from agent.adapters.broker.reach import Reach
from agent.credentials.errors import CredentialError
from agent.credentials.formats import cbor
from agent.credentials.signed.command import Command, sign_command
from agent.credentials.signed.reply import Reply, verify_reply
from agent.domain.record.topics import Topics, command_topic
from agent.errors import RefusedError, UnavailableError

__all__ = ["Reach", "as_json", "send"]


def send(
    reach: Reach,
    command: Command,
    key: Ed25519PrivateKey,
    kiosk: Ed25519PublicKey | None,
    timeout_s: float,
) -> Reply | None:
    """Publish it, and wait for the reply; None to a group, whose replies nobody waits for here.

    Raises:
        RefusedError: ``kiosk_key``: without it no reply can be believed.
        UnavailableError: the broker cannot be reached, or no reply came that the kiosk signed.
    """
    data, topic = sign_command(command, key), command_topic(command.to)
    if command.to.endswith("/*"):
        ask(reach, topic, data, None, timeout_s)
        return None
    if kiosk is None:
        raise RefusedError("kiosk_key", "whose reply is to be believed?\nFix: --kiosk-key")
    replies = f"{Topics(*command.to.split('/')).replies}/{secrets.token_hex(8)}"
    answer = ask(reach, topic, data, replies, timeout_s)
    try:
        reply = verify_reply(answer or b"", kiosk)
    except CredentialError as error:
        fix = "pin the kiosk's key anew, from gate-agent key show at the kiosk"
        raise UnavailableError(f"a reply came that is not the kiosk's: {error}", fix) from error
    if reply.command_id != command.id or reply.kiosk != command.to:
        raise UnavailableError("a reply came to another command")
    return reply


def as_json(command: Command, reply: Reply | None) -> dict[str, Any]:
    """As ``command send --json`` prints it."""
    said = {"command": command.id.hex(), "verb": command.verb, "to": command.to}
    if reply is None:
        return {**said, "outcome": None, "reason": None, "result": None}
    return {
        **said,
        "outcome": reply.outcome.value,
        "reason": reply.reason,
        "result": cbor.as_json(reply.result),
        "time": reply.utc_s,
        "clock_trusted": reply.clock_trusted,
    }
