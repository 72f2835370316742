"""Work that is done as ``nobody``, by a process of its own; only root can be somebody else."""

import os
from collections.abc import Callable

from agent.errors import UnavailableError

NOBODY = 65534


def as_nobody(work: Callable[[], object]) -> str:
    """What ``work`` refuses with where ``nobody`` does it, in a process of its own."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            work()
            said = "it works"
        except UnavailableError as error:
            said = str(error)
        except BaseException as error:  # noqa: BLE001 - told to the parent, which judges it
            said = repr(error)
        os.write(writes, said.encode())
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads, "rb") as stream:
        said = stream.read().decode()
    os.waitpid(child, 0)
    return said
