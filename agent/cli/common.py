"""What every command shares: its options, and how it speaks to people and to machines.

stdout carries the answer and nothing else: a table for people, or with ``--json`` one JSON value a
line. Progress, warnings and errors go to stderr. What comes from outside (names, paths) is printed
as plain text: no markup of it is interpreted and no control character of it reaches a terminal.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.cli import completion
from agent.cli.completion import Completer
from agent.cli.terminal.help import COMMON, Commands, Panel, Task, examples
from agent.cli.terminal.style import Meaning, plain, styled

__all__ = ["Commands", "Panel", "Task", "examples", "plain"]


def file_option(name: str, what: str, metavar: str = "FILE", panel: str | None = None) -> Any:
    """An option that names a file, or with another ``metavar`` a folder; ``panel`` is its place.

    Whether it may be read is the command's to say, with its fix: Typer's own check would answer 2,
    and stop ``secure-outputs`` before it has secured what it can.
    """
    return typer.Option(name, metavar=metavar, help=what, readable=False, rich_help_panel=panel)


def name_option(
    name: str, metavar: str, what: str, offers: Completer, panel: str | None = None
) -> Any:
    """An option that takes a name; ``offers`` is what the shell completes it by."""
    return typer.Option(
        name, metavar=metavar, help=what, autocompletion=offers, rich_help_panel=panel
    )


Config = Annotated[
    Path | None,
    file_option(
        "--config",
        "The config [default: GATE_AGENT_CONFIG, else /etc/gate-agent/gate.toml].",
        panel=COMMON,
    ),
]
StateDir = Annotated[
    Path | None,
    file_option(
        "--state-dir",
        "Where the agent keeps its state [default: GATE_AGENT_STATE_DIR, else"
        " STATE_DIRECTORY, else the XDG state folder].",
        "DIR",
        COMMON,
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="JSON on stdout, and nothing else there.", rich_help_panel=COMMON),
]
Csv = Annotated[
    bool,
    typer.Option("--csv", help="CSV on stdout, for a sheet.", rich_help_panel=COMMON),
]
PackOption = Annotated[
    str | None,
    typer.Option(
        "--pack",
        metavar="NAME",
        help="A model pack [default: the config's, else the chosen one].",
        autocompletion=completion.installed_packs,
    ),
]

PackWithoutConfig = Annotated[
    str | None,
    typer.Option(
        "--pack",
        metavar="NAME",
        help="A model pack [default: the chosen one].",
        autocompletion=completion.installed_packs,
    ),
]


def one_form(*, as_json: bool, as_csv: bool) -> None:
    """Refuse ``--json`` and ``--csv`` together.

    Raises:
        BadParameter: both are given.
    """
    if as_json and as_csv:
        raise typer.BadParameter("not together with --json", param_hint="--csv")


def say(text: str = "") -> None:
    """One line of an answer for people."""
    typer.echo(text)


def counted(count: int, what: str) -> str:
    """``1 event``, ``2 events``."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def complain(text: str) -> None:
    """One failure of several that a command goes on after, on stderr; its fix on the next line."""
    _beside("error", Meaning.BAD, text)


def warn(text: str) -> None:
    """One line for people beside the answer, on stderr; its fix, where it has one, on the next."""
    _beside("warning", Meaning.DOUBT, text)


def _beside(word: str, meaning: Meaning, text: str) -> None:
    said, mark, fix = text.partition("\nFix: ")
    typer.echo(f"{_marked(word, meaning)} {plain(said)}", err=True)
    if mark:
        advise(fix)


def advise(fix: str) -> None:
    """What to do about an answer that is no error, on stderr."""
    typer.echo(f"Fix: {plain(fix)}", err=True)


def _marked(word: str, meaning: Meaning) -> str:
    return styled(f"{word}:", meaning, sys.stderr)


def left_out(entries: Sequence[object], count: int) -> None:
    """What of a list could not be read, an entry a line, on stderr; ``count`` is of all."""
    for each in entries:
        warn(f"left out {each}")
    if count > len(entries):
        warn(f"left out {count - len(entries)} more")


def emit(value: Any) -> None:
    """One JSON value on one line of stdout, at once: a reader may be following."""
    # ASCII only: a file name that is no valid text still makes a valid line in every locale.
    typer.echo(json.dumps(value, allow_nan=False))
    sys.stdout.flush()


def user() -> str:
    """Who gives this command, as events name them."""
    from agent.app.open.control import user_name

    return user_name(os.getuid())
