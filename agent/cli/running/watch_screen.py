"""The screen of ``gate-agent watch``: what stands now, then the last decisions.

Sections by weight: whether the agent answers, faults, access points, the queue and people inside,
decisions. Where the terminal is low, older decisions and then lower sections are left out, and of
a long section its end; where it is narrow, columns. A row of a table is a line, so that the screen
does not jump.
"""

import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from agent.cli.care.status_text import POINTS, fault_rows, point_rows
from agent.cli.terminal.style import Cell, Meaning, plain
from agent.cli.terminal.table import flat
from agent.operations.decisions import Decided, decided
from agent.operations.events import NameOf

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from agent.app.desk.watching import Seen

_FAULTS = ("fault", "what")
_POINTS = (*POINTS, "last decision")
_DECISIONS = ("time", "where", "outcome", "who", "score/limit")
_SETS = {
    _FAULTS: ((0, 1),),
    _POINTS: ((0, 1, 2, 3, 4), (0, 1, 2, 4), (0, 1, 4)),
    _DECISIONS: ((0, 1, 2, 3, 4), (0, 1, 2, 4), (0, 2, 4)),
}
"""The columns of each table; where they do not fit, fewer."""
_GIVES = {_FAULTS: (1, 15), _POINTS: (4, 22), _DECISIONS: (2, 15)}
"""The column of each table that ends in dots where it is too long, and how much of it stays."""
_LEAST_DECISIONS = 3
_GAP = 2

Rows = Sequence[Sequence[object]]


def screen(seen: "Seen", zone: tzinfo, name_of: NameOf, size: tuple[int, int]) -> "RenderableType":
    """What fits into ``size`` (columns, rows) of what is known; times in ``zone``."""
    from rich.console import Group

    width, height = size
    # Below stand the decisions: a gap, their header, and at least one of them.
    head = _head(seen, zone, width)[: max(height - 3, 1)]
    kept: list[RenderableType] = [*head, ""]
    room = height - len(kept) - _LEAST_DECISIONS - 1
    now = datetime.fromtimestamp(time.time(), zone)
    last = {name: decided(one, zone, name_of, now) for name, one in seen.last.items()}
    status = seen.status if seen.away is None else None
    if status is not None:
        for columns, rows in (
            (_FAULTS, fault_rows(status.get("faults", {}))),
            (_POINTS, _points(status, last)),
        ):
            shown = _cut(rows, room - 2)
            if shown:
                kept += [_table(columns, shown, width), ""]
                room -= len(shown) + 2
        facts = list(_facts(status, width))[: max(room - 1, 0)]
        if facts:
            kept += [*facts, ""]
            room -= len(facts) + 1
    newest = list(seen.decisions)[-max(room + _LEAST_DECISIONS, 1) :]
    decisions = [_decision(decided(one, zone, name_of, now)) for one in reversed(newest)]
    none: Rows = [(Cell("none yet", Meaning.QUIET), "", "", "", "")]
    return Group(*kept, _table(_DECISIONS, decisions or none, width))


def why_away(seen: "Seen", zone: tzinfo) -> list[str]:
    """Why the agent is not heard, and what to do about it, a line each."""
    if seen.fix is not None:
        return [f"no right to ask it: {plain(seen.away)}", plain(seen.fix)]
    since = datetime.fromtimestamp(seen.away_since_s, zone).strftime("%H:%M:%S")
    return [f"does not answer since {since}: {plain(seen.away)}"]


def attack_detection(status: Mapping[str, Any]) -> Cell:
    """Which attack detection runs; without any, whether a photograph may open."""
    packs = status.get("pad", {}).get("packs", {})
    if packs:
        return Cell(", ".join(f"{plain(name)} {plain(one)}" for name, one in packs.items()))
    if status.get("face_without_pad"):
        return Cell("none: a photo may pass", Meaning.DOUBT)
    return Cell("none")


def broker(status: Mapping[str, Any]) -> Cell:
    """Whether the broker is there; where it is away, why."""
    state, why = status.get("broker"), status.get("broker_why")
    said = state if why is None else f"{state}: {why}"
    return Cell(said, Meaning.DOUBT if state == "away" else None)


def _head(seen: "Seen", zone: tzinfo, width: int) -> "list[Text]":
    from rich.text import Text

    lines: list[Text] = []
    if seen.away is not None:
        why, *fix = why_away(seen, zone)
        lines += _said(f"the agent: {why}" if fix else f"the agent {why}", width, Meaning.BAD)
        for one in fix:
            lines += _said(f"Fix: {one}", width)
    elif seen.status is None:
        lines.append(Text("asking the agent", style=Meaning.QUIET.value))
    else:
        lines.append(_in_service(seen.status, zone))
    if seen.unread is not None:
        why, _, remedy = seen.unread.partition("\nFix: ")
        lines += _said(f"the journal cannot be read: {plain(why)}", width, Meaning.BAD)
        lines += _said(f"Fix: {plain(remedy)}", width) if remedy else []
    return lines


