"""``gate-agent scan``."""

from typing import Annotated

import typer

from agent.app.open.paths import state_dir
from agent.cli.common import Json, StateDir, Task, complain, emit, examples, say
from agent.cli.passes.credential_text import advise_trust, unknown_issuer
from agent.cli.terminal.style import plain

_LONGEST_SHOWN = 48


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

    unread = 0
    for result in scan_files(images, state_dir(state)):
        unread += result.error is not None
        if as_json:
            emit(result.as_json())
            continue
        if result.error is not None:
            complain(result.error)
        elif not result.symbols:
            say(f"{plain(result.file)}: no symbol ({result.ms:.0f} ms)")
        for one in result.symbols:
            symbol = one.symbol
            text = symbol.text if symbol.text is not None else f"{len(symbol.content)} bytes"
            shown = plain(text[:_LONGEST_SHOWN]) + ("..." if len(text) > _LONGEST_SHOWN else "")
            holds = "valid" if one.verdict.valid else str(one.verdict.reason)
            if one.verdict.unknown_issuer is not None:
                holds = unknown_issuer(one.verdict.unknown_issuer)
            if one.part is not None:
                holds = "waiting for the others" if one.waiting else holds
                holds = f"part {one.part.number} of {one.part.count}, {holds}"
            head = f"{plain(result.file)}: {symbol.format} by {symbol.decoder}, {symbol.ms:.0f} ms"
            say(f"{head}: {one.kind.value}, {holds}: {shown}")
            if one.verdict.unknown_issuer is not None:
                advise_trust(one.verdict.unknown_issuer)
    if unread:
        raise typer.Exit(1)
