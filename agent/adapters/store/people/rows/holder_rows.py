"""Holders as their rows say them: each judged by its mark, and not anew where it is the same row.

A change of one holder must be in force within moments, also where there are 100,000. To judge a row
by its mark and to open its name takes many times as long as to read it. So of every row that was
judged a hash of all that stands in it is kept (8 bytes), and as long as the row reads the same, so
does its holder. A bit that flips makes it another row.
"""

import sys
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.adapters.store.people.rows.marked_rows import Row
from agent.adapters.store.people.rows.marks import intact
from agent.adapters.store.sqlite import moment_or_none, stored_moment
from agent.domain.credential.holder import Consent, Holder, HolderId

NameOf = Callable[[str, str, object], str | None]
"""What reads a name: the holder's id, the name where it stands in clear, and as it is sealed."""


def no_name(_holder: str, _clear: str, _sealed: object) -> None:
    """Who counts rows needs no name."""


@dataclass(frozen=True, slots=True)
class HolderRows:
    """What the rows say: who can be read, and whom the others are about.

    ``handles`` are the numbers of the holders in the log of what was touched, 0 for none.
    ``broken`` counts the rows that cannot be read; ``lost``: of one of them nobody knows any more
    whom it is about.
    """

    holders: list[Holder]
    unreadable: frozenset[HolderId]
    handles: "array[int]"
    broken: int = 0
    lost: bool = False


class KnownHolders:
    """The rows as they were read last, by their ids; used under the registry's lock."""

    def __init__(self) -> None:
        self._hashes = array("q")
        self._holders: list[Holder] = []

    def read(
        self,
        rows: Iterable[tuple[Any, ...]],
        judged: Callable[[tuple[Any, ...]], Row],
        name_of: NameOf = no_name,
    ) -> HolderRows:
        """The holders of all rows, which come by their ids: number, id, and so on to the handle."""
        found: dict[str, Holder] = {}
        unreadable: set[str] = set()
        hashes, handles, kept = array("q"), array("q"), []
        broken, lost, at = 0, False, 0
        for row in rows:
            mark = hash(row)
            while at < len(self._holders) and _before(self._holders[at], row[1]):
                at += 1
            holder = self._holders[at] if self._is_same(at, row[1], mark) else None
            if holder is None:
                one = judged(row)
                holder = holder_of_row(one, name_of)
                if holder is None:
                    broken += 1
                    lost |= not one.verdict.subjects
                    unreadable |= one.verdict.subjects
                    continue
            if holder.id in found:
                unreadable.add(holder.id)  # two rows, and nobody knows which holds
                continue
            found[holder.id] = holder
            hashes.append(mark)
            handles.append(row[-1] if isinstance(row[-1], int) else 0)
            kept.append(holder)
        self._hashes, self._holders = hashes, kept
        return HolderRows(
            [holder for holder in kept if holder.id not in unreadable],
            frozenset(map(HolderId, unreadable)),
            handles,
            broken,
            lost,
        )

    def _is_same(self, at: int, holder: object, mark: int) -> bool:
        if at >= len(self._holders) or self._hashes[at] != mark:
            return False
        known = self._holders[at]
        # A name that could not be opened may be readable by now.
        return known.id == holder and known.name is not None


def _before(known: Holder, holder: object) -> bool:
    return isinstance(holder, str) and known.id < holder


def holder_of_row(row: Row, name_of: NameOf = no_name) -> Holder | None:
    """The holder of a row, None where it cannot be read."""
    values = row.values
    words = (values["id"], values["name"], values["category"])
    if not row.verdict.whole or not all(map(intact, words)) or values["enabled"] not in (0, 1):
        return None
    try:
        ends = [moment_or_none(values[end]) for end in ("valid_from", "valid_until")]
    except (ValueError, TypeError):
        return None
    start, end = ends
    one, called, category = words
    name = name_of(one, called, values["sealed_name"])
    # Few words, and as many holders as there are people.
    category = sys.intern(category)
    enabled, consent = bool(values["enabled"]), _consent(values)
    return Holder(HolderId(one), name, category, enabled, start, end, consent)


def _consent(values: Mapping[str, Any]) -> Consent | None:
    """Under which notice a face may travel; none where that cannot be read."""
    notice, text = values["consent_notice"], values["consent_at"]
    if not intact(notice) or not intact(text):
        return None
    try:
        return Consent(notice, stored_moment(text))
    except ValueError:
        return None
