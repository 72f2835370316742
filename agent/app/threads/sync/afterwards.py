"""What of an update follows once it is in force: faces by photograph, and trust lists.

A face takes a while, and a list is a file of its own: the update's transaction waits for neither.
Killed in between, all of it is done once more, which changes nothing of what was done.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from agent.adapters.store.people.merged import Taking, make_receipt
from agent.credentials.signed.entries import HolderEntry
from agent.credentials.signed.receipt import Receipt
from agent.credentials.signed.update import Part, Step
from agent.credentials.signed.word_entries import TrustListEntry, TrustListGone
from agent.domain.credential.holder import HolderId
from agent.domain.hours.instant import Instant
from agent.domain.record.registry_sync import ReceiptOutcome

Enrol = Callable[[HolderEntry], str | None]
"""Enrols by the entry's photograph; why not, None where they are enrolled."""


class TrustLists(Protocol):
    """The kiosk's trust lists, as far as the registry brings them."""

    def put(self, name: str, text: str, issuer: str | None, issued: datetime) -> str | None:
        """From now on this is the list of that name; why not, None where it is.

        Raises:
            UnavailableError: the file cannot be written.
        """

    def remove(self, name: str) -> None:
        """Let nothing be believed by the list any more, where there is one.

        Raises:
            UnavailableError: the file cannot be removed.
        """

    def brought(self) -> Iterable[str]:
        """The names of those that the registry brought.

        Raises:
            UnavailableError: they cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Afterwards:
    """One update's; ``keep`` takes each receipt."""

    enrol: Enrol
    lists: TrustLists
    keep: Callable[[Receipt, Taking], None]
    now: Callable[[], Instant]
    _pieces: list[TrustListEntry] = field(default_factory=list)
    _named: set[str] = field(default_factory=set)

    def follow(self, step: Step, parts: Iterable[Part], how: Taking) -> None:
        """Do what follows from the ``parts`` of an update that is in force.

        Raises:
            StoreError: the registry cannot be read or written.
            UnavailableError: a list's file cannot be written.
            UpdateError: a part cannot be opened any more.
        """
        self._pieces.clear()
        self._named.clear()
        for part in parts:
            for entry in part.entries:
                match entry:
                    case HolderEntry() if entry.photograph is not None:
                        self._photograph(step, entry, how)
                    case TrustListEntry():
                        self._list(step, part, entry, how)
                    case TrustListGone(name):
                        self.lists.remove(name)
        if step.is_snapshot:
            for name in sorted(set(self.lists.brought()) - self._named):
                self.lists.remove(name)

    def _photograph(self, step: Step, entry: HolderEntry, how: Taking) -> None:
        admitted = how.admitted(entry).photograph is not None
        why = self.enrol(entry) if admitted else "no_consent"
        outcome = ReceiptOutcome.NOT_ENROLLED if why else ReceiptOutcome.ENROLLED
        self.keep(make_receipt(step, outcome, entry.holder.id, self.now(), reason=why), how)

    def _list(self, step: Step, part: Part, entry: TrustListEntry, how: Taking) -> None:
        self._named.add(entry.name)
        if entry.piece == 0:
            self._pieces.clear()
        self._pieces.append(entry)
        if entry.piece + 1 < entry.pieces:
            return
        whole = [(one.name, one.piece, one.pieces) for one in self._pieces] == [
            (entry.name, number, entry.pieces) for number in range(entry.pieces)
        ]
        text = "".join(one.text for one in self._pieces)
        self._pieces.clear()
        issued = datetime.fromtimestamp(part.issued_s, UTC)
        why = self.lists.put(entry.name, text, entry.issuer, issued) if whole else "incomplete"
        if why is not None:
            outcome = ReceiptOutcome.TRUST_LIST_REFUSED
            refused = make_receipt(step, outcome, HolderId(entry.name), self.now(), reason=why)
            self.keep(refused, how)
