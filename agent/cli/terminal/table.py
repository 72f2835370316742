"""Tables and records: as wide as the terminal where there is one, whole lines anywhere else.

it fits                     columns, each as wide as what stands in it
it fits with folded cells   columns; words are never broken, unless one is longer than 24
it does not                 a record a row: a line a column, a blank line between
stdout is no terminal       columns, never folded: one row is one line for grep and awk
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import typer

from agent.cli.terminal.style import Cell, Meaning, is_coloured, is_terminal, plain, styled

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_UNBOUNDED = 10_000
_LONGEST_WHOLE_WORD = 24
_NARROW = 20
"""A column no wider than this is never folded: dates, ids and words are looked for as a whole."""
_GAP = 2
_WITHOUT_ABILITIES = ("dumb", "unknown")
"""Terminals of which rich takes every one to have 80 columns unless it is told."""


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    empty: str = "",
    narrow: Callable[[], None] | None = None,
) -> None:
    """A table on stdout; a cell is a value or a ``Cell`` with its meaning.

    ``empty`` is what is said where there are no rows and somebody looks, ``narrow`` shows what has
    no room for columns where a record a row would be too long.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    if not cells and empty and is_terminal(sys.stdout):
        line(empty)
        return
    # rich is imported by those who print a table only: help and JSON come faster without.
    screen = console()
    shown = _columns(columns, cells, folded=is_terminal(sys.stdout))
    unbounded = screen.options.update(width=_UNBOUNDED)
    if is_terminal(sys.stdout) and screen.measure(shown, options=unbounded).minimum > screen.width:
        if narrow is not None:
            narrow()
            return
        for number, row in enumerate(cells):
            if number:
                typer.echo()
            record(dict(zip(columns, row, strict=True)))
        return
    _print(screen, shown)


def record(values: Mapping[str, object]) -> None:
    """One thing on stdout: a line a field, folded beside its name where somebody looks."""
    width = max((len(name) for name in values), default=0)
    if not is_terminal(sys.stdout):
        for name, value in values.items():
            typer.echo(f"{name:<{width}}  {plain(_value(value))}".rstrip())
        return
    from rich.table import Table

    shown = Table.grid(padding=(0, _GAP, 0, 0))
    shown.add_column(style="dim", no_wrap=True)
    shown.add_column(overflow="fold")
    for name, value in values.items():
        shown.add_row(_text(Cell(name)), _text(_cell(value)))
    _print(console(), shown)


def line(*values: object, hang: int = _GAP) -> None:
    """Values on one line of stdout; where somebody looks it is folded, between values if that does.

    What does not fit stands below, ``hang`` columns further in.
    """
    if not is_terminal(sys.stdout):
        typer.echo((" " * _GAP).join(plain(_value(value)) for value in values).rstrip())
        return
    from rich.text import Text

    screen, cells = console(), [_text(_cell(value)) for value in values]
    begin = len(cells[0].plain) - len(cells[0].plain.lstrip())
    cells[0] = cells[0][begin:]
    room = max(screen.width - begin - hang, 1)
    rows, fresh = [Text(" " * begin)], True
    for cell in cells:
        whole = cell.cell_len <= room
        for number, part in enumerate([cell] if whole else cell.split(" ")):
            for piece in part.wrap(screen, room):
                gap = 0 if fresh else 1 if number else _GAP
                if rows[-1].cell_len + gap + piece.cell_len > screen.width and not fresh:
                    rows.append(Text(" " * (begin + hang)))
                    gap = 0
                rows[-1].append(" " * gap).append(piece)
                fresh = False
    _print(screen, Text("\n").join(rows))


def heading(text: str) -> None:
    """What the lines below are about, on stdout."""
    typer.echo(styled(plain(text), Meaning.STRONG))


def flat(value: object) -> object:
    """``value`` as a cell for people: yes or no, lists and objects on a line, None for nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        said = (f"{key}={plain(flat(item))}" for key, item in value.items())
        return ", ".join(said) or None
    if isinstance(value, list | tuple):
        return ", ".join(plain(flat(item)) for item in value) or None
    return value


def _cell(value: object) -> Cell:
    return value if isinstance(value, Cell) else Cell(value)


def _value(value: object) -> object:
    return flat(_cell(value).value)


def _text(cell: Cell) -> "Text":
    from rich.text import Text

    # Plain text: no markup of what comes from outside is interpreted.
    return Text(plain(flat(cell.value)), style=cell.meaning.value if cell.meaning else "")


def console() -> "Console":
    """Where stdout is looked at: as wide as the terminal, in the colours that it has."""
    from rich.console import Console

    looked_at = is_terminal(sys.stdout)
    width, height = (None if looked_at else _UNBOUNDED), None
    if looked_at and os.environ.get("TERM", "").lower() in _WITHOUT_ABILITIES:
        width, height = shutil.get_terminal_size()
    return Console(
        file=sys.stdout,
        highlight=False,
        markup=False,
        emoji=False,
        color_system="standard" if is_coloured(sys.stdout) else None,
        width=width,
        height=height,
    )


def _columns(columns: Sequence[str], rows: Sequence[Sequence[Cell]], *, folded: bool) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.table import Table

    shown = Table(
        box=SIMPLE_HEAD if folded else None,
        pad_edge=False,
        padding=(0, _GAP - 1 if folded else _GAP, 0, 0),
        header_style="bold",
    )
    for number, column in enumerate(columns):
        told = [_value(row[number]) for row in rows]
        texts = [plain(value) for value in (column, *told)]
        widest = max(map(cell_len, texts))
        words = [cell_len(word) for text in texts for word in text.split()]
        longest = min(max(words, default=0), _LONGEST_WHOLE_WORD)
        shown.add_column(
            column,
            overflow="fold",
            no_wrap=not folded or widest <= _NARROW,
            min_width=(widest if widest <= _NARROW else longest) if folded else None,
            justify="right" if _are_numbers(told) else "left",
        )
    for row in rows:
        shown.add_row(*map(_text, row))
    return shown


def _are_numbers(values: Sequence[object]) -> bool:
    counted = [value for value in values if value is not None]
    return bool(counted) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in counted
    )


def _print(console: "Console", shown: "Table | Text") -> None:
    with console.capture() as captured:
        console.print(shown)
    # The box comes with empty lines around it: what stands between two tables is the caller's.
    told = [row.rstrip() for row in captured.get().splitlines()]
    first = next((number for number, row in enumerate(told) if row), 0)
    while told and not told[-1]:
        told.pop()
    for row in told[first:]:
        typer.echo(row)
