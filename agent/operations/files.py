"""Writes a file whole or not at all, private to its owner; reads text of any encoding."""

import io
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from agent.domain.foreign.text import NoTextError, text_of
from agent.errors import UnavailableError

_LARGEST_BYTES = 500_000_000
_SAVE = "save it as UTF-8"
_SAVE_TABLE = "save the sheet as CSV UTF-8"
_WORKBOOKS = (b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1"))
"""How files of Excel and its like begin: a ZIP, or before 2007 a compound file."""


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
    with replacing(file, "name a file; - is stdout") as stream:
        for line in lines:
            stream.write(f"{line}\n".encode())
            count += 1
            advance(count)
    return count


def write_whole(
    content: bytes, file: Path, *, as_it_was: bool = False, handed: "Handed | None" = None
) -> None:
    """Write ``content`` into ``file``, held to the same; ``as_it_was`` keeps its mode and owner.

    ``handed`` says whose it is instead, and who may read it.

    Raises:
        UnavailableError: it cannot be written, or is no ordinary file.
    """
    with replacing(file, "name a file") as stream:
        stream.write(content)
        if as_it_was:
            _take_after(stream.fileno(), file.stat())
        if handed is not None:
            os.fchown(stream.fileno(), handed.user, handed.group)
            os.fchmod(stream.fileno(), handed.mode)


def check_place(file: Path) -> None:
    """See that ``file`` can be written, before long work for it.

    Raises:
        UnavailableError: it is no ordinary file, or its folder is not there, or not for this user.
    """
    if _is_special(file):
        raise UnavailableError(f"{file} is no ordinary file", "name a file")
    folder = Path(os.path.realpath(file)).parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UnavailableError(f"{folder} cannot be written", "name another place")


@dataclass(frozen=True, slots=True)
class Handed:
    """Whose a file that root writes shall be; -1 leaves a user or group as it is."""

    user: int
    group: int
    mode: int


def _take_after(descriptor: int, before: os.stat_result) -> None:
    made = os.fstat(descriptor)
    if (made.st_uid, made.st_gid) != (before.st_uid, before.st_gid):
        os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode))


def sync_folder(folder: Path) -> None:
    """Names made, moved or removed in ``folder`` survive a power failure from now on."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_lines(file: Path) -> list[str]:
    """The lines of a text file, as ``domain.foreign.text`` tells its encoding; any line ends.

    Raises:
        UnavailableError: it is missing, too large, or no text.
    """
    return _lines(read_text(file))


def read_text(file: Path) -> str:
    """The whole text of a file, held to the same; its line ends as they are.

    Raises:
        UnavailableError: it is missing, too large, or no text.
    """
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnavailableError(f"{file} is no ordinary file", "name a file; - is stdin")
        if status.st_size > _LARGEST_BYTES:
            raise UnavailableError(f"{file} is larger than {_LARGEST_BYTES} bytes")
        content = file.read_bytes()
    except OSError as error:
        raise UnavailableError(f"{file} cannot be read: {error.strerror}") from error
    if content.startswith(_WORKBOOKS):
        raise UnavailableError(f"{file} is a workbook or archive and no text", _SAVE_TABLE)
    try:
        return text_of(content)
    except NoTextError as error:
        raise UnavailableError(f"{file} is no text {error}", _SAVE) from error


def read_stdin() -> list[str]:
    """The lines of stdin, held to the same.

    Raises:
        UnavailableError: it is too large, or no text.
    """
    content = sys.stdin.buffer.read(_LARGEST_BYTES + 1)
    if len(content) > _LARGEST_BYTES:
        raise UnavailableError(f"stdin is larger than {_LARGEST_BYTES} bytes")
    try:
        return _lines(text_of(content))
    except NoTextError as error:
        raise UnavailableError(f"stdin is no text {error}") from error


def _lines(text: str) -> list[str]:
    # Not splitlines, which also ends lines at characters that JSON allows in a text.
    return [line.rstrip("\n") for line in io.StringIO(text, newline=None)]


def _is_special(file: Path) -> bool:
    # /dev/stdout may lead to an ordinary file: the one that the shell writes this output to.
    place = os.path.abspath(file)  # noqa: PTH100 - Path.resolve follows links
    return place.startswith(("/dev/", "/proc/")) or (file.exists() and not file.is_file())


@contextmanager
def replacing(file: Path, fix: str) -> Iterator[BinaryIO]:
    """A stream that takes the place of ``file`` when the block ends well, and mode 0600.

    Raises:
        UnavailableError: it cannot be written, or is no ordinary file; its fix for that is ``fix``.
    """
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
