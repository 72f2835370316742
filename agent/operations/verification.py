"""Looks over events of a kiosk, its own or a backend's: was one removed, changed or put elsewhere.

Each event is held against its commitments, each pair of neighbours against their links, each
checkpoint against the kiosk's key and the link that it names. What is not there can be told by its
number; whether it ever was in this file, only by what the journal remembers to have forgotten.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.credentials.errors import CredentialError
from agent.credentials.formats import base64url
from agent.credentials.passes.issuers import key_id
from agent.credentials.signed.checkpoint import verify_checkpoint
from agent.domain.foreign.boundary import read_or
from agent.domain.foreign.json_text import read_json
from agent.domain.record import chain
from agent.domain.record.events import EventType
from agent.errors import UnavailableError
from agent.operations.kiosk_key import read_kiosk_key
from agent.operations.stretches import Seen, Stretches, blamed, seen
from agent.ports import Tip

_CHECKPOINT = f"gate.{EventType.JOURNAL_CHECKPOINT.value}"
_STEP = 1000
T = TypeVar("T")

Place = tuple[str, str]
"""A stream: ``source`` and ``epoch``."""


class Flaw(StrEnum):
    """What may be found; the value is the word in JSON."""

    MISSING = "missing"
    CHANGED = "changed"
    VALUE_CHANGED = "value_changed"
    TWICE = "twice"
    OUT_OF_ORDER = "out_of_order"
    CHECKPOINT = "checkpoint"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: from ``first`` to ``last`` (sequences), or in a line of a file."""

    flaw: Flaw
    detail: str
    place: Place | None = None
    first: int | None = None
    last: int | None = None
    line: int | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON values under stable keys."""
        source, epoch = self.place or (None, None)
        return {
            "flaw": self.flaw.value,
            "source": source,
            "epoch": epoch,
            "sequence": self.first,
            "last": self.last,
            "line": self.line,
            "detail": self.detail,
        }


@dataclass(slots=True)
class Stream:
    """What was found of one stream that is no flaw.

    ``forgotten`` are the events that retention took, or that stand before the file begins;
    ``signed`` is up to where a checkpoint vouches, None where none does.
    """

    place: Place
    first: int
    last: int
    events: int
    unchained: int
    forgotten: int
    checkpoints: int
    signed: int | None

    def as_json(self) -> dict[str, Any]:
        """JSON values under stable keys."""
        return {
            "source": self.place[0],
            "epoch": self.place[1],
            "first": self.first,
            "last": self.last,
            "events": self.events,
            "unchained": self.unchained,
            "forgotten": self.forgotten,
            "checkpoints": self.checkpoints,
            "signed": self.signed,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """``others`` are lines that are no events, ``unjudged`` checkpoints without a key for them."""

    streams: list[Stream]
    findings: list[Finding]
    repeats: int
    others: int
    unjudged: int

    def as_json(self) -> dict[str, Any]:
        """JSON values under stable keys."""
        return {
            "whole": not self.findings,
            "events": sum(one.events for one in self.streams),
            "repeats": self.repeats,
            "others": self.others,
            "unjudged": self.unjudged,
            "streams": [one.as_json() for one in self.streams],
            "findings": [one.as_json() for one in self.findings],
        }


@dataclass(frozen=True, slots=True)
class _Signed:
    stated: tuple[Place, int]
    of: tuple[Place, int]
    link: str
    line: int | None


@dataclass(slots=True)
class _Stream:
    stretches: Stretches = field(default_factory=Stretches)
    newest: int = 0
    checkpoints: int = 0
    signed: int | None = None


class Verification:
    """Takes events one by one, and says at the end what is wrong with them."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey], *, any_order: bool = False) -> None:
        """``keys`` of kiosks by their ids; ``any_order`` where the order of lines says nothing."""
        self._keys = keys
        self._any_order = any_order
        self._streams: dict[Place, _Stream] = {}
        self._findings: list[Finding] = []
        self._checkpoints: list[_Signed] = []
        self._repeats = self._others = self._unjudged = 0

    def other(self) -> None:
        """A line that is no event: a status, say."""
        self._others += 1

    def unreadable(self, line: int) -> None:
        """A line that is nothing at all."""
        self._found(Flaw.UNREADABLE, "no JSON", line=line)

    def take(self, event: Mapping[str, Any], line: int | None = None) -> None:
        """The next event as it was published; ``line`` is where it stands in a file."""
        place = (str(event.get("source")), str(event.get("epoch")))
        try:
            one = seen(event)
        except ValueError:
            self._found(Flaw.UNREADABLE, "an event without its place", place, line=line)
            return
        stream = self._streams.setdefault(place, _Stream())
        if not stream.stretches.take(one):
            self._again(place, stream, one, line)
            return
        if one.sequence < stream.newest and not self._any_order:
            detail = f"stands behind {stream.newest}"
            self._found(Flaw.OUT_OF_ORDER, detail, place, one.sequence, line=line)
        stream.newest = max(stream.newest, one.sequence)
        if one.previous is not None and not chain.values_fit(event):
            detail = "a value is not the one that was recorded"
            self._found(Flaw.VALUE_CHANGED, detail, place, one.sequence, line=line)
        if event.get("type") == _CHECKPOINT:
            self._judge(event, place, one, line)

    def finish(self, gone: Callable[[Place, int, int], bool], tip: Tip | None = None) -> Report:
        """All that was found.

        ``gone`` says of a stream whether what is missing from one sequence to another may be;
        ``tip`` is where a kiosk's own journal ends.
        """
        streams = [self._close(place, stream, gone) for place, stream in self._streams.items()]
        for one in self._checkpoints:
            self._hold(one)
        for told in streams:
            told.signed = self._streams[told.place].signed
        if tip is not None:
            self._end(tip)
        order = sorted(self._findings, key=lambda one: (one.place or ("", ""), one.first or 0))
        return Report(streams, order, self._repeats, self._others, self._unjudged)

    def _close(
        self, place: Place, stream: _Stream, gone: Callable[[Place, int, int], bool]
    ) -> Stream:
        stretches, forgotten = stream.stretches, 0
        for first, last in stretches.close():
            if gone(place, first, last):
                forgotten += last - first + 1
            else:
                self._found(Flaw.MISSING, "not there", place, first, last)
        for sequence in blamed(stretches.loose):
            detail = "changed, or not in its place: the links to its neighbours do not hold"
            self._found(Flaw.CHANGED, detail, place, sequence)
        return Stream(
            place,
            stretches.first,
            stretches.last,
            stretches.events,
            stretches.unchained,
            forgotten,
            stream.checkpoints,
            None,
        )

    def _again(self, place: Place, stream: _Stream, one: Seen, line: int | None) -> None:
        if stream.stretches.is_that(one.sequence, one.link):
            self._repeats += 1
        else:
            detail = "two different events at one place"
            self._found(Flaw.TWICE, detail, place, one.sequence, line=line)

    def _judge(self, event: Mapping[str, Any], place: Place, one: Seen, line: int | None) -> None:
        self._streams[place].checkpoints += 1
        data = event.get("data")
        said = data if isinstance(data, Mapping) else {}
        key = self._keys.get(str(said.get("key_id")))
        if key is None:
            self._unjudged += 1
            if self._keys:
                self._found(Flaw.CHECKPOINT, "by another key", place, one.sequence, line=line)
            return
        try:
            text = str(said.get("signature"))
            known = verify_checkpoint(base64url.decode(text), key)
        except (CredentialError, ValueError):
            self._found(Flaw.CHECKPOINT, "the signature is wrong", place, one.sequence, line=line)
            return
        stated = (said.get("until"), said.get("link"), place[0])
        if stated != (f"{known.sequence:020d}", known.link.hex(), known.source):
            self._found(Flaw.CHECKPOINT, "signed was another", place, one.sequence, line=line)
            return
        of = ((known.source, known.epoch), known.sequence)
        if of == (place, one.sequence - 1) and one.previous != known.link.hex():
            detail = "what stands before it is not what was signed"
            self._found(Flaw.CHECKPOINT, detail, place, one.sequence, line=line)
            return
        self._checkpoints.append(_Signed((place, one.sequence), of, known.link.hex(), line))

    def _hold(self, signed: _Signed) -> None:
        """A checkpoint against the event that it names, where that is there."""
        place, sequence = signed.of
        stream = self._streams.get(place)
        found = None if stream is None else stream.stretches.is_that(sequence, signed.link)
        if found is False:
            detail = f"event {sequence} is not the one that was signed"
            self._found(Flaw.CHECKPOINT, detail, *signed.stated, line=signed.line)
        elif stream is not None:
            stream.signed = max(stream.signed or 0, sequence)

    def _end(self, tip: Tip) -> None:
        place = (tip.source, tip.epoch)
        stream = self._streams.get(place)
        found = None
        if stream is not None:
            found = stream.stretches.is_that(tip.sequence, tip.link.hex())
        if found is None:
            last = 0 if stream is None else stream.stretches.last
            if last < tip.sequence:
                detail = "the journal went on to there"
                self._found(Flaw.MISSING, detail, place, last + 1, tip.sequence)
        elif not found:
            self._found(Flaw.CHANGED, "the newest is another", place, tip.sequence)

    def _found(
        self,
        flaw: Flaw,
        detail: str,
        place: Place | None = None,
        first: int | None = None,
        last: int | None = None,
        line: int | None = None,
    ) -> None:
        upto = first if last is None else last
        self._findings.append(Finding(flaw, detail, place, first, upto, line))


