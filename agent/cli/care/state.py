"""``gate-agent state``: the files of the state, and a person's word about one that is in fault."""

from typing import Annotated

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli import completion
from agent.cli.care.daemon import ask_agent
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
from agent.cli.terminal.table import line, table

app = Commands(
    "state show",
)


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(
        app,
        rich_help_panel=Task.LOOK_AFTER,
        name="state",
        help="The files of the state, and which are in fault.",
    )


@app.command("show", epilog=examples("state show", "state show --json"))
def show(
    *, config: Config = None, state: StateDir = None, as_json: Json = False, as_csv: Csv = False
) -> None:
    """Show which files of the state are in fault.

    A file is in fault where it is not the one that was there: see how far it has come. Works with
    and without a running agent, and changes nothing.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    from agent.app.desk.state import state_files
    from agent.app.open.site import command_site

    identity, files = state_files(command_site(state_dir(state), given_config_path(config)))
    if as_json:
        emit({"identity": identity, "files": [one.as_json() for one in files]})
        return
    if as_csv:
        columns = ("file", "part", "fault", "counter", "remembered", "loss")
        sheet_of(columns, [one.as_json() for one in files])
        return
    rows = [
        (
            Cell(one.file, Meaning.STRONG),
            Cell("well", Meaning.GOOD) if one.fault is None else Cell(one.fault, Meaning.BAD),
            one.counter,
            one.remembered,
        )
        for one in files
    ]
    table(("file", "state", "has come to", "remembered"), rows)
    for one in files:
        if one.fault is not None:
            line(f"{one.part}: {one.loss}")


@app.command(
    "accept",
    epilog=examples("state accept passes.sqlite --reason 'card renewed, visitors get new passes'"),
)
def accept(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="As state show names it.", autocompletion=completion.state_files
        ),
    ],
    *,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; the event tells it.")
    ],
    yes: Yes = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Accept a file of the state as it is.

    One that is missing, empty, older or of another installation counts from now on: what it lacks
    was never used, locked down or revoked. The event says who did and why. Works with and without
    a running agent. Asks first, at a terminal.
    """
    from agent.app.desk.state import accept_file
    from agent.app.open.files.running import agent_runs
    from agent.app.open.site import command_site

    site = command_site(state_dir(state), given_config_path(config))
    confirm(
        f"Accept {file} as it is? What it lacks was then never used, locked down or revoked.",
        yes=yes,
    )
    if agent_runs(site.state):
        request = {"command": "accept_state", "file": file, "reason": reason}
        part = ask_agent(config, state, request)["part"]
    else:
        part = accept_file(site, file, reason, user())
    if as_json:
        emit({"file": file, "part": part})
    else:
        say(f"accepted {file}; {part} is in order")
