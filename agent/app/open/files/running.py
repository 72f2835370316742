"""The lock by which one agent, or one command in its stead, holds a state folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.adapters.store.aside import put_aside
from agent.adapters.store.owners import whose
from agent.app.open.files.state import FOLDER_MODE, LOCK
from agent.errors import UnavailableError


@contextmanager
def held(state: Path, taken: UnavailableError) -> Iterator[None]:
    """Hold the folder, made where there is none: no agent runs there, and none starts meanwhile.

    Raises:
        UnavailableError: ``taken``, where somebody else holds it; or it cannot be written.
    """
    try:
        state.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if LOCK.at(state).is_dir():
            put_aside(LOCK.at(state))  # no agent holds a folder
        descriptor = os.open(LOCK.at(state), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, LOCK.mode)
    except OSError as error:
        fix = "make it writable for this user, or name another --state-dir"
        said = f"{state} cannot be written: {error.strerror}"
        said, fix = whose(LOCK.at(state)) or (said, fix)
        raise UnavailableError(said, fix) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise taken from error
        yield
    finally:
        os.close(descriptor)


def agent_runs(state: Path) -> bool:
    """Whether an agent holds this state directory; then it holds the pins too.

    Where this user may not look, one may run: then nothing of its is touched either.
    """
    try:
        descriptor = os.open(LOCK.at(state), os.O_RDWR | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
