"""What the tests of the gate pass share: an issuer, a community's key, and passes of theirs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.credentials.formats import base45, cose
from agent.credentials.passes.gate_pass import PREFIX, issue
from agent.credentials.passes.issuers import IssuerKey, Issuers, key_id
from agent.credentials.passes.pass_template import CommunityKey, PassTemplate
from agent.domain.credential.gate_pass import GatePass, PassId
from agent.domain.credential.holder import HolderId

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ISSUERS = Issuers([IssuerKey("lakeside-office", KEY.public_key())])
COMMUNITY = CommunityKey(bytes(range(32)))


def claims(**changes: Any) -> GatePass:
    fields = {
        "id": PassId("00112233445566aa"),
        "issuer": "lakeside-office",
        "holder": HolderId("lin.2"),
        "category": "resident",
        "communities": frozenset({"lakeside"}),
        "valid_from": NOW - timedelta(days=1),
        "valid_until": NOW + timedelta(days=1),
        "issued_at": NOW - timedelta(days=1),
    }
    return GatePass(**{**fields, **changes})


def template(components: int = 128, seed: int = 0) -> PassTemplate:
    values = np.random.default_rng(seed).normal(scale=0.09, size=components)
    return PassTemplate("dlib", "1", values.astype(np.float32))


def text(
    one: GatePass | None = None,
    *,
    bits: int | None = None,
    key: Ed25519PrivateKey = KEY,
    seed: int = 0,
) -> str:
    with_template = None if bits is None else (template(seed=seed), bits, COMMUNITY)
    made = claims() if one is None else one
    return issue(made, key, made.issued_at or NOW, template=with_template)


def signed(body: object, key: Ed25519PrivateKey = KEY) -> str:
    """Anything, signed by the issuer as a pass."""
    data = cose.sign(cbor2.dumps(body), key, key_id(key.public_key()), tagged=False)
    return PREFIX + base45.encode(data)
