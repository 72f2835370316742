"""``gate-agent enrol``."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli import completion
from agent.cli.common import (
    Config,
    Json,
    PackOption,
    Panel,
    StateDir,
    Task,
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
        rich_help_panel=Task.PEOPLE,
        epilog=examples(
            "enrol r-1042 --name 'Ann Example' --category resident ann-1.jpg ann-2.jpg",
            "enrol r-1042 --add ann-3.jpg",
            "enrol r-1042 --name 'Ann Example' --category resident --camera",
            "enrol r-1042 --name 'Ann Example' --category resident --replace --json ann-3.jpg",
            "enrol v-77 --name Visitor --category visitor --valid-until 2026-12-31 visitor.jpg",
        ),
    )(enrol)


def enrol(
    context: typer.Context,
    holder: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="1 to 64 of A-Z a-z 0-9 . _ -; never an ID number.",
            autocompletion=completion.holders,
        ),
    ],
    images: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[IMAGE]...",
            help="Two or three photographs of that person; with --camera the camera's id.",
        ),
    ] = None,
    *,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="NAME", help="For the desk only.", rich_help_panel=Panel.WHO
        ),
    ] = None,
    category: Annotated[
        str | None,
        typer.Option(
            "--category",
            metavar="CAT",
            help="As the config's rules name it.",
            rich_help_panel=Panel.WHO,
            autocompletion=completion.categories,
        ),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add",
            metavar="FILE",
            help="One more photograph of somebody enrolled; repeatable.",
            rich_help_panel=Panel.PHOTOGRAPHS,
        ),
    ] = None,
    camera: Annotated[
        bool,
        typer.Option(
            "--camera",
            help="Take them at the kiosk, guided; no photograph is kept.",
            rich_help_panel=Panel.PHOTOGRAPHS,
        ),
    ] = False,
    camera_source: Annotated[
        str | None,
        typer.Option(
            "--camera-source",
            metavar="SOURCE",
            help="A device, stream or film in its stead.",
            rich_help_panel=Panel.PHOTOGRAPHS,
        ),
    ] = None,
    timeout_s: Annotated[
        float,
        typer.Option(
            "--timeout",
            metavar="S",
            min=1.0,
            max=600.0,
            help="With --camera.",
            rich_help_panel=Panel.PHOTOGRAPHS,
        ),
    ] = 90.0,
    valid_from: Annotated[
        str | None,
        typer.Option(
            "--valid-from",
            metavar="WHEN",
            help="A date, or a date and time.",
            rich_help_panel=Panel.WHO,
        ),
    ] = None,
    valid_until: Annotated[
        str | None,
        typer.Option(
            "--valid-until",
            metavar="WHEN",
            help="A date with all of its day, or a time.",
            rich_help_panel=Panel.WHO,
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Take a small or blurred face, or one that another holder has.",
            rich_help_panel=Panel.ANYWAY,
        ),
    ] = False,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Forget the references of a holder enrolled already.",
            rich_help_panel=Panel.ANYWAY,
        ),
    ] = False,
    pack: PackOption = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Enrol a holder by photographs.

    Two or three, each with one good face of that person; what agrees becomes one reference. One is
    taken too, and more can be added later. Refused, with reason and fix: no face, several faces, a
    small or blurred face, different people, a face that belongs to another holder. Nothing is
    stored then.
    """
    from agent.app.desk.people import enrol_holder, with_pack
    from agent.app.open.site import command_site
    from agent.operations.moments import parse_bound
    from agent.operations.people.enrol import EnrolmentRequest

    site = with_pack(command_site(state_dir(state), given_config_path(config)), pack)
    guided = camera or camera_source is not None
    if camera_source is not None and images:
        context.fail("--camera-source takes no IMAGE and no camera's id")
    wrong = _misuse(images or [], add or [], name, category, guided=guided, replace=replace)
    if wrong is not None:
        context.fail(wrong)
    request = EnrolmentRequest(
        id=holder,
        name=name or "",
        category=category or "",
        files=() if guided else (*(images or ()), *(add or ())),
        valid_from=parse_bound(valid_from or "none", site.zone, ends=False),
        valid_until=parse_bound(valid_until or "none", site.zone, ends=True),
        force=force,
        replace=replace,
        adds=name is None and category is None,
    )
    settled = 0
    if guided:
        from agent.app.desk.guided import enrol_at_camera, kiosk_camera
        from agent.cli.people.guidance import guidance

        wanted = images[0] if images else None
        camera_of = partial(kiosk_camera, site, given_config_path(config), wanted, camera_source)
        with guidance(as_json=as_json) as watch:
            made, settled = enrol_at_camera(site, request, camera_of, timeout_s, watch, by=user())
    else:
        made = enrol_holder(site, request, by=user())
    if as_json:
        emit(made.as_json(site.face.pack) | ({"settled": settled} if guided else {}))
        return
    if settled:
        warn(
            "the head was not turned as asked: the photographs are much alike and gain less; add"
            " one of another day (--add FILE)"
        )
    for warning in made.warnings:
        warn(warning)
    if made.gain is not None:
        warn(f"{made.holder.id} has a reference {made.gain}")
    parts = ", ".join(str(count) for count in made.parts)
    photographs = f"of {parts} photograph{'' if parts == '1' else 's'}"
    references = counted(len(made.references), "reference")
    say(f"enrolled {made.holder.id}: {references} {photographs} ({site.face.pack})")


def _misuse(
    images: Sequence[str],
    added: Sequence[str],
    name: str | None,
    category: str | None,
    *,
    guided: bool,
    replace: bool,
) -> str | None:
    """What does not go together; None where all does."""
    adds = bool(added) or (guided and name is category is None and not replace)
    if added and (images or name is not None or category is not None or replace):
        return "--add takes no IMAGE, --name, --category or --replace: the holder stays as enrolled"
    if added and guided:
        return "--add FILE and --camera exclude each other; --camera without --name adds as well"
    if guided and len(images) > 1:
        return "--camera takes the id of one camera and no IMAGE"
    if not (images or added or guided):
        return "Missing argument 'IMAGE': two or three photographs, or --add FILE, or --camera"
    if adds:
        return None
    missing = [
        word for word, value in (("--name", name), ("--category", category)) if value is None
    ]
    return f"Missing option '{missing[0]}'." if missing else None
