"""Model packs as people look at them."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from agent.cli.terminal.style import Cell, Meaning, is_terminal
from agent.cli.terminal.table import line, table

if TYPE_CHECKING:
    from agent.operations.packs.install import PackStatus

_COLUMNS = ("pack", "for", "version", "state", "licence", "description")
_FOR = {"face": "faces", "pad": "attacks"}
_STATES = {"installed": Meaning.GOOD, "absent": Meaning.QUIET}


def state_cell(state: str) -> Cell:
    """Whether a pack is there, and whole."""
    return Cell(state, _STATES.get(state, Meaning.BAD))


def show_list(statuses: Sequence["PackStatus"], used: str) -> None:
    """A row a pack, the one that is ``used`` with a star.

    On a terminal that is too narrow for descriptions ``models show`` has them.
    """
    rows = [
        _row(one, used)
        for one in statuses
        if one.state != "absent" or not one.manifest.for_tests_only
    ]

    def without_description() -> None:
        table(_COLUMNS[:-1], [row[:-1] for row in rows], narrow=lambda: table(_COLUMNS, rows))

    table(_COLUMNS, rows, narrow=without_description)
    if is_terminal(sys.stdout):
        typer.echo()


def show_used(found: Any, *, star: bool = False) -> None:
    """The pack in use, why it is that one, and for whom nobody measured it."""
    first, *rest = found.lines()
    for told in (f"* {first}" if star else first, *rest):
        line(told)


def _row(one: "PackStatus", used: str) -> Sequence[object]:
    manifest = one.manifest
    licence = manifest.licence
    return (
        Cell(manifest.name + (" *" if manifest.name == used else ""), Meaning.STRONG),
        _FOR[manifest.kind],
        manifest.version,
        state_cell(one.state),
        licence.spdx if licence.free_for_commercial_use else Cell("non-commercial", Meaning.DOUBT),
        manifest.description,
    )
