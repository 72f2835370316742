"""``gate-agent config render``: configs of a fleet from one template."""

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.common import Commands, Json, emit, examples, file_option, say
from agent.cli.terminal.style import plain


def add_to(group: Commands) -> None:
    """Hang it into the group ``config``."""
    group.command(
        "render",
        epilog=examples(
            "config render fleet.toml --set kiosk=north-1 --set relay_pin=17 --out gate.toml",
            "config render fleet.toml --csv kiosks.csv --out configs",
        ),
    )(render)


def render(
    context: typer.Context,
    template: Annotated[
        Path,
        typer.Argument(metavar="TEMPLATE", help="A config with ${name} in it.", readable=False),
    ],
    *,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A variable's value, for every kiosk."),
    ] = None,
    table: Annotated[
        Path | None, file_option("--csv", "A table: a column a variable, a row a kiosk.")
    ] = None,
    out: Annotated[
        Path | None,
        file_option("--out", "The config [default: stdout]; with --csv the folder for all."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make configs from a template.

    A variable without a value, a value without a variable, and a config that is wrong are errors,
    and then nothing is written.
    """
    from agent.operations.config.fleet import (
        named,
        read_fleet,
        rendered,
        variables_of,
        write_fleet,
    )
    from agent.operations.files import read_text, write_whole

    given: dict[str, str] = {}
    for one in values or ():
        name, sign, value = one.partition("=")
        if not sign or name in given:
            context.fail(f"--set: {one!r} is not NAME=VALUE, each name once")
        given[name] = value
    text = read_text(template)
    if table is None:
        made = rendered(text, given, template)
        if out is not None:
            write_whole(made.text.encode(), out)
        if as_json:
            emit({"file": None if out is None else str(out), "config": made.text})
        else:
            say(made.text.rstrip("\n") if out is None else plain(f"wrote {out}"))
        return
    if out is None:
        context.fail("--csv needs --out DIR: a config a kiosk goes into it")
    known = [one for one in variables_of(text) if one not in given]
    rows = read_fleet(table, known)
    kiosks = named([(row.line, rendered(text, given | dict(row.cells), template)) for row in rows])
    files = write_fleet(kiosks, out)
    if as_json:
        emit(
            [
                {"kiosk": kiosk.kiosk, "file": str(file)}
                for kiosk, file in zip(kiosks, files, strict=True)
            ]
        )
    else:
        for kiosk, file in zip(kiosks, files, strict=True):
            say(plain(f"{kiosk.kiosk}: {file}"))
