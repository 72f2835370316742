"""Trust lists: whose signatures on health certificates count, for which kind, and for whom.

A list is what an issuer or a national backend publishes:

    PEM certificates, or one a line in bare base64            EU certificates
    a JWK set (RFC 7517): a whole set, a list, or one key     each key by its id; ``jwk``
    a directory of issuers {"issuerInfo": [{"issuer":         SMART Health Cards, each key bound
      {"iss"}, "keys": [...]}]}, as VCI publishes it          to the address beside it

One entry that cannot be read is left out and named; the others stay. Where nothing can be read it
is no trust list.
"""

import base64
import binascii
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

from agent.credentials.errors import CredentialError
from agent.credentials.formats import strict_json
from agent.credentials.health.certificate import key_id_of, read_certificate
from agent.credentials.health.health import HealthKind
from agent.credentials.health.jwk import read_jwk
from agent.credentials.health.trusted_key import TrustedKey, is_issuer, known_as, thumbprint
from agent.domain.credential.reason import Reason
from agent.domain.foreign.text import NoTextError, text_of
from agent.errors import RefusedError

MAX_BYTES = 16_000_000
"""The trust list of the whole Union had some 300 kB."""
_MOST_ENTRIES = 100_000
MOST_NAMED = 100
"""So many entries that were left out are named, the others counted."""

# What a certificate in DER begins with: a sequence of 256 to 65535 bytes.
_DER_SEQUENCE = b"\x30\x82"
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_PRIVATE = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_NAME_CHARS = 64

_K = TypeVar("_K")


