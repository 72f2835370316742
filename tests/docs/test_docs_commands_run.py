"""What the pages tell people to type is typed: at a kiosk on simulated hardware, page by page."""

import functools
import json
import os
import shutil
from pathlib import Path

import cv2
import pytest
from doc_commands import Told, fault, told
from in_process import run_here
from places import ROOT
from video_sources import write_video

READ_ONLY = {
    # what it needs is not in a clean checkout
    "enrol": "needs a face pack and faces: tests/cli/test_cli_enrol_real.py",
    "identify": "needs a face pack and faces: tests/cli/test_cli_looking.py",
    "register import": "needs a table: tests/cli/test_cli_register_import.py",
    "cards unbind": "needs a card: tests/cli/test_cli_cards.py",
    "evaluate": "needs a face pack and faces: tests/real/test_evaluate.py",
    "models install": "fetches 50 MB: tests/cli/test_cli_models.py",
    "models setup": "fetches what it can get: tests/cli/test_cli_models.py",
    "models choose": "needs that pack: tests/cli/test_cli_models.py",
    "models verify": "needs that pack: tests/cli/test_cli_models.py",
    "voice prepare": "needs espeak-ng: tests/real/test_voice.py",
    "command send": "needs a broker and an agent: tests/real/test_commands_at_the_gate.py",
    "id-document read": "needs a reader: tests/cli/test_cli_documents.py",
    "thermometer read": "needs a thermometer: tests/cli/test_cli_streams.py",
    # it goes on until somebody ends it, or for minutes
    "run": "tests/real/test_agent.py",
    "watch": "tests/real/test_watch_at_the_gate.py",
    "console": "tests/cli/test_cli_console.py",
    "doctor --watch": "a minute: tests/real/test_inputs_at_the_gate.py",
    "demo": "tests/real/test_demo_and_bench.py",
    "bench": "tests/real/test_demo_and_bench.py",
    "simulate": "tests/cli/test_cli_simulate.py",
    "fleet": "hundreds of kiosks: tests/lab/fleet",
    # it changes the machine
    "update": "installs a package: tests/deb/test_deb_update.py",
    "doctor --pulse": "moves the door of the page's own kiosk: tests/cli/test_cli_doctor_parts.py",
}
"""Commands of the agent that are read by its parser and no more, and where they are run instead."""

SCRIPTS = {
    "scripts/backend/backend": "needs PostgreSQL: tests/backend",
    "scripts/backend/broker/certificates": "tests/adapters/broker/test_broker_kit.py",
    "scripts/backend/broker/acl": "is read: tests/adapters/broker/test_broker_kit.py",
    "scripts/benchmarks": "measures for minutes: tests/lab/bench",
    "scripts/check": "is what runs before the tests: .ci/run",
    "scripts/deb": "builds a package: tests/deb/test_deb_tree.py",
    "scripts/demo": "tests/real/test_demo_and_bench.py",
    "scripts/docs": "tests/docs/test_docs_site.py",
    "scripts/draw": "writes into docs: tests/lab/test_state_table.py",
    "scripts/flash": "tests/card/test_flash.py",
    "scripts/lock": "resolves versions over the network; its locks: tests/test_house_files.py",
    "scripts/rig": "boots an emulated Pi: tests/rig",
    "scripts/setup": "is what runs before the tests: .ci/run",
    "scripts/test": "is what runs the tests: .ci/run",
}
"""Scripts are read too; where each is run."""

ENDS = {
    "status": (69, "no agent answers"),
    "door": (69, "no agent answers"),
    "passback": (69, "no agent answers"),
    "clear-fault": (69, "no agent answers"),
    "doctor": (1, ""),  # no face pack is installed, and it says so
    "state accept": (1, "is in no fault"),
    "backup": (1, "neither FILE nor config says where it goes"),
    "key init": (1, "holds a key already"),
    "clock confirm": (1, "no time was ever believed here"),
    "clock set-back": (1, "no time was ever believed here"),
    "holders references r-1042 --remove": (1, "there is no photograph"),
}
"""How else than by 0 a command may end at a kiosk without an agent, faces and faults."""

PASSPHRASE = ("--passphrase-file", "pass.txt")
TYPED = {
    "init": (
        *("--yes", "--pins", "simulated", "--camera", "film.mp4", "--thermometer", "none"),
        *("--voice", "none", "--id-reader", "none", "--out", "gate.toml"),
    ),
    "init --boot": ("--relay-level", "high", "--timezone", "UTC", "--accept-no-pad", "--yes"),
    "backup": PASSPHRASE,
    "restore": PASSPHRASE,
    "replace": PASSPHRASE,
}
"""What a person answers at a terminal, given as options."""

BEFORE = {
    "docs/credentials.md": ["pass keygen office.pem", "pass keygen desk.pem"],
    "docs/care.md": ["key show --label north-1.png"],
}
"""What somebody did before they came to the page."""

SITE = ("--community", "lakeside", "--grid", "g3", "--kiosk", "north-1")
TEMPLATE = """
[kiosk]
community = "lakeside"
grid = "g1"
id = "${kiosk}"
timezone = "Asia/Shanghai"

[[camera]]
id = "front"
kind = "picamera2"

[[door]]
id = "north"
kind = "gpio"
pin = 17
active_high = true

[[access_point]]
id = "north-entry"
direction = "entry"
camera = "front"
door = "north"

[[rule]]
categories = ["resident"]
factors = ["pass"]
"""


