"""What the running agent says of itself, in groups: faults first, then the doors, then the rest."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

import typer

from agent.cli.common import counted
from agent.cli.terminal.style import Cell, Meaning, plain
from agent.cli.terminal.table import flat, heading, record, table
from agent.domain.hours.instant import local_text

if TYPE_CHECKING:
    from agent.operations.decisions import Last

POINTS = ("access point", "state", "mode", "by")
_BY_POINT = ("access_points", "modes", "causes")
_ALARMS = ("forced", "held_open", "fault")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_ACRONYMS = {"fmr": "FMR"}
_NAMES = {
    "pad": "attack detection",
    "face_without_pad": "a photograph may pass",
    "threshold": "threshold, at the least",
    "written": "written today",
}
_MOST_WRITERS = 3
_EMPTY = {"inside": "nobody"}
_SHUT = ("locked_down", "free_passage")


def show(found: Mapping[str, Any], zone: tzinfo, last: "Last | None" = None) -> None:
    """The status on stdout, times in ``zone``; ``last`` is the decision at each access point."""
    faults = found.get("faults") or {}
    if faults:
        heading(counted(len(faults), "fault"))
        table(("part", "what"), fault_rows(faults))
        typer.echo()
    if found.get("access_points"):
        rows = point_rows(found)
        if last:
            last_ones = (_decision(last, point, zone) for point in found["access_points"])
            decided = [(*row, one) for row, one in zip(rows, last_ones, strict=True)]
            table((*POINTS, "last decision"), decided)
            from agent.operations.events import UNSURE_MEANS

            if any(not stored.event.clock_synced for stored in last.values()):
                typer.echo(UNSURE_MEANS)
        else:
            table(POINTS, rows)
        typer.echo()
    record(_rest(found, zone))


def _decision(last: "Last", point: str, zone: tzinfo) -> Cell:
    from agent.operations.decisions import decided
    from agent.operations.events import when

    stored = last.get(point)
    if stored is None:
        return Cell(None)
    one = decided(stored, zone)
    score = "" if one.score is None else f" {one.score}"
    told_at = when(stored.event, zone)
    return Cell(f"{told_at} {one.outcome}{score}", Meaning.GOOD if one.granted else Meaning.BAD)


def fault_rows(faults: Mapping[str, Any]) -> list[Sequence[object]]:
    """A row a fault."""
    return [(Cell(part, Meaning.BAD), flat(what)) for part, what in faults.items()]


def point_rows(found: Mapping[str, Any]) -> list[Sequence[object]]:
    """A row an access point: how it stands, in which mode, and what brought that."""
    modes, causes = found.get("modes", {}), found.get("causes", {})
    tested = (found.get("walk_test") or {}).get("access_points", ())
    return [
        (
            Cell(point, Meaning.STRONG),
            Cell(_words(state), Meaning.BAD if state in _ALARMS else None),
            Cell(
                _words("walk_test" if point in tested else modes.get(point)),
                Meaning.DOUBT if point in tested or modes.get(point) in _SHUT else None,
            ),
            _words(causes.get(point)),
        )
        for point, state in found.get("access_points", {}).items()
    ]


def _rest(found: Mapping[str, Any], zone: tzinfo) -> dict[str, object]:
    """What is left, a line a field; what is told by access point has a line for each."""
    rows: dict[str, object] = {} if found.get("faults") else {"faults": Cell("none", Meaning.GOOD)}
    for name, value in found.items():
        if name == "faults" or name in _BY_POINT:
            continue
        words = _NAMES.get(name) or str(_words(name))
        if name == "written" and isinstance(value, Mapping):
            rows[words] = _written(value)
            continue
        if not isinstance(value, Mapping):
            meaning = _MEANINGS[name](value) if name in _MEANINGS else None
            rows[words] = Cell(told(value, zone), meaning)
            continue
        inner = {key: item for key, item in value.items() if isinstance(item, Mapping)}
        rows[words] = _phrase({key: value[key] for key in value if key not in inner}, zone)
        if not value:
            rows[words] = _EMPTY.get(name, "none")
        for one in inner.values():
            rows |= {f"{words} {key}": _phrase(item, zone) for key, item in one.items()}
    return rows


def _written(value: Mapping[str, Any]) -> Cell:
    """``6.6 MB of 50 MB; most by journal 4.1 MB, state 1.2 MB``."""
    most = [f"{name} {_mb(one)}" for name, one in list(value["by"].items())[:_MOST_WRITERS]]
    said = f"{_mb(value['bytes'])} of {value['budget_bytes'] / 1e6:.0f} MB"
    if most:
        said += f"; most by {', '.join(most)}"
    if not value["measured"]:
        said += "; of the log alone: this system tells no more"
    return Cell(said, Meaning.DOUBT if value["over"] else None)


def _mb(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


def _phrase(value: object, zone: tzinfo) -> object:
    """An object as its words: what it says nothing of is left out."""
    if not isinstance(value, Mapping):
        return told(value, zone)
    said = (
        f"{_ACRONYMS.get(key, _words(key))} {plain(told(item, zone))}"
        for key, item in value.items()
        if item is not None
    )
    return ", ".join(said) or None


def told(value: object, zone: tzinfo) -> object:
    """A value for people: local time, words."""
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return local_text(datetime.fromisoformat(value), zone)
    return flat(_words(value))


def _words(value: object) -> object:
    return value.replace("_", " ") if isinstance(value, str) else value


def _doubt_if(wrong: object) -> Callable[[object], Meaning | None]:
    return lambda value: Meaning.DOUBT if value == wrong else None


def _doubt_if_any(value: object) -> Meaning | None:
    return Meaning.DOUBT if value else None


_MEANINGS: Mapping[str, Callable[[object], Meaning | None]] = {
    "online": lambda value: Meaning.GOOD if value else Meaning.BAD,
    "clock_synced": _doubt_if(False),
    "ambiguous_holders": _doubt_if_any,
    "unreadable_rows": lambda value: Meaning.BAD if value else None,
    "holders_of_other_packs": _doubt_if_any,
    "face_without_pad": _doubt_if_any,
    "pack_not_measured_for": _doubt_if_any,
    "broker": _doubt_if("away"),
}
