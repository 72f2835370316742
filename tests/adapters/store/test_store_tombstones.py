"""How long a tombstone lives, and which passes it revokes, whatever the clock said."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from store_parts import BY, NOW, holder, open_registry

from agent.credentials.passes.issuers import IssuerKey
from agent.domain.credential.holder import HolderId

ANN, BOB, EVE = map(HolderId, ("ann", "bob", "eve"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "registry.sqlite"


def test_a_tombstone_dies_with_the_last_pass_that_it_revokes(path) -> None:
    registry = open_registry(path)
    ends = NOW.utc + timedelta(days=30)
    key = IssuerKey("desk", Ed25519PrivateKey.generate().public_key(), valid_until=ends)
    registry.put_issuer(key, by=BY, now=NOW)
    for name in (ANN, BOB):
        registry.put(holder(name), by=BY, now=NOW)
    registry.remove(ANN, by=BY, now=NOW)
    later = type(NOW)(1.0, ends + timedelta(days=2), utc_trusted=True)
    untrusted = type(NOW)(1.0, ends + timedelta(days=2), utc_trusted=False)
    registry.remove(BOB, by=BY, now=untrusted)
    assert registry.removed().revokes(ANN, NOW.utc)
    registry.put(holder(EVE), by=BY, now=later)
    registry.remove(EVE, by=BY, now=later, at_least=later.utc)
    assert not registry.removed().revokes(ANN, NOW.utc)


@pytest.mark.parametrize("at_least", [None, NOW.utc], ids=["nothing confirmed", "confirmed now"])
def test_a_clock_that_one_source_set_far_ahead_brings_nobody_back(path, at_least) -> None:
    """A command at an hour when the network's time was of the year 2100."""
    registry = open_registry(path)
    ends = NOW.utc + timedelta(days=30)
    key = IssuerKey("desk", Ed25519PrivateKey.generate().public_key(), valid_until=ends)
    registry.put_issuer(key, by=BY, now=NOW)
    for name in (ANN, BOB):
        registry.put(holder(name), by=BY, now=NOW)
    registry.remove(ANN, by=BY, now=NOW)
    wrong = type(NOW)(1.0, NOW.utc + timedelta(days=27_000), utc_trusted=True)
    registry.remove(BOB, by=BY, now=wrong, at_least=at_least)
    assert registry.removed().revokes(ANN, NOW.utc)


@pytest.mark.parametrize("trusted", [True, False])
def test_a_second_removal_by_a_clock_that_is_behind_revokes_no_fewer_passes(path, trusted) -> None:
    registry = open_registry(path)
    registry.put(holder(ANN), by=BY, now=NOW)
    registry.remove(ANN, by=BY, now=NOW)
    behind = type(NOW)(1.0, NOW.utc - timedelta(days=20_000), utc_trusted=trusted)
    registry.put(holder(ANN), by=BY, now=behind)
    registry.remove(ANN, by=BY, now=behind)
    assert registry.removed().revokes(ANN, NOW.utc)


def test_a_removal_by_a_clock_that_nobody_ever_set_revokes_every_pass(path) -> None:
    registry = open_registry(path)
    unset = type(NOW)(1.0, datetime(1970, 1, 1, tzinfo=UTC), utc_trusted=False)
    registry.put(holder(ANN), by=BY, now=unset)
    registry.remove(ANN, by=BY, now=unset)
    assert registry.removed().revokes(ANN, NOW.utc)
    assert not registry.removed().incomplete
    registry.put(holder(ANN), by=BY, now=NOW)
    registry.remove(ANN, by=BY, now=NOW)
    assert registry.removed().revokes(ANN, NOW.utc + timedelta(days=1))
    registry.put(holder(ANN), by=BY, now=NOW)
    registry.remove(ANN, by=BY, now=NOW, at_least=NOW.utc)
    assert registry.removed().revokes(ANN, NOW.utc)
    assert not registry.removed().revokes(ANN, NOW.utc + timedelta(days=1))


def test_a_removal_in_a_future_that_was_wrong_is_taken_back_by_one_at_a_sure_time(path) -> None:
    registry = open_registry(path)
    wrong = type(NOW)(1.0, NOW.utc + timedelta(days=27_000), utc_trusted=True)
    later = NOW.utc + timedelta(days=1)
    for now, at_least in ((wrong, None), (NOW, NOW.utc)):
        registry.put(holder(ANN), by=BY, now=now)
        registry.remove(ANN, by=BY, now=now, at_least=at_least)
    assert registry.removed().revokes(ANN, NOW.utc)
    assert not registry.removed().revokes(ANN, later)


def test_a_key_that_was_taken_away_and_is_believed_again_revives_no_pass(path) -> None:
    registry = open_registry(path)
    ends = NOW.utc + timedelta(days=3000)
    old = IssuerKey("old", Ed25519PrivateKey.generate().public_key(), valid_until=ends)
    public = Ed25519PrivateKey.generate().public_key()
    new = IssuerKey("new", public, valid_until=NOW.utc + timedelta(days=3))
    registry.put_issuer(old, by=BY, now=NOW)
    for keys in ((), (new,)):
        registry.put(holder(ANN), by=BY, now=NOW)
        for key in keys:
            registry.put_issuer(key, by=BY, now=NOW)
            registry.remove_issuer(old.key_id.hex(), by=BY, now=NOW)
        registry.remove(ANN, by=BY, now=NOW, at_least=NOW.utc)
    later = type(NOW)(1.0, NOW.utc + timedelta(days=300), utc_trusted=True)
    registry.put(holder(BOB), by=BY, now=later)
    registry.remove(BOB, by=BY, now=later, at_least=later.utc)
    registry.put_issuer(old, by=BY, now=later)
    assert registry.removed().revokes(ANN, NOW.utc)


def test_a_key_that_is_believed_for_longer_keeps_it_alive(path) -> None:
    registry = open_registry(path)
    public = Ed25519PrivateKey.generate().public_key()
    ends = NOW.utc + timedelta(days=30)
    registry.put_issuer(IssuerKey("desk", public, valid_until=ends), by=BY, now=NOW)
    registry.put(holder(ANN), by=BY, now=NOW)
    registry.remove(ANN, by=BY, now=NOW)
    registry.put_issuer(IssuerKey("desk", public), by=BY, now=NOW)
    later = type(NOW)(1.0, ends + timedelta(days=900), utc_trusted=True)
    registry.put(holder(BOB), by=BY, now=later)
    registry.remove(BOB, by=BY, now=later)
    assert registry.removed().revokes(ANN, NOW.utc)
