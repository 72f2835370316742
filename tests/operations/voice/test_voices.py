"""Preparing what the gate says: texts, recordings, espeak-ng itself, and files that survive."""

import io
import json
import re
import shutil
import stat
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voice_parts import Tones, wav

from agent.adapters.voice.espeak import synthesise
from agent.domain.access.hints import KEY_PATTERN, NEEDED_KEYS
from agent.errors import RefusedError, UnavailableError
from agent.operations.voice.prepare import VoiceFiles, list_messages, prepare
from agent.operations.voice.recordings import check_wav
from agent.operations.voice.texts import VoiceTexts, languages, load_texts, speakable

EN, ZH = load_texts("en"), load_texts("zh")

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is absent: apt-get install espeak-ng"
)


@pytest.fixture
def files(tmp_path: Path) -> VoiceFiles:
    return VoiceFiles(tmp_path / "state")


@pytest.fixture
def tones() -> Tones:
    return Tones()


# --- texts ---------------------------------------------------------------------------------------


def test_the_agent_speaks_chinese_and_english_whole_and_alike() -> None:
    assert {"en", "zh"} <= set(languages())
    assert set(EN.messages) == set(ZH.messages) > set(NEEDED_KEYS)
    for texts in (EN, ZH):
        for key, text in texts.messages.items():
            assert re.fullmatch(KEY_PATTERN, key)
            assert speakable(text)
    assert all(text.isascii() for text in EN.messages.values())
    assert not any(re.search("[A-Za-z]", text) for text in ZH.messages.values())


def test_no_text_says_why_somebody_was_refused() -> None:
    telling = (
        "temperature fever revoked expired forged inside already blocked 体温 发烧 过期 吊销 伪造"
    )
    for texts in (EN, ZH):
        said = " ".join(texts.messages.values()).lower()
        assert [word for word in telling.split() if word in said] == []


def own(folder: Path, name: str, content: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content)
    return folder


def test_a_community_changes_texts_and_adds_announcements(tmp_path: Path) -> None:
    folder = own(
        tmp_path / "voices",
        "en.toml",
        'words_per_minute = 120\n[messages]\ngranted = "Welcome."\n'
        '"announce.pool" = "It is shut."\n',
    )
    texts = load_texts("en", folder)
    assert texts.messages["granted"] == "Welcome."
    assert texts.messages["announce.pool"] == "It is shut."
    assert texts.messages["alarm"] == EN.messages["alarm"]
    assert (texts.voice, texts.words_per_minute) == (EN.voice, 120)


def test_a_language_is_a_file(tmp_path: Path) -> None:
    rows = "\n".join(f'"{key}" = "oui"' for key in NEEDED_KEYS)
    folder = own(tmp_path / "voices", "fr.toml", f'voice = "fr"\n[messages]\n{rows}\n')
    assert languages(folder) == ["en", "fr", "zh"]
    assert load_texts("fr", folder).messages["granted"] == "oui"
    own(folder, "fr.toml", f'voice = "fr"\n[messages]\n{rows.replace("granted", "announce.g")}\n')
    with pytest.raises(UnavailableError, match=r"fr\.toml lacks granted"):
        load_texts("fr", folder)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[messages", "is no TOML"),
        ("\x00", "is no TOML"),
        ("names = 1", "unknown key 'names'"),
        ('voice = "en; rm -rf"', "no voice of espeak-ng"),
        ('voice = ["en"]', "no voice of espeak-ng"),
        ("words_per_minute = 79", "80 to 300"),
        ("words_per_minute = true", "80 to 300"),
        ("messages = 1", "at most 200 texts"),
        ('[messages]\n"welcome" = "x"', "nobody says 'welcome'"),
        ('[messages]\n"announce.A" = "x"', "nobody says 'announce.A'"),
        ('[messages]\n"announce./../x" = "x"', "nobody says"),
        ('[messages]\n"announce.x" = ""', "announce.x is no text"),
        ('[messages]\n"announce.x" = 1', "announce.x is no text"),
        ('[messages]\n"announce.x" = "a\\nb"', "announce.x is no text"),
        (f'[messages]\n"announce.x" = "{"x" * 201}"', "announce.x is no text"),
        ("#" * 100_001, "larger than"),
    ],
)
def test_a_file_of_texts_that_is_wrong_is_named(tmp_path: Path, content: str, why: str) -> None:
    folder = own(tmp_path / "voices", "en.toml", content)
    with pytest.raises(UnavailableError, match=re.escape(why)) as error:
        load_texts("en", folder)
    assert "en.toml" in str(error.value)


@pytest.mark.parametrize("language", ["fr", "../en", "", "en/..", "e", "EN"])
def test_a_language_without_texts_is_refused_with_those_there_are(language: str) -> None:
    with pytest.raises(UnavailableError, match="no texts in the language") as error:
        load_texts(language)
    assert "en, zh" in str(error.value.fix)


# --- preparing -----------------------------------------------------------------------------------


