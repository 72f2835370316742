"""Holders as people look at them."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import table
from agent.domain.credential.holder import Holder
from agent.domain.hours.instant import local_text

COLUMNS = ("id", "name", "category", "enabled", "valid_from", "valid_until", "references")


def show_list(known: Sequence[Holder], found: Sequence[dict[str, Any]], zone: tzinfo) -> None:
    """A row a holder, with times in ``zone``; ``found`` are the same as JSON has them."""

    def local(moment: datetime | None) -> str | None:
        return None if moment is None else local_text(moment, zone)

    table(
        [name.replace("_", " ") for name in COLUMNS],
        [
            (
                Cell(holder.id, Meaning.STRONG),
                holder.name,
                holder.category,
                "yes" if holder.enabled else Cell("no", Meaning.DOUBT),
                local(holder.valid_from),
                local(holder.valid_until),
                flat_cell(one["references"]),
            )
            for holder, one in zip(known, found, strict=True)
        ],
        empty="nobody is enrolled yet; gate-agent enrol ID PHOTOGRAPH enrols somebody",
    )


def flat_cell(value: object) -> object:
    """A value of a holder as JSON has it, for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{pack}: {count}" for pack, count in value.items()) or "none"
    return value
