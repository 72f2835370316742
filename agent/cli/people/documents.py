"""``gate-agent holders bind-document`` and ``id-document``: ID documents, never their numbers.

A number is read from stdin or from the card: an argument would stand in the shell's history and be
seen by every user of the machine.
"""

import sys
from typing import Annotated, Any

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import Commands, Config, Json, StateDir, Task, emit, examples, say, user, warn
from agent.cli.people.holders import Id
from agent.cli.people.holders import app as holders
from agent.cli.terminal.ask import Yes, confirm
from agent.cli.terminal.style import Cell, Meaning, judged
from agent.cli.terminal.table import record

app = Commands(
    "id-document read --port /dev/ttyUSB0",
)

_LONGEST_LINE = 256

Wait = Annotated[
    float, typer.Option("--wait", metavar="S", min=0.0, max=600.0, help="How long to wait for it.")
]


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``; the holders' commands hang in theirs already."""
    parent.add_typer(
        app, rich_help_panel=Task.PEOPLE, name="id-document", help="ID documents and their reader."
    )


@holders.command(
    "bind-document",
    epilog=examples(
        "holders bind-document r-1042 --port /dev/ttyUSB0",
        "holders bind-document r-1042 --stdin",
    ),
)
def bind(
    holder: Id,
    *,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read the number from stdin, one line.")
    ] = False,
    port: Annotated[
        str | None, typer.Option("--port", metavar="DEV", help="Read the card on this reader.")
    ] = None,
    wait: Wait = 20.0,
    force: Annotated[
        bool, typer.Option("--force", help="Take it from the holder who has it.")
    ] = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Bind an ID document to a holder.

    Only a keyed hash of the number is kept. It replaces the holder's document of before.
    """
    from agent.app.desk.documents import bind_laid, bind_number
    from agent.app.open.site import command_site
    from agent.errors import RefusedError

    if stdin == (port is not None):
        raise RefusedError("no_number", "where is the number?\nFix: either --stdin or --port DEV")
    site = command_site(state_dir(state), given_config_path(config))
    if port is not None:
        made = bind_laid(site, holder, port, wait, by=user(), move=force)
    else:
        made = bind_number(site, holder, _typed_number(), by=user(), move=force)
    for warning in made.warnings:
        warn(warning)
    if as_json:
        emit(made.as_json())
    else:
        say(f"bound to {holder}" if made.changed else f"it is {holder}'s already; nothing to do")


@holders.command("unbind-document", epilog=examples("holders unbind-document r-1042"))
def unbind(
    holder: Id,
    *,
    yes: Yes = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Forget a holder's ID document.

    Asks first, at a terminal.
    """
    from agent.app.desk.documents import unbind_document
    from agent.app.open.site import command_site

    site = command_site(state_dir(state), given_config_path(config))
    confirm(f"Forget the ID document of {holder}?", yes=yes)
    made = unbind_document(site, holder, by=user())
    if as_json:
        emit(made.as_json())
    else:
        say(f"forgotten: {holder}'s" if made.changed else f"{holder} has none; nothing to do")


@app.command(
    "read",
    epilog=examples(
        "id-document read --port /dev/ttyUSB0", "id-document read --port /dev/ttyUSB0 --json"
    ),
)
def read(
    *,
    port: Annotated[str, typer.Option("--port", metavar="DEV", help="The reader.")],
    wait: Wait = 20.0,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Read the ID document on a reader, to test it.

    It tells kind, validity and whose it is here; never the number or the name.
    """
    from agent.app.desk.documents import describe_laid
    from agent.app.open.site import command_site

    site = command_site(state_dir(state), given_config_path(config))
    shown = describe_laid(site, port, wait, warn)
    if as_json:
        emit(shown)
    else:
        record(_told(shown))


def _typed_number() -> str:
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass("ID number: ")
    try:
        return sys.stdin.readline(_LONGEST_LINE)
    except UnicodeDecodeError:
        # What cannot be decoded is no number; the bytes must not reach a traceback.
        return ""


def _told(shown: dict[str, Any]) -> dict[str, object]:
    """What lies on the reader in words; what the clock or a missing key leaves open is a dash."""
    from agent.operations.decisions import in_words

    valid, whose = shown["valid"], shown["holder"]
    if shown["bound"] is False:
        whose = Cell("nobody's here; gate-agent holders bind-document ID binds it", Meaning.DOUBT)
    return {
        "kind": in_words(shown["kind"]),
        "valid from": shown["valid_from"],
        "valid until": shown["valid_until"] or "for life",
        "valid today": valid if valid is None else judged(valid),
        "whose": whose,
        "photograph": f"{shown['photo_bytes']} bytes",
    }
