"""Where the FAT partition of a disk image lies: read from its MBR or GPT."""

import struct
import uuid
from dataclasses import dataclass
from typing import BinaryIO

from agent.errors import UnavailableError

SECTOR = 512
_FAT_TYPES = frozenset({0x01, 0x04, 0x06, 0x0B, 0x0C, 0x0E})
_PROTECTIVE = 0xEE
_ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
_BASIC = uuid.UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")
_MOST_ENTRIES = 256
_LEAST_BYTES = 1_000_000
_FIX = "give the .img of Raspberry Pi OS Lite, unpacked or as .xz"


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition; both in bytes."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """Behind its last byte."""
        return self.start + self.size


def fat_partition(file: BinaryIO, name: str, size: int | None = None) -> Partition:
    """The first FAT partition of the image ``file``, which has ``size`` bytes where that is known.

    Raises:
        UnavailableError: it is too small, has no partition table, no FAT partition, or is cut off.
    """
    head = file.read(SECTOR)
    if len(head) < SECTOR or (size is not None and size < _LEAST_BYTES):
        raise UnavailableError(f"{name} is too small for a disk image", _FIX)
    if head[510:512] != b"\x55\xaa":
        raise UnavailableError(f"{name} has no partition table", _FIX)
    entries = [head[446 + 16 * i : 462 + 16 * i] for i in range(4)]
    if any(entry[4] == _PROTECTIVE for entry in entries):
        found = _gpt(file, name)
    else:
        found = [_mbr(entry) for entry in entries if entry[4] in _FAT_TYPES]
    for one in sorted(found, key=lambda part: part.start):
        if size is not None and one.end > size:
            raise UnavailableError(
                f"{name} is cut off: its boot partition ends at byte {one.end}, and it has {size}",
                "download it again",
            )
        file.seek(one.start)
        boot = file.read(SECTOR)
        # What a boot sector of FAT begins and ends with, whatever the table calls it.
        if boot[:1] in (b"\xeb", b"\xe9") and boot[510:512] == b"\x55\xaa":
            return one
    raise UnavailableError(f"{name} has no FAT partition to boot from", _FIX)


def _mbr(entry: bytes) -> Partition:
    start, count = struct.unpack_from("<II", entry, 8)
    return Partition(start * SECTOR, count * SECTOR)


def _gpt(file: BinaryIO, name: str) -> list[Partition]:
    file.seek(SECTOR)
    header = file.read(SECTOR)
    if header[:8] != b"EFI PART":
        raise UnavailableError(f"{name} has a broken partition table (GPT)", _FIX)
    at, count, each = struct.unpack_from("<QII", header, 72)
    if not (128 <= each <= 4096) or count > _MOST_ENTRIES:
        raise UnavailableError(f"{name} has a broken partition table (GPT)", _FIX)
    found = []
    file.seek(at * SECTOR)
    for _ in range(count):
        entry = file.read(each)
        if len(entry) < 48:
            break
        if uuid.UUID(bytes_le=entry[:16]) in (_ESP, _BASIC):
            first, last = struct.unpack_from("<QQ", entry, 32)
            found.append(Partition(first * SECTOR, (last - first + 1) * SECTOR))
    return found
