"""Writes docs/commands.md's tables and test vectors: they are what the code does."""

import json
from typing import Any, cast

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.app.threads.control.deeds import Deed
from agent.app.threads.control.doors import DoorDeeds
from agent.app.threads.control.faults import FaultDeeds
from agent.app.threads.control.kiosk import KioskDeeds
from agent.app.threads.control.people import PeopleDeeds
from agent.app.threads.control.ranges import Ranges
from agent.app.threads.control.rules import RuleDeeds
from agent.credentials.formats import cbor
from agent.credentials.formats.cose import to_be_signed
from agent.credentials.passes.issuers import key_id
from agent.credentials.shown_keys import shown_keys
from agent.credentials.signed import command, reply
from agent.credentials.signed.command import Command, sign_command
from agent.credentials.signed.reply import Reply, sign_reply
from agent.domain.door.access_point import State
from agent.domain.door.door_mode import Mode
from agent.domain.record.command import MEANING, CommandReason, Outcome, Verb
from agent.lab.contract.page import shown
from agent.lab.marks import between

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KIOSK_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
_ISSUED = 1_795_000_000
_KIOSK = "lakeside/g3/north-1"

COMMANDS = {
    "unlock": Command(
        "unlock",
        _KIOSK,
        _ISSUED,
        _ISSUED + 8,
        bytes(range(16)),
        {"access_point": "north-entry"},
    ),
    "lockdown of a grid": Command(
        "lockdown", "lakeside/g3/*", _ISSUED, _ISSUED + 300, bytes(range(16, 32))
    ),
    # Two names, of which the alphabet's first is the longer one, and a list.
    "free_passage": Command(
        "free_passage",
        _KIOSK,
        _ISSUED,
        _ISSUED + 300,
        bytes(range(64, 80)),
        {"access_points": ("north-entry", "north-exit"), "until": _ISSUED + 3600},
    ),
    "set_time": Command(
        "set_time",
        _KIOSK,
        _ISSUED,
        _ISSUED + 60,
        bytes(range(32, 48)),
        {"utc": _ISSUED},
        bytes(range(48, 64)),
    ),
}
REPLIES = {
    "done": Reply(
        bytes(range(16)),
        _KIOSK,
        Outcome.DONE,
        _ISSUED + 1,
        clock_trusted=True,
        result={
            "access_points": {
                "north-entry": {"state": State.RELEASED, "mode": Mode.NORMAL, "cause": None}
            }
        },
        verb="unlock",
    ),
    "refused": Reply(
        bytes(range(16)),
        _KIOSK,
        Outcome.REFUSED,
        _ISSUED + 2,
        clock_trusted=True,
        reason="replayed",
        verb="unlock",
    ),
}
_DOES = {
    Verb.UNLOCK: "lets one person through at `access_point`",
    Verb.LOCKDOWN: "locks down `access_points`, all where none are named",
    Verb.FREE_PASSAGE: "frees `access_points` (all) until `until`, UTC in seconds, 7 days at most",
    Verb.RESUME: "ends both at `access_points` (all)",
    Verb.ANNOUNCE: "says `message` or `text`, as [announcements](telling.md) are said",
    Verb.ENROL: "adds `holder`, of `category`; name and face come with the registry or at the gate",
    Verb.UPDATE_HOLDER: "changes what is named of `holder`; times are UTC seconds, or null",
    Verb.DISABLE: "lets `holder` in no more",
    Verb.REMOVE: "forgets `holder`",
    Verb.ACKNOWLEDGE_ALERT: "says that `part` was mended: its latched fault goes, if it is well",
    Verb.SET_RULE: "gives `category` these `rules` in place of the config's; null: those again",
    Verb.REVOKE_PASS: "lets the pass of the id `pass` open nothing",
    Verb.REVOKE_PERMIT: "the same of a permit, which is a pass: its number is the pass's id",
    Verb.TRUST_ISSUER: "believes passes of `issuer` by `key` (32 bytes), or of a `delegation`",
    Verb.SET_TIME: "believes `utc`; the command bears the nonce of `time/request`, within 5 s",
    Verb.HEALTH: "answers with the heartbeat of this moment",
    Verb.RANGE: "says the events `first` to `last` of `epoch` again, on `ranges`; then the reply",
    Verb.ROTATE_KIOSK_KEY: "gives it another signing key; the reply, by the old one, has its half",
    Verb.RESTART: "answers, ends with exit code 75, and systemd starts it again",
}

