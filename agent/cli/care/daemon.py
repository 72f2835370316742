"""Commands to the running agent, over its control socket."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli import completion
from agent.cli.common import Config, Json, StateDir, Task, emit, examples
from agent.cli.terminal.table import line


def add_to(parent: typer.Typer) -> None:
    """Hang the commands into ``parent``."""
    parent.command(
        "status", rich_help_panel=Task.LOOK_AFTER, epilog=examples("status", "status --json")
    )(status)
    parent.command(
        "clear-fault", rich_help_panel=Task.LOOK_AFTER, epilog=examples("clear-fault camera:front")
    )(clear_fault)


def status(*, config: Config = None, state: StateDir = None, as_json: Json = False) -> None:
    """Ask the running agent how it is.

    Its faults, broker, gallery and access points, as its retained status says them.
    """
    found = ask_agent(config, state, {"command": "status"})["status"]
    if as_json:
        emit(found)
        return
    from agent.app.open.files.stores import read_journal
    from agent.app.open.site import command_site
    from agent.cli.care.status_text import show
    from agent.errors import GateAgentError
    from agent.operations.decisions import last_decisions

    site = command_site(state_dir(state), given_config_path(config))
    try:
        with read_journal(site) as journal:
            last = last_decisions(journal)
    except GateAgentError:
        last = {}  # whoever may ask the agent need not be one who may read the journal
    show(found, site.zone, last)


def clear_fault(
    part: Annotated[
        str,
        typer.Argument(
            metavar="PART",
            help="As status names it: camera:front, door:gate.",
            autocompletion=completion.faults,
        ),
    ],
    *,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Clear a latched fault of the running agent.

    The event about it says who did. A part that is still broken fails again.
    """
    answer = ask_agent(config, state, {"command": "clear_fault", "part": part})
    if as_json:
        emit({"part": part, **{key: value for key, value in answer.items() if key != "ok"}})
    else:
        line(f"cleared {part}")


def ask_agent(
    config: Path | None, state: Path | None, request: Mapping[str, Any]
) -> dict[str, Any]:
    """The running agent's answer to ``request``.

    Raises:
        RefusedError: it refuses.
        UnavailableError: no agent answers, or not to this user.
    """
    from agent.app.desk.asking import AgentSocket, answered

    return answered(AgentSocket(given_config_path(config), state_dir(state)).path(), request)
