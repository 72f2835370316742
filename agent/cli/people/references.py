"""``gate-agent holders references`` and ``re-enrol``: by which photographs people are known."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import (
    Config,
    Csv,
    Json,
    PackOption,
    StateDir,
    complain,
    counted,
    emit,
    examples,
    file_option,
    one_form,
    say,
    user,
    warn,
)
from agent.cli.people.holders import Id
from agent.cli.people.holders import app as holders
from agent.cli.progress import progress
from agent.cli.terminal.ask import Yes, confirm
from agent.cli.terminal.sheet import sheet_of
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import table


def add_to(_parent: typer.Typer) -> None:
    """The commands hang in the holders' group already."""


@holders.command(
    "references",
    epilog=examples("holders references r-1042", "holders references r-1042 --remove 2"),
)
def references(
    holder: Id,
    *,
    remove: Annotated[
        int | None,
        typer.Option("--remove", metavar="N", help="Take this photograph away, as listed."),
    ] = None,
    yes: Yes = False,
    pack: PackOption = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """List or remove photographs of a holder.

    Never a template. What is left is averaged anew. A removal asks first, at a terminal.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    from agent.app.desk.people import with_pack
    from agent.app.desk.references import references_of, remove_photograph
    from agent.app.open.site import command_site

    site = with_pack(command_site(state_dir(state), given_config_path(config)), pack)
    if remove is None:
        rows = references_of(site, holder)
        names = ("photograph", "reference", "pack", "pack_version", "score_with_others")
        if as_json:
            emit(rows)
        elif as_csv:
            sheet_of(names, rows)
        else:
            _show(holder, rows)
        return
    confirm(f"Remove photograph {remove} of {holder}, for good?", yes=yes)
    left = remove_photograph(site, holder, remove, by=user())
    if left.forgotten:
        kept = counted(left.forgotten, "photograph")
        warn(f"{kept} kept of {holder} went too: which was that one is written nowhere")
    if not left.erased:
        warn("erased from the database, but not yet from its log: the running agent does it")
    if as_json:
        emit(
            {
                "id": holder,
                "removed": remove,
                "references": left.references,
                "photographs": left.photographs,
                "forgotten": left.forgotten,
                "erased": left.erased,
            }
        )
    else:
        of = counted(left.photographs, "photograph")
        say(f"{holder}: {counted(left.references, 'reference')} of {of} left")


def _show(holder: str, rows: Sequence[Mapping[str, Any]]) -> None:
    from agent.app.desk.references import score_of_one_person

    limits = {pack: score_of_one_person(pack) for pack in {row["pack"] for row in rows}}
    table(
        ("photograph", "reference", "pack", "version", "score with others/limit"),
        [
            (
                row["photograph"],
                row["reference"],
                row["pack"],
                row["pack_version"],
                _compared(row["score_with_others"], limits[row["pack"]]),
            )
            for row in rows
        ],
        empty=f"{holder} has no reference; gate-agent enrol {holder} --add PHOTOGRAPH makes one",
    )


def _compared(score: float | None, limit: float | None) -> Cell:
    from agent.operations.decisions import score_and_limit

    low = score is not None and limit is not None and score < limit
    told = score_and_limit({"score": score, "threshold": limit})
    return Cell(told, Meaning.DOUBT if low else None)


@holders.command(
    "re-enrol",
    epilog=examples(
        "holders re-enrol --pack retail",
        "holders re-enrol --pack retail --photos /media/usb/portraits --json",
    ),
)
def re_enrol(
    *,
    photos: Annotated[
        Path | None, file_option("--photos", "Files or folders named by the holders' ids.", "DIR")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take a small or blurred face too.")
    ] = False,
    pack: PackOption = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Enrol everybody by another pack.

    Whoever has references of other packs only gets new ones by the photographs in DIR, else by
    those the kiosk keeps; the others must come again and are listed. Cut short, a repetition does
    the rest. Exit code 1 if a photograph would not do.
    """
    from agent.app.desk.people import with_pack
    from agent.app.desk.references import re_enrol_holders
    from agent.app.open.site import command_site

    configured = command_site(state_dir(state), given_config_path(config))
    site = with_pack(configured, pack)
    name = site.face.pack
    with progress(wanted=not as_json) as advance:
        made, version = re_enrol_holders(
            site,
            photos,
            by=user(),
            force=force,
            advance=lambda done, total: advance("holders", done, total),
        )
    if as_json:
        emit(made.as_json(name, version))
    else:
        for one in made.failed:
            complain(f"{one.holder}: {one.error}")
        if made.strangers:
            warn(f"named after no holder: {', '.join(made.strangers)}")
        have = counted(len(made.standing.have), "holder")
        say(f"{have} had references of {name}; {len(made.made)} enrolled again")
        if made.must_come:
            say(f"must come again ({len(made.must_come)}): {', '.join(made.must_come)}")
        if configured.face.pack != name:
            fix = f'gate-agent models choose {name}, or pack = "{name}" in the config'
            say(f"The gate goes by {configured.face.pack} until: {fix}")
    if made.failed:
        raise typer.Exit(1)
