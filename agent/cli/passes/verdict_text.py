"""What a pass, a health certificate or a symbol is worth, as people read it."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from agent.cli.passes.credential_text import advise_trust, unknown_issuer, zone_here
from agent.cli.terminal.style import Cell, Meaning, judged, plain
from agent.cli.terminal.table import line, record
from agent.domain.hours.instant import local_text
from agent.operations.decisions import in_words

KINDS = {
    "gate_pass": "gate pass",
    "eu_dcc": "EU DCC",
    "smart_health_card": "SMART Health Card",
    "text": "text",
}
"""What a text may be, by its word in JSON."""
_CLAIM_WORDS = {"issued_at": "issued", "template": "face template", "document": "ID document"}
_WHERE_NONE = {"access_points": "all", "uses": "any number"}
"""What it means that a pass says nothing of it."""
_TIMES = ("valid_from", "issued_at", "valid_until")
_WRONG = {"CredentialExpired": "valid_until", "CredentialNotActive": "valid_from"}
_STEP_WORDS = {
    "prefix": "prefix",
    "base45": "Base45",
    "zlib": "zlib",
    "cbor": "CBOR",
    "cose": "COSE",
    "signature": "signature",
    "valid_at": "in its time",
    "rules": "rules",
}


def show_pass(found: Mapping[str, Any]) -> None:
    """The verdict on a pass, how an unknown issuer is made known, and what the pass says."""
    line(verdict(found))
    if found["unknown_issuer"] is not None:
        advise_trust(found["unknown_issuer"])
    if found["claims"] is not None:
        record(_claims(found["claims"], found["reason"], zone_here()))


def show_certificate(found: Mapping[str, Any]) -> None:
    """The verdict on a health certificate, and how far it held."""
    line(verdict(found))
    record(_steps(found))


def verdict(found: Mapping[str, Any]) -> Cell:
    """Whether it holds; ``found`` as JSON has it: ``valid``, ``reason``, ``detail``."""
    if found["valid"]:
        return Cell("valid", Meaning.GOOD)
    issuer, detail = found.get("unknown_issuer"), found.get("detail")
    why = in_words(found["reason"]) if issuer is None else unknown_issuer(issuer)
    more = "" if detail is None else f" ({plain(detail)})"
    return Cell(f"not valid: {why}{more}", Meaning.BAD if issuer is None else Meaning.DOUBT)


def _claims(found: Mapping[str, Any], reason: str | None, zone: tzinfo | None) -> dict[str, object]:
    """What a pass says, a field each, with times in ``zone``; ``reason`` is why it does not hold.

    ``found`` is as JSON has it; ``zone`` None is this machine's.
    """
    rows: dict[str, object] = {}
    for name, value in found.items():
        told = value if value or value is False else _WHERE_NONE.get(name)
        if name in _TIMES and value is not None:
            told = local_text(datetime.fromisoformat(value), zone)
        if value is not None and name == _WRONG.get(reason or ""):
            told = Cell(told, Meaning.BAD)
        elif name == "holder":
            told = Cell(told, Meaning.STRONG)
        rows[_CLAIM_WORDS.get(name, name.replace("_", " "))] = told
    return rows


def _steps(found: Mapping[str, Any]) -> dict[str, object]:
    """How far a health certificate held, a step each; a dash where none was taken."""
    kind = found["kind"]
    rows: dict[str, object] = {"kind": None if kind is None else KINDS[kind]}
    for name, word in _STEP_WORDS.items():
        passed = found[name]
        rows[word] = None if passed is None else judged(passed)
    return rows