def test_every_message_gets_its_file_once(files: VoiceFiles, tones: Tones) -> None:
    made = prepare(files, [ZH, EN], tones)
    assert len(made) == len(tones.asked) == len(ZH.messages) + len(EN.messages)
    assert {one.source for one in made} == {"synthesised"}
    assert all(one.changed for one in made)
    place = files.find("zh", "denied.try_again")
    assert place is not None
    assert place.parts[-3:] == ("voices", "zh", "denied.try_again.wav")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    again = prepare(files, [ZH, EN], tones)
    assert not any(one.changed for one in again)
    assert len(tones.asked) == len(made)
    assert list_messages(files, [ZH, EN]) == again


def changed(texts: VoiceTexts, **messages: str) -> VoiceTexts:
    return VoiceTexts(
        texts.language, texts.voice, texts.words_per_minute, {**texts.messages, **messages}
    )


def test_only_what_changed_is_made_again(files: VoiceFiles, tones: Tones) -> None:
    prepare(files, [EN], tones)
    tones.asked.clear()
    welcome = changed(EN, granted="Welcome.")
    assert [one.key for one in list_messages(files, [welcome]) if one.source == "outdated"] == [
        "granted"
    ]
    prepare(files, [welcome], tones)
    assert tones.asked == ["Welcome."]
    slower = VoiceTexts("en", EN.voice, 100, welcome.messages)
    prepare(files, [slower], tones)
    assert len(tones.asked) == 1 + len(EN.messages)


@pytest.mark.parametrize("harm", ["gone", "truncated", "other", "manifest", "huge"])
def test_a_damaged_file_is_made_again(files: VoiceFiles, tones: Tones, harm: str) -> None:
    prepare(files, [EN], tones)
    tones.asked.clear()
    place = files.synthesised("en", "alarm")
    match harm:
        case "gone":
            place.unlink()
        case "truncated":
            place.write_bytes(place.read_bytes()[:-100])
        case "other":
            place.write_bytes(wav(1.0))
        case "huge":
            place.write_bytes(bytes(3_000_001))
        case _:
            files.manifest("en").write_text("[" * 100_000)
    prepare(files, [EN], tones)
    assert EN.messages["alarm"] in tones.asked
    assert len(tones.asked) == (len(EN.messages) if harm == "manifest" else 1)
    assert {one.source for one in list_messages(files, [EN])} == {"synthesised"}


def test_without_a_synthesiser_what_was_made_stays(files: VoiceFiles, tones: Tones) -> None:
    def absent(text: str, voice: str, words_per_minute: int) -> bytes:
        return synthesise(text, voice, words_per_minute, program="no-such-espeak")

    with pytest.raises(UnavailableError, match="no-such-espeak is not installed") as error:
        prepare(files, [EN], absent)
    assert "apt-get install espeak-ng" in str(error.value.fix)
    prepare(files, [EN], tones)
    assert not any(one.changed for one in prepare(files, [EN], absent))


def test_a_synthesiser_that_is_silent_is_not_believed(files: VoiceFiles) -> None:
    with pytest.raises(UnavailableError, match="en/alarm is silent"):
        prepare(files, [EN], lambda *_: wav(1.0, loud=0))
    assert files.find("en", "alarm") is None


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path, tones: Tones) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(UnavailableError, match="cannot be made"):
        prepare(VoiceFiles(tmp_path / "state"), [EN], tones)


# --- recordings ----------------------------------------------------------------------------------


def recordings(folder: Path, **content: bytes) -> Path:
    for name, recorded in content.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f"{path.name}.wav").write_bytes(recorded)
    return folder


def test_a_recording_wins_and_stays(files: VoiceFiles, tones: Tones, tmp_path: Path) -> None:
    prepare(files, [EN, ZH], tones)
    voice = wav(2.0, rate=48_000, channels=2)
    folder = recordings(tmp_path / "usb", en__granted=voice, zh__denied_dot_closed=wav(1.5))
    told = prepare(files, [EN, ZH], tones, folder)
    installed = {(one.language, one.key, one.length_s) for one in told if one.changed}
    assert installed == {("en", "granted", 2.0), ("zh", "denied.closed", 1.5)}
    found = files.find("en", "granted")
    assert found is not None
    assert found.read_bytes() == voice
    assert [one.key for one in prepare(files, [EN], tones) if one.source == "recording"] == [
        "granted"
    ]
    found.unlink()
    assert {one.source for one in list_messages(files, [EN])} == {"synthesised"}


def test_recordings_of_everything_need_no_synthesiser(files: VoiceFiles, tmp_path: Path) -> None:
    folder = tmp_path / "usb"
    (folder / "en").mkdir(parents=True)
    for key in EN.messages:
        (folder / "en" / f"{key}.wav").write_bytes(wav())
    told = prepare(files, [EN], lambda *_: b"", folder)
    assert {one.source for one in told} == {"recording"}


