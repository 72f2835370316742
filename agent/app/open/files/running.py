"""Whether an agent holds a state folder."""

import fcntl
import os
from pathlib import Path

from agent.app.open.files.state import LOCK


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
