"""What each side of a fleet takes of the processor, by Linux's own count of its processes."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_USER, _CHILDREN_SYSTEM = 11, 14
"""From ``utime`` to ``cstime`` of /proc/PID/stat, counted behind the name (proc(5))."""


class Running(Protocol):
    """A server of ``lab.servers``."""

    @property
    def pid(self) -> int | None:
        """Its process; None while there is none."""


class Sides:
    """The servers by what they are; ``kiosks`` is this process."""

    def __init__(self, **servers: Sequence[Running]) -> None:
        self._servers: Mapping[str, Sequence[Running]] = servers

    def busy_s(self) -> dict[str, float]:
        """Seconds of a core so far, by side."""
        found = {"kiosks": time.process_time()}
        for name, servers in self._servers.items():
            found[name] = sum(_busy_s(one.pid) for one in servers if one.pid is not None)
        return found


def _busy_s(pid: int) -> float:
    """Of a process, of those that it began and of those of them that have ended."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
        begun = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except OSError:
        return 0.0  # it ended in this moment
    ticks = said.rpartition(")")[2].split()[_USER : _CHILDREN_SYSTEM + 1]
    return sum(map(int, ticks)) / _TICKS_PER_S + sum(_busy_s(int(one)) for one in begun)
