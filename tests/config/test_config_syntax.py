"""A text that is no TOML: what is marked, what is said of it, and how to mend it."""

from pathlib import Path

import pytest
from config_parts import GOOD

from agent.config import load_config
from agent.errors import ConfigError, Fault


def fault(tmp_path: Path, text: str) -> Fault:
    path = tmp_path / "gate.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    (found,) = caught.value.faults
    return found


def changed(old: str, new: str) -> str:
    assert old in GOOD, old
    return GOOD.replace(old, new, 1)


SPAN = '{ days = ["mon"], from = "22:00", until = "06:00" }'
CASES = [
    # what to write in place of what, what is marked, the key, what is said, the fix
    ("[face]", "[face]\nmargin = 0,03", "0,03", "face.margin", "0,03 is no number", "write 0.03"),
    ("[face]", "[face]\nmargin = .5", ".5", "face.margin", "from 0 to 1", "write 0.5"),
    ("[face]", "[face]\nmargin = 5.", "5.", "face.margin", "5. is no value", "write 5.0"),
    (
        "[face]",
        "[face]\nfreshness_s = 3 s",
        "3 s",
        "face.freshness_s",
        "3 s is",
        "write 3: the unit",
    ),
    ("pin = 17", "pin = 017", "017", "door[0].pin", "a whole number from 0", "write 17"),
    ("pin = 17", "pin = 17 18", "18", "door[0].pin", "stands behind the value", "take it out"),
    ("= true", "= True", "True", "door[0].active_high", "true or false", "write true"),
    ("= true", "= yes # x", "yes", "door[0].active_high", "true or false", "write true"),
    ('"opencv"', "opencv", "opencv", "camera[0].kind", '"picamera2", "op', 'write "opencv"'),
    ('"g3"', "", "=", "kiosk.grid", "has no value: it is a text", None),
    ('"g3"', "null", "null", "kiosk.grid", "null is no value", "leave the key out"),
    ('"22:00"', "22:00", "22:00", "rule[0].schedule[0].from", "a time of day", 'write "22:00"'),
    # quotes and signs of typesetting and of Chinese input
    (
        '"opencv"',
        "\u201copencv\u201d",
        "\u201copencv\u201d",
        "camera[0].kind",
        "",
        'write "opencv"',
    ),
    (
        '"opencv"',
        "\u300copencv\u300d",
        "\u300copencv\u300d",
        "camera[0].kind",
        "",
        'write "opencv"',
    ),
    ('"g3"', '"g3\u201d', "\u201d", "kiosk.grid", "is a quote of typesetting", "write straight"),
    ("grid =", "grid \uff1d", "\uff1d", "kiosk.grid", "U+FF1D, fullwidth equals", "write ="),
    ("grid =", "grid\u3000=", "\u3000", "kiosk.grid", "U+3000, ideographic space", "write a plain"),
    ("grid =", "\ufeffgrid =", "\ufeff", None, "U+FEFF", "take it out"),
    ("grid =", "grid:", ":", "kiosk.grid", ": stands where = should", "write = in its place"),
    # what does not end
    ('"g3"', '"g3', '"g3', "kiosk.grid", "this text does not end", 'put " behind'),
    ('"g3"', '"""g3', '"""', "kiosk.grid", "this text does not end", 'put """ behind'),
    ('["guest"]', '["guest"', "[", "rule[1].categories", "this list does not end", "put ] behind"),
    (f"[{SPAN}]", f"[{SPAN[:-2]}]", "{", "rule[0].schedule[0]", "does not end on its", "put } beh"),
    (
        SPAN,
        SPAN.replace(", until", ",\n until"),
        "{",
        "rule[0].schedule[0].from",
        "does not end on",
        "",
    ),
    ("[kiosk]", "[kiosk", "[kiosk", None, "[kiosk is not closed by ]", "write [kiosk]"),
    ("[[door]]", "[[door]", "[[door]", None, "[[door is not closed by ]]", "write [[door]]"),
    ("[kiosk]", "[]", "[]", None, "without its name", "write [NAME]"),
    (
        "[kiosk]",
        "[kiosk] x",
        "x",
        None,
        "stands behind the head of a table, [kiosk]",
        "take it out",
    ),
    # commas
    (
        '"resident", "staff"',
        '"resident" "staff"',
        '"',
        "rule[0].categories",
        "a comma is",
        "write ,",
    ),
    (SPAN, SPAN.replace('"],', '"]'), "f", "rule[0].schedule[0]", "a comma is missing", None),
    (SPAN, SPAN.replace('" }', '", }'), "}", None, "a comma stands before this", "leave the last"),
    # what stands twice
    (
        'grid = "g3"',
        'grid = "g3"\ngrid = 1',
        "grid",
        "kiosk.grid",
        "stands twice, first in line 3",
        "",
    ),
    (SPAN, SPAN.replace("until", "from"), "from", "rule[0].schedule[0].from", "stands twice", ""),
    ("[broker]", "[face]\n[broker]", "[face]", None, "[face] is there already, since", "put what"),
    (
        '[[door]]\nid = "out"',
        '[door]\nid = "out"',
        "[door]",
        None,
        "does not go with [[door]]",
        "write [[",
    ),
    ("[camera.zone]", "zone = 5\n[camera.zone]", "[camera.zone]", None, "there already", None),
    # other languages
    ("[face]", "// x\n[face]", "//", None, "is no comment of TOML", "begin it with #"),
    ("[face]", "; x\n[face]", ";", None, "is no comment of TOML", "begin it with #"),
    ("[face]", "<<<<<<< HEAD\n[face]", "<<<<<<< HEAD", None, "never merged", "choose one"),
    ("[face]", "- face\n[face]", "- face", None, "has a key and no =", "write KEY = VALUE"),
    ("[face]", "= 5\n[face]", "=", None, "neither KEY = VALUE nor the head of a [table]", None),
    ('"g3"', '"C:\\gate"', "\\g", "kiosk.grid", "begins a special character", "write \\\\, or"),
    ('"g3"', '"g\x01"', "\x01", "kiosk.grid", "is a control character", "take it out"),
]


@pytest.mark.parametrize(
    ("old", "new", "mark", "key", "message", "fix"),
    CASES,
    ids=[repr(case[1][:30]) for case in CASES],
)
def test_what_was_meant_is_said(
    tmp_path, old: str, new: str, mark: str, key: str | None, message: str, fix: str | None
) -> None:
    text = changed(old, new)
    found = fault(tmp_path, text)
    assert found.excerpt is not None
    assert found.excerpt[slice(*found.mark)] == mark
    assert message in found.message
    assert (found.fix or "").startswith(fix or "")
    if key is not None:
        assert found.key == key
    assert found.line is not None
    assert found.column is not None
    assert text.split("\n")[found.line - 1][found.column - 1 :].startswith(mark)


def test_a_text_without_an_end_is_marked_where_it_begins_however_far_that_is(tmp_path) -> None:
    text = changed("[[door]]", 'note = """\n[[door]]')
    found = fault(tmp_path, text)
    assert (found.excerpt, found.line) == ('note = """', text.split("\n").index('note = """') + 1)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_the_line_is_that_of_any_editor(tmp_path, ends: str) -> None:
    found = fault(tmp_path, changed("x = 0.25", "x = 0,25").replace("\n", ends))
    assert (found.line, found.column, found.excerpt) == (16, 5, "x = 0,25")
