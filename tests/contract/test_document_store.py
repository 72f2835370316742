"""One suite for every ``ports.DocumentStore`` and ``ports.DocumentHashes``."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_parts import BY, NOW, holder, open_registry

from agent.domain.credential.holder import HolderId
from agent.errors import KeyUnavailableError, RefusedError
from agent.ports import DocumentHashes, DocumentStore

ANN, BOB = HolderId("ann"), HolderId("bob")
ONE, TWO = "11" * 32, "22" * 32


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DocumentStore]:
    assert request.param == "sqlite"
    registry = open_registry(tmp_path / "registry.sqlite")
    for name in (ANN, BOB):
        registry.put(holder(name), by=BY, now=NOW)
    yield registry
    registry.close()


@pytest.fixture(params=["sqlite"])
def keyless(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DocumentStore]:
    assert request.param == "sqlite"
    path = tmp_path / "keyless.sqlite"
    open_registry(path).put(holder(ANN), by=BY, now=NOW)
    registry = open_registry(path, None)
    yield registry
    registry.close()


@pytest.fixture
def hashes(store: DocumentStore) -> DocumentHashes:
    return store


def test_it_begins_with_nobodys(hashes: DocumentHashes) -> None:
    assert dict(hashes.documents()) == {}
    assert hashes.holder_of_document(ONE) is None


def test_a_bound_document_is_found_until_it_is_unbound(
    store: DocumentStore, hashes: DocumentHashes
) -> None:
    assert store.bind_document(ANN, ONE, by=BY, now=NOW)
    assert hashes.holder_of_document(ONE) == ANN
    assert hashes.holder_of_document(TWO) is None
    assert dict(hashes.documents()) == {ONE: ANN}
    assert store.unbind_document(ANN, by=BY, now=NOW)
    assert not store.unbind_document(ANN, by=BY, now=NOW)
    assert dict(hashes.documents()) == {}


def test_binding_again_changes_nothing(store: DocumentStore) -> None:
    assert store.bind_document(ANN, ONE, by=BY, now=NOW)
    assert not store.bind_document(ANN, ONE, by=BY, now=NOW, move=True)
    assert dict(store.documents()) == {ONE: ANN}


def test_a_holder_has_one_document(store: DocumentStore) -> None:
    store.bind_document(ANN, ONE, by=BY, now=NOW)
    assert store.bind_document(ANN, TWO, by=BY, now=NOW)
    assert dict(store.documents()) == {TWO: ANN}


def test_a_document_has_one_holder_and_moves_only_where_that_is_meant(
    store: DocumentStore,
) -> None:
    store.bind_document(ANN, ONE, by=BY, now=NOW)
    with pytest.raises(RefusedError) as refused:
        store.bind_document(BOB, ONE, by=BY, now=NOW)
    assert refused.value.reason == "document_taken"
    assert store.holder_of_document(ONE) == ANN
    assert store.bind_document(BOB, ONE, by=BY, now=NOW, move=True)
    assert dict(store.documents()) == {ONE: BOB}


def test_nobody_has_no_document(store: DocumentStore) -> None:
    with pytest.raises(RefusedError) as refused:
        store.bind_document(HolderId("nobody"), ONE, by=BY, now=NOW)
    assert refused.value.reason == "no_such_holder"
    assert dict(store.documents()) == {}


def test_a_holder_who_goes_takes_the_document_along(store: DocumentStore) -> None:
    store.bind_document(ANN, ONE, by=BY, now=NOW)
    store.remove(ANN, by=BY, now=NOW)
    assert dict(store.documents()) == {}
    assert store.bind_document(BOB, ONE, by=BY, now=NOW)


def test_the_key_stays_the_same(store: DocumentStore, hashes: DocumentHashes) -> None:
    before = hashes.document_key()
    store.bind_document(ANN, ONE, by=BY, now=NOW)
    assert hashes.document_key() == before
    assert len(before) == 32


def test_without_the_gallerys_key_nothing_is_hashed_or_bound(keyless: DocumentStore) -> None:
    with pytest.raises(KeyUnavailableError):
        keyless.document_key()
    with pytest.raises(KeyUnavailableError):
        keyless.bind_document(ANN, ONE, by=BY, now=NOW)
    assert dict(keyless.documents()) == {}
    assert not keyless.unbind_document(ANN, by=BY, now=NOW)