def read_lines(
    path: Path, verification: Verification, advance: Callable[[str, int, int], None]
) -> None:
    """Take a file of published events, one JSON object a line; a topic may stand before it.

    Raises:
        UnavailableError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if number % _STEP == 0:
                    advance(path.name, number, 0)
                _read_line(line, number, verification)
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror}") from error


def _read_line(line: bytes, number: int, verification: Verification) -> None:
    begin = line.find(b"{")
    if begin < 0:
        if line.strip():
            verification.unreadable(number)
        return
    body = read_or("published events", None, lambda: read_json(line[begin:]))
    if not isinstance(body, dict):
        verification.unreadable(number)
    elif "specversion" in body:
        verification.take(body, number)
    else:
        verification.other()


def advancing(
    events: Iterable[T], total: int, advance: Callable[[str, int, int], None]
) -> Iterator[T]:
    """``events``, with a word of how far they are."""
    for number, one in enumerate(events, 1):
        if number % _STEP == 0:
            advance("events", number, total)
        yield one


def parse_keys(words: Iterable[str]) -> dict[str, Ed25519PublicKey]:
    """Public keys by their ids: each in base64url or hexadecimal digits, or a file.

    A file is PEM, or what ``key show --json`` prints.

    Raises:
        RefusedError: ``key``: it is neither.
        UnavailableError: the file cannot be read, or holds no such key.
    """
    found = [read_kiosk_key(word) for word in words]
    return {key_id(key).hex(): key for key in found}
