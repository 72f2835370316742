"""What this process writes to disks, as Linux counts it; and what all write to a folder's disk.

A write counts where a page becomes dirty (``write_bytes`` of proc(5)), with the whole page, as a
card takes it. What a thread caused stands under its own number.
"""

import os
import threading
from pathlib import Path

from agent.domain.record.wear import Meter

_PROCESS = Path("/proc/self")
_BLOCK = Path("/sys/dev/block")
_SECTOR_BYTES = 512
_SECTORS_WRITTEN = 6
"""The field of a block device's stat, from 0 (Documentation/block/stat.rst)."""


def meter(folder: Path, logged: int, process: Path = _PROCESS, block: Path = _BLOCK) -> Meter:
    """The counters as they stand; ``folder`` lies on the disk that is asked as well.

    ``logged`` is what was handed to the log, which another process writes.
    """
    return Meter(_written(process / "io"), logged, _device(folder, block), _threads(process))


def _written(file: Path) -> int | None:
    try:
        for line in file.read_text("ascii").splitlines():
            name, _, value = line.partition(":")
            if name == "write_bytes":
                return int(value)
    except (OSError, ValueError):
        pass  # a kernel without task accounting, or a process that has ended
    return None


def _threads(process: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for thread in threading.enumerate():
        written = _written(process / "task" / str(thread.native_id) / "io")
        if written:
            found[thread.name] = found.get(thread.name, 0) + written
    return found


def _device(folder: Path, block: Path) -> int | None:
    try:
        number = folder.stat().st_dev
        stat = block / f"{os.major(number)}:{os.minor(number)}" / "stat"
        return int(stat.read_text("ascii").split()[_SECTORS_WRITTEN]) * _SECTOR_BYTES
    except (OSError, ValueError, IndexError):
        return None  # it lies on no block device: in memory, on a network
