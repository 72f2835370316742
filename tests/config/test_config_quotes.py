"""Quotes of a word processor on the boot partition: taken for plain ones around values alone."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config.quotes import TYPESET, straightened


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a = \u201cone\u201d", "one"),
        ("a = \u201eone\u201c", "one"),
        ("a = \u00abone\u00bb", "one"),
        ("a = \u2018one\u2019", "one"),
        ('a = \u201cone"', "one"),
        ('a = "one\u201d', "one"),
        ("a = [\u201cone\u201d, 'two', \u201dthree\u201d]", ["one", "two", "three"]),
        ("a = \u201c\u674e # no comment\u201d # \u201ca comment\u201d", "\u674e # no comment"),
    ],
)
def test_a_value_in_typeset_quotes_is_read(text: str, value: object) -> None:
    made = straightened(f"# first\n{text}")
    assert tomllib.loads(made.text)["a"] == value
    assert made.lines == (2,)
    assert len(made.text) == len(text) + len("# first\n")


@pytest.mark.parametrize(
    "text",
    [
        'a = "he said \u201cno\u201d"',
        "a = 'it\u2019s'",
        'a = """\n\u201cone\u201d\n"""',
        "# \u201ca comment\u201d",
        'a = "a \\" \u201cb\u201d"',
    ],
)
def test_what_stands_in_plain_quotes_or_a_comment_stays(text: str) -> None:
    assert straightened(text) == (text, ())


@pytest.mark.parametrize(
    "text", ["a = \u201cone\nb = 2", "a = \u201co\\ne\u201d", 'a = ["a\u201d, "b"]']
)
def test_what_may_mean_several_things_stays_an_error(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(straightened(text).text)


@given(st.text(st.sampled_from(f"ab=[] #'\"\\\n,{TYPESET}"), max_size=60))
def test_nothing_moves_and_what_is_toml_stays_as_it_is(text: str) -> None:
    made = straightened(text)
    assert len(made.text) == len(text)
    assert all(
        new == old or (new == '"' and old in TYPESET)
        for new, old in zip(made.text, text, strict=True)
    )
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert (made.lines, tomllib.loads(made.text)) == ((), before)
