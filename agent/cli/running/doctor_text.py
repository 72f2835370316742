"""What the doctor found, as people look at it: pins, checks, how to mend what is not well."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.cli.common import counted, say
from agent.cli.terminal.style import Cell, Meaning, plain
from agent.cli.terminal.table import line, table

if TYPE_CHECKING:
    from agent.technician.doctor import PinRow
    from agent.technician.verdict import Check

_COMMAND = "gate-agent "
_RESULTS = {
    "pass": ("ok", Meaning.GOOD),
    "warn": ("warning", Meaning.DOUBT),
    "fail": ("FAILED", Meaning.BAD),
}
"""By the value of a status."""


def show(rows: "Sequence[PinRow]", checks: "Sequence[Check]") -> None:
    """Pin map, checks and fixes on stdout, and last the verdict."""
    table(
        ("pin", "way", "active", "pull", "at power-on", "now", "verdict", "what"),
        [
            (
                row.pin,
                row.direction,
                _level(row.active_high),
                row.pull,
                row.power_on,
                _level(row.level),
                Cell(row.verdict, _meaning(row)),
                row.what.replace("'", ""),
            )
            for row in rows
        ],
        empty="no pin is used",
    )
    say()
    table(
        ("check", "result", "found", "means"),
        [
            (
                Cell(one.name, Meaning.STRONG),
                Cell(*_RESULTS[one.status.value]),
                one.detail,
                one.meaning,
            )
            for one in checks
        ],
    )
    for one in checks:
        if one.fix is not None:
            _say_fix(f"{one.name}: Fix: {one.fix}")
    line(_verdict(checks))


def _meaning(row: "PinRow") -> Meaning | None:
    from agent.technician.doctor import UNREAD

    if row.verdict == UNREAD:
        return Meaning.BAD
    return Meaning.QUIET if row.level is None else None


def _say_fix(told: str) -> None:
    # A command that is copied out of two lines would run by its first.
    if _COMMAND in told:
        say(plain(told))
    else:
        line(told)


def _verdict(checks: "Sequence[Check]") -> Cell:
    bad = sum(not one.ok for one in checks)
    doubtful = sum(one.status.value == "warn" for one in checks)
    beside = f", {counted(doubtful, 'warning')}" if doubtful else ""
    if bad:
        return Cell(f"{bad} of {counted(len(checks), 'check')} failed{beside}", Meaning.BAD)
    if doubtful:
        return Cell(f"nothing failed: {counted(len(checks), 'check')}{beside}", Meaning.DOUBT)
    return Cell(f"all is well: {counted(len(checks), 'check')}", Meaning.GOOD)


def _level(high: bool | None) -> str | None:  # noqa: FBT001 - a level reads as it is
    return None if high is None else "high" if high else "low"
