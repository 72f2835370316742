"""Writes a file whole or not at all, private to its owner."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from agent.errors import UnavailableError

_LARGEST_BYTES = 500_000_000


def write_lines(
    lines: Iterable[str], file: Path, advance: Callable[[int], None] = lambda _count: None
) -> int:
    """Write ``lines`` into ``file``, which keeps what it had until all are written; how many.

    The file has mode 0600: it says who lives here or who passed when.

    Raises:
        UnavailableError: it cannot be written.
    """
    count = 0
    try:
        with _replacing(file) as stream:
            for line in lines:
                stream.write(line + "\n")
                count += 1
                advance(count)
    except OSError as error:
        fix = "name another place"
        raise UnavailableError(
            f"{file} cannot be written: {error.strerror or error}", fix
        ) from error
    return count


def read_lines(file: Path) -> list[str]:
    """The lines of a text file.

    Raises:
        UnavailableError: it is missing, too large, or no text.
    """
    try:
        if not file.is_file():
            raise UnavailableError(f"{file} is no file")
        if file.stat().st_size > _LARGEST_BYTES:
            raise UnavailableError(f"{file} is larger than {_LARGEST_BYTES} bytes")
        return file.read_text("utf-8").splitlines()
    except OSError as error:
        raise UnavailableError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnavailableError(f"{file} is no text (UTF-8) at byte {error.start}") from error


@contextmanager
def _replacing(file: Path) -> Iterator[TextIO]:
    """A text file that takes the place of ``file`` when the block ends well, and mode 0600."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    made = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        made.replace(file)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