def of(words: tuple[str, ...], table: dict[str, object]) -> object | None:
    """What the table says of a command: the longest of its rows that the words begin with."""
    line = " ".join(words[1:]) + " "
    rows = [row for row in table if line.startswith(f"{row} ")]
    return table[max(rows, key=len)] if rows else None


@functools.cache
def typed() -> dict[str, list[Told]]:
    """By page what is run: what its text names first, then its blocks in their order."""
    found: dict[str, list[Told]] = {}
    named: set[tuple[str, ...]] = set()
    for one in sorted(told(), key=lambda one: (one.page, one.whole)):
        to_the_end = fault(Told(one.page, one.words, whole=True)) is None
        holds_no_gap = not any(word.strip("[]…").isupper() or "…" in word for word in one.words[1:])
        ours = one.words[0] == "gate-agent" and not of(one.words, dict(READ_ONLY))
        again = (
            not one.whole and one.words in named
        )  # what many pages name is run at the first of them
        if ours and to_the_end and holds_no_gap and not is_group(one) and not again:
            if not one.whole:
                named.add(one.words)
            found.setdefault(one.page, []).append(one)
    return found


def is_group(one: Told) -> bool:
    """Whether it names a group of commands, or a command that asks for a choice."""
    return one.words[1:] in {("door",), ("cards",), ("trust",), ("evaluate",), ("verify", "health")}


class Kiosk:
    """A folder with a config and a state, and ``gate-agent`` in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GATE_AGENT_STATE_DIR": str(folder / "state"),
            "GATE_AGENT_CONFIG": str(folder / "kiosk.toml"),
        }

    def types(self, *words: str) -> tuple[int, str]:
        """The exit code and all that was said."""
        done = run_here(*words, environment=self._environment)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kiosk that was made, with one resident and what pages take for granted."""
    kiosk = Kiosk(tmp_path_factory.mktemp("kiosk"))
    folder = kiosk.folder
    write_video(folder / "film.mp4", frames=8, fps=25.0)
    (folder / "pass.txt").write_text("correct horse battery staple\n")
    (folder / "fleet.toml").write_text(TEMPLATE)
    (folder / "kiosks.csv").write_text("kiosk\nnorth-1\nnorth-2\n")
    for name in ("kiosk-1", "media/usb/portraits", "media/stick"):
        (folder / name).mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        init = [*TYPED["init"][:-1], "kiosk.toml", "--accept-no-pad", *SITE]
        code, said = kiosk.types("init", *init)
        assert code == 0, said
        holder = {"id": "r-1042", "name": "Ann Example", "category": "resident", "enabled": True}
        dates = {"valid_from": None, "valid_until": None}
        (folder / "people.jsonl").write_text(json.dumps(holder | dates) + "\n")
        code, said = kiosk.types("holders", "import", "people.jsonl")
        assert code == 0, said
        (folder / "people.jsonl").unlink()
        # What its first start would make, were a pack there: the kiosk's own two keys.
        kiosk.types("key", "init")
        code, said = kiosk.types("backup", "media/stick/north-1.gate", *PASSPHRASE)
        assert code == 0, said
    return folder


@pytest.fixture
def kiosk(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kiosk:
    """The same anew, for one page."""
    folder = tmp_path / "here"
    shutil.copytree(prepared, folder)
    config = (folder / "kiosk.toml").read_text()
    (folder / "kiosk.toml").write_text(config.replace(str(prepared), str(folder)))
    monkeypatch.chdir(folder)
    return Kiosk(folder)


@pytest.mark.parametrize("page", typed())
def test_what_the_page_tells_to_type_can_be_typed(page: str, kiosk: Kiosk) -> None:
    for line in BEFORE.get(page, []):
        code, said = kiosk.types(*line.split())
        assert code == 0, said
    if page == "docs/care.md":
        label = cv2.imread("north-1.png")
        assert label is not None
        assert cv2.imwrite("north-1.jpg", label)
    for one in typed()[page]:
        words = [here(word) for word in one.words[1:]]
        answers = of(one.words, dict(TYPED)) if PASSPHRASE[0] not in words else ()
        assert isinstance(answers, tuple | None)
        if words[0] == "init":
            Path("gate.toml").unlink(missing_ok=True)  # that of the page's last init
        code, said = kiosk.types(*words, *(answers or ()))
        ends = of(one.words, dict(ENDS))
        assert isinstance(ends, tuple | None)
        ended = code == 0 or (ends is not None and code == ends[0] and ends[1] in said)
        assert ended, f"{one}: mend it, or give it a row above. It ended with {code}: {said}"


def here(word: str) -> str:
    """A path of a machine as one of the folder that stands for it."""
    return word.replace("/media/", "media/").replace("/etc/gate-agent/backup.pass", "pass.txt")


def test_each_row_of_the_lists_is_of_use_and_names_a_test_that_is_there() -> None:
    lines = [" ".join(one.words[1:]) + " " for one in told() if one.words[0] == "gate-agent"]
    for table in (READ_ONLY, ENDS, TYPED):
        for row in table:
            assert any(line.startswith(f"{row} ") for line in lines), row
    scripts = {one.words[0] for one in told() if one.words[0] != "gate-agent"}
    assert {name for name in scripts if (ROOT / name).is_file()} - SCRIPTS.keys() == set()
    for reason in (*READ_ONLY.values(), *SCRIPTS.values()):
        assert (ROOT / reason.rpartition(" ")[2]).exists(), reason


def test_most_of_what_stands_in_blocks_is_run() -> None:
    run = {one for ones in typed().values() for one in ones}
    assert len(run) > 80
    assert len({one for one in run if one.whole}) > 45
