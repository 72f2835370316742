"""The curve by which this gate decides, of what its pack and its people say."""

import contextlib

from agent.app.open.site import Site
from agent.config import OperatingPointConfig
from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.impostor_bound import SiteBound, site_bound
from agent.domain.sight.operating_point import CurvePoint, ThresholdCurve, threshold_at
from agent.domain.sight.thresholds import Group, Thresholds, settled, thresholds
from agent.errors import ConfigError, StoreError, UnavailableError
from agent.ports import BoundMemory
from agent.vision.packs.manifest import Manifest, ManifestCurvePoint, read_manifest

SITE_PEOPLE = "the people of this site, as [face.operating_point] has them"

_NO_STRANGER_FMR = 1e-6


def curve_of(manifest: Manifest) -> ThresholdCurve:
    """The manifest's own measured curve as the domain reads it."""
    return _curve(manifest.comparison.curve, manifest.comparison.impostor_pairs)


def counts(measured: OperatingPointConfig | None, manifest: Manifest) -> bool:
    """Whether a measurement on this site's people is one of this pack, in this version."""
    return measured is not None and (measured.pack, measured.version) == (
        manifest.name,
        manifest.version,
    )


def ignored(measured: OperatingPointConfig | None, manifest: Manifest) -> str | None:
    """What to say where a measurement counts for nothing, with the fix; None where it counts."""
    if measured is None or counts(measured, manifest):
        return None
    return (
        f"[face.operating_point] is of pack {measured.pack} {measured.version} and counts for"
        f" nothing: in use is {manifest.name} {manifest.version}\n"
        "Fix: gate-agent evaluate operating-point DIR, with photographs of the people here"
    )


def ignored_at(site: Site) -> str | None:
    """The same of a site's config; None too where its pack is not known."""
    if site.face.operating_point is None:
        return None
    try:
        return ignored(site.face.operating_point, read_manifest(site.face.pack))
    except (UnavailableError, ConfigError):
        return None


def groups_of(
    manifest: Manifest, measured: OperatingPointConfig | None = None
) -> tuple[Group, ...]:
    """The groups that the pack was measured on; where the site's people were, they alone.

    Of people who were measured nobody need expect the worst of all others.
    """
    if measured is not None and counts(measured, manifest):
        points = tuple(CurvePoint(one.fmr, one.threshold) for one in measured.curve)
        return (Group(SITE_PEOPLE, ThresholdCurve(points, measured_to=measured.measured_to)),)
    return tuple(
        Group(group.name, _curve(group.curve, group.impostor_pairs))
        for group in manifest.comparison.group
    )


def unknown_people(manifest: Manifest, measured: OperatingPointConfig | None = None) -> Thresholds:
    """What holds before anybody is enrolled; ``measured`` is the config's operating point."""
    return _thresholds(manifest, None, measured)


def people_thresholds(manifest: Manifest, index: ReferenceIndex) -> Thresholds:
    """What holds among the people of ``index`` where nothing is known of the gate before."""
    return _thresholds(manifest, people_bound(manifest, index), None)


def people_bound(manifest: Manifest, index: ReferenceIndex) -> SiteBound | None:
    """The bound that the people of ``index`` carry, whatever was in force; None with too few."""
    return site_bound(index, one_person(manifest))


def site_thresholds(
    manifest: Manifest,
    index: ReferenceIndex,
    memory: BoundMemory,
    *,
    keep: bool,
    measured: OperatingPointConfig | None = None,
    fresh: SiteBound | None = None,
) -> Thresholds:
    """What holds among the people of ``index``, with the dead band about what was in force before.

    ``measured`` is the config's operating point, ``fresh`` the bound that ``index`` alone carries,
    where that is known. With ``keep`` the bound is remembered; where it
    cannot be written a start may begin anew, by the same people at most half a standard error
    lower: that keeps nobody out and lets nobody in.
    """
    pack = manifest.name, manifest.version
    site = fresh or people_bound(manifest, index)
    if site is not None:
        site = settled(site, memory.site_bound(*pack))
        if keep:
            with contextlib.suppress(StoreError):
                memory.keep_site_bound(*pack, site.bound)
    return _thresholds(manifest, site, measured)


def _thresholds(
    manifest: Manifest, site: SiteBound | None, measured: OperatingPointConfig | None
) -> Thresholds:
    comparison = manifest.comparison
    medians = (comparison.genuine_median, *(one.genuine_median for one in comparison.group))
    known = [median for median in medians if median is not None]
    highest = 1.0 if Metric(comparison.metric) is Metric.COSINE else 0.0
    ceiling = min(max(known, default=highest), highest)
    return thresholds(curve_of(manifest), groups_of(manifest, measured), site, ceiling)


def one_person(manifest: Manifest) -> float:
    """The score that strangers reach once in a million comparisons, in the worst measured group."""
    curves = (curve_of(manifest), *(group.curve for group in groups_of(manifest)))
    return max(threshold_at(curve, _NO_STRANGER_FMR) for curve in curves)


def _curve(points: tuple[ManifestCurvePoint, ...], impostor_pairs: int) -> ThresholdCurve:
    return ThresholdCurve(
        tuple(CurvePoint(one.fmr, one.threshold, one.fnmr) for one in points), impostor_pairs
    )
