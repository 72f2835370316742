"""Whether a file that holds a secret is kept as one."""

import os
import stat
from pathlib import Path


def exposed_mode(path: Path, status: os.stat_result) -> int | None:
    """The file's mode where others than its owner may read or change it; None where it is kept.

    In systemd's credentials folder the group bits are the mask of an access list that names the
    service's user alone (systemd.exec(5)), so there they say nothing.
    """
    mode = stat.S_IMODE(status.st_mode)
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    in_credentials = folder is not None and path.parent == Path(folder)
    return mode if mode & (0o007 if in_credentials else 0o077) else None
