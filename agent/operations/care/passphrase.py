"""The passphrase of a backup: from a person who types it, a file or stdin; never a command line."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from agent.domain.foreign.text import NoTextError, text_of
from agent.errors import RefusedError, UnavailableError
from agent.operations.care.vault import check_passphrase

_MOST_BYTES = 4096
_STDIN = "-"


def read_passphrase(file: Path | None, ask: Callable[[str], str] | None, *, new: bool) -> str:
    """The first line of ``file``, else what ``ask`` hears; a ``new`` one is asked for twice.

    ``ask`` is None where nobody can be asked.

    Raises:
        RefusedError: ``passphrase``: two that differ, or one that is too short.
        UnavailableError: there is none, or the file cannot be read.
    """
    if file is not None:
        said = _from_file(file)
    elif ask is None:
        fix = "--passphrase-file FILE, or - for stdin; or run it at a terminal"
        raise UnavailableError("nobody is there to type the passphrase", fix)
    else:
        said = ask("Passphrase: ")
        if new and ask("The same again: ") != said:
            raise RefusedError("passphrase", "the two differ; nothing was written")
    if new:
        check_passphrase(said)
    if not said:
        raise RefusedError("passphrase", "the passphrase is empty")
    return said


def _from_file(file: Path) -> str:
    try:
        if str(file) == _STDIN:
            content = sys.stdin.buffer.readline(_MOST_BYTES)
        else:
            # Without waiting, as one would at a pipe.
            descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as stream:
                content = stream.readline(_MOST_BYTES)
    except OSError as error:
        said = f"{file} cannot be read: {error.strerror}"
        raise UnavailableError(said, "name a file that holds the passphrase") from error
    try:
        return text_of(content).rstrip("\r\n")
    except NoTextError as error:
        raise UnavailableError(f"{file} is no text", "save it as UTF-8") from error
