"""``gate-agent pass print``: passes on paper."""

from pathlib import Path
from typing import Annotated

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import (
    Config,
    Json,
    StateDir,
    counted,
    emit,
    examples,
    file_option,
    say,
)
from agent.cli.passes.credential_text import HELP, one_text
from agent.cli.terminal.style import plain


def add_to(group: typer.Typer) -> None:
    """Hang the command into ``group``."""
    group.command(
        "print",
        epilog=examples(
            "pass print --file pass.txt --name 'Lin Yu' --out card.pdf",
            "pass print --file pass.txt --name 林语堂 --photo r-1042.jpg --out card.pdf",
            "pass print --batch passes.jsonl --sheet --out cards.pdf",
        ),
    )(print_)


def print_(
    *,
    out: Annotated[Path, file_option("--out", "The PDF.")],
    text: Annotated[str | None, typer.Option("--text", metavar="TEXT", help=HELP)] = None,
    file: Annotated[Path | None, file_option("--file", "A file with that text.")] = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Stands on the card, not in the code.")
    ] = "",
    batch: Annotated[
        Path | None,
        file_option("--batch", "JSON lines with text, name and photo."),
    ] = None,
    photo: Annotated[
        Path | None,
        file_option("--photo", "The holder's photograph, for the card's box.", "IMAGE"),
    ] = None,
    sheet: Annotated[bool, typer.Option("--sheet", help="Ten cards on each A4 page.")] = False,
    font: Annotated[
        Path | None,
        file_option("--font", "A TrueType font, asked before this machine's."),
    ] = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Print passes as cards.

    QR code, name, validity and the photograph, or a box for it, on cards of 85.60 x 53.98 mm
    (ID-1). Dates are the site's. Every character is set in a font that goes into the PDF: a name
    that no font here can set whole is refused.
    """
    from agent.app.open.site import command_site
    from agent.operations.files import write_whole
    from agent.operations.passes.card_batch import cards_of, one_card
    from agent.operations.passes.card_photo import card_photo
    from agent.operations.passes.print import print_cards

    zone = command_site(state_dir(state), given_config_path(config)).zone
    if batch is not None:
        if photo is not None:
            raise typer.BadParameter("each line names its own", param_hint="--photo")
        cards = cards_of(batch, zone, font)
    else:
        pass_text = one_text(text, file)
        cards = [one_card(pass_text, name, zone, None if photo is None else card_photo(photo))]
    data = print_cards(cards, sheet=sheet, font=font)
    write_whole(data, out)
    if as_json:
        emit({"file": str(out), "cards": len(cards), "bytes": len(data)})
    else:
        say(f"printed {counted(len(cards), 'card')} into {plain(out)}")
