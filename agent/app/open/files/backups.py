"""What became of the last backup by the timer: one process makes it, the agent tells of it."""

import json
import os
from pathlib import Path

from agent.app.open.files.state import BACKUPS
from agent.domain.foreign.json_text import read_json
from agent.domain.hours.instant import utc_text
from agent.domain.hours.iso_time import read_moment
from agent.domain.record.backup import KeptBackup
from agent.operations.files import Handed, write_whole

_LARGEST_BYTES = 4096
_LONGEST_ERROR = 300


def kept_backup(state: Path) -> KeptBackup:
    """What was noted last; nothing of a file that is missing or no longer right."""
    try:
        with BACKUPS.at(state).open("rb") as file:
            said = read_json(file.read(_LARGEST_BYTES))
        made, error = said["made"], said["error"]
        if not isinstance(error, str | None):
            return KeptBackup()
        moment = None if made is None else read_moment(made)
        return KeptBackup(moment if moment is None or moment.tzinfo else None, error)
    except (OSError, ValueError, KeyError, TypeError):
        return KeptBackup()


def keep_backup(state: Path, kept: KeptBackup) -> None:
    """Note it.

    Raises:
        UnavailableError: it cannot be written.
    """
    said = {
        "made": None if kept.made is None else utc_text(kept.made),
        "error": None if kept.error is None else kept.error[:_LONGEST_ERROR],
    }
    mode = BACKUPS.mode
    owner = state.stat()
    # Where root makes one by hand, the agent still reads what became of it.
    whose = Handed(owner.st_uid, owner.st_gid, mode) if os.geteuid() == 0 else Handed(-1, -1, mode)
    write_whole(f"{json.dumps(said)}\n".encode(), BACKUPS.at(state), handed=whose)
