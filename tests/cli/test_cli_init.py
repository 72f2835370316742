"""``gate-agent init``: the conversation at a terminal, the options, what is never left behind."""

import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from gate_command import PROGRAM, Answer, Gate
from golden import held
from video_sources import closed_port, write_video

from agent.app.desk.first_gate import write_first_gate
from agent.config import load_config
from agent.errors import RefusedError

PATIENCE_S = 60.0
# Whatever the machine has that the tests run on.
FILM = ("--camera", "film.avi", "--pins", "simulated")
UNASKED = ("--thermometer", "none", "--id-reader", "none", "--voice", "none")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a film, where the command is given."""
    made = tmp_path / "here"
    made.mkdir()
    write_video(made / "film.avi", frames=8, fps=25.0)
    monkeypatch.chdir(made)
    return made


def left(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()} - {"film.avi"}


class Conversation:
    """Whoever answers a command at a terminal of 80 columns: never before it has asked."""

    def __init__(self, terminal: int, process: subprocess.Popen[bytes]) -> None:
        self._terminal, self.process = terminal, process
        self.seen = ""

    def answer(self, asked: str, word: str) -> None:
        self.wait(asked)
        os.write(self._terminal, f"{word}\n".encode())

    def wait(self, asked: str) -> None:
        before = len(self.seen)
        while not re.search(rf"{re.escape(asked)}.*: $", self.seen[before:]):
            assert self._read(), f"{asked!r} was never asked:\n{self.seen}"

    def end(self) -> int:
        while self._read():
            pass
        return self.process.wait(PATIENCE_S)

    def send(self, signal_number: int) -> None:
        """Until it is heard: in the moment before it reads, readline would miss it."""
        heard = False
        while not heard and self.process.poll() is None:
            self.process.send_signal(signal_number)
            heard = bool(select.select([self._terminal], [], [], 0.5)[0])

    def _read(self) -> bool:
        if not select.select([self._terminal], [], [], PATIENCE_S)[0]:
            return False
        try:
            data = os.read(self._terminal, 65_536)
        except OSError:  # Linux: the other end is closed
            return False
        self.seen += data.decode().replace("\r\n", "\n")
        return bool(data)


@contextmanager
def conversation(*words: str) -> Iterator[Conversation]:
    ours, theirs = pty.openpty()
    # Without a controlling terminal: what is typed unseen is read from this one, not the tester's.
    process = subprocess.Popen(
        [str(PROGRAM), "init", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "dumb", "COLUMNS": "80"},
    )
    os.close(theirs)
    try:
        yield Conversation(ours, process)
    finally:
        process.kill()
        process.wait(PATIENCE_S)
        os.close(ours)


def told(seen: str, folder: Path) -> str:
    """The screen from the first question on, without what differs from machine to machine."""
    shown = "Name of" + seen.partition("Name of")[2]
    for pattern, word in (
        (re.escape(str(folder)), "FOLDER"),
        (r"(this kiosk|Time zone|the pins) \[[^\]]*\]", r"\1 [FOUND]"),
        (r"Camera \[[^\]]*\]: ", "Camera: "),
        (r"key id [0-9a-f]+", "key id ID"),
        (r"brightness \d+", "brightness N"),
        (r"port( =)? \d+", r"port\1 N"),
        (r"Its port \[1883\]: \d+", "Its port [1883]: N"),
    ):
        shown = re.sub(pattern, word, shown)
    return "".join(f"{line.rstrip()}\n" for line in shown.splitlines())


def test_a_conversation_makes_a_gate(folder: Path, state_dir: Path, gate: Gate) -> None:
    with conversation(*UNASKED) as person:
        person.answer("Name of the site", "lake side")
        person.answer("Name of the site", "lakeside")
        person.answer("Its part", "")
        person.answer("this kiosk", "north-1")
        person.answer("Time zone", "shanghai")
        person.answer("Time zone", "Asia/Shanghai")
        person.answer("Camera", "no-film.mp4")
        person.answer("Camera", "film.avi")
        person.answer("the pins", "lgpio")
        person.answer("Level", "low")
        person.answer("the relay", "17")
        person.answer("the relay", "")
        person.answer("Seconds", "5")
        person.answer("contact", "6")
        person.answer("exit button", "")
        person.answer("fire alarm", "")
        person.answer("MQTT broker", "127.0.0.1")
        person.answer("authority", "")
        person.answer("port", str(closed_port()))
        person.answer("User there", "north")
        person.answer("signed commands", "")
        person.answer("registry", "")
        person.answer("Accept that", "")
        person.answer("lets a resident", "")
        person.answer("Password", "s3cret words")
        person.answer("Write", "")
        assert person.end() == 0
    assert "s3cret" not in person.seen
    held(told(person.seen, folder), "init-80.txt")
    assert left(folder) == {"gate.toml", "gallery.key", "broker.password"}
    assert (folder / "broker.password").read_text() == "s3cret words\n"
    modes = {one: stat.S_IMODE((folder / one).stat().st_mode) for one in left(folder)}
    assert modes["broker.password"] == modes["gallery.key"] == 0o600
    checked = gate("config", "check", "--config", "gate.toml", "--json")
    assert checked.code == 0, checked.err
    assert checked.json["summary"]["kiosk"] == "lakeside/g1/north-1"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_whoever_goes_away_leaves_nothing(folder: Path, state_dir: Path, how: int) -> None:
    with conversation("--yes", *FILM) as person:
        assert person.end() == 0
    for name in left(folder):
        (folder / name).unlink()
    with conversation(*FILM) as person:
        person.wait("Name of the site")
        person.send(how)
        # Ctrl-C at a question is "interrupted"; nobody survives a kill.
        assert person.end() == (130 if how == signal.SIGINT else -how)
    assert left(folder) == set()


def test_the_fifth_wrong_answer_is_the_last(folder: Path) -> None:
    with conversation(*FILM) as person:
        for _ in range(5):
            person.answer("Name of the site", "no name")
        assert person.end() == 1
    assert "no answer in 5 tries" in person.seen
    assert person.seen.count("may be") + person.seen.count("1 to 64 of") >= 5
    assert left(folder) == set()


def test_without_a_terminal_what_was_found_is_the_answer(folder: Path, gate: Gate) -> None:
    made = gate("init", "--json", *FILM, "--kiosk", "north-1", "--accept-no-pad")
    assert made.code == 0, made.err
    said = made.json
    assert set(said) == {
        *("found", "tried", "answers", "file", "key", "password_file", "warnings", "next"),
    }
    assert set(said["found"]) == {
        *("host", "timezone", "cameras", "header", "i2c", "thermometers", "serial_ports"),
        *("sound", "pack", "attack_detection", "absent"),
    }
    assert said["answers"]["camera"] == "film.avi"
    assert said["answers"]["pins"] == "simulated"
    assert said["answers"]["relay-level"] == "high"
    assert said["answers"]["rule"] == "face,pass+face"
    (camera,) = said["tried"]
    assert camera["ok"]
    assert camera["detail"].startswith("160x120, pictures come, brightness ")
    assert said["key"]["made"]
    assert said["next"] == [
        f"gate-agent {one} --config gate.toml" for one in ("doctor", "run", "watch")
    ]
    config = load_config(folder / "gate.toml", ()).config
    assert (config.camera[0].source, config.camera[0].loop) == ("film.avi", True)


def test_without_attack_detection_no_face_counts_by_itself(folder: Path, gate: Gate) -> None:
    made = gate("init", "--yes", *FILM)
    assert made.code == 0, made.err
    assert [one.factors for one in load_config(folder / "gate.toml", ()).config.rule] == [("pass",)]
    assert "A face opens nothing here" in made.out


@pytest.mark.parametrize(
    ("words", "option"),
    [
        pytest.param(
            *((), "--camera"),
            marks=pytest.mark.skipif(any(Path("/dev").glob("video*")), reason="a camera is here"),
        ),
        ((*FILM, "--pins", "lgpio"), "--relay-level"),
        ((*FILM, "--thermometer", "mlx90614"), "--field-of-view"),
        ((*FILM, "--broker-port", "1883"), "--broker-port"),
        ((*FILM, "--language", "zh"), "--language"),
        ((*FILM, "--relay-pin", "1"), "--relay-pin"),
        ((*FILM, "--timezone", "Mars"), "--timezone"),
        ((*FILM, "--enrol", "r-1"), "--enrol-name"),
        ((*FILM, "--out", "no/gate.toml"), "--out"),
    ],
)
def test_wrong_usage_names_the_option(
    folder: Path, gate: Gate, words: tuple[str, ...], option: str
) -> None:
    said = gate("init", "--yes", *words)
    assert said.code == 2
    assert option in said.err
    assert left(folder) == set()


def test_what_is_there_is_never_replaced(folder: Path, gate: Gate) -> None:
    (folder / "gate.toml").write_text("mine")
    refused: Answer = gate("init", "--json", *FILM)
    assert refused.code == 1
    assert refused.json["reason"] == "file_exists"
    assert "--out" in refused.json["fix"]
    assert (folder / "gate.toml").read_text() == "mine"
    assert left(folder) == {"gate.toml"}


def test_nor_what_came_meanwhile_and_then_nothing_of_ours_stays(
    folder: Path, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "gate.toml"
    link = os.link

    def late(source: str, target: Path, **named: Any) -> None:
        if target == file:
            file.write_text("another's")
        link(source, target, **named)

    # The moment between the look and the link: only here can it be met every time.
    monkeypatch.setattr("agent.app.desk.first_gate.os.link", late)
    with pytest.raises(RefusedError, match="there already"):
        write_first_gate(
            "ours",
            file,
            state_dir,
            key_file=folder / "gallery.key",
            password=(folder / "broker.password", "word"),
        )
    assert file.read_text() == "another's"
    assert left(folder) == {"gate.toml"}


def test_ctrl_c_while_it_writes_leaves_nothing(
    folder: Path, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def interrupted(source: str, target: Path, **named: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        link(source, target, **named)

    monkeypatch.setattr("agent.app.desk.first_gate.os.link", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_first_gate("ours", folder / "gate.toml", state_dir, key_file=folder / "gallery.key")
    assert left(folder) == set()


def test_a_key_that_is_there_is_kept(folder: Path, gate: Gate) -> None:
    first = gate("init", "--json", *FILM).json["key"]
    again = gate("init", "--json", *FILM, "--out", "other.toml").json["key"]
    assert again == {**first, "made": False}


def test_a_second_gate_beside_a_gallery_of_another_key_is_refused(
    folder: Path, gate: Gate, tmp_path: Path
) -> None:
    """It would never start: a state folder is one for each user, a key lies with its config."""
    assert gate("init", "--json", *FILM).code == 0
    (folder / "people.json").write_text(
        json.dumps({"id": "r-1", "name": "Lin Yu", "category": "resident"})
    )
    added = gate("holders", "import", "people.json", "--config", "gate.toml")
    assert added.code == 0, added.err
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    refused = gate("init", "--json", *FILM, "--out", str(elsewhere / "gate.toml"))
    assert (refused.code, refused.json["reason"]) == (1, "other_key")
    assert "--state-dir" in refused.json["fix"]
    assert list(elsewhere.iterdir()) == []
    again = gate("init", "--json", *FILM, "--out", "other.toml")
    assert again.code == 0, "with the key they have it is no other gate"


def test_the_login_of_a_camera_is_written_for_its_owner_and_shown_to_nobody(
    folder: Path, gate: Gate
) -> None:
    address = f"rtsp://admin:hunter2@127.0.0.1:{closed_port()}/live"
    made = gate("init", "--yes", "--pins", "simulated", "--camera", address)
    assert made.code == 0, made.err
    assert "hunter2" not in made.out + made.err
    assert "warning: camera: " in made.err
    assert load_config(folder / "gate.toml").config.camera[0].source == address
    assert stat.S_IMODE((folder / "gate.toml").stat().st_mode) == 0o600


def test_whoever_cannot_be_enrolled_has_a_gate_all_the_same(folder: Path, gate: Gate) -> None:
    said = gate(
        *("init", "--yes", *FILM, "--accept-no-pad", "--enrol", "r-1", "--enrol-name", "Ann")
    )
    assert said.code == 69
    assert "is not installed" in said.err
    assert "gate-agent run --config gate.toml" in said.out
    assert left(folder) == {"gate.toml", "gallery.key"}
