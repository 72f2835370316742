"""What the running agent says of itself, in groups: faults first, then the doors, then the rest."""

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from agent.cli.common import counted
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import flat, heading, record, table

POINTS = ("access point", "state", "mode", "by")
_BY_POINT = ("access_points", "modes", "causes")
_ALARMS = ("forced", "held_open", "fault")
_SHUT = ("locked_down", "free_passage")


def show(found: Mapping[str, Any]) -> None:
    """The status on stdout."""
    faults = found.get("faults") or {}
    if faults:
        heading(counted(len(faults), "fault"))
        table(("part", "what"), fault_rows(faults))
        typer.echo()
    if found.get("access_points"):
        table(POINTS, point_rows(found))
        typer.echo()
    record(_rest(found))


def fault_rows(faults: Mapping[str, Any]) -> list[Sequence[object]]:
    """A row a fault."""
    return [(Cell(part, Meaning.BAD), flat(what)) for part, what in faults.items()]


def point_rows(found: Mapping[str, Any]) -> list[Sequence[object]]:
    """A row an access point: how it stands, in which mode, and what brought that."""
    modes, causes = found.get("modes", {}), found.get("causes", {})
    return [
        (
            Cell(point, Meaning.STRONG),
            Cell(_words(state), Meaning.BAD if state in _ALARMS else None),
            Cell(_words(modes.get(point)), Meaning.DOUBT if modes.get(point) in _SHUT else None),
            _words(causes.get(point)),
        )
        for point, state in found.get("access_points", {}).items()
    ]


def _rest(found: Mapping[str, Any]) -> dict[str, object]:
    """What is left, a line a field; what is told by access point has a line for each."""
    rows: dict[str, object] = {} if found.get("faults") else {"faults": Cell("none", Meaning.GOOD)}
    for name, value in found.items():
        if name == "faults" or name in _BY_POINT:
            continue
        words = str(_words(name))
        if not isinstance(value, Mapping):
            rows[words] = flat(value)
            continue
        inner = {key: item for key, item in value.items() if isinstance(item, Mapping)}
        rows[words] = flat({key: item for key, item in value.items() if key not in inner})
        for one in inner.values():
            rows |= {f"{words} {key}": flat(item) for key, item in one.items()}
    return rows


def _words(value: object) -> object:
    return value.replace("_", " ") if isinstance(value, str) else value
