"""``gate-agent version``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.app.open.paths import state_dir
from agent.cli.common import Json, StateDir, Task, emit, examples
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import record


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "version",
        rich_help_panel=Task.LOOK_AFTER,
        epilog=examples("version", "version --json", "version --sbom"),
    )(version)


def version(
    *,
    state: StateDir = None,
    sbom: Annotated[
        bool, typer.Option("--sbom", help="The bill of materials instead: CycloneDX, as JSON.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what is installed.

    The agent, Python, model packs and the libraries that count.
    """
    if sbom:
        from agent.operations.bill import bill

        emit(bill(Path(sys.prefix)))
        return
    from agent.operations.about import about

    found = about(state_dir(state))
    if as_json:
        emit(found)
        return
    packs = ", ".join(f"{name} {number or '?'}" for name, number in found["packs"].items())
    record(
        {
            "gate-agent": Cell(found["agent"], Meaning.STRONG),
            **({"package": found["package"]} if found["package"] else {}),
            "python": f"{found['python']} ({found['machine']})",
            "model packs": packs or Cell("none; Fix: gate-agent models setup", Meaning.DOUBT),
            **{
                name: number or Cell("not installed", Meaning.QUIET)
                for name, number in found["libraries"].items()
            },
        }
    )
