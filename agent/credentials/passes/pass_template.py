"""The face template on a pass: few bits a component, and encrypted for the community's kiosks.

    COSE_Encrypt0 (RFC 9052, 5.2) = [{1: 3 (A256GCM)}, {5: nonce}, ciphertext and tag]
    plain = CBOR [pack, pack version, bits, components, scale and packed components]

The key is the community's, derived for this purpose alone; the pass's id is the external data, so
that a template cut out of one pass opens in no other. Whoever photographs or finds a pass learns no
biometrics from it; whoever takes a kiosk apart and reads its community key does.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.credentials.derivation import derived
from agent.credentials.errors import CredentialError, unreadable
from agent.credentials.formats import cbor
from agent.credentials.passes.quantised import dequantise, quantise
from agent.domain.credential.reason import Reason
from agent.domain.sight.image import Template

KEY_BYTES = 32
_A256GCM, _ALG, _IV, _NONCE_BYTES = 3, 1, 5, 12
_PROTECTED = cbor2.dumps({_ALG: _A256GCM}, canonical=True)


@dataclass(frozen=True, slots=True)
class PassTemplate:
    """A reference that came with a pass, made by one version of one pack."""

    pack: str
    pack_version: str
    template: Template = field(repr=False)


class CommunityKey:
    """What every kiosk of a community shares, and nobody else: 32 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a community key has {KEY_BYTES} bytes")
        self._aead = AESGCM(derived(key, b"gate pass template"))

    def seal(self, template: PassTemplate, bits: int, pass_id: bytes) -> list[object]:
        """The COSE_Encrypt0 message of ``template``, as the array that goes into the claims."""
        packed = quantise(template.template, bits)
        head = [template.pack, template.pack_version, bits, len(template.template)]
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._aead.encrypt(nonce, cbor2.dumps([*head, packed]), _associated(pass_id))
        return [_PROTECTED, {_IV: nonce}, sealed]

    def open(self, message: cbor.Value, pass_id: bytes) -> PassTemplate:
        """The template of a pass whose signature was verified.

        Raises:
            CredentialError: ``Other``: it was made for another community, or is malformed.
        """
        match message:
            case (bytes(protected), Mapping() as header, bytes(sealed)) if protected == _PROTECTED:
                nonce = header.get(_IV)
            case _:
                raise _unusable()
        if not isinstance(nonce, bytes) or len(nonce) != _NONCE_BYTES:
            raise _unusable()
        try:
            plain = self._aead.decrypt(nonce, sealed, _associated(pass_id))
        except InvalidTag:
            detail = "template: sealed for another community"
            raise CredentialError(Reason.OTHER, detail) from None
        return _template(plain)


def _template(plain: bytes) -> PassTemplate:
    match cbor.decode(plain):
        case (str(pack), str(version), int(bits), int(components), bytes(packed)):
            try:
                values = dequantise(packed, bits, components)
            except ValueError:
                raise _unusable() from None
            return PassTemplate(pack, version, values)
        case _:
            raise _unusable()


def _associated(pass_id: bytes) -> bytes:
    return cbor2.dumps(["Encrypt0", _PROTECTED, pass_id])


def _unusable() -> CredentialError:
    return unreadable("template: malformed")
