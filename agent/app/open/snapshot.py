"""The gallery in memory: built from the registry on disk, never changed afterwards.

It is built whole at first; a later one takes from the one before what was not touched since, and is
what a whole one would be.
The watcher compares with one, the controller judges by the same, and each names its revision.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from agent.app.open.community.rules import RuleReader
from agent.app.open.gallery import IndexedGallery, index_gallery
from agent.app.open.thresholds import people_bound, site_thresholds
from agent.config import GateConfig, OperatingPointConfig
from agent.credentials.passes.issuers import IssuerKey, Issuers
from agent.domain.access.community_rules import NO_COMMUNITY_RULES, CommunityRules
from agent.domain.access.registry import Registry
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.sight.comparison import ReferenceIndex
from agent.domain.sight.gallery_safety import SMALL, holders_too_close, stands_too_close
from agent.domain.sight.impostor_bound import SiteBound
from agent.domain.sight.operating_point import (
    OperatingPoint,
    ThresholdCurve,
    operating_point,
    threshold_at,
)
from agent.ports import (
    BoundMemory,
    Damage,
    DocumentHashes,
    GalleryArrays,
    HolderStore,
    PassTrust,
    Picture,
    RuleTexts,
)
from agent.vision.packs.manifest import Manifest


class SnapshotSource(
    HolderStore,
    DocumentHashes,
    GalleryArrays,
    BoundMemory,
    RuleTexts,
    PassTrust[IssuerKey],
    Protocol,
):
    """All that a gallery in memory is built from."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """References to compare with, the registry to judge by, and whom to believe.

    ``unreadable`` counts the rows that could not be read, by kind. ``picture`` and ``bound`` are
    what the next one may be built from; ``is_whole`` where all was read for this one.
    """

    gallery: IndexedGallery
    registry: Registry
    issuers: Issuers
    unreadable: Mapping[str, int]
    picture: Picture = field(repr=False)
    bound: SiteBound | None = field(repr=False)

    @property
    def is_whole(self) -> bool:
        """Whether every row was read for it, and not only what was touched since another one."""
        return self.picture.changed is None

    @property
    def index(self) -> ReferenceIndex:
        """What to compare with, for as long as the registry that it was built from is open."""
        return self.gallery.index

    def forgetful(self) -> "Snapshot":
        """The same, on which the next one is built with a look at every row."""
        return replace(self, picture=replace(self.picture, place=None))

    def is_too_close(self, holder: HolderId) -> bool:
        """Whether another holder could pass for this one; looked up now where it is not known.

        Raises:
            StoreError: the references cannot be read.
        """
        registry = self.registry
        if registry.compared:
            return registry.is_too_close(holder)
        return stands_too_close(self.index, holder, registry.operating.threshold)


@dataclass(frozen=True, slots=True)
class Rates:
    """How sure a comparison must be: for an attempt over the whole gallery, and 1:1.

    ``operating_point`` is what was measured on the people of this site, where somebody did.
    """

    max_false_grant_rate: float = 0.01
    max_false_match_rate: float = 1e-3
    operating_point: OperatingPointConfig | None = None


def rates_of(config: GateConfig) -> Rates:
    """What the config says."""
    face = config.face
    return Rates(face.max_false_grant_rate, config.pass_.max_false_match_rate, face.operating_point)


def take_snapshot(
    registry: SnapshotSource,
    manifest: Manifest,
    rates: Rates,
    before: Snapshot | None = None,
    *,
    keep: bool = False,
    rules: RuleReader | None = None,
) -> Snapshot:
    """The gallery as it is on disk now; ``keep`` remembers the bound that its people make.

    ``rules`` reads the community's; whoever decides nothing needs none.

    A row that cannot be read grants nothing and holds up none of the others. Where nobody knows any
    more whom it is about, what ``before`` forbade stays forbidden.

    Raises:
        KeyUnavailableError: there are references, and not the key that sealed them.
        StoreError: the registry cannot be read.
    """
    # The revision first: a change that comes in between is seen as a newer one next time.
    revision = registry.revision()
    picture = registry.picture(_to_follow(before))
    gallery = index_gallery(
        registry, manifest, revision, before.gallery if before else None, picture.references
    )
    index, damage = gallery.index, picture.damage
    stand_ins = _stand_ins(_named(gallery, picture) - picture.holders.keys())
    removed, revoked = picture.removed, picture.revoked
    if damage.lost & _ABOUT_PEOPLE:
        removed = replace(removed, incomplete=True)
    if before is not None:
        stand_ins |= _stand_ins(_lost_holders(damage, before) - picture.holders.keys())
        revoked |= before.registry.revoked if "revocations" in damage.lost else frozenset()
        removed = removed.completed(before.registry.removed)
    # Where no reference was touched, of whatever pack, what was made of them holds.
    untouched = picture.references == frozenset() == gallery.changed
    same = before if untouched else None
    bound = people_bound(manifest, index) if same is None else same.bound
    measured = rates.operating_point
    known = site_thresholds(manifest, index, registry, keep=keep, measured=measured, fresh=bound)
    curve = known.curve
    operating = operating_point(curve, len(index), rates.max_false_grant_rate)
    unreadable = dict(damage.rows)
    if same is None:
        total = registry.reference_total(manifest.name, manifest.version)
        if missing := total - len(index):
            unreadable["references"] = missing
        of_other_packs = registry.of_other_packs(manifest.name, manifest.version)
    else:
        of_other_packs = same.registry.of_other_packs
    community, refused = _community_rules(registry, rules, before)
    if refused:
        unreadable["rules"] = unreadable.get("rules", 0) + refused
    small = len(index) <= SMALL
    return Snapshot(
        gallery,
        Registry(
            revision=revision,
            holders={**picture.holders, **stand_ins} if stand_ins else picture.holders,
            references=len(index),
            operating=operating,
            # A large gallery is compared with itself in the background (``SelfComparison``).
            too_close=holders_too_close(index, operating.threshold) if small else frozenset(),
            compared=small,
            pack=manifest.name,
            pack_version=manifest.version,
            claim_threshold=threshold_at(curve, rates.max_false_match_rate),
            claim_fmr=rates.max_false_match_rate,
            claims=_claims(index, curve, rates.max_false_match_rate),
            curve=curve,
            thresholds=known,
            documents=picture.documents,
            cards=picture.cards,
            revoked=revoked,
            removed=removed,
            unreadable=sum(unreadable.values()),
            of_other_packs=of_other_packs,
            rules=community,
        ),
        Issuers(registry.issuers()),
        unreadable,
        picture,
        bound,
    )


def _to_follow(before: Snapshot | None) -> Picture | None:
    """What the next picture may follow: one with every reference, and each about somebody.

    What a damaged row takes from somebody is told by all rows together.
    """
    if before is None or "references" in before.unreadable or before.registry.outdated:
        return None
    picture = before.picture
    return picture if before.registry.holders is picture.holders else None


def _named(gallery: IndexedGallery, picture: Picture) -> frozenset[HolderId]:
    """Who may be enrolled and without a readable row: everybody, or who changed since it was so."""
    names: Iterable[HolderId] = gallery.index.names
    if picture.changed is not None and gallery.changed is not None:
        index, touched = gallery.index, picture.changed | gallery.changed
        names = [one for one in touched if index.rows_of(one) != slice(0, 0)]
    cards = (card.holder for card in picture.cards.values())
    return frozenset((*picture.damage.holders, *names, *picture.documents.values(), *cards))


def _community_rules(
    registry: RuleTexts, rules: RuleReader | None, before: Snapshot | None
) -> tuple[CommunityRules, int]:
    """The community's rules, and how many of its texts cannot be kept here."""
    if rules is None:
        return NO_COMMUNITY_RULES, 0
    said, lost = registry.said_rules()
    found, refused = rules.rules(said, lost=lost)
    return (found if before is None else found.completed(before.registry.rules)), refused


