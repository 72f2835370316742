"""Whatever of the state another user owns is told by file, owner and fix; nothing else is."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nobody_parts import NOBODY, as_nobody

from agent.app.open.files.owners import whose_fault
from agent.errors import UnavailableError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture
def state() -> Iterator[Path]:
    """A state folder of ``nobody`` with a pack that root installed."""
    folder = Path(tempfile.mkdtemp(prefix="gate-agent-owners-"))
    folder.chmod(0o755)
    pack = folder / "state" / "models" / "retail"
    pack.mkdir(parents=True, mode=0o755)
    (pack / "network.onnx").touch(mode=0o600)
    for place in (folder / "state", pack):
        os.chown(place, NOBODY, NOBODY)
    yield folder / "state"
    shutil.rmtree(folder)


def said_of(work: Callable[[], object], state: Path) -> str:
    """What is said where ``work`` fails as nobody, in words of its own."""

    def told() -> None:
        try:
            work()
        except OSError as error:
            wrapped = UnavailableError(f"{error.filename}: {error.strerror}")
            wrapped.__cause__ = error
            raise UnavailableError(*(whose_fault(wrapped, state) or ("nothing",))) from error

    return as_nobody(told)


def test_a_packs_file_is_named_with_its_owner_and_the_fix(state: Path) -> None:
    network = state / "models" / "retail" / "network.onnx"
    said = said_of(network.read_bytes, state)
    assert f"{network} belongs to root, and this runs as nobody" in said
    assert f"chown -R nobody: {state}, as root" in said


def test_a_folder_that_cannot_be_entered_is_the_one_that_is_named(state: Path) -> None:
    pack = state / "models" / "retail"
    os.chown(pack, 0, 0)
    pack.chmod(0o700)
    assert f"{pack} belongs to root" in said_of((pack / "network.onnx").read_bytes, state)


def test_what_lies_elsewhere_is_nobodys_to_give_away(state: Path) -> None:
    elsewhere = state.parent / "notes"
    elsewhere.touch(mode=0o600)
    assert said_of(elsewhere.read_bytes, state) == "nothing"


def test_what_was_said_is_not_said_again(state: Path) -> None:
    network = state / "models" / "retail" / "network.onnx"

    def told() -> None:
        try:
            network.read_bytes()
        except OSError as error:
            owned = whose_fault(error, state)
            assert owned is not None
            again = UnavailableError(*owned)
            again.__cause__ = error
            raise UnavailableError(repr(whose_fault(again, state))) from error

    assert as_nobody(told) == "None"


def test_a_file_that_is_missing_is_no_question_of_owners(state: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        (state / "nothing").read_bytes()
    assert whose_fault(caught.value, state) is None
