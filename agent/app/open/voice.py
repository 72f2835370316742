"""The loudspeaker of one access point from config, with the texts and files that it speaks by."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

from agent.adapters.clock import SystemClock
from agent.adapters.voice.espeak import synthesise
from agent.adapters.voice.loudspeaker import AplayLoudspeaker
from agent.adapters.voice.simulated import SimulatedLoudspeaker
from agent.config import ConfigFile, load_config
from agent.config.tables.voice import VoiceConfig
from agent.domain.credential.near import did_you_mean
from agent.domain.hours.instant import Instant
from agent.errors import RefusedError, UnavailableError
from agent.operations.voice.prepare import VoiceFiles, VoiceMessage, list_messages, prepare
from agent.operations.voice.texts import VoiceTexts, load_texts
from agent.ports import Clock, Loudspeaker


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """What is needed to speak at ``access_point``."""

    access_point: str
    settings: VoiceConfig
    loudspeaker: Loudspeaker
    files: VoiceFiles
    texts: tuple[VoiceTexts, ...]
    zone: ZoneInfo

    @property
    def languages(self) -> tuple[str, ...]:
        """In the order of speaking."""
        return tuple(one.language for one in self.texts)

    @property
    def missing(self) -> list[str]:
        """The messages that nothing was prepared for: ``zh/granted``."""
        return [
            f"{one.language}/{key}"
            for one in self.texts
            for key in one.messages
            if self.files.find(one.language, key) is None
        ]

    def is_quiet(self, now: Instant) -> bool:
        """Whether it is an hour of lights only; a clock that nobody trusts knows of none."""
        quiet = self.settings.quiet
        if quiet is None or not now.utc_trusted:
            return False
        local = now.utc.astimezone(self.zone).time()
        if quiet.from_ < quiet.until:
            return quiet.from_ <= local < quiet.until
        return local >= quiet.from_ or local < quiet.until


def open_voice(file: ConfigFile, state: Path, clock: Clock) -> Voice | None:
    """The configured voice; None where there is none.

    Raises:
        UnavailableError: a language has no texts.
    """
    settings = file.config.voice
    if settings.kind == "none" or settings.access_point is None:
        return None
    return Voice(
        settings.access_point,
        settings,
        loudspeaker_of(settings, clock),
        VoiceFiles(state),
        texts_of(settings, file),
        ZoneInfo(file.config.kiosk.timezone),
    )


def loudspeaker_of(settings: VoiceConfig, clock: Clock) -> Loudspeaker:
    """What plays a file: a simulated one only where the config names it."""
    if settings.kind == "simulated":
        return SimulatedLoudspeaker(clock)
    return AplayLoudspeaker(settings.device)


def texts_of(settings: VoiceConfig, file: ConfigFile | None) -> tuple[VoiceTexts, ...]:
    """The texts of the configured languages, in the order of speaking.

    Raises:
        UnavailableError: a language has none, or a file of texts is damaged.
    """
    folder = None
    if file is not None and settings.texts is not None:
        folder = file.resolve(settings.texts)
    return tuple(load_texts(language, folder) for language in settings.languages)


@dataclass(frozen=True, slots=True)
class VoiceLibrary:
    """What a command about the voice goes by."""

    settings: VoiceConfig
    texts: tuple[VoiceTexts, ...]
    files: VoiceFiles

    def prepare(self, recordings: Path | None) -> list[VoiceMessage]:
        """Install recordings, and have espeak-ng say what is missing.

        Raises:
            UnavailableError: espeak-ng or a folder is missing.
            RefusedError: a recording is unusable.
        """
        return prepare(self.files, self.texts, synthesise, recordings)

    def messages(self) -> list[VoiceMessage]:
        """Every message with what says it."""
        return list_messages(self.files, self.texts)

    def say(self, key: str) -> list[Path]:
        """Play a message in each language; the files.

        Raises:
            RefusedError: there is no such message.
            UnavailableError: it was not prepared, or cannot be played.
        """
        if any(key not in one.messages for one in self.texts):
            _refuse(key, {one for texts in self.texts for one in texts.messages})
        found = [(one.language, self.files.find(one.language, key)) for one in self.texts]
        for language, file in found:
            if file is None:
                message = f"nothing was prepared for {language}/{key}"
                raise UnavailableError(message, "gate-agent voice prepare")
        loudspeaker = loudspeaker_of(self.settings, SystemClock())
        files = [file for _, file in found if file is not None]
        for file in files:
            loudspeaker.play(file, lambda: True)
        return files


def voice_library(
    config: Path | None, state: Path, languages: tuple[str, ...] = ()
) -> VoiceLibrary:
    """What a command goes by: ``config``, else the defaults; ``languages`` in place of its own.

    Raises:
        ConfigError: the config is wrong.
        UnavailableError: a language has no texts.
    """
    file = load_config(config) if config is not None else None
    settings = file.config.voice if file is not None else VoiceConfig()
    if languages:
        settings = settings.model_copy(update={"languages": tuple(dict.fromkeys(languages))})
    return VoiceLibrary(settings, texts_of(settings, file), VoiceFiles(state))


def _refuse(key: str, known: Iterable[str]) -> NoReturn:
    message = f"there is no message {key!r}{did_you_mean(key, known)}\nFix: gate-agent voice list"
    raise RefusedError("unknown_message", message)
