"""What the people's own scores make of the threshold, from the registry to the snapshot."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from store_parts import BY, NOW, holder, open_registry, reference

from agent.adapters.store.people.registry import SqliteRegistry
from agent.app.open.snapshot import Rates, Snapshot, take_snapshot
from agent.app.open.thresholds import unknown_people
from agent.domain.access.registry import Registry
from agent.domain.credential.holder import HolderId
from agent.domain.sight.thresholds import Source
from agent.errors import StoreError
from agent.ports import OpenedReference
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


def test_who_is_removed_while_the_people_are_compared_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "registry.sqlite"
    registry, desk = open_registry(path), open_registry(path)
    enrolled(registry, *range(6))
    opened, asked = registry.open_references, []

    def removed_after_the_first(
        pack: str, version: str, numbers: Sequence[int]
    ) -> Iterator[OpenedReference | None]:
        asked.append(len(numbers))
        if len(asked) == 2:
            desk.remove(HolderId("r-3"), by=BY, now=NOW, at_least=NOW.utc)
        return opened(pack, version, numbers)

    monkeypatch.setattr(registry, "open_references", removed_after_the_first)
    found = taken(registry)
    assert found.thresholds is not None
    assert found.thresholds.site is not None
    assert found.thresholds.site.people == 5
    assert found.revision < desk.revision()  # so that it is looked at again
