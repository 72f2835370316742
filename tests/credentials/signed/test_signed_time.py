"""A signed time: only the answer to this question, by the right key."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pass_parts import KEY, NOW, OTHER_KEY

from agent.credentials.errors import CredentialError
from agent.credentials.formats import cose
from agent.credentials.passes.issuers import key_id
from agent.credentials.signed.time import answer_time, verify_time
from agent.domain.credential.reason import Reason

NONCE, KIOSK = bytes(range(16)), "lakeside/g3/north-1"


def refused(data: bytes, nonce: bytes = NONCE, kiosk: str = KIOSK) -> Reason:
    with pytest.raises(CredentialError) as caught:
        verify_time(data, KEY.public_key(), nonce, kiosk)
    return caught.value.reason


def test_the_answer_to_the_question_is_believed() -> None:
    data = answer_time(NONCE, KIOSK, NOW, KEY)
    assert verify_time(data, KEY.public_key(), NONCE, KIOSK) == NOW


def test_another_key_question_or_kiosk_is_not() -> None:
    assert refused(answer_time(NONCE, KIOSK, NOW, OTHER_KEY)) is Reason.CREDENTIAL_FORGED
    data = answer_time(NONCE, KIOSK, NOW, KEY)
    assert refused(data, nonce=bytes(16)) is Reason.OTHER
    assert refused(data, kiosk="lakeside/g3/north-2") is Reason.OTHER


@pytest.mark.parametrize(
    "body",
    [
        1,
        {},
        {1: NONCE, 3: KIOSK},
        {1: NONCE, 2: "now", 3: KIOSK},
        {1: NONCE, 2: True, 3: KIOSK},
        {1: NONCE, 2: float("nan"), 3: KIOSK},
        {1: NONCE, 2: 0, 3: KIOSK},
        {1: NONCE, 2: 1e18, 3: KIOSK},
    ],
)
def test_what_is_no_time_is_refused_though_signed(body) -> None:
    assert refused(cose.sign(cbor2.dumps(body), KEY, key_id(KEY.public_key()))) is Reason.OTHER


@given(st.binary(max_size=600))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    assert refused(data) in Reason
