"""What the community's registry has to say, a JSON object a line, as entries of an update.

    {"id", "name", "category", "enabled", "valid_from", "valid_until", "consent",
     "references": [{"pack", "pack_version", "template", "parts"}], "photograph", "overrules"}
    {"remove": id}    {"revoke": pass}
    {"trust": FILE, "issuer", "valid_from", "valid_until"}    {"distrust": key id}
    {"delegation": TEXT, "valid_from", "valid_until"}
    {"category": category, "rules": [rules with the keys of [[rule]]] or null}
    {"trust_list": name, "file": FILE, "issuer"}    {"no_trust_list": name}
    {"card": "h10301:17:4711", "holder", "valid_from", "valid_until"}    {"card_gone": card}

A template is base64 of float32, little-endian, in clear: such a file is a secret. ``photograph``,
``trust`` and ``file`` name files beside it.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from agent.credentials.passes.delegation import read_text
from agent.credentials.passes.issuers import IssuerKey, delegated_key
from agent.credentials.signed.card_entries import CardEntry, CardGone, card_entry
from agent.credentials.signed.entries import (
    Entry,
    Face,
    HolderEntry,
    IssuerEntry,
    IssuerGone,
    Removal,
    Revocation,
    check_photograph,
    encoded,
)
from agent.credentials.signed.word_entries import (
    RulesEntry,
    TrustListEntry,
    TrustListGone,
    in_pieces,
)
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import parse_holder_id
from agent.domain.foreign.json_text import read_json
from agent.domain.hours.iso_time import read_moment
from agent.domain.sight.image import Template
from agent.errors import GateAgentError, RefusedError
from agent.operations.passes.keys import read_public_key
from agent.operations.people.findings import finding, told
from agent.operations.people.transfer import read_holder


def read_entries(lines: Iterable[str], name: str, folder: Path) -> list[Entry]:
    """The entries of a file; the files it names lie in ``folder``.

    Raises:
        RefusedError: ``registry_lines``: what is wrong, by line.
    """
    found: list[Entry] = []
    findings: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            made = _entries(_data(line), folder)
            for entry in made:
                encoded(entry)
            found += made
        except (ValueError, OSError, GateAgentError) as error:
            findings.append(finding(f"{name}:{number}: ", error))
    if findings:
        raise RefusedError("registry_lines", told("nothing was sent", findings))
    return found


def _data(line: str) -> Mapping[str, Any]:
    data = read_json(line)
    if not isinstance(data, dict):
        raise ValueError("is no JSON object")  # noqa: TRY004 - one kind of error for all
    return data


def _entries(data: Mapping[str, Any], folder: Path) -> Sequence[Entry]:
    """One, or the pieces of a trust list."""
    if "trust_list" in data:
        return _trust_list(data, folder)
    for key, (keys, read) in _OTHERS.items():
        if key in data:
            _only(data, keys)
            return [read(data, folder)]
    return [_holder(data, folder)]


def _holder(data: Mapping[str, Any], folder: Path) -> HolderEntry:
    _only(
        data,
        {
            *("id", "name", "category", "enabled", "valid_from", "valid_until", "consent"),
            *("references", "photograph", "overrules"),
        },
    )
    faces = None
    if "references" in data:
        if not isinstance(data["references"], list):
            raise ValueError("references is no list")
        faces = tuple(map(_face, data["references"]))
    photograph = None
    if data.get("photograph") is not None:
        path = folder / _text(data, "photograph")
        check_photograph(path.name, path.stat().st_size)
        photograph = path.read_bytes()
    return HolderEntry(read_holder(data), faces, photograph, overrules=bool(data.get("overrules")))


def _face(item: Any) -> Face:
    if not isinstance(item, dict):
        raise ValueError("a reference is a JSON object")  # noqa: TRY004 - as above
    _only(item, {"pack", "pack_version", "template", "parts"})
    parts = item.get("parts", [])
    if not isinstance(parts, list):
        raise ValueError("parts is no list")  # noqa: TRY004 - as above
    return Face(
        _text(item, "pack"),
        _text(item, "pack_version"),
        _template(item.get("template")),
        tuple(map(_template, parts)),
    )


def _template(value: Any) -> Template:
    if not isinstance(value, str):
        raise ValueError("a template is base64")  # noqa: TRY004 - as above
    raw = base64.b64decode(value, validate=True)
    if not raw or len(raw) % 4:
        raise ValueError("a template is float32, little-endian")
    return np.frombuffer(raw, dtype="<f4").astype(np.float32)


def _removal(data: Mapping[str, Any], _folder: Path) -> Entry:
    return Removal(parse_holder_id(_text(data, "remove")))


def _revocation(data: Mapping[str, Any], _folder: Path) -> Entry:
    return Revocation(PassId(_text(data, "revoke")))


def _issuer(data: Mapping[str, Any], folder: Path) -> Entry:
    key = read_public_key(folder / _text(data, "trust"))
    return IssuerEntry(IssuerKey(_text(data, "issuer"), key, *_ends(data)))


def _delegated(data: Mapping[str, Any], _folder: Path) -> Entry:
    return IssuerEntry(delegated_key(read_text(_text(data, "delegation")), *_ends(data)))


def _ends(data: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    begin, end = (
        None if data.get(key) is None else read_moment(_text(data, key), None)
        for key in ("valid_from", "valid_until")
    )
    if any(one is not None and one.tzinfo is None for one in (begin, end)):
        raise ValueError("a time lacks its offset from UTC")
    return begin, end


def _rules(data: Mapping[str, Any], _folder: Path) -> Entry:
    category, rules = str(parse_holder_id(_text(data, "category"))), data.get("rules")
    if rules is None:
        return RulesEntry(category, None)
    if not isinstance(rules, list):
        raise ValueError("rules is no list")  # noqa: TRY004 - as above
    return RulesEntry(category, json.dumps(rules, ensure_ascii=False))


def _trust_list(data: Mapping[str, Any], folder: Path) -> list[TrustListEntry]:
    _only(data, {"trust_list", "file", "issuer"})
    content = (folder / _text(data, "file")).read_bytes().decode()
    issuer = None if data.get("issuer") is None else _text(data, "issuer")
    return in_pieces(_text(data, "trust_list"), content, issuer)


def _trust_list_gone(data: Mapping[str, Any], _folder: Path) -> Entry:
    return TrustListGone(str(parse_holder_id(_text(data, "no_trust_list"))))


def _issuer_gone(data: Mapping[str, Any], _folder: Path) -> Entry:
    return IssuerGone(_text(data, "distrust"))


def _card(data: Mapping[str, Any], _folder: Path) -> CardEntry:
    return card_entry(_text(data, "holder"), _text(data, "card"), *_ends(data))


def _card_gone(data: Mapping[str, Any], _folder: Path) -> CardGone:
    return CardGone(_text(data, "card_gone"))


_OTHERS: dict[str, tuple[set[str], Callable[[Mapping[str, Any], Path], Entry]]] = {
    "remove": ({"remove"}, _removal),
    "revoke": ({"revoke"}, _revocation),
    "trust": ({"trust", "issuer", "valid_from", "valid_until"}, _issuer),
    "distrust": ({"distrust"}, _issuer_gone),
    "delegation": ({"delegation", "valid_from", "valid_until"}, _delegated),
    "rules": ({"category", "rules"}, _rules),
    "card": ({"card", "holder", "valid_from", "valid_until"}, _card),
    "card_gone": ({"card_gone"}, _card_gone),
    "no_trust_list": ({"no_trust_list"}, _trust_list_gone),
}


def _only(data: Mapping[str, Any], keys: set[str]) -> None:
    unknown: Sequence[str] = sorted(set(data) - keys)
    if unknown:
        raise ValueError(f"unknown keys: {', '.join(map(repr, unknown))}")


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str):
        raise ValueError(f"{key} is missing or no text")  # noqa: TRY004 - as above
    return value
