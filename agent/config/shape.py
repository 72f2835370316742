"""[camera] where [[camera]] is meant, and the reverse: said once, and read as it was meant.

Else everything within would be lost, and whatever names it be wrong as well.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel

from agent.config.lines import KeyPath, Places
from agent.config.mend import fields_of, model_in, tuple_in
from agent.config.schema import GateConfig
from agent.config.whole import Finding


class Reshaped(NamedTuple):
    """What stood at ``old`` and now stands at ``new``; ``many`` where it is one of several now."""

    old: KeyPath
    new: KeyPath
    many: bool


def reshape(data: dict[str, Any]) -> list[Reshaped]:
    """Put each table of ``data`` into a list where the schema wants one, or out of it."""
    return list(_reshape(data, GateConfig, ()))


def finding_of(one: Reshaped, places: Places) -> Finding:
    """What to say of it: by its head, or by its brackets where it has none."""
    path = one.old if one.many else one.new
    name = ".".join(str(part) for part in path if isinstance(part, str))
    place = places.near(path)
    head = "" if place is None or not place.header or place.key is None else places.part(place.key)
    if not head:
        if one.many:
            return path, "is one table, where a list of them stands", "write [{ ... }]"
        return path, "is a list, where one table stands", "write { ... } without the brackets"
    if not one.many and places.of((*path, 1)) is not None:
        return (*path, 1), f"there is one [{name}] only, and this is the second", "keep one of them"
    if not one.many:
        return path, f"there is one [{name}] only, and it stands in double brackets", _write(name)
    if head.strip("[] \t") != name:
        return path, f"belongs to a [[{name}]], and none stands before it", _write(name, many=True)
    said = f"[{name}] is one table, where there may be several"
    return path, said, _write(name, many=True)


def _write(name: str, *, many: bool = False) -> str:
    return f"write [[{name}]]" if many else f"write [{name}]"


def _reshape(data: dict[str, Any], model: type[BaseModel], above: KeyPath) -> Iterator[Reshaped]:
    for name, field in fields_of(model):
        inner = model_in(field.annotation)
        if inner is None or name not in data:
            continue
        many, path = _takes_tables(field.annotation), (*above, name)
        if many and isinstance(data[name], dict):
            data[name] = [data[name]]
            yield Reshaped(path, (*path, 0), many=True)
        elif not many and _are_tables(data[name]):
            data[name] = data[name][0]
            yield Reshaped((*path, 0), path, many=False)
        rows = data[name] if isinstance(data[name], list) else [data[name]]
        for number, row in enumerate(rows):
            if isinstance(row, dict):
                yield from _reshape(row, inner, (*path, number) if many else path)


def _takes_tables(annotation: Any) -> bool:
    kind = tuple_in(annotation)
    inner = None if kind is None else get_args(kind)[0]
    return isinstance(inner, type) and issubclass(inner, BaseModel) and get_origin(kind) is tuple


def _are_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)
