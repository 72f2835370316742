"""What the people's own scores make of the threshold, from the registry to the snapshot."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from store_parts import BY, NOW, holder, open_registry, reference

from agent.adapters.store.people.registry import SqliteRegistry
from agent.app.open.snapshot import Rates, Snapshot, take_snapshot
from agent.app.open.thresholds import SITE_PEOPLE, curve_of, ignored, unknown_people
from agent.config import OperatingPointConfig
from agent.domain.access.registry import Registry
from agent.domain.credential.holder import HolderId
from agent.domain.sight.operating_point import threshold_at
from agent.domain.sight.thresholds import Source
from agent.errors import StoreError
from agent.vision.packs.manifest import read_manifest

DLIB = read_manifest("dlib")


def enrolled(registry: SqliteRegistry, *numbers: int) -> None:
    """People of whom any two are some 0.55 apart."""
    for number in numbers:
        made = reference(f"r-{number}", seed=number)
        template = made.template.copy()
        template[24:] = 0.0
        template *= 0.55 / np.sqrt(48.0)
        registry.enrol(holder(f"r-{number}"), [replace(made, template=template)], by=BY, now=NOW)


def taken(registry: SqliteRegistry, *, keep: bool = False) -> Registry:
    snapshot: Snapshot = take_snapshot(registry, DLIB, Rates(), keep=keep)
    return snapshot.registry


def test_nobody_yet_leaves_the_word_to_the_worst_group_measured(tmp_path: Path) -> None:
    registry = open_registry(tmp_path / "registry.sqlite")
    enrolled(registry, 1, 2)
    found = taken(registry)
    assert found.decided_by() is Source.PRIOR
    assert found.curve == unknown_people(DLIB).curve
    assert found.operating.threshold > -0.364
    assert found.claim_threshold == pytest.approx(-0.303)


def test_the_people_decide_and_claims_and_budget_go_by_the_same_curve(tmp_path: Path) -> None:
    registry = open_registry(tmp_path / "registry.sqlite")
    enrolled(registry, *range(18))
    found = taken(registry)
    assert found.decided_by() is Source.SITE
    assert found.operating.extrapolated
    assert not found.too_close
    assert found.curve is not None
    assert found.thresholds is not None
    assert found.thresholds.curve is found.curve
    assert found.claim_threshold > -0.507 + 0.1
    most, least = found.rates()
    assert found.operating_at(least).threshold > found.operating_at(most).threshold
    assert least == pytest.approx(found.curve.furthest_fmr * 18)


def test_a_start_goes_on_with_what_was_in_force(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    registry = open_registry(path)
    enrolled(registry, *range(18))
    first = taken(registry, keep=True)
    kept = registry.site_bound("dlib", "1")
    assert first.thresholds is not None
    assert first.thresholds.site is not None
    assert kept == first.thresholds.site.bound
    # What was in force may lie a little above what one would measure now.
    registry.keep_site_bound("dlib", "1", tuple(score + 1e-3 for score in kept))
    registry.close()
    again = taken(open_registry(path), keep=True)
    assert again.operating.threshold == pytest.approx(first.operating.threshold + 1e-3, abs=2e-4)
    once_more = taken(open_registry(path), keep=True)
    assert once_more.operating == again.operating


def test_looking_keeps_nothing_and_what_cannot_be_kept_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = open_registry(tmp_path / "registry.sqlite")
    enrolled(registry, *range(5))
    before = taken(registry)
    assert registry.site_bound("dlib", "1") is None

    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(registry, "keep_site_bound", full)
    assert taken(registry, keep=True).operating == before.operating


def test_one_face_under_many_ids_moves_nobodys_threshold(tmp_path: Path) -> None:
    registry = open_registry(tmp_path / "registry.sqlite")
    enrolled(registry, *range(10))
    before = taken(registry)
    first = registry.references("dlib", "1")[0]
    for number in range(6):
        again = HolderId(f"again-{number}")
        moved = first.template + np.float32(1e-3 * number)
        made = replace(first, holder=again, template=moved)
        registry.enrol(holder(again), [made], by=BY, now=NOW)
    after = taken(registry)
    assert after.operating.threshold == pytest.approx(before.operating.threshold, abs=0.03)
    assert after.claim_threshold == pytest.approx(before.claim_threshold, abs=0.03)
    # They themselves open by face alone no more, and the cause stays to be seen.
    assert len(after.too_close) == 7


def measured(**other: object) -> OperatingPointConfig:
    curve = ({"fmr": 1e-2, "threshold": -0.5}, {"fmr": 1e-4, "threshold": -0.4})
    table = {
        "pack": "dlib", "version": "1", "measured_on": date(2026, 11, 27), "persons": 40,
        "impostor_pairs": 780, "measured_to": 0.0064, "curve": curve,
    }  # fmt: skip
    return OperatingPointConfig.model_validate({**table, **other})


def test_the_sites_measured_people_stand_in_for_the_worst_group() -> None:
    known = unknown_people(DLIB, measured())
    told = known.told(1e-4)
    assert told.threshold == pytest.approx(-0.4)
    assert told.decided_by is Source.PRIOR
    assert told.prior_group == SITE_PEOPLE
    assert told.threshold < unknown_people(DLIB).told(1e-4).threshold
    assert known.curve.last_measured_fmr >= 0.0064
    # Never below the pack's own curve.
    loose = measured(curve=({"fmr": 1e-2, "threshold": -0.9}, {"fmr": 1e-4, "threshold": -0.8}))
    for fmr in (1e-2, 1e-3, 1e-4, 1e-6):
        assert unknown_people(DLIB, loose).told(fmr).threshold >= threshold_at(curve_of(DLIB), fmr)


@pytest.mark.parametrize("other", [{"pack": "retail"}, {"version": "2"}])
def test_what_was_measured_with_another_pack_counts_for_nothing(other: dict[str, str]) -> None:
    assert unknown_people(DLIB, measured(**other)) == unknown_people(DLIB)
    said = ignored(measured(**other), DLIB)
    assert said is not None
    assert "counts for nothing: in use is dlib 1\nFix: " in said
    assert ignored(measured(), DLIB) is ignored(None, DLIB) is None


def test_enrolled_people_have_their_say_beside_what_was_measured(tmp_path: Path) -> None:
    registry = open_registry(tmp_path / "registry.sqlite")
    enrolled(registry, *range(18))
    without = taken(registry)
    beside = take_snapshot(registry, DLIB, Rates(operating_point=measured())).registry
    assert beside.thresholds is not None
    assert without.thresholds is not None
    bound = without.thresholds.site
    assert bound is not None
    told = beside.thresholds.told(1e-4)
    own = threshold_at(bound.curve, 1e-4)
    assert min(own, -0.4) <= told.threshold <= max(own, -0.4)
    assert told.decided_by is Source.SITE
