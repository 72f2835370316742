"""The community's archive: records of holders, and by which category each came."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agent.domain.credential.holder import Holder, HolderId
from agent.domain.hours.instant import Instant
from agent.domain.registers.record import CategoryChange, Record
from agent.domain.registers.resident_code import ResidentCode


@dataclass(frozen=True, slots=True)
class Registration:
    """Somebody as the desk registers them; without a ``record`` what there is of one stays."""

    holder: Holder
    record: Record | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody of a file: whoever has the resident code ``by_code``, else ``holder``.

    ``made`` says what is to be stored of them, of what is stored at that very moment.
    """

    holder: HolderId
    by_code: ResidentCode | None = field(repr=False)
    made: Callable[[HolderId, Holder | None, Record | None], Registration] = field(repr=False)


class Archive(Protocol):
    """The records of the community's archive, and how each holder came into their category."""

    def record_of(self, holder: HolderId) -> Record | None:
        """The record of a holder; None where there is none.

        Raises:
            KeyUnavailableError: it is sealed, and the key for that is missing.
            StoreError: it was altered.
        """

    def holder_of_code(self, code: ResidentCode) -> HolderId | None:
        """Whose resident code it is; None where it is nobody's."""

    def category_changes(self, holder: HolderId) -> Sequence[CategoryChange]:
        """How a holder came into their category, the oldest first."""

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
        """
