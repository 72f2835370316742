"""The gallery in memory: built whole from the registry on disk, never changed afterwards.

The watcher compares with one, the controller judges by the same, and each names its revision.
"""

from dataclasses import dataclass
from typing import Protocol

from agent.config import GateConfig
from agent.credentials.passes.issuers import IssuerKey, Issuers
from agent.domain.access.registry import Registry
from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Metric, ReferenceIndex, Templates
from agent.domain.sight.gallery_safety import holders_too_close
from agent.domain.sight.operating_point import (
    CurvePoint,
    OperatingPoint,
    ThresholdCurve,
    operating_point,
    threshold_at,
)
from agent.errors import StoreError
from agent.ports import DocumentHashes, GalleryArrays, HolderStore, PassTrust
from agent.vision.packs.manifest import Manifest


class SnapshotSource(HolderStore, DocumentHashes, GalleryArrays, PassTrust[IssuerKey], Protocol):
    """All that a gallery in memory is built from."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """References to compare with, the registry to judge by, and whom to believe."""

    index: ReferenceIndex
    registry: Registry
    issuers: Issuers


def curve_of(manifest: Manifest) -> ThresholdCurve:
    """The manifest's measured curve as the domain reads it."""
    comparison = manifest.comparison
    points = tuple(CurvePoint(p.fmr, p.threshold, p.fnmr) for p in comparison.curve)
    return ThresholdCurve(points, comparison.impostor_pairs)


def threshold_for(
    manifest: Manifest, references: int, max_false_grant_rate: float
) -> OperatingPoint:
    """The threshold in force for a gallery of ``references``, each of which a probe meets."""
    return operating_point(curve_of(manifest), references, max_false_grant_rate)


@dataclass(frozen=True, slots=True)
class Rates:
    """How sure a comparison must be: for an attempt over the whole gallery, and 1:1."""

    max_false_grant_rate: float = 0.01
    max_false_match_rate: float = 1e-3


def rates_of(config: GateConfig) -> Rates:
    """What the config says."""
    return Rates(config.face.max_false_grant_rate, config.pass_.max_false_match_rate)


def take_snapshot(registry: SnapshotSource, manifest: Manifest, rates: Rates) -> Snapshot:
    """The gallery as it is on disk now.

    Raises:
        KeyUnavailableError: there are references, and not the key that sealed them.
        StoreError: the registry cannot be read, or a reference fails its seal.
    """
    # The revision first: a change that comes in between is seen as a newer one next time.
    revision = registry.revision()
    owners, templates = registry.load_arrays(manifest.name, manifest.version)
    holders = {holder.id: holder for holder in registry.holders()}
    metric = Metric(manifest.comparison.metric)
    if owners:
        index = _index(owners, templates, manifest, revision)
    else:
        index = ReferenceIndex.empty(manifest.embedder.components, metric, revision)
    curve = curve_of(manifest)
    operating = threshold_for(manifest, len(index), rates.max_false_grant_rate)
    return Snapshot(
        index,
        Registry(
            revision=revision,
            holders=holders,
            references=len(index),
            operating=operating,
            too_close=holders_too_close(index, operating.threshold),
            pack=manifest.name,
            pack_version=manifest.version,
            claim_threshold=threshold_at(curve, rates.max_false_match_rate),
            claim_fmr=rates.max_false_match_rate,
            claims=_claims(index, curve, rates.max_false_match_rate),
            curve=curve,
            documents=registry.documents(),
            revoked=registry.revoked(),
        ),
        Issuers(registry.issuers()),
    )


def _claims(
    index: ReferenceIndex, curve: ThresholdCurve, max_false_match_rate: float
) -> dict[HolderId, OperatingPoint]:
    """The threshold of a claim for each holder with several references: the best of them counts."""
    by_count: dict[int, OperatingPoint] = {}
    claims = {}
    for holder in index.names:
        rows = index.rows_of(holder)
        count = rows.stop - rows.start
        if count > 1:
            if count not in by_count:
                by_count[count] = operating_point(curve, count, max_false_match_rate)
            claims[holder] = by_count[count]
    return claims


def _index(
    owners: list[HolderId], templates: Templates, manifest: Manifest, revision: int
) -> ReferenceIndex:
    fix = "see which references are wrong with gate-agent holders list, and enrol them again"
    wanted = manifest.embedder.components
    if templates.shape[1] != wanted:
        found = templates.shape[1]
        raise StoreError(f"references of {found} components, where the pack has {wanted}", fix)
    try:
        return ReferenceIndex(owners, templates, Metric(manifest.comparison.metric), revision)
    except ValueError as error:
        raise StoreError(f"the gallery cannot be compared with: {error}", fix) from error
