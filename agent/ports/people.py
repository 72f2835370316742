"""Who may come in: holders, their faces, their ID documents, and whose passes are believed."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from agent.domain.access.tombstone import Removed
from agent.domain.credential.card import Card
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.hours.instant import Instant
from agent.domain.sight.comparison import Templates
from agent.domain.sight.image import Template

IssuerKeyT_co = TypeVar("IssuerKeyT_co", covariant=True)


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """One enrolled template of a holder, made by one version of one pack.

    ``parts`` are the templates of the photographs that it is the mean of, two or more; empty where
    it is that of one photograph. They are never compared with at the gate.
    """

    holder: HolderId
    pack: str
    pack_version: str
    template: Template = field(repr=False)
    parts: tuple[Template, ...] = field(default=(), repr=False)

    @property
    def photographs(self) -> tuple[Template, ...]:
        """The template of each photograph behind it, one at least."""
        return self.parts or (self.template,)


StillHolds = Callable[[Holder | None], bool]
"""Whether a change may be made to the holder as stored at that very moment, None for nobody."""


def whoever(_stored: Holder | None) -> bool:
    """A change that does not build on what was stored."""
    return True


@dataclass(frozen=True, slots=True)
class Damage:
    """Rows that cannot be read, and what is still known of them.

    ``rows`` counts them by kind (``holders``, ``revocations``, ``removals``, ``documents``,
    ``cards``, ``issuers``, ``changes``); ``holders`` are those whose own row is among them:
    they are enrolled, and nobody knows with which rights. ``lost`` names the kinds with a row of
    which nobody knows any more whom it is about.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    holders: frozenset[HolderId] = frozenset()
    lost: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Everybody at one moment, and whose passes and documents count for nothing or for whom.

    Of a picture that follows another one, ``changed`` are the holders who may differ from that
    one's, and ``references`` the numbers of the references that may; None where it was read whole.
    ``place`` is the store's own.
    """

    holders: Mapping[HolderId, Holder] = field(repr=False)
    damage: Damage
    documents: Mapping[str, HolderId] = field(repr=False)
    revoked: frozenset[PassId]
    removed: Removed
    changed: frozenset[HolderId] | None = field(default=None, repr=False)
    references: frozenset[int] | None = field(default=None, repr=False)
    place: object = field(default=None, repr=False)
    cards: Mapping[str, Card] = field(default_factory=dict, repr=False)


class HolderStore(Protocol):
    """Holders, and the changes made to them."""

    def holders(self) -> Sequence[Holder]:
        """Every holder, by id.

        Raises:
            StoreError: a row cannot be read.
        """

    def readable_holders(self) -> Sequence[Holder]:
        """Every holder whose row can be read, by id."""

    def damage(self) -> Damage:
        """The rows that cannot be read."""

    def people(self) -> tuple[Sequence[Holder], Damage]:
        """Both, by one look at each row."""

    def picture(self, before: Picture | None = None) -> Picture:
        """Everybody now; where ``before`` came from here, less is read, and the answer is the same.

        Raises:
            StoreError: the registry cannot be read.
        """

    def put(
        self,
        holder: Holder,
        *,
        by: str,
        now: Instant,
        if_still: StillHolds = whoever,
        issued_s: int | None = None,
    ) -> None:
        """Add or change a holder; the change and its event are one transaction.

        ``issued_s``: it was signed then (UTC); None: somebody here says so.

        Raises:
            RefusedError: ``changed_meanwhile``: ``if_still`` says no to the holder as stored now;
                ``superseded``: somebody here said otherwise since it was signed, and it does more
                than disable.
        """

    def say_again(self, holder: HolderId, *, now: Instant) -> None:
        """Somebody here says of the holder what is so already: what was signed before is late."""

    def remove(
        self,
        holder: HolderId,
        *,
        by: str,
        now: Instant,
        at_least: datetime | None = None,
        issued_s: int | None = None,
    ) -> bool:
        """Forget a holder and all references; False where there is none.

        A tombstone stays: passes about the holder that are no newer than the removal open nothing.
        ``at_least`` is a time that it surely is later than, where the clock may be behind.
        ``issued_s`` as in ``put``.
        """


class DocumentHashes(Protocol):
    """Whose ID document is whose, by the keyed hash of its number."""

    def document_key(self) -> bytes:
        """The key by which ID numbers are hashed here.

        Raises:
            KeyUnavailableError: there is no gallery key, or documents were bound under another one.
        """

    def documents(self) -> Mapping[str, HolderId]:
        """Holders by the hash."""

    def holder_of_document(self, number_hash: str) -> HolderId | None:
        """Whose document it is; None where it is nobody's."""


