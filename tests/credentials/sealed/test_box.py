"""Sealed to one key, for one purpose, kiosk and place."""

import hmac
import json
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from sync_parts import KIOSK, SEALING_KEY

from agent.credentials.errors import CredentialError
from agent.credentials.passes.issuers import key_id
from agent.credentials.sealed.box import OVERHEAD_BYTES, OtherKeyError, seal, unseal
from agent.credentials.sealed.chunks import Chunk, Head, read_message
from agent.credentials.sealed.parcel import open_part
from agent.credentials.signed.entries import Removal
from agent.domain.credential.holder import HolderId
from agent.domain.credential.reason import Reason

PURPOSE = b"gate/registry/1"


def opened(
    data: bytes, *, purpose: bytes = PURPOSE, kiosk: str = KIOSK, context: bytes = b""
) -> bytes:
    return unseal(data, SEALING_KEY, purpose, kiosk, context, max_bytes=4096)


def test_what_is_sealed_opens_for_what_it_was_sealed_for_only() -> None:
    data = seal(b"anna", SEALING_KEY.public_key(), PURPOSE, KIOSK, b"7")
    assert opened(data, context=b"7") == b"anna"
    for opening in (
        lambda: opened(data, context=b"7", purpose=b"gate/other/1"),
        lambda: opened(data, context=b"7", kiosk="lakeside/g3/north-2"),
        lambda: opened(data, context=b"8"),
    ):
        with pytest.raises(CredentialError) as caught:
            opening()
        assert caught.value.reason is Reason.CREDENTIAL_FORGED


def test_words_that_are_shifted_from_one_place_to_the_next_are_other_words() -> None:
    data = seal(b"x", SEALING_KEY.public_key(), b"gate", "a", b"b")
    with pytest.raises(CredentialError):
        opened(data, purpose=b"gate", kiosk="a\0b")


def test_another_key_is_said_to_be_another() -> None:
    data = seal(b"x", X25519PrivateKey.generate().public_key(), PURPOSE, KIOSK)
    with pytest.raises(OtherKeyError):
        opened(data)


def test_a_bit_that_flips_anywhere_opens_nothing() -> None:
    data = seal(b"anna", SEALING_KEY.public_key(), PURPOSE, KIOSK)
    for at in range(len(data)):
        broken = bytearray(data)
        broken[at] ^= 1
        with pytest.raises(CredentialError):
            opened(bytes(broken))


def test_it_is_never_longer_than_it_says() -> None:
    plain = bytes(100_000)
    assert len(seal(plain, SEALING_KEY.public_key(), PURPOSE, KIOSK)) - len(plain) <= OVERHEAD_BYTES


@given(st.binary(max_size=400))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    with pytest.raises(CredentialError):
        opened(data)


@given(st.binary(max_size=200))
def test_no_sealed_bytes_do_more_than_be_refused(data: bytes) -> None:
    named = cbor2.loads(seal(b"", SEALING_KEY.public_key(), PURPOSE, KIOSK))[1]
    with pytest.raises(CredentialError):
        opened(cbor2.dumps([1, named, data]))


def test_the_vector_in_the_documentation_opens() -> None:
    page = Path(__file__).parents[3] / "docs" / "registry-sync.md"
    vector = json.loads(page.read_text().split("```json\n")[1].split("```")[0])
    given = {
        name: bytes.fromhex(vector[name]) for name in vector if name not in ("kiosk", "purpose")
    }
    key = X25519PrivateKey.from_private_bytes(given["sealing key, private"])
    signer = Ed25519PublicKey.from_public_bytes(given["registry key, public"])
    kiosk, purpose = vector["kiosk"], vector["purpose"].encode()
    plain = unseal(given["sealed"], key, purpose, kiosk, given["context"], max_bytes=4096)
    assert plain == given["signed part"]
    head = read_message(given["head message"], lambda _id: signer, kiosk)
    chunk = read_message(given["chunk message"], lambda _id: signer, kiosk)
    assert isinstance(head, Head)
    assert isinstance(chunk, Chunk)
    assert (chunk.data, chunk.hash) == (given["sealed"], head.hashes[0])
    part = open_part(chunk.data, head.step, head.number, key, lambda _id: signer)
    assert part.entries == (Removal(HolderId("anna")),)
    assert (part.step.since, part.step.version) == (7, 8)


def by_hand(key: X25519PrivateKey, sealed: bytes, info: bytes) -> bytes:
    """RFC 9180, base mode, single shot: its key schedule from HMAC alone."""
    enc, ciphertext = sealed[:32], sealed[32:]
    kem = b"KEM" + (0x20).to_bytes(2)
    suite = b"HPKE" + b"".join(number.to_bytes(2) for number in (0x20, 1, 2))

    def extract(scope: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
        said = b"HPKE-v1" + scope + label + material
        return hmac.digest(salt or bytes(32), said, "sha256")

    def expand(scope: bytes, secret: bytes, label: bytes, about: bytes, length: int) -> bytes:
        said = length.to_bytes(2) + b"HPKE-v1" + scope + label + about
        return hmac.digest(secret, said + b"\x01", "sha256")[:length]

    shared = key.exchange(X25519PublicKey.from_public_bytes(enc))
    own = key.public_key().public_bytes_raw()
    secret = expand(kem, extract(kem, b"", b"eae_prk", shared), b"shared_secret", enc + own, 32)
    context = b"\0" + extract(suite, b"", b"psk_id_hash", b"")
    context += extract(suite, b"", b"info_hash", info)
    secret = extract(suite, secret, b"secret", b"")
    cipher = AESGCM(expand(suite, secret, b"key", context, 32))
    return cipher.decrypt(expand(suite, secret, b"base_nonce", context, 12), ciphertext, b"")


def test_it_is_what_the_standard_says() -> None:
    data = seal(b"anna", SEALING_KEY.public_key(), PURPOSE, KIOSK, b"7")
    version, named, sealed = cbor2.loads(data)
    assert (version, named) == (1, key_id(SEALING_KEY.public_key()))
    assert by_hand(SEALING_KEY, sealed, PURPOSE + b"\0" + KIOSK.encode() + b"\0" + b"7") == b"anna"
