"""``gate-agent demo``: a gate on simulated hardware."""

import typer

from agent.app.open.paths import state_dir
from agent.cli.common import Json, StateDir, Task, examples


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command("demo", rich_help_panel=Task.RUN, epilog=examples("demo", "demo --json"))(demo)


def demo(*, state: StateDir = None, as_json: Json = False) -> None:
    """Show a gate at work on simulated hardware.

    It has a camera, a relay and a broker of its own, and needs neither config nor key. Exit
    code 1 if any step went otherwise than it should.
    """
    from agent.lab.demo.demo import run_demo

    raise typer.Exit(run_demo(state_dir(state), as_json=as_json))
