"""Why a credential is refused, as an error inside the parsers; outside it becomes a value."""

from agent.domain.credential.reason import Reason
from agent.errors import RefusedError


class CredentialError(RefusedError):
    """A credential is not accepted.

    ``reason`` is the denial's word. ``detail`` is a fixed phrase that names the step and the
    fault: never content of the credential, so it may stand in events, logs and on screens.
    """

    reason: Reason

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.detail = detail


class UnknownKeyError(CredentialError):
    """A pass rests on a key that is not trusted here: forged, or of one whom nobody made known.

    Only who trusts that key could tell which, so the gate denies it as ``CredentialForged``.
    ``issuer`` is whose key it is said to be, where that is known: for people, never for an event.
    """

    def __init__(self, detail: str, issuer: str | None = None) -> None:
        super().__init__(Reason.CREDENTIAL_FORGED, detail)
        self.issuer = issuer


def unreadable(detail: str) -> CredentialError:
    """What was shown is no credential of the kind it says it is: ``Reason.OTHER``."""
    return CredentialError(Reason.OTHER, detail)
