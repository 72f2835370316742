"""Turns what was downloaded or brought along into the files of a pack: unpack, check, convert."""

import bz2
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from agent.errors import ModelPackError
from agent.vision.packs.dlib_network import read_network
from agent.vision.packs.dlib_onnx import network_to_onnx
from agent.vision.packs.dlib_shape import pack_shape_forests, read_shape_forests
from agent.vision.packs.manifest_base import PackFile, PackOriginal
from agent.vision.packs.openvino_network import read_openvino
from agent.vision.packs.openvino_onnx import openvino_to_onnx

_CONVERSIONS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "none": lambda original, _: original,
    "dlib-network-to-onnx": lambda original, _: network_to_onnx(read_network(original)),
    "dlib-shape-to-arrays": lambda original, _: pack_shape_forests(read_shape_forests(original)),
    "openvino-to-onnx": lambda original, weights: openvino_to_onnx(
        read_openvino(original, weights)
    ),
}
"""From an original and its companion, empty where it has none, to what is installed."""


def unpack(file: PackOriginal, download: Path, fix: str) -> bytes:
    """The original of ``file`` out of its download, checked; nothing else of it is unpacked.

    Raises:
        ModelPackError: it is not in there, or is another than the manifest declares.
    """
    try:
        original = _read(file, download)
    except (
        *(OSError, EOFError, KeyError, tarfile.TarError),
        *(zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError),
    ) as error:
        raise ModelPackError(f"{download.name} cannot be unpacked: {error}", fix) from error
    check_original(file, original, fix)
    return original


def check_original(file: PackOriginal, original: bytes, fix: str) -> None:
    """Passes if ``original`` is what the manifest declares.

    Raises:
        ModelPackError: it is another; names the file and both sha256.
    """
    found = sha256(original).hexdigest()
    if len(original) > file.original_largest_bytes:
        raise ModelPackError(
            f"{file.original}: more than the {file.original_largest_bytes} bytes declared", fix
        )
    if file.original_sha256 is not None and found != file.original_sha256:
        raise ModelPackError(
            f"{file.original} is not the file its manifest declares ({len(original)} bytes)\n"
            f"  expected sha256 {file.original_sha256}\n  found    sha256 {found}",
            fix,
        )


def convert(file: PackFile, original: bytes, companion: bytes = b"") -> bytes:
    """The installed form of a checked original, and of its companion where it has one.

    Raises:
        ModelPackError: it is no file of its kind, or what came out is not what the manifest pins
            (the agent and its manifest do not belong together).
    """
    converted = _CONVERSIONS[file.conversion](original, companion)
    found = sha256(converted).hexdigest()
    if file.sha256 is not None and found != file.sha256:
        raise ModelPackError(
            f"{file.name}: its conversion gave another file than its manifest declares "
            f"({len(converted)} bytes)\n  expected sha256 {file.sha256}\n  found    sha256 {found}",
            "install the agent and its models folder from one release",
        )
    return converted


def _read(file: PackOriginal, download: Path) -> bytes:
    limit_bytes = file.original_largest_bytes + 1
    if file.unpack == "tar":
        with tarfile.open(download) as archive:
            for member in archive:
                if member.name == file.member:
                    stream = archive.extractfile(member) if member.isreg() else None
                    if stream is None:
                        break
                    return stream.read(limit_bytes)
        raise KeyError(f"it holds no file {file.member}")
    if file.unpack == "zip":
        with zipfile.ZipFile(download) as folder, folder.open(str(file.member)) as stream:
            return stream.read(limit_bytes)
    if file.unpack == "bz2":
        with bz2.open(download) as stream:
            return stream.read(limit_bytes)
    with download.open("rb") as plain:
        return plain.read(limit_bytes)
