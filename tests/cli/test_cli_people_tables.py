"""People and faces as a person sees them: widths, colour, local time, a score beside its limit."""

import csv
import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from community_parts import people as faces_of
from gate_command import Gate
from places import ROOT
from rich.cells import cell_len
from screens import WIDTHS, golden_screen, screen
from store_parts import BY, NOW, holder, reference

from agent.app.open.files.stores import Key, open_registry
from agent.app.open.site import site_of
from agent.cli.people.identify import face_rows
from agent.cli.terminal.style import Cell, Meaning
from agent.domain.credential.holder import HolderId
from agent.domain.credential.reason import Reason
from agent.domain.sight.track import Box
from agent.operations.people.identify import Identified, IdentifiedImage

PACK = ("--pack", "retail")
SGR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def people(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        "id,name,category,enabled,valid_from,valid_until\n"
        "r-1042,李雨,resident,true,,\n"
        "v-77,Ana Example of the Long Name and a Longer One,visitor,false,"
        "2026-05-01T00:00:00Z,2026-12-31T16:00:00Z\n"
    )
    assert gate("key", "init").code == 0
    made = gate("holders", "import", file)
    assert made.code == 0, made.err


@pytest.fixture
def gallery(state_dir: Path, gate: Gate) -> None:
    """Thirty people, of whom two are one face and two are nearly."""
    assert gate("key", "init").code == 0
    rows = faces_of(np.random.default_rng(11), 30, "normal", 0.3).astype(np.float32)
    rows[4], rows[9] = rows[3], rows[3] + 0.4 * rows[8]
    with open_registry(site_of(state_dir, None), Key.NEEDED) as registry:
        for number, row in enumerate(rows):
            name = HolderId(f"r-{1000 + number}")
            made = replace(reference(name, pack="retail"), template=row / np.linalg.norm(row))
            registry.enrol(holder(name), [made], by=BY, now=NOW)


def widest(shown: str) -> int:
    return max(cell_len(SGR.sub("", line)) for line in shown.splitlines())


# --- one holder ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("width", WIDTHS)
def test_a_holder(monkeypatch: pytest.MonkeyPatch, config_file: Path, width: int) -> None:
    words = ("holders", "show", "v-77", "--config", config_file)
    shown = golden_screen("holders-show", monkeypatch, width, *words)
    assert "until 2027-01-01 00:00" in " ".join(shown.split())
    assert "_" not in shown
    assert widest(shown) <= width


@pytest.mark.usefixtures("people")
def test_a_holder_who_may_not_pass_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = golden_screen("holders-show", monkeypatch, 80, "holders", "show", "v-77", colour=True)
    assert "\x1b[33mno" in shown


@pytest.mark.usefixtures("people")
def test_a_holder_for_machines_is_as_it_was(gate: Gate) -> None:
    assert gate("holders", "show", "v-77", "--json").json == {
        "id": "v-77",
        "name": "Ana Example of the Long Name and a Longer One",
        "category": "visitor",
        "enabled": False,
        "valid_from": "2026-05-01T00:00:00.000Z",
        "valid_until": "2026-12-31T16:00:00.000Z",
        "references": {},
        "consent": None,
    }


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("locale", "name"),
    [
        ({"LC_ALL": "C.UTF-8"}, "李雨"),
        ({"LANG": "C"}, "李雨"),
        # So Python believes the locale that it has ASCII only; the bytes are UTF-8 all the same.
        ({"LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "李雨"),
        ({"LANG": "zh_CN.UTF-8", "PYTHONIOENCODING": "gb2312"}, "李雨"),
        ({"LANG": "C", "PYTHONIOENCODING": "latin-1"}, r"\u674e\u96e8"),
    ],
    ids=["C.UTF-8", "C", "C, ascii", "gb2312", "latin-1"],
)
def test_a_chinese_name_in_any_locale(locale: dict[str, str], name: str) -> None:
    program = "import sys; from agent.cli.main import main; sys.exit(main(sys.argv[1:]))"
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG"))}
    done = subprocess.run(
        [sys.executable, "-c", program, "holders", "show", "r-1042"],
        capture_output=True,
        timeout=60,
        check=False,
        env={**kept, "PYTHONPATH": str(ROOT), **locale},
    )
    said = done.stdout.decode(locale.get("PYTHONIOENCODING", "utf-8"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert name in said


# --- the gallery ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("gallery")
@pytest.mark.parametrize("width", WIDTHS)
def test_a_gallery(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    shown = golden_screen("gallery-check", monkeypatch, width, "gallery", "check", *PACK)
    assert "_" not in shown
    # A warning is a line of stderr, for whatever reads it there.
    assert widest("\n".join(x for x in shown.splitlines() if "warning:" not in x)) <= width


@pytest.mark.usefixtures("gallery")
def test_faces_that_are_too_close_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("gallery", "check", *PACK)
    shown = golden_screen("gallery-check", monkeypatch, 80, *words, colour=True)
    assert "\x1b[33m" in shown


@pytest.mark.usefixtures("gallery")
def test_close_pairs_go_into_a_sheet(gate: Gate) -> None:
    pairs = gate("gallery", "check", *PACK, "--json").json["close_pairs"]
    rows = list(csv.DictReader(io.StringIO(gate("gallery", "check", *PACK, "--csv").out)))
    assert len(rows) == len(pairs) >= 2
    assert rows == [{key: str(value) for key, value in pair.items()} for pair in pairs]
    assert gate("gallery", "check", "--csv", "--json").code == 2


@pytest.mark.usefixtures("state_dir")
def test_an_empty_gallery_says_what_to_do(gate: Gate) -> None:
    assert "gate-agent enrol" in gate("gallery", "check", *PACK).out
    assert gate("gallery", "check", *PACK, "--csv").out == "one,other,score\n"


# --- references and photographs ------------------------------------------------------------------


@pytest.mark.usefixtures("gallery")
def test_a_reference_without_another_has_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = screen(monkeypatch, 80, "holders", "references", "r-1003", *PACK)
    assert shown.splitlines()[-1].split() == ["1", "1", "retail", "1", "-"]
    assert "score with others/limit" in shown


@pytest.mark.usefixtures("people")
def test_somebody_without_a_reference_is_told_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = screen(monkeypatch, 80, "holders", "references", "r-1042", *PACK)
    assert shown.startswith("r-1042 has no reference; gate-agent enrol r-1042")


def test_faces_are_told_with_their_limit_and_in_words() -> None:
    box = Box(40, 50, 120, 130)
    known = Identified(box, HolderId("r-1"), 0.7124, 0.1, None)
    poor = Identified(box, None, 0.7, None, Reason.OTHER)
    stranger = Identified(box, None, None, None, Reason.NO_MATCH)
    found = IdentifiedImage("a.jpg", (known, poor, stranger), limit=0.55)
    where = "120 x 130 at 40, 50"
    assert list(face_rows(found)) == [
        ("a.jpg", Cell("r-1", Meaning.GOOD), "0.712/0.550", where),
        ("a.jpg", Cell("nobody: too small, dark or blurred", Meaning.DOUBT), "0.700/0.550", where),
        ("a.jpg", Cell("nobody: no match", Meaning.DOUBT), None, where),
    ]
    assert list(face_rows(IdentifiedImage("b.jpg", ()))) == [
        ("b.jpg", Cell("no face", Meaning.QUIET), None, None)
    ]
    assert list(face_rows(IdentifiedImage("c.jpg", (), "unreadable"))) == []
