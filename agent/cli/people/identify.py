"""``gate-agent identify``."""

from typing import Annotated

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import Config, Json, PackOption, StateDir, Task, complain, emit, examples, say
from agent.cli.terminal.style import plain


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "identify",
        rich_help_panel=Task.PEOPLE,
        epilog=examples("identify photo.jpg", "identify --json *.jpg"),
    )(identify)


def identify(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE", help="Photographs, any size.")],
    *,
    pack: PackOption = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Name the faces of photographs.

    Every face in each, by the gate's own threshold and margin; without a gallery nobody. Exit
    code 1 if a file could not be read; the others are answered all the same.
    """
    from agent.app.desk.people import identify_files, with_pack
    from agent.app.open.site import command_site

    unread = 0
    site = with_pack(command_site(state_dir(state), given_config_path(config)), pack)
    for result in identify_files(site, images):
        unread += result.error is not None
        if as_json:
            emit(result.as_json())
            continue
        if result.error is not None:
            complain(result.error)
        elif not result.faces:
            say(f"{plain(result.file)}: no face")
        for face in result.faces:
            box = face.box
            where = f"{box.width}x{box.height}+{box.x}+{box.y}"
            score = "-" if face.score is None else f"{face.score:.3f}"
            who = plain(face.holder) if face.holder is not None else f"nobody ({face.reason})"
            say(f"{plain(result.file)}: {where}: {who}, score {score}")
    if unread:
        raise typer.Exit(1)
