"""What is changed, withheld, erased, taken out or put elsewhere, as the chain shows it."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
import rfc8785
from hypothesis import assume, given
from hypothesis import strategies as st

from agent.domain.record import chain
from agent.domain.record.chain import Check
from agent.domain.record.jcs import canonical
from agent.domain.record.published import PERSONAL, THINNED

COVERED = PERSONAL | THINNED
WHOLE = st.characters(exclude_categories=["Cs"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(WHOLE, max_size=8)
)
VALUES = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.text(WHOLE), LEAVES, max_size=3)
OPEN = st.text(st.characters(categories=["Ll"]), min_size=1, max_size=8).filter(
    lambda name: name not in COVERED | {"commitments", "salts"}
)
DATA = st.builds(
    lambda opened, covered: {**opened, **covered},
    st.dictionaries(OPEN, VALUES, max_size=4),
    st.dictionaries(st.sampled_from(sorted(COVERED)), VALUES, max_size=4),
)
SALT = st.binary(min_size=chain.SALT_BYTES, max_size=chain.SALT_BYTES)
Event = dict[str, Any]


def made(
    data: Mapping[str, Any], salt: bytes, sequence: int = 1, before: str = chain.ORIGIN
) -> Event:
    """An event as it is published with all that it carries."""
    body = dict(data)
    hidden = {name: one for name, one in data.items() if name in COVERED}
    if found := chain.commitments(salt, hidden):
        body |= {"commitments": found, "salts": chain.salts(salt, hidden)}
    return {
        "source": "/gate/a/b/c",
        "sequence": f"{sequence:020d}",
        "previous": before,
        "data": body,
    }


def without(event: Event, fields: frozenset[str]) -> Event:
    """The copy that somebody gets from whom these covered fields are withheld."""
    data = {name: one for name, one in event["data"].items() if name not in fields}
    if "salts" in data:
        data["salts"] = {name: one for name, one in data["salts"].items() if name not in fields}
        if not data["salts"]:
            del data["salts"]
    return {**event, "data": data}


def differs(one: object, other: object) -> bool:
    return canonical(one) != canonical(other)


@given(DATA, SALT)
def test_an_event_is_whole_on_its_own_and_as_json(data: Event, salt: bytes) -> None:
    event = made(data, salt)
    assert chain.check(event) is Check.WHOLE
    read = json.loads(json.dumps(event))
    assert chain.check(read) is Check.WHOLE
    assert chain.link(read) == chain.link(event)


@given(DATA, SALT)
def test_minimal_full_and_erased_have_one_link(data: Event, salt: bytes) -> None:
    event = made(data, salt)
    for fields in (THINNED, PERSONAL, COVERED):
        copy = without(event, fields)
        assert not fields & copy["data"].keys()
        assert chain.link(copy) == chain.link(event)
        assert chain.check(copy) is Check.WHOLE


@given(DATA, SALT, VALUES, st.data())
def test_any_other_value_is_found(
    data: Event, salt: bytes, value: Any, draw: st.DataObject
) -> None:
    event = made(data, salt)
    assume(data)
    name = draw.draw(st.sampled_from(sorted(data)))
    assume(differs(data[name], value))
    other = {**event, "data": {**event["data"], name: value}}
    assert chain.link(other) != chain.link(event) or chain.check(other) is Check.ALTERED


@given(DATA, SALT, st.data())
def test_any_other_byte_is_found(data: Event, salt: bytes, draw: st.DataObject) -> None:
    event = made(data, salt)
    sent = bytearray(json.dumps(event).encode())
    place = draw.draw(st.integers(0, len(sent) - 1))
    sent[place] = draw.draw(st.integers(0, 255).filter(lambda byte: byte != sent[place]))
    try:
        read = json.loads(bytes(sent))
    except ValueError:
        return
    assume(differs_or_broken(read, event))
    assert isinstance(read, dict)
    assert chain.check(read) is not Check.WHOLE or chain.link(read) != chain.link(event)


def differs_or_broken(read: object, event: Event) -> bool:
    try:
        return differs(read, event)
    except ValueError:
        return True


@given(DATA, SALT, OPEN, VALUES)
def test_what_is_added_is_found(data: Event, salt: bytes, name: str, value: Any) -> None:
    assume(name not in data)
    event = made(data, salt)
    within = {**event, "data": {**event["data"], name: value}}
    assert chain.link(within) != chain.link(event)
    assume(name not in event)
    assert chain.link({**event, name: value}) != chain.link(event)


@given(DATA, SALT)
def test_what_is_taken_away_is_found_but_for_a_value_with_its_salt(
    data: Event, salt: bytes
) -> None:
    event = made(data, salt)
    for name in data:
        kept = {key: one for key, one in event["data"].items() if key != name}
        other = {**event, "data": kept}
        assert chain.link(other) != chain.link(event) or chain.check(other) is Check.ALTERED


@given(st.lists(DATA, min_size=2, max_size=6), SALT, st.data())
def test_an_event_taken_out_or_put_elsewhere_is_found(
    several: list[Event], salt: bytes, draw: st.DataObject
) -> None:
    events: list[Event] = []
    before = chain.ORIGIN
    for number, data in enumerate(several, 1):
        events.append(made(data, salt, number, before))
        before = chain.link(events[-1])
    assert unbroken(events)
    place = draw.draw(st.integers(0, len(events) - 1))
    gone = events[:place] + events[place + 1 :]
    # What is missing at the very end only the next event, or a checkpoint, shows.
    assert unbroken(gone) is (place == len(events) - 1)
    other = draw.draw(st.integers(0, len(events) - 1).filter(lambda one: one != place))
    events[place], events[other] = events[other], events[place]
    assert not unbroken(events)


def unbroken(events: list[Event]) -> bool:
    first = chain.follows(events[0], chain.ORIGIN) if events else True
    return first and all(chain.follows(later, chain.link(one)) for one, later in pairwise(events))


@given(salt=st.binary(min_size=1, max_size=64), fields=st.lists(st.text(WHOLE, max_size=9)))
def test_a_field_s_salt_is_the_hmac_of_its_name(salt: bytes, fields: list[str]) -> None:
    assert chain.salts(salt, fields) == {
        one: chain.base64_text(hmac.digest(salt, one.encode(), "sha256")[:16]) for one in fields
    }


def test_a_commitment_tells_nothing_without_its_salt() -> None:
    one, other = (chain.commitments(bytes([n]) * 16, {"holder": "anna"}) for n in (1, 2))
    assert one != other
    assert chain.commitments(bytes([1]) * 16, {"pass": "anna"})["pass"] != one["holder"]


def test_an_event_from_before_the_chain_is_unchained() -> None:
    assert chain.check({"data": {"holder": "anna"}}) is Check.UNCHAINED


WITH_HOLDER = made({"holder": "anna", "door": "one"}, b"s" * 16)


@pytest.mark.parametrize(
    "event",
    [
        {**WITH_HOLDER, "previous": "0" * 63},
        {**WITH_HOLDER, "previous": "G" * 64},
        {**WITH_HOLDER, "previous": None},
        {**WITH_HOLDER, "data": None},
        {**WITH_HOLDER, "more": "half \ud800"},
        {**WITH_HOLDER, "data": {**WITH_HOLDER["data"], "salts": None}},
        {**WITH_HOLDER, "data": {**WITH_HOLDER["data"], "salts": {}}},
        {**WITH_HOLDER, "data": {**WITH_HOLDER["data"], "salts": {"holder": 1}}},
        {**WITH_HOLDER, "data": {**WITH_HOLDER["data"], "salts": {"door": "a"}}},
        {**WITH_HOLDER, "data": {**WITH_HOLDER["data"], "commitments": ["holder"]}},
        {**WITH_HOLDER, "data": {**WITH_HOLDER["data"], "commitments": {"holder": "\u00fc"}}},
        {**WITH_HOLDER, "data": {"holder": "anna", "salts": WITH_HOLDER["data"]["salts"]}},
    ],
    ids=str,
)
def test_a_copy_that_nobody_made_is_altered(event: Event) -> None:
    assert chain.check(event) is Check.ALTERED


def test_whoever_has_sha_256_and_rfc_8785_finds_the_same() -> None:
    salt = bytes(range(16))
    event = made({"holder": "anna", "door": "one"}, salt)
    of_field = hmac.new(salt, b"holder", hashlib.sha256).digest()[:16]
    shown = urlsafe_b64encode(of_field).decode().rstrip("=")
    assert event["data"]["salts"] == {"holder": shown} == {"holder": "AAVrRl1If9ot2I2qc4pp1g"}
    hashed = hashlib.sha256(rfc8785.dumps([shown, "holder", "anna"])).digest()
    promised = urlsafe_b64encode(hashed).decode().rstrip("=")
    assert event["data"]["commitments"] == {"holder": promised}
    bare = {**event, "data": {"door": "one", "commitments": {"holder": promised}}}
    assert chain.link(event) == hashlib.sha256(rfc8785.dumps(bare)).hexdigest()
