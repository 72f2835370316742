"""What the rows of the registry say, and which of them say nothing any more."""

from collections.abc import Iterable

from agent.adapters.store.marked_rows import Row
from agent.adapters.store.marks import intact
from agent.adapters.store.pass_tables import issuer_of
from agent.adapters.store.sqlite import moment_or_none
from agent.domain.credential.holder import Holder, HolderId

KINDS = {
    "holders": "holder",
    "revocations": "revoked_pass",
    "removals": "tombstone",
    "documents": "id_document",
    "issuers": "issuer_key",
}
"""The marked tables, by what a person calls their rows."""


def holders_of(rows: Iterable[Row]) -> tuple[list[Holder], frozenset[HolderId]]:
    """The holders of rows that can be read, and whom the others are about."""
    found: dict[str, Holder] = {}
    unreadable: set[str] = set()
    for row in rows:
        holder = holder_of(row)
        if holder is None or holder.id in found:
            unreadable |= row.verdict.subjects  # or two rows, and nobody knows which holds
        else:
            found[holder.id] = holder
    return (
        [holder for name, holder in found.items() if name not in unreadable],
        frozenset(map(HolderId, unreadable)),
    )


def holder_of(row: Row) -> Holder | None:
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
    name, called, category = words
    return Holder(HolderId(name), called, category, bool(values["enabled"]), start, end)


def reads(kind: str, row: Row) -> bool:
    """Whether a row of this kind reads as it was written, and says what it should."""
    if kind == "holders":
        return holder_of(row) is not None
    if kind == "issuers":
        return issuer_of(row) is not None
    return row.verdict.whole
