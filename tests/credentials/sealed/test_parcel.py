"""An update signed, sealed and cut: it comes out as it went in, or not at all."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import cbor2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from sync_parts import (
    ISSUED,
    KIOSK,
    REGISTRY_KEY,
    SEALING_KEY,
    STRANGER_KEY,
    TO,
    key_of,
    messages,
    packed,
    person,
    template,
)

from agent.credentials.formats import cose
from agent.credentials.passes.issuers import IssuerKey, key_id
from agent.credentials.sealed.chunks import (
    LEAST_MESSAGE_BYTES,
    MOST_MESSAGE_BYTES,
    Acknowledged,
    Chunk,
    Head,
    read_message,
)
from agent.credentials.sealed.parcel import Parcel, make_update, open_part
from agent.credentials.signed.entries import (
    Entry,
    Face,
    HolderEntry,
    IssuerEntry,
    IssuerGone,
    Removal,
    Revocation,
)
from agent.credentials.signed.update import Part, UpdateError, sign_part, verify_part
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.domain.record.registry_sync import SyncReason

WHOLE = person(
    "anna",
    Face("dlib", "1", template(1), (template(2), template(3))),
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    valid_until=datetime(2027, 1, 1, tzinfo=UTC),
    enabled=False,
)
ENTRIES: list[Entry] = [
    person("bert", consent=None, overrules=True),
    person("carl", photograph=b"\xff\xd8 a photograph"),
    Removal(HolderId("dora")),
    Revocation(PassId("0f1e2d3c4b5a6978")),
    IssuerGone("d5b3bb1e5347223f"),
]


def received(parcel: Parcel) -> tuple[Head, bytes]:
    head = read_message(parcel.head, key_of, KIOSK)
    assert isinstance(head, Head)
    pieces = [read_message(one, key_of, KIOSK) for one in parcel.chunks]
    assert [one.hash for one in pieces if isinstance(one, Chunk)] == list(head.hashes)
    return head, b"".join(one.data for one in pieces if isinstance(one, Chunk))


def opened(parcel: Parcel) -> Part:
    head, sealed = received(parcel)
    return open_part(sealed, head.step, head.number, SEALING_KEY, key_of)


def why(data: bytes, kiosk: str = KIOSK) -> SyncReason:
    with pytest.raises(UpdateError) as caught:
        read_message(data, key_of, kiosk)
    return caught.value.word


def test_an_update_comes_out_as_it_went_in() -> None:
    issuer = IssuerKey("office", STRANGER_KEY.public_key(), None, ISSUED)
    (parcel,) = packed([WHOLE, *ENTRIES, IssuerEntry(issuer)], (4, 9))
    part = opened(parcel)
    first, *others, last = part.entries
    assert isinstance(first, HolderEntry)
    assert first.holder == WHOLE.holder
    assert first.faces is not None
    assert WHOLE.faces is not None
    assert np.array_equal(first.faces[0].template, WHOLE.faces[0].template)
    assert [len(one) for one in first.faces[0].parts] == [128, 128]
    assert others == ENTRIES or [*map(repr, others)] == [*map(repr, ENTRIES)]
    assert isinstance(last, IssuerEntry)
    assert last.key.key_id == issuer.key_id
    assert last.key.valid_until == ISSUED
    assert (part.step.since, part.step.version, part.step.parts) == (4, 9, 1)
    assert not part.step.is_snapshot


def test_nothing_of_a_person_can_be_read_on_the_way() -> None:
    face = Face("dlib", "1", template(1))
    sent = b"".join(messages(packed([person("anna", face, called="Anna Meier")])))
    for secret in (b"anna", b"Meier", template(1).tobytes()[:16]):
        assert secret not in sent


@pytest.mark.parametrize("most", [LEAST_MESSAGE_BYTES, 1000, 2500, MOST_MESSAGE_BYTES])
def test_no_message_is_longer_than_the_broker_takes(most: int) -> None:
    longest = "/".join(["x" * 64] * 3)
    to = replace(TO, kiosk=longest, message_bytes=most)
    people = [person(f"h{number}", Face("dlib", "1", template(number))) for number in range(900)]
    parcels = packed(people, to=to)
    assert max(map(len, messages(parcels))) <= most
    assert len(parcels) > 1
    assert [parcel.number for parcel in parcels] == list(range(len(parcels)))


def test_every_part_opens_by_itself_and_no_two_are_mixed() -> None:
    parcels = packed(
        [person(f"h{number}", Face("d", "1", template(number))) for number in range(900)]
    )
    assert sum(len(opened(parcel).entries) for parcel in parcels) == 900
    (head, _), (_, sealed) = received(parcels[0]), received(parcels[1])
    with pytest.raises(UpdateError) as caught:
        open_part(sealed, head.step, head.number, SEALING_KEY, key_of)
    assert caught.value.word is SyncReason.FORGED


def test_a_stranger_a_neighbour_and_another_purpose_are_told_apart() -> None:
    (own,), (foreign,) = packed([]), packed([], key=STRANGER_KEY)
    assert why(foreign.head) is SyncReason.UNKNOWN_KEY
    assert why(own.head, "lakeside/g3/north-2") is SyncReason.OTHER_KIOSK
    head = cbor2.loads(own.head)[1]
    update = make_update([], TO, (0, 1))
    signed = sign_part(update.step, 0, 1, [], REGISTRY_KEY)
    assert why(cbor2.dumps([1, signed])) is SyncReason.FORGED
    with pytest.raises(UpdateError) as caught:
        verify_part(head, key_of, KIOSK)
    assert caught.value.word is SyncReason.FORGED


def test_a_key_of_the_kiosk_that_was_changed_is_said() -> None:
    to = replace(TO, key=X25519PrivateKey.generate().public_key())
    (parcel,) = packed([], to=to)
    with pytest.raises(UpdateError) as caught:
        opened(parcel)
    assert caught.value.word is SyncReason.OTHER_SEALING_KEY


def test_who_sealed_it_without_the_registrys_key_is_not_believed() -> None:
    update = make_update([person("eve")], TO, (0, 1))
    mixed = update.parcel(0, TO, STRANGER_KEY, ISSUED)
    head = read_message(packed([], update=update.step.update)[0].head, key_of, KIOSK)
    assert isinstance(head, Head)
    sealed = b"".join(cbor2.loads(one)[4] for one in mixed.chunks)
    with pytest.raises(UpdateError) as caught:
        open_part(sealed, head.step, 0, SEALING_KEY, key_of)
    assert caught.value.word is SyncReason.UNKNOWN_KEY


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ({0: 99}, SyncReason.UNKNOWN_VERSION),
        ({0: 2, 1: "anna", 9: 1}, SyncReason.UNKNOWN_VERSION),
        ({0: 2, 1: "not an id"}, SyncReason.MALFORMED),
        ({0: 2, 1: "110101199003074477"}, SyncReason.MALFORMED),
        ({0: 1, 1: "a", 2: "A", 3: "r", 5: 9, 6: 9}, SyncReason.MALFORMED),
        ({0: 1, 1: "a", 2: "", 3: "r"}, SyncReason.MALFORMED),
        ({0: 1, 1: "a", 2: "A", 3: "r", 4: 1}, SyncReason.MALFORMED),
        ({0: 1, 1: "a", 2: "A", 3: "r", 8: [{1: "p", 2: "1", 3: b"\0" * 8}]}, SyncReason.MALFORMED),
        (
            {0: 1, 1: "a", 2: "A", 3: "r", 8: [{1: "p", 2: "1", 3: b"\xff" * 8}]},
            SyncReason.MALFORMED,
        ),
        ({0: 1, 1: "a", 2: "A", 3: "r", 9: b"x" * 200_000}, SyncReason.MALFORMED),
        ({0: 3, 1: "zz" * 8}, SyncReason.MALFORMED),
        ({0: 4, 1: "office", 2: b"short"}, SyncReason.MALFORMED),
        ([], SyncReason.MALFORMED),
    ],
)
def test_an_entry_that_is_none_spoils_its_part(entry: object, word: SyncReason) -> None:
    step = make_update([], TO, (0, 1)).step
    data = sign_part(step, 0, 1, [entry], REGISTRY_KEY)  # type: ignore[list-item] # that is the point
    with pytest.raises(UpdateError) as caught:
        verify_part(data, key_of, KIOSK)
    assert caught.value.word is word


def test_an_entry_that_no_kiosk_would_take_is_not_signed() -> None:
    with pytest.raises(ValueError, match="192 KiB"):
        packed([person("anna", photograph=bytes(193 * 1024))])
    with pytest.raises(ValueError, match="fit"):
        packed([person("a", photograph=bytes(9000))], to=replace(TO, message_bytes=600))
    with pytest.raises(ValueError, match="later one"):
        packed([], (3, 3))


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    with suppress(UpdateError):
        assert isinstance(read_message(data, key_of, KIOSK), Chunk | Acknowledged)


@given(
    st.recursive(st.integers() | st.binary(max_size=20) | st.text(max_size=5), st.lists).map(
        cbor2.dumps
    )
)
def test_no_cbor_does_more_than_be_refused(data: bytes) -> None:
    signed = cbor2.dumps([1, data])
    assert why(signed) in SyncReason


def test_what_the_registry_signed_and_is_no_update_is_refused() -> None:
    for body in ({}, {1: KIOSK}, [1]):
        payload = cbor2.dumps(body)
        named = key_id(REGISTRY_KEY.public_key())
        head = cose.sign(payload, REGISTRY_KEY, named, external_aad=b"gate/part/1")
        assert why(cbor2.dumps([1, head])) is SyncReason.MALFORMED