def _in_service(status: Mapping[str, Any], zone: tzinfo) -> "Text":
    from rich.text import Text

    count = len(status.get("faults", {}))
    word = f"{count} fault{'s' * (count != 1)}" if count else "no fault"
    now = datetime.fromtimestamp(time.time(), zone).strftime("%H:%M:%S")
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("in service", style=Meaning.GOOD.value)
    text.append(", ")
    text.append(word, style=(Meaning.BAD if count else Meaning.GOOD).value)
    text.append(f"  {now}  Ctrl-C ends this", style=Meaning.QUIET.value)
    return text


def _said(text: str, width: int, meaning: Meaning | None = None) -> "list[Text]":
    """``text`` folded; what is still too long, as a path may be, ends in dots."""
    from rich.text import Text

    style = meaning.value if meaning else ""
    folded = textwrap.wrap(text, max(width, 1), break_long_words=False, break_on_hyphens=False)
    return [Text(line, style=style, no_wrap=True, overflow="ellipsis") for line in folded]


def _facts(status: Mapping[str, Any], width: int) -> "Iterator[Text]":
    """What else stands, as many on a line as fit."""
    from rich.cells import cell_len
    from rich.text import Text

    facts = {
        "broker": broker(status),
        "waiting": status.get("unpublished"),
        "inside": flat(status.get("inside") or {}) or "nobody",
        "attack detection": attack_detection(status),
        "holders": status.get("holders"),
        "pack": status.get("pack"),
        "limit, at the least": status.get("threshold", {}).get("score"),
    }
    line = Text(no_wrap=True, overflow="ellipsis")
    for name, value in facts.items():
        cell = value if isinstance(value, Cell) else Cell(value)
        said = f"{name} {plain(cell.value)}"
        if line.plain and line.cell_len + _GAP + cell_len(said) > width:
            yield line
            line = Text(no_wrap=True, overflow="ellipsis")
        if cell_len(said) > width:
            yield from _said(said, width, cell.meaning)
            continue
        line.append(" " * _GAP if line.plain else "")
        line.append(said, style=cell.meaning.value if cell.meaning else "")
    if line.plain:
        yield line


def _points(status: Mapping[str, Any], last: Mapping[str, Decided]) -> Rows:
    """A row an access point: how it stands, and what was decided there last."""
    return [
        (*row, _last(last.get(name)))
        for name, row in zip(status.get("access_points", {}), point_rows(status), strict=True)
    ]


def _last(one: Decided | None) -> Cell:
    if one is None:
        return Cell(None)
    who = f" {one.who}" if one.who is not None else ""
    return Cell(f"{one.time} {one.outcome}{who}", _meaning(one))


def _decision(one: Decided) -> Sequence[object]:
    return (one.time, one.access_point, Cell(one.outcome, _meaning(one)), one.who, one.score)


def _meaning(one: Decided) -> Meaning:
    return Meaning.GOOD if one.granted else Meaning.BAD


def _cut(rows: Rows, room: int) -> Rows:
    """As many rows as have room; the last line says how many have not."""
    if len(rows) <= room:
        return rows
    if room < 2:
        return []
    left = f"and {len(rows) - room + 1} more"
    return [*rows[: room - 1], (Cell(left, Meaning.QUIET), *[""] * (len(rows[0]) - 1))]


def _table(columns: tuple[str, ...], rows: Rows, width: int) -> "Table":
    """The columns that fit, each as wide as what stands in it, but for the one that gives way."""
    from rich.cells import cell_len
    from rich.table import Table

    cells = [[one if isinstance(one, Cell) else Cell(one) for one in row] for row in rows]
    texts = [list(columns), *([plain(flat(cell.value)) for cell in row] for row in cells)]
    widths = [max(cell_len(row[number]) for row in texts) for number in range(len(columns))]
    gives, least = _GIVES[columns]
    for chosen in _SETS[columns]:
        left = width - sum(widths[one] + _GAP for one in chosen if one != gives)
        if left >= min(widths[gives], least):
            break
    widths[gives] = max(min(widths[gives], left), 1)
    shown = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for number in chosen:
        shown.add_column(columns[number], no_wrap=True, overflow="ellipsis", width=widths[number])
    for row in cells:
        shown.add_row(*(_text(row[one]) for one in chosen))
    return shown


def _text(cell: Cell) -> "Text":
    from rich.text import Text

    return Text(plain(flat(cell.value)), style=cell.meaning.value if cell.meaning else "")
