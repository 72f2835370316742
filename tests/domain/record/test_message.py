"""The bytes of an event, put together of what stands ready, are those of its CloudEvent."""

import json
import os
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.record.chain import commitments
from agent.domain.record.events import Event, EventType
from agent.domain.record.message import (
    COMMITMENT_CHARS,
    Chained,
    Commitments,
    Place,
    message,
    payload,
)
from agent.domain.record.published import PERSONAL, THINNED, Trace, covered, covered_names

# Half a character and all that JSON writes otherwise are among them.
_TEXT = st.text(st.characters(), max_size=8)
_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=5,
)
_KEYS = st.sampled_from(
    [
        *sorted(THINNED | PERSONAL),
        *("clock_synced", "access_point", "commitments", "salts", "data", "n", 'a "quoted" key'),
    ]
)
_EVENT = st.builds(
    Event,
    id=_TEXT,
    type=st.sampled_from([*EventType]),
    time=st.datetimes(
        min_value=datetime(1970, 1, 3),  # noqa: DTZ001 - with the zone below
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(0))]),
    ),
    clock_synced=st.booleans(),
    access_point=st.none() | _TEXT,
    data=st.dictionaries(_KEYS, _VALUE, max_size=8),
)
_SALT = bytes(range(16))


def kept(event: Event) -> Commitments:
    """The commitments of an event as a row keeps them; of values without a form any will do."""
    names = covered_names(event)
    try:
        known = commitments(_SALT, covered(event))
    except ValueError:
        known = dict.fromkeys(names, "x" * COMMITMENT_CHARS)
    return Commitments(names, "".join(known[name] for name in names))


@given(event=_EVENT, source=_TEXT, epoch=_TEXT, trace=st.sampled_from([*Trace]))
def test_what_is_put_together_is_what_would_be_encoded(event, source, epoch, trace) -> None:
    chained = Chained(source, os.urandom(32), _SALT, kept(event))
    for place in (
        Place("elsewhere", epoch, 7, chained),
        Place("elsewhere", epoch, 10**12, Chained(source, bytes(32), None, kept(event))),
        Place("elsewhere", epoch, 7),
    ):
        whole = json.dumps(message(event, place, trace), separators=(",", ":"))
        assert payload(event, place, trace) == whole.encode()


def test_commitments_are_a_mapping_by_name() -> None:
    one, other = "a" * COMMITMENT_CHARS, "b" * COMMITMENT_CHARS
    known = Commitments(("holder", "pass"), one + other)
    assert known == {"holder": one, "pass": other}
    assert (len(known), [*known], known["pass"], "by" in known) == (
        2,
        ["holder", "pass"],
        other,
        False,
    )
    assert json.loads(known.as_json()) == dict(known)
    assert not Commitments((), "")
    with pytest.raises(KeyError):
        known["by"]


@pytest.mark.parametrize(
    "text", ["", "a" * 42, "a" * 44, '"' * 43, "\\" * 43, "é" * 43, "\n" * 43, "\x7f" * 42]
)
def test_what_is_no_commitment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no commitments"):
        Commitments(("holder",), text)
