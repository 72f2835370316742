"""What a backend, or a person for it, commands a kiosk: the words of a command line made one."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.credentials.signed.command import ID_BYTES, Command, sign_command
from agent.domain.credential.near import did_you_mean
from agent.domain.foreign.json_text import read_json
from agent.domain.record.command import Verb
from agent.errors import RefusedError
from agent.operations.passes.keys import read_issuer_key

HEX = "hex:"
_SHORT_S, _VALID_S = 8, 60
_LARGEST_BYTES = 10_000


def made_command(
    verb: str,
    to: str,
    arguments: Sequence[str],
    *,
    now_s: int,
    valid_s: int | None = None,
    nonce: str | None = None,
) -> Command:
    """The command that these words mean, with an id of its own, from ``now_s`` on.

    Raises:
        RefusedError: ``verb``, ``argument`` or ``nonce``: it is none.
    """
    if verb not in list(Verb):
        known = ", ".join(Verb)
        raise RefusedError(
            "verb",
            f"no such verb{did_you_mean(verb, [one.value for one in Verb])}; there are: {known}",
        )
    lasts_s = valid_s or (_SHORT_S if verb == Verb.UNLOCK else _VALID_S)
    named = dict(map(_argument, arguments))
    shown = None if nonce is None else _bytes("nonce", nonce)
    return Command(verb, to, now_s, now_s + lasts_s, secrets.token_bytes(ID_BYTES), named, shown)


def signed(command: Command, key_file: Path) -> bytes:
    """The bytes of ``command``, by the private key in ``key_file``.

    Raises:
        RefusedError: no kiosk would read it.
        UnavailableError: the key is missing, open to others, or none.
    """
    return sign_command(command, read_issuer_key(key_file))


def _argument(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise RefusedError("argument", "an argument is written NAME=VALUE")
    if value.startswith(HEX):
        return name, _bytes(name, value.removeprefix(HEX))
    try:
        read = read_json(value)
    except ValueError:
        return name, value
    if isinstance(read, list):
        return name, tuple(read)
    return name, value if isinstance(read, float | dict) else read


def _bytes(name: str, digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise RefusedError("argument", f"{name} is written in hexadecimal digits") from None
