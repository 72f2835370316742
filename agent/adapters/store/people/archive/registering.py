"""People registered at the desk: one, or a whole file of them in one transaction."""

from collections.abc import Callable, Iterable

from agent.adapters.store.people.registry import SqliteRegistry
from agent.adapters.store.people.said_here import of_holder
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.hours.instant import Instant
from agent.domain.registers.record import CategoryChange, Record
from agent.errors import RefusedError
from agent.ports import Entry, Registration


class RegisteringRegistry(SqliteRegistry):
    """The registry as the desk's registers write it."""

    def register(self, one: Registration, *, by: str, now: Instant) -> bool:
        """Put one holder with their record; False where all is so already.

        Raises:
            RefusedError: ``code_taken``: the resident code is another holder's.
            KeyUnavailableError: there is no key to seal with.
            StoreError: the registry cannot be written.
        """
        self._need_sealer()

        def work() -> bool:
            self._clear_damage("holder", one.holder.id)
            return self._register(one, by, now, self._holder_at(one.holder.id))

        return self._write(work)

    def look(self, entry: Entry) -> tuple[HolderId, Holder | None, Record | None]:
        """Whom ``entry`` is about, and what is stored of them, by the indexes.

        Raises:
            KeyUnavailableError: they are sealed, and the key for that is missing.
            StoreError: their record was altered, or the registry cannot be read.
        """
        return self._read(lambda: self._look(entry))

    def register_all(
        self,
        entries: Callable[[], Iterable[Entry]],
        *,
        by: str,
        now: Instant,
        advance: Callable[[int], None] = lambda _done: None,
    ) -> int:
        """Put all of them, or none; how many were new or different.

        Whoever writes meanwhile comes first: then it begins again with what ``entries`` gives anew.

        Raises:
            RefusedError, KeyUnavailableError, StoreError: as ``register``; nothing was written.
        """
        self._need_sealer()

        def work() -> int:
            damaged = {
                one
                for row in self._each("holder")
                if not row.verdict.whole
                for one in row.verdict.subjects
            }
            changed = 0
            for done, entry in enumerate(entries(), start=1):
                self._give_way()
                holder, before, record = self._look(entry)
                if holder in damaged:
                    self._clear_damage("holder", holder)
                changed += self._register(entry.made(holder, before, record), by, now, before)
                advance(done)
            return changed

        return self._write_at_length(work)

    def change_category(
        self,
        holder: HolderId,
        became: Callable[[Holder], Holder],
        *,
        by: str,
        now: Instant,
        why: str | None,
        undoes: int | None = None,
    ) -> tuple[Holder, CategoryChange | None]:
        """The holder as ``became`` makes them of what is stored, and the change; None: none was.

        Raises:
            RefusedError: ``no_such_holder``; what ``became`` raises.
            KeyUnavailableError: there is a reason, and no key to seal it with.
            StoreError: the registry cannot be written.
        """

        def work() -> tuple[Holder, CategoryChange | None]:
            before = self.holder(holder)
            if before is None:
                raise RefusedError("no_such_holder", "there is no such holder")
            after = became(before)
            if after == before:
                return before, None
            self._say_here(of_holder(holder), now)
            self._change(before, after, by, now, why, undoes)
            return after, self.category_changes(holder)[-1]

        return self._write(work)

    def _look(self, entry: Entry) -> tuple[HolderId, Holder | None, Record | None]:
        owner = None if entry.by_code is None else self._owner_of(entry.by_code)
        holder = owner or entry.holder
        return holder, self._holder_at(holder), self.record_of(holder)

    def _register(self, one: Registration, by: str, now: Instant, before: Holder | None) -> bool:
        holder = one.holder
        changed = before != holder
        if changed:
            self._say_here(of_holder(holder.id), now)
            self._put_row(holder, before)
            if before is not None and before.name != holder.name:
                self._owe_erasure()
            self._note_category(before, holder, by, now)
        kept = one.record is not None and self._keep_record(holder.id, one.record)
        if changed or kept:
            self._log_changed(before, holder, by, now, record=kept)
        return changed or kept
