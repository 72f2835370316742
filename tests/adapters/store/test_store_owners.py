"""Files of the state folder that belong to another user are told by file and owner."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nobody_parts import NOBODY, as_nobody

from agent.adapters.store.keys import init_key, load_key
from agent.adapters.store.owners import whose
from agent.app.open.files.state import KEY, REGISTRY
from agent.app.open.files.stores import open_journal, open_registry, read_registry
from agent.app.open.site import site_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture
def state() -> Iterator[Path]:
    """A state folder of ``nobody`` in which a command of root has left its files."""
    folder = Path(tempfile.mkdtemp(prefix="gate-agent-owners-"))
    folder.chmod(0o755)
    state = folder / "state"
    state.mkdir(mode=0o700)
    init_key(KEY.at(state))
    with open_registry(site_of(state, None)), open_journal(site_of(state, None)):
        pass
    os.chown(state, NOBODY, NOBODY)
    yield state
    shutil.rmtree(folder)


def look(state: Path) -> None:
    with read_registry(site_of(state, None)) as registry:
        list(registry.holders())


def write(state: Path) -> None:
    with open_journal(site_of(state, None)):
        pass


@pytest.mark.parametrize(
    ("work", "name"),
    [
        (look, "registry.sqlite"),
        (write, "journal.sqlite"),
        (lambda state: load_key(KEY.at(state)), "gallery.key"),
    ],
)
def test_a_file_of_root_is_told_by_file_and_owner(
    state: Path, work: Callable[[Path], object], name: str
) -> None:
    said = as_nobody(lambda: work(state))
    assert f"{state / name} belongs to root, and this runs as nobody" in said
    assert f"Fix: chown -R nobody: {state}, as root" in said


def test_a_log_of_root_beside_a_file_of_ones_own_is_told(state: Path) -> None:
    os.chown(REGISTRY.at(state), NOBODY, NOBODY)
    log = Path(f"{REGISTRY.at(state)}-wal")
    log.write_bytes(b"")
    log.chmod(0o600)
    assert f"{log} belongs to root" in as_nobody(lambda: look(state))


@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_a_folder_of_root_is_told_with_both_ways_out(state: Path, mode: int) -> None:
    os.chown(state, 0, 0)
    state.chmod(mode)
    said = as_nobody(lambda: look(state))
    assert f"{state} belongs to root, and this runs as nobody" in said
    assert "sudo -u root gate-agent" in said


def test_once_it_is_given_to_the_user_it_works(state: Path) -> None:
    for path in state.iterdir():
        os.chown(path, NOBODY, NOBODY)
    assert as_nobody(lambda: look(state)) == "it works"


def test_owners_are_not_blamed_where_they_are_not_the_reason(tmp_path: Path) -> None:
    assert whose(tmp_path / "registry.sqlite") is None
