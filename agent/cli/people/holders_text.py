"""Holders as people look at them."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import record, table
from agent.domain.credential.holder import Holder
from agent.domain.hours.instant import local_text

NOBODY = "nobody is enrolled yet; gate-agent enrol ID PHOTOGRAPH enrols somebody"
COLUMNS = ("id", "name", "category", "enabled", "valid_from", "valid_until", "references")


def show_list(known: Sequence[Holder], found: Sequence[dict[str, Any]], zone: tzinfo) -> None:
    """A row a holder, with times in ``zone``; ``found`` are the same as JSON has them."""
    table(
        ("id", "name", "category", "enabled", "valid", "references"),
        [
            (
                Cell(holder.id, Meaning.STRONG),
                holder.name,
                holder.category,
                _enabled(holder),
                validity(holder.valid_from, holder.valid_until, zone),
                flat_cell(one["references"]),
            )
            for holder, one in zip(known, found, strict=True)
        ],
        empty=NOBODY,
    )


def show_one(holder: Holder, found: dict[str, Any], zone: tzinfo) -> None:
    """A line a field, with times in ``zone``; ``found`` is the same as JSON has it."""
    known = flat_cell(found["references"])
    record(
        {
            "id": Cell(holder.id, Meaning.STRONG),
            "name": holder.name,
            "category": holder.category,
            "enabled": _enabled(holder),
            "valid": validity(holder.valid_from, holder.valid_until, zone),
            "references": known if found["references"] else Cell(known, Meaning.DOUBT),
        }
    )


def _enabled(holder: Holder) -> object:
    return "yes" if holder.enabled else Cell("no", Meaning.DOUBT)


def validity(start: datetime | None, end: datetime | None, zone: tzinfo) -> str:
    """``always``, or from when and until when, to the minute."""
    bounds = (("from", start), ("until", end))
    said = [f"{word} {local_text(when, zone)[:-3]}" for word, when in bounds if when is not None]
    return " ".join(said) or "always"


def flat_cell(value: object) -> object:
    """A value of a holder as JSON has it, for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{pack}: {count}" for pack, count in value.items()) or "none"
    return value
