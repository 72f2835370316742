"""``gate-agent clock``: what is known of the time, and a person's word on it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.care.daemon import ask_agent
from agent.cli.care.status_text import told
from agent.cli.common import Commands, Config, Json, StateDir, Task, emit, examples, user
from agent.cli.terminal.ask import Yes
from agent.cli.terminal.ask import confirm as make_sure
from agent.cli.terminal.style import Cell, Meaning, judged
from agent.cli.terminal.table import record

app = Commands(
    "clock show",
    "clock confirm --reason 'off for two weeks'",
)

Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the event.")]


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(
        app,
        rich_help_panel=Task.LOOK_AFTER,
        name="clock",
        help="What is known of the time; a person's word on it.",
    )


@app.command("show", epilog=examples("clock show", "clock show --json"))
def show(*, config: Config = None, state: StateDir = None, as_json: Json = False) -> None:
    """Show which time is believed, and what the clock says.

    Of the running agent, or of what the last one wrote down.
    """
    from agent.app.desk import clock
    from agent.app.open.site import command_site
    from agent.errors import UnavailableError

    try:
        found = ask_agent(config, state, {"command": "clock", "do": "show"})["clock"]
    except UnavailableError:
        found = clock.show(command_site(state_dir(state), given_config_path(config)))
    _answer(found, config, state, as_json=as_json)


@app.command("confirm", epilog=examples("clock confirm --reason 'off for two weeks'"))
def confirm(
    *, reason: Why, config: Config = None, state: StateDir = None, as_json: Json = False
) -> None:
    """Believe a clock that is more than a day ahead.

    For a kiosk that stood without power, where no second source agrees. Look at the clock first:
    what begins by it begins.
    """
    _tell("confirm", reason, None, config, state, as_json=as_json)


@app.command(
    "set-back",
    epilog=examples(
        "clock set-back --reason 'the router was a year ahead'",
        "clock set-back --to 2026-11-27T08:00:00Z --reason 'the router was a year ahead'",
    ),
)
def set_back(
    *,
    reason: Why,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="ISO 8601 [default: what the clock says]."),
    ] = None,
    yes: Yes = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Take back a wrong time that was believed or claimed.

    What had ended by it may open again: only a person can do this. Put the clock right first. Asks
    first, at a terminal.
    """
    when = "what the clock says" if to is None else to
    make_sure(f"Set the time back to {when}? What had ended by it may open again.", yes=yes)
    _tell("set_back", reason, to, config, state, as_json=as_json)


def _tell(
    do: str, reason: str, to: str | None, config: Path | None, state: Path | None, *, as_json: bool
) -> None:
    from agent.app.desk import clock
    from agent.app.open.site import command_site
    from agent.domain.hours.reckoning import ClockChange
    from agent.errors import UnavailableError
    from agent.operations.moments import parse_moment
    from agent.operations.reasons import reason_of

    try:
        why = reason_of(reason)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--reason") from None
    given = None if to is None else parse_moment(to)
    request = {"command": "clock", "do": do, "reason": why}
    if given is not None:
        request["utc"] = given.isoformat()
    try:
        found = ask_agent(config, state, request)["clock"]
    except UnavailableError:
        changes = {"confirm": ClockChange.CONFIRMED, "set_back": ClockChange.SET_BACK}
        site = command_site(state_dir(state), given_config_path(config))
        found = clock.tell(site, changes[do], given, user(), why)
    _answer(found, config, state, as_json=as_json)


def _answer(
    found: dict[str, Any], config: Path | None, state: Path | None, *, as_json: bool
) -> None:
    from agent.app.open.site import command_site

    if as_json:
        emit(found)
        return
    zone = command_site(state_dir(state), given_config_path(config)).zone
    settled = found["state"] == "settled"
    record(
        {
            "state": Cell(found["state"], Meaning.GOOD if settled else Meaning.DOUBT),
            "it is at least": told(found["confirmed"], zone),
            "claimed by one": told(found["claimed"], zone),
            "the clock says": told(found["clock"], zone),
            "vouched for": judged(found["trusted"], Meaning.DOUBT),
            "signed, or two agree": found["sure"],
            "times are those of": zone,
        }
    )
