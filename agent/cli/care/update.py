"""``gate-agent update``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.app.open.paths import SYSTEM_STATE, given_state_dir
from agent.cli.common import Config, Json, StateDir, Task, emit, examples, file_option, say, warn
from agent.cli.terminal.ask import confirm
from agent.cli.terminal.style import is_terminal

if TYPE_CHECKING:
    from agent.operations.releases.update import Plan


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "update",
        rich_help_panel=Task.LOOK_AFTER,
        epilog=examples(
            "update gate-agent.deb",
            "update gate-agent.deb --dry-run --json",
            "update /media/usb/wheelhouse",
        ),
    )(update)


def update(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A signed package, its .sig beside it; or the folder of a signed wheelhouse.",
            readable=False,
        ),
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look at everything, change nothing.")
    ] = False,
    root: Annotated[
        Path, file_option("--root", "Where this machine's files begin, for trying it out.", "DIR")
    ] = Path("/"),
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Install a signed release, and go back where it does worse.

    The gate runs until the new release is whole and its doctor has looked. Where that, or the agent
    that is started anew, does worse than before, the release before runs again. The state is never
    touched. An older release needs a person at a terminal.
    """
    from agent.app.desk.update.carry import Update
    from agent.app.open.paths import config_path
    from agent.cli.progress import progress

    place = root.resolve()
    asked = config or (place / "etc/gate-agent/gate.toml" if place != Path("/") else config_path())
    begun = Update(
        place, asked, state or given_state_dir() or place / SYSTEM_STATE.relative_to("/")
    )
    with begun.home.held():
        if not dry_run and (went_back := begun.settle()) is not None:
            warn(f"an update was cut short: {went_back} is current again")
        plan = begun.planned(file)
        if dry_run or plan.same:
            _tell(plan, changed=False, as_json=as_json)
            return
        if plan.older:
            _older(plan)
        with progress(wanted=not as_json) as advance:
            begun.carry_out(plan, advance)
    _tell(plan, changed=True, as_json=as_json)


def _older(plan: "Plan") -> None:
    """Have a person agree: an older release may have a weakness that was mended since.

    Raises:
        RefusedError: ``older_release``, ``not_confirmed``.
    """
    from agent.errors import RefusedError

    said = f"{plan.said.version} is older than {plan.before}"
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise RefusedError("older_release", f"{said}\nFix: a person does that, at a terminal")
    confirm(f"{said}, and may lack what was mended since. Install it", yes=False)


def _tell(plan: "Plan", *, changed: bool, as_json: bool) -> None:
    if as_json:
        emit({**plan.as_json(), "file": str(plan.file), "changed": changed})
    elif changed:
        say(f"updated from {plan.before} to {plan.said.version}")
    elif plan.same:
        say(f"{plan.before} runs already")
    else:
        say(f"would update from {plan.before} to {plan.said.version}; nothing was changed")
