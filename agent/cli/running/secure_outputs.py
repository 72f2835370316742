"""``gate-agent secure-outputs``: what the service runs once the agent has ended."""

import typer

from agent.app.open.paths import config_path, state_dir
from agent.cli.common import Config, StateDir, Task, examples


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "secure-outputs",
        rich_help_panel=Task.RUN,
        epilog=examples("secure-outputs --config gate.toml"),
    )(secure_outputs)


def secure_outputs(*, config: Config = None, state: StateDir = None) -> None:
    """Put every output into its safe state.

    For ExecStopPost of the service: whatever became of the agent, no output stays energised.
    """
    from agent.app.desk.secure import secure_all

    raise typer.Exit(secure_all(config_path(config), state_dir(state)))
