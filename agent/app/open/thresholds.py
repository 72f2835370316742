"""The curve by which this gate decides, of what its pack and its people say."""

import contextlib

from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.impostor_bound import SiteBound, site_bound
from agent.domain.sight.operating_point import CurvePoint, ThresholdCurve
from agent.domain.sight.thresholds import Group, Thresholds, settled, thresholds
from agent.errors import StoreError
from agent.ports import BoundMemory
from agent.vision.packs.manifest import Manifest, ManifestCurvePoint


def curve_of(manifest: Manifest) -> ThresholdCurve:
    """The manifest's own measured curve as the domain reads it."""
    return _curve(manifest.comparison.curve, manifest.comparison.impostor_pairs)


def groups_of(manifest: Manifest) -> tuple[Group, ...]:
    """The groups that the pack was measured on."""
    return tuple(
        Group(group.name, _curve(group.curve, group.impostor_pairs))
        for group in manifest.comparison.group
    )


def unknown_people(manifest: Manifest) -> Thresholds:
    """What holds before anybody is enrolled."""
    return _thresholds(manifest, None)


def people_thresholds(manifest: Manifest, index: ReferenceIndex) -> Thresholds:
    """What holds among the people of ``index`` where nothing is known of the gate before."""
    return _thresholds(manifest, site_bound(index))


def site_thresholds(
    manifest: Manifest, index: ReferenceIndex, memory: BoundMemory, *, keep: bool
) -> Thresholds:
    """What holds among the people of ``index``, with the dead band about what was in force before.

    With ``keep`` that is remembered. Where it cannot be written a start may begin anew, by the same
    people at most half a standard error lower; that keeps nobody out and lets nobody in.
    """
    pack = manifest.name, manifest.version
    site = site_bound(index)
    if site is not None:
        site = settled(site, memory.site_bound(*pack))
        if keep:
            with contextlib.suppress(StoreError):
                memory.keep_site_bound(*pack, site.bound)
    return _thresholds(manifest, site)


def _thresholds(manifest: Manifest, site: SiteBound | None) -> Thresholds:
    highest = 1.0 if Metric(manifest.comparison.metric) is Metric.COSINE else 0.0
    return thresholds(curve_of(manifest), groups_of(manifest), site, highest)


def _curve(points: tuple[ManifestCurvePoint, ...], impostor_pairs: int) -> ThresholdCurve:
    return ThresholdCurve(
        tuple(CurvePoint(one.fmr, one.threshold, one.fnmr) for one in points), impostor_pairs
    )
