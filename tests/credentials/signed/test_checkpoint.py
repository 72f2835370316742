"""A checkpoint: by the kiosk's key, for this purpose, to the last byte, or not at all."""

from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pass_parts import KEY, NOW, OTHER_KEY

from agent.credentials.errors import CredentialError
from agent.credentials.formats import cose
from agent.credentials.passes.issuers import key_id
from agent.credentials.signed.checkpoint import (
    PURPOSE,
    Checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from agent.domain.credential.reason import Reason

GIVEN = Checkpoint(
    source="/gate/lakeside/g3/north-1",
    epoch="7f1c2a9e04b8d6c5",
    sequence=311,
    link=bytes(range(32)),
    time=NOW.replace(microsecond=0),
    clock_trusted=True,
)
BODY: dict[int, Any] = {1: "/gate/a/b/c", 2: "e", 3: 1, 4: bytes(32), 5: 1_800_000_000, 6: True}


def signed(body: object, purpose: bytes = PURPOSE) -> bytes:
    return cose.sign(cbor2.dumps(body), KEY, key_id(KEY.public_key()), external_aad=purpose)


def refused(data: bytes) -> Reason:
    with pytest.raises(CredentialError) as caught:
        verify_checkpoint(data, KEY.public_key())
    return caught.value.reason


def test_what_was_signed_is_read_again() -> None:
    assert verify_checkpoint(sign_checkpoint(GIVEN, KEY), KEY.public_key()) == GIVEN
    untrusted = replace(GIVEN, clock_trusted=False)
    assert verify_checkpoint(sign_checkpoint(untrusted, KEY), KEY.public_key()) == untrusted


def test_a_signature_is_the_same_each_time() -> None:
    assert sign_checkpoint(GIVEN, KEY) == sign_checkpoint(GIVEN, KEY)


def test_its_time_is_in_whole_seconds() -> None:
    data = sign_checkpoint(replace(GIVEN, time=GIVEN.time.replace(microsecond=999_999)), KEY)
    assert verify_checkpoint(data, KEY.public_key()) == GIVEN


def test_another_key_is_refused() -> None:
    assert refused(sign_checkpoint(GIVEN, OTHER_KEY)) is Reason.CREDENTIAL_FORGED


def test_a_signature_for_another_purpose_is_refused() -> None:
    assert verify_checkpoint(signed(BODY), KEY.public_key()).sequence == 1
    assert refused(signed(BODY, b"")) is Reason.CREDENTIAL_FORGED
    assert refused(signed(BODY, b"gate/reply/1")) is Reason.CREDENTIAL_FORGED


@given(st.data())
def test_any_other_byte_is_refused(draw: st.DataObject) -> None:
    data = bytearray(sign_checkpoint(GIVEN, KEY))
    place = draw.draw(st.integers(0, len(data) - 1))
    data[place] = draw.draw(st.integers(0, 255).filter(lambda byte: byte != data[place]))
    try:
        found = verify_checkpoint(bytes(data), KEY.public_key())
    except CredentialError:
        return
    # Only what COSE leaves outside its signature may differ: tags, and the unprotected header.
    assert found == GIVEN


@pytest.mark.parametrize(
    "body",
    [
        1,
        {},
        {**BODY, 1: 1},
        {**BODY, 2: b"e"},
        {**BODY, 3: True},
        {**BODY, 4: bytes(31)},
        {**BODY, 5: 1.5},
        {**BODY, 5: 2**62},
        {**BODY, 6: 1},
    ],
    ids=str,
)
def test_what_is_no_checkpoint_is_refused_though_signed(body: object) -> None:
    assert refused(signed(body)) is Reason.OTHER


@given(st.binary(max_size=1100))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    assert refused(data) in Reason
