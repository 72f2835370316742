"""Enrols by the site's pack into its registry: for the desk, and for what comes by the broker."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from agent.app.open.site import Site, instant
from agent.app.open.snapshot import Rates, Snapshot, SnapshotSource, take_snapshot
from agent.app.open.thresholds import unknown_people
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.sight.comparison import Metric
from agent.domain.sight.operating_point import operating_point
from agent.domain.sight.thresholds import Thresholds, pairs_of
from agent.errors import ImageError
from agent.operations.doubts import past
from agent.operations.people.enrol import Bars, Enrolled, Enrolment, EnrolmentRequest, prepare
from agent.operations.people.photographs import Photograph
from agent.ports import Gallery, Reference
from agent.vision.face.engine import FaceEngine
from agent.vision.packs.manifest import Manifest


class EnrolmentStore(SnapshotSource, Gallery, Protocol):
    """What an enrolment looks at and is written to."""

    def holder(self, holder: HolderId) -> Holder | None:
        """One holder, or None; so too where the row cannot be read."""


def store_enrolment(
    site: Site,
    registry: EnrolmentStore,
    engine: FaceEngine,
    request: EnrolmentRequest,
    photographs: Sequence[Photograph],
    *,
    by: str,
    before: Snapshot | None = None,
) -> Enrolment:
    """Make the references of ``photographs`` and store them; the files themselves if so configured.

    ``before`` is a gallery in memory, of which what did not change is not opened again.

    Raises:
        EnrolmentRefusedError: with its reason and fix.
        StoreError: the registry is locked, damaged or not writable.
    """
    manifest = engine.manifest
    snapshot = take_snapshot(registry, manifest, rates_of_site(site), before)
    known = snapshot.registry.thresholds
    existing = registry.holder(HolderId(request.id))
    own = snapshot.index.rows_of(HolderId(request.id))
    others = len(snapshot.index) - (own.stop - own.start)
    owned: tuple[Reference, ...] = ()
    if request.adds:
        owned = tuple(registry.owned_by(HolderId(request.id), manifest.name, manifest.version))
    made = prepare(
        request,
        photographs,
        engine,
        snapshot.index,
        lambda references: _bars(site, known, manifest, others + references),
        stored=Enrolled(existing, owned),
        categories=site.categories,
    )
    registry.enrol(
        made.holder,
        made.references,
        by=by,
        now=instant(site),
        # Looking at photographs takes a while, and somebody may disable the holder meanwhile.
        if_still=lambda stored: stored == existing,
        instead_of=owned if request.adds else None,
        photographs=_to_keep(site, registry, request),
    )
    ended = past(
        f"the validity of {made.holder.id}", made.holder.valid_until, instant(site).utc, site.zone
    )
    return made if ended is None else replace(made, warnings=(*made.warnings, ended))


def _to_keep(site: Site, registry: EnrolmentStore, request: EnrolmentRequest) -> list[bytes] | None:
    """The photographs that are kept from now on; None leaves those there are."""
    kept = _photographs(request.files) if site.store.keep_photographs else []
    if not request.adds:
        return kept
    return [*registry.photographs(HolderId(request.id)), *kept] if kept else None


def rates_of_site(site: Site) -> Rates:
    """How sure a comparison must be here."""
    face = site.face
    return Rates(face.max_false_grant_rate, operating_point=face.operating_point)


def _bars(site: Site, known: Thresholds | None, manifest: Manifest, references: int) -> Bars:
    """As they will be once the holder is in: the threshold follows the gallery."""
    known = known or unknown_people(manifest, site.face.operating_point)
    rate = site.face.max_false_grant_rate
    point = operating_point(known.curve, references, rate)
    return Bars(
        same_person=known.same_person(),
        too_close=point.threshold,
        other=operating_point(known.curve, pairs_of(references), rate).threshold,
        face_alone=point.sufficient,
        serves=int(known.references_served(rate)),
        margin=site.face.margin,
        metric=Metric(manifest.comparison.metric),
    )


def _photographs(files: Iterable[str]) -> list[bytes]:
    try:
        return [Path(file).read_bytes() for file in files]
    except OSError as error:
        raise ImageError("unreadable_image", f"a photograph is gone: {error.strerror}") from error