BAD = {
    "no WAV": b"ID3" + bytes(1000),
    "empty": b"",
    "long": wav(15.1, rate=8000),
    "short": wav(0.05),
    "8 bits": wav(width=1),
    "three channels": wav(channels=3),
    "slow": wav(rate=4000),
    "silent": wav(loud=100),
    "cut short": wav(1.0)[:-1000],
    "large": bytes(3_000_001),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_recording_is_refused_and_none_is_installed(
    files: VoiceFiles, tones: Tones, tmp_path: Path, what: str
) -> None:
    folder = recordings(tmp_path / "usb", en__alarm=wav(), en__granted=BAD[what])
    with pytest.raises(RefusedError, match=r"granted\.wav") as error:
        prepare(files, [EN], tones, folder)
    assert "Fix: " in str(error.value)
    assert files.find("en", "alarm") is None


def test_a_recording_of_no_message_is_refused(
    files: VoiceFiles, tones: Tones, tmp_path: Path
) -> None:
    folder = recordings(tmp_path / "usb", en__welcome=wav())
    with pytest.raises(RefusedError, match="belongs to no message"):
        prepare(files, [EN], tones, folder)


def test_recordings_of_a_language_that_was_not_asked_for_are_left(
    files: VoiceFiles, tones: Tones, tmp_path: Path
) -> None:
    folder = recordings(tmp_path / "usb", en__alarm=wav(), zh__alarm=wav())
    prepare(files, [EN], tones, folder)
    assert files.find("zh", "alarm") is None


@pytest.mark.parametrize("make", [True, False])
def test_a_folder_without_recordings_is_named(
    files: VoiceFiles, tones: Tones, tmp_path: Path, *, make: bool
) -> None:
    if make:
        (tmp_path / "usb").mkdir()
    with pytest.raises(UnavailableError, match="usb"):
        prepare(files, [EN], tones, tmp_path / "usb")


@given(st.binary(max_size=300), st.integers(0, 60), st.binary(max_size=12))
def test_whatever_a_file_holds_it_is_a_length_or_refused(
    tail: bytes, at: int, patch: bytes
) -> None:
    whole = wav(0.2)
    spoilt = whole[:at] + patch + whole[at + len(patch) :]
    for content in (tail, whole[:at] + tail, spoilt):
        try:
            assert 0.1 <= check_wav(content) <= 15
        except RefusedError:
            continue


# --- espeak-ng -----------------------------------------------------------------------------------


def loudness(content: bytes) -> tuple[float, float]:
    """Seconds, and the loudest sample as a part of the greatest."""
    with wave.open(io.BytesIO(content)) as stream:
        samples = np.frombuffer(stream.readframes(stream.getnframes()), "<i2").astype(float)
        return stream.getnframes() / stream.getframerate(), float(np.abs(samples).max() / 32768)


@needs_espeak
def test_espeak_says_every_message(files: VoiceFiles) -> None:
    told = prepare(files, [ZH, EN], synthesise)
    assert {one.source for one in told} == {"synthesised"}
    said: set[bytes] = set()
    for one in told:
        place = files.find(one.language, one.key)
        assert place is not None
        seconds, loud = loudness(place.read_bytes())
        assert 0.3 < seconds < 10
        assert loud > 0.1
        said.add(place.read_bytes())
    assert len(said) == len(told), "every message sounds otherwise, in either language"
    manifest = json.loads(files.manifest("zh").read_bytes())
    assert set(manifest) == set(ZH.messages)


@needs_espeak
@pytest.mark.parametrize("texts", [ZH, EN], ids=lambda one: one.language)
def test_espeak_reads_no_tone_as_an_english_number(texts: VoiceTexts) -> None:
    # The voice cmn of espeak-ng 1.51 says "king three" for 请: it changes to (en) for the pinyin.
    command = ["espeak-ng", "-v", texts.voice, "-q", "-x", "-b", "1", "--stdin", "--"]
    for text in texts.messages.values():
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, timeout=20, check=True
        )
        assert b"(en)" not in done.stdout, text


@needs_espeak
@pytest.mark.parametrize("text", ["--help", "-w /tmp/x", "$(touch /tmp/x); `id`", "<break/>", "%s"])
def test_espeak_reads_a_strange_text_and_obeys_none(text: str) -> None:
    seconds, loud = loudness(synthesise(text, "en", 160))
    assert seconds > 0.1
    assert loud > 0.05


@needs_espeak
def test_a_voice_that_espeak_does_not_know_is_named() -> None:
    with pytest.raises(UnavailableError, match="failed with the voice nobody"):
        synthesise("hello", "nobody", 160)


def test_a_folder_that_may_not_be_looked_into_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refuse)
    assert VoiceFiles(tmp_path).find("en", "granted") is None


def test_a_disk_that_takes_no_temporary_file_is_a_fault_and_no_dead_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(UnavailableError, match="no room for a spoken text"):
        synthesise("hello", "en", 160)


def test_an_espeak_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "espeak-ng"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr("agent.adapters.voice.espeak._TIMEOUT_S", 0.2)
    with pytest.raises(UnavailableError, match="did not end"):
        synthesise("hello", "en", 160, program=str(program))
