"""One suite for every ``ports.GalleryArrays`` and ``ports.PassTrust``: a snapshot needs both."""

from pathlib import Path

import numpy as np
import pytest
from pass_parts import KEY, OTHER_KEY
from store_parts import BY, NOW, holder, open_registry, reference

from agent.adapters.store.people.registry import SqliteRegistry
from agent.credentials.passes.issuers import IssuerKey
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.errors import KeyUnavailableError
from agent.ports import GalleryArrays, PassTrust

OFFICE = IssuerKey("office", KEY.public_key(), valid_until=NOW.utc)
CLINIC = IssuerKey("clinic", OTHER_KEY.public_key())
ONE, TWO = PassId("00112233445566aa"), PassId("00112233445566bb")


@pytest.fixture(params=["sqlite"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> SqliteRegistry:
    """The registry as those see it who change it."""
    assert request.param == "sqlite"
    return open_registry(tmp_path / "registry.sqlite")


@pytest.fixture
def arrays(opened: SqliteRegistry) -> GalleryArrays:
    return opened


@pytest.fixture
def trust(opened: SqliteRegistry) -> PassTrust[IssuerKey]:
    return opened


def test_it_begins_empty(arrays: GalleryArrays, trust: PassTrust[IssuerKey]) -> None:
    owners, templates = arrays.load_arrays("dlib", "1")
    assert (owners, len(templates)) == ([], 0)
    assert list(trust.issuers()) == []
    assert trust.revoked() == frozenset()


def test_templates_come_to_the_bit_beside_their_owners(
    opened: SqliteRegistry, arrays: GalleryArrays
) -> None:
    b, a = [reference("b", seed=1), reference("b", seed=2)], [reference("a", seed=3)]
    opened.enrol(holder("b"), [*b, reference("b", pack="taguchi")], by=BY, now=NOW)
    opened.enrol(holder("a"), a, by=BY, now=NOW)
    owners, templates = arrays.load_arrays("dlib", "1")
    assert owners == ["a", "b", "b"]
    assert templates.dtype == np.float32
    assert np.array_equal(templates, [one.template for one in a + b])
    assert arrays.load_arrays("dlib", "2")[0] == []


def test_every_change_gives_another_revision_and_looking_gives_none(
    opened: SqliteRegistry, arrays: GalleryArrays, trust: PassTrust[IssuerKey]
) -> None:
    seen = [arrays.revision()]
    changes = (
        lambda: opened.put(holder("a"), by=BY, now=NOW),
        lambda: opened.enrol(holder("a"), [reference("a")], by=BY, now=NOW),
        lambda: opened.bind_document(HolderId("a"), "11" * 32, by=BY, now=NOW),
        lambda: opened.put_issuer(OFFICE, by=BY, now=NOW),
        lambda: opened.revoke(ONE, by=BY, now=NOW),
        lambda: opened.remove(HolderId("a"), by=BY, now=NOW),
    )
    for change in changes:
        change()
        seen.append(arrays.revision())
        arrays.load_arrays("dlib", "1")
        trust.issuers()
        assert arrays.revision() == seen[-1]
    assert len(set(seen)) == len(changes) + 1


def test_a_change_by_another_process_is_seen(
    opened: SqliteRegistry, arrays: GalleryArrays, tmp_path: Path
) -> None:
    before = arrays.revision()
    other = open_registry(tmp_path / "registry.sqlite")
    other.enrol(holder("a"), [reference("a")], by=BY, now=NOW)
    assert arrays.revision() != before
    assert arrays.load_arrays("dlib", "1")[0] == ["a"]


def test_references_are_listed_and_opened_one_by_one(
    opened: SqliteRegistry, arrays: GalleryArrays
) -> None:
    one, two = reference("b", seed=1), reference("a", seed=3)
    opened.enrol(holder("b"), [one, reference("b", pack="taguchi")], by=BY, now=NOW)
    opened.enrol(holder("a"), [two], by=BY, now=NOW)
    listed = arrays.list_references("dlib", "1")
    assert listed.owners == ["a", "b"]
    numbers = listed.numbers.tolist()
    found = list(arrays.open_references("dlib", "1", [numbers[1], 999, numbers[0]]))
    assert [None if each is None else each[0] for each in found] == ["b", None, "a"]
    assert found[0] is not None
    assert np.array_equal(found[0][1], one.template)
    assert list(arrays.open_references("dlib", "2", numbers)) == [None, None]


def test_a_row_that_is_written_anew_has_another_mark(
    opened: SqliteRegistry, arrays: GalleryArrays
) -> None:
    marks = set()
    for seed in range(3):
        opened.enrol(holder("a"), [reference("a", seed=seed)], by=BY, now=NOW)
        marks.add((*arrays.list_references("dlib", "1").marks.tolist(),))
    assert len(marks) == 3


def test_rows_that_another_key_sealed_are_not_opened(
    opened: SqliteRegistry, tmp_path: Path
) -> None:
    opened.enrol(holder("a"), [reference("a")], by=BY, now=NOW)
    numbers = opened.list_references("dlib", "1").numbers.tolist()
    keyless: GalleryArrays = open_registry(tmp_path / "registry.sqlite", None)
    with pytest.raises(KeyUnavailableError):
        list(keyless.open_references("dlib", "1", numbers))


def test_without_the_key_no_template_is_given(opened: SqliteRegistry, tmp_path: Path) -> None:
    opened.enrol(holder("a"), [reference("a")], by=BY, now=NOW)
    keyless: GalleryArrays = open_registry(tmp_path / "registry.sqlite", None)
    with pytest.raises(KeyUnavailableError):
        keyless.load_arrays("dlib", "1")


def test_issuers_come_by_name_and_as_they_were_put(
    opened: SqliteRegistry, trust: PassTrust[IssuerKey]
) -> None:
    for key in (OFFICE, CLINIC):
        opened.put_issuer(key, by=BY, now=NOW)
    assert list(trust.issuers()) == [CLINIC, OFFICE]
    opened.remove_issuer(CLINIC.key_id.hex(), by=BY, now=NOW)
    assert list(trust.issuers()) == [OFFICE]


def test_what_is_revoked_stays_so(opened: SqliteRegistry, trust: PassTrust[IssuerKey]) -> None:
    for one in (ONE, TWO, ONE):
        opened.revoke(one, by=BY, now=NOW)
    assert trust.revoked() == {ONE, TWO}
