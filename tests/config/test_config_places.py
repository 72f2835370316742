"""Where a finding stands: its column, the line with its mark, what stood there, and the fix."""

from pathlib import Path

import pytest
from config_parts import GOOD

from agent.config import load_config
from agent.errors import ConfigError, Fault


def faults(tmp_path: Path, text: str) -> tuple[Fault, ...]:
    path = tmp_path / "gate.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path, pad=())
    return caught.value.faults


def marked(fault: Fault) -> str:
    """What the mark is under."""
    assert fault.excerpt is not None
    return fault.excerpt[slice(*fault.mark)]


def changed(old: str, new: str, text: str = GOOD) -> str:
    assert old in text, old
    return text.replace(old, new, 1)


SPAN = '{ days = ["mon"], from = "22:00", until = "06:00" }'
VALUES: list[tuple[str, str, str, str, str | None]] = [
    # old, new, what is marked, found, fix
    ("pin = 17", "pin = 99", "99", "99", None),
    ("pin = 17", 'pin = "17"', '"17"', '"17"', "write 17"),
    ("pin = 17", "pin   =   17.0  # BCM", "17.0", "17.0", "write 17"),
    ("active_high = true", 'active_high = "yes"', '"yes"', '"yes"', "write true"),
    ("active_high = true", "active_high = 0", "0", "0", "write false"),
    ('id = "north-1"', "id = 5", "5", "5", 'write "5"'),
    ('"opencv"', '"OpenCV "', '"OpenCV "', '"OpenCV "', "did you mean 'opencv'?"),
    ('["guest"]', '"guest"', '"guest"', '"guest"', 'write ["guest"]'),
    ('grid = "g3"', 'grit = "g3"', "grit", "grit", "did you mean 'grid'?"),
    ('grid = "g3"', 'grid = "g3"\nhost = "x"', "host", "host", "it is a key of [broker]"),
    ("[broker]", "[ brokr ]", "[ brokr ]", "[ brokr ]", "did you mean 'broker'?"),
    ('camera = "front"', 'camera = "frnt"', '"frnt"', '"frnt"', "did you mean 'front'?"),
    ('door = "in"', 'door = "zzz"', '"zzz"', '"zzz"', "there is 'in', 'out'"),
    (
        'grid = "g3"',
        'grid = "north gate/3"',
        '"north gate/3"',
        '"north gate/3"',
        'write "north-gate-3"',
    ),
    ('grid = "g3"', 'grid = "\u95e8"', '"\u95e8"', '"\u95e8"', None),
    (
        "[face]",
        '[[rule]]\ncategories = ["x"]\nfactors = ["pas, fase"]\n[face]',
        '"pas, fase"',
        '"pas, fase"',
        'write "pass+face"',
    ),
    (SPAN, SPAN.replace("22:00", "6.30"), '"6.30"', '"6.30"', 'write "06:30"'),
    (SPAN, SPAN.replace("22:00", "25:00"), '"25:00"', '"25:00"', None),
    (
        "[camera.zone]",
        'timezone = "x"\n[camera.zone]',
        "timezone",
        "timezone",
        "it is a key of [kiosk]",
    ),
    # within tables in braces, lists of them, dotted keys and keys in quotes
    (SPAN, SPAN.replace('"mon"', '"sun", "mo"'), '"mo"', '"mo"', "did you mean 'mon'?"),
    (SPAN, SPAN.replace("from", "form"), "form", "form", "did you mean 'from'?"),
    (SPAN, f"{SPAN},\n {SPAN}".replace('"06:00" },', '"6" },'), '"6"', '"6"', None),
    ("[camera.zone]\nx = 0.25", "zone.x = 2", "2", "2", None),
    ("[camera.zone]\nx = 0.25\nwidth = 0.5", "zone = { x = 0.2, y = 9 }", "9", "9", None),
    ("pin = 17", '"pin" = 99', "99", "99", None),
    ("[kiosk]", "kiosk.id = 5\n[kiosk]", "[kiosk]", "[kiosk]", "keep one of the two"),
    # keys of one table against each other: at the key that the message names
    ("pin = 17", "pin = 17\npulse_s = 11.0", "pulse_s", "11.0", None),
    ("width = 0.5", "width = 0.8", "x", "0.25", None),
    ("[broker]", '[broker]\ncert_file = "c"', "cert_file", '"c"', None),
    ("[face]", '[voice]\nkind = "aplay"\n[face]', "kind", '"aplay"', None),
    ("pin = 5", "pin = 017", "017", "017", "write 17"),
    ("green_pin = 24", "green_pin = 17", "17", "17", None),
]


@pytest.mark.parametrize(
    ("old", "new", "mark", "found", "fix"), VALUES, ids=[case[1][:40] for case in VALUES]
)
def test_the_mark_is_under_what_is_wrong(
    tmp_path, old: str, new: str, mark: str, found: str, fix: str | None
) -> None:
    text = changed(old, new)
    told = [one for one in faults(tmp_path, text) if one.excerpt and marked(one) == mark]
    assert [one.found for one in told] == [found]
    (fault,) = told
    assert fault.fix == fix
    assert fault.line is not None
    assert fault.column is not None
    line = text.split("\n")[fault.line - 1]
    assert line[fault.column - 1 :].startswith(mark)


