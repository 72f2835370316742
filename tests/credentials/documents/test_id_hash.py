"""Keyed hashes of ID numbers: one a number, another for each key and purpose."""

import hashlib
import hmac

import pytest
from id_parts import OTHER, RESIDENT, number, wide

from agent.credentials.documents.id_hash import community_hash, document_key_id, kiosk_hash
from agent.credentials.passes.gate_pass import DOCUMENT_BYTES
from agent.errors import RefusedError

KEY, OTHER_KEY = bytes(range(32)), bytes(32)


def test_it_is_the_hmac_of_the_number_in_its_one_form() -> None:
    expected = hmac.new(KEY, RESIDENT.encode(), hashlib.sha256).hexdigest()
    assert kiosk_hash(KEY, f" {RESIDENT.lower()}\n") == expected


def test_every_writing_has_one_hash() -> None:
    whole = "11010519491231002X"
    texts = (whole, whole.lower(), wide(whole), "110105 491231 002")
    assert len({kiosk_hash(KEY, text) for text in texts}) == 1
    assert len({community_hash(KEY, text) for text in texts}) == 1


def test_another_number_key_or_purpose_is_another_hash() -> None:
    hashes = [kiosk_hash(key, text)[:32] for key in (KEY, OTHER_KEY) for text in (RESIDENT, OTHER)]
    hashes += [community_hash(key, RESIDENT) for key in (KEY, OTHER_KEY)]
    assert len(set(hashes)) == len(hashes)


def test_their_lengths_are_those_of_the_registry_and_of_a_pass() -> None:
    assert len(bytes.fromhex(kiosk_hash(KEY, RESIDENT))) == 32
    assert len(bytes.fromhex(community_hash(KEY, RESIDENT))) == DOCUMENT_BYTES


def test_the_keys_id_tells_nothing_of_it() -> None:
    assert document_key_id(KEY) != document_key_id(OTHER_KEY)
    assert document_key_id(KEY) not in hashlib.sha256(KEY).digest()
    assert len(document_key_id(KEY)) == 8


@pytest.mark.parametrize("text", ["", "hello", RESIDENT[:17], number(birth="20010230")])
def test_what_is_no_number_has_no_hash(text: str) -> None:
    for make in (kiosk_hash, community_hash):
        with pytest.raises(RefusedError) as refusal:
            make(KEY, text)
        assert text == "" or text not in str(refusal.value)
