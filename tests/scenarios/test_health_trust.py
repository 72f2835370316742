"""Health certificates at the gate, by the trust lists that are installed: each kind by its own."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gate_parts import PASS, Gate
from health_parts import (
    NOW,
    PATIENT,
    VACCINATION,
    bundle,
    card_text,
    certificate_text,
    dcc,
    jwk,
    signer,
)
from pass_parts import claims

from agent.app.threads.senses.verifier import CredentialVerifier, Sources
from agent.controller.inputs import CredentialShown
from agent.credentials.health.eu_dcc_rules import AcceptanceRules
from agent.credentials.health.trust import TrustList, parse_trust
from agent.credentials.passes.issuers import Issuers
from agent.domain.access.rule import Rule
from agent.domain.credential.reason import Reason
from agent.domain.hours.instant import Instant
from agent.operations.health import trust_lists
from agent.operations.health.trust_lists import TrustShelf, install, usable_trust

ISSUER = "https://issuer.example/cards"
EU, CARDS, BOTH = "eu", "cards", "both"
GRANTED = "granted"
INVALID = Reason.HEALTH_CERTIFICATE_INVALID.value


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where lists are installed: the same key once as an EU signer's, once as a card issuer's."""
    (tmp_path / "eu.pem").write_text(signer().pem)
    (tmp_path / "cards.jwks").write_text(json.dumps({"keys": [jwk()]}))
    return tmp_path


def outcome(state: Path, lists: str, text: str) -> str:
    """What a resident with a pass comes to, who shows ``text`` at NOW."""
    if lists != CARDS:
        install(state / "eu.pem", state, NOW)
    if lists != EU:
        install(state / "cards.jwks", state, NOW, issuer=ISSUER)
    sources = Sources(
        Issuers(),
        None,
        lambda now: usable_trust(state, now, None),
        AcceptanceRules(),
        "dlib",
        "1",
        128,
    )
    rule = Rule(frozenset({"resident"}), factors=(frozenset({PASS}),), health_certificate=True)
    gate = Gate(rule, utc=NOW)
    shown = CredentialVerifier(lambda: sources).verify(text, gate.clock.now())
    gate.show(claims(valid_until=NOW + timedelta(days=1)))
    gate.tell(CredentialShown("north-entry", shown))
    return str(gate.outcomes()[-1])


@pytest.mark.parametrize(
    ("lists", "text", "expected"),
    [
        (EU, certificate_text(), GRANTED),
        (CARDS, certificate_text(), INVALID),
        (CARDS, card_text(), GRANTED),
        (EU, card_text(), INVALID),
        (BOTH, card_text(), GRANTED),
        (BOTH, card_text(iss="https://other.example"), INVALID),
        (CARDS, card_text(vc=bundle(PATIENT)), INVALID),
        (EU, certificate_text(dcc(v=[VACCINATION | {"dt": "2569-03-01"}])), INVALID),
    ],
)
def test_each_kind_is_believed_by_its_own_list(
    state: Path, lists: str, text: str, expected: str
) -> None:
    """Before, all but the dose of another calendar opened."""
    assert outcome(state, lists, text) == expected


def test_a_list_of_an_earlier_version_keeps_its_keys(state: Path) -> None:
    """Its file names no issuer: the kinds are told apart, the keys of cards stay unbound."""
    made = install(state / "cards.jwks", state, datetime.now(UTC))
    path = state / "trust" / "cards.trust"
    assert set(json.loads(path.read_bytes())) == {"installed", "sha256", "content"}
    assert made.unbound == 1
    assert outcome(state, EU, card_text()) == GRANTED


def test_nobody_signs_in_the_name_of_an_issuer_whose_list_is_too_old(state: Path) -> None:
    install(state / "cards.jwks", state, NOW - timedelta(days=40), issuer=ISSUER)
    (state / "any.jwks").write_text(json.dumps({"keys": [jwk("p256b")]}))
    install(state / "any.jwks", state, NOW)
    found = usable_trust(state, NOW, timedelta(days=30))
    assert len(found.keys) == 1
    assert not found.of_issuer(jwk("p256b")["kid"], ISSUER)
    assert found.of_issuer(jwk("p256b")["kid"], "https://other.example/cards")


def test_a_list_is_read_once_for_as_long_as_its_file_stays(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(state / "eu.pem", state, NOW - timedelta(days=20))
    read: list[str] = []

    def counted(content: str, issuer: str | None = None) -> TrustList:
        read.append(content)
        return parse_trust(content, issuer)

    monkeypatch.setattr(trust_lists, "parse_trust", counted)
    shelf = TrustShelf(state, timedelta(days=30))
    for _ in range(100):
        assert len(shelf.usable(NOW).keys) == 1
    assert len(read) == 1
    assert (
        shelf.usable(NOW + timedelta(days=11)).gap
        == "signature: an installed trust list is too old"
    )
    install(state / "cards.jwks", state, NOW, issuer=ISSUER)
    assert len(shelf.usable(NOW).keys) == 2
    (state / "trust" / "cards.trust").write_bytes(b"{}")
    assert shelf.usable(NOW).gap == "signature: an installed trust list is damaged"
    (state / "trust" / "cards.trust").unlink()
    (state / "trust" / "eu.trust").unlink()
    assert shelf.usable(NOW).gap == "signature: no trust list is installed"


def test_parts_of_strangers_cards_wait_for_no_list(state: Path) -> None:
    """Each new part may make 32 cards: a wall of them must not have the lists read 32 times."""
    pems = "".join(signer(serial=serial).pem for serial in range(1, 301))
    (state / "union.pem").write_text(pems)
    install(state / "union.pem", state, NOW)
    shelf = TrustShelf(state, timedelta(days=30))
    sources = Sources(Issuers(), None, shelf.usable, AcceptanceRules(), "dlib", "1", 128)
    verifier = CredentialVerifier(lambda: sources)
    start_s = time.perf_counter()
    for number in range(64):
        shown = verifier.verify(f"HC1:{number}", Instant(1.0, NOW, utc_trusted=True))
        assert shown.reason is not None
    assert time.perf_counter() - start_s < 0.7
