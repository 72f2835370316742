"""What stands in a database's place and is none to go on with: found, and moved aside.

Nothing is deleted: whoever may look into it later finds it as ``NAME.broken-MOMENT``. That nothing
is gone by it any more is the installation's to remember, first and durably.
"""

import os
import secrets
import time
from pathlib import Path

from agent.adapters.store.names import BROKEN, INDEX, LOG, ROLLBACK
from agent.adapters.store.sqlite import sync_folder
from agent.errors import StoreError

_STAMP = "%Y%m%dT%H%M%SZ"


def put_aside(path: Path) -> str | None:
    """Move the file and all that SQLite has beside it; the file's new name, None where none was.

    Works on whatever has that name: a folder, a pipe, a link, a file that may not be opened.

    Raises:
        StoreError: the folder cannot be written.
    """
    stamp = f"{time.strftime(_STAMP, time.gmtime())}-{secrets.token_hex(2)}"
    aside = path.with_name(f"{path.name}{BROKEN}{stamp}")
    moved = False
    try:
        # The database last but for its index: while it stands, the log belongs to it.
        for end in (ROLLBACK, LOG, "", INDEX):
            here = Path(f"{path}{end}")
            if os.path.lexists(here):
                here.rename(f"{aside}{end}")
                moved = True
        sync_folder(path.parent)
    except OSError as error:
        message = f"{path.name} cannot be set aside: {error.strerror}"
        raise StoreError(message, f"make {path.parent} writable for this user") from error
    return aside.name if moved else None