_POINTS = ("access_points", "list of text, one or more", "all of the kiosk's")
_HOLDER = ("holder", "text", "")
_FROM, _UNTIL = (
    (name, "integer, UTC in seconds, or null for no bound", "stays as it is")
    for name in ("valid_from", "valid_until")
)
_TAKES: dict[Verb, tuple[tuple[str, str, str], ...]] = {
    Verb.UNLOCK: (("access_point", "text", ""),),
    Verb.LOCKDOWN: (_POINTS,),
    Verb.FREE_PASSAGE: (("until", "integer, UTC in seconds", ""), _POINTS),
    Verb.RESUME: (_POINTS,),
    Verb.ANNOUNCE: (
        ("message", "text that begins with `announce.`", "then `text`"),
        ("text", "text of 200 characters at most", "then `message`"),
        ("priority", "text: `routine`, `urgent`, `emergency`", "`routine`"),
        ("repeat", "integer, 1 to 3", "1"),
        ("language", "text, as the kiosk's config has it", "all of the kiosk's"),
    ),
    Verb.ENROL: (
        _HOLDER,
        ("category", "text", ""),
        ("enabled", "bool", "true"),
        (*_FROM[:2], "no bound"),
        (*_UNTIL[:2], "no bound"),
        ("consent", "text, the notice's version", "no consent"),
        ("consent_at", "integer, UTC in seconds", "no consent"),
    ),
    Verb.UPDATE_HOLDER: (
        _HOLDER,
        ("category", "text", "stays as it is"),
        ("enabled", "bool", "stays as it is"),
        _FROM,
        _UNTIL,
    ),
    Verb.DISABLE: (_HOLDER,),
    Verb.REMOVE: (_HOLDER,),
    Verb.SET_RULE: (
        ("category", "text", ""),
        ("rules", "text: JSON, a list of objects with the keys of `[[rule]]`; or null", ""),
    ),
    Verb.REVOKE_PASS: (("pass", "text, 16 to 32 digits of 0-9 a-f", ""),),
    Verb.REVOKE_PERMIT: (("permit", "text, 16 to 32 digits of 0-9 a-f", ""),),
    Verb.ACKNOWLEDGE_ALERT: (("part", "text, as `faults` of the status has it", ""),),
    Verb.TRUST_ISSUER: (
        ("issuer", "text", "then `delegation`"),
        ("key", "32 bytes", "then `delegation`"),
        ("delegation", "bytes", "then `issuer` and `key`"),
        (*_FROM[:2], "no bound"),
        (*_UNTIL[:2], "no bound"),
    ),
    Verb.SET_TIME: (("utc", "integer, UTC in seconds", ""),),
    Verb.RANGE: (
        ("epoch", "text, as in an event", ""),
        ("first", "integer, from 1", ""),
        ("last", "integer, at most 99,999 more than `first`", ""),
    ),
}
"""Name, type and what holds without it; nothing where it is needed."""


def deeds() -> dict[Verb, Deed]:
    """What the agent can do, with nothing behind it that could be moved."""
    nothing = cast("Any", None)
    return {
        **DoorDeeds(nothing, (), nothing, nothing).deeds(),
        **FaultDeeds(nothing, nothing).deeds(),
        **PeopleDeeds(nothing, nothing, nothing, nothing).deeds(),
        **RuleDeeds(nothing, nothing, nothing, nothing).deeds(),
        **Ranges(nothing, nothing, nothing, nothing).deeds(),
        **KioskDeeds(
            announce=nothing,
            believe=nothing,
            health=nothing,
            restart=nothing,
            rotation=(nothing, nothing),
        ).deeds(),
    }


def _verbs() -> str:
    known = deeds()
    rows = ["| verb | valid at most | what it does |", "|---|---|---|"]
    rows += [f"| `{verb}` | {_span(known[verb].longest_s)} | {_DOES[verb]} |" for verb in Verb]
    return "\n".join(rows)


def _arguments() -> str:
    rows = ["| verb | argument | type | without it |", "|---|---|---|---|"]
    for verb, taken in _TAKES.items():
        for at, (name, kind, without) in enumerate(taken):
            of = "" if at else f"`{verb}` "
            rows.append(f"| {of}| `{name}` | {kind} | {without or 'refused'} |")
    return "\n".join(rows)


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    return f"{days} days" if days and not rest else f"{seconds} s"


def _reasons() -> str:
    rows = ["| reason | why |", "|---|---|"]
    return "\n".join([*rows, *(f"| `{word}` | {MEANING[word]} |" for word in CommandReason)])


def _kiosk() -> str:
    sealing = X25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
    keys = shown_keys(_KIOSK, KIOSK_KEY.public_key(), sealing.public_key())
    return shown(keys)


def _vectors() -> str:
    lines = ["```text"]
    for whose, key in (("command key", KEY), ("kiosk's signing key", KIOSK_KEY)):
        public = key.public_key()
        lines += [
            f"{whose}",
            f"  private   {key.private_bytes_raw().hex()}",
            f"  public    {public.public_bytes_raw().hex()}",
            f"  key id    {key_id(public).hex()}",
        ]
    for name, one in COMMANDS.items():
        lines += _shown(f"command: {name}", sign_command(one, KEY), command.PURPOSE)
    for name, answer in REPLIES.items():
        lines += _shown(f"reply: {name}", sign_reply(answer, KIOSK_KEY), reply.PURPOSE)
    return "\n".join([*lines, "```"])


def _shown(name: str, data: bytes, purpose: bytes) -> list[str]:
    protected, _, payload, _ = cbor2.loads(data).value
    parts = {
        "payload": payload,
        "signed": to_be_signed(protected, payload, purpose),
        "message": data,
    }
    lines = [name, f"  {'says':<9} {_diagnostic(cbor2.loads(payload))}"]
    for what, part in parts.items():
        digits = part.hex()
        rows = [digits[at : at + 88] for at in range(0, len(digits), 88)]
        lines += [f"  {what if not i else '':<9} {row}" for i, row in enumerate(rows)]
    return lines


def _diagnostic(value: cbor.Value) -> str:
    """``value`` in the diagnostic notation of RFC 8949, 8."""
    match value:
        case bytes():
            return f"h'{value.hex()}'"
        case dict():
            pairs = (f"{_diagnostic(key)}: {_diagnostic(one)}" for key, one in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list():
            return f"[{', '.join(map(_diagnostic, value))}]"
    return json.dumps(value)


def page(text: str) -> str:
    """``text`` with what stands between its marks written anew.

    Raises:
        ValueError: a mark is missing.
    """
    drawn = {
        "kiosk": _kiosk(),
        "verbs": _verbs(),
        "arguments": _arguments(),
        "reasons": _reasons(),
        "vectors": _vectors(),
    }
    for name, one in drawn.items():
        text = between(text, name, one)
    return text
