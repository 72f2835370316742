"""The voice at its access point: what is said to a person there, and what is announced."""

import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from agent.adapters.voice.espeak import synthesise
from agent.adapters.voice.player import Player, Utterance
from agent.adapters.voice.voice import VoiceIndicator
from agent.app.open.voice import Voice
from agent.app.threads.fault_line import FaultLine
from agent.app.threads.tell.announcements import AnnouncementFilter
from agent.controller.inputs import Input
from agent.domain.access.hints import Priority
from agent.domain.access.part import PartKind
from agent.domain.record.announcement import Announcement
from agent.errors import RefusedError, UnavailableError
from agent.operations.voice.prepare import write_file
from agent.operations.voice.recordings import check_wav
from agent.ports import Clock

VOICE, VOICE_FILES = PartKind.VOICE.part(), PartKind.VOICE_FILES.part()
"""The latches of a loudspeaker that fails, and of messages that were not prepared."""

_log = structlog.get_logger(__name__)


class Speech:
    """What one loudspeaker says; its player has a thread of its own."""

    def __init__(self, voice: Voice, clock: Clock, post: Callable[[Input], None]) -> None:
        self.voice = voice
        self._clock = clock
        self._hearing = threading.Lock()
        # The faults may be some that outlived an earlier agent.
        loudspeaker = FaultLine(VOICE, post, may_stand_already=True)
        self._files_fault = FaultLine(VOICE_FILES, post, may_stand_already=True)
        self.player = Player(
            voice.loudspeaker,
            clock,
            failed=loudspeaker.failed,
            recovered=loudspeaker.works,
        )
        self.indicator = VoiceIndicator(
            self.player, voice.files.find, voice.languages, clock, quiet=self._is_quiet
        )
        self.announcements = AnnouncementFilter(
            clock.now,
            lambda key: all(voice.files.find(one, key) is not None for one in voice.languages),
            voice.languages,
            speak_text=voice.settings.speak_text,
        )

    def tell_what_is_missing(self) -> None:
        """A fault with its fix where messages were not prepared; the others are said."""
        missing = self.voice.missing
        if not missing:
            self._files_fault.works()
            return
        named = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        _log.error("voice_not_prepared", missing=missing, fix="gate-agent voice prepare")
        detail = f"{len(missing)} messages have no file ({named}): gate-agent voice prepare"
        self._files_fault.failed(detail)

    def announce(self, payload: bytes) -> bool:
        """Say it if it may be said; whether it will be."""
        with self._hearing:
            wanted = self.announcements.hear(payload)
        if wanted is None:
            return False
        now = self._clock.now()
        if wanted.priority < Priority.URGENT and self.voice.is_quiet(now):
            _log.info("announcement_unsaid", id=wanted.id, why="quiet hours")
            return False
        until_s = now.monotonic_s + (wanted.expires - now.utc).total_seconds()
        self.player.say(
            Utterance(wanted.priority, lambda: self._files(wanted), until_s=until_s, again=True)
        )
        return True

    def _is_quiet(self) -> bool:
        return self.voice.is_quiet(self._clock.now())

    def _files(self, wanted: Announcement) -> list[Path]:
        languages = self.voice.languages if wanted.language is None else (wanted.language,)
        if wanted.text is not None:
            return [self._spoken(wanted.text, languages[0])] * wanted.repeat
        key = wanted.message or ""
        found = [self.voice.files.find(language, key) for language in languages]
        return [file for file in found if file is not None] * wanted.repeat

    def _spoken(self, text: str, language: str) -> Path:
        """Free text as a file, made in the player's thread."""
        how = next(one for one in self.voice.texts if one.language == language)
        content = synthesise(text, how.voice, how.words_per_minute)
        try:
            check_wav(content)
        except RefusedError as error:
            raise UnavailableError(f"what was synthesised {error}") from error
        file = self.voice.files.spoken()
        write_file(content, file)
        return file
