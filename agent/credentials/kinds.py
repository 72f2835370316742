"""Which credential a text claims to be."""

from agent.credentials.passes.gate_pass import PREFIX
from agent.domain.credential.credential import CredentialKind

_PREFIXES = {
    PREFIX: CredentialKind.GATE_PASS,
    "HC1:": CredentialKind.EU_DCC,
    "shc:/": CredentialKind.SMART_HEALTH_CARD,
}


def kind_of(text: str | None) -> CredentialKind:
    """By how ``text`` begins; whatever is none of ours is a text."""
    for prefix, kind in _PREFIXES.items():
        if text is not None and text.startswith(prefix):
            return kind
    return CredentialKind.TEXT
