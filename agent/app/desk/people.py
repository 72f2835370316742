"""What the desk does with faces: enrol, identify, look at the gallery as a whole."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.app.open.engine import open_engine
from agent.app.open.enrolment import rates_of_site, store_enrolment
from agent.app.open.files.keys import first_key, key_ring
from agent.app.open.files.stores import Key, latest_trusted, open_registry, read_registry
from agent.app.open.site import Site, instant
from agent.app.open.snapshot import Snapshot, take_snapshot
from agent.app.open.thresholds import unknown_people
from agent.credentials.documents.id_hash import document_key_id
from agent.domain.credential.holder import HolderId
from agent.errors import (
    ConfigError,
    GateAgentError,
    KeyUnavailableError,
    UnavailableError,
)
from agent.operations.people import gallery_check, holders
from agent.operations.people.enrol import (
    Enrolment,
    EnrolmentRequest,
    holder_of,
)
from agent.operations.people.holders import NAMES_FIX
from agent.operations.people.identify import Bar, IdentifiedImage, identify
from agent.operations.people.photographs import read_photographs
from agent.operations.people.transfer import (
    Documents,
    count_shut_out,
    export_lines,
    parse_lines,
    write,
)
from agent.ports import Damage, DocumentHashes
from agent.vision.packs.manifest import Manifest, manifest_names, read_any_manifest, read_manifest


def enrol_holder(site: Site, request: EnrolmentRequest, *, by: str) -> Enrolment:
    """Enrol by the site's pack: holder, references and event in one transaction, or nothing.

    Raises:
        EnrolmentRefusedError: with its reason and fix.
        KeyUnavailableError: there is no key to seal with.
        ModelPackError: the pack is not installed.
        StoreError: the registry is locked, damaged or not writable.
    """
    with open_registry(site, Key.NEEDED) as registry:
        engine = open_engine(site.state, site.face.pack, site.face.threads)
        found = registry.holder(HolderId(request.id))
        holder_of(request, found, lambda: [one.id for one in registry.readable_holders()])
        photographs = read_photographs(request.files, engine, force=request.force)
        return store_enrolment(site, registry, engine, request, photographs, by=by)


def identify_files(site: Site, files: Iterable[str]) -> Iterator[IdentifiedImage]:
    """Identify by the site's pack and gallery; without a gallery everybody is a stranger.

    Raises:
        KeyUnavailableError: there are references, and not the key that sealed them.
        ModelPackError: the pack is not installed.
        StoreError: the registry is locked or damaged.
    """
    engine = open_engine(site.state, site.face.pack, site.face.threads)
    with _gallery(site, engine.manifest) as snapshot:
        threshold = snapshot.registry.operating.threshold
        bar = Bar(threshold, site.face.margin, snapshot.is_too_close)
        yield from identify(files, engine, snapshot.index, bar)


def check_gallery(site: Site) -> dict[str, Any]:
    """The gallery compared with itself, as JSON values; needs the pack's manifest only.

    Raises:
        KeyUnavailableError: there are references, and not the key that sealed them.
        ModelPackError: there is no pack of this name.
        StoreError: the registry is locked or damaged.
    """
    per_day = site.face.max_false_grants_per_day
    rate = site.face.max_false_grant_rate
    with _gallery(site, read_manifest(site.face.pack)) as snapshot:
        return gallery_check.check_gallery(snapshot.index, snapshot.registry, per_day, rate)


def face_alone_serves(site: Site) -> tuple[int, int, int] | None:
    """How many references the face alone can serve here, so many by measurement, and there are.

    None where nothing can be told: the gallery's key is elsewhere, or there is no such pack.
    """
    try:
        manifest = read_manifest(site.face.pack)
        with _gallery(site, manifest) as snapshot:
            gallery = snapshot.registry
    except (UnavailableError, ConfigError):
        return None
    known = gallery.thresholds or unknown_people(manifest, site.face.operating_point)
    rate = site.face.max_false_grant_rate
    served, measured = known.references_served(rate), known.references_measured(rate)
    return int(served), int(measured), gallery.references


@contextlib.contextmanager
def _gallery(site: Site, manifest: Manifest) -> Iterator[Snapshot]:
    """The gallery as it stands; nobody where nobody was ever enrolled: looking makes no file."""
    with read_registry(site, Key.IF_ANY) as registry:
        yield take_snapshot(registry, manifest, rates_of_site(site))


def export_holders(site: Site, *, references: bool) -> Iterator[str]:
    """A line a holder, as ``people.transfer`` has it; ``references`` of the site's pack too.

    What cannot be read is left out: ``damage_of`` says how much.

    Raises:
        KeyUnavailableError: the key that sealed names and references is missing.
        StoreError: the registry is locked or damaged.
    """
    with read_registry(site, Key.NEEDED if references else Key.IF_ANY) as registry:
        if any(holder.name is None for holder in registry.readable_holders()):
            raise KeyUnavailableError("names cannot be exported: they are sealed", NAMES_FIX)
        if not references:
            yield from export_lines(registry.readable_holders(), (), None)
            return
        manifest = read_manifest(site.face.pack)
        owned = registry.owned(manifest.name, manifest.version)
        sealer = key_ring(site)
        found = registry.readable_holders()
        yield from export_lines(found, owned, sealer, _documents(registry))


@dataclass(frozen=True, slots=True)
class Imported:
    """How many holders a file had, how many changed; the key's file, where this made the first."""

    holders: int
    changed: int
    made_key: Path | None


