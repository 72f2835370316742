"""A running agent: somebody is removed, and the key is changed, under it."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from in_process import run_here
from mosquitto import wait_until
from test_deaths import CONFIG

from agent.adapters.store.keys import load_key
from agent.vision.packs.packs import InstalledPack

PROGRAM = Path(sys.executable).with_name("gate-agent")
NAME = "Zaphod Beeblebrox"


class Kiosk:
    """A state folder, and an agent that runs on it."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        places = {"STATE_DIR": str(self.state), "CONFIG": str(folder / "gate.toml")}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("GATE_AGENT")}
        self.environment = {**kept, **{f"GATE_AGENT_{name}": word for name, word in places.items()}}

    def __call__(self, *words: object) -> Any:
        done = run_here(*words, "--json", environment=self.environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def knows(self, holders: int) -> bool:
        """Whether the agent decides by a gallery of so many, and nothing is wrong with it."""
        status = self("status")
        return status["holders"] == status["references"] == holders and not status["faults"]

    def content(self) -> bytes:
        """Every byte of the state folder but the packs."""
        return b"".join(file.read_bytes() for file in self.state.iterdir() if file.is_file())

    def sealed(self, holder: str) -> list[bytes]:
        with closing(sqlite3.connect(self.state / "registry.sqlite")) as connection:
            rows = connection.execute(
                "SELECT sealed FROM reference WHERE holder = ?1"
                " UNION ALL SELECT sealed_name FROM holder WHERE id = ?1",
                (holder,),
            ).fetchall()
        return [sealed for (sealed,) in rows]


@pytest.fixture
def kiosk(tmp_path: Path, dlib_pack: InstalledPack, shared_faces: Path) -> Iterator[Kiosk]:
    """One that knows o, with its agent running."""
    kiosk = Kiosk(tmp_path)
    kiosk.state.mkdir(mode=0o700)
    (kiosk.state / "models").symlink_to(dlib_pack.directory.parent)
    portrait = shared_faces / "gallery" / "obama.jpg"
    (tmp_path / "gate.toml").write_text(CONFIG.format(portrait=portrait))
    kiosk("key", "init")
    kiosk("enrol", "o", "--name", "O", "--category", "resident", portrait)
    with subprocess.Popen(
        [PROGRAM, "run"],
        env=kiosk.environment,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as agent:
        try:
            assert wait_until((kiosk.state / "control.sock").exists, 30.0)
            assert wait_until(lambda: kiosk.knows(1), 30.0)
            yield kiosk
            assert agent.poll() is None
        finally:
            agent.terminate()


def test_who_is_removed_is_in_no_byte_while_the_agent_runs(
    kiosk: Kiosk, shared_faces: Path
) -> None:
    words = ("--name", NAME, "--category", "resident", shared_faces / "gallery" / "biden.jpg")
    kiosk("enrol", "z", *words)
    assert wait_until(lambda: kiosk.knows(2), 10.0)
    sealed = kiosk.sealed("z")
    content = kiosk.content()
    assert len(sealed) == 2
    assert all(one in content for one in sealed)
    assert NAME.encode() not in content
    assert kiosk("holders", "remove", "z")["erased"] is True
    content = kiosk.content()
    assert not any(one in content or one[-16:] in content for one in sealed)
    assert wait_until(lambda: kiosk.knows(1), 10.0)
    assert all(one in kiosk.content() for one in kiosk.sealed("o"))


@pytest.mark.slow
def test_the_key_changes_under_a_running_agent(kiosk: Kiosk, shared_faces: Path) -> None:
    old, sealed = load_key(kiosk.state / "gallery.key"), kiosk.sealed("o")
    assert kiosk("key", "rotate")["resealed"] == 2
    assert kiosk.knows(1)
    content = kiosk.content()
    assert old.hex().encode() not in content
    assert not any(one[-16:] in content for one in sealed)
    # The agent had the old key only: it reads what comes now by the new one.
    words = ("--name", NAME, "--category", "resident", shared_faces / "gallery" / "biden.jpg")
    kiosk("enrol", "z", *words)
    assert wait_until(lambda: kiosk.knows(2), 10.0)
    assert [one["name"] for one in kiosk("holders", "list")] == ["O", NAME]
