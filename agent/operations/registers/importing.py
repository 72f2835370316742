"""A file of people into the registers: looked through first, then written in one transaction.

    look   every row read, held to the others and to what is stored; the faulty ones named
    write  those that are right, each built on what is stored at that moment

Between the two somebody may say what is to happen. What is wrong with a row costs no other row;
what is wrong with the file costs it as a whole.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from agent.domain.credential.holder import Holder, HolderId
from agent.domain.hours.instant import Instant
from agent.domain.registers.record import Record
from agent.errors import StoreError
from agent.operations.registers.columns import Head
from agent.operations.registers.rows import (
    FaultyRowError,
    Terms,
    Wanted,
    packed,
    unpacked,
    wanted_of,
)
from agent.operations.registers.source import SourceRow
from agent.operations.registers.spool import Spool
from agent.ports import Entry, Registration

KINDS = ("new", "changed", "same", "faulty")


class RegisteringStore(Protocol):
    """The registry as an import writes it."""

    def look(self, entry: Entry) -> tuple[HolderId, Holder | None, Record | None]:
        """Whom an entry is about, and what is stored of them."""

    def holder_of_code(self, code: Any) -> HolderId | None:
        """Whose resident code it is."""

    def register_all(
        self,
        entries: Callable[[], Iterator[Entry]],
        *,
        by: str,
        now: Instant,
        advance: Callable[[int], None],
    ) -> int:
        """Put all of them, or none; how many were new or different."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that is not imported, and why; ``cells`` are as the file has them."""

    number: int
    why: str
    cells: Sequence[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is being read: its head, and the rows below it."""

    head: Head
    rows: Iterator[SourceRow]


@dataclass(slots=True)
class Preview:
    """What an import would do: counts by ``KINDS``, who is shut out, whose category changes."""

    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(KINDS, 0)))
    shut_out: int = 0
    categories: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it; ``categories`` are the changes, as ``was > became``."""
        return {
            **{kind: self.counts[kind] for kind in KINDS},
            "shut_out": self.shut_out,
            "categories": dict(sorted(self.categories.items())),
        }


def look_through(
    table: Table,
    terms: Terms,
    store: RegisteringStore,
    spool: Spool,
    *,
    new_id: Callable[[], HolderId],
    faulty: Callable[[Fault], None],
    advance: Callable[[int], None],
) -> Preview:
    """What the rows would do; those that are right wait in ``spool``.

    Raises:
        RefusedError: the file is damaged further down.
        KeyUnavailableError: there is no key to open records with.
    """
    preview = Preview()
    seen: dict[int, int] = {}
    for done, row in enumerate(table.rows, start=1):
        try:
            wanted = wanted_of(row, table.head, terms)
            holder = HolderId(wanted.id) if wanted.id is not None else new_id()
            _judge(preview, wanted, holder, row.number, seen, terms, store)
            spool.add({**packed(wanted), "holder": holder})
        except FaultyRowError as error:
            preview.counts["faulty"] += 1
            faulty(Fault(row.number, str(error), row.cells))
        advance(done)
    return preview


def write(
    spool: Spool,
    terms: Terms,
    store: RegisteringStore,
    *,
    by: str,
    now: Instant,
    advance: Callable[[int], None],
) -> int:
    """Put everybody who waits in ``spool``, or nobody; how many were new or different.

    Raises:
        RefusedError: ``code_taken``: somebody else got the code meanwhile.
        KeyUnavailableError: there is no key to seal with.
        StoreError: the registry cannot be written.
    """
    return store.register_all(
        lambda: (_entry(one, terms) for one in spool), by=by, now=now, advance=advance
    )


def _entry(said: Mapping[str, Any], terms: Terms) -> Entry:
    return _entry_of(unpacked(said), HolderId(said["holder"]), terms)


def _entry_of(wanted: Wanted, holder: HolderId, terms: Terms) -> Entry:
    def made(one: HolderId, before: Holder | None, record: Record | None) -> Registration:
        return wanted.registration(one, before, record, terms)

    return Entry(holder, wanted.code if wanted.id is None else None, made)


def _judge(
    preview: Preview,
    wanted: Wanted,
    drawn: HolderId,
    number: int,
    seen: dict[int, int],
    terms: Terms,
    store: RegisteringStore,
) -> None:
    """Count what the row would do.

    Raises:
        FaultyRowError: it is about somebody of whom another row is, or takes another's code.
    """
    try:
        holder, before, record = store.look(_entry_of(wanted, drawn, terms))
    except StoreError as error:
        said = "what is stored of them is damaged: gate-agent holders remove, then import again"
        raise FaultyRowError(said) from error
    for word in (f"h {holder}", *([] if wanted.code is None else [f"c {wanted.code}"])):
        # A number in place of the text: of a million rows both would be in memory.
        if (earlier := seen.setdefault(hash(word), number)) != number:
            raise FaultyRowError(f"is about the same person, or the same code, as row {earlier}")
    if wanted.code is not None and store.holder_of_code(wanted.code) not in (None, holder):
        raise FaultyRowError("the resident code is another holder's")
    made = wanted.registration(holder, before, record, terms)
    if before is None:
        preview.counts["new"] += 1
        return
    same = made.holder == before and made.record is None
    preview.counts["same" if same else "changed"] += 1
    if before.category != made.holder.category:
        preview.categories[f"{before.category} > {made.holder.category}"] += 1
    preview.shut_out += _passes(before, terms) and not _passes(made.holder, terms)


def _passes(holder: Holder, terms: Terms) -> bool:
    ended = holder.valid_until is not None and holder.valid_until <= terms.now
    return holder.enabled and not ended
