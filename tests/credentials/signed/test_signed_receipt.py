"""A kiosk's receipts and requests, and the registry's word that it has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sync_parts import KIOSK, REGISTRY_KEY, SIGNING_KEY, STRANGER_KEY, key_of

from agent.credentials.errors import CredentialError
from agent.credentials.signed.receipt import (
    MAX_BYTES,
    MOST_ACKNOWLEDGED,
    Receipt,
    Request,
    acknowledge,
    sign_receipt,
    sign_request,
    verify_acknowledged,
    verify_receipt,
    verify_request,
)
from agent.credentials.signed.update import UpdateError
from agent.domain.credential.reason import Reason
from agent.domain.record.registry_sync import ReceiptOutcome, SyncReason

ERASED = Receipt(
    KIOSK, bytes(16), 7, ReceiptOutcome.ERASED, "anna", 1_796_000_000, True, {"references": 2}
)
REFUSED = Receipt(
    KIOSK, bytes(16), 7, ReceiptOutcome.NOT_ENROLLED, "bert", 1, False, reason="no_face"
)
REQUEST = Request(KIOSK, 4, 4000, bytes(8), bytes(16), ((0, ((0, 3), (9, 9))), (1, ())))


@pytest.mark.parametrize("receipt", [ERASED, REFUSED])
def test_a_receipt_says_what_it_said(receipt: Receipt) -> None:
    data = sign_receipt(receipt, SIGNING_KEY)
    assert verify_receipt(data, SIGNING_KEY.public_key()) == receipt
    with pytest.raises(CredentialError) as caught:
        verify_receipt(data, STRANGER_KEY.public_key())
    assert caught.value.reason is Reason.CREDENTIAL_FORGED


@pytest.mark.parametrize("request_", [REQUEST, Request(KIOSK, 0, 600, bytes(8))])
def test_a_request_says_what_it_said(request_: Request) -> None:
    data = sign_request(request_, SIGNING_KEY)
    assert verify_request(data, SIGNING_KEY.public_key()) == request_
    with pytest.raises(CredentialError):
        verify_receipt(data, SIGNING_KEY.public_key())


def test_only_the_registry_acknowledges_and_only_to_this_kiosk() -> None:
    ids = [bytes([number]) * 16 for number in range(MOST_ACKNOWLEDGED)]
    data = acknowledge(KIOSK, ids, REGISTRY_KEY)
    assert verify_acknowledged(data, key_of, KIOSK) == tuple(ids)
    assert len(data) <= MAX_BYTES
    for said, kiosk, word in (
        (data, "lakeside/g3/north-2", SyncReason.OTHER_KIOSK),
        (acknowledge(KIOSK, ids, STRANGER_KEY), KIOSK, SyncReason.UNKNOWN_KEY),
        (acknowledge(KIOSK, [b"short"], REGISTRY_KEY), KIOSK, SyncReason.MALFORMED),
        (sign_receipt(ERASED, REGISTRY_KEY), KIOSK, SyncReason.FORGED),
    ):
        with pytest.raises(UpdateError) as caught:
            verify_acknowledged(said, key_of, kiosk)
        assert caught.value.word is word


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for read in (verify_receipt, verify_request):
        with pytest.raises(CredentialError):
            read(data, SIGNING_KEY.public_key())
    with pytest.raises(UpdateError):
        verify_acknowledged(data, key_of, KIOSK)
