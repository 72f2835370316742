"""Follows the journal from outside the agent, whatever becomes of its file.

    it cannot be read          said by an error; the next call tries again
    another one stands there   it is opened, and what was not told yet is told
    there is none              nothing is new, and none is made

Row numbers order one file only. What was told already is known by its place in the stream, which
rows keep that the agent brings along from a file it has set aside.
"""

import contextlib
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Protocol, Self

from agent.adapters.store.sqlite import file_identity
from agent.app.open.files.state import JOURNAL
from agent.app.open.files.stores import has_journal, read_journal
from agent.app.open.site import Site
from agent.errors import StoreError
from agent.ports import EventLog, StoredEvent, Stream

_LOOKED_AT = 20
"""So many of the last rows say how far the journal has come: one of them may be damaged."""


class _Log(EventLog, Stream, Protocol):
    """A journal that can be read, and says which stream it is."""


class JournalFollower:
    """The events of the site's journal, each once."""

    def __init__(self, site: Site, first: Callable[[EventLog], Iterable[StoredEvent]]) -> None:
        """The first look gives ``first`` of the journal, each later one whatever is new."""
        self._site = site
        self._first_of = first
        self._open = contextlib.ExitStack()
        self._journal: _Log | None = None
        self._identity: tuple[int, int] | None = None
        self._looked = False
        self._epoch: str | None = None
        self._row = 0
        self._told: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._let_go()

    def read(self) -> list[StoredEvent]:
        """What is new since the call before.

        Raises:
            StoreError: the journal cannot be read now.
        """
        try:
            return self._read()
        except StoreError:
            self._let_go()
            raise

    def _read(self) -> list[StoredEvent]:
        path = JOURNAL.at(self._site.state)
        if self._journal is not None and file_identity(path) != self._identity:
            self._let_go()
        if self._journal is None:
            if not has_journal(self._site):
                self._looked = True  # so all that comes is new
                return []
            self._identity = file_identity(path)
            self._journal = self._open.enter_context(read_journal(self._site))
            if self._looked and self._journal.epoch != self._epoch:
                return self._of_another(self._journal)
        if not self._looked:
            return self._first(self._journal)
        return self._tell(self._journal.read(after_row=self._row))

    def _first(self, journal: _Log) -> list[StoredEvent]:
        epoch = journal.epoch
        self._tell(journal.read(newest=_LOOKED_AT))
        # What came in the meantime comes with the next call, and not twice.
        first = [one for one in self._first_of(journal) if one.row <= self._row]
        self._epoch, self._looked = epoch, True
        return first

    def _of_another(self, journal: _Log) -> list[StoredEvent]:
        """What a journal with another stream has to tell: all of it, and the rest of what was."""
        epoch, row = journal.epoch, 0
        new = []
        for one in journal.read():
            row = one.row
            is_ours = one.epoch == epoch or one.epoch in self._told
            if is_ours and one.sequence > self._told.get(one.epoch, 0):
                new.append(one)
        self._tell(new)
        self._epoch, self._row = epoch, row
        return new

    def _tell(self, events: Iterable[StoredEvent]) -> list[StoredEvent]:
        told = list(events)
        for one in told:
            self._row = max(self._row, one.row)
            self._told[one.epoch] = max(one.sequence, self._told.get(one.epoch, 0))
        return told

    def _let_go(self) -> None:
        self._journal = None
        self._open.close()
