"""``gate-agent register``: people of the community's archives."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import (
    Commands,
    Config,
    Json,
    StateDir,
    Task,
    counted,
    emit,
    examples,
    file_option,
    say,
    user,
    warn,
)
from agent.cli.progress import progress
from agent.cli.terminal.ask import Yes, confirm

if TYPE_CHECKING:
    from agent.operations.registers.importing import Preview

app = Commands("register import residents.xlsx", "register import residents.csv --preview")


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(
        app, rich_help_panel=Task.PEOPLE, name="register", help="People of the archives."
    )


@app.command(
    "import",
    epilog=examples(
        "register import residents.xlsx --preview",
        "register import residents.xlsx --faults faulty.csv",
        "register import residents.csv --notice 2026-1",
    ),
)
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV or a workbook (XLSX).", readable=False)
    ],
    *,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would change.")] = False,
    faults: Annotated[
        Path | None,
        file_option("--faults", "Gets the faulty rows; the others are imported."),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option("--sheet", metavar="NAME", help="Of a workbook with several.")
    ] = None,
    notice: Annotated[
        str | None,
        typer.Option("--notice", metavar="VERSION", help="To which dates of consent belong."),
    ] = None,
    yes: Yes = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Import people of the archives from a table, in one transaction.

    A head names the columns in any order: 姓名, name and so on. Who is known is changed to what is
    said there; nobody is removed. Asks first, at a terminal.
    """
    from agent.app.desk.registers.importing import Asked, import_register
    from agent.app.open.site import command_site

    site = command_site(state_dir(state), given_config_path(config))

    def ask(would: "Preview") -> None:
        if would.counts["new"] or would.counts["changed"]:
            confirm(f"{_told(would)}. Import it?", yes=yes)

    with progress(wanted=not as_json) as advance:
        done = import_register(
            site,
            Asked(file, sheet, notice, faults, preview),
            by=user(),
            advance=advance,
            confirm=ask,
        )
    for note in done.notes:
        warn(note)
    if done.made_key is not None:
        warn(f"made {done.made_key}, by which names are sealed; keep a copy in a safe place")
    for finding in done.findings:
        warn(finding)
    if as_json:
        emit({"file": str(file), **done.preview.as_json(), "imported": done.changed})
    elif done.changed is None:
        say(f"would be: {_told(done.preview)}")
    else:
        say(f"{_told(done.preview)}; {counted(done.changed, 'holder')} written")


def _told(would: "Preview") -> str:
    counts = [f"{number} {kind}" for kind, number in would.counts.items() if number]
    told = ", ".join(counts) or "nobody"
    if would.categories:
        moved = ", ".join(f"{what}: {number}" for what, number in sorted(would.categories.items()))
        told += f"; categories {moved}"
    return told + (f"; {would.shut_out} who may pass now are shut out" if would.shut_out else "")