class TrustListError(RefusedError):
    """A trust list cannot be read; ``reason`` is ``trust_list``."""

    def __init__(self, message: str) -> None:
        super().__init__("trust_list", message)


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry that was left out: where it stands, how it calls itself, and why (a phrase)."""

    place: str
    name: str | None
    why: str

    def __str__(self) -> str:
        name = "" if self.name is None else f" ({self.name})"
        return f"{self.place}{name}: {self.why}"


@dataclass(frozen=True, slots=True)
class TrustList:
    """Keys by their ids; immutable.

    ``gap`` tells, as a fixed phrase, why a key may be missing that was here once.
    ``has_private`` says that the source carries a private key too, which nobody should pass on.
    ``others_names`` are those of issuers whose own keys count no longer.
    ``skipped`` names entries that were left out, the first ``MOST_NAMED`` of ``skipped_count``.
    """

    keys: tuple[TrustedKey, ...] = ()
    gap: str | None = None
    has_private: bool = False
    skipped: tuple[Skipped, ...] = ()
    skipped_count: int = 0
    others_names: frozenset[str] = frozenset()
    _by_id: Mapping[bytes, tuple[TrustedKey, ...]] = field(init=False, repr=False)
    _by_thumbprint: Mapping[str, tuple[TrustedKey, ...]] = field(init=False, repr=False)
    _names: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_id: defaultdict[bytes, list[TrustedKey]] = defaultdict(list)
        by_thumbprint: defaultdict[str, list[TrustedKey]] = defaultdict(list)
        for key in self.keys:
            for key_id in key.key_ids:
                by_id[key_id].append(key)
            if key.thumbprint is not None and key.kind is HealthKind.SMART_HEALTH_CARD:
                by_thumbprint[key.thumbprint].append(key)
        object.__setattr__(self, "_by_id", _frozen(by_id))
        object.__setattr__(self, "_by_thumbprint", _frozen(by_thumbprint))
        names = {known_as(key.issuer) for key in self.keys if key.issuer is not None}
        object.__setattr__(self, "_names", self.others_names | names)

    def by_key_id(self, key_id: bytes) -> tuple[TrustedKey, ...]:
        """The keys of this COSE key id: one as a rule, for 8 bytes may collide."""
        return self._by_id.get(key_id, ())

    @property
    def names(self) -> frozenset[str]:
        """As what the issuers are known whose own keys are, or were, here."""
        return self._names

    def by_thumbprint(self, thumbprint: str) -> TrustedKey | None:
        """The key of SMART Health Cards whose JWK thumbprint this is."""
        return next(iter(self._by_thumbprint.get(thumbprint, ())), None)

    def of_issuer(self, thumbprint: str, issuer: str) -> tuple[TrustedKey, ...]:
        """The key of this thumbprint as each list has it that lets it sign for ``issuer``.

        A key that its list bound to nobody counts for whom no list names: it never speaks for an
        issuer whose own keys are known, however its address is written.
        """
        found = self._by_thumbprint.get(thumbprint, ())
        named = known_as(issuer) in self._names
        return tuple(
            key for key in found if key.issuer == issuer or (key.issuer is None and not named)
        )


def unknown_key(trust: TrustList) -> CredentialError:
    """Why no key answers to a key id: forged, or this kiosk cannot tell for want of its list."""
    if trust.gap is not None:
        return CredentialError(Reason.HEALTH_CERTIFICATE_INVALID, trust.gap)
    return CredentialError(Reason.CREDENTIAL_FORGED, "signature: no installed key has this key id")


def merge(
    lists: Iterable[TrustList], gap: str | None = None, ended: Iterable[TrustList] = ()
) -> TrustList:
    """All keys of ``lists`` in one; of ``ended`` only whose names nobody else may sign with."""
    claimed = frozenset(name for each in ended for name in each.names)
    keys = tuple(key for each in lists for key in each.keys)
    return TrustList(keys, gap, others_names=claimed)


def _frozen(found: Mapping[_K, list[TrustedKey]]) -> Mapping[_K, tuple[TrustedKey, ...]]:
    return MappingProxyType({name: tuple(keys) for name, keys in found.items()})


def parse_trust(content: str, issuer: str | None = None) -> TrustList:
    """Read the content of a trust file; ``issuer`` is whose the keys are, of SMART Health Cards.

    Raises:
        TrustListError: it is none of the forms, or holds no key that can be used.
    """
    text = content.strip().removeprefix("\ufeff")
    if len(text) > MAX_BYTES:
        raise TrustListError("the trust list is too long")
    if issuer is not None and not is_issuer(issuer):
        raise TrustListError("an issuer is an https address without a slash behind it")
    reading = _Reading(issuer)
    if text.startswith(("{", "[")):
        reading.json(text)
    else:
        reading.certificates(text)
    found = reading.found(has_private=reading.private or _PRIVATE.search(text) is not None)
    if not found.keys:
        first = f": {found.skipped[0]}" if found.skipped else ""
        raise TrustListError(f"the trust list holds no key that can be used{first}")
    return found


def content_of(data: bytes) -> str:
    """The content of a trust file; one certificate in DER becomes its base64.

    Raises:
        TrustListError: it is neither DER nor text.
    """
    if data.startswith(_DER_SEQUENCE):
        return base64.b64encode(data).decode("ascii")
    try:
        return text_of(data)
    except NoTextError as error:
        raise TrustListError(f"the trust list is no text {error}") from None


class _Reading:
    """Takes entry by entry; what one raises costs that one only."""

    def __init__(self, issuer: str | None) -> None:
        self._issuer = issuer
        self._keys: list[TrustedKey] = []
        self._skipped: list[Skipped] = []
        self._count = 0
        self.private = False

    def found(self, *, has_private: bool) -> TrustList:
        """What there was."""
        return TrustList(
            tuple(self._keys),
            has_private=has_private,
            skipped=tuple(self._skipped),
            skipped_count=self._count,
        )

    def json(self, text: str) -> None:
        try:
            value = strict_json.loads_by_parts(text)
        except CredentialError as error:
            raise TrustListError(f"the trust list is no JWK set: {error.detail}") from None
        if isinstance(value, dict) and "issuerInfo" in value:
            self._directory(value["issuerInfo"])
            return
        if isinstance(value, dict):
            value = value.get("keys", [value])
        if not isinstance(value, list):
            raise TrustListError("the trust list is no JWK set")
        self._jwks(value, self._issuer, "")

    def _directory(self, issuers: object) -> None:
        if not isinstance(issuers, list):
            raise TrustListError("the trust list is no directory of issuers")
        for number, each in enumerate(issuers, 1):
            match each:
                case {"issuer": {"iss": str(address)}, "keys": list(keys)} if is_issuer(address):
                    if self._issuer in (None, address):
                        self._jwks(keys, address, f"issuer {number}, ")
                case _:
                    self._skip(f"issuer {number}", None, "no address and keys")

    def _jwks(self, keys: list[Any], issuer: str | None, where: str) -> None:
        kind = None if issuer is None else HealthKind.SMART_HEALTH_CARD
        for number, jwk in enumerate(keys, 1):
            name = jwk.get("kid") if isinstance(jwk, dict) else None
            self.private |= isinstance(jwk, dict) and "d" in jwk
            self._take(f"{where}key {number}", name, partial(read_jwk, jwk, kind, issuer))

    def certificates(self, text: str) -> None:
        """Those in armour; without, one that may be broken into lines, or one a line."""
        if self._issuer is not None:
            raise TrustListError("certificates are of EU issuers, which have no address")
        # A block without its end goes on to the next one's begin.
        blocks = [block.partition(_END)[0] for block in text.split(_BEGIN)[1:]]
        if not blocks:
            lines = text.split(maxsplit=_MOST_ENTRIES)
            try:
                read_certificate(_base64(text))
                blocks = [text]
            except ValueError:
                blocks = lines
        if len(blocks) > _MOST_ENTRIES:
            raise TrustListError("the trust list has too many entries")
        for number, block in enumerate(blocks, 1):
            place = f"certificate {number}"
            try:
                data = _base64(block)
            except ValueError:
                self._skip(place, None, "neither PEM nor base64")
                continue
            name = base64.b64encode(key_id_of(data)).decode()
            self._take(place, name, partial(_certified, data))

    def _take(self, place: str, name: object, read: Callable[[], TrustedKey]) -> None:
        try:
            self._keys.append(read())
        except ValueError as error:
            self._skip(place, name, str(error))
        except Exception:  # noqa: BLE001 - the library names no class for what a key may raise
            self._skip(place, name, "cannot be read")

    def _skip(self, place: str, name: object, why: str) -> None:
        self._count += 1
        if len(self._skipped) < MOST_NAMED:
            shown = name[:_NAME_CHARS] if isinstance(name, str) and name.isprintable() else None
            self._skipped.append(Skipped(place, shown, why))


def _certified(data: bytes) -> TrustedKey:
    found = read_certificate(data)
    ids = frozenset({found.key_id})
    print_ = thumbprint(found.key)
    return TrustedKey(found.key, ids, print_, found.not_before, found.not_after, found.usages)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("no base64") from None
