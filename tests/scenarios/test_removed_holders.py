"""Removed, unknown, unreadable: three ways not to be in the registry, none of which opens.

A real registry on disk, taken as the agent takes it, before a kiosk with people and passes.
"""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from gate_parts import ANNA, BOTH, GUEST, LIN, PASS, REGISTRY, Gate
from pass_parts import NOW, claims
from store_parts import BY, holder, open_registry, rekey

from agent.app.open.snapshot import Rates, take_snapshot
from agent.controller.inputs import FaultRaised, RegistryChanged
from agent.domain.access.part import PartKind
from agent.domain.access.rule import Rule
from agent.domain.credential.gate_pass import PassId
from agent.domain.hours.instant import Instant
from agent.vision.packs.manifest import read_manifest

MANIFEST = read_manifest("dlib")
ALONE = (frozenset({PASS}),)
EVERYBODY = Rule(frozenset({"resident", "visitor"}), factors=ALONE, accept_unknown_holders=True)
AT = Instant(0.0, NOW, utc_trusted=True)


@pytest.fixture
def registry(tmp_path):
    found = open_registry(tmp_path / "registry.sqlite")
    found.put(holder(LIN), by=BY, now=AT)
    found.put(holder(ANNA), by=BY, now=AT)
    return found


def gate_of(registry, *rules):
    return Gate(*(rules or (EVERYBODY,)), registry=taken(registry))


def taken(registry, before=None):
    return take_snapshot(registry, MANIFEST, Rates(), before).registry


def change(registry, statement, *values):
    with closing(sqlite3.connect(registry._path)) as connection, connection:
        assert connection.execute(statement, values).rowcount


def outcome(gate, one):
    before = len(gate.outcomes())
    gate.wait(30)
    gate.show(one)
    assert len(gate.outcomes()) == before + 1
    return gate.outcomes()[-1]


# --- removed -------------------------------------------------------------------------------------


def test_removing_a_disabled_holder_does_not_revive_the_pass(registry) -> None:
    gate = gate_of(registry)
    assert outcome(gate, claims()) == "granted"
    registry.put(holder(LIN, enabled=False), by=BY, now=AT)
    gate.tell(RegistryChanged(taken(registry)))
    assert outcome(gate, claims()) == "CredentialNotEnabled"
    registry.remove(LIN, by=BY, now=AT)
    gate.tell(RegistryChanged(taken(registry)))
    assert outcome(gate, claims()) == "CredentialRevoked"
    assert gate.opened() == 1
    # And at the next start.
    assert outcome(gate_of(registry), claims()) == "CredentialRevoked"


@pytest.mark.parametrize("rule", [EVERYBODY, replace(EVERYBODY, accept_unknown_holders=False)])
@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(days=-1), "CredentialRevoked"),
        (timedelta(0), "CredentialRevoked"),
        (None, "CredentialRevoked"),
        (timedelta(seconds=1), "granted"),
    ],
)
def test_only_a_pass_that_was_issued_after_the_removal_opens(
    registry, rule, again, after, expected
) -> None:
    """Enrolled again, a holder's old passes stay what they were."""
    registry.remove(LIN, by=BY, now=AT)
    if again:
        registry.put(holder(LIN), by=BY, now=AT)
    one = claims(issued_at=None if after is None else NOW + after)
    if expected == "granted" and not again and not rule.believes_unknown:
        expected = "NoMatch"
    assert outcome(gate_of(registry, rule), one) == expected


def test_nobody_else_is_meant(registry) -> None:
    registry.remove(LIN, by=BY, now=AT)
    gate = gate_of(registry)
    assert outcome(gate, claims(holder=ANNA)) == "granted"
    assert outcome(gate, claims(holder=GUEST, id=PassId("ab" * 8))) == "granted"


def test_a_clock_that_is_behind_brings_no_pass_back(registry) -> None:
    """The latest time that surely was is later than what the clock of the desk says."""
    behind = Instant(0.0, NOW - timedelta(days=20_000), utc_trusted=False)
    registry.remove(LIN, by=BY, now=behind, at_least=NOW)
    assert outcome(gate_of(registry), claims()) == "CredentialRevoked"


def test_a_new_gallery_key_leaves_a_removal_as_it_was(registry) -> None:
    registry.remove(LIN, by=BY, now=AT)
    rekey(registry, bytes(32))
    assert outcome(gate_of(registry), claims()) == "CredentialRevoked"


def test_the_tombstone_names_nobody(registry) -> None:
    registry.remove(LIN, by=BY, now=AT)
    with closing(sqlite3.connect(registry._path)) as connection:
        found = connection.execute("SELECT * FROM tombstone").fetchall()
    assert found
    assert LIN not in repr(found)
    assert "key=" not in repr(registry.removed())


