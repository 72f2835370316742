"""Checks health certificates for tests, and writes the steps of a verdict in eight characters."""

import json

from health_parts import NOW, jwk, signer

from agent.credentials.health.health import HealthVerdict
from agent.credentials.health.health_certificate import verify_health
from agent.credentials.health.trust import TrustList, parse_trust
from agent.domain.credential.reason import Reason

TRUST = parse_trust(signer().pem)
CARD_TRUST = parse_trust(json.dumps({"keys": [jwk()]}))
STEPS = ("prefix", "base45", "zlib", "cbor", "cose", "signature", "valid_at", "rules")
SHOWN = {True: "+", False: "-", None: "."}
F, X, E, N, H = (
    Reason.CREDENTIAL_FORGED,
    Reason.OTHER,
    Reason.CREDENTIAL_EXPIRED,
    Reason.CREDENTIAL_NOT_ACTIVE,
    Reason.HEALTH_CERTIFICATE_INVALID,
)


def steps(verdict: HealthVerdict) -> str:
    return "".join(SHOWN[getattr(verdict, step)] for step in STEPS)


def check(text: str, trust: TrustList = TRUST, at=NOW, rules=None) -> HealthVerdict:
    verdict = verify_health(text, trust, at, rules)
    everything = all(getattr(verdict, step) is not False for step in STEPS)
    assert verdict.valid == (verdict.reason is None) == (verdict.detail is None)
    assert not verdict.valid or everything
    assert verdict.valid or verdict.subject is None
    return verdict
