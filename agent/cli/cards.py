"""``gate-agent pass print``: passes on paper."""

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.common import Json, counted, emit, examples, file_option, say
from agent.cli.credential_text import HELP, one_text
from agent.cli.terminal.style import plain


def add_to(group: typer.Typer) -> None:
    """Hang the command into ``group``."""
    group.command(
        "print",
        epilog=examples(
            "pass print --file pass.txt --name 'Lin Yu' --out card.pdf",
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
        file_option("--batch", "JSON lines with text and name."),
    ] = None,
    sheet: Annotated[bool, typer.Option("--sheet", help="Ten cards on each A4 page.")] = False,
    font: Annotated[
        Path | None,
        file_option("--font", "A TrueType font for names."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print passes as cards.

    QR code, name, validity and a box for the photograph, on cards of 85.60 x 53.98 mm
    (ID-1). Chinese names are set in a font of this machine, or in --font.
    """
    from agent.operations.files import write_whole
    from agent.operations.passes.card_batch import cards_of, one_card
    from agent.operations.passes.print import print_cards

    cards = cards_of(batch) if batch is not None else [one_card(one_text(text, file), name)]
    data = print_cards(cards, sheet=sheet, font=font)
    write_whole(data, out)
    if as_json:
        emit({"file": str(out), "cards": len(cards), "bytes": len(data)})
    else:
        say(f"printed {counted(len(cards), 'card')} into {plain(out)}")
