"""The screen of ``gate-agent watch``: what stands now, then the last decisions.

Sections by weight: whether the agent answers, faults, access points, the queue and people inside,
decisions. Where the terminal is low, older decisions and then lower sections are left out.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from agent.cli.care.status_text import POINTS, fault_rows, point_rows
from agent.cli.terminal.style import Cell, Meaning, plain
from agent.cli.terminal.table import flat
from agent.operations.decisions import decided
from agent.operations.events import NameOf

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from agent.app.desk.watching import Seen

_DECISIONS = ("time", "where", "outcome", "who", "score/limit")
_LEAST_DECISIONS = 3


def screen(seen: "Seen", zone: tzinfo, name_of: NameOf, size: tuple[int, int]) -> "RenderableType":
    """What fits into ``size`` (columns, rows) of what is known; times in ``zone``."""
    from rich.console import Group

    _, height = size
    parts: list[tuple[RenderableType, int]] = [(_head(seen, zone), 2)]
    status = seen.status if seen.away is None else None
    if status is not None:
        faults, points = fault_rows(status.get("faults", {})), point_rows(status)
        if faults:
            parts.append((_table(("fault", "what"), faults), len(faults) + 2))
        parts.append((_table(POINTS, points), len(points) + 2))
        parts.append((_facts(status), 3))
    used = 0
    kept: list[RenderableType] = []
    for part, lines in parts:
        if used + lines <= max(height - _LEAST_DECISIONS - 2, 2):
            kept.append(part)
            used += lines
    room = max(height - used - 3, 1)
    newest = list(seen.decisions)[-room:]
    rows = [_decision(decided(one, zone, name_of)) for one in reversed(newest)]
    kept.append(_table(_DECISIONS, rows or [(Cell("none yet", Meaning.QUIET), "", "", "", "")]))
    return Group(*kept)


def _head(seen: "Seen", zone: tzinfo) -> "Text":
    from rich.text import Text

    if seen.away is not None:
        since = datetime.fromtimestamp(seen.away_since_s, zone).strftime("%H:%M:%S")
        said = f"the agent does not answer since {since}: {plain(seen.away)}"
        return Text(said + "\n", style=Meaning.BAD.value, no_wrap=True, overflow="ellipsis")
    if seen.status is None:
        return Text("asking the agent\n", style=Meaning.QUIET.value)
    count = len(seen.status.get("faults", {}))
    word = f"{count} fault{'s' * (count != 1)}" if count else "no fault"
    now = datetime.fromtimestamp(time.time(), zone).strftime("%H:%M:%S")
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("in service", style=Meaning.GOOD.value)
    text.append(", ")
    text.append(word, style=(Meaning.BAD if count else Meaning.GOOD).value)
    text.append(f"  {now}  Ctrl-C ends this\n", style=Meaning.QUIET.value)
    return text


def _facts(status: Mapping[str, Any]) -> "Text":
    from rich.text import Text

    inside = status.get("inside") or {}
    facts = {
        "broker": status.get("broker"),
        "waiting": status.get("unpublished"),
        "inside": flat(inside) or "nobody",
        "holders": status.get("holders"),
        "pack": status.get("pack"),
        "limit": status.get("threshold", {}).get("score"),
    }
    said = "  ".join(f"{name} {plain(value)}" for name, value in facts.items())
    return Text(said + "\n")


def _decision(one: Any) -> Sequence[object]:
    meaning = Meaning.GOOD if one.granted else Meaning.BAD
    return (one.time, one.access_point, Cell(one.outcome, meaning), one.who, one.score)


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        # A row is a line, so that the screen does not jump: what is too long ends in dots.
        shown.add_column(column, no_wrap=True, overflow="ellipsis")
    for row in rows:
        cells = [one if isinstance(one, Cell) else Cell(one) for one in row]
        shown.add_row(
            *(
                Text(plain(flat(cell.value)), style=cell.meaning.value if cell.meaning else "")
                for cell in cells
            )
        )
    shown.add_row()
    return shown
