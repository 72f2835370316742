"""The canonical form, against RFC 8785's own example and another implementation of it."""

import json
import math
import struct

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.record.jcs import canonical

WHOLE = st.characters(exclude_categories=["Cs"])
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | NUMBERS
    | st.text(WHOLE, max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(WHOLE, max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_it_is_what_another_implementation_writes(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]  # JSON of any shape


@given(st.integers(0, 2**64 - 1))
def test_so_is_every_double(bits: int) -> None:
    (number,) = struct.unpack(">d", bits.to_bytes(8))
    if math.isfinite(number):
        assert canonical(number) == rfc8785.dumps(number)


def test_the_example_of_the_rfc() -> None:
    given_text = r"""{
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    }"""
    wanted = (
        r'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        r'"string":"€$\u000f\nA' + "'" + r'B\"\\\\\"/"}'
    )
    assert canonical(json.loads(given_text)).decode() == wanted


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740993, "9007199254740992"),
        (-(2**70), "-1.1805916207174113e+21"),
    ],
)
def test_numbers_at_the_edges(number: float, text: str) -> None:
    assert canonical(number).decode() == text
    # Within an object another encoder may be asked.
    assert canonical({"a": [{"n": number}]}).decode() == f'{{"a":[{{"n":{text}}}]}}'


def test_names_are_sorted_by_their_utf_16_units() -> None:
    # The emoji begins with D83D, which stands before FB33; by code points it would be the last.
    assert canonical({"\ufb33": 1, "\U0001f600": 2, "a": 3}).decode() == (
        '{"a":3,"\U0001f600":2,"\ufb33":1}'
    )


def _deep() -> object:
    value: object = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [math.nan, -math.inf, "half \ud800", {1: 2}, {"a": {None: 1}}, b"bytes", 10**400, _deep()],
    ids=["nan", "inf", "half", "number", "none", "bytes", "huge", "deep"],
)
def test_what_has_no_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(value)
