"""A state put in the place of another, killed before each call: the old or the new one, no mix."""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.app.open.files.restoring import (
    clear,
    commit,
    end_cut_short,
    is_unfinished,
    refuse_unfinished,
    stage,
)
from agent.app.open.files.running import held
from agent.app.open.files.state import KEY, SIGNING_KEY
from agent.app.open.paths import state_dir
from agent.app.open.site import command_site
from agent.errors import StoreError, UnavailableError

STEPS = ("rename", "unlink", "fsync", "replace", "mkdir", "rmdir", "fchmod")
OLD = {
    "gallery.key": "old",
    "registry.sqlite": "old",
    "registry.sqlite-wal": "old log",
    "latches.sqlite": "old",
    "journal.sqlite-stream": "old mark",
    "rules.sha256": "old",
    "trust/eu.pem": "old",
    "models/little/a.onnx": "old",
    "models/other/b.onnx": "old",
}
STAYS = {
    "kiosk-signing.key": "its own",
    "outputs.json": "its own",
    "passes.sqlite.broken-1": "set aside",
    "notes.txt": "a person's",
}
NEW = {
    "gallery.key": "new",
    "registry.sqlite": "new",
    "passes.sqlite": "new",
    "models/little/a.onnx": "new",
    "models/little/c.onnx": "new",
}
AFTERWARDS = {**NEW, **STAYS, "trust/eu.pem": "old"}


def made(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        place = folder / name
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.write_text(text)


def found(state: Path) -> dict[str, str]:
    return {
        str(one.relative_to(state)): one.read_text()
        for one in sorted(state.rglob("*"))
        if one.is_file() and one.name != "agent.lock" and ".restore" not in one.parts
    }


def put(state: Path) -> None:
    with stage(state) as new:
        made(new, NEW)
        commit(state, [SIGNING_KEY])


def killed(step: int, deed: Callable[[], None]) -> bool:
    """Do it in a process of its own that is gone before its ``step``-th call; whether it was."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            count = [0]

            def stopping(real: Any) -> Any:
                def call(*words: Any, **more: Any) -> Any:
                    count[0] += 1
                    if count[0] == step:
                        os._exit(9)
                    return real(*words, **more)

                return call

            for name in STEPS:
                setattr(os, name, stopping(getattr(os, name)))
            deed()
            code = 0
        finally:
            os._exit(code)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert ended in (0, 9)
    return ended == 9


@pytest.fixture
def state(tmp_path: Path) -> Path:
    made(tmp_path / "state", OLD | STAYS)
    return tmp_path / "state"


def test_what_was_made_ready_takes_the_place_of_what_is_there(state: Path) -> None:
    put(state)
    assert found(state) == AFTERWARDS
    assert not (state / ".restore").exists()


def test_killed_before_any_call_it_is_the_old_or_the_new_one(state: Path, tmp_path: Path) -> None:
    step, cut, ends = 0, True, set()
    while cut:
        step += 1
        place = shutil.copytree(state, tmp_path / f"cut-{step}")
        cut = killed(step, partial(put, place))
        unfinished = is_unfinished(place)
        if unfinished:
            with pytest.raises(UnavailableError, match="cut short"):
                refuse_unfinished(place)
            # The one that ends it is killed as well, each time a little further on.
            killed(1 + step % 40, partial(end_cut_short, place))
        else:
            refuse_unfinished(place)
            assert found(place) in (OLD | STAYS, AFTERWARDS)
        end_cut_short(place)
        assert not (place / ".restore").exists()
        ended = found(place)
        assert ended == (AFTERWARDS if unfinished or not cut else ended)
        assert ended in (OLD | STAYS, AFTERWARDS)
        ends.add((unfinished, ended == AFTERWARDS))
        shutil.rmtree(place)
    assert step > 50
    assert ends == {(False, False), (True, True), (False, True)}


def test_what_fails_before_the_mark_leaves_the_old_one(state: Path) -> None:
    def fails() -> None:
        with stage(state) as new:
            made(new, NEW)
            raise StoreError("no such thing")

    with pytest.raises(StoreError, match="no such thing"):
        fails()
    assert found(state) == OLD | STAYS
    assert not (state / ".restore").exists()


def test_what_has_the_folders_name_is_no_way_out(state: Path, tmp_path: Path) -> None:
    made(tmp_path / "elsewhere", {"kept": "kept"})
    (state / ".restore").symlink_to(tmp_path / "elsewhere")
    put(state)
    assert found(state) == AFTERWARDS
    assert found(tmp_path / "elsewhere") == {"kept": "kept"}
    (state / ".restore").write_text("a file")
    clear(state)
    assert not (state / ".restore").exists()


def test_the_old_key_is_overwritten_before_it_goes(state: Path) -> None:
    with KEY.at(state).open() as before:
        put(state)
        assert before.read() == "\0" * 3


def test_commands_go_by_no_half_of_it(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(state, {".restore/ready.json": "{}"})
    monkeypatch.setenv("GATE_AGENT_STATE_DIR", str(state))
    with pytest.raises(UnavailableError, match="systemctl start"):
        command_site(state_dir(), None)
    assert command_site(state_dir(), None, unfinished=True).state == state


def test_a_mark_that_nobody_can_read_says_what_to_do(state: Path) -> None:
    made(state, {".restore/ready.json": "[", ".restore/new/gallery.key": "new"})
    with pytest.raises(StoreError, match=r"remove .* and restore"):
        end_cut_short(state)
    assert found(state) == OLD | STAYS


def test_beside_a_restore_that_runs_no_agent_starts(state: Path) -> None:
    made(state, {".restore/new/gallery.key": "new"})
    with held(state, UnavailableError("held")), pytest.raises(UnavailableError, match="let the"):
        end_cut_short(state)
    assert (state / ".restore" / "new" / "gallery.key").exists()
