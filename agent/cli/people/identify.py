"""``gate-agent identify``."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import Config, Json, PackOption, StateDir, Task, complain, emit, examples
from agent.cli.progress import progress
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import table

if TYPE_CHECKING:
    from agent.operations.people.identify import Identified, IdentifiedImage

COLUMNS = ("photograph", "who", "score/limit", "face")


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

    Every face in each, by the gate's threshold at its least (what is tried there makes it
    stricter) and its margin; without a gallery nobody. Exit code 1 if a file could not be read;
    the others are answered all the same.
    """
    from agent.app.desk.people import identify_files, with_pack
    from agent.app.open.site import command_site

    found = []
    site = with_pack(command_site(state_dir(state), given_config_path(config)), pack)
    with progress(wanted=not as_json) as advance:
        for result in identify_files(site, images):
            found.append(result)
            if as_json:
                emit(result.as_json())
            advance("photographs", len(found), len(images))
    unread = [result for result in found if result.error is not None]
    if not as_json:
        rows = [row for result in found for row in face_rows(result)]
        if rows:
            table(COLUMNS, rows)
        for result in unread:
            complain(str(result.error))
    if unread:
        raise typer.Exit(1)


def face_rows(result: "IdentifiedImage") -> Iterator[Sequence[object]]:
    """A row a face, by falling area; one for a photograph that shows none."""
    if result.error is None and not result.faces:
        yield (result.file, Cell("no face", Meaning.QUIET), None, None)
    for face in result.faces:
        box = face.box
        where = f"{box.width} x {box.height} at {box.x}, {box.y}"
        yield (result.file, _who(face), _score(face.score, result.limit), where)


def _who(face: "Identified") -> Cell:
    from agent.domain.credential.reason import Reason
    from agent.operations.decisions import in_words

    if face.holder is not None:
        return Cell(face.holder, Meaning.GOOD)
    poor = face.reason is Reason.OTHER
    why = "too small, dark or blurred" if poor else in_words(face.reason)
    return Cell(f"nobody: {why}", Meaning.DOUBT)


def _score(score: float | None, limit: float | None) -> str | None:
    from agent.operations.decisions import score_and_limit

    return score_and_limit({"score": score, "threshold": limit})
