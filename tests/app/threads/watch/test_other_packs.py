"""Whoever is enrolled by another pack only is known by no face, and that is said."""

from datetime import UTC, datetime

import pytest
from store_parts import BY, NOW, holder, open_registry, reference
from structlog.testing import capture_logs

from agent.app.open.snapshot import Rates, take_snapshot
from agent.app.threads.watch.gallery import GalleryWatch
from agent.domain.record.status import FaceStatus, Status
from agent.vision.packs.manifest import read_manifest

MANIFEST = read_manifest("dlib")
VERSION = MANIFEST.version


@pytest.fixture
def registry(tmp_path):
    """ann by the pack in use, bob by another one, zed by another version of it, lin by two."""
    store = open_registry(tmp_path / "registry.sqlite")
    others = [
        reference("bob", pack="taguchi", version=VERSION),
        reference("zed", version=f"{VERSION}0"),
        reference("lin", pack="taguchi"),
    ]
    for one in (reference("ann", version=VERSION), *others, reference("lin", version=VERSION)):
        store.enrol(holder(one.holder), [one], by=BY, now=NOW)
    return store


def test_only_references_of_the_pack_and_version_in_use_are_compared_with(registry):
    found = take_snapshot(registry, MANIFEST, Rates())
    assert tuple(found.index.names) == ("ann", "lin")
    assert (found.registry.references, found.registry.of_other_packs) == (2, 2)
    # The face of bob, to the bit, as his reference of the other pack has it.
    best, _ = found.index.search(reference("bob").template)
    assert best is None or best.holder != "bob"


def test_the_log_says_so_once_at_the_start_and_again_when_it_changes(registry):
    def take(before=None):
        return take_snapshot(registry, MANIFEST, Rates())

    watch = GalleryWatch(take(), take, registry.revision, lambda _: None, lambda: None)
    watch.stop()
    with capture_logs() as logs:
        watch.work()
        registry.put(holder("ann", enabled=False), by=BY, now=NOW)
        watch.look()
        assert [log["event"] for log in logs] == ["holders_of_other_packs"]
        assert "2 holders are not known by face" in logs[0]["what"]
        assert "holders re-enrol --pack dlib" in logs[0]["fix"]
        made = reference("bob", version=VERSION, seed=4)
        registry.enrol(holder("bob"), [made], by=BY, now=NOW)
        watch.look()
        assert "1 holder is" in logs[-1]["what"]
        made = reference("zed", version=VERSION, seed=5)
        registry.enrol(holder("zed"), [made], by=BY, now=NOW)
        watch.look()
    assert len(logs) == 2


def test_the_status_counts_them(registry):
    found = take_snapshot(registry, MANIFEST, Rates())
    at = datetime(2026, 1, 1, tzinfo=UTC)
    status = Status("1", "boot", at, at, True, "epoch", 1, 0, found.registry, FaceStatus(False))
    assert status.as_json()["holders_of_other_packs"] == 2
