"""What goes out of a row is what the contract says of it, however it is written."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.app.threads.record.wire import quick_json, wire
from agent.domain.record.chain import commitments
from agent.domain.record.events import Event, EventType
from agent.domain.record.message import COMMITMENT_CHARS, Chained, Commitments, as_json, message
from agent.domain.record.published import Trace, covered, covered_names
from agent.domain.record.topics import Topics
from agent.ports import StoredEvent

_SALT = bytes(range(16))
_TOPICS = Topics("garden", "g1", "north-1")
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(), max_size=6), _VALUES, max_size=6))
def test_quick_json_is_ascii_of_the_same_values(data: dict[str, Any]) -> None:
    text = quick_json(data)
    assert text.isascii()
    assert json.loads(text) == json.loads(as_json(data))


def test_what_no_utf8_can_write_goes_out_too() -> None:
    assert json.loads(quick_json({"file": "half \ud800", "name": "停水"})) == {
        "file": "half \ud800",
        "name": "停水",
    }


@pytest.mark.parametrize("trace", list(Trace))
def test_a_row_goes_out_as_its_message(trace: Trace) -> None:
    data = {"holder": "h1", "score": 0.7, "threshold_fmr": 1e-5, "direction": "entry", "pass": None}
    event = Event("id", EventType.ACCESS_GRANTED, datetime.now(UTC), True, "north", data)
    known = commitments(_SALT, covered(event))
    names = covered_names(event)
    kept = Commitments(names, "".join(known[name] for name in names))
    assert all(len(one) == COMMITMENT_CHARS for one in known.values())
    chained = Chained("/gate/garden/g1/north-1", bytes(32), _SALT, kept)
    row = StoredEvent(7, "epoch", 3, event, published=False, chained=chained)
    sent = wire(_TOPICS, trace)(row)
    assert json.loads(sent) == message(event, row.place(_TOPICS.source), trace)
    assert ("score" in json.loads(sent)["data"]) is (trace is Trace.FULL)
