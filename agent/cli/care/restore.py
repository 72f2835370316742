"""``gate-agent restore`` and ``replace``: a backup put back, or given to a successor."""

import os
from collections.abc import Sequence
from dataclasses import replace as with_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.app.open.paths import config_path, given_config_path, state_dir
from agent.cli.care.backup import DryRun, KeyFile, PassphraseFile, the_passphrase
from agent.cli.common import (
    Config,
    Json,
    StateDir,
    Task,
    counted,
    emit,
    examples,
    file_option,
    user,
    warn,
)
from agent.cli.progress import progress
from agent.cli.terminal.ask import Yes, confirm
from agent.cli.terminal.table import line

if TYPE_CHECKING:
    from agent.app.desk.care.restore import Restored, Wish
    from agent.app.open.site import Site
    from agent.operations.care.config_files import Placed

Backup = Annotated[Path, typer.Argument(metavar="FILE", help="What backup wrote.", readable=False)]
Tombstones = Annotated[
    list[Path] | None,
    file_option(
        "--tombstones",
        "Who was removed and which passes were revoked since: the backend's receipts, events"
        " export of a kiosk. Repeatable.",
    ),
]


def add_to(parent: typer.Typer) -> None:
    """Hang the commands into ``parent``."""
    parent.command(
        "restore",
        rich_help_panel=Task.LOOK_AFTER,
        epilog=examples(
            "restore --dry-run north-1.gate",
            "restore north-1.gate",
            "restore north-1.gate --as-successor --tombstones removed.jsonl",
            "restore --config-only north-1.gate",
        ),
    )(restore)
    parent.command(
        "replace",
        rich_help_panel=Task.LOOK_AFTER,
        epilog=examples(
            "replace north-1.gate --label north-1-label.jpg",
            "replace north-1.gate --label north-1.json --tombstones removed.jsonl",
        ),
    )(replace)


