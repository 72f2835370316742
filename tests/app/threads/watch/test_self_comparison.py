"""A large gallery: it serves before it is compared with itself, and follows a change cheaply."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from store_parts import BY, NOW, holder, open_registry

from agent.adapters.store.people.registry import SqliteRegistry
from agent.app.open import snapshot
from agent.app.open.snapshot import Rates, Snapshot, take_snapshot
from agent.app.threads.watch.gallery import GalleryWatch
from agent.app.threads.watch.self_comparison import SelfComparison
from agent.controller.inputs import Input, RegistryChanged
from agent.domain.credential.holder import HolderId
from agent.domain.sight.track import Box, Candidate, FaceSample, FaceTrack, Observation
from agent.errors import StoreError
from agent.ports import OpenedReference, Reference
from agent.vision.packs.manifest import read_manifest

MANIFEST = read_manifest("dlib")
ANN, BOB, CID = HolderId("ann"), HolderId("bob"), HolderId("cid")


def face(seed: int) -> Any:
    made = np.random.default_rng(seed).normal(size=128)
    return (made / np.linalg.norm(made)).astype(np.float32)


class Counted:
    """The registry, and how many of its references were opened."""

    def __init__(self, store: SqliteRegistry) -> None:
        self._store, self.opened = store, 0

    def open_references(
        self, pack: str, pack_version: str, numbers: Sequence[int]
    ) -> Iterator[OpenedReference | None]:
        for one in self._store.open_references(pack, pack_version, numbers):
            self.opened += 1
            yield one

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class Site:
    """A registry whose gallery counts as a large one."""

    def __init__(self, path: Path) -> None:
        self.store = open_registry(path)
        self.counted = Counted(self.store)
        self.enrol("ann", 1)
        self.enrol("bob", 2)
        self.enrol("cid", 1)  # looks like ann
        self.posted: list[Input] = []
        self.watch = GalleryWatch(
            self.take(),
            self.take,
            self.store.revision,
            self.posted.append,
            lambda: None,
        )
        self.comparison = SelfComparison(
            self.watch.snapshot, self.watch.compared, monotonic_s=lambda: 0.0
        )

    def enrol(self, name: str, seed: int) -> None:
        made = Reference(HolderId(name), "dlib", MANIFEST.version, face(seed))
        self.store.enrol(holder(name), [made], by=BY, now=NOW)

    def take(self, before: Snapshot | None = None) -> Snapshot:
        return take_snapshot(self.counted, MANIFEST, Rates(), before)

    def seen(self, name: str, score: float = 0.0) -> Observation:
        best = Candidate(HolderId(name), score)
        track = FaceTrack(1, Box(0, 0, 9, 9), 0.0, 0.0, (FaceSample(0.0, b"", best, None),))
        revision = self.watch.registry().revision
        return Observation("camera", 0.0, track, gallery_revision=revision)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(snapshot, "SMALL", 0)
    return Site(tmp_path / "registry.sqlite")


def test_until_all_are_compared_nobody_stands_apart_who_was_not_looked_at(site: Site) -> None:
    registry = site.watch.registry()
    assert not registry.compared
    assert all(registry.is_too_close(name) for name in (ANN, BOB, CID))
    told = registry
    for name in ("ann", "bob"):
        told = told.told(site.watch.judged(site.seen(name)).too_close)
    assert [told.is_too_close(name) for name in (ANN, BOB, CID)] == [True, False, True]


def test_only_whoever_is_named_is_looked_at_and_once(site: Site) -> None:
    assert site.watch.judged(site.seen("bob", -2.0)).too_close == {}
    stale = replace(site.seen("bob"), gallery_revision=-1)
    assert site.watch.judged(stale) is stale
    assert site.watch.judged(site.seen("bob")).too_close == {BOB: False}
    opened = site.counted.opened
    assert site.watch.judged(site.seen("bob")).too_close == {BOB: False}
    assert site.counted.opened == opened


def test_the_whole_is_known_once_it_was_compared(site: Site) -> None:
    site.comparison.look()
    registry = site.watch.registry()
    assert registry.compared
    assert registry.too_close == {ANN, CID}
    assert site.posted == [RegistryChanged(registry)]
    seen = site.seen("bob")
    assert site.watch.judged(seen) is seen


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda site: site.enrol("dan", 2), {ANN, CID, BOB, HolderId("dan")}),
        (lambda site: site.enrol("cid", 4), set()),
        (lambda site: site.store.remove(ANN, by=BY, now=NOW), set()),
    ],
    ids=["another", "a new photograph", "one gone"],
)
def test_a_change_is_followed_without_opening_all(
    site: Site, change: Callable[[Site], None], expected: set[HolderId]
) -> None:
    for number in range(40):
        site.enrol(f"other{number}", 100 + number)
    site.watch.look()
    site.comparison.look()
    change(site)
    site.counted.opened = 0
    site.watch.look()
    assert site.counted.opened <= 1
    site.comparison.look()
    registry = site.watch.registry()
    assert registry.compared
    assert registry.too_close == expected


def test_what_was_compared_of_a_gallery_of_before_says_nothing_of_this_one(site: Site) -> None:
    before = site.watch.snapshot().gallery
    site.enrol("bob", 5)
    site.watch.look()
    site.watch.compared(before, frozenset())
    assert not site.watch.registry().compared


def test_a_gallery_that_cannot_be_searched_is_a_fault(site: Site) -> None:
    site.watch.unsearched(StoreError("damaged"))
    site.watch.look()
    site.watch.look()
    kinds = [type(one).__name__ for one in site.posted]
    assert kinds == ["FaultRaised", "FaultCleared"]


def test_a_search_reads_the_registry_as_it_is_now(site: Site) -> None:
    index = site.watch.index()
    best, other = index.search(face(1))
    assert [one and one.holder for one in (best, other)] == [ANN, CID]
    site.store.remove(ANN, by=BY, now=NOW)
    best, other = index.search(face(1))
    assert [one and one.holder for one in (best, other)] == [CID, BOB]
    assert index.verify(face(1), ANN) is None