# --- unknown -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("categories", "said", "expected"),
    [
        ({"visitor"}, None, "granted"),
        ({"visitor", "courier"}, None, "granted"),
        ({"visitor"}, False, "NoMatch"),
        ({"visitor", "resident"}, None, "NoMatch"),
        ({"visitor", "resident"}, True, "granted"),
    ],
)
def test_whom_the_registry_does_not_know_the_rule_decides(
    registry, categories, said, expected
) -> None:
    rule = Rule(frozenset(categories), factors=ALONE, accept_unknown_holders=said)
    one = claims(holder=GUEST, category="visitor")
    assert outcome(gate_of(registry, rule), one) == expected


def test_a_residents_pass_needs_the_resident(registry) -> None:
    rules = (
        Rule(frozenset({"resident"}), factors=ALONE),
        Rule(frozenset({"visitor"}), factors=ALONE),
    )
    gate = gate_of(registry, *rules)
    assert outcome(gate, claims(holder=GUEST)) == "NoMatch"
    assert outcome(gate, claims(id=PassId("ab" * 8))) == "granted"


# --- unreadable ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE holder SET enabled = 5 WHERE id = 'lin.2'",
        "UPDATE holder SET category = 'staff' WHERE id = 'lin.2'",
        "UPDATE holder SET valid_until = 'soon' WHERE id = 'lin.2'",
        "UPDATE holder SET name = CAST(x'ff' AS TEXT) WHERE id = 'lin.2'",
        "UPDATE holder SET id = 'min.2' WHERE id = 'lin.2'",
        "UPDATE holder SET mark = NULL WHERE id = 'lin.2'",
    ],
)
def test_a_holder_whose_row_is_damaged_is_known_and_refused(registry, damage) -> None:
    change(registry, damage)
    gate = gate_of(registry)
    assert outcome(gate, claims()) == "CredentialNotEnabled"
    assert outcome(gate, claims(holder=ANNA, id=PassId("ab" * 8))) == "granted"


def test_so_is_their_document(registry) -> None:
    registry.bind_document(LIN, "ab" * 32, by=BY, now=AT)
    change(registry, "UPDATE holder SET enabled = 5 WHERE id = 'lin.2'")
    gate = gate_of(registry)
    gate.lay("ab" * 32)
    assert gate.outcomes() == ["CredentialNotEnabled"]


def test_a_removal_that_lost_its_time_revokes_every_pass(registry) -> None:
    registry.remove(LIN, by=BY, now=AT)
    change(registry, "UPDATE tombstone SET removed_at = 'once'")
    gate = gate_of(registry)
    later = claims(issued_at=NOW + timedelta(days=1))
    assert outcome(gate, later) == "CredentialRevoked"


def test_a_removal_about_nobody_knows_whom_leaves_no_stranger_in(registry) -> None:
    registry.remove(LIN, by=BY, now=AT)
    before = take_snapshot(registry, MANIFEST, Rates())
    change(registry, "UPDATE tombstone SET holder_hash = x'00', mark = NULL")
    gate = gate_of(registry)
    assert outcome(gate, claims()) == "NoMatch"
    assert outcome(gate, claims(holder=ANNA, id=PassId("ab" * 8))) == "granted"
    gate.tell(RegistryChanged(taken(registry, before)))
    assert outcome(gate, claims()) == "CredentialRevoked"
    assert outcome(gate, claims(holder=GUEST, id=PassId("cd" * 8))) == "granted"


# --- outdated ------------------------------------------------------------------------------------


def test_by_a_registry_that_is_too_old_nobody_passes_and_then_again(registry) -> None:
    gate = gate_of(registry)
    found = gate.registry
    gate.tell(FaultRaised(PartKind.GALLERY.part(), "gone"))
    assert outcome(gate, claims()) == "granted"
    gate.tell(RegistryChanged(replace(found, outdated=True)))
    assert outcome(gate, claims(id=PassId("ab" * 8))) == "SensorFault"
    gate.tell(RegistryChanged(found))
    assert outcome(gate, claims(id=PassId("cd" * 8))) == "granted"


def test_by_face_neither() -> None:
    gate = Gate(Rule(frozenset({"resident"})), registry=replace(REGISTRY, outdated=True))
    gate.stand(LIN, 2)
    assert (gate.outcomes(), gate.opened()) == (["SensorFault"], 0)


def test_both_wait_for_no_face_of_somebody_removed(registry) -> None:
    registry.remove(LIN, by=BY, now=AT)
    gate = gate_of(registry, replace(EVERYBODY, factors=BOTH))
    gate.show()
    assert gate.outcomes() == ["CredentialRevoked"]
