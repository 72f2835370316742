"""The texts of each language: the agent's own in agent/voices, a community's in a folder of theirs.

A file ``<language>.toml`` is a language; one of the community's adds a language, or replaces texts
of the agent's own and adds announcements.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from agent.domain.access.hints import (
    ANNOUNCEMENT_PREFIX,
    KEY_PATTERN,
    LANGUAGE_PATTERN,
    LONGEST_TEXT,
    NEEDED_KEYS,
    SIGN_KEYS,
)
from agent.domain.credential.name import is_line
from agent.domain.credential.near import did_you_mean
from agent.domain.foreign.text import NoTextError, text_of
from agent.errors import UnavailableError

_LARGEST_BYTES = 100_000
_MOST_MESSAGES = 200
_VOICE = re.compile(r"[A-Za-z0-9+_-]{1,32}")
_SPEED_WPM = range(80, 301)


@dataclass(frozen=True, slots=True)
class VoiceTexts:
    """One language: ``voice`` is espeak-ng's name of it, ``messages`` the text of each key."""

    language: str
    voice: str
    words_per_minute: int
    messages: Mapping[str, str]


def languages(folder: Path | None = None) -> list[str]:
    """The languages that have texts, the agent's own and those of ``folder``."""
    own = [Path(entry.name) for entry in resources.files("agent").joinpath("voices").iterdir()]
    theirs = list(folder.iterdir()) if folder is not None and folder.is_dir() else []
    names = {path.stem for path in (*own, *theirs) if path.suffix == ".toml"}
    return sorted(name for name in names if re.fullmatch(LANGUAGE_PATTERN, name))


def load_texts(language: str, folder: Path | None = None) -> VoiceTexts:
    """The texts of ``language``, those of ``folder`` before the agent's own.

    Raises:
        UnavailableError: there are none, a file is damaged, or a message is missing.
    """
    sources: list[tuple[str, bytes]] = []
    if re.fullmatch(LANGUAGE_PATTERN, language):
        own = resources.files("agent").joinpath("voices", f"{language}.toml")
        if own.is_file():
            sources.append((f"agent/voices/{language}.toml", own.read_bytes()))
        theirs = folder / f"{language}.toml" if folder is not None else None
        if theirs is not None and theirs.is_file():
            sources.append((str(theirs), _read(theirs)))
    if not sources:
        known = languages(folder)
        fix = f"use one of {', '.join(known)}, or write {language}.toml into the folder of [voice]"
        said = f"there are no texts in the language {language!r}{did_you_mean(language, known)}"
        raise UnavailableError(said, f"{fix} texts")
    merged: dict[str, Any] = {"messages": {}}
    for name, content in sources:
        table = _parse(name, content)
        merged = {**merged, **table, "messages": {**merged["messages"], **table["messages"]}}
    missing = [key for key in NEEDED_KEYS if key not in merged["messages"]]
    if missing or "voice" not in merged:
        lacks = ", ".join(missing) or "voice"
        raise UnavailableError(f"{sources[-1][0]} lacks {lacks}", "add what is missing")
    speed = merged.get("words_per_minute", 160)
    return VoiceTexts(language, merged["voice"], speed, dict(sorted(merged["messages"].items())))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > _LARGEST_BYTES:
        raise UnavailableError(f"{path} is larger than {_LARGEST_BYTES} bytes")
    return content


def _parse(name: str, content: bytes) -> dict[str, Any]:
    try:
        table = tomllib.loads(text_of(content))
    except (tomllib.TOMLDecodeError, NoTextError, RecursionError) as error:
        raise UnavailableError(f"{name} is no TOML: {error}") from error
    unknown = table.keys() - {"voice", "words_per_minute", "messages"}
    if unknown:
        fix = "allowed are voice, words_per_minute and [messages]"
        raise UnavailableError(f"{name}: unknown key {min(unknown)!r}", fix)
    voice, speed = table.get("voice"), table.get("words_per_minute")
    if voice is not None and not (isinstance(voice, str) and _VOICE.fullmatch(voice)):
        raise UnavailableError(f"{name}: voice is no voice of espeak-ng", "see espeak-ng --voices")
    if speed is not None and (type(speed) is not int or speed not in _SPEED_WPM):
        raise UnavailableError(f"{name}: words_per_minute is a number from 80 to 300")
    messages = table.setdefault("messages", {})
    if not isinstance(messages, dict) or len(messages) > _MOST_MESSAGES:
        raise UnavailableError(f"{name}: [messages] is a table of at most {_MOST_MESSAGES} texts")
    for key, text in messages.items():
        _check_message(name, key, text)
    return table


def _check_message(name: str, key: str, text: object) -> None:
    own = key in (*NEEDED_KEYS, *SIGN_KEYS) or key.startswith(ANNOUNCEMENT_PREFIX)
    if not own or not re.fullmatch(KEY_PATTERN, key):
        fix = f"a message of your own begins with {ANNOUNCEMENT_PREFIX}: a-z 0-9 _"
        raise UnavailableError(f"{name}: nobody says {key!r}", fix)
    if not isinstance(text, str) or not speakable(text):
        message = f"{name}: {key} is no text of 1 to {LONGEST_TEXT} printable characters"
        raise UnavailableError(message)


def speakable(text: str) -> bool:
    """Whether it is one line of printable text, and short enough to be listened to."""
    return 0 < len(text) <= LONGEST_TEXT and is_line(text) and bool(text.strip())
