"""The config as people look at it: table by table, with the keys that one writes into the file."""

from collections.abc import Iterator, Mapping
from typing import Any

from agent.cli.common import say
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import flat, heading, record
from agent.config.faults import dotted
from agent.config.lines import KeyPath, Places

_DEFAULT = "(default)"


def show_config(shown: Mapping[str, Any], places: Places) -> None:
    """Each table that there is; a key that has no place in the file is marked as the default."""
    lacking = []
    for name, value in shown.items():
        many = isinstance(value, list)
        head = f"[[{name}]]" if many else f"[{name}]"
        if not value:
            lacking.append(head)
            continue
        for number, table in enumerate(value if many else [value]):
            path: KeyPath = (name, number) if many else (name,)
            heading(head)
            record(
                {
                    dotted(inner[len(path) :]): _value(found, given=places.of(inner) is not None)
                    for inner, found in _keys(table, path)
                }
            )
            say()
    record({"not there": ", ".join(lacking) or "nothing"})


def _keys(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    """Every key below ``path`` with its value; a list of tables is gone into, any other is one."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _keys(inner, (*path, key))
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        for number, inner in enumerate(value):
            yield from _keys(inner, (*path, number))
    else:
        yield path, value


def _value(value: object, *, given: bool) -> Cell:
    # As the file has it: a person may write it there.
    told = str(value).lower() if isinstance(value, bool) else flat(value)
    if given:
        return Cell(told, Meaning.STRONG)
    return Cell(f"{'none' if told is None else told} {_DEFAULT}", Meaning.QUIET)
