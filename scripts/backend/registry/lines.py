"""The community's registry, as a log of lines with versions; and what a file adds to it.

    {"to": "lakeside/*",
     "holders": [{"id": "r-1042", "name": "Lin Yu", "category": "resident", "enabled": true,
                  "from": "2026-12-01T00:00Z", "until": null, "overrules": false,
                  "consent": {"notice": "2026-11", "at": "2026-11-28T09:00Z"},
                  "photograph": "lin.jpg"}],
     "remove": ["r-7"], "revoke": ["0123456789abcdef"],
     "issuers": [{"issuer": "office", "public": "...", "from": null, "until": null},
                 {"delegation": "...", "from": null, "until": null}],
     "issuers_gone": ["0123456789abcdef"],
     "rules": [{"category": "courier", "rules": [{"factors": ["pass"]}]},
               {"category": "visitor", "rules": null}],
     "trust_lists": [{"name": "issuers", "file": "issuers.pem", "issuer": null}],
     "trust_lists_gone": ["old-issuers"],
     "cards": [{"card": "h10301:17:4711", "holder": "r-1042", "from": null, "until": null}],
     "cards_gone": ["h10301:17:4712"]}

``to`` is a kiosk or a group. Whoever moves out of a group's reach is removed there.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cbor2
import psycopg

from agent.credentials.formats import base64url, cbor
from agent.credentials.passes.issuers import key_id
from agent.credentials.signed.card_entries import CardEntry, CardGone
from agent.credentials.signed.entries import (
    Entry,
    HolderEntry,
    IssuerEntry,
    IssuerGone,
    Removal,
    Revocation,
    check_photograph,
    encoded,
    read_entry,
)
from agent.credentials.signed.word_entries import (
    LARGEST_PIECE,
    MOST_PIECES,
    RulesEntry,
    TrustListEntry,
    TrustListGone,
    in_pieces,
)
from backend.database import Connection
from backend.failures import UsageError
from backend.kiosks import PLACE

_KEYS = {
    *("to", "holders", "remove", "revoke", "issuers", "issuers_gone"),
    *("rules", "trust_lists", "trust_lists_gone", "cards", "cards_gone"),
}
_HOLDER = {"id", "name", "category", "enabled", "from", "until"} | {
    *("consent", "photograph", "overrules")
}
_GROUP = re.compile(r"([A-Za-z0-9._-]{1,64}/){1,2}\*")
_MOST_BYTES = 512 * 1024
_MOST_LIST_BYTES = MOST_PIECES * LARGEST_PIECE + _MOST_BYTES


_STANDING = """
SELECT DISTINCT ON (key) key, scope, entry, gone, version,
       ARRAY(SELECT DISTINCT scope FROM registry_lines o
             WHERE o.key = l.key AND o.version <= %(version)s)
FROM registry_lines l
WHERE version <= %(version)s AND (%(since)s = 0 OR key IN
    (SELECT key FROM registry_lines WHERE version > %(since)s AND version <= %(version)s))
