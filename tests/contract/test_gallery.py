"""One suite for every ``ports.Gallery``."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from store_parts import BY, NOW, holder, open_registry, reference

from agent.errors import InternalError
from agent.ports import Gallery, Reference


@pytest.fixture(params=["sqlite"])
def gallery(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gallery]:
    assert request.param == "sqlite"
    registry = open_registry(tmp_path / "registry.sqlite")
    yield registry
    registry.close()


def same(found, expected: list[Reference]) -> bool:
    return len(found) == len(expected) and all(
        (a.holder, a.pack, a.pack_version) == (b.holder, b.pack, b.pack_version)
        and np.array_equal(a.template, b.template)
        for a, b in zip(found, expected, strict=True)
    )


def test_it_begins_empty(gallery: Gallery) -> None:
    assert list(gallery.references("dlib", "1")) == []


def test_templates_come_back_to_the_bit_by_holder(gallery: Gallery) -> None:
    b = [reference("b", seed=1), reference("b", seed=2)]
    a = [reference("a", seed=3)]
    gallery.enrol(holder("b"), b, by=BY, now=NOW)
    gallery.enrol(holder("a"), a, by=BY, now=NOW)
    assert same(gallery.references("dlib", "1"), a + b)


def test_enrolling_again_replaces_the_references_of_that_pack_only(gallery: Gallery) -> None:
    other = reference("a", pack="taguchi", seed=1)
    gallery.enrol(holder("a"), [reference("a", seed=2), other], by=BY, now=NOW)
    newer = reference("a", version="2", seed=3)
    gallery.enrol(holder("a"), [newer], by=BY, now=NOW)
    assert list(gallery.references("dlib", "1")) == []
    assert same(gallery.references("dlib", "2"), [newer])
    assert same(gallery.references("taguchi", "1"), [other])


@pytest.mark.parametrize(
    "wrong",
    [
        reference("another"),
        replace(reference("a"), template=np.full(128, np.nan, dtype=np.float32)),
        replace(reference("a"), template=np.full(128, np.inf, dtype=np.float32)),
    ],
)
def test_what_would_open_for_the_wrong_person_is_refused_whole(gallery: Gallery, wrong) -> None:
    kept = [reference("a", seed=1)]
    gallery.enrol(holder("a"), kept, by=BY, now=NOW)
    with pytest.raises(InternalError):
        gallery.enrol(holder("a"), [reference("a", seed=2), wrong], by=BY, now=NOW)
    assert same(gallery.references("dlib", "1"), kept)


def test_a_reference_says_nothing_of_its_template(gallery: Gallery) -> None:
    gallery.enrol(holder("a"), [reference("a")], by=BY, now=NOW)
    assert "array" not in repr(gallery.references("dlib", "1")[0])


def test_a_reference_comes_with_the_parts_it_is_the_mean_of(gallery: Gallery) -> None:
    parts = (reference("a", seed=5).template, reference("a", seed=6).template)
    averaged = replace(reference("a", seed=4), parts=parts)
    gallery.enrol(holder("b"), [reference("b")], by=BY, now=NOW)
    gallery.enrol(holder("a"), [averaged, reference("a", seed=7)], by=BY, now=NOW)
    first, second, third = gallery.owned("dlib", "1")
    assert [one.holder for one in (first, second, third)] == ["a", "a", "b"]
    assert all(map(np.array_equal, first.parts, parts))
    assert [len(one.photographs) for one in (first, second, third)] == [2, 1, 1]
    assert same(gallery.owned_by(holder("a").id, "dlib", "1"), [first, second])
    assert list(gallery.owned_by(holder("a").id, "dlib", "2")) == []


def test_it_says_who_has_references_of_which_pack(gallery: Gallery) -> None:
    both = [reference("a"), reference("a", seed=1), reference("a", pack="taguchi", version="3")]
    gallery.enrol(holder("a"), both, by=BY, now=NOW)
    assert sorted(gallery.packs_of_holders()) == [("a", "dlib", "1", 2), ("a", "taguchi", "3", 1)]
