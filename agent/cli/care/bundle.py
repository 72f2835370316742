"""``gate-agent bundle``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import Config, Json, StateDir, Task, emit, examples
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import line, table


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "bundle",
        rich_help_panel=Task.LOOK_AFTER,
        epilog=examples("bundle", "bundle --dry-run", "bundle /media/usb/kiosk.zip --json"),
    )(bundle)


def bundle(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="The ZIP to make [default: gate-agent-bundle-TIME.zip, here].",
            show_default=False,
            readable=False,
        ),
    ] = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "--list", help="Only say what would go in.")
    ] = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Make one file for a support request.

    Versions, config, doctor, status, faults, log and hashes. Only what is on a list goes in: no
    name, holder, pass, key, password or text that a person typed. Works beside a running agent and
    with a broken state.
    """
    from datetime import UTC, datetime

    from agent.app.desk.bundle.gather import parts_of
    from agent.cli.progress import progress
    from agent.operations.bundle.parcel import packed
    from agent.operations.files import check_place, write_whole

    now = datetime.now(UTC)
    place = file or Path(f"gate-agent-bundle-{now:%Y%m%dT%H%M%SZ}.zip")
    if not dry_run:
        check_place(place)
    parts = parts_of(given_config_path(config), state_dir(state), Path(sys.prefix))
    with progress(wanted=not as_json) as advance:
        parcel = packed(parts, now, advance)
    if not dry_run:
        write_whole(parcel.content, place)
    if as_json:
        emit(
            {
                "file": None if dry_run else str(place),
                "bytes": len(parcel.content),
                "sha256": parcel.sha256,
                "parts": [one.as_json() for one in parcel.parts],
            }
        )
        return
    rows = [
        (
            Cell(one.name, Meaning.STRONG),
            one.bytes,
            Cell(f"not to be had: {one.why}", Meaning.DOUBT) if one.why else one.about,
        )
        for one in parcel.parts
    ]
    table(("part", "bytes", "what"), rows)
    line("nothing was written" if dry_run else f"{place}: {len(parcel.content)} bytes")
