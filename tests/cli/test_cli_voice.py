"""``gate-agent voice``: what it makes, shows and plays, and how it fails."""

import re
import shutil
from pathlib import Path

import pytest
from config_parts import GOOD
from gate_command import Gate
from rich.cells import cell_len
from screens import WIDTHS, screen
from voice_parts import Tones, wav

from agent.domain.access.hints import NEEDED_KEYS


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Tones:
    """A synthesiser in espeak-ng's place."""
    tones = Tones()
    monkeypatch.setattr("agent.app.open.voice.synthesise", tones)
    return tones


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of the test's own: nothing is installed but what the test puts there."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def put_aplay(programs: Path, *lines: str) -> Path:
    said = programs / "said"
    program = programs / "aplay"
    program.write_text("\n".join(["#!/bin/sh", f'echo "$@" >> {said}', *lines, ""]))
    program.chmod(0o755)
    return said


@pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is absent: apt-get install espeak-ng"
)
def test_prepare_makes_all_once_by_espeak(gate: Gate, state_dir: Path) -> None:
    made = gate("voice", "prepare", "--json")
    assert made.code == 0, made.err
    assert made.json["languages"] == ["zh", "en"]
    assert made.json["made"] == made.json["messages"] > 2 * len(NEEDED_KEYS)
    assert made.json["directory"] == str(state_dir / "voices")
    again = gate("voice", "prepare")
    assert again.code == 0
    assert again.out.endswith("all there, nothing to do\n")


def test_prepare_takes_one_language_and_recordings(
    gate: Gate, quick: Tones, tmp_path: Path
) -> None:
    folder = tmp_path / "usb" / "en"
    folder.mkdir(parents=True)
    (folder / "granted.wav").write_bytes(wav(1.25))
    done = gate("voice", "prepare", "--language", "en", "--from", folder.parent, "--json")
    assert done.code == 0, done.err
    assert (done.json["languages"], done.json["installed"]) == (["en"], 1)
    assert done.json["made"] == len(quick.asked) == done.json["messages"] - 1
    listed = gate("voice", "list", "--language", "en", "--json").json
    assert {one["source"] for one in listed} == {"synthesised", "recording"}
    granted = next(one for one in listed if one["message"] == "granted")
    assert granted == {
        "language": "en",
        "message": "granted",
        "source": "recording",
        "length_s": 1.25,
        "text": "Please come in.",
    }


def test_prepare_refuses_a_bad_recording_with_the_fix(
    gate: Gate, quick: Tones, tmp_path: Path
) -> None:
    folder = tmp_path / "usb" / "en"
    folder.mkdir(parents=True)
    (folder / "granted.wav").write_bytes(b"no sound")
    refused = gate("voice", "prepare", "--from", folder.parent, "--json")
    assert refused.code == 1
    assert refused.json["reason"] == "recording_unusable"
    assert "16 bits" in refused.json["fix"]


def test_prepare_without_espeak_says_how_to_get_it(gate: Gate, programs: Path) -> None:
    failed = gate("voice", "prepare")
    assert failed.code == 69
    assert "apt-get install espeak-ng" in failed.err
    assert "gate-agent voice prepare --from" in failed.err


def test_an_unknown_language_is_named_with_the_known(gate: Gate) -> None:
    failed = gate("voice", "list", "--language", "fr", "--json")
    assert failed.code == 69
    assert "en, zh" in failed.json["fix"]


def test_list_shows_what_is_missing_and_makes_nothing(gate: Gate, state_dir: Path) -> None:
    listed = gate("voice", "list")
    assert listed.code == 0
    assert "请进。" in listed.out
    assert {row.split()[2] for row in listed.out.splitlines()[1:]} == {"missing"}
    assert listed.err == "Fix: gate-agent voice prepare\n"
    assert gate("voice", "list", "--json").err == ""
    assert not state_dir.exists()


@pytest.mark.usefixtures("state_dir", "quick")
@pytest.mark.parametrize("width", WIDTHS)
def test_the_list_fits_and_what_is_to_be_made_is_seen(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    missing = screen(monkeypatch, width, "voice", "list", colour=True)
    assert "\x1b[33mmissing" in missing
    assert max(map(cell_len, re.sub(r"\x1b\[[0-9;]*m", "", missing).splitlines())) <= width
    assert gate("voice", "prepare").code == 0
    made = screen(monkeypatch, width, "voice", "list", colour=True)
    assert "synthesised" in made
    assert "voice prepare" not in made


def test_the_config_names_languages_texts_and_the_sound_card(
    gate: Gate, quick: Tones, programs: Path, tmp_path: Path
) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "en.toml").write_text('[messages]\n"announce.pool" = "It is shut."\n')
    config = tmp_path / "gate.toml"
    config.write_text(
        f'{GOOD}\n[voice]\nkind = "aplay"\naccess_point = "north-entry"\n'
        'languages = ["en"]\ntexts = "texts"\ndevice = "plughw:1,0"\n'
    )
    assert gate("voice", "prepare", "--config", config).code == 0
    said = put_aplay(programs)
    done = gate("voice", "say", "announce.pool", "--config", config, "--json")
    assert done.code == 0, done.err
    (file,) = done.json["files"]
    assert said.read_text() == f"-q -D plughw:1,0 -- {file}\n"


def test_say_plays_each_language_in_order(gate: Gate, quick: Tones, programs: Path) -> None:
    gate("voice", "prepare")
    said = put_aplay(programs)
    assert gate("voice", "say", "granted").out == "said granted: 2 files\n"
    played = [row.rpartition(" ")[2] for row in said.read_text().splitlines()]
    assert [Path(one).parts[-2:] for one in played] == [
        ("zh", "granted.wav"),
        ("en", "granted.wav"),
    ]


def test_say_refuses_what_nobody_says(gate: Gate, quick: Tones) -> None:
    gate("voice", "prepare")
    refused = gate("voice", "say", "../granted", "--json")
    assert (refused.code, refused.json["reason"]) == (1, "unknown_message")
    assert refused.json["fix"] == "gate-agent voice list"


def test_say_before_prepare_names_the_fix_for_this_state(gate: Gate, state_dir: Path) -> None:
    failed = gate("voice", "say", "granted", "--state-dir", state_dir)
    assert failed.code == 69
    assert f"Fix: gate-agent voice prepare --state-dir {state_dir}\n" in failed.err


@pytest.mark.parametrize("there", [True, False])
def test_say_without_a_sound_card_or_aplay_says_so(
    gate: Gate, quick: Tones, programs: Path, *, there: bool
) -> None:
    gate("voice", "prepare")
    if there:
        put_aplay(programs, "echo audio open error >&2", "exit 1")
    failed = gate("voice", "say", "granted")
    assert failed.code == 69
    assert ("audio open error" if there else "alsa-utils") in failed.err
