"""Prepares what the gate says: one WAV file a message, synthesised from its text or recorded.

    <state>/voices/<language>/<key>.wav              synthesised; manifest.json says from which text
    <state>/voices/recordings/<language>/<key>.wav   recorded; wins over the synthesised one

An unchanged text is not made again. Every file is written whole or not at all.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agent.domain.foreign.json_text import read_json
from agent.errors import RefusedError, UnavailableError
from agent.operations.files import write_whole
from agent.operations.places import VOICES_FOLDER
from agent.operations.voice.recordings import LARGEST_BYTES, check_wav
from agent.operations.voice.texts import VoiceTexts, languages

Synthesise = Callable[[str, str, int], bytes]
"""A WAV file of a text, a voice and a speed in words a minute; raises ``UnavailableError``."""
Source = Literal["recording", "synthesised", "missing", "outdated"]

_RECORDINGS, _MANIFEST = "recordings", "manifest.json"
_LARGEST_MANIFEST = 1_000_000


@dataclass(frozen=True, slots=True)
class VoiceMessage:
    """One message of one language and the file that says it; ``length_s`` None without a file."""

    language: str
    key: str
    text: str
    source: Source
    changed: bool = False
    length_s: float | None = None


class VoiceFiles:
    """Where the files lie; whoever plays them needs no more."""

    def __init__(self, state: Path) -> None:
        self._root = state / VOICES_FOLDER

    def synthesised(self, language: str, key: str) -> Path:
        """The place of the synthesised file."""
        return self._root / language / f"{key}.wav"

    def recorded(self, language: str, key: str) -> Path:
        """The place of the recording."""
        return self._root / _RECORDINGS / language / f"{key}.wav"

    def manifest(self, language: str) -> Path:
        """The place of the hashes of a language's synthesised texts."""
        return self._root / language / _MANIFEST

    def spoken(self) -> Path:
        """The place of free text, replaced by the next."""
        return self._root / "spoken.wav"

    def find(self, language: str, key: str) -> Path | None:
        """The file to play, a recording first; None where there is none that may be looked at."""
        places = (self.recorded(language, key), self.synthesised(language, key))
        return next((place for place in places if _is_there(place)), None)


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:
        return False  # a folder of another user's, say: no thread may die of it


def prepare(
    files: VoiceFiles,
    texts: Sequence[VoiceTexts],
    synthesise: Synthesise,
    recordings: Path | None = None,
) -> list[VoiceMessage]:
    """Install ``recordings`` (``<language>/<key>.wav`` in that folder), then make what is missing.

    All recordings are looked at before the first is installed.

    Raises:
        UnavailableError: a folder cannot be read or written, or nothing can synthesise.
        RefusedError: a recording is unusable, or belongs to no message.
    """
    recorded = _recordings(recordings, texts) if recordings is not None else {}
    for (language, key), content in recorded.items():
        write_file(content, files.recorded(language, key))
    found: list[VoiceMessage] = []
    for one in texts:
        manifest, before = _read_manifest(files.manifest(one.language)), len(found)
        for key, text in one.messages.items():
            told = _message(files, one, key, manifest)
            if told.source in ("missing", "outdated"):
                content = synthesise(text, one.voice, one.words_per_minute)
                _check_synthesised(content, one.language, key)
                write_file(content, files.synthesised(one.language, key))
                manifest[key] = _entry(one, key, content)
                told = _message(files, one, key, manifest, changed=True)
            elif (one.language, key) in recorded:
                told = _message(files, one, key, manifest, changed=True)
            found.append(told)
        if any(one.changed and one.source == "synthesised" for one in found[before:]):
            kept = {key: manifest[key] for key in one.messages if key in manifest}
            write_file(json.dumps(kept, indent=1).encode(), files.manifest(one.language))
    return found


def list_messages(files: VoiceFiles, texts: Sequence[VoiceTexts]) -> list[VoiceMessage]:
    """Every message with what says it; nothing is made."""
    return [
        _message(files, one, key, manifest)
        for one in texts
        for manifest in [_read_manifest(files.manifest(one.language))]
        for key in one.messages
    ]


def _message(
    files: VoiceFiles,
    texts: VoiceTexts,
    key: str,
    manifest: dict[str, Any],
    *,
    changed: bool = False,
) -> VoiceMessage:
    language, text = texts.language, texts.messages[key]
    recorded, synthesised = files.recorded(language, key), files.synthesised(language, key)
    content = _content(recorded)
    if content is not None:
        length_s = _length_s(content)
        if length_s is not None:
            return VoiceMessage(language, key, text, "recording", changed, length_s)
    content = _content(synthesised)
    length_s = None if content is None else _length_s(content)
    if content is None or length_s is None:
        return VoiceMessage(language, key, text, "missing", changed)
    current = manifest.get(key) == _entry(texts, key, content)
    source: Source = "synthesised" if current else "outdated"
    return VoiceMessage(language, key, text, source, changed, length_s)


def _entry(texts: VoiceTexts, key: str, content: bytes) -> dict[str, str]:
    """What a synthesised file was made from, and what came of it."""
    said = f"{texts.voice}\0{texts.words_per_minute}\0{texts.messages[key]}"
    return {
        "text_sha256": hashlib.sha256(said.encode()).hexdigest(),
        "file_sha256": hashlib.sha256(content).hexdigest(),
    }


def _recordings(folder: Path, texts: Sequence[VoiceTexts]) -> dict[tuple[str, str], bytes]:
    if not folder.is_dir():
        fix = "name the folder that has a folder for each language"
        raise UnavailableError(f"{folder} is no folder", fix)
    known = {(one.language, key) for one in texts for key in one.messages}
    found: dict[tuple[str, str], bytes] = {}
    for path in sorted(folder.glob("*/*.wav")):
        place = (path.parent.name, path.stem)
        if place not in known:
            if place[0] not in {one.language for one in texts} and place[0] in languages():
                continue  # of a language that was not asked for
            fix = "gate-agent voice list names the messages: LANGUAGE/KEY.wav"
            message = f"{path} belongs to no message\nFix: {fix}"
            raise RefusedError("recording_unknown", message)
        content = _content(path) or b""
        try:
            check_wav(content)
        except RefusedError as error:
            fix = "record it as WAV: 16 bits, mono, at most 15 s"
            raise RefusedError(error.reason, f"{path} {error}\nFix: {fix}") from error
        found[place] = content
    if not found:
        fix = "put them there as LANGUAGE/KEY.wav: zh/granted.wav"
        raise UnavailableError(f"there are no recordings in {folder}", fix)
    return found


def _check_synthesised(content: bytes, language: str, key: str) -> None:
    try:
        check_wav(content)
    except RefusedError as error:
        fix = "try another voice in the language's file, or install a recording"
        message = f"what was synthesised for {language}/{key} {error}"
        raise UnavailableError(message, fix) from error


def _length_s(content: bytes) -> float | None:
    try:
        return check_wav(content)
    except RefusedError:
        return None


def _content(path: Path) -> bytes | None:
    """The bytes of a file, one more than a recording may have at most; None where it is missing."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            return stream.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        return None


def _read_manifest(path: Path) -> dict[str, Any]:
    """What was made from which text; empty where it cannot be told, and all is made again."""
    try:
        if path.stat().st_size > _LARGEST_MANIFEST:
            return {}
        read = read_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def write_file(content: bytes, path: Path) -> None:
    """Write a file whole, and the folders that lead to it.

    Raises:
        UnavailableError: it cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        fix = "make it writable for this user, or name another --state-dir"
        raise UnavailableError(f"{path.parent} cannot be made: {error.strerror}", fix) from error
    write_whole(content, path)
