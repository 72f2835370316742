"""``gate-agent rules``: by which rules each category passes, the config's or the community's."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from agent.app.open.paths import config_path, state_dir
from agent.cli import completion
from agent.cli.common import (
    Commands,
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
)
from agent.cli.terminal.ask import Yes, confirm
from agent.cli.terminal.sheet import sheet_of
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import table

app = Commands(
    "rules list",
    "rules reset courier",
)


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(
        app, rich_help_panel=Task.PEOPLE, name="rules", help="By which rules a category passes."
    )


@app.command("list", epilog=examples("rules list", "rules list --json"))
def list_rules(
    *, config: Config = None, state: StateDir = None, as_json: Json = False, as_csv: Csv = False
) -> None:
    """List the rules in force, by category.

    The community gives a category rules by signed command or registry sync; they hold in place of
    the config's for it, and an empty list lets nobody of it pass.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    from agent.app.desk.registry import rules_in_force
    from agent.app.open.site import command_site
    from agent.config import load_config

    path = config_path(config)
    found = rules_in_force(command_site(state_dir(state), path), load_config(path).config)
    if as_json:
        emit([one.as_json() for one in found])
        return
    if as_csv:
        columns = ("category", "source", "by", "since", "factors", "schedule", "problem")
        sheet_of(columns, [{**one.as_json(), **(one.rule or {})} for one in found])
        return
    table(
        ("category", "passes by", "and", "said by"),
        [
            (
                Cell(one.category, Meaning.STRONG),
                _by(one.rule),
                Cell(one.problem, Meaning.BAD) if one.problem else _beside(one.rule),
                one.by or "config",
            )
            for one in found
        ],
        empty="there is no [[rule]]: nobody may pass",
    )


@app.command("reset", epilog=examples("rules reset courier", "rules reset --lost --yes"))
def reset(
    category: Annotated[
        str | None,
        typer.Argument(metavar="CATEGORY", help="Whose.", autocompletion=completion.categories),
    ] = None,
    *,
    lost: Annotated[
        bool,
        typer.Option("--lost", help="Those that are damaged and whose category nobody knows."),
    ] = False,
    yes: Yes = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Let the config's rules hold again for a category.

    Asks first, at a terminal. What the community signed before this and comes later is refused; its
    registry may say rules again with its next update.
    """
    from agent.app.desk.registry import drop_lost_rules, reset_rules
    from agent.app.open.site import command_site
    from agent.errors import RefusedError

    if lost == (category is not None):
        raise RefusedError("category", "of which category?\nFix: name one, or --lost")
    site = command_site(state_dir(state), config_path(config))
    confirm(f"Let the config's rules hold again for {category or 'what is lost'}?", yes=yes)
    if category is None:
        changed = drop_lost_rules(site, by=user()) > 0
    else:
        changed = reset_rules(site, category, by=user())
    if as_json:
        emit({"category": category, "changed": changed})
    else:
        say("the config's rules hold again" if changed else "they hold already; nothing to do")


def _by(rule: Mapping[str, Any] | None) -> Cell | str:
    if rule is None:
        return Cell("nobody passes", Meaning.DOUBT)
    return " or ".join(rule["factors"])


def _beside(rule: Mapping[str, Any] | None) -> str:
    """What else a rule says, on one line; what holds by default is left out."""
    if rule is None:
        return ""
    said = [
        f"at {' '.join(rule['access_points'])}" if rule.get("access_points") else "",
        _when(rule.get("schedule")),
        f"up to {rule['temperature_limit_c']:g} C" if "temperature_limit_c" in rule else "",
        "a health certificate" if rule.get("health_certificate") else "",
        "a turn of the head" if rule.get("challenge") else "",
    ]
    return ", ".join(one for one in said if one)


def _when(schedule: object) -> str:
    if isinstance(schedule, str):
        return f"in {schedule}"
    return "in hours of its own" if schedule else ""
