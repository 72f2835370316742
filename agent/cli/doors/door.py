"""Commands about doors to the running agent: ``door`` and ``passback``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli import completion
from agent.cli.care.daemon import ask_agent
from agent.cli.care.status_text import POINTS, point_rows, told
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
)
from agent.cli.terminal.ask import Yes, confirm
from agent.cli.terminal.sheet import sheet_of
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import table

app = Commands("door show", "door release north-entry", "door lockdown --all", "door resume --all")
passback = Commands("passback list", "passback forgive r-1042")

Points = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ACCESS_POINT",
        help="As status names them.",
        autocompletion=completion.access_points,
    ),
]
All = Annotated[bool, typer.Option("--all", help="Every access point of the kiosk.")]


def add_to(parent: typer.Typer) -> None:
    """Hang the groups into ``parent``."""
    parent.add_typer(
        app,
        rich_help_panel=Task.DOORS,
        name="door",
        help="Lock down, free or release doors of the running agent.",
    )
    parent.add_typer(
        passback,
        rich_help_panel=Task.DOORS,
        name="passback",
        help="Who is inside, by anti-passback.",
    )


@app.command("show", epilog=examples("door show", "door show --json"))
def show(*, config: Config = None, state: StateDir = None, as_json: Json = False) -> None:
    """Show how each access point stands: its state and its mode."""
    status = ask_agent(config, state, {"command": "status"})["status"]
    _answer(
        {
            point: {
                "state": word,
                "mode": status["modes"][point],
                "cause": status["causes"].get(point),
            }
            for point, word in status["access_points"].items()
        },
        as_json=as_json,
    )


@app.command(
    "lockdown", epilog=examples("door lockdown --all", "door lockdown north-entry north-exit")
)
def lockdown(
    points: Points = None,
    *,
    every: All = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Lock doors down until resume.

    Fire and the exit button still free them. A release under way ends at once. Survives a restart.
    """
    _command("lockdown", points, every, config, state, as_json=as_json)


@app.command(
    "free-passage", epilog=examples("door free-passage north-entry", "door free-passage --all")
)
def free_passage(
    points: Points = None,
    *,
    every: All = False,
    yes: Yes = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Let everybody through until resume.

    Survives a restart. Nobody is counted meanwhile. Asks first, at a terminal.
    """
    if bool(points) is not every:
        where = "every access point" if every else ", ".join(points or ())
        confirm(f"Let everybody through at {where}, until door resume?", yes=yes)
    _command("free-passage", points, every, config, state, as_json=as_json)


@app.command("resume", epilog=examples("door resume north-entry", "door resume --all"))
def resume(
    points: Points = None,
    *,
    every: All = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """End a lockdown or free passage.

    Schedules hold again: what one of them says now begins at once.
    """
    _command("resume", points, every, config, state, as_json=as_json)


@app.command("release", epilog=examples("door release north-entry"))
def release(
    point: Annotated[
        str,
        typer.Argument(
            metavar="ACCESS_POINT",
            help="As status names it.",
            autocompletion=completion.access_points,
        ),
    ],
    *,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Let one person through; the event says who asked."""
    _command("release", [point], False, config, state, as_json=as_json)


@passback.command("list", epilog=examples("passback list", "passback list --json"))
def list_positions(
    *, config: Config = None, state: StateDir = None, as_json: Json = False, as_csv: Csv = False
) -> None:
    """List where holders are, the newest first."""
    one_form(as_json=as_json, as_csv=as_csv)
    answer = ask_agent(config, state, {"command": "passback"})
    if as_json:
        emit({"total": answer["total"], "positions": answer["positions"]})
        return
    if as_csv:
        sheet_of(("holder", "area", "since"), answer["positions"])
        return
    from agent.app.open.site import command_site

    zone = command_site(state_dir(state), given_config_path(config)).zone
    rows = [
        (Cell(one["holder"], Meaning.STRONG), one["area"], told(one["since"], zone))
        for one in answer["positions"]
    ]
    nobody = "nobody is inside, by anti-passback; gate-agent events list shows who passed"
    table(("holder", "area", "since"), rows, empty=nobody)
    if len(rows) < answer["total"]:
        say(f"and {answer['total'] - len(rows)} more")


@passback.command("forgive", epilog=examples("passback forgive r-1042", "passback forgive --all"))
def forgive(
    holder: Annotated[
        str | None,
        typer.Argument(metavar="HOLDER", help="Whose.", autocompletion=completion.holders),
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Everybody's.")] = False,
    yes: Yes = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Forget where a holder is, so that they may come in again."""
    if (holder is None) is not every:
        raise typer.BadParameter("name one holder, or --all")
    if every:
        confirm("Forget where everybody is?", yes=yes)
    answer = ask_agent(config, state, {"command": "forgive", "holder": holder})
    if as_json:
        emit({"holder": answer["holder"]})
    else:
        say("forgave " + ("everybody" if holder is None else holder))


def _command(
    do: str,
    points: list[str] | None,
    every: bool,  # noqa: FBT001 - an option handed on
    config: Path | None,
    state: Path | None,
    *,
    as_json: bool,
) -> None:
    if bool(points) is every:
        raise typer.BadParameter("name access points, or --all")
    if every:
        status = ask_agent(config, state, {"command": "status"})["status"]
        points = list(status["access_points"])
    request: Mapping[str, Any] = {"command": "door", "do": do, "access_points": points}
    _answer(ask_agent(config, state, request)["access_points"], as_json=as_json)


def _answer(stands: Mapping[str, Mapping[str, str | None]], *, as_json: bool) -> None:
    if as_json:
        emit({"access_points": stands})
        return
    names = {"access_points": "state", "modes": "mode", "causes": "cause"}
    found = {
        name: {point: one[key] for point, one in stands.items()} for name, key in names.items()
    }
    table(POINTS, point_rows(found))
