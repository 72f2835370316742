"""Signed replies: the kiosk's word, and nobody else's."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pass_parts import KEY, NOW, OTHER_KEY

from agent.credentials.errors import CredentialError
from agent.credentials.formats import cose
from agent.credentials.passes.issuers import key_id
from agent.credentials.signed.command import PURPOSE as COMMAND_PURPOSE
from agent.credentials.signed.reply import PURPOSE, Reply, sign_reply, verify_reply
from agent.domain.credential.reason import Reason
from agent.domain.record.command import CommandReason, Outcome

BODY = {1: bytes(16), 2: "lakeside/g3/north-1", 3: "done", 6: int(NOW.timestamp()), 7: True}
REPLY = Reply(bytes(16), "lakeside/g3/north-1", Outcome.DONE, int(NOW.timestamp()), True)


def signed(body: object, aad: bytes = PURPOSE) -> bytes:
    return cose.sign(cbor2.dumps(body), KEY, key_id(KEY.public_key()), external_aad=aad)


def refused(data: bytes) -> Reason:
    with pytest.raises(CredentialError) as caught:
        verify_reply(data, KEY.public_key())
    return caught.value.reason


@given(
    st.builds(
        Reply,
        st.just(b"") | st.binary(min_size=16, max_size=16),
        st.just("lakeside/g3/north-1"),
        st.sampled_from(Outcome),
        st.integers(0, 2**40),
        st.booleans(),
        st.none() | st.sampled_from(CommandReason).map(str),
        st.none() | st.dictionaries(st.sampled_from(["sent", "missing"]), st.integers(0, 9)),
        st.none() | st.just("range"),
    )
)
def test_what_was_signed_comes_back(reply: Reply) -> None:
    assert verify_reply(sign_reply(reply, KEY), KEY.public_key()) == reply


def test_another_kiosk_or_purpose_is_not_believed() -> None:
    assert refused(sign_reply(REPLY, OTHER_KEY)) is Reason.CREDENTIAL_FORGED
    assert refused(signed(BODY, b"")) is Reason.CREDENTIAL_FORGED
    assert refused(signed(BODY, COMMAND_PURPOSE)) is Reason.CREDENTIAL_FORGED


def test_a_part_of_it_is_nothing() -> None:
    data = sign_reply(REPLY, KEY)
    for end in range(len(data)):
        assert refused(data[:end]) is Reason.OTHER


def test_a_later_agent_may_say_more() -> None:
    assert verify_reply(signed({**BODY, 4: "new_word", 9: "more"}), KEY.public_key()).reason == (
        "new_word"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {1: bytes(15)},
        {1: None},
        {2: 1},
        {3: "well"},
        {3: [1]},
        {4: 1},
        {5: 1},
        {6: 1.5},
        {7: 1},
        {8: 1},
    ],
)
def test_what_is_no_reply_is_refused_though_signed(changes: dict[int, object]) -> None:
    assert refused(signed({**BODY, **changes})) is Reason.OTHER


@given(st.binary(max_size=600))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    assert refused(data) in Reason


def test_nobody_is_named_by_its_repr() -> None:
    named = Reply(b"", "a/b/c", Outcome.DONE, 0, True, result={"holder": "anna"})
    assert "anna" not in repr(named)