class CardStore(HolderStore, DocumentHashes, Protocol):
    """Holders and their cards."""

    def cards(self) -> Mapping[str, Card]:
        """Cards by the keyed hash of their number; one that is damaged is nobody's."""

    def bind_card(
        self, card_hash: str, card: Card, *, by: str, now: Instant, move: bool = False
    ) -> bool:
        """From now on the card of this hash is as ``card`` says; False where it is so already.

        Raises:
            RefusedError: ``no_such_holder``; ``card_taken``: it is another holder's, and ``move``
                takes it from them.
            KeyUnavailableError: there is no key, or others were bound under another one.
        """

    def unbind_card(self, card_hash: str, *, by: str, now: Instant) -> HolderId | None:
        """The card opens nothing from now on; whose it was, None where it was nobody's."""


class DocumentStore(HolderStore, DocumentHashes, Protocol):
    """Holders and their ID documents."""

    def bind_document(
        self, holder: HolderId, number_hash: str, *, by: str, now: Instant, move: bool = False
    ) -> bool:
        """From now on the document of this hash is ``holder``'s, and no other; False where so.

        Raises:
            RefusedError: ``no_such_holder``; ``document_taken``: it is another holder's, and
                ``move`` takes it from them.
            KeyUnavailableError: there is no key to hash with, or not the one of before.
        """

    def unbind_document(self, holder: HolderId, *, by: str, now: Instant) -> bool:
        """Forget the holder's ID document; False where none was bound."""


