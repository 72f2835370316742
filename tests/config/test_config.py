"""The config file: every fault at once with its line, and nothing that only a fault made wrong."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from config_parts import GOOD

from agent.cli.main import main
from agent.config import ConfigFile, load_config
from agent.config.may import head
from agent.errors import ConfigError


@pytest.fixture
def load(tmp_path):
    def load(text: str | bytes) -> ConfigFile:
        path = tmp_path / "gate.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_config(path, pad=())

    return load


@pytest.fixture
def findings(load, tmp_path):
    """What is wrong with a text, as ``LINE: KEY: MESSAGE`` or without what is not known."""

    def findings(text: str | bytes) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text)
        start = f"{tmp_path / 'gate.toml'}:"
        assert all(one.startswith(start) for one in caught.value.findings)
        assert str(caught.value) == "\n".join(caught.value.findings)
        return [one.removeprefix(start).strip() for one in caught.value.findings]

    return findings


def changed(old: str, new: str, text: str = GOOD) -> str:
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


def line(text: str, start: str) -> int:
    """The first line that begins so."""
    return next(i for i, row in enumerate(text.splitlines(), 1) if row.startswith(start))


def test_a_good_config_is_what_it_says(load, tmp_path) -> None:
    file = load(GOOD)
    assert [camera.id for camera in file.config.camera] == ["front", "back"]
    assert file.config.camera[1].zone.x == 0.25
    assert file.config.rule[0].schedule[0].from_.isoformat() == "22:00:00"
    assert file.config.broker is not None
    assert file.path == (tmp_path / "gate.toml").resolve()
    assert file.resolve("a.jpg") == (tmp_path / "a.jpg").resolve()
    assert file.resolve("/a.jpg") == Path("/a.jpg")


@pytest.mark.parametrize("text", [b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace("\n", "\r\n")])
def test_a_config_may_come_from_another_editor(load, text) -> None:
    assert load(text).config == load(GOOD).config


_LIMIT = "temperature_limit_c = 37.3"
WRONG = [
    # unknown keys and tables
    ('grid = "g3"', 'grid = "g3"\ngrit = 1', "kiosk.grit: is no known key; did you mean 'grid'?"),
    ("pin = 17", "pin = 17\npn = 1", "door[0].pn: is no known key; did you mean 'pin'?"),
    ("x = 0.25", "x = 0.25\nzzz = 1", "camera[1].zone.zzz: is no known key"),
    ("[broker]", "[brokr]\n[broker]", "brokr: is no known key; did you mean 'broker'?"),
    ("[face]", '["a\\nb"]\n[face]', '"a\\nb": is no known key'),
    ("from =", "form =", "rule[0].schedule[0].form: is no known key; did you mean 'from'?"),
    # wrong types, which strict TOML tells apart
    ("pin = 17", 'pin = "17"', "door[0].pin: should be a whole number from 0 to 27"),
    ("pin = 17", "pin = 17.0", "door[0].pin: should be a whole number from 0 to 27"),
    ("pin = 17", "pin = true", "door[0].pin: should be a whole number from 0 to 27"),
    ("active_high = true", "active_high = 1", "door[0].active_high: should be true or false"),
    ("= true", '= "yes"', "door[0].active_high: should be true or false; write true"),
    ("x = 0.25", 'x = "0.25"', "camera[1].zone.x: should be a number from 0 to 1; write 0.25"),
    (
        'id = "north-1"',
        "id = 5",
        'kiosk.id: should be a text: 1 to 64 of A-Z a-z 0-9 . _ -; write "5"',
    ),
    ('["resident", "staff"]', '"resident"', "rule[0].categories: should be a list, each a text"),
    (
        '["resident", "staff"]',
        '["resident", 5]',
        "rule[0].categories[1]: should be a text: 1 to 64 of",
    ),
    ('"/dev/video0"', "1.5", "camera[0].source: is a number, a text, or a list of texts"),
    ('["a.jpg", "b.jpg"]', '["a.jpg", 2]', "camera[1].source: is a number, a text, or a list of"),
    # out of range
    ("pin = 17", "pin = 28", "door[0].pin: should be a whole number from 0 to 27"),
    ("pin = 17", "pin = -1", "door[0].pin: should be a whole number from 0 to 27"),
    ("x = 0.25", "x = nan", "camera[1].zone.x: should be a number from 0 to 1"),
    ("x = 0.25", "x = inf", "camera[1].zone.x: should be a number from 0 to 1"),
    ("37.3", "43.0", "rule[0].temperature_limit_c: should be a number from 34 to 42"),
    ("[face]", "[face]\nfreshness_s = 0.6", "face.freshness_s: should be a number from 0.1 to 0.5"),
    (
        "[face]",
        "[face]\nagreement_frames = 2",
        "face.agreement_frames: should be a whole number from 3 to",
    ),
    ('"mon"', '"monday"', 'rule[0].schedule[0].days[0]: should be "mon", "tue", '),
    ('"22:00"', '"25:00"', "rule[0].schedule[0].from: should be a time of day: "),
    ('grid = "g3"', 'grid = "a/b"', "kiosk.grid: should be a text: 1 to 64 of A-Z a-z 0-9 . _ -"),
    ('grid = "g3"', 'grid = "+"', "kiosk.grid: should be a text: 1 to 64 of A-Z a-z 0-9 . _ -"),
    (
        'grid = "g3"',
        f'grid = "{"x" * 65}"',
        "kiosk.grid: should be a text: 1 to 64 of A-Z a-z 0-9 . _ -",
    ),
    ('grid = "g3"', 'grid = "g3\\n"', "kiosk.grid: should be a text: 1 to 64 of A-Z a-z 0-9 . _ -"),
    ('grid = "g3"', 'grid = "g3"\ntimezone = "Mars/X"', "kiosk.timezone: no time zone 'Mars/X'"),
    ('grid = "g3"', 'grid = "g3"\ntimezone = "../x"', "kiosk.timezone: no time zone '../x'"),
    ("[broker]", '[store]\nkey_file = "a\\u0000b"\n[broker]', "store.key_file: holds a NUL"),
    # missing
    ("active_high = true\n", "", "door[0].active_high: is missing"),
    ('grid = "g3"\n', "", "kiosk.grid: is missing"),
    ('categories = ["guest"]', "categories = []", "rule[1].categories: is empty"),
    ("accept_no_pad = true", "", "face.accept_no_pad: the rules open by face alone"),
    ("accept_no_pad = true", "accept_no_pad = false", "face.accept_no_pad: the rules open by"),
    # keys of one table against each other
    ("pin = 17", "pin = 17\npulse_s = 11.0", "door[0]: pulse_s = 11.0 exceeds max_pulse_s = 10.0"),
    ('pins_file = "pins.bin"', "", "door[1]: pins_file goes with pin_factory = 'simulated'"),
    ("width = 0.5", "width = 0.8", "camera[1].zone: the zone reaches past the frame"),
    ('"/dev/video0"', '["a.jpg"]', "camera[0]: a list of photographs needs kind = 'simulated'"),
    ('["a.jpg", "b.jpg"]', "0", "camera[1]: a simulated camera shows photographs"),
    ("[broker]", '[broker]\npassword_file = "p"', "broker: password_file needs a username"),
    ("[broker]", '[broker]\ncert_file = "c"', "broker: cert_file and key_file go together"),
    # tables against each other
    ('id = "back"', 'id = "front"', "camera[1].id: 'front' is named twice"),
    ('id = "out"', 'id = "in"', "door[1].id: 'in' is named twice"),
    ('id = "north-exit"', 'id = "north-entry"', "access_point[1].id: 'north-entry' is named twice"),
    ('camera = "front"', 'camera = "frnt"', "access_point[0].camera: there is no 'frnt'; did you"),
    ('door = "in"', 'door = "zzzz"', "access_point[0].door: there is no 'zzzz'"),
    ('["north-entry"]', '["north"]', "rule[1].access_points[0]: there is no 'north'"),
    ("pin = 5", "pin = 17", "door[1].pin: pin 17 is already that of door 'in'"),
    (
        'camera = "back"',
        'camera = "front"',
        "access_point[1].camera: camera 'front' already serves",
    ),
    ('kind = "simulated"\n\n', 'kind = "none"\n', "rule[0].temperature_limit_c: needs a [therm"),
    ("[face]", "[face]\nattempt_interval_s = 20", "face.attempt_interval_max_s: is less than"),
    (_LIMIT, 'factors = ["pas"]', "rule[0].factors[0]: should be a text: face, pass, id_do"),
    (_LIMIT, 'factors = ["id_document"]', "rule[0].factors: asks for an ID document, and there"),
    ("green_pin = 24", "green_pin = 17", "indicator[0].green_pin: pin 17 is already that of door"),
    ("green_pin = 24", "", "indicator[0]: an indicator has red_pin, green_pin, blue_pin or buzzer"),
    ("green_pin = 24", "green_pin = 24\nblue_pin = 24", "indicator[0].blue_pin: pin 24 is already"),
    ("[face]", '[voice]\nkind = "aplay"\n[face]', "voice: kind = 'aplay' needs access_point"),
    (
        "[face]",
        '[voice]\nkind = "aplay"\naccess_point = "north-entri"\n[face]',
        "voice.access_point: there is no 'north-entri'; did you mean 'north-entry'?",
    ),
    ("[face]", '[voice]\nlanguages = ["en", "en"]\n[face]', "voice: languages names one twice"),
    ("[face]", '[voice]\nlanguages = ["../etc"]\n[face]', "voice.languages[0]"),
    ("[face]", '[voice]\ndevice = "-x; rm"\n[face]', "voice.device"),
    (
        "[face]",
        "[voice]\nannouncements = false\nspeak_text = true\n[face]",
        "voice: speak_text goes with announcements",
    ),
    (
        "[face]",
        '[voice]\nquiet = { from = "22:00", until = "22:00" }\n[face]',
        "voice.quiet: from and until are the same",
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), WRONG, ids=[case[2][:40] for case in WRONG])
def test_what_is_wrong_is_named(findings, old: str, new: str, expected: str) -> None:
    found = findings(changed(old, new))
    assert any(re.sub(r"^\d+:\d+: ", "", one).startswith(expected) for one in found), found


@pytest.mark.parametrize("table", ["kiosk", "camera", "door", "access_point"])
def test_a_missing_table_is_missed(findings, table: str) -> None:
    parts = re.split(r"(?m)^(?=\[\[?\w+\]\]?$)", GOOD)
    kept = [part for part in parts if not re.match(rf"\[+{table}\]", part)]
    found = findings("".join(kept))
    # Of the others nothing is said that only the missing one makes wrong.
    assert found == [f"{table}: is missing; add {head(table)}"]


def test_every_fault_comes_at_once_by_its_line(findings) -> None:
    text = GOOD
    for old, new in [
        ('community = "lakeside"\n', "comunity = 3\n"),
        ('grid = "g3"', 'grid = "g 3"'),
        ("x = 0.25", "x = 0.75"),
        ("pin = 17", 'pin = "17"\npulse_s = 20.0'),
        ('id = "out"', 'id = "in"'),
        ("active_high = false\n", ""),
        ('door = "out"', 'door = "uot"'),
        ('direction = "exit"', 'direction = "both"'),
        ('["guest"]', "[]"),
        ('["north-entry"]', '["north-entrie"]'),
        ("accept_no_pad = true", ""),
        ('host = "broker.lakeside.example"', 'hots = "x"'),
    ]:
        text = changed(old, new, text)
    text += "[[sensor]]\nid = 1\n"
    at = {start: line(text, start) for start in text.splitlines()}
    door = [i for i, row in enumerate(text.splitlines(), 1) if row == "[[door]]"]
    direction, exit_door = line(text, "direction = ") + 6, line(text, "door = ") + 6
    expected = {
        line(text, "[kiosk]"): ["kiosk.community: is missing"],
        at["comunity = 3"]: ["kiosk.comunity: is no known key; did you mean 'community'?"],
        at['grid = "g 3"']: ["kiosk.grid: should be a text: 1 to 64 of A-Z a-z 0-9 . _ -"],
        at["x = 0.75"]: [
            "camera[1].zone: the zone reaches past the frame: x + width and y + height are 1"
        ],
        at["pulse_s = 20.0"]: ["door[0]: pulse_s = 20.0 exceeds max_pulse_s = 10.0"],
        at['pin = "17"']: ["door[0].pin: should be a whole number from 0 to 27; write 17"],
        door[1]: ["door[1].active_high: is missing"],
        door[1] + 1: ["door[1].id: 'in' is named twice"],
        direction: ['access_point[1].direction: should be "entry" or "exit"'],
        exit_door: ["access_point[1].door: there is no 'uot'"],
        at["categories = []"]: ["rule[1].categories: is empty"],
        at['access_points = ["north-entrie"]']: [
            "rule[1].access_points[0]: there is no 'north-entrie'; did you mean 'north-entry'?"
        ],
        at["[face]"]: ["face.accept_no_pad: the rules open by face alone"],
        at["[broker]"]: ["broker.host: is missing"],
        at['hots = "x"']: ["broker.hots: is no known key; did you mean 'host'?"],
        at["[[sensor]]"]: ["sensor: is no known key"],
    }
    wanted = [(number, start) for number in sorted(expected) for start in expected[number]]
    found = findings(text)
    assert len(found) == len(wanted), found
    for one, (number, start) in zip(found, wanted, strict=True):
        assert re.sub(r"^(\d+):\d+: ", r"\1: ", one).startswith(f"{number}: {start}")


@pytest.mark.parametrize(
    ("wrong", "unsaid"),
    [
        # What could not be read is not said to be unknown, shared or too long besides.
        (('id = "front"', 'id = "fr ont"'), "there is no"),
        (('id = "front"', 'idd = "front"'), "there is no"),
        (("pin = 17", "pin = 99"), "already that of"),
        (('kind = "simulated"\nsource', 'kind = "simulatd"\nsource'), "needs kind"),
        (('pin_factory = "simulated"', 'pin_factory = "simulatd"'), "goes with"),
        (('camera = "front"', "camera = 5"), "already serves"),
        (("accept_no_pad = true", 'accept_no_pad = "true"'), "a photograph may pass"),
        (('kind = "simulated"\n\n', 'kind = "simulatd"\n'), "needs a [thermometer]"),
    ],
)
def test_what_hangs_on_a_wrong_value_is_not_judged(findings, wrong, unsaid: str) -> None:
    found = findings(changed(*wrong))
    assert 1 <= len(found) <= 2  # an unknown key is also a missing one
    assert not any(unsaid in one for one in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[kiosk\n", "1:1: [kiosk is not closed by ]; write [kiosk]"),
        ("a = 1\n\nb = \n", "3:3: b: has no value"),
        ("a = 1\na = 2\n", "2:1: a: stands twice, first in line 1"),
        ("[kiosk]\n[kiosk]\n", "2:1: [kiosk] is there already, since line 1"),
        ('a = "unfinished', "1:5: a: this text does not end"),
        (b"a = 1\nb = '\xff'\n", "2:6: is not UTF-8 at byte 11"),
        (GOOD.encode("utf-16"), "1:1: is not UTF-8 at byte 0"),
        (b"\0" * 100, "1:1: is not TOML: "),
        ("a = " + "[" * 100_000, "is nested too deeply"),
        ("a = " + "[" * 300 + "]" * 300, "is nested too deeply"),
        ("a" + ".a" * 5_000 + " = 1", "is nested too deeply"),
        ("a = " + "9" * 10_000, "holds a number that is too long"),
        ("a = 0x" + "f" * 10_000, "holds a number that is too long"),
        ("#" * 1_000_001, "is larger than 1000000 bytes"),
    ],
    ids=lambda value: repr(value[:16]),
)
def test_what_is_no_config_is_said_to_be_none(findings, text: str | bytes, expected: str) -> None:
    (found,) = findings(text)
    assert expected in found
    assert len(found) < 400


@pytest.mark.parametrize("text", ["", "# nothing\n", "\ufeff"])
def test_an_empty_config_is_said_to_be_empty(findings, text: str) -> None:
    message = (
        "1:1: is empty: no key stands in it; gate-agent init writes one;"
        " config/gate.example.toml shows every key"
    )
    assert findings(text) == [message]


def test_a_config_of_something_else_lacks_every_table(findings) -> None:
    found = findings("a = 1\n")
    for table in ("kiosk", "camera", "door", "access_point"):
        assert f"{table}: is missing; add {head(table)}" in found


@pytest.mark.parametrize(
    "place", ["none.toml", ".", "none/gate.toml", "/dev/zero", "x" * 300, "a\0b"]
)
def test_what_cannot_be_read_is_said_with_its_fix(tmp_path, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / place)
    assert re.search(r"cannot be read|is no file", caught.value.findings[0])


def test_a_pipe_is_not_waited_for(tmp_path) -> None:
    os.mkfifo(tmp_path / "gate.toml")
    with pytest.raises(ConfigError, match="is no file"):
        load_config(tmp_path / "gate.toml")


@pytest.fixture
def wrong(tmp_path) -> Path:
    path: Path = tmp_path / "gate.toml"
    path.write_text(changed("pin = 17", "pin = 99", changed('door = "in"', 'door = "no"')))
    return path


def judged(code: int, out: str, err: str, path: Path) -> None:
    assert (code, out) == (78, "")
    text = path.read_text()
    assert f"door[0].pin: should be a whole number from 0 to 27\n  --> {path}:" in err
    assert f"--> {path}:{line(text, 'pin = 99')}:7\n   |\n22 | pin = 99\n   |       ^^\n" in err
    assert "access_point[0].door: there is no 'no'" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["check", "show"])
def test_the_exit_code_is_78(wrong: Path, capsys, command: str) -> None:
    code = main(["config", command, "--config", str(wrong)])
    said = capsys.readouterr()
    judged(code, said.out, said.err, wrong)


def test_a_daemon_with_a_wrong_config_ends_with_78(wrong: Path, tmp_path) -> None:
    program = "import sys; from agent.cli.main import main; sys.exit(main())"
    words = ["run", "--config", str(wrong), "--state-dir", str(tmp_path / "state")]
    ended = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    judged(ended.returncode, ended.stdout, ended.stderr, wrong)
