"""Writes a file whole or not at all, private to its owner."""

import io
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from agent.errors import UnavailableError

_LARGEST_BYTES = 500_000_000


def write_lines(
    lines: Iterable[str], file: Path, advance: Callable[[int], None] = lambda _count: None
) -> int:
    """Write ``lines`` into ``file``, which keeps what it had until all are written; how many.

    The file has mode 0600: it says who lives here or who passed when. A device, pipe or folder is
    refused: what takes the place of /dev/stdout is missed by the whole machine.

    Raises:
        UnavailableError: it cannot be written, or is no ordinary file.
    """
    count = 0
    with _replacing(file, "name a file; - is stdout") as stream:
        for line in lines:
            stream.write(f"{line}\n".encode())
            count += 1
            advance(count)
    return count


def write_whole(content: bytes, file: Path) -> None:
    """Write ``content`` into ``file``, held to the same.

    Raises:
        UnavailableError: it cannot be written, or is no ordinary file.
    """
    with _replacing(file, "name a file") as stream:
        stream.write(content)


def sync_folder(folder: Path) -> None:
    """Names made, moved or removed in ``folder`` survive a power failure from now on."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_lines(file: Path) -> list[str]:
    """The lines of a text file.

    Raises:
        UnavailableError: it is missing, too large, or no text.
    """
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnavailableError(f"{file} is no ordinary file", "name a file; - is stdin")
        if status.st_size > _LARGEST_BYTES:
            raise UnavailableError(f"{file} is larger than {_LARGEST_BYTES} bytes")
        return _lines(file.read_bytes())
    except OSError as error:
        raise UnavailableError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnavailableError(f"{file} is no text (UTF-8) at byte {error.start}") from error


def read_stdin() -> list[str]:
    """The lines of stdin, held to the same.

    Raises:
        UnavailableError: it is too large, or no text.
    """
    content = sys.stdin.buffer.read(_LARGEST_BYTES + 1)
    if len(content) > _LARGEST_BYTES:
        raise UnavailableError(f"stdin is larger than {_LARGEST_BYTES} bytes")
    try:
        return _lines(content)
    except UnicodeDecodeError as error:
        raise UnavailableError(f"stdin is no text (UTF-8) at byte {error.start}") from error


def _is_special(file: Path) -> bool:
    # /dev/stdout may lead to an ordinary file: the one that the shell writes this output to.
    place = os.path.abspath(file)  # noqa: PTH100 - Path.resolve follows links
    return place.startswith(("/dev/", "/proc/")) or (file.exists() and not file.is_file())


def _lines(content: bytes) -> list[str]:
    # Not splitlines, which also ends lines at characters that JSON allows in a text.
    text = io.StringIO(content.decode("utf-8"), newline=None)
    return [line.rstrip("\n") for line in text]


@contextmanager
def _replacing(file: Path, fix: str) -> Iterator[BinaryIO]:
    """A stream that takes the place of ``file`` when the block ends well, and mode 0600."""
    if _is_special(file):
        raise UnavailableError(f"{file} is no ordinary file", fix)
    # The file that a link points to is replaced, not the link.
    target = Path(os.path.realpath(file))
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        made = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            made.replace(target)
        except BaseException:
            made.unlink(missing_ok=True)
            raise
    except OSError as error:
        message = f"{file} cannot be written: {error.strerror or error}"
        raise UnavailableError(message, "name another place") from error
