"""Makes of a wrong config one that can be judged further, so that all faults come at once.

What is wrong goes where the schema has a default for it, and gets a sample value where it has
none. Such a config is never used: it only lets the checks that come later see the rest.
"""

from collections.abc import Iterator
from datetime import date, time
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from agent.config.lines import KeyPath
from agent.config.schema import GateConfig
from agent.config.whole import UNREAD

_SAMPLES: dict[Any, Any] = {
    bool: False,
    int: 1,
    float: 1.0,
    str: UNREAD,
    time: "00:00",
    date: "2026-01-01",
    Path: UNREAD,
}


def mend(data: Any, path: KeyPath) -> bool:
    """Replace or drop what stands at ``path``, or the nearest thing around it that can be."""
    for end in range(len(path), 0, -1):
        *parents, key = path[:end]
        holder = value_at(data, tuple(parents))
        if isinstance(holder, list) and isinstance(key, int) and key < len(holder):
            kind = _kind_at(path[:end])
            if kind is not None:
                holder[key] = _sample(kind, holder[key])
                return True
        elif isinstance(holder, dict) and isinstance(key, str):
            field = field_at(path[:end])
            if field is not None and field.is_required():
                holder[key] = _sample(field.annotation, holder.get(key))
                return True
            holder.pop(key, None)
            return True
    return False


def field_at(path: KeyPath) -> FieldInfo | None:
    """The schema's field at ``path``; None where it knows none."""
    model = model_at(path[:-1])
    if model is None:
        return None
    return next((f for name, f in fields_of(model) if name == path[-1]), None)


def model_at(path: KeyPath) -> type[BaseModel] | None:
    """The schema's table at ``path``; None where there is none."""
    model: type[BaseModel] | None = GateConfig
    for part in path:
        if isinstance(part, int):
            continue
        if model is None:
            return None
        field = next((f for name, f in fields_of(model) if name == part), None)
        model = None if field is None else model_in(field.annotation)
    return model


def fields_of(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """The keys of a table, as the file spells them."""
    for name, field in model.model_fields.items():
        yield field.alias or name, field


def _kind_at(path: KeyPath) -> Any:
    """The type of the list's member at ``path``."""
    field = field_at(path[:-1])
    many = None if field is None else tuple_in(field.annotation)
    return None if many is None else get_args(many)[0]


def _sample(kind: Any, old: Any) -> Any:
    """A value that the schema takes, with what ``old`` has of a table's own required keys."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind)).value
    if get_origin(kind) is tuple:
        return [_sample(get_args(kind)[0], None)]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        known = old if isinstance(old, dict) else {}
        return {
            # What goes with a kind may be what is wrong.
            name: known[name] if name in known and name != "kind" else _sample(f.annotation, None)
            for name, f in fields_of(kind)
            if f.is_required()
        }
    return _SAMPLES[kind]


def value_at(data: Any, path: KeyPath) -> Any:
    """What stands at ``path``; None where there is nothing."""
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def tuple_in(annotation: Any) -> Any:
    """The list that a field takes, alone or beside something else; None where it takes none."""
    if get_origin(annotation) is tuple:
        return annotation
    if get_origin(annotation) in (Annotated, Union, UnionType):
        found = map(tuple_in, get_args(annotation))
        return next((many for many in found if many is not None), None)
    return None


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The table that a field takes, alone or in a list; None where it takes none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        if (found := model_in(argument)) is not None:
            return found
    return None
