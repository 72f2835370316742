"""A kiosk's signed answer to a command: how it ended, and why not.

    COSE_Sign1 (RFC 9052), EdDSA, the whole header protected, external_aad "gate/reply/1"
    payload   deterministic CBOR {1: command id, 2: kiosk, 3: outcome, 4: reason, 5: result,
                                  6: time, 7: clock trusted, 8: verb}

4, 5 and 8 are left out where there is nothing to say. The command's id is empty where what was
answered was no readable command.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.credentials.errors import CredentialError, unreadable
from agent.credentials.formats import cbor
from agent.credentials.signed.command import ID_BYTES
from agent.credentials.signed.envelope import sign_map, verified_map
from agent.domain.foreign.boundary import boundary
from agent.domain.record.command import Outcome

PURPOSE = b"gate/reply/1"
MAX_BYTES = 16_384
_ID, _KIOSK, _OUTCOME, _REASON, _RESULT, _UTC_S, _TRUSTED, _VERB = range(1, 9)


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a command; ``utc_s`` is the kiosk's clock, which it may not trust.

    ``reason`` is a word of ``CommandReason``, or of a later agent's. ``result`` may name a person,
    so it is in no repr.
    """

    command_id: bytes
    kiosk: str
    outcome: Outcome
    utc_s: int
    clock_trusted: bool
    reason: str | None = None
    result: Mapping[str, cbor.Value] | None = field(default=None, repr=False)
    verb: str | None = None


def sign_reply(reply: Reply, key: Ed25519PrivateKey) -> bytes:
    """The bytes of ``reply``, by the kiosk's signing key."""
    body: dict[int, cbor.Value] = {
        _ID: reply.command_id,
        _KIOSK: reply.kiosk,
        _OUTCOME: reply.outcome.value,
        _REASON: reply.reason,
        _RESULT: reply.result,
        _UTC_S: reply.utc_s,
        _TRUSTED: reply.clock_trusted,
        _VERB: reply.verb,
    }
    return sign_map(body, key, PURPOSE)


@boundary("signed reply", lambda: unreadable("reply: malformed"), CredentialError)
def verify_reply(data: bytes, key: Ed25519PublicKey) -> Reply:
    """The reply in ``data``, by the kiosk whose public key is ``key``; unknown keys are left out.

    Raises:
        CredentialError: ``Other`` where it is no reply; ``CredentialForged`` where another key
            signed it, or the same key for another purpose.
    """
    body = verified_map(data, key, PURPOSE, MAX_BYTES, "reply")
    said: dict[int, cbor.Value] = {label: body.get(label) for label in range(1, 9)}
    named, kiosk, outcome, seconds = said[_ID], said[_KIOSK], said[_OUTCOME], said[_UTC_S]
    trusted, reason, result, verb = said[_TRUSTED], said[_REASON], said[_RESULT], said[_VERB]
    if not (
        isinstance(named, bytes)
        and len(named) in (0, ID_BYTES)
        and isinstance(kiosk, str)
        and outcome in [one.value for one in Outcome]
        and cbor.is_int(seconds)
        and isinstance(trusted, bool)
        and isinstance(reason, str | None)
        and isinstance(result, Mapping | None)
        and isinstance(verb, str | None)
    ):
        raise unreadable("reply: malformed")
    return Reply(named, kiosk, Outcome(outcome), seconds, trusted, reason, result, verb)
