"""[face.operating_point] goes into a config's text, and nothing else of it changes."""

import os
import signal
import stat
import subprocess
import sys
import textwrap
import tomllib
from datetime import date
from pathlib import Path

import pytest
from config_parts import GOOD, MEASURED
from hypothesis import given
from hypothesis import strategies as st
from places import ROOT

from agent.config import OperatingPointConfig, load_config
from agent.config.tables.face import MeasuredPoint
from agent.errors import RefusedError
from agent.operations.config.operating_point import (
    table_lines,
    with_operating_point,
    write_operating_point,
)

FOUND = OperatingPointConfig(
    pack="retail",
    version="1",
    measured_on=date(2026, 11, 28),
    persons=60,
    impostor_pairs=1770,
    measured_to=0.00282,
    curve=(MeasuredPoint(fmr=1e-2, threshold=0.41), MeasuredPoint(fmr=2.5e-5, threshold=0.55)),
)
EXAMPLE = (ROOT / "config" / "gate.example.toml").read_text()


def test_it_stands_at_the_end_and_every_comment_stays(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(EXAMPLE)
    file.chmod(0o640)
    write_operating_point(file, FOUND)
    assert file.read_text().startswith(EXAMPLE.rstrip())
    assert load_config(file).config.face.operating_point == FOUND
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_a_second_time_it_takes_the_place_of_the_first() -> None:
    once = with_operating_point(GOOD, FOUND)
    other = FOUND.model_copy(update={"persons": 61})
    twice = with_operating_point(once, other)
    assert twice == once.replace("persons = 60", "persons = 61")
    assert with_operating_point(twice, FOUND) == once


def test_what_stands_around_it_stays_where_it_is() -> None:
    inside = MEASURED.replace("persons = 40", "# our tower block\npersons = 40  # all of it")
    made = with_operating_point(f"{inside}\n# of the broker\n[broker]\nhost = 'a'\n", FOUND)
    assert made.endswith("]\n\n# of the broker\n[broker]\nhost = 'a'\n")
    assert "# our tower block\n" in made
    assert made.count("persons =") == 1


def test_a_table_of_several_headers_goes_whole() -> None:
    text = (
        "[face.operating_point]\npack = 'a'\n[[face.operating_point.curve]]\nfmr = 0.1\n[store]\n"
    )
    made = with_operating_point(text, FOUND)
    assert tomllib.loads(made)["face"]["operating_point"]["pack"] == "retail"
    assert made.endswith("[store]\n")


@pytest.mark.parametrize(
    "text",
    [
        "face = { margin = 0.02 }\n",
        "[face]\noperating_point = { pack = 'a' }\n",
        "note = '''\n[face.operating_point]\n'''\n[face.operating_point]\npack = 'a'\n",
    ],
)
def test_what_cannot_be_replaced_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="by hand"):
        with_operating_point(text, FOUND)


def test_line_ends_and_a_byte_order_mark_stay(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    for _ in range(2):
        write_operating_point(file, FOUND)
        written = file.read_bytes()
        assert written.startswith(b"\xef\xbb\xbf")
        assert written.count(b"\n") == written.count(b"\r\n")


@given(
    st.lists(
        st.sampled_from(
            [
                "# a comment",
                "[face]",
                "margin = 0.02",
                "[face.operating_point]",
                "pack = 'a'",
                "curve = [",
                "  { fmr = 0.1 },",
                "]",
                "[[door]]",
                "text = '''",
                "'''",
                "",
            ]
        ),
        max_size=12,
    )
)
def test_whatever_stands_there_the_rest_says_what_it_said(rows: list[str]) -> None:
    text = "\n".join(rows)
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    try:
        after = tomllib.loads(with_operating_point(text, FOUND))
    except RefusedError:
        return
    wanted = tomllib.loads("\n".join(table_lines(FOUND)))["face"]["operating_point"]
    assert after["face"].pop("operating_point") == wanted
    before.setdefault("face", {}).pop("operating_point", None)
    assert after == before


def test_killed_before_it_is_renamed_the_config_is_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(GOOD)
    program = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        import test_config_operating_point as parts
        Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        parts.write_operating_point(Path(sys.argv[1]), parts.FOUND)
        """
    )
    path = os.pathsep.join(one for one in (str(Path(__file__).parent), *sys.path) if one)
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)],
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert file.read_text() == GOOD
    write_operating_point(file, FOUND)
    assert load_config(file).config.face.operating_point == FOUND
