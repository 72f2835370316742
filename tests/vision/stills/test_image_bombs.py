"""Small files that unfold into gigabytes: none is unfolded, whatever its header pretends."""

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

_WIDTH, _HEIGHT = 256, 257
# OpenCV reads its limit once, when it is loaded, so each file is decoded by a process of its own;
# getrusage would count what the process had that began it.
_READ = """
import sys
from pathlib import Path
from agent.errors import ImageError
from agent.vision.stills.images import read_image
try:
    print(read_image(Path(sys.argv[1])).shape)
except ImageError as error:
    print(error.reason)
status = Path("/proc/self/status").read_text()
print(status.partition("VmHWM:")[2].split()[0])
"""


def tiff(side: int, *, twice: bool = False, big: bool = False) -> bytes:
    """A grey square, deflated; ``twice``: the sizes stand there a second time, as 16."""
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(bytes(side)) for _ in range(side)) + packer.flush()
    tags = [(_WIDTH, side), *[(_WIDTH, 16)] * twice, (_HEIGHT, side), *[(_HEIGHT, 16)] * twice]
    tags += [(258, 8), (259, 8), (262, 1), (273, 400), (277, 1), (278, side), (279, len(pixels))]
    if big:
        head = b"II+\x00" + struct.pack("<HHQQ", 8, 0, 16, len(tags))
        head += b"".join(struct.pack("<HHQQ", tag, 4, 1, value) for tag, value in tags)
    else:
        head = b"II*\x00" + struct.pack("<IH", 8, len(tags))
        head += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return head.ljust(400, b"\x00") + pixels


def radiance(side: int) -> bytes:
    """A black square in run lengths."""
    runs = bytes([128 + 127, 0]) * (side // 127) + bytes([128 + side % 127, 0]) * (side % 127 > 0)
    line = bytes([2, 2, side >> 8, side & 255]) + runs * 4
    return b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n" % (side, side) + line * side


def decoded(tmp_path: Path, data: bytes) -> tuple[str, int]:
    """What became of it, and the most memory that it took, in kB."""
    path = tmp_path / "picture"
    path.write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", _READ, path], capture_output=True, text=True, timeout=60, check=True
    )
    outcome, most = done.stdout.splitlines()
    return outcome, int(most)


@pytest.mark.parametrize(
    "make",
    [
        lambda side: tiff(side, twice=True),
        lambda side: tiff(side, big=True),
        radiance,
    ],
    ids=["two sizes", "BigTIFF", "Radiance"],
)
def test_a_bomb_is_refused_undecoded(tmp_path: Path, make) -> None:
    outcome, harmless = decoded(tmp_path, make(1000))
    assert outcome in {"(1000, 1000, 3)", "(16, 16, 3)"}
    outcome, most = decoded(tmp_path, make(12_000))
    assert outcome in {"image_too_large", "unreadable_image"}
    assert most < harmless + 100_000


@pytest.mark.parametrize("kind", [b"IDAT", b"tEXt", b"acTL", b"IEND"])
def test_a_chunk_that_says_it_is_longer_than_the_file_takes_no_memory(
    tmp_path: Path, kind: bytes
) -> None:
    header = struct.pack(">IIBBBBB", 200, 200, 8, 0, 0, 0, 0)
    whole = struct.pack(">I", len(header)) + b"IHDR" + header
    whole += struct.pack(">I", zlib.crc32(b"IHDR" + header))
    picture = b"\x89PNG\r\n\x1a\n" + whole + struct.pack(">I", 0x7B00_01E0) + kind + bytes(500)
    outcome, most = decoded(tmp_path, picture)
    assert outcome == "unreadable_image"
    assert most < 400_000
