"""``gate-agent scan``."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from agent.app.open.paths import state_dir
from agent.cli.common import Json, StateDir, Task, complain, emit, examples, say
from agent.cli.passes.credential_text import advise_trust
from agent.cli.terminal.style import Cell, Meaning, is_terminal, plain
from agent.cli.terminal.table import line, record

if TYPE_CHECKING:
    from agent.operations.scan import Judged

_LONGEST_SHOWN = 48
_FORMATS = {"QRCode": "QR code", "MicroQRCode": "Micro QR code", "DataMatrix": "Data Matrix"}


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "scan", rich_help_panel=Task.PASSES, epilog=examples("scan code.png", "scan --json *.jpg")
    )(scan)


def scan(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE", help="Photographs, any size.")],
    *,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Read the symbols of photographs.

    QR codes, Aztec, Data Matrix and PDF417, with what each is and whether it holds by the issuers
    and trust lists that are installed. Exit code 1 if a file could not be read; the others are
    answered all the same.
    """
    from agent.app.desk.scan import scan_files

    unread, shown = 0, 0
    for result in scan_files(images, state_dir(state)):
        unread += result.error is not None
        if as_json:
            emit(result.as_json())
            continue
        if result.error is not None:
            complain(result.error)
        elif not result.symbols:
            line(f"{plain(result.file)}: no symbol ({result.ms:.0f} ms)")
        for one in result.symbols:
            _show(result.file, one, first=shown == 0)
            shown += 1
            if one.verdict.unknown_issuer is not None:
                advise_trust(one.verdict.unknown_issuer)
    if unread:
        raise typer.Exit(1)


def _show(file: str, one: "Judged", *, first: bool) -> None:
    """A symbol: a record where somebody looks, else a line."""
    from agent.cli.passes.verdict_text import KINDS

    symbol, worth = one.symbol, _worth(one)
    text = symbol.text if symbol.text is not None else f"{len(symbol.content)} bytes"
    text = plain(text[:_LONGEST_SHOWN]) + ("..." if len(text) > _LONGEST_SHOWN else "")
    read = f"{_FORMATS.get(symbol.format, symbol.format)} by {symbol.decoder}, {symbol.ms:.0f} ms"
    if not is_terminal(sys.stdout):
        say(f"{plain(file)}: {read}: {KINDS[one.kind.value]}, {worth.value}: {text}")
        return
    if not first:
        say()
    record(
        {
            "file": Cell(file, Meaning.STRONG),
            "symbol": read,
            "what it is": KINDS[one.kind.value],
            "worth": worth,
            "text": text,
        }
    )


def _worth(one: "Judged") -> Cell:
    """Whether it holds; of a part, whether the whole does."""
    from agent.cli.passes.verdict_text import verdict
    from agent.domain.credential.credential import CredentialKind

    if one.kind is CredentialKind.TEXT:
        return Cell("no credential", Meaning.QUIET)
    told = verdict(asdict(one.verdict))
    if one.waiting:
        told = Cell("waiting for the others", Meaning.DOUBT)
    if one.part is None:
        return told
    return Cell(f"part {one.part.number} of {one.part.count}, {told.value}", told.meaning)
