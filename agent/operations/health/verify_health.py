"""Checks health certificates for a person or a script: one text, or a file of many."""

import codecs
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from agent.credentials.health.eu_dcc_rules import EU_TRAVEL, AcceptanceRules
from agent.credentials.health.health import HealthVerdict, refused
from agent.credentials.health.health_certificate import kind_of, verify_health
from agent.credentials.health.trust import TrustList, TrustListError, content_of, parse_trust
from agent.domain.foreign.json_text import read_json
from agent.domain.foreign.text import NoTextError, text_of
from agent.errors import RefusedError, UnavailableError
from agent.operations.moments import parse_moment

RULES: Mapping[str, AcceptanceRules] = {"stated": AcceptanceRules(), "eu-travel": EU_TRAVEL}
"""What may be asked of an EU certificate, by name: only what it states, or what travel asked."""

_MAX_TEXT_BYTES = 1_000_000
_MAX_LINE_BYTES = 20_000_000
_REMEMBERED_LISTS = 64


def read_code(file: Path) -> str:
    """The text of a code from ``file``, without the line ends behind it.

    Raises:
        UnavailableError: it cannot be read.
        RefusedError: ``text``; it is far too long, or no text.
    """
    return _code(_read(file), str(file))


def read_code_from(stream: BinaryIO, name: str) -> str:
    """The same from a stream, which messages call ``name``.

    Raises:
        RefusedError: ``text``; it is far too long, or no text.
    """
    return _code(stream.read(_MAX_TEXT_BYTES + 1), name)


def _code(data: bytes, name: str) -> str:
    if len(data) > _MAX_TEXT_BYTES:
        raise RefusedError("text", f"{name} is too long for any certificate")
    try:
        return text_of(data).rstrip("\r\n")
    except NoTextError as error:
        raise RefusedError("text", f"{name} is no text {error}\nFix: save it as UTF-8") from None


def read_trust(file: Path, issuer: str | None = None) -> TrustList:
    """The trust list in ``file``; ``issuer`` as ``parse_trust`` takes it.

    Raises:
        UnavailableError: it cannot be read.
        TrustListError: it is no trust list.
    """
    return parse_trust(content_of(_read(file)), issuer)


def verify_code(text: str, trust: TrustList, at: datetime, rules: str = "stated") -> HealthVerdict:
    """The verdict on one code; ``rules`` is a name of ``RULES``."""
    return verify_health(text, trust, at, RULES[rules])


def verify_lines(
    lines: Iterable[bytes], now: datetime, rules: str = "stated"
) -> Iterator[HealthVerdict]:
    """A verdict a line; a broken line gets its own and stops nothing.

    A line is a JSON object: ``text``, ``trust`` (the content of a trust file), ``issuer`` (whose
    keys these are, of SMART Health Cards; may be absent) and ``at`` (ISO 8601; ``now`` where it is
    absent).
    """
    trusts = _Trusts()
    for line in lines:
        try:
            asked = read_json(text_of(line))
        except ValueError:
            asked = None
        yield (
            _verdict(asked, trusts, now, RULES[rules])
            if isinstance(asked, dict)
            else refused("batch: the line is no JSON object")
        )


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of ``stream`` by any line end; of one that is far too long, nothing is kept.

    A byte order mark at its start is skipped, and UTF-16 becomes UTF-8.
    """
    start = stream.read(len(codecs.BOM_UTF16))
    if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        decoded = codecs.getincrementaldecoder("utf-16")("replace")
        decoded.decode(start)
        stream = io.BytesIO(decoded.decode(stream.read()).encode("utf-8", "replace"))
        start = b""
    while line := start + stream.readline(_MAX_LINE_BYTES - len(start)):
        whole = line.endswith(b"\n") or len(line) < _MAX_LINE_BYTES
        # No JSON text holds a bare carriage return: whole lines of old systems end so.
        yield from _by_returns(line.removeprefix(codecs.BOM_UTF8)) if whole else (b"",)
        start = b""
        while not whole:
            rest = stream.readline(_MAX_LINE_BYTES)
            whole = not rest or rest.endswith(b"\n")


def _by_returns(line: bytes) -> list[bytes]:
    bare = line.removesuffix(b"\n").removesuffix(b"\r")
    return bare.split(b"\r")


class _Trusts:
    """Trust lists by the hash of their content: a file of many codes repeats few of them."""

    def __init__(self) -> None:
        self._known: dict[bytes, TrustList | TrustListError] = {}

    def get(self, content: str, issuer: str | None) -> TrustList:
        asked = f"{issuer}\n{content}".encode("utf-8", "surrogatepass")
        key = hashlib.sha256(asked).digest()
        found = self._known.get(key)
        if found is None:
            try:
                found = parse_trust(content, issuer)
            except TrustListError as error:
                found = error
            if len(self._known) >= _REMEMBERED_LISTS:
                del self._known[next(iter(self._known))]
            self._known[key] = found
        if isinstance(found, TrustListError):
            raise found
        return found


def _verdict(
    asked: Mapping[str, Any], trusts: _Trusts, now: datetime, rules: AcceptanceRules
) -> HealthVerdict:
    text, content, moment = asked.get("text"), asked.get("trust"), asked.get("at")
    if not isinstance(text, str) or not isinstance(content, str):
        return refused("batch: the line lacks text or trust")
    try:
        issuer = asked.get("issuer")
        trust = trusts.get(content, None if issuer is None else str(issuer))
    except TrustListError:
        # What can be told without keys still is; no key is found for the signature.
        trust = TrustList(gap="signature: the trust list cannot be read")
    if moment is None:
        return verify_health(text, trust, now, rules)
    try:
        return verify_health(text, trust, parse_moment(moment), rules)
    except (RefusedError, TypeError):
        return refused("batch: the time is not ISO 8601", kind_of(text))


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(_MAX_LINE_BYTES)
    except OSError as error:
        raise UnavailableError(f"{file} cannot be read: {error.strerror}") from error
