"""The disk of the state, as facts: room, and wear where the kernel tells it."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from agent.adapters.clock import SystemClock
from agent.app.open.files.backups import kept_backup
from agent.app.open.files.state import row_of
from agent.app.open.files.written import kept_day
from agent.config.tables.store import BackupConfig
from agent.domain.hours.instant import utc_text
from agent.errors import UnavailableError
from agent.operations.examination.facts import DiskFact, Doubtful

_BLOCKS = Path("/sys/block")
_STEP = 10
_MOST_TOLD = 5


def disk_fact(place: Path, blocks: Path = _BLOCKS) -> DiskFact:
    """Of the file system that ``place`` lies on, and of every card that this board has."""
    found = os.statvfs(place)
    # Two estimates by some controllers, in tenths: 0x01 is up to 10 percent, 0x0B more than all.
    tenths = [*_numbers(blocks, "life_time")]
    spare = [*_numbers(blocks, "pre_eol_info")]
    return DiskFact(
        found.f_bavail * found.f_frsize,
        found.f_favail / found.f_files if found.f_files else None,
        min(max(tenths) * _STEP, 101) if tenths else None,
        max(spare) if spare else None,
    )


def _numbers(blocks: Path, name: str) -> Iterator[int]:
    """All that cards say there but 0, which is that they say nothing."""
    for path in blocks.glob(f"mmcblk*/device/{name}"):
        try:
            yield from filter(None, (int(one, 16) for one in path.read_text("ascii").split()))
        except (OSError, ValueError):
            continue


def written_found(state: Path, budget_mb: int) -> str | None:
    """What the agent counted of its newest day, beside what it should write; None without one."""
    day = kept_day(state)
    if day.on is None:
        return None
    return f"{day.written / 1e6:.1f} of {budget_mb} MB written on {day.on.isoformat()}"


def backup_found(state: Path, settings: BackupConfig) -> str:
    """When the newest one was made by the timer.

    Raises:
        UnavailableError: the last one failed, it is too old, or none was made.
    """
    kept = kept_backup(state)
    now = SystemClock().now().utc
    if (wrong := kept.wrong(now, timedelta(days=settings.max_age_days))) is not None:
        fix = (
            "gate-agent backup, as the agent's user; systemctl enable --now gate-agent-backup.timer"
        )
        raise UnavailableError(wrong, fix)
    assert kept.made is not None
    return f"the newest is of {utc_text(kept.made)}"


def strangers_found(state: Path) -> str | Doubtful:
    """That all in the state folder is the agent's; names of what is not, quoted."""
    found = sorted(one.name for one in state.iterdir() if row_of(one.relative_to(state)) is None)
    if not found:
        return "none"
    more = f" and {len(found) - _MOST_TOLD} more" if len(found) > _MOST_TOLD else ""
    return Doubtful(", ".join(map(repr, found[:_MOST_TOLD])) + more)