def import_holders(
    site: Site,
    lines: Iterable[str],
    name: str,
    *,
    by: str,
    advance: Callable[[int, int], None],
    confirm: Callable[[int, int], None] = lambda _shut_out, _holders: None,
) -> Imported:
    """Read every line, ask ``confirm`` where some who pass now would not, then write.

    Raises:
        RefusedError: ``import``, with every finding; nothing was written. What ``confirm`` raises.
        KeyUnavailableError: names are sealed, and the key for that is missing.
        StoreError: the registry is locked, damaged or not writable.
    """
    imports = made_key = None
    if not os.path.lexists(site.key_file):
        # Lines that need a key are refused here: a key made now opens nothing of theirs.
        imports = parse_lines(lines, name, None, _components, None, site.zone)
        made_key = first_key(site)
    with open_registry(site, Key.NEEDED) as registry:
        if imports is None:
            documents = None
            # Only a line with an ID document needs their key, and is refused without it.
            with contextlib.suppress(KeyUnavailableError):
                documents = _documents(registry)
            imports = parse_lines(lines, name, key_ring(site), _components, documents, site.zone)
        shut_out = count_shut_out(imports, registry, instant(site).utc)
        if shut_out:
            confirm(shut_out, len(imports))
        changed = write(
            imports,
            registry,
            by=by,
            now=instant(site),
            advance=lambda done: advance(done, len(imports)),
        )
    return Imported(len(imports), changed, made_key)


def _documents(registry: DocumentHashes) -> Documents:
    return Documents(document_key_id(registry.document_key()), registry.documents())


def remove_holder(site: Site, holder_id: str, *, by: str) -> tuple[HolderId, bool]:
    """Forget a holder, from the latest moment on that this kiosk is sure of.

    The second value: nothing of them is left in any file; else the running agent erases it later.

    Raises:
        RefusedError: ``no_such_holder``.
        KeyUnavailableError: the key of tombstones cannot be read or made; nothing was removed.
        StoreError: the registry is locked, damaged or not writable.
    """
    with open_registry(site) as registry:
        now, at_least = instant(site), latest_trusted(site)
        gone = holders.remove(registry, holder_id, by=by, now=now, at_least=at_least)
    return gone, registry.erased


def to_be_removed(site: Site, holder_id: str) -> str | None:
    """What a removal takes away, for the question before it; None where it cannot be told."""
    with read_registry(site) as registry:
        found = next((one for one in registry.readable_holders() if one.id == holder_id), None)
        count = sum(registry.reference_counts().get(HolderId(holder_id), {}).values())
    if found is None:
        return None
    references = "1 reference" if count == 1 else f"{count} references"
    return f"{found.id} ({found.category}, {references})"


@contextlib.contextmanager
def name_of(site: Site) -> Iterator[Callable[[str], str | None]]:
    """The names of holders by id, for whoever may read them here; else None for each."""
    with contextlib.ExitStack() as stack:
        try:
            registry = stack.enter_context(read_registry(site, Key.IF_ANY))
        except GateAgentError:
            yield lambda _holder: None
            return

        def named(holder: str) -> str | None:
            try:
                found = registry.holder(HolderId(holder))
            except GateAgentError:
                return None
            return None if found is None else found.name

        yield named


def damage_of(site: Site) -> Damage:
    """The rows of the registry that cannot be read.

    Raises:
        StoreError: the registry is locked, damaged throughout, or not ours.
    """
    with read_registry(site) as registry:
        return registry.damage()


def with_pack(site: Site, pack: str | None) -> Site:
    """The same site by another model pack, where one is named."""
    if pack is None:
        return site
    return replace(site, face=site.face.model_copy(update={"pack": pack}))


def _components(pack: str) -> int | None:
    manifest = read_any_manifest(pack) if pack in manifest_names() else None
    return manifest.embedder.components if isinstance(manifest, Manifest) else None