def _claims(
    index: ReferenceIndex, curve: ThresholdCurve, max_false_match_rate: float
) -> dict[HolderId, OperatingPoint]:
    """The threshold of a claim for each holder with several references: the best of them counts."""
    by_count: dict[int, OperatingPoint] = {}
    claims = {}
    counts = index.counts
    for number in np.flatnonzero(counts > 1).tolist():
        count = int(counts[number])
        if count not in by_count:
            by_count[count] = operating_point(curve, count, max_false_match_rate)
        claims[index.names[number]] = by_count[count]
    return claims


_ABOUT_PEOPLE = frozenset({"holders", "removals"})
"""The kinds of rows without which nobody knows who is unknown: holders, and who was one."""


def _stand_ins(names: Iterable[HolderId]) -> dict[HolderId, Holder]:
    """For holders who are enrolled and whose row cannot be read: they are somebody, and refused."""
    return {name: Holder(name, "", "", enabled=False) for name in names}


def _lost_holders(damage: Damage, before: Snapshot) -> frozenset[HolderId]:
    """Who was enrolled before, where a row is about one of them and nobody knows about whom."""
    return frozenset(before.registry.holders) if "holders" in damage.lost else frozenset()


def other_packs_text(count: int, pack: str) -> str:
    """What to say where so many holders have references of other packs only, with the fix."""
    who = "1 holder is" if count == 1 else f"{count} holders are"
    return (
        f"{who} not known by face: their references are of other packs than {pack}\n"
        f"Fix: gate-agent holders re-enrol --pack {pack} --photos DIR, or the pack of before"
    )


def damage_text(unreadable: Mapping[str, int]) -> str:
    """How many rows cannot be read, by kind."""
    counts = ", ".join(f"{kind} {count}" for kind, count in sorted(unreadable.items()))
    return f"rows of the registry that cannot be read: {counts}"
