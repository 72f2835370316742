"""What was taken from people since a backup was made, as other records tell it.

Whoever was removed must not come back, and no pass that was revoked may open again.

    {"type": "gate.holder.removed", "time": …, "data": {"holder": …, "clock_synced": …}}
    {"type": "gate.pass.revoked", "data": {"pass": …}}
    {"holder": …, "outcome": "erased", "time": …, "clock_trusted": …}
    [the same, …]
    {"receipts": [the same, …]}

The first two are lines of ``events export`` of a kiosk, the third is a receipt; the backend
(``receipts --json``) and ``registry send --json`` print lists of them. Lines about anything else
say nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId, parse_holder_id
from agent.domain.foreign.json_text import read_json
from agent.domain.hours.iso_time import read_moment
from agent.domain.record.events import EventType
from agent.domain.record.registry_sync import ReceiptOutcome
from agent.errors import RefusedError

_REVOKED = f"gate.{EventType.PASS_REVOKED.value}"
_PASS = re.compile("[0-9a-f]{16,32}")
_TYPE = f"gate.{EventType.HOLDER_REMOVED.value}"
_REMOVED = (ReceiptOutcome.ERASED.value, ReceiptOutcome.NOT_HERE.value)
"""Of the latter somebody had removed them before the registry said so."""


@dataclass(frozen=True, slots=True)
class Removal:
    """Somebody was removed; ``at`` is None where the clock that told it was not trusted."""

    holder: HolderId
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Revoked:
    """A pass was revoked, for good."""

    one: PassId


def read_removals(lines: Iterable[str], name: str) -> list[Removal | Revoked]:
    """What the lines of the file ``name`` say, in their order.

    Raises:
        RefusedError: ``tombstones``: a line is none of these; nothing is taken from such a file.
    """
    found: list[Removal | Revoked] = []
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            found += _of(read_json(text))
        except (ValueError, KeyError, TypeError, AttributeError):
            fix = "gate-agent events export --type holder.removed FILE, or the backend's receipts"
            said = f"{name}, line {number}: neither an event nor a receipt\nFix: {fix}"
            raise RefusedError("tombstones", said) from None
    return found


def later(
    said: Iterable[Removal | Revoked], made: datetime, *, sure: bool
) -> dict[HolderId, Removal]:
    """The last of each holder that a backup of this moment may not know of.

    Where its own clock was not ``sure``, or the removal has no time, it counts as later: whoever
    was enrolled again since is enrolled once more, and nobody comes back.
    """
    found: dict[HolderId, Removal] = {}
    for one in said:
        if isinstance(one, Revoked):
            continue
        if one.at is not None and sure and one.at <= made:
            continue
        before = found.get(one.holder)
        if before is None or one.at is None or (before.at is not None and before.at < one.at):
            found[one.holder] = one
    return found


def _of(said: Mapping[str, Any] | list[Any]) -> Iterator[Removal | Revoked]:
    if isinstance(said, list):
        for one in said:
            yield from _of(one)
    elif "receipts" in said:
        yield from _of(said["receipts"])
    elif "outcome" in said:
        if said["outcome"] in _REMOVED:
            yield _removal(said["holder"], said["time"], said.get("clock_trusted"))
    elif said["type"] == _REVOKED:
        if not _PASS.fullmatch(said["data"]["pass"]):
            raise ValueError("no pass's id")
        yield Revoked(PassId(said["data"]["pass"]))
    elif said["type"] == _TYPE:
        data = said["data"]
        yield _removal(data["holder"], said["time"], data.get("clock_synced"))


def _removal(holder: str, time: str, sure: object) -> Removal:
    return Removal(parse_holder_id(holder), read_moment(time) if sure is True else None)
