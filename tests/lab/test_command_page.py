"""docs/commands.md is what the code does, and its vectors are read without the code."""

import re

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from places import ROOT

from agent.lab import command_page
from agent.lab.command_page import COMMANDS, KEY, KIOSK_KEY, REPLIES, deeds, page

PAGE = ROOT / "docs" / "commands.md"


def blocks() -> dict[str, dict[str, bytes]]:
    """What stands between the marks of the vectors, by its head."""
    text = PAGE.read_text().partition("vectors: begin")[2]
    found: dict[str, dict[str, bytes]] = {}
    head = what = ""
    for line in text.splitlines():
        if re.match(r"[a-z]", line):
            head = line
            found[head] = {}
        elif match := re.match(r"  (.{9}) ([0-9a-f]+)$", line):
            what = match[1].strip() or what
            found[head][what] = found[head].get(what, b"") + bytes.fromhex(match[2])
    return found


def test_the_page_is_drawn_from_the_code() -> None:
    assert page(PAGE.read_text()) == PAGE.read_text(), "scripts/draw"


def test_every_verb_says_what_it_does() -> None:
    assert set(command_page._DOES) == set(deeds())


def test_every_argument_has_its_row() -> None:
    rows = command_page._TAKES.items()
    shown = {verb: {name for name, _, _ in taken} for verb, taken in rows}
    assert shown == {verb: set(one.arguments) for verb, one in deeds().items() if one.arguments}


def test_the_vectors_hold_for_whoever_knows_cose_and_ed25519() -> None:
    found = blocks()
    heads = [*(f"command: {name}" for name in COMMANDS), *(f"reply: {name}" for name in REPLIES)]
    assert list(found) == ["command key", "kiosk's signing key", *heads]
    for head in heads:
        whose = found["command key" if head.startswith("command") else "kiosk's signing key"]
        protected, unprotected, payload, signature = cbor2.loads(found[head]["message"]).value
        assert (payload, unprotected) == (found[head]["payload"], {})
        assert cbor2.loads(protected) == {1: -8, 4: whose["key id"]}
        purpose = b"gate/command/1" if head.startswith("command") else b"gate/reply/1"
        signed = cbor2.dumps(["Signature1", protected, purpose, payload])
        assert signed == found[head]["signed"]
        Ed25519PublicKey.from_public_bytes(whose["public"]).verify(signature, signed)
        assert cbor2.dumps(cbor2.loads(payload), canonical=True) == payload


def test_the_keys_of_the_page_are_nobodys() -> None:
    assert KEY.private_bytes_raw() + KIOSK_KEY.private_bytes_raw() == bytes(range(64))
