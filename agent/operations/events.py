"""Reads the journal for people: what happened since when, of what kind, as CloudEvents."""

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, TextIO

from agent.domain.events import EventType, cloud_event
from agent.errors import RefusedError, UnavailableError
from agent.operations.holders import parse_moment
from agent.ports import StoredEvent

_AGE = re.compile(r"(\d{1,9})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events; empty ``types`` are all."""

    since: datetime | None = None
    types: frozenset[EventType] = frozenset()

    def holds(self, stored: StoredEvent) -> bool:
        """Whether ``stored`` is one of them."""
        event = stored.event
        return (self.since is None or event.time >= self.since) and (
            not self.types or event.type in self.types
        )


def parse_types(words: Iterable[str]) -> frozenset[EventType]:
    """Event types by name, with or without the prefix of CloudEvents; a family names all of it.

    Raises:
        RefusedError: ``event_type``: there is none of this name.
    """
    found: set[EventType] = set()
    for word in words:
        name = word.removeprefix("gate.")
        named = {kind for kind in EventType if name in (kind.value, kind.value.partition(".")[0])}
        if not named:
            known = ", ".join(kind.value for kind in EventType)
            raise RefusedError("event_type", f"there are no events of type {word!r}\nFix: {known}")
        found |= named
    return frozenset(found)


def parse_since(text: str | None, zone: tzinfo, now: datetime) -> datetime | None:
    """A moment as ``holders.parse_moment`` reads one, or an age: ``90s``, ``15m``, ``8h``, ``7d``.

    Raises:
        RefusedError: ``validity``: it is neither.
    """
    if text is None:
        return None
    if age := _AGE.fullmatch(text):
        try:
            return now - timedelta(seconds=int(age[1]) * _SECONDS[age[2]])
        except OverflowError:
            return None
    return parse_moment(text, zone, ends=False)


def as_json(stored: StoredEvent, source: str) -> dict[str, Any]:
    """The CloudEvent that the broker gets, or got."""
    return cloud_event(stored.event, source=source, epoch=stored.epoch, sequence=stored.sequence)


def write_lines(
    rows: Iterable[StoredEvent],
    source: str,
    file: Path,
    advance: Callable[[int], None] = lambda _count: None,
) -> int:
    """Write a CloudEvent a line into ``file``, whole or not at all; how many there were.

    The file has mode 0600: it says who passed when.

    Raises:
        UnavailableError: it cannot be written.
    """
    count = 0
    try:
        with replacing(file) as stream:
            for row in rows:
                stream.write(json.dumps(as_json(row, source)) + "\n")
                count += 1
                advance(count)
    except OSError as error:
        raise UnavailableError(
            f"{file} cannot be written: {error.strerror or error}", "name another place"
        ) from error
    return count


@contextmanager
def replacing(file: Path) -> Iterator[TextIO]:
    """A text file that takes the place of ``file`` when the block ends well, and mode 0600."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    made = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        made.replace(file)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
