"""Signed commands: what was signed comes back, and nothing else counts."""

from dataclasses import replace
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from pass_parts import KEY, NOW, OTHER_KEY

from agent.credentials.formats import cose
from agent.credentials.passes.issuers import key_id
from agent.credentials.signed.command import (
    MAX_BYTES,
    PURPOSE,
    Command,
    CommandError,
    sign_command,
    verify_command,
)
from agent.credentials.signed.reply import PURPOSE as REPLY_PURPOSE
from agent.credentials.signed.time import answer_time
from agent.domain.record.command import CommandReason

ISSUED = int(NOW.timestamp())
KEY_ID = key_id(KEY.public_key())
UNLOCK = Command(
    "unlock", "lakeside/g3/north-1", ISSUED, ISSUED + 8, bytes(range(16)), {"access_point": "a"}
)
BODY = {1: "unlock", 2: UNLOCK.to, 3: ISSUED, 4: ISSUED + 8, 5: UNLOCK.id}


def known(named: bytes) -> Ed25519PublicKey | None:
    return KEY.public_key() if named == KEY_ID else None


def refused(data: bytes) -> CommandError:
    with pytest.raises(CommandError) as caught:
        verify_command(data, known)
    return caught.value


def signed(body: object, aad: bytes = PURPOSE) -> bytes:
    return cose.sign(cbor2.dumps(body), KEY, KEY_ID, external_aad=aad)


WORDS = st.from_regex(r"[a-z][a-z_]{0,31}", fullmatch=True)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.binary(max_size=20)
)
COMMANDS = st.builds(
    Command,
    WORDS,
    st.from_regex(
        r"[A-Za-z0-9._-]{1,64}/([A-Za-z0-9._-]{1,9}/[A-Za-z0-9._-]{1,9}|\*)", fullmatch=True
    ),
    st.integers(ISSUED, ISSUED + 9),
    st.integers(ISSUED + 10, ISSUED + 99),
    st.binary(min_size=16, max_size=16),
    st.dictionaries(WORDS, SCALARS | st.lists(SCALARS, max_size=4).map(tuple), max_size=8),
    st.none() | st.binary(min_size=16, max_size=16),
)


@given(COMMANDS)
def test_what_was_signed_comes_back(command: Command) -> None:
    assert verify_command(sign_command(command, KEY), known) == (command, KEY_ID)


def test_no_byte_of_it_may_be_another() -> None:
    data = sign_command(UNLOCK, KEY)
    for place in range(len(data)):
        for bit in range(8):
            other = bytearray(data)
            other[place] ^= 1 << bit
            try:
                found = verify_command(bytes(other), known)
            except CommandError:
                continue
            # A tag more or less is not signed, and changes nothing of what is said.
            assert found == (UNLOCK, KEY_ID)
            assert place == 0


def test_a_part_of_it_is_nothing() -> None:
    data = sign_command(UNLOCK, KEY)
    for end in range(len(data)):
        assert refused(data[:end]).word is CommandReason.MALFORMED
    assert refused(data + b"\0").word is CommandReason.MALFORMED


def test_another_key_is_unknown_and_another_signature_forged() -> None:
    error = refused(sign_command(UNLOCK, OTHER_KEY))
    assert (error.word, error.key_id) == (CommandReason.UNKNOWN_KEY, None)
    claimed = cose.sign(cbor2.dumps(BODY), OTHER_KEY, KEY_ID, external_aad=PURPOSE)
    error = refused(claimed)
    assert (error.word, error.key_id, error.command_id) == (CommandReason.FORGED, None, None)


@pytest.mark.parametrize("aad", [b"", REPLY_PURPOSE, b"gate/command/2", b"gate/update/1"])
def test_what_was_signed_for_another_purpose_is_no_command(aad: bytes) -> None:
    assert refused(signed(BODY, aad)).word is CommandReason.FORGED


def test_nor_is_a_signed_time() -> None:
    data = answer_time(bytes(16), UNLOCK.to, NOW, KEY)
    assert refused(data).word is CommandReason.FORGED


