"""``gate-agent holders category`` and ``categories``: who is in which, since when and why."""

from typing import Annotated

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli import completion
from agent.cli.common import (
    Config,
    Csv,
    Json,
    StateDir,
    Task,
    emit,
    examples,
    one_form,
    say,
    user,
    warn,
)
from agent.cli.people.holders import Id
from agent.cli.people.holders import app as holders
from agent.cli.terminal.sheet import sheet_of
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import table

_COLUMNS = ("id", "zh", "en", "alternative", "ledger", "valid_days", "retention_days", "passes")


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``; that of holders hangs in theirs already."""
    parent.command(
        "categories",
        rich_help_panel=Task.PEOPLE,
        epilog=examples("categories", "categories --config gate.toml --json"),
    )(categories)


@holders.command(
    "category",
    epilog=examples(
        "holders category r-1042",
        "holders category r-1042 home_isolation --reason 'back from a trip'",
        "holders category r-1042 --undo",
    ),
)
def category(
    holder: Id,
    category: Annotated[
        str | None,
        typer.Argument(metavar="[CAT]", help="The new one.", autocompletion=completion.categories),
    ] = None,
    *,
    reason: Annotated[
        str | None,
        typer.Option("--reason", metavar="TEXT", help="Why; events carry it, so name nobody."),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the last change back.")] = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Change a holder's category, or take the last change back.

    Without a category: how they came into theirs. Each change is an event with who and why.
    """
    from agent.app.desk.registers.categories import category_changes, change_category, undo_category
    from agent.app.open.site import command_site
    from agent.domain.hours.instant import local_text
    from agent.errors import RefusedError
    from agent.operations.registers.category import as_json as change_json

    site = command_site(state_dir(state), given_config_path(config))
    if category is not None and undo:
        raise RefusedError("undo", "either another category, or --undo")
    if category is None and not undo:
        changes = category_changes(site, holder)
        if as_json:
            emit([change_json(one) for one in changes])
            return
        table(
            ("when", "was", "became", "by", "reason"),
            [
                (local_text(one.at, site.zone)[:-3], one.was, one.became, one.by, one.why)
                for one in changes
            ],
            empty="the category was never changed",
        )
        return
    if undo:
        after, made = undo_category(site, holder, reason, by=user())
    else:
        after, made, doubts = change_category(site, holder, category or "", reason, by=user())
        for doubt in doubts:
            warn(doubt)
    if as_json:
        done = None if made is None else change_json(made)
        emit({"id": after.id, "category": after.category, "change": done})
    elif made is None:
        say(f"{after.id} is in {after.category} already; nothing to do")
    else:
        say(f"{after.id}: {made.was} became {made.became}")


def categories(
    *, config: Config = None, state: StateDir = None, as_json: Json = False, as_csv: Csv = False
) -> None:
    """List the archive categories, each as its table says it.

    Without a config: those by default.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    from agent.app.desk.registers.categories import listed
    from agent.app.open.site import command_site

    found = listed(command_site(state_dir(state), given_config_path(config)))
    if as_json:
        emit(found)
    elif as_csv:
        sheet_of(_COLUMNS, found)
    else:
        table(
            _COLUMNS,
            [
                (Cell(one["id"], Meaning.STRONG), *(one[name] for name in _COLUMNS[1:]))
                for one in found
            ],
        )
