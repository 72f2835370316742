"""Delegations: what was signed comes back, and nothing that limits nothing is read."""

from datetime import datetime, timedelta
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from pass_parts import KEY, NOW, OTHER_KEY, claims, text

from agent.credentials.errors import CredentialError
from agent.credentials.formats import base45, cose
from agent.credentials.passes.delegation import (
    MAX_BYTES,
    PREFIX,
    Limits,
    delegate,
    read,
    read_text,
)
from agent.credentials.passes.issuers import IssuerKey, Issuers, delegated_key, key_id

RAW = OTHER_KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
DAY = timedelta(days=1)


def made(limits: Limits, begin: datetime | None = None, end: datetime | None = None) -> str:
    return delegate(
        OTHER_KEY.public_key(),
        limits,
        issuers=("office", "desk"),
        signer=(KEY, key_id(KEY.public_key())),
        issued_at=NOW,
        validity=(begin, end),
    )


def signed(body: object, key: Ed25519PrivateKey = KEY) -> str:
    data = cose.sign(cbor2.dumps(body), key, key_id(key.public_key()), tagged=False)
    return PREFIX + base45.encode(data)


WORDS = st.frozensets(st.from_regex(r"[a-z]{1,9}", fullmatch=True), min_size=1, max_size=4)


@given(
    st.none() | WORDS,
    st.none() | st.integers(1, 10**8).map(lambda seconds: timedelta(seconds=seconds)),
    st.none() | WORDS,
)
def test_what_was_handed_on_comes_back(categories, longest, points) -> None:
    limits = Limits(categories, longest, points)
    if limits == Limits():
        with pytest.raises(ValueError, match="limits"):
            made(limits)
        return
    found = read_text(made(limits, NOW, NOW + DAY))
    assert (found.grantor, found.issuer, found.limits) == ("office", "desk", limits)
    assert (found.valid_from, found.valid_until) == (NOW, NOW + DAY)
    assert found.grantor_key_id == key_id(KEY.public_key())
    assert found.is_signed_by(KEY.public_key())
    assert not found.is_signed_by(OTHER_KEY.public_key())
    assert read(found.data) == found


BODY: dict[int, Any] = {1: "office", 2: "desk", 6: 1_700_000_000}
INNER: dict[int, Any] = {1: RAW, 2: ["visitor"]}


def test_a_written_out_body_is_read() -> None:
    assert read_text(signed(BODY | {-70001: INNER})).limits == Limits(frozenset({"visitor"}))


@pytest.mark.parametrize(
    "body",
    [
        [], {}, BODY, BODY | {-70001: 5}, BODY | {-70001: {}}, BODY | {-70000: INNER},
        BODY | {-70001: {1: RAW}}, BODY | {-70001: {2: ["visitor"]}},
        BODY | {-70001: INNER | {1: RAW[:-1]}}, BODY | {-70001: INNER | {1: "x"}},
        BODY | {-70001: INNER | {2: []}}, BODY | {-70001: INNER | {2: "visitor"}},
        BODY | {-70001: INNER | {2: [5]}}, BODY | {-70001: INNER | {2: ["a visitor"]}},
        BODY | {-70001: INNER | {3: 0}}, BODY | {-70001: INNER | {3: 1.5}},
        BODY | {-70001: INNER | {3: True}}, BODY | {-70001: INNER | {3: 2**60}},
        BODY | {-70001: INNER | {4: []}}, BODY | {-70001: INNER | {5: ["later"]}},
        BODY | {-70001: INNER | {2: None}}, BODY | {-70001: INNER | {"x": 1}},
        BODY | {1: 5, -70001: INNER}, BODY | {2: "", -70001: INNER},
        BODY | {4: "soon", -70001: INNER}, BODY | {4: 1, 5: 2, -70001: INNER},
    ],
)  # fmt: skip
def test_what_is_no_delegation_is_refused(body: object) -> None:
    with pytest.raises(CredentialError, match="delegation"):
        read_text(signed(body))


def test_a_pass_is_no_delegation() -> None:
    with pytest.raises(CredentialError):
        read_text(text())
    with pytest.raises(CredentialError):
        read_text(PREFIX + text().removeprefix("GP1:"))


@given(st.binary(max_size=200) | st.just(read_text(made(Limits(longest=DAY))).data), st.data())
def test_bytes_are_a_delegation_or_refused(data: bytes, draw: st.DataObject) -> None:
    cut = draw.draw(st.integers(0, len(data)))
    changed = data[:cut] + draw.draw(st.binary(max_size=2)) + data[cut + 1 :]
    try:
        found = read(changed)
    except CredentialError:
        return
    # Lengths may be written in more bytes than they need; what was signed stays as it was.
    assert found.limits == Limits(longest=DAY) or not found.is_signed_by(KEY.public_key())
    assert len(found.data) <= MAX_BYTES


LIMITS = Limits(frozenset({"visitor"}), 2 * DAY, frozenset({"north", "south"}))
WITHIN: dict[str, Any] = {"category": "visitor", "access_points": frozenset({"north"})}


@pytest.mark.parametrize(
    ("changes", "breach"),
    [
        ({}, None),
        ({"access_points": frozenset({"north", "south"})}, None),
        ({"category": "resident"}, "category"),
        ({"access_points": frozenset()}, "access point"),
        ({"access_points": frozenset({"north", "garden"})}, "access point"),
        ({"valid_until": NOW + DAY + timedelta(seconds=1)}, "longer"),
        ({"valid_from": None, "issued_at": NOW}, None),
        ({"valid_from": None, "issued_at": NOW - 2 * DAY}, "longer"),
        ({"valid_from": None, "issued_at": None}, "longer"),
    ],
)
def test_what_goes_beyond_limits(changes, breach) -> None:
    found = LIMITS.breach(claims(**(WITHIN | changes)))
    assert found is None if breach is None else breach in str(found)


def test_no_limit_is_none() -> None:
    wide = claims(category="resident", valid_from=None, issued_at=None)
    assert Limits().breach(wide) is None


def test_a_key_counts_within_both_of_its_times() -> None:
    delegation = read_text(made(LIMITS, NOW, NOW + 3 * DAY))
    key = delegated_key(delegation, NOW + DAY, NOW + 9 * DAY)
    assert (key.valid_from, key.valid_until) == (NOW + DAY, NOW + 3 * DAY)
    assert delegated_key(delegation).valid_from == NOW


def test_a_key_that_is_there_twice_is_limited() -> None:
    limited = delegated_key(read_text(made(LIMITS)))
    plain = IssuerKey("desk", OTHER_KEY.public_key())
    office = IssuerKey("office", KEY.public_key())
    for keys in ((limited, plain, office), (plain, limited, office)):
        issuers = Issuers(keys)
        assert issuers.find(plain.key_id) == limited
        assert issuers.grantor(limited) == office
    assert Issuers([limited, IssuerKey("other", KEY.public_key())]).grantor(limited) is None
