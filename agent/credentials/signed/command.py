"""A signed command: who asks which kiosk for what, from when until when, and once.

    COSE_Sign1 (RFC 9052), EdDSA, the whole header protected, external_aad "gate/command/1"
    payload   deterministic CBOR {1: verb, 2: to, 3: issued, 4: expires, 5: id, 6: arguments,
                                  7: nonce}

``to`` is a kiosk (``lakeside/g3/north-1``) or a group of them (``lakeside/g3/*``, ``lakeside/*``);
times are UTC in whole seconds; the id is 16 random bytes, by which a command runs once. A payload
with a key that is not known here is of another version: it may say what limits the rest.

Nothing here looks at a clock, at rights or at what ran before: who carries commands out does.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.credentials.errors import CredentialError
from agent.credentials.formats import cbor, cose
from agent.credentials.signed.envelope import sign_map
from agent.domain.credential.reason import Reason
from agent.domain.foreign.boundary import boundary
from agent.domain.record.command import CommandReason

PURPOSE = b"gate/command/1"
MAX_BYTES = 4096
ID_BYTES = NONCE_BYTES = 16
MOST_ARGUMENTS = 16
MOST_IN_A_LIST = 64

_VERB, _TO, _ISSUED, _EXPIRES, _ID, _ARGUMENTS, _NONCE = range(1, 8)
_KNOWN = frozenset(range(1, 8))
_EARLIEST = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
_LATEST = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())
_WORD = re.compile(r"[a-z][a-z_]{0,31}")
_PLACE = re.compile(r"[A-Za-z0-9._-]{1,64}(/[A-Za-z0-9._-]{1,64}){2}")
_GROUP = re.compile(r"([A-Za-z0-9._-]{1,64}/){1,2}\*")


class CommandError(CredentialError):
    """What came is no command that counts; ``word`` says why.

    ``key_id`` is of the key that signed it, and ``command_id`` the command's, as far as the
    signature holds; None where nobody whom this kiosk knows said it.
    """

    def __init__(
        self,
        word: CommandReason,
        detail: str,
        key_id: bytes | None = None,
        command_id: bytes | None = None,
    ) -> None:
        forged = word in (CommandReason.FORGED, CommandReason.UNKNOWN_KEY)
        super().__init__(Reason.CREDENTIAL_FORGED if forged else Reason.OTHER, detail)
        self.word = word
        self.key_id = key_id
        self.command_id = command_id


@dataclass(frozen=True, slots=True)
class Command:
    """What is asked; ``issued`` and ``expires`` are UTC in seconds.

    The values of ``arguments`` are None, bool, int, str, bytes, or a tuple of those. They may name
    a person, so they are in no repr.
    """

    verb: str
    to: str
    issued: int
    expires: int
    id: bytes
    arguments: Mapping[str, cbor.Value] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )
    nonce: bytes | None = field(default=None, repr=False)

    def is_for(self, kiosk: str) -> bool:
        """Whether it is for ``kiosk``: by name, or as one of its group."""
        if self.to.endswith("/*"):
            return kiosk.startswith(self.to[:-1])
        return self.to == kiosk


def sign_command(command: Command, key: Ed25519PrivateKey) -> bytes:
    """The bytes of ``command``.

    Raises:
        CommandError: ``malformed``; no kiosk would read it.
        CommandError: ``too_large``; it is longer than a kiosk hears.
    """
    body: dict[int, cbor.Value] = {
        _VERB: command.verb,
        _TO: command.to,
        _ISSUED: command.issued,
        _EXPIRES: command.expires,
        _ID: command.id,
    }
    if command.arguments:
        body[_ARGUMENTS] = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in command.arguments.items()
        }
    if command.nonce is not None:
        body[_NONCE] = command.nonce
    _command(MappingProxyType({**body, _ARGUMENTS: command.arguments}))
    data = sign_map(body, key, PURPOSE)
    if len(data) > MAX_BYTES:
        raise CommandError(CommandReason.TOO_LARGE, f"command: longer than {MAX_BYTES} bytes")
    return data


@boundary("signed command", lambda: _malformed("command: malformed"), CredentialError)
def verify_command(
    data: bytes, key_of: Callable[[bytes], Ed25519PublicKey | None]
) -> tuple[Command, bytes]:
    """The command in ``data``, and the id of the key that signed it.

    ``key_of`` knows the keys by their ids.

    Raises:
        CommandError: ``too_large``, ``malformed``, ``unknown_key``, ``forged``; and with the key's
            id ``malformed`` or ``unknown_version`` where what it signed is no command known here.
    """
    if len(data) > MAX_BYTES:
        raise CommandError(CommandReason.TOO_LARGE, f"command: longer than {MAX_BYTES} bytes")
    message = _parsed(data)
    signer = message.key_id
    key = None if signer is None else key_of(signer)
    if key is None or signer is None:
        raise CommandError(CommandReason.UNKNOWN_KEY, "command: by a key that is not known here")
    eddsa = message.algorithm is cose.Algorithm.EDDSA
    if not eddsa or not cose.verify(message, key, PURPOSE):
        raise CommandError(CommandReason.FORGED, "command: the signature is wrong")
    try:
        body = cbor.decode(message.payload, max_bytes=MAX_BYTES)
    except CredentialError as error:
        raise CommandError(CommandReason.MALFORMED, error.detail, signer) from None
    try:
        return _command(body), signer
    except CommandError as error:
        named = body.get(_ID) if isinstance(body, Mapping) else None
        known = isinstance(named, bytes) and len(named) == ID_BYTES
        raise CommandError(error.word, error.detail, signer, named if known else None) from None


def _parsed(data: bytes) -> cose.Sign1:
    try:
        message = cose.parse(data, MAX_BYTES)
    except CredentialError as error:
        raise _malformed(error.detail) from None
    if message.unprotected:
        raise _malformed("command: a header that is not signed")
    return message


def _malformed(detail: str) -> CommandError:
    return CommandError(CommandReason.MALFORMED, detail)


def _command(body: cbor.Value) -> Command:
    """The payload as a command.

    Raises:
        CommandError: ``malformed``, ``unknown_version``.
    """
    if not isinstance(body, Mapping):
        raise _malformed("command: its payload is no map")
    if not body.keys() <= _KNOWN:
        raise CommandError(CommandReason.UNKNOWN_VERSION, "command: of a version not known here")
    said: dict[int, cbor.Value] = {label: body.get(label) for label in _KNOWN}
    verb, to, named, nonce = said[_VERB], said[_TO], said[_ID], said[_NONCE]
    issued, expires = said[_ISSUED], said[_EXPIRES]
    if not (isinstance(verb, str) and _WORD.fullmatch(verb)):
        raise _malformed("command: its verb is none")
    if not (isinstance(to, str) and (_PLACE.fullmatch(to) or _GROUP.fullmatch(to))):
        raise _malformed("command: it is for no kiosk and no group")
    if not (isinstance(named, bytes) and len(named) == ID_BYTES):
        raise _malformed("command: its id is none")
    if not all(cbor.is_int(one) and _EARLIEST <= one <= _LATEST for one in (issued, expires)):
        raise _malformed("command: its times are none")
    if expires <= issued:
        raise _malformed("command: it ends before it was issued")
    if _NONCE in body and not (isinstance(nonce, bytes) and len(nonce) == NONCE_BYTES):
        raise _malformed("command: its nonce is none")
    return Command(verb, to, issued, expires, named, _arguments(body), nonce)


def _arguments(body: Mapping[int, cbor.Value]) -> Mapping[str, cbor.Value]:
    found = body.get(_ARGUMENTS, MappingProxyType({}))
    if not isinstance(found, Mapping) or len(found) > MOST_ARGUMENTS:
        raise _malformed("command: its arguments are none")
    for name, value in found.items():
        if not (isinstance(name, str) and _WORD.fullmatch(name)):
            raise _malformed("command: an argument without a name")
        if not (_is_scalar(value) or _is_list(value)):
            raise _malformed("command: an argument of a kind that none has")
    return found


def _is_scalar(value: cbor.Value) -> bool:
    return value is None or isinstance(value, bool | int | str | bytes)


def _is_list(value: cbor.Value) -> bool:
    return isinstance(value, tuple) and len(value) <= MOST_IN_A_LIST and all(map(_is_scalar, value))
