"""A table as CSV, for whoever puts it into a sheet (RFC 4180, UTF-8)."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

import typer

from agent.cli.terminal.style import Cell
from agent.cli.terminal.table import flat

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sheet(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """The rows on stdout, as ``sheet_text`` writes them."""
    typer.echo(sheet_text(columns, rows), nl=False)


def sheet_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The rows whole and without colour; None is an empty cell.

    A text that a sheet would take for a formula has an apostrophe before it (OWASP, CSV injection).
    """
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_safe(value) for value in row])
    return told.getvalue()


def _safe(value: object) -> object:
    inner = flat(value.value if isinstance(value, Cell) else value)
    if isinstance(inner, str) and inner.startswith(_FORMULA):
        return f"'{inner}"
    return "" if inner is None else inner


def sheet_of(columns: Sequence[str], values: Iterable[Mapping[str, object]]) -> None:
    """The same for objects as JSON has them: a column a key."""
    sheet(columns, [[one.get(name) for name in columns] for one in values])
