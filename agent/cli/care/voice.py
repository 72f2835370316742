"""``gate-agent voice``: prepare, list and hear what the gate says."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.app.open.files.state import VOICES
from agent.app.open.paths import given_config_path, state_dir
from agent.cli import completion
from agent.cli.common import (
    Commands,
    Config,
    Csv,
    Json,
    StateDir,
    Task,
    advise,
    counted,
    emit,
    examples,
    file_option,
    one_form,
    say,
)
from agent.cli.terminal.sheet import sheet_of
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import line, table

if TYPE_CHECKING:
    from agent.operations.voice.prepare import VoiceMessage

app = Commands(
    "voice list",
    "voice prepare",
    "voice say granted",
)

_SOURCES = {"recording": Meaning.GOOD, "synthesised": None}
"""What can be heard; all else is yet to be made."""

Languages = Annotated[
    list[str] | None,
    typer.Option(
        "--language",
        metavar="NAME",
        help="A language; again for more [default: the config's].",
        autocompletion=completion.languages,
    ),
]


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(
        app,
        rich_help_panel=Task.LOOK_AFTER,
        name="voice",
        help="What the gate says: texts, recordings, sound.",
    )


@app.command(
    "prepare",
    epilog=examples(
        "voice prepare",
        "voice prepare --language zh --language en",
        "voice prepare --from /media/usb/recordings",
    ),
)
def prepare(
    *,
    language: Languages = None,
    from_dir: Annotated[
        Path | None,
        file_option("--from", "Recordings to install: LANGUAGE/KEY.wav in this folder.", "DIR"),
    ] = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Make a sound file of every message.

    By espeak-ng where there is no recording. What has not changed is not made again.
    """
    library = _library(config, state, language)
    told = library.prepare(from_dir)
    made = [one for one in told if one.changed and one.source == "synthesised"]
    installed = [one for one in told if one.changed and one.source == "recording"]
    if as_json:
        emit(
            {
                "languages": list(library.settings.languages),
                "messages": len(told),
                "made": len(made),
                "installed": len(installed),
                "directory": str(VOICES.at(state_dir(state))),
            }
        )
        return
    names = ", ".join(library.settings.languages)
    if not made and not installed:
        say(f"{counted(len(told), 'message')} in {names}: all there, nothing to do")
        return
    did = f"{len(made)} synthesised, {counted(len(installed), 'recording')} installed"
    say(f"{counted(len(told), 'message')} in {names}: {did}")


@app.command("list", epilog=examples("voice list", "voice list --language en --json"))
def list_(
    *,
    language: Languages = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """List the messages.

    Their texts, and what says each: a recording, a synthesised file, or nothing yet.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    told = _library(config, state, language).messages()
    messages = [
        {
            "language": one.language,
            "message": one.key,
            "source": one.source,
            "length_s": None if one.length_s is None else round(one.length_s, 3),
            "text": one.text,
        }
        for one in told
    ]
    if as_json:
        emit(messages)
        return
    if as_csv:
        sheet_of(("language", "message", "source", "length_s", "text"), messages)
        return
    table(
        ("language", "message", "source", "seconds", "text"),
        [
            (
                one.language,
                Cell(one.key, Meaning.STRONG),
                Cell(one.source, _SOURCES.get(one.source, Meaning.DOUBT)),
                None if one.length_s is None else f"{one.length_s:.1f}",
                one.text,
            )
            for one in told
        ],
        narrow=lambda: _lines(told),
    )
    if any(one.source not in _SOURCES for one in told):
        advise("gate-agent voice prepare")


def _lines(told: "Iterable[VoiceMessage]") -> None:
    """A line a message, where there is no room for columns."""
    for one in told:
        line(
            one.language,
            Cell(one.key, Meaning.STRONG),
            Cell(one.source, _SOURCES.get(one.source, Meaning.DOUBT)),
            one.text,
        )


@app.command("say", epilog=examples("voice say granted", "voice say alarm --language en"))
def say_(
    key: Annotated[
        str,
        typer.Argument(
            metavar="KEY",
            help="A message of gate-agent voice list.",
            autocompletion=completion.messages,
        ),
    ],
    *,
    language: Languages = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Play a message here.

    On the device of the config's [voice], else on the machine's own.
    """
    files = _library(config, state, language).say(key)
    if as_json:
        emit({"message": key, "files": [str(file) for file in files]})
    else:
        say(f"said {key}: {counted(len(files), 'file')}")


def _library(config: Path | None, state: Path | None, languages: list[str] | None) -> Any:
    from agent.app.open.voice import voice_library

    return voice_library(given_config_path(config), state_dir(state), tuple(languages or ()))
