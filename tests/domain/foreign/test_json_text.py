"""JSON from elsewhere: what the library reads, but for what nests too deeply."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.foreign.json_text import MAX_DEPTH, TooDeepError, read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def nested(depth: int, inside: str = "") -> str:
    """``depth`` brackets around ``inside``, lists and objects in turn."""
    begin, end = inside, ""
    for number in range(depth):
        begin, end = (f"[{begin}", f"{end}]") if number % 2 == 0 else (f'{{"a":{begin}', f"{end}}}")
    return begin + end


@given(VALUES)
def test_a_value_is_read_as_the_library_reads_it(value):
    text = json.dumps(value)
    assert read_json(text) == read_json(text.encode()) == value


@given(st.text(alphabet='[]{}":,\\a1 ', max_size=400))
def test_whatever_is_no_json_is_a_value_error(text):
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011 - the library's or the depth's
            read_json(text)
    else:
        assert read_json(text) == expected


@pytest.mark.parametrize("beside", ["", ',"["' * 200], ids=["alone", "beside brackets in text"])
def test_the_deepest_that_is_read(beside):
    assert read_json(nested(MAX_DEPTH - 1, f"[1{beside}]")) is not None
    with pytest.raises(TooDeepError, match=r"\Anested too deeply\Z"):
        read_json(nested(MAX_DEPTH, f"[1{beside}]"))


@pytest.mark.parametrize("text", ["[" * 5000, '{"a":' * 500_000, "[" * 200 + '"' + "]" * 200])
def test_what_is_never_closed_is_too_deep(text):
    with pytest.raises(TooDeepError):
        read_json(text)


def test_a_bracket_in_a_string_opens_nothing():
    text = json.dumps(['[{"' * 500, "\\" * 7, '"[' * 500])
    assert read_json(text) == json.loads(text)


def test_what_is_not_utf8_is_no_json():
    with pytest.raises(ValueError, match="utf-8"):
        read_json('"ä"'.encode("latin-1"))
