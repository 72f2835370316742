"""Small disk images as Raspberry Pi OS has them: an MBR or a GPT, a FAT partition, mtools on it."""

import os
import shutil
import struct
import subprocess
import uuid
from pathlib import Path
from typing import BinaryIO

import pytest
from card.fat import Fat

START, SIZE = 4 * 1024 * 1024, 24 * 1024 * 1024
TAIL = 2 * 1024 * 1024
CMDLINE = b"console=tty1 root=PARTUUID=1-02 rootwait init=/usr/lib/raspberrypi-sys-mods/firstboot\n"
NEEDED = ("mkfs.fat", "mcopy", "mdir", "mmd")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

needs_mtools = pytest.mark.skipif(
    any(shutil.which(one, path=PATH) is None for one in NEEDED),
    reason="mtools or dosfstools is not installed: apt-get install mtools dosfstools",
)


def make_image(file: Path, *, trixie: bool = False, gpt: bool = False) -> Path:
    """An image with a boot partition, and noise where the root file system would be."""
    with file.open("wb") as out:
        out.truncate(START + SIZE)
        out.seek(START + SIZE)
        out.write(os.urandom(TAIL))
    subprocess.run(
        [
            *("mkfs.fat", "-F", "16", "--offset", str(START // 512), "--mbr=n"),
            *(str(file), str(SIZE // 1024)),
        ],
        check=True,
        capture_output=True,
        env={"PATH": PATH},
        timeout=60,
    )
    with file.open("r+b") as out:
        _gpt(out) if gpt else _mbr(out)
    fat = Fat(file, START)
    fat.write("cmdline.txt", CMDLINE)
    if trixie:
        fat.write("user-data", b"#cloud-config\n# hostname: nothing is set here\n")
        fat.write("meta-data", b"instance-id: rpios-image\n")
    return file


def _mbr(out: BinaryIO) -> None:
    out.seek(446)
    out.write(struct.pack("<B3sB3sII", 0, b"\0" * 3, 0x0C, b"\0" * 3, START // 512, SIZE // 512))
    after = (START + SIZE) // 512
    out.write(struct.pack("<B3sB3sII", 0, b"\0" * 3, 0x83, b"\0" * 3, after, TAIL // 512))
    out.seek(510)
    out.write(b"\x55\xaa")


def _gpt(out: BinaryIO) -> None:
    out.seek(446)
    out.write(struct.pack("<B3sB3sII", 0, b"\0" * 3, 0xEE, b"\0" * 3, 1, 0xFFFFFFFF))
    out.seek(510)
    out.write(b"\x55\xaa")
    out.write(b"EFI PART".ljust(72, b"\0") + struct.pack("<QII", 2, 4, 128))
    out.seek(1024)
    kind = uuid.UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7").bytes_le
    out.write(kind + bytes(16) + struct.pack("<QQ", START // 512, (START + SIZE) // 512 - 1))
