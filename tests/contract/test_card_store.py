"""One suite for every ``ports.CardStore``: whose card is whose, and a file of before."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from store_parts import BY, NOW, holder, open_registry

from agent.credentials.documents.card_hash import card_hasher
from agent.credentials.documents.id_hash import kiosk_hash
from agent.domain.credential.card import Card
from agent.domain.credential.holder import HolderId
from agent.domain.reader.card_format import CardNumber
from agent.errors import KeyUnavailableError, RefusedError
from agent.ports import CardStore

ANN, BOB = HolderId("ann"), HolderId("bob")
ONE, TWO = "11" * 32, "22" * 32
NUMBER = CardNumber("h10301", 17, 4711)


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CardStore]:
    assert request.param == "sqlite"
    registry = open_registry(tmp_path / "registry.sqlite")
    for name in (ANN, BOB):
        registry.put(holder(name), by=BY, now=NOW)
    yield registry
    registry.close()


def test_a_holder_has_several_cards_and_a_card_one_holder(store: CardStore) -> None:
    until = NOW.utc.replace(microsecond=0) + timedelta(days=1)
    assert store.bind_card(ONE, Card(ANN), by=BY, now=NOW)
    assert store.bind_card(TWO, Card(ANN, valid_until=until), by=BY, now=NOW)
    assert dict(store.cards()) == {ONE: Card(ANN), TWO: Card(ANN, valid_until=until)}
    assert not store.bind_card(ONE, Card(ANN), by=BY, now=NOW)
    with pytest.raises(RefusedError, match="another holder") as caught:
        store.bind_card(ONE, Card(BOB), by=BY, now=NOW)
    assert caught.value.reason == "card_taken"
    assert store.bind_card(ONE, Card(BOB), by=BY, now=NOW, move=True)
    assert store.cards()[ONE] == Card(BOB)
    with pytest.raises(RefusedError, match="no such holder"):
        store.bind_card(ONE, Card(HolderId("nobody")), by=BY, now=NOW)


def test_a_card_that_is_unbound_is_nobodys(store: CardStore) -> None:
    store.bind_card(ONE, Card(ANN), by=BY, now=NOW)
    assert store.unbind_card(ONE, by=BY, now=NOW) == ANN
    assert store.unbind_card(ONE, by=BY, now=NOW) is None
    assert dict(store.cards()) == {}


def test_it_goes_with_its_holder(tmp_path: Path) -> None:
    registry = open_registry(tmp_path / "registry.sqlite")
    registry.put(holder(ANN), by=BY, now=NOW)
    registry.bind_card(ONE, Card(ANN), by=BY, now=NOW)
    registry.remove(ANN, by=BY, now=NOW)
    assert dict(registry.cards()) == {}
    assert registry.damage().rows == {}


def test_a_row_that_is_altered_is_nobodys_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    registry = open_registry(path)
    for name in (ANN, BOB):
        registry.put(holder(name), by=BY, now=NOW)
    registry.bind_card(ONE, Card(ANN), by=BY, now=NOW)
    registry.bind_card(TWO, Card(BOB), by=BY, now=NOW)
    registry.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE card SET holder = 'bob' WHERE card_hash = ?", (ONE,))
    connection.close()
    again = open_registry(path)
    assert dict(again.cards()) == {TWO: Card(BOB)}
    assert again.damage().rows == {"cards": 1}
    assert again.bind_card(ONE, Card(ANN), by=BY, now=NOW, move=True)
    assert again.damage().rows == {}


def test_the_key_of_the_hashes_stays_while_a_card_is_bound(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    registry = open_registry(path)
    registry.put(holder(ANN), by=BY, now=NOW)
    hashed = card_hasher(registry.document_key()).of(NUMBER)
    registry.bind_card(hashed, Card(ANN), by=BY, now=NOW)
    registry.close()
    with pytest.raises(KeyUnavailableError):
        open_registry(path, bytes(31) + b"9").document_key()
    with pytest.raises(KeyUnavailableError):
        open_registry(path, None).bind_card(TWO, Card(ANN), by=BY, now=NOW)
    # A lost card is unbound without any key.
    assert open_registry(path, None).unbind_card(hashed, by=BY, now=NOW) == ANN


def test_a_cards_hash_is_none_of_a_documents_and_tells_nothing(store: CardStore) -> None:
    key = store.document_key()
    hashed = card_hasher(key).of(NUMBER)
    assert hashed == card_hasher(key).of_text("h10301:17:4711")
    assert hashed != card_hasher(key).of(CardNumber("w34", 17, 4711))
    assert hashed != kiosk_hash(key, "11010519491231002X")


def test_the_gate_follows_a_card_without_reading_everybody_anew(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    registry = open_registry(path)
    registry.put(holder(ANN), by=BY, now=NOW)
    before = registry.picture()
    open_registry(path).bind_card(ONE, Card(ANN), by=BY, now=NOW)
    after = registry.picture(before)
    assert dict(after.cards) == {ONE: Card(ANN)}
    assert after.changed is not None
    open_registry(path).unbind_card(ONE, by=BY, now=NOW)
    assert dict(registry.picture(after).cards) == {}
