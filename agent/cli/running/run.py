"""``gate-agent run``: the agent itself."""

import gc
import os
import sys
import time
from typing import TYPE_CHECKING

import typer

from agent.app.open.paths import config_path, state_dir
from agent.cli.common import Config, StateDir, Task, examples
from agent.cli.terminal.style import is_terminal

if TYPE_CHECKING:
    from agent.app.gate.run import TellerOf


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "run",
        rich_help_panel=Task.RUN,
        epilog=examples("run", "run --config gate.toml --state-dir state"),
    )(run)


def run(*, config: Config = None, state: StateDir = None) -> None:
    """Run the gate.

    Until SIGTERM, Ctrl-C or the end of a finite camera source; the outputs are safe then. At a
    terminal it says what happens in words, anywhere else it logs JSON.
    """
    began_s = time.monotonic()
    # What a thousand modules are made of stays: to search it for garbage is lost time.
    gc.disable()
    from agent.app.gate.run import run_agent

    gc.freeze()
    gc.enable()

    raise typer.Exit(run_agent(config_path(config), state_dir(state), _teller(), began_s))


def _teller() -> "TellerOf | None":
    """What tells a person the log, where somebody looks at stderr."""
    if not is_terminal(sys.stderr):
        return None
    from agent.cli.running.run_text import Narrator

    # What was asked for by name is shown whole.
    everything = os.environ.get("GATE_AGENT_LOG_LEVEL", "").lower() == "debug"
    return lambda zone: Narrator(zone, everything=everything)
