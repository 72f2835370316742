"""What the desk does with the references of people enrolled: look, take one away, change packs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.app.open.engine import open_engine
from agent.app.open.files.stores import Key, open_registry, read_registry
from agent.app.open.site import Site, instant
from agent.app.open.thresholds import unknown_people
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.sight.comparison import Metric
from agent.operations.people import holders
from agent.operations.people.re_enrol import (
    Making,
    ReEnrolment,
    Sources,
    photographs_in,
    re_enrol,
    standing,
)
from agent.operations.people.references import merging_of, shown, without
from agent.ports import Reference
from agent.vision.packs.manifest import manifest_names, read_manifest


@dataclass(frozen=True, slots=True)
class Taken:
    """What is left after a photograph was taken away.

    ``forgotten`` counts photographs that were kept in the registry and went as well: which of them
    was that one, nobody wrote down.
    """

    references: int
    photographs: int
    forgotten: int
    erased: bool


def references_of(site: Site, holder_id: str) -> list[dict[str, Any]]:
    """A row a photograph of a holder, of all packs; never a template.

    Raises:
        RefusedError: ``no_such_holder``.
        KeyUnavailableError: the key that sealed them is missing.
        StoreError: the registry is locked or damaged, or a row of theirs is.
    """
    rows = []
    with read_registry(site, Key.IF_ANY) as registry:
        found = holders.find(registry, holder_id)
        for owner, pack, version, _count in registry.packs_of_holders():
            if owner != found.id:
                continue
            metric = None
            if pack in manifest_names():
                metric = Metric(read_manifest(pack).comparison.metric)
            rows += shown(registry.owned_by(owner, pack, version), metric)
    return rows


def score_of_one_person(pack: str) -> float | None:
    """Below which score two photographs are not one person's; None of a pack that is not known."""
    if pack not in manifest_names():
        return None
    return unknown_people(read_manifest(pack)).same_person()


def remove_photograph(site: Site, holder_id: str, number: int, *, by: str) -> Taken:
    """Take a photograph of the site's pack away; the references are made anew of the others.

    Raises:
        RefusedError: ``no_such_holder``, ``no_such_photograph``, ``last_photograph``,
            ``changed_meanwhile``.
        KeyUnavailableError: the key that sealed them is missing.
        StoreError: the registry is locked, damaged or not writable.
    """
    manifest = read_manifest(site.face.pack)
    with open_registry(site, Key.NEEDED) as registry:
        found = holders.find(registry, holder_id)
        owned = registry.owned_by(found.id, manifest.name, manifest.version)
        kept = len(registry.photographs(found.id))
        merging = merging_of(manifest, unknown_people(manifest).same_person())
        left = without(owned, number, manifest, merging)
        registry.enrol(
            found,
            left,
            by=by,
            now=instant(site),
            if_still=lambda stored: stored == found,
            instead_of=owned,
        )
    photographs = sum(len(one.photographs) for one in left)
    return Taken(len(left), photographs, kept, registry.erased)


def re_enrol_holders(
    site: Site,
    folder: Path | None,
    *,
    by: str,
    force: bool,
    advance: Callable[[int, int], None],
) -> tuple[ReEnrolment, str]:
    """Enrol all again who have references of other packs only, by the site's pack; its version too.

    Raises:
        RefusedError: ``no_folder``.
        KeyUnavailableError: there is no key to seal with.
        ModelPackError: the pack is not installed.
        StoreError: the registry is locked, damaged or not writable.
    """
    manifest = read_manifest(site.face.pack)
    with read_registry(site) as looked_at:
        before = standing(looked_at.packs_of_holders(), manifest.name, manifest.version)
    if not before.lack:
        return ReEnrolment(before), manifest.version
    with open_registry(site, Key.NEEDED) as registry:
        known = {one.id: one for one in registry.readable_holders()}
        before = standing(registry.packs_of_holders(), manifest.name, manifest.version)
        photographs: dict[HolderId, list[Path]] = {}
        strangers: tuple[str, ...] = ()
        if folder is not None:
            photographs, strangers = photographs_in(folder, known)

        def store(holder: Holder, references: tuple[Reference, ...]) -> None:
            registry.enrol(
                holder,
                references,
                by=by,
                now=instant(site),
                if_still=lambda stored: stored == holder,
                instead_of=(),
                photographs=None,
            )

        made = re_enrol(
            before,
            known,
            Sources(photographs, registry.photographs, strangers),
            Making(
                lambda: open_engine(site.state, site.face.pack, 1),
                merging_of(manifest, unknown_people(manifest).same_person()),
                force,
            ),
            store,
            advance=advance,
        )
    return made, manifest.version
