"""``gate-agent cards``: whose card is whose, never its number.

A number is read from stdin or from a file: an argument would stand in the shell's history and be
seen by every user of the machine.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import (
    Commands,
    Config,
    Csv,
    Json,
    StateDir,
    Task,
    counted,
    emit,
    examples,
    one_form,
    plain,
    say,
    user,
)
from agent.cli.people.holders import Id
from agent.cli.terminal.ask import Yes, confirm
from agent.cli.terminal.sheet import sheet_of
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import table

app = Commands(
    "cards bind r-1042 --stdin",
    "cards unbind r-1042",
)

_LONGEST_LINE = 256

Stdin = Annotated[bool, typer.Option("--stdin", help="Read the number from stdin, one line.")]
Force = Annotated[bool, typer.Option("--force", help="Take it from the holder who has it.")]


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(
        app, rich_help_panel=Task.PEOPLE, name="cards", help="Cards of holders, and lost ones."
    )


@app.command(
    "bind",
    epilog=examples(
        "echo h10301:17:4711 | gate-agent cards bind r-1042 --stdin",
        "cards bind r-1042 --valid-until 2026-12-31",
    ),
)
def bind(
    holder: Id,
    *,
    stdin: Stdin = False,
    valid_from: Annotated[
        str | None, typer.Option("--valid-from", metavar="WHEN", help="A date, a time, or none.")
    ] = None,
    valid_until: Annotated[
        str | None, typer.Option("--valid-until", metavar="WHEN", help="The same; its end.")
    ] = None,
    force: Force = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Bind a card to a holder.

    Its number is FORMAT:FACILITY:NUMBER, as h10301:17:4711, and asked for without --stdin. Only a
    keyed hash of it is kept. A holder may have several cards.
    """
    from agent.app.desk.cards.cards import bind_card
    from agent.app.open.site import command_site
    from agent.operations.moments import parse_bound

    path = given_config_path(config)
    site = command_site(state_dir(state), path)
    bounds = (
        parse_bound(valid_from or "none", site.zone, ends=False),
        parse_bound(valid_until or "none", site.zone, ends=True),
    )
    made = bind_card(site, path, holder, _number(stdin=stdin), bounds, by=user(), move=force)
    if as_json:
        emit(made.as_json())
    else:
        said = f"bound to {holder} as {made.tag}"
        say(said if made.changed else f"it is {holder}'s already, {made.tag}; nothing to do")


@app.command(
    "unbind",
    epilog=examples(
        "cards unbind r-1042 --card 1f3a09bc77d0",
        "echo h10301:17:4711 | gate-agent cards unbind --stdin",
    ),
)
def unbind(
    holder: Annotated[str | None, typer.Argument(metavar="[ID]", help="Whose.")] = None,
    *,
    card: Annotated[
        str | None,
        typer.Option("--card", metavar="TAG", help="This one, as listed; else all of the holder."),
    ] = None,
    stdin: Stdin = False,
    yes: Yes = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Let a card open nothing from now on: it was lost, or given back.

    A holder's cards, or the one of a number, whoever's it is. The running agent knows within two
    seconds. Asks first, at a terminal.
    """
    from agent.app.desk.cards.cards import unbind_cards, unbind_number
    from agent.app.open.site import command_site
    from agent.errors import RefusedError

    if stdin is (holder is not None) or (stdin and card is not None):
        fix = "either a holder's ID, with --card TAG for one card; or --stdin"
        raise RefusedError("no_card", f"which card?\nFix: {fix}")
    path = given_config_path(config)
    site = command_site(state_dir(state), path)
    if holder is None:
        gone = [unbind_number(site, path, _number(stdin=True), by=user())]
    else:
        which = f"card {plain(card)}" if card else "every card"
        confirm(f"Let {which} of {plain(holder)} open nothing?", yes=yes)
        gone = unbind_cards(site, holder, card, by=user())
    if as_json:
        emit([one.as_json() for one in gone])
        return
    for one in gone:
        say(f"{one.holder}'s card {one.tag} opens nothing any more")
    if not gone:
        say(f"{plain(holder)} has no card; nothing to do")


@app.command("list", epilog=examples("cards list", "cards list r-1042 --json"))
def list_(
    holder: Annotated[str | None, typer.Argument(metavar="[ID]", help="Of one holder.")] = None,
    *,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """List cards: whose, by which tag, and when they count.

    A tag is the beginning of a keyed hash and says nothing of the number.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    from agent.app.desk.cards.cards import list_cards
    from agent.app.open.site import command_site
    from agent.cli.people.holders_text import validity

    site = command_site(state_dir(state), given_config_path(config))
    found = list_cards(site, holder)
    if as_json:
        emit([one.as_json() for one in found])
    elif as_csv:
        sheet_of(("id", "card", "valid_from", "valid_until"), [one.as_json() for one in found])
    else:
        table(
            ("holder", "card", "valid"),
            [
                (
                    Cell(one.holder, Meaning.STRONG),
                    one.tag,
                    validity(one.valid_from, one.valid_until, site.zone),
                )
                for one in found
            ],
            empty="no card is bound; gate-agent cards bind ID binds one",
        )


@app.command("import", epilog=examples("cards import cards.csv --dry-run", "cards import -"))
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A table as CSV; - stdin.", readable=False)
    ],
    *,
    force: Force = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be bound.")
    ] = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Bind the cards of a table.

    Its columns are holder, card, and if wanted valid_from and valid_until. Every row is checked
    first: with one fault in it nothing is bound. No other card is unbound. The file is a secret:
    whoever has it can copy the cards.
    """
    from agent.app.desk.cards.cards import import_cards
    from agent.app.open.site import command_site
    from agent.operations.files import read_lines, read_stdin

    path = given_config_path(config)
    site = command_site(state_dir(state), path)
    from_stdin = str(file) == "-"
    lines = read_stdin() if from_stdin else read_lines(file)
    name = "stdin" if from_stdin else str(file)
    total, changed = import_cards(site, path, lines, name, by=user(), move=force, dry_run=dry_run)
    if as_json:
        emit({"file": str(file), "cards": total, "changed": changed, "dry_run": dry_run})
    else:
        would = "would be" if dry_run else "were"
        say(f"{counted(total, 'card')} read, {changed} {would} bound or changed")


def _number(*, stdin: bool) -> str:
    if not stdin and sys.stdin.isatty():
        from getpass import getpass

        return getpass("card (FORMAT:FACILITY:NUMBER): ")
    if not stdin:
        from agent.errors import RefusedError

        raise RefusedError("no_number", "where is the number?\nFix: --stdin, or a terminal")
    try:
        return sys.stdin.readline(_LONGEST_LINE)
    except UnicodeDecodeError:
        # What cannot be decoded is no number; the bytes must not reach a traceback.
        return ""
