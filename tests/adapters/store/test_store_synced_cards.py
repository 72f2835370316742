"""Cards that the community's registry brings: hashed here, revoked here, and given anew."""

from datetime import timedelta

import pytest
from store_parts import BY
from sync_parts import ISSUED, NOW, open_synced, person, take

from agent.credentials.documents.card_hash import card_hasher
from agent.credentials.signed.card_entries import CardEntry, CardGone
from agent.credentials.signed.entries import Entry, encoded, read_entry
from agent.domain.credential.card import Card
from agent.domain.credential.holder import HolderId

ANNA, BERT = HolderId("anna"), HolderId("bert")
FIRST, SECOND = "h10301:17:4711", "h10301:17:4712"


@pytest.fixture
def registry(tmp_path):
    return open_synced(tmp_path / "registry.sqlite")


def whose(registry):
    hasher = card_hasher(registry.document_key())
    names = {hasher.of_text(one): one for one in (FIRST, SECOND)}
    return {names[hashed]: card.holder for hashed, card in registry.cards().items()}


def test_a_card_is_hashed_by_the_kiosks_own_key_and_its_number_kept_nowhere(
    registry, tmp_path
) -> None:
    until = ISSUED + timedelta(days=9)
    counts = take(registry, [person("anna"), CardEntry(FIRST, Card(ANNA, None, until))], (0, 5))
    assert counts["cards"] == 1
    assert whose(registry) == {FIRST: ANNA}
    (card,) = registry.cards().values()
    assert card.valid_until == until
    for path in tmp_path.iterdir():
        assert b"4711" not in path.read_bytes()


def test_a_lost_card_opens_nothing_once_the_registry_says_so(registry) -> None:
    take(registry, [person("anna"), CardEntry(FIRST, Card(ANNA))], (0, 5))
    take(registry, [CardGone(FIRST)], (5, 6))
    assert whose(registry) == {}
    take(registry, [CardEntry(FIRST, Card(ANNA))], (6, 7))
    assert whose(registry) == {FIRST: ANNA}


def test_what_is_in_no_snapshot_any_more_goes_and_what_was_bound_here_stays(registry) -> None:
    people: list[Entry] = [person("anna"), person("bert")]
    take(registry, [*people, CardEntry(FIRST, Card(ANNA))], (0, 5))
    hashed = card_hasher(registry.document_key()).of_text(SECOND)
    registry.bind_card(hashed, Card(BERT), by=BY, now=NOW)
    take(registry, people, (0, 9))
    assert whose(registry) == {SECOND: BERT}


def test_what_was_unbound_here_stays_so_until_the_registry_took_it_away(registry) -> None:
    entries: list[Entry] = [person("anna"), CardEntry(FIRST, Card(ANNA))]
    take(registry, entries, (0, 5))
    hashed = card_hasher(registry.document_key()).of_text(FIRST)
    registry.unbind_card(hashed, by=BY, now=NOW)
    assert take(registry, entries, (0, 6))["kept"] == 1
    assert whose(registry) == {}
    take(registry, [CardGone(FIRST), CardEntry(FIRST, Card(ANNA))], (6, 7))
    assert whose(registry) == {FIRST: ANNA}


def test_a_card_moves_and_one_of_nobody_holds_up_no_other(registry) -> None:
    people: list[Entry] = [person("anna"), person("bert")]
    take(registry, [*people, CardEntry(FIRST, Card(ANNA))], (0, 5))
    ghost = CardEntry(SECOND, Card(HolderId("ghost")))
    counts = take(registry, [ghost, CardEntry(FIRST, Card(BERT))], (5, 6))
    assert counts["cards_refused"] == 1
    assert whose(registry) == {FIRST: BERT}


@pytest.mark.parametrize(
    "item",
    [
        {0: 9, 1: "anna", 2: "4711"},
        {0: 9, 1: "anna", 2: "h10301:017:4711"},
        {0: 9, 1: "anna"},
        {0: 9, 1: "", 2: FIRST},
        {0: 9, 1: "anna", 2: FIRST, 3: 9, 4: 9},
        {0: 10},
        {0: 10, 2: 4711},
    ],
)
def test_what_is_no_entry_about_a_card(item) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_entry(item)
    assert "4711" not in str(caught.value)


def test_an_entry_reads_as_it_was_written() -> None:
    for entry in (CardEntry(FIRST, Card(ANNA, ISSUED)), CardGone(FIRST)):
        assert read_entry(encoded(entry)) == entry
        assert "4711" not in repr(entry)
