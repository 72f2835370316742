"""``gate-agent run``: the agent itself."""

import gc

import typer

from agent.app.open.paths import config_path, state_dir
from agent.cli.common import Config, StateDir, Task, examples


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "run",
        rich_help_panel=Task.RUN,
        epilog=examples("run", "run --config gate.toml --state-dir state"),
    )(run)


def run(*, config: Config = None, state: StateDir = None) -> None:
    """Run the gate.

    Until SIGTERM, Ctrl-C or the end of a finite camera source; the outputs are safe then.
    """
    # What a thousand modules are made of stays: to search it for garbage is lost time.
    gc.disable()
    from agent.app.gate.run import run_agent

    gc.freeze()
    gc.enable()

    raise typer.Exit(run_agent(config_path(config), state_dir(state)))
