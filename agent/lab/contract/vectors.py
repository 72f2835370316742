"""Worked values of the chain for docs/events.md, so that a reader in another language can check."""

import json
from typing import Any

import cbor2
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.credentials.formats import base64url, cose
from agent.credentials.signed.checkpoint import PURPOSE
from agent.domain.record import chain
from agent.domain.record.events import EventType
from agent.domain.record.jcs import canonical
from agent.lab.contract import examples

_FIELD = "holder"
_HARD: tuple[Any, ...] = (
    # Python and C write the exponent of a small one with two digits, and sooner.
    {"fmr": 8.1e-05, "least": 2.4e-07, "whole": 60.0, "none": -0.0},
    {"large": 1e21, "less": 123456789012345680000.0, "beyond": 2**53 + 1},
    # A surrogate pair is less than U+FB33 in UTF-16, and more in every other order.
    {"\ufb33": 1, "\U0001f600": 2, "b": 3, "B": 4, "": 5},
    {"text": '\u00e9 \u20ac / " \\ \n \u0007'},
)


def links() -> str:
    """The salt, the commitment and the link of the event above, as Markdown."""
    event = examples.event(EventType.ACCESS_GRANTED)
    data = event["data"]
    salt, value = data["salts"][_FIELD], data[_FIELD]
    return _block(
        {
            "the row's salt, which no reader has": examples.ROW_SALT.hex(),
            'salt of holder = base64url(HMAC-SHA256(the row\'s salt, "holder")[:16])': salt,
            "hashed for its commitment": canonical([salt, _FIELD, value]).decode(),
            "commitment = base64url(SHA-256)": data["commitments"][_FIELD],
            "hashed for the link": canonical(chain.skeleton(event)).decode(),
            "link = hex(SHA-256), which the next event carries as previous": chain.link(event),
        }
    )


def numbers() -> str:
    """Values whose canonical form is easily got wrong, as Markdown."""
    pairs = {json.dumps(one): canonical(one).decode() for one in _HARD}
    return _block(pairs)


def checkpoint() -> str:
    """A checkpoint taken apart, as Markdown."""
    data = examples.event(EventType.JOURNAL_CHECKPOINT)["data"]
    text = data["signature"]
    message = cose.parse(base64url.decode(text))
    public = examples.SIGNING_KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signed = ["Signature1", message.protected_bytes, PURPOSE, message.payload]
    return _block(
        {
            "until": data["until"],
            "link": data["link"],
            "signature": text,
            "its payload": message.payload.hex(),
            "what is signed (Sig_structure of RFC 9052)": cbor2.dumps(signed).hex(),
            "the signature of that (Ed25519)": message.signature.hex(),
            "the public key": public.hex(),
            "its id": data["key_id"],
        }
    )


def _block(values: dict[str, str]) -> str:
    return "\n".join(["```text", *(f"{name}:\n  {one}" for name, one in values.items()), "```"])