@pytest.mark.parametrize(
    ("old", "key", "mark", "fix"),
    [
        ("active_high = true\n", "door[0].active_high", "[[door]]", "add active_high: true or fal"),
        ('grid = "g3"\n', "kiosk.grid", "[kiosk]", "add grid: a text: 1 to 64 of A-Z a-z 0-9"),
        ('from = "22:00", ', "rule[0].schedule[0].from", SPAN[:2], 'add from: a time of day: "06'),
    ],
)
def test_what_is_missing_is_marked_where_it_belongs(
    tmp_path, old: str, key: str, mark: str, fix: str
) -> None:
    (fault,) = faults(tmp_path, changed(old, ""))
    assert (fault.key, fault.message, fault.found) == (key, "is missing", None)
    assert marked(fault).startswith(mark)
    assert fault.fix is not None
    assert fault.fix.startswith(fix)


@pytest.mark.parametrize(
    ("changes", "message", "fix"),
    [
        (
            [("[[rule]]", "[rule]")],
            "[[rule]] does not go with [rule] in line 45",
            "write [[rule]] above each of them",
        ),
        ([("[kiosk]", "[[kiosk]]")], "there is one [kiosk] only", "write [kiosk]"),
        ([("[[area]]", "[area]")], "[area] is one table, where there may be", "write [[area]]"),
        ([(f"[{SPAN}]", SPAN)], "is one table, where a list of them stands", "write [{ ... }]"),
        (
            [("[camera.zone]\nx = 0.25\nwidth = 0.5", "zone = [{ x = 0 }]")],
            "is a list, where one table stands",
            "write { ... } without the brackets",
        ),
        ([("[camera.zone]", "[[camera.zone]]")], "there is one [camera.zone] only", "write [cam"),
    ],
)
def test_a_table_in_the_wrong_brackets_is_said_once_and_nothing_follows(
    tmp_path, changes: list[tuple[str, str]], message: str, fix: str
) -> None:
    text = GOOD
    for old, new in changes:
        text = changed(old, new, text)
    told = faults(tmp_path, text)
    assert len(told) == 1
    assert told[0].message.startswith(message)
    assert (told[0].fix or "").startswith(fix)


def test_what_is_wrong_within_wrong_brackets_is_told_too(tmp_path) -> None:
    text = changed("[[area]]\n", "[area]\npassback_s = 0\n")
    told = faults(tmp_path, changed("[kiosk]\n", "[[kiosk]]\nzone = 1\n", text))
    assert [(one.key, one.line) for one in told] == [
        ("kiosk", 1),
        ("kiosk.zone", 2),
        ("area", text.split("\n").index("[area]") + 2),
        ("area[0].passback_s", text.split("\n").index("[area]") + 3),
    ]


def test_a_zone_before_its_camera_is_said_to_belong_to_one(tmp_path) -> None:
    told = faults(tmp_path, "[camera.zone]\nx = 0.5\n")
    assert "belongs to a [[camera]], and none stands before it" in [one.message for one in told]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_columns_count_characters_whatever_editor_wrote_it(tmp_path, ends: str, mark: str) -> None:
    text = changed('id = "north-1"', 'id = "\u4e09\u53f7\u95e8"').replace("\n", ends)
    (tmp_path / "gate.toml").write_bytes((mark + text).encode())
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "gate.toml")
    (fault,) = caught.value.faults
    assert (fault.line, fault.column, fault.found) == (4, 6, '"\u4e09\u53f7\u95e8"')
    assert caught.value.findings[0].startswith(f"{tmp_path / 'gate.toml'}:4:6: kiosk.id: should be")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_what_is_no_utf_8_is_shown_up_to_where_it_is(tmp_path, mark: bytes) -> None:
    path = tmp_path / "gate.toml"
    text = changed('grid = "g3"', 'grid = "\u00e9"').encode("latin-1")
    path.write_bytes(mark + text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    (fault,) = caught.value.faults
    assert (fault.line, fault.column, fault.found) == (3, 9, r"\xe9")
    assert fault.excerpt == r'grid = "\xe9"'
    assert marked(fault) == r"\xe9"
    assert fault.message == f"is not UTF-8 at byte {len(mark) + text.index(0xE9)}"


def test_the_second_of_what_there_is_one_of_is_marked(tmp_path) -> None:
    text = changed("[kiosk]", "[[kiosk]]") + '[[kiosk]]\nid = "x"\n'
    (fault,) = faults(tmp_path, text)
    assert (fault.line, fault.key) == (text.count("\n") - 1, "kiosk[1]")
    assert fault.message == "there is one [kiosk] only, and this is the second"


def test_a_key_above_every_table_is_told_where_it_belongs(tmp_path) -> None:
    told = {fault.key: fault.fix for fault in faults(tmp_path, changed("[kiosk]\n", ""))}
    assert told["community"] == "it is a key of [kiosk]"
    assert told["kiosk"] == "add [kiosk]"


def test_what_stood_there_is_told_in_short(tmp_path) -> None:
    (fault,) = faults(tmp_path, changed('"g3"', f'"{"x" * 500}"'))
    assert fault.found is not None
    assert len(fault.found) == 80
    assert fault.found.endswith("...")
