"""Announcements from the broker: parsed within bounds, dropped with a count where they may not be.

    {"id": "2026-11-25-1", "message": "announce.visitors", "priority": "routine",
     "expires": "2026-11-25T18:00:00Z", "repeat": 2, "language": "en"}

``message`` is the key of a prepared text; ``text`` in its place is free text, and is dropped unless
the config allows it. Signed commands apart, nothing from the broker moves an output: what
comes of an announcement is sound, and no way leads from here to the controller.
"""

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from agent.credentials.errors import CredentialError
from agent.credentials.formats.strict_json import loads
from agent.domain.access.hints import ANNOUNCEMENT_PREFIX, KEY_PATTERN, LANGUAGE_PATTERN, Priority
from agent.domain.hours.instant import Instant
from agent.domain.hours.iso_time import read_moment
from agent.domain.record.announcement import PRIORITIES, Announcement
from agent.errors import RefusedError
from agent.operations.voice.texts import speakable

LARGEST_BYTES = 4096
_KEYS = {"id", "message", "text", "priority", "expires", "repeat", "language"}
NEEDED = {"id", "priority", "expires"}
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,30})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_FURTHEST = timedelta(days=7)
_REMEMBERED = 512
_AT_ONCE, _REFILL_S = 6.0, 10.0

_log = structlog.get_logger(__name__)


def parse_announcement(payload: bytes) -> Announcement:
    """The announcement that a payload is.

    Raises:
        RefusedError: it is none; what is wrong is named by key, never by what stands there.
    """
    if len(payload) > LARGEST_BYTES:
        raise _refused(f"larger than {LARGEST_BYTES} bytes")
    try:
        read = loads(payload)
    except CredentialError as error:
        raise _refused(error.detail) from None
    if not isinstance(read, dict):
        raise _refused("no JSON object")
    if not read.keys() <= _KEYS:
        raise _refused("an unknown key")
    if not read.keys() >= NEEDED:
        raise _refused(f"without {', '.join(sorted(NEEDED - read.keys()))}")
    if ("message" in read) == ("text" in read):
        raise _refused("neither message nor text, or both")
    repeat = read.get("repeat", 1)
    if type(repeat) is not int or not 1 <= repeat <= 3:
        raise _refused("repeat is 1, 2 or 3")
    if not isinstance(read["priority"], str) or read["priority"] not in PRIORITIES:
        raise _refused(f"priority is {', '.join(PRIORITIES)}")
    return Announcement(
        id=_word(read, "id", _ID),
        priority=PRIORITIES[read["priority"]],
        expires=_time(read["expires"]),
        message=_word(read, "message", re.compile(KEY_PATTERN)) if "message" in read else None,
        text=_text(read["text"]) if "text" in read else None,
        repeat=repeat,
        language=_word(read, "language", re.compile(LANGUAGE_PATTERN))
        if "language" in read
        else None,
    )


class AnnouncementFilter:
    """Which announcements are said; called by one thread at a time."""

    def __init__(
        self,
        now: Callable[[], Instant],
        prepared: Callable[[str], bool],
        languages: Collection[str],
        *,
        speak_text: bool = False,
    ) -> None:
        """``prepared`` says whether a message can be played in every one of ``languages``."""
        self._now = now
        self._prepared = prepared
        self._languages = frozenset(languages)
        self._speak_text = speak_text
        self._heard: OrderedDict[str, None] = OrderedDict()
        # An emergency has its own, so that nothing else can use it up.
        self._rates = {True: _Rate(), False: _Rate()}
        self.dropped: Counter[str] = Counter()

    def hear(self, payload: bytes) -> Announcement | None:
        """The announcement to say now, or None: dropped, counted and logged.

        A retained one comes again with every connection; its id is known by then, or it has
        expired.
        """
        try:
            wanted = parse_announcement(payload)
        except RefusedError as error:
            self._drop("malformed", str(error))
            return None
        objection = self._objection(wanted, self._now())
        if objection is not None:
            self._drop(*objection)
            return None
        self._heard[wanted.id] = None
        if len(self._heard) > _REMEMBERED:
            self._heard.popitem(last=False)
        _log.info("announcement", id=wanted.id, priority=wanted.priority.name.lower())
        return wanted

    def _objection(self, wanted: Announcement, now: Instant) -> tuple[str, str] | None:
        """Why it may not be said: what is counted, and the words for the log."""
        if not now.utc_trusted:
            return "clock_untrusted", "whether it has expired cannot be told"
        if wanted.expires <= now.utc:
            return "expired", "it has expired"
        if wanted.expires - now.utc > _FURTHEST:
            return "malformed", f"expires is more than {_FURTHEST.days} days away"
        if wanted.text is not None and not self._speak_text:
            return "text_not_allowed", "free text needs speak_text = true in [voice]"
        if wanted.message is not None and not self._sayable(wanted.message):
            return "unknown_message", "no such message: gate-agent voice list"
        if wanted.language is not None and wanted.language not in self._languages:
            return "unknown_message", "no such language: gate-agent voice list"
        if wanted.id in self._heard:
            return "repeated", "its id was heard before"
        if not self._rates[wanted.priority is Priority.EMERGENCY].take(now.monotonic_s):
            return "too_many", "too many announcements"
        return None

    def _sayable(self, key: str) -> bool:
        # "Please come in" is the controller's to say.
        return key.startswith(ANNOUNCEMENT_PREFIX) and self._prepared(key)

    def _drop(self, kind: str, why: str) -> None:
        self.dropped[kind] += 1
        count = self.dropped[kind]
        # The 1st, 2nd, 4th, 8th...: a flood must not fill the log.
        if count & (count - 1) == 0:
            _log.warning("announcement_dropped", kind=kind, why=why, count=count)


class _Rate:
    """Six at once, then one in ten seconds."""

    def __init__(self) -> None:
        self._left = _AT_ONCE
        self._since_s: float | None = None

    def take(self, now_s: float) -> bool:
        if self._since_s is not None:
            gained = (now_s - self._since_s) / _REFILL_S
            self._left = min(_AT_ONCE, self._left + gained)
        self._since_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


def _word(read: dict[str, Any], key: str, pattern: re.Pattern[str]) -> str:
    value = read[key]
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _refused(f"{key} is no such word")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not speakable(value):
        raise _refused("text is 1 to 200 printable characters on one line")
    return value


def _time(value: object) -> datetime:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise _refused("expires is no RFC 3339 time")
    try:
        return read_moment(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refused("expires is no RFC 3339 time") from None


def _refused(why: str) -> RefusedError:
    return RefusedError("announcement_refused", why)
