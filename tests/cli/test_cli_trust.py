"""Trust lists by command: what is left out is told, and whose keys they are holds on the kiosk."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from gate_command import Gate
from health_parts import NOW, card_text, certificate_text, jwk, signer

from agent.credentials.health.health_certificate import verify_health
from agent.domain.credential.reason import Reason
from agent.operations.health.trust_lists import usable_trust

ISSUER, OTHER = "https://issuer.example/cards", "https://other.example"
AT = NOW.isoformat()


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    return tmp_path / "issuers.pem"


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    path = tmp_path / "keys.jwks"
    path.write_text(json.dumps({"keys": [jwk()]}))
    return path


def test_what_cannot_be_read_in_a_list_is_named_and_the_rest_installed(
    gate: Gate, trust: Path, state_dir: Path
) -> None:
    cut = signer("p384").pem[:200]
    trust.write_text(cut + "\n" + signer().pem)
    made = gate("trust", "install", trust, "--json")
    assert (made.code, made.json["keys"], made.json["skipped_count"]) == (0, 1, 1)
    assert made.json["skipped"][0]["place"] == "certificate 1"
    assert made.json["kinds"] == {"eu_dcc": 1}
    assert "warning: left out certificate 1" in made.err
    assert gate("trust", "list", "--json").json[0]["skipped_count"] == 1
    # Where nothing can be read, the list before stays in force.
    before = (state_dir / "trust" / "issuers.trust").read_bytes()
    trust.write_text(cut * 3)
    told = gate("trust", "install", trust, "--json")
    assert (told.code, told.json["reason"]) == (1, "trust_list")
    assert (state_dir / "trust" / "issuers.trust").read_bytes() == before
    checked = gate("verify", "health", "--text", certificate_text(), "--trust", trust)
    assert checked.code == 1


def test_the_keys_of_health_cards_are_their_issuers(
    gate: Gate, jwks: Path, state_dir: Path
) -> None:
    """Before, a key that was installed for one issuer signed for every other."""
    unbound = gate("trust", "install", jwks, "--name", "cards", "--json")
    assert (unbound.json["unbound"], unbound.json["issuers"]) == (1, [])
    assert "may sign for any issuer" in unbound.err
    bound = gate("trust", "install", jwks, "--name", "cards", "--issuer", ISSUER, "--json")
    assert (bound.json["unbound"], bound.json["issuers"], bound.err) == (0, [ISSUER], "")
    keys = usable_trust(state_dir, datetime.now(UTC), None)
    assert verify_health(card_text(), keys, NOW).valid
    forged = verify_health(card_text(iss=OTHER), keys, NOW)
    assert forged.reason is Reason.CREDENTIAL_FORGED
    # The kind holds through the state folder as well.
    assert verify_health(certificate_text(), keys, NOW).reason is Reason.CREDENTIAL_FORGED
    bad = gate("trust", "install", jwks, "--issuer", "http://x", "--json")
    assert (bad.code, bad.json["reason"]) == (1, "trust_list")


def test_a_set_of_both_kinds_is_warned_of(gate: Gate, jwks: Path) -> None:
    """A card issuer's set may hold a key that looks like an EU signer's."""
    disguised = jwk("p256b") | {"kid": "AAECAwQFBgc="}
    jwks.write_text(json.dumps({"keys": [jwk(), disguised]}))
    made = gate("trust", "install", jwks, "--json")
    assert made.json["kinds"] == {"smart_health_card": 1, "eu_dcc": 1}
    assert "install it with --issuer URL" in made.err
    bound = gate("trust", "install", jwks, "--issuer", ISSUER, "--json")
    assert (bound.json["kinds"], bound.err) == ({"smart_health_card": 2}, "")


def test_a_check_can_name_whose_keys_they_are(gate: Gate, jwks: Path) -> None:
    asked = ("verify", "health", "--text", card_text(), "--trust", jwks, "--at", AT)
    assert gate(*asked, "--issuer", ISSUER).code == 0
    told = gate(*asked, "--issuer", OTHER, "--json")
    assert (told.code, told.json["detail"]) == (1, "signature: the key is another issuer's")
