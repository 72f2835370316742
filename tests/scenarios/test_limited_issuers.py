"""The visitors' desk at the gate: it signs what the community lets it sign, and no resident."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from gate_parts import GUEST, LIN, REGISTRY, Gate
from pass_parts import KEY, NOW, OTHER_KEY, claims
from store_parts import BY, open_registry
from store_parts import NOW as THEN

from agent.adapters.store.people.registry import SqliteRegistry
from agent.app.threads.senses.verifier import CredentialVerifier, Sources
from agent.controller.inputs import CredentialShown
from agent.credentials.health.eu_dcc_rules import AcceptanceRules
from agent.credentials.health.trust import TrustList
from agent.credentials.passes.delegation import Limits, delegate, read_text
from agent.credentials.passes.gate_pass import issue
from agent.credentials.passes.issuers import IssuerKey, Issuers, delegated_key, key_id
from agent.domain.access.rule import Rule
from agent.domain.credential.factor import Factor
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import Holder

OFFICE, DESK = KEY, OTHER_KEY
LIMITS = Limits(frozenset({"visitor"}), timedelta(days=1), frozenset({"north-entry"}))
ALONE = (frozenset({Factor.PASS}),)


def delegation(
    limits: Limits = LIMITS, by: Ed25519PrivateKey = OFFICE, issuer: str = "lakeside-office"
) -> IssuerKey:
    text = delegate(
        DESK.public_key(),
        limits,
        issuers=(issuer, "desk"),
        signer=(by, key_id(by.public_key())),
        issued_at=NOW,
    )
    return delegated_key(read_text(text))


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[SqliteRegistry]:
    with closing(open_registry(tmp_path / "registry.sqlite")) as opened:
        office = IssuerKey("lakeside-office", OFFICE.public_key())
        opened.put_issuer(office, by=BY, now=THEN)
        yield opened


class Entry(Gate):
    """The gate with its own verifier, by what its registry says of issuers."""

    def __init__(self, registry: SqliteRegistry) -> None:
        residents = Rule(frozenset({"resident"}), factors=ALONE)
        visitors = Rule(frozenset({"visitor"}), factors=ALONE)
        known = {**REGISTRY.holders, GUEST: Holder(GUEST, "Guest", "visitor")}
        super().__init__(residents, visitors, registry=replace(REGISTRY, holders=known))
        sources = Sources(
            Issuers(registry.issuers()),
            None,
            lambda _: TrustList(),
            AcceptanceRules(),
            "dlib",
            "1",
            128,
        )
        self.verifier = CredentialVerifier(lambda: sources)
        self.number = 0

    def present(self, key: Ed25519PrivateKey = DESK, **changes: Any) -> str:
        self.number += 1
        fields: dict[str, Any] = {
            "issuer": "desk",
            "id": PassId(f"{self.number:016x}"),
            "holder": GUEST,
            "category": "visitor",
            "valid_from": NOW - timedelta(hours=1),
            "valid_until": NOW + timedelta(hours=10),
            "access_points": frozenset({"north-entry"}),
        }
        text = issue(claims(**(fields | changes)), key, NOW - timedelta(hours=2))
        self.clock.advance(30.0)
        shown = self.verifier.verify(text, self.clock.now())
        self.tell(CredentialShown("north-entry", shown))
        return str(self.outcomes()[-1])


def test_what_the_desk_may_sign_opens(registry: SqliteRegistry) -> None:
    registry.put_issuer(delegation(), by=BY, now=THEN)
    assert Entry(registry).present() == "granted"


@pytest.mark.parametrize(
    "changes",
    [
        {"category": "resident", "holder": LIN},
        {"category": "resident"},
        {"holder": LIN},  # a visitor's pass in the name of a resident
        {"valid_until": NOW + timedelta(hours=24)},
        {"valid_from": None, "valid_until": NOW + timedelta(hours=23)},
        {"access_points": frozenset()},
        {"access_points": frozenset({"north-entry", "office"})},
    ],
)
def test_what_goes_beyond_its_limits_is_unauthorized(registry: SqliteRegistry, changes) -> None:
    """Before, a desk whose key was trusted made residents as well as visitors."""
    registry.put_issuer(IssuerKey("desk", DESK.public_key()), by=BY, now=THEN)
    unlimited = Entry(registry)
    assert unlimited.present(**changes) == "granted"
    registry.put_issuer(delegation(), by=BY, now=THEN)
    assert Entry(registry).present(**changes) == "Unauthorized"


def test_the_limits_end_with_the_trust_in_who_signed_them(registry: SqliteRegistry) -> None:
    registry.put_issuer(delegation(), by=BY, now=THEN)
    registry.remove_issuer(key_id(OFFICE.public_key()).hex(), by=BY, now=THEN)
    assert Entry(registry).present() == "CredentialForged"
    over = IssuerKey("lakeside-office", OFFICE.public_key(), valid_until=NOW)
    registry.put_issuer(over, by=BY, now=THEN)
    assert Entry(registry).present() == "CredentialExpired"
    later = IssuerKey("lakeside-office", OFFICE.public_key(), valid_from=NOW + timedelta(days=1))
    registry.put_issuer(later, by=BY, now=THEN)
    assert Entry(registry).present() == "CredentialNotActive"


def test_nobody_limits_himself(registry: SqliteRegistry) -> None:
    """Only who is trusted without limits hands on, and under their own name."""
    third = Ed25519PrivateKey.generate()
    for forged in (
        delegation(by=third),
        delegation(by=DESK, issuer="desk"),
        delegation(issuer="somebody"),
    ):
        registry.put_issuer(forged, by=BY, now=THEN)
        assert Entry(registry).present() == "CredentialForged"


def test_a_damaged_delegation_is_no_trust_and_costs_no_other(registry: SqliteRegistry) -> None:
    registry.put_issuer(IssuerKey("desk", DESK.public_key()), by=BY, now=THEN)
    registry.put_issuer(delegation(), by=BY, now=THEN)
    whole = delegation().delegation
    assert whole is not None
    for number in range(0, len(whole.data), 7):
        bad = bytearray(whole.data)
        bad[number] ^= 1
        registry._connection.execute("UPDATE delegated_key SET statement = ?", (bytes(bad),))
        gate = Entry(registry)
        assert gate.present() == "CredentialForged"
        assert gate.present(OFFICE, issuer="lakeside-office") == "granted"
    registry._connection.execute("UPDATE delegated_key SET statement = x'00'")
    assert registry.damage().rows == {"issuers": 1}
    # Put again without its limits beside a damaged row, it is still not unlimited.
    registry.put_issuer(IssuerKey("desk", DESK.public_key()), by=BY, now=THEN)
    assert Entry(registry).present() == "CredentialForged"
    assert registry.remove_issuer(key_id(DESK.public_key()).hex(), by=BY, now=THEN)
    assert [one.issuer for one in registry.issuers()] == ["lakeside-office"]