def test_a_header_that_is_not_signed_is_refused() -> None:
    message = cbor2.loads(sign_command(UNLOCK, KEY)).value
    data = cbor2.dumps(cbor2.CBORTag(18, [message[0], {4: KEY_ID}, *message[2:]]))
    assert refused(data).word is CommandReason.MALFORMED


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({1: "Unlock!"}, CommandReason.MALFORMED),
        ({1: 1}, CommandReason.MALFORMED),
        ({2: "lakeside"}, CommandReason.MALFORMED),
        ({2: "*"}, CommandReason.MALFORMED),
        ({2: "lakeside/g3/north-1/*"}, CommandReason.MALFORMED),
        ({3: True}, CommandReason.MALFORMED),
        ({3: 1.5}, CommandReason.MALFORMED),
        ({3: ISSUED + 8}, CommandReason.MALFORMED),
        ({4: 2**63}, CommandReason.MALFORMED),
        ({5: bytes(15)}, CommandReason.MALFORMED),
        ({6: None}, CommandReason.MALFORMED),
        ({6: {"A": 1}}, CommandReason.MALFORMED),
        ({6: {"a": 1.5}}, CommandReason.MALFORMED),
        ({6: {"a": {"b": 1}}}, CommandReason.MALFORMED),
        ({6: {"a": [[1]]}}, CommandReason.MALFORMED),
        ({6: {"a": [0] * 65}}, CommandReason.MALFORMED),
        ({7: None}, CommandReason.MALFORMED),
        ({7: bytes(17)}, CommandReason.MALFORMED),
        ({8: "only if it rains"}, CommandReason.UNKNOWN_VERSION),
    ],
)
def test_what_is_no_command_is_refused_though_signed(
    changes: dict[int, Any], word: CommandReason
) -> None:
    error = refused(signed({**BODY, **changes}))
    assert (error.word, error.key_id) == (word, KEY_ID)
    assert error.command_id == (None if 5 in changes else UNLOCK.id)


@pytest.mark.parametrize("body", [1, [], {}, {1: {}}])
def test_so_is_what_is_none_at_all(body: object) -> None:
    assert refused(signed(body)).word is CommandReason.MALFORMED


def test_a_long_one_is_refused_before_it_is_parsed_and_never_signed() -> None:
    assert refused(bytes(MAX_BYTES + 1)).word is CommandReason.TOO_LARGE
    with pytest.raises(CommandError) as caught:
        sign_command(replace(UNLOCK, arguments={"text": "a" * MAX_BYTES}), KEY)
    assert caught.value.word is CommandReason.TOO_LARGE


@pytest.mark.parametrize("changes", [{"verb": "Unlock"}, {"to": "*"}, {"expires": ISSUED}])
def test_what_no_kiosk_would_read_is_not_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(CommandError):
        sign_command(replace(UNLOCK, **changes), KEY)


@given(st.binary(max_size=600))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    assert refused(data).word in CommandReason


@given(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=9))
def test_nor_does_anything_that_is_signed(body: object) -> None:
    assert refused(signed(body)).word is CommandReason.MALFORMED


@pytest.mark.parametrize(
    ("to", "kiosk", "for_it"),
    [
        ("lakeside/g3/north-1", "lakeside/g3/north-1", True),
        ("lakeside/g3/north-1", "lakeside/g3/north-10", False),
        ("lakeside/g3/*", "lakeside/g3/north-1", True),
        ("lakeside/g3/*", "lakeside/g33/north-1", False),
        ("lakeside/*", "lakeside/g3/north-1", True),
        ("lakeside/*", "lakeside2/g3/north-1", False),
    ],
)
def test_a_group_is_whole_names(to: str, kiosk: str, for_it: bool) -> None:  # noqa: FBT001 - a table's column
    assert replace(UNLOCK, to=to).is_for(kiosk) is for_it


def test_nobody_is_named_by_its_repr() -> None:
    assert "anna" not in repr(replace(UNLOCK, arguments={"holder": "anna"}))