def restore(
    file: Backup,
    *,
    as_successor: Annotated[
        bool,
        typer.Option("--as-successor", help="Another kiosk takes over: new keys, a new stream."),
    ] = False,
    config_only: Annotated[
        bool,
        typer.Option("--config-only", help="gate.toml and what it names; the agent may run."),
    ] = False,
    tombstones: Tombstones = None,
    passphrase_file: PassphraseFile = None,
    key_file: KeyFile = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Put a backup in the place of the state that is there.

    The agent is stopped for it. Killed at any point the old state is there or the new one. Passes
    of limited uses count as used up afterwards, until somebody accepts their file. The config comes
    back too, never over another one. Asks first, at a terminal.
    """
    from agent.app.desk.care.restore import Wish

    if config_only and (dry_run or tombstones):
        raise typer.BadParameter("--config-only goes with neither --dry-run nor --tombstones")
    site = _site(state, config, key_file)
    place = config_path(config).absolute()
    wish = Wish(as_successor, None, _removals(tombstones), user(), place)
    if config_only:
        _config_alone(site, file, passphrase_file, wish, as_json=as_json)
        return
    done = _done(site, file, passphrase_file, wish, yes=yes, dry_run=dry_run, wanted=not as_json)
    if as_json:
        emit({"dry_run": dry_run, **done.as_json()})
        return
    _say_done(done, dry_run=dry_run)
    if not dry_run:
        for text in _meaning(done):
            line(text)


def replace(
    file: Backup,
    *,
    label: Annotated[
        str,
        typer.Option(
            "--label",
            metavar="LABEL",
            help="The dead kiosk's: a picture of its code, its text, or key show --json of it.",
        ),
    ],
    tombstones: Tombstones = None,
    passphrase_file: PassphraseFile = None,
    key_file: KeyFile = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Let this kiosk take a dead one's place.

    As restore --as-successor, once label, backup and config name the same kiosk; without a config
    here the backup's is taken. Then it says what is left to do. None of the dead kiosk's private
    keys is written. Asks first, at a terminal.
    """
    from agent.app.desk.care.restore import Wish
    from agent.app.desk.care.successor import check_names, left_to_do
    from agent.operations.care.label import read_label

    site, dead = _site(state, config, key_file), read_label(label)
    check_names(site, dead)
    place = config_path(config).absolute()
    wish = Wish(True, dead.kiosk, _removals(tombstones), user(), place)
    done = _done(site, file, passphrase_file, wish, yes=yes, dry_run=dry_run, wanted=not as_json)
    left = [] if dry_run else left_to_do(done, dead)
    if as_json:
        emit({"dry_run": dry_run, **done.as_json(), "left_to_do": left})
        return
    _say_done(done, dry_run=dry_run)
    for number, text in enumerate(left, 1):
        line(f"{number}. {text}")


def _site(state: Path | None, config: Path | None, key_file: Path | None) -> "Site":
    from agent.app.open.site import command_site

    # What a backup is to bring may be named and not be there.
    place = given_config_path(config)
    there = place if place is not None and os.path.lexists(place) else None
    site = command_site(state_dir(state), there, unfinished=True)
    return site if key_file is None else with_(site, key_file=key_file)


def _removals(files: Sequence[Path] | None) -> list[Any]:
    from agent.operations.care.removals import read_removals
    from agent.operations.files import read_lines

    return [one for file in files or () for one in read_removals(read_lines(file), file.name)]


def _done(
    site: "Site",
    file: Path,
    passphrase_file: Path | None,
    wish: "Wish",
    *,
    yes: bool,
    dry_run: bool,
    wanted: bool,
) -> "Restored":
    from agent.app.desk.care import restore as desk

    desk.check_stopped(site, dry_run=dry_run)
    with (
        desk.opened(file, lambda: the_passphrase(passphrase_file, new=False)) as archive,
        progress(wanted=wanted) as advance,
    ):
        if dry_run:
            return desk.would_restore(site, archive, wish, advance)
        if desk.has_state(site):
            about = archive.about
            confirm(
                f"Put the backup of {about.kiosk or 'a kiosk without a config'}, made"
                f" {about.made:%Y-%m-%d %H:%M} UTC, in the place of the state in {site.state}?"
                " What is there now goes.",
                yes=yes,
            )
        return desk.restore(site, archive, file.stat().st_size, wish, advance)


def _say_done(done: "Restored", *, dry_run: bool) -> None:
    from agent.operations.care.config_files import SAME

    would = "would restore" if dry_run else "restored"
    line(
        f"{would} {counted(done.files, 'file')} ({done.size / 1e6:.1f} MB) of"
        f" {done.about.kiosk or 'a kiosk without a config'},"
        f" as of {done.about.made:%Y-%m-%d %H:%M} UTC"
    )
    _say_config([one for one in done.config if one.outcome != SAME], dry_run=dry_run)
    if done.unsent:
        went = "would go" if dry_run else "went"
        what = counted(done.unsent, "event")
        warn(f"{what} that the broker does not have {went} with the journal that was there")


def _config_alone(
    site: "Site", file: Path, passphrase_file: Path | None, wish: "Wish", *, as_json: bool
) -> None:
    from agent.app.desk.care import restore as desk

    with desk.opened(file, lambda: the_passphrase(passphrase_file, new=False)) as archive:
        placed = desk.restore_config(site, archive, wish)
    if as_json:
        emit({"config": [one.as_json() for one in placed]})
        return
    _say_config(placed, dry_run=False)


def _say_config(placed: "Sequence[Placed]", *, dry_run: bool) -> None:
    from agent.operations.care.config_files import BESIDE, LEFT_OUT, PLACED, SAME, UNWRITTEN

    lies = "would lie" if dry_run else "lies"
    for one in placed:
        if one.outcome == PLACED:
            line(f"{one.key} {lies} at {one.path}")
        elif one.outcome == SAME:
            line(f"{one.key} is at {one.belongs} as it was")
        elif one.outcome == BESIDE:
            other = "another one is there" if one.is_taken else "that is another folder"
            warn(f"{one.key} was not put at {one.belongs}: {other}; it {lies} at {one.path}")
        elif one.outcome == LEFT_OUT:
            line(f"{one.key} is the dead kiosk's and was left out: {one.belongs}")
        elif one.outcome == UNWRITTEN:
            fix = "as root: gate-agent restore --config-only FILE"
            warn(f"{one.key} could not be put at {one.belongs}\nFix: {fix}")


_PASSES = (
    "Passes of limited uses count as used up: what was used since is not in the backup. New passes,"
    " or: gate-agent state accept passes.sqlite --reason TEXT"
)
_THE_REST = (
    "Lockdowns, whereabouts and counts of attempts are as they were then; signed commands that were"
    " issued before the next start do not run."
)


def _meaning(done: "Restored") -> list[str]:
    told = [_PASSES, _THE_REST]
    # The one of passes is said already.
    other = [name for name in done.doubted if name not in _PASSES]
    if other:
        told.append(f"In fault as well: {', '.join(other)}. See gate-agent state show")
    if done.removed:
        told.append(f"{counted(done.removed, 'holder')} removed since then went here too.")
    if done.revoked:
        told.append(f"Revoked here too: {done.revoked} of the passes that were revoked since.")
    if done.keys is not None:
        told.append("The backend pins this kiosk's own keys: gate-agent key show --json")
    return told
