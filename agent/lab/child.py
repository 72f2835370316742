"""A process that measures ends with the one that asked: killed, that one cleans nothing up.

The kernel is told once, in the child (prctl(2), PR_SET_PDEATHSIG); a parent that died before is
seen by its number. SIGTERM, so that an agent puts its outputs at rest as for anybody else.
"""

import ctypes
import os
import runpy
import signal
import sys

_PR_SET_PDEATHSIG = 1


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs ``module`` as ``python -m`` does, for as long as this process lives."""
    return [sys.executable, "-m", __name__, str(os.getpid()), module, *arguments]


def end_with(parent: int) -> None:
    """End this process when ``parent`` does, which started it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    del sys.argv[:2]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
