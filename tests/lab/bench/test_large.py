"""A registry of many references in the bench: made by the store, read as the gate reads it."""

from pathlib import Path

import numpy as np
import pytest

from agent.adapters.store.people.registry import SqliteRegistry
from agent.adapters.store.seal import Sealer
from agent.app.open.files.state import REGISTRY
from agent.app.open.site import new_event_id
from agent.app.open.snapshot import Rates, take_snapshot
from agent.errors import InternalError
from agent.lab.bench.large import _KEY, _changed_s, fill
from agent.lab.bench.verdict import whole_figures
from agent.vision.packs.manifest import read_manifest

COUNT = 40


def test_every_holder_that_is_filled_in_is_found_by_the_gate_and_no_other(tmp_path: Path) -> None:
    manifest = read_manifest("retail")
    fill(tmp_path, manifest, COUNT)
    registry = SqliteRegistry(REGISTRY.at(tmp_path), Sealer(_KEY), new_event_id.make)
    try:
        snapshot = take_snapshot(registry, manifest, Rates())
        found = registry.references(manifest.name, manifest.version)
        assert len(found) == len(snapshot.index) == len(snapshot.registry.holders) == COUNT
        assert not snapshot.unreadable
        assert registry.revision() == 2  # one transaction
        assert all(np.isclose(np.linalg.norm(one.template), 1.0) for one in found)
        best = [snapshot.index.search(one.template)[0] for one in found]
        assert [one.holder for one in best if one] == [one.holder for one in found]
    finally:
        registry.close()


def test_a_change_is_measured_where_it_is_followed(tmp_path: Path) -> None:
    manifest = read_manifest("retail")
    fill(tmp_path, manifest, COUNT)
    registry = SqliteRegistry(REGISTRY.at(tmp_path), Sealer(_KEY), new_event_id.make)
    try:
        before = take_snapshot(registry, manifest, Rates())
        assert _changed_s(registry, manifest, before) > 0.0
        with pytest.raises(InternalError, match="not followed"):
            _changed_s(registry, manifest, before.forgetful())
    finally:
        registry.close()


def test_figures_outside_of_any_stage_stand_where_they_were_measured() -> None:
    found = {"pack": "retail", "start_to_first_decision_s": 1.5, "ratios": {}}
    assert whole_figures(found) == {"start_to_first_decision_s": 1.5}
