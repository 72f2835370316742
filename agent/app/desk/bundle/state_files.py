"""The state folder by its own table: what lies there, how large, whose, and who may read it.

Of a file that the table does not know nothing is told but that it is there: its name may say
anything.
"""

import os
import pwd
import stat
from pathlib import Path
from typing import Any

from agent.app.open.files.state import FOLDER_MODE, ROWS, Row, row_of
from agent.logs import MASK

_OWNERS = ("root", "gate-agent")


def files_of(state: Path) -> dict[str, Any]:
    """The folder itself, each row of its table, and how many strangers there are.

    Raises:
        OSError: it cannot be read.
    """
    found: dict[str, list[os.stat_result]] = {}
    strangers = 0
    for folder, _, names in os.walk(state, onerror=_raised):
        for name in names:
            path = Path(folder) / name
            row = row_of(path.relative_to(state))
            if row is None:
                strangers += 1
            else:
                found.setdefault(row.name, []).append(path.lstat())
    return {
        "folder": _told(state.stat(), FOLDER_MODE),
        "rows": {row.name: _row(row, found.get(row.name, [])) for row in ROWS},
        "strangers": strangers,
    }


def _row(row: Row, found: list[os.stat_result]) -> dict[str, Any]:
    told = [_told(one, row.mode) for one in found]
    return {
        "files": len(found),
        "bytes": sum(one.st_size for one in found),
        "owners": sorted({one["owner"] for one in told}),
        "modes": sorted({one["mode"] for one in told}),
        "as_made": all(one["as_made"] for one in told),
    }


def _told(status: os.stat_result, mode: int) -> dict[str, Any]:
    found = stat.S_IMODE(status.st_mode)
    return {"owner": _owner(status.st_uid), "mode": f"{found:04o}", "as_made": found == mode}


def _owner(uid: int) -> str:
    """Who, where it is one of the two whom a kiosk has; a person's login is nobody's business."""
    if uid == os.getuid() and uid != 0:
        return "this user"
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return "nobody's"
    return name if name in _OWNERS else MASK


def _raised(error: OSError) -> None:
    raise error
