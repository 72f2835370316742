"""What is in a bundle, and what of secrets is to be found in it, however it was packed or coded."""

import base64
import gzip
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def forms_of(secret: str) -> list[bytes]:
    """A secret as it is, upside down, and in what text is wrapped in."""
    raw = secret.encode()
    found = [raw, raw[::-1], raw.hex().encode(), raw.hex().upper().encode()]
    found += [raw.decode().encode("utf-16-le"), secret.upper().encode()]
    for before in range(3):  # wherever it begins in a longer text
        coded = base64.b64encode(b"." * before + raw + b"..").rstrip(b"=")
        found += [coded[2 * before : -4], coded[2 * before : -4].translate(URL_SAFE)]
    return found


URL_SAFE = bytes.maketrans(b"+/", b"-_")


def unpacked(content: bytes) -> Iterator[bytes]:
    """The content itself, and whatever in it was packed once more."""
    yield content
    for start in range(len(content)):
        if content[start : start + 2] in (b"\x1f\x8b", b"\x78\x9c", b"\x78\xda"):
            unpack = gzip.decompress if content[start] == 0x1F else zlib.decompress
            try:
                yield unpack(content[start:])
            except (OSError, EOFError, zlib.error):
                continue


def told(file: Path) -> dict[str, Any]:
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return {
            name.removesuffix(".json"): json.loads(archive.read(name))
            for name in archive.namelist()
            if name.endswith(".json")
        }


def leaks(file: Path, secrets: Mapping[str, str]) -> list[str]:
    with zipfile.ZipFile(file) as archive:
        insides = [archive.read(name) for name in archive.namelist()]
        names = "".join(archive.namelist()).encode() + archive.comment
    haystack = [one for whole in (names, *insides) for one in unpacked(whole)]
    haystack.append(file.read_bytes())
    return [
        word
        for word, secret in secrets.items()
        if any(form in one for form in forms_of(secret) for one in haystack)
    ]
