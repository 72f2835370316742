"""The day's count of written bytes, kept over a restart; without an agent it is read here."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from agent.app.open.files.state import WRITTEN
from agent.domain.foreign.json_text import read_json
from agent.domain.record.wear import Day
from agent.errors import UnavailableError
from agent.operations.files import write_lines

_LARGEST_BYTES = 4096


def kept_day(state: Path) -> Day:
    """What was counted last; nothing of a file that is missing or no longer right."""
    try:
        with WRITTEN.at(state).open("rb") as file:
            said = read_json(file.read(_LARGEST_BYTES))
        day = said["date"]
        return Day(
            None if day is None else date.fromisoformat(day),
            _count(said["written"]),
            _count(said["logged"]),
            _count(said["device"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Day()


def keep_day(state: Path, day: Day) -> bool:
    """Write it down; whether that could be done."""
    said = {
        "date": None if day.on is None else day.on.isoformat(),
        "written": day.written,
        "logged": day.logged,
        "device": day.device,
    }
    try:
        write_lines([json.dumps(said)], WRITTEN.at(state))
    except UnavailableError:
        return False  # the disk has a fault of its own by now; the count goes on in memory
    return True


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("no count")
    return value