ORDER BY key, version DESC
"""
"""The newest line of each key; of a delta, of the keys that it is about."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log: what it is about, for whom, and the entry that a kiosk gets.

    Of a trust list, ``entry`` is a list of them.
    """

    key: str
    scope: str
    entry: bytes
    gone: bool


def covers(scope: str, kiosk: str) -> bool:
    """Whether a kiosk is, or is one of, ``scope``."""
    return kiosk.startswith(scope[:-1]) if scope.endswith("/*") else scope == kiosk


def lines_of(said: Mapping[str, Any], folder: Path) -> list[Line]:
    """What a file says; photographs are read from beside it, in ``folder``.

    Raises:
        UsageError: no kiosk would take it; nothing of what it says is quoted but its place.
    """
    scope = said.get("to")
    if not isinstance(scope, str) or not _is_scope(scope):
        raise UsageError('"to" is a kiosk (lakeside/g3/north-1) or a group (lakeside/g3/*)')
    if unknown := sorted(said.keys() - _KEYS):
        raise UsageError(f"not known: {', '.join(unknown)}")
    found: list[Line] = []
    for kind, make in _MAKERS.items():
        items = said.get(kind, [])
        if not isinstance(items, list):
            raise UsageError(f'"{kind}" is a list')
        for number, item in enumerate(items):
            try:
                found.append(_line(scope, make(item, folder)))
            except KeyError as error:
                raise UsageError(f"{kind}[{number}]: {error.args[0]} is missing") from None
            except (ValueError, TypeError, AttributeError, OverflowError) as error:
                raise UsageError(f"{kind}[{number}]: {error}") from None
    if len({line.key for line in found}) != len(found):
        raise UsageError("one holder, pass, issuer, category, list or card stands there twice")
    return found


def _is_scope(text: str) -> bool:
    return PLACE.fullmatch(text) is not None or _GROUP.fullmatch(text) is not None


def _seconds(value: object) -> int:
    moment = datetime.fromisoformat(str(value))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _holder(item: Mapping[str, Any], folder: Path) -> dict[int, Any]:
    if unknown := sorted(item.keys() - _HOLDER):
        raise ValueError(f"not known: {', '.join(unknown)}")
    made: dict[int, Any] = {0: 1, 1: item["id"], 2: item["name"], 3: item["category"]}
    if (consent := item.get("consent")) is not None:
        made[7] = {1: consent["notice"], 2: _seconds(consent["at"])}
    if (photograph := item.get("photograph")) is not None:
        # Face data travels by the holder's word only; the kiosk asks for it once more.
        if consent is None:
            raise ValueError("a photograph is sent with the holder's consent only")
        made[9] = _bytes(folder / str(photograph))
    for label, name in ((4, "enabled"), (10, "overrules")):
        if name in item:
            made[label] = item[name]
    return made | _ends(item, 5, 6)


def _ends(item: Mapping[str, Any], first: int, last: int) -> dict[int, int]:
    ends = ((first, item.get("from")), (last, item.get("until")))
    return {label: _seconds(value) for label, value in ends if value is not None}


def _bytes(path: Path) -> bytes:
    try:
        check_photograph(path.name, path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"the photograph {path.name}: {error.strerror}") from None


def _issuer(item: Mapping[str, Any], _folder: Path) -> dict[int, Any]:
    if "delegation" in item:
        return {0: 4, 5: base64url.decode(item["delegation"])} | _ends(item, 3, 4)
    return {0: 4, 1: item["issuer"], 2: base64url.decode(item["public"])} | _ends(item, 3, 4)


def _rules(item: Mapping[str, Any], _folder: Path) -> dict[int, Any]:
    rules = item["rules"]
    if rules is None:
        return {0: 6, 1: item["category"]}
    if not isinstance(rules, list):
        raise ValueError("rules are a list, or null")  # noqa: TRY004 - one kind of error for all
    return {0: 6, 1: item["category"], 2: json.dumps(rules, ensure_ascii=False)}


def _trust_list(item: Mapping[str, Any], folder: Path) -> list[Mapping[int, Any]]:
    path = folder / str(item["file"])
    try:
        content = path.read_bytes().decode()
    except OSError as error:
        raise ValueError(f"the trust list {path.name}: {error.strerror}") from None
    return [encoded(one) for one in in_pieces(item["name"], content, item.get("issuer"))]


_Made = Mapping[int, Any] | Sequence[Mapping[int, Any]]
_MAKERS: Mapping[str, Callable[[Any, Path], _Made]] = {
    "holders": _holder,
    "remove": lambda item, _folder: {0: 2, 1: item},
    "revoke": lambda item, _folder: {0: 3, 1: item},
    "issuers": _issuer,
    "issuers_gone": lambda item, _folder: {0: 5, 1: item},
    "rules": _rules,
    "trust_lists": _trust_list,
    "trust_lists_gone": lambda item, _folder: {0: 8, 1: item},
    "cards": lambda item, _folder: {0: 9, 1: item["holder"], 2: item["card"]} | _ends(item, 3, 4),
    "cards_gone": lambda item, _folder: {0: 10, 2: item},
}


def _line(scope: str, made: _Made) -> Line:
    read = _read(cbor2.dumps(made, canonical=True))
    key, gone = _about(read[0])
    whole = [encoded(entry) for entry in read]
    return Line(
        key, scope, cbor2.dumps(whole if len(whole) > 1 else whole[0], canonical=True), gone
    )


def _read(raw: bytes) -> list[Entry]:
    said = cbor.decode(raw, max_bytes=_MOST_LIST_BYTES)
    return [read_entry(one) for one in (said if isinstance(said, tuple) else (said,))]


def _about(entry: Entry) -> tuple[str, bool]:
    match entry:
        case HolderEntry(holder=holder):
            return f"holder:{holder.id}", False
        case Removal(holder):
            return f"holder:{holder}", True
        case Revocation(gate_pass):
            return f"pass:{gate_pass}", False
        case CardEntry(number):
            return f"card:{number}", False
        case CardGone(number):
            return f"card:{number}", True
        case _:
            return _about_words(entry)


def _about_words(
    entry: IssuerEntry | IssuerGone | RulesEntry | TrustListEntry | TrustListGone,
) -> tuple[str, bool]:
    match entry:
        case IssuerEntry(key):
            return f"issuer:{key_id(key.key).hex()}", False
        case IssuerGone(key):
            return f"issuer:{key}", True
        case RulesEntry(category, rules):
            return f"rules:{category}", rules is None
        case TrustListEntry(name):
            return f"list:{name}", False
        case TrustListGone(name):
            return f"list:{name}", True


def add(connection: Connection, lines: Sequence[Line]) -> int:
    """Add lines under a new version, which is returned; of whoever goes the older lines go."""
    with connection.transaction(), connection.cursor() as cursor:
        # The row is locked to the end: versions are committed in their order.
        row = cursor.execute(
            "INSERT INTO registry (version) VALUES (1) ON CONFLICT (only_one)"
            " DO UPDATE SET version = registry.version + 1 RETURNING version"
        ).fetchone()
        assert row is not None
        version = int(row[0])
        for line in lines:
            if line.gone and line.key.startswith("holder:"):
                cursor.execute(
                    "UPDATE registry_lines SET entry = ''::bytea WHERE key = %s", (line.key,)
                )
            cursor.execute(
                "INSERT INTO registry_lines (version, key, scope, entry, gone)"
                " VALUES (%s, %s, %s, %s, %s)",
                (version, line.key, line.scope, line.entry, line.gone),
            )
    return version


def entries(cursor: psycopg.Cursor[Any], kiosk: str, since: int, version: int) -> list[Entry]:
    """What leads ``kiosk`` from one version to another; from 0 all that stands.

    Whoever was within the kiosk's reach and is no more is removed.
    """
    rows = cursor.execute(_STANDING, {"since": since, "version": version}).fetchall()
    found: list[tuple[int, str, list[Entry]]] = []
    for key, scope, raw, gone, at, scopes in rows:
        within, there = covers(scope, kiosk), any(covers(one, kiosk) for one in scopes)
        if within and not gone and raw:
            found.append((at, key, _read(bytes(raw))))
        elif since and there:
            # A snapshot says who is there; a delta also who is there no more.
            found.append((at, key, _away(key)))
    return [one for _, _, made in sorted(found, key=lambda one: one[:2]) for one in made]


def _away(key: str) -> list[Entry]:
    """What takes away what was sent under ``key``; a revoked pass stays so."""
    kind, _, name = key.partition(":")
    number = _AWAY.get(kind)
    return [] if number is None else [read_entry({0: number, 1: name})]


_AWAY = {"holder": 2, "issuer": 5, "rules": 6, "list": 8}


def digest(made: Iterable[Entry]) -> bytes:
    """By which two lists of entries are told apart."""
    whole = hashlib.sha256()
    for entry in made:
        whole.update(cbor2.dumps(encoded(entry), canonical=True))
    return whole.digest()
