"""``gate-agent enrol``."""

from typing import Annotated

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import (
    Config,
    Json,
    PackOption,
    StateDir,
    counted,
    emit,
    examples,
    say,
    user,
    warn,
)


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "enrol",
        epilog=examples(
            "enrol r-1042 --name 'Ann Example' --category resident ann-1.jpg ann-2.jpg",
            "enrol r-1042 --name 'Ann Example' --category resident --replace --json ann-3.jpg",
            "enrol v-77 --name Visitor --category visitor --valid-until 2026-12-31 visitor.jpg",
        ),
    )(enrol)


def enrol(
    holder: Annotated[
        str, typer.Argument(metavar="ID", help="1 to 64 of A-Z a-z 0-9 . _ -; never an ID number.")
    ],
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE", help="One photograph or more of that person.")
    ],
    *,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="For the desk only.")],
    category: Annotated[
        str, typer.Option("--category", metavar="CAT", help="As the config's rules name it.")
    ],
    valid_from: Annotated[
        str | None,
        typer.Option("--valid-from", metavar="WHEN", help="A date, or a date and time."),
    ] = None,
    valid_until: Annotated[
        str | None,
        typer.Option(
            "--valid-until", metavar="WHEN", help="A date with all of its day, or a time."
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Take a small or blurred face, or one that another holder has."
        ),
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Forget the references of a holder enrolled already.")
    ] = False,
    pack: PackOption = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Enrol a holder by photographs.

    One or more, each with one good face of that person. Refused, with reason and fix: no
    face, several faces, a small or blurred face, different
    people, a face that belongs to another holder. Nothing is stored then.
    """
    from agent.app.desk.people import enrol_holder, with_pack
    from agent.app.open.site import command_site
    from agent.operations.moments import parse_bound
    from agent.operations.people.enrol import EnrolmentRequest

    site = with_pack(command_site(state_dir(state), given_config_path(config)), pack)
    request = EnrolmentRequest(
        id=holder,
        name=name,
        category=category,
        files=tuple(images),
        valid_from=parse_bound(valid_from or "none", site.zone, ends=False),
        valid_until=parse_bound(valid_until or "none", site.zone, ends=True),
        force=force,
        replace=replace,
    )
    made = enrol_holder(site, request, by=user())
    if as_json:
        emit(made.as_json(site.face.pack))
        return
    for warning in made.warnings:
        warn(warning)
    references = counted(len(made.templates), "reference")
    say(f"enrolled {made.holder.id}: {references} ({site.face.pack})")