class Gallery(Protocol):
    """Sealed references at rest, opened into memory only."""

    def references(self, pack: str, pack_version: str) -> Sequence[Reference]:
        """Every reference made by this pack, by holder.

        Raises:
            KeyUnavailableError: the key is not the one that sealed them.
            StoreError: a row fails its seal: it was altered, or copied from elsewhere.
        """

    def enrol(
        self,
        holder: Holder,
        references: Sequence[Reference],
        *,
        by: str,
        now: Instant,
        photographs: Sequence[bytes] | None = (),
        if_still: StillHolds = whoever,
        instead_of: Sequence[Reference] | None = None,
    ) -> None:
        """Put the holder and replace their references for the packs given, in one transaction.

        ``photographs`` replace those kept; None leaves them. With ``instead_of`` the holder's
        references of those packs must still be those.

        Raises:
            RefusedError: ``changed_meanwhile``: ``if_still`` says no to the holder as stored now,
                or the references are others than ``instead_of``.
        """

    def photographs(self, holder: HolderId) -> Sequence[bytes]:
        """The photographs that are kept of a holder, as they were given.

        Raises:
            KeyUnavailableError: there is no key.
        """

    def owned(self, pack: str, pack_version: str) -> Sequence[Reference]:
        """Every reference made by this pack with its parts, by holder; damaged ones are left out.

        One with a part that cannot be opened counts as that of one photograph.

        Raises:
            KeyUnavailableError: there is no key.
        """

    def owned_by(self, holder: HolderId, pack: str, pack_version: str) -> Sequence[Reference]:
        """The references of one holder with their parts.

        Raises:
            KeyUnavailableError: the key is not the one that sealed them.
            StoreError: a row fails its seal.
        """

    def packs_of_holders(self) -> Sequence[tuple[HolderId, str, str, int]]:
        """Who has how many references of which pack and version, opened or not."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceList:
    """Where the references of a pack lie: the holder and the row of each, by holder.

    A row that is written anew has another ``mark``, so that what was made of one holds as long as
    its number and its mark do.
    """

    owners: Sequence[HolderId]
    numbers: npt.NDArray[np.int64]
    marks: npt.NDArray[np.uint32]


OpenedReference = tuple[HolderId, Template]
"""Whose it is, and the template."""


class GalleryArrays(Protocol):
    """The gallery as it is compared with, and whether it is still that one."""

    def revision(self) -> int:
        """Another number after each change, by whatever process."""

    def load_arrays(self, pack: str, pack_version: str) -> tuple[list[HolderId], Templates]:
        """The owners and templates (references x components) of a pack, by holder.

        A row that was altered, or copied from elsewhere, is left out.

        Raises:
            KeyUnavailableError: there is no key, or another one sealed them.
            StoreError: the registry cannot be read.
        """

    def list_references(
        self, pack: str, pack_version: str, among: Collection[int] | None = None
    ) -> ReferenceList:
        """Whose references there are and in which rows, by holder; nothing is opened.

        Only those ``among`` these numbers, where they are given.

        Raises:
            StoreError: the registry cannot be read.
        """

    def open_references(
        self, pack: str, pack_version: str, numbers: Sequence[int]
    ) -> Iterator[OpenedReference | None]:
        """The references in these rows, each opened as it is asked for.

        None for a row that is gone, was altered or copied from elsewhere.

        Raises:
            KeyUnavailableError: there is no key, or another one sealed every row asked for.
            StoreError: the registry cannot be read.
        """

    def reference_total(self, pack: str, pack_version: str) -> int:
        """How many references of the pack there are, those among them that cannot be opened."""

    def of_other_packs(self, pack: str, pack_version: str) -> int:
        """How many holders have references, and none of this version of the pack."""


class BoundMemory(Protocol):
    """The bound of the people's own scores that is in force, so that a start goes on with it."""

    def site_bound(self, pack: str, pack_version: str) -> tuple[float, ...] | None:
        """What was kept last; None where nothing was, or it cannot be read."""

    def keep_site_bound(self, pack: str, pack_version: str, bound: tuple[float, ...]) -> None:
        """Remember it, in the place of the one before.

        Raises:
            StoreError: it cannot be written.
        """


@dataclass(frozen=True, slots=True)
class SaidRules:
    """What the community said of a category's rules, and who; ``text`` None: it is damaged."""

    text: str | None
    by: str = ""
    at: str = ""


class RuleTexts(Protocol):
    """The community's rules for categories, over the config's."""

    def said_rules(self) -> tuple[Mapping[str, SaidRules], bool]:
        """What was said, by category; and whether a row is about a category that nobody knows."""


class PassTrust(Protocol[IssuerKeyT_co]):
    """Which passes are believed; what a key is, ``credentials`` knows and no port."""

    def issuers(self) -> Sequence[IssuerKeyT_co]:
        """Every key whose passes are believed, by issuer; one that is damaged is not."""

    def revoked(self) -> frozenset[PassId]:
        """Every pass that opens nothing any more."""

    def removed(self) -> Removed:
        """Whoever was removed, by the hash of their ids."""


class PeopleStore(DocumentStore, Gallery, Protocol):
    """All that a kiosk can be told of a holder by another one."""


class Seals(Protocol):
    """The gallery's key in use."""

    def seal(self, plain: bytes, *bound_to: str) -> bytes:
        """``plain`` sealed and bound to these words."""

    def open(self, sealed: bytes, *bound_to: str) -> bytes:
        """What was sealed for these words.

        Raises:
            KeyUnavailableError: it was sealed with another key.
            StoreError: it was altered, cut short, or bound to something else.
        """
