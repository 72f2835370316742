"""The target: a file, or a card in a reader; and the image that is written onto it."""

import hashlib
import lzma
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from agent.errors import RefusedError, UnavailableError

BLOCK = 4 * 1024 * 1024
Advance = Callable[[str, int, int], None]
_XZ = b"\xfd7zXZ\0"
_SYS, _MOUNTS, _SWAPS = Path("/sys"), Path("/proc/self/mountinfo"), Path("/proc/swaps")


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: so many bytes, and what they were."""

    size: int
    digest: str


def check_device(
    device: Path, *, any_disk: bool, sys: Path = _SYS, mounts: Path = _MOUNTS, swaps: Path = _SWAPS
) -> None:
    """Nothing, where ``device`` is a card in a reader that nobody uses.

    ``any_disk`` takes one that is no removable card too, but never one that is mounted.

    Raises:
        RefusedError: ``mounted``, ``no_card``, ``part_of_a_disk``.
    """
    found = device.resolve()
    number = found.stat().st_rdev
    of_it = (sys / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}").resolve()
    check_disk(of_it, str(device), any_disk=any_disk, mounts=mounts, swaps=swaps)


def check_disk(
    folder: Path, name: str, *, any_disk: bool, mounts: Path = _MOUNTS, swaps: Path = _SWAPS
) -> None:
    """The same by the ``folder`` in which the kernel tells of the disk.

    Raises:
        RefusedError: as ``check_device``.
    """
    if (folder / "partition").exists():
        message = f"{name} is a part of a disk\nFix: give the whole one, {folder.parent.name}"
        raise RefusedError("part_of_a_disk", message)
    numbers = {
        one.read_text().strip() for one in (folder / "dev", *folder.glob("*/dev")) if one.is_file()
    }
    used = {line.split()[2] for line in mounts.read_text().splitlines() if len(line.split()) > 2}
    if numbers & used:
        where = next(
            line.split()[4]
            for line in mounts.read_text().splitlines()
            if line.split()[2] in numbers
        )
        message = f"{name} is mounted at {where}\nFix: is it the right one? Then: umount {where}"
        raise RefusedError("mounted", message)
    parts = {folder.name, *(one.parent.name for one in folder.glob("*/partition"))}
    if any(line.split()[0].rpartition("/")[2] in parts for line in swaps.read_text().splitlines()):
        raise RefusedError("mounted", f"{name} is swapped onto\nFix: is it the right one?")
    if any(any((folder / one / "holders").glob("*")) for one in ("", *parts)):
        raise RefusedError("mounted", f"{name} is part of another disk (LVM, RAID, crypt)")
    if not (_says(folder / "removable", "1") or _says(folder / "device" / "type", "SD")):
        message = (
            f"{name} is no removable card: what is on it would be lost"
            "\nFix: name the card's reader (lsblk); or, if you mean it, --any-disk"
        )
        if not any_disk:
            raise RefusedError("no_card", message)


def _says(file: Path, word: str) -> bool:
    try:
        return file.read_text().strip() == word
    except OSError:
        return False


def is_device(place: Path) -> bool:
    """Whether it is a block device."""
    try:
        return stat.S_ISBLK(place.stat().st_mode)
    except OSError:
        return False


@contextmanager
def opened(file: Path) -> Iterator[BinaryIO]:
    """The bytes of an image, unpacked where it is an .xz.

    Raises:
        UnavailableError: it cannot be read, or is broken.
    """
    try:
        if is_packed(file):
            with lzma.open(file, "rb") as unpacked:
                yield unpacked  # type: ignore[misc]  # LZMAFile reads as a BinaryIO does
        else:
            with file.open("rb") as plain:
                yield plain
    except (lzma.LZMAError, EOFError) as error:
        raise UnavailableError(f"{file} is a broken .xz", "download it again") from error
    except OSError as error:
        raise UnavailableError(f"{file} cannot be read: {error.strerror}") from error


def is_packed(image: Path) -> bool:
    """Whether it is an .xz."""
    with image.open("rb") as raw:
        return raw.read(len(_XZ)) == _XZ


def write_image(image: Path, target: Path, advance: Advance) -> Written:
    """Write the whole of ``image`` onto ``target``, and see that it is there.

    Raises:
        UnavailableError: one cannot be read or written, or what is there is something else.
    """
    flags = os.O_RDWR | os.O_CLOEXEC
    # On a device O_EXCL fails where it is mounted, whatever was seen before.
    flags |= os.O_EXCL if is_device(target) else os.O_CREAT | os.O_TRUNC
    total = image.stat().st_size
    digest, size = hashlib.sha256(), 0
    try:
        descriptor = os.open(target, flags, 0o600)
    except OSError as error:
        fix = "sudo, or the group disk; is it still mounted?"
        raise UnavailableError(f"{target} cannot be opened: {error.strerror}", fix) from error
    with os.fdopen(descriptor, "r+b", buffering=0) as out, opened(image) as source:
        try:
            while block := source.read(BLOCK):
                digest.update(block)
                _write(out, block)
                size += len(block)
                advance("writing the image", size, max(total, size))
            os.fsync(out.fileno())
        except OSError as error:
            message = f"{target} cannot be written at byte {size}: {error.strerror}"
            raise UnavailableError(message, "a larger card, or more room") from error
    made = Written(size, digest.hexdigest())
    if digest_of(target, 0, size, lambda done: advance("reading it back", done, size)) != (
        made.digest
    ):
        raise UnavailableError(f"{target} does not hold what was written", "take another card")
    return made


def _write(out: BinaryIO, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[out.write(rest) :]


def digest_of(
    disk: Path, start: int, size: int, advance: Callable[[int], None] = lambda _done: None
) -> str:
    """What stands on it, from the disk itself and not from what this machine remembers."""
    digest, done = hashlib.sha256(), 0
    with disk.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        file.seek(start)
        while done < size and (block := file.read(min(BLOCK, size - done))):
            digest.update(block)
            done += len(block)
            advance(done)
    return digest.hexdigest()


def flush(disk: Path) -> None:
    """What was written is on the disk from now on."""
    descriptor = os.open(disk, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
