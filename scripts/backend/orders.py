"""Commands: signed here, carried by a broker that need not be trusted, answered with a signature.

The reply is asked for below ``.../replies/``, under the command's id, so that it is this one's.
"""

import json
import queue
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from paho.mqtt.packettypes import PacketTypes

from agent.credentials.errors import CredentialError
from agent.credentials.signed.command import ID_BYTES, Command, sign_command
from agent.credentials.signed.reply import Reply, verify_reply
from agent.domain.record.command import Verb
from agent.domain.record.topics import command_topic
from backend import link
from backend.config import Broker
from backend.failures import BackendError, MissingError, UsageError

_UNLOCK_S, _EXPIRES_S = 8, 30
_NAME = re.compile(r"[a-z][a-z_]{0,31}")


@dataclass(frozen=True, slots=True)
class Sent:
    """A command that went out, and what came back: verified, or None in its time."""

    command: Command
    reply: Reply | None
    forged: int


def arguments_of(given: Sequence[str]) -> dict[str, Any]:
    """``name=value`` pairs; a number, true, false, null or a list is read as JSON.

    Raises:
        UsageError: one is no pair.
    """
    found: dict[str, Any] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or _NAME.fullmatch(name) is None:
            raise UsageError(f"not NAME=VALUE: {one.partition('=')[0]}")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        found[name] = tuple(value) if isinstance(value, list) else value
    return found


def new_command(
    verb: str,
    to: str,
    arguments: Mapping[str, Any],
    expires_s: float | None = None,
    nonce: bytes | None = None,
) -> Command:
    """A command as of now, with an id of its own, for as long as its verb wants where none says."""
    issued = int(time.time())
    if expires_s is None:
        expires_s = _UNLOCK_S if verb == Verb.UNLOCK else _EXPIRES_S
    return Command(
        verb=verb,
        to=to,
        issued=issued,
        expires=issued + max(1, int(expires_s)),
        id=secrets.token_bytes(ID_BYTES),
        arguments=arguments,
        nonce=nonce,
    )


def send(
    broker: Broker,
    command: Command,
    key: Ed25519PrivateKey,
    pinned: bytes | None,
    wait_s: float,
) -> Sent:
    """Sign, send, and wait for the kiosk's reply, verified by its ``pinned`` key.

    A group is not waited for: each of its kiosks answers where everybody hears it.

    Raises:
        UsageError: no kiosk would read it.
        MissingError: the broker does not answer or refuses.
        BackendError: nobody pinned the key that the reply would be verified by.
    """
    try:
        payload = sign_command(command, key)
    except CredentialError as error:
        raise UsageError(error.detail) from None
    group = command.to.endswith("/*")
    wait_s = 0 if group else wait_s
    if wait_s and pinned is None:
        raise BackendError(
            f"no key of {command.to} is pinned, so nobody could tell its reply from another's;"
            " `backend kiosks pin` it, or --wait 0"
        )
    came: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    client = link.client(broker, "")
    client.on_message = lambda _client, _data, message: came.put(bytes(message.payload))
    response = f"gate/{command.to}/replies/{command.id.hex()}"
    with link.opened(client, broker, response if wait_s else None):
        properties = link.properties(PacketTypes.PUBLISH)
        properties.CorrelationData = command.id
        if wait_s:
            properties.ResponseTopic = response
        sent = client.publish(command_topic(command.to), payload, qos=1, properties=properties)
        sent.wait_for_publish(link.CONNECT_S)
        if not sent.is_published():
            raise MissingError("the broker did not take the command")
        return _awaited(command, came, pinned, wait_s)


def _awaited(
    command: Command, came: "queue.SimpleQueue[bytes]", pinned: bytes | None, wait_s: float
) -> Sent:
    forged = 0
    until_s = time.monotonic() + wait_s
    while pinned is not None and (left_s := until_s - time.monotonic()) > 0:
        try:
            payload = came.get(timeout=left_s)
        except queue.Empty:
            break
        try:
            reply = verify_reply(payload, Ed25519PublicKey.from_public_bytes(pinned))
        except CredentialError:
            forged += 1
            continue
        if (reply.command_id, reply.kiosk) == (command.id, command.to):
            return Sent(command, reply, forged)
        forged += 1
    return Sent(command, None, forged)
