"""``gate-agent backup``: a kiosk's state in one sealed file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import (
    Config,
    Json,
    StateDir,
    Task,
    counted,
    emit,
    examples,
    file_option,
    warn,
)
from agent.cli.progress import progress
from agent.cli.terminal.style import is_terminal
from agent.cli.terminal.table import line

if TYPE_CHECKING:
    from agent.app.desk.care.backup import Made
    from agent.app.open.site import Site

PassphraseFile = Annotated[
    Path | None,
    file_option(
        "--passphrase-file", "Whose first line is the passphrase; - is stdin [default: asks]."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and say what it would do.")]
KeyFile = Annotated[
    Path | None,
    file_option("--key-file", "The gallery's key, where systemd hands the agent a copy of it."),
]


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "backup",
        rich_help_panel=Task.LOOK_AFTER,
        epilog=examples(
            "backup /media/stick/north-1.gate",
            "backup --dry-run north-1.gate",
            "backup --passphrase-file /etc/gate-agent/backup.pass /srv/north-1.gate --json",
            "backup --json",
        ),
    )(backup)


def backup(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="Written whole or not at all. Without it: into the folder of the config.",
            readable=False,
            show_default=False,
        ),
    ] = None,
    *,
    passphrase_file: PassphraseFile = None,
    key_file: KeyFile = None,
    without_models: Annotated[
        bool, typer.Option("--without-models", help="Leave model packs out.")
    ] = False,
    dry_run: DryRun = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Put the kiosk's state into one sealed file.

    Beside a running agent too. In it are people, references, keys, events, uses of passes, and the
    config with what it names: all that another kiosk needs to take this one's place. Whoever has it
    and the passphrase has it all. Without FILE it is the one that a timer makes: into the folder
    under [store.backup], of which the oldest go.
    """
    from dataclasses import replace

    from agent.app.desk.care import backup as desk
    from agent.app.open.site import command_site

    site = command_site(state_dir(state), given_config_path(config))
    if key_file is not None:
        site = replace(site, key_file=key_file)
    if file is None:
        if without_models:
            raise typer.BadParameter("without FILE the config says it: models under [store.backup]")
        _by_config(site, passphrase_file, dry_run=dry_run, as_json=as_json)
        return
    models = not without_models
    if dry_run:
        made = desk.would_be(site, file, models=models)
    else:
        desk.check_room(site, desk.survey(site, models=models), file)
        passphrase = the_passphrase(passphrase_file, new=True)
        with progress(wanted=not as_json) as advance:
            made = desk.back_up(site, file, passphrase, advance, models=models)
    _say_left_out(made)
    if as_json:
        emit({"file": str(file), "dry_run": dry_run, **made.as_json()})
        return
    _say(file, made, dry_run=dry_run)


def _by_config(site: "Site", passphrase_file: Path | None, *, dry_run: bool, as_json: bool) -> None:
    from agent.app.desk.care import scheduled

    file = passphrase_file or scheduled.passphrase_file(site)
    if dry_run:
        done = scheduled.would_be_by_config(site)
    else:
        with progress(wanted=not as_json) as advance:
            done = scheduled.back_up_by_config(
                site, lambda: the_passphrase(file, new=True), advance
            )
    _say_left_out(done.made)
    if as_json:
        emit({"dry_run": dry_run, **done.as_json()})
        return
    _say(done.file, done.made, dry_run=dry_run)
    for name in done.removed:
        line(f"removed {name}")


def _say_left_out(made: "Made") -> None:
    for name in made.left_out:
        warn(f"left out {name}")


def _say(file: Path, made: "Made", *, dry_run: bool) -> None:
    would = "would hold" if dry_run else "holds"
    line(f"{file} {would} {counted(made.files, 'file')}, {made.size / 1e6:.1f} MB")
    if not dry_run:
        line("It was read back. Keep it away from the kiosk, and the passphrase away from it.")


def the_passphrase(file: Path | None, *, new: bool) -> str:
    """From a file, or asked for where a person sits; never echoed.

    Raises:
        RefusedError: ``passphrase``.
        UnavailableError: there is none.
    """
    from getpass import getpass

    from agent.operations.care.passphrase import read_passphrase

    sits = is_terminal(sys.stdin) and is_terminal(sys.stderr)
    ask = (lambda prompt: getpass(prompt, stream=sys.stderr)) if sits else None
    return read_passphrase(file, ask, new=new)
