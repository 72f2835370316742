"""Installed model packs: a manifest and its files, every one of them checked at every load.

A pack lies in ``STATE/models/NAME/``. A file is held to the sha256 its manifest pins; where the
manifest cannot pin it (the original could not be had to measure it), to the one written down in
``installed.json`` when it was made from a download that is pinned. A changed file never runs.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from agent.errors import ModelPackError
from agent.vision.packs.manifest import (
    Manifest,
    read_any_manifest,
    read_manifest,
    read_pad_manifest,
)
from agent.vision.packs.manifest_base import PackFile, PackManifest
from agent.vision.packs.pad_manifest import PadManifest
from agent.vision.packs.place import RECORD_NAME, packs_dir

_CHUNK_BYTES = 1 << 20
_Kind = TypeVar("_Kind", bound=PackManifest)


@dataclass(frozen=True)
class VerifiedPack(Generic[_Kind]):
    """A pack whose files were just now what they should be; ``files`` is path by file name."""

    manifest: _Kind
    directory: Path
    files: Mapping[str, Path]

    def path(self, name: str) -> Path:
        """The verified file the manifest calls ``name``."""
        return self.files[name]


InstalledPack = VerifiedPack[Manifest]
"""A pack that recognises faces."""
InstalledPadPack = VerifiedPack[PadManifest]
"""A pack that detects presentation attacks."""


def load_pack(name: str, state_dir: Path) -> InstalledPack:
    """The installed face pack ``name``, with the sha256 of each of its files verified.

    Reads every file whole: some 30 MB for the largest pack, 20 ms on a desktop.

    Raises:
        ModelPackError: the pack is not installed, or a file is missing, cut short or changed, or it
            recognises no face.
        ConfigError: its manifest is wrong.
    """
    return _load(read_manifest(name), state_dir)


def load_pad_pack(name: str, state_dir: Path) -> InstalledPadPack:
    """The installed attack detection pack ``name``, verified as ``load_pack`` does.

    Raises:
        ModelPackError: as ``load_pack``, or it detects no attack.
        ConfigError: its manifest is wrong.
    """
    return _load(read_pad_manifest(name), state_dir)


def load_any_pack(name: str, state_dir: Path) -> VerifiedPack[Manifest | PadManifest]:
    """The installed pack ``name`` of whatever kind, verified as ``load_pack`` does.

    Raises:
        ModelPackError: as ``load_pack``.
        ConfigError: its manifest is wrong.
    """
    return _load(read_any_manifest(name), state_dir)


def is_installed(name: str, state_dir: Path) -> bool:
    """Whether a folder of the pack ``name`` lies there; whether it is whole only loading tells."""
    return (packs_dir(state_dir) / name).is_dir()


def _load(manifest: _Kind, state_dir: Path) -> VerifiedPack[_Kind]:
    name = manifest.name
    directory = packs_dir(state_dir) / name
    fix = f"gate-agent models install {name}"
    if not directory.is_dir():
        raise ModelPackError(f"The model pack {name} is not installed in {directory}", fix)
    record = read_record(directory)
    files = {}
    for file in manifest.file:
        path = directory / file.name
        verify_file(path, expected_sha256(file, record, fix), file.size_bytes, fix)
        files[file.name] = path
    return VerifiedPack(manifest, directory, files)


def expected_sha256(file: PackFile, record: Mapping[str, str], fix: str) -> str:
    """What ``file`` must hash to: by the manifest, else by the record of its install.

    Raises:
        ModelPackError: neither knows it.
    """
    expected = file.sha256 or record.get(file.name)
    if expected is None:
        raise ModelPackError(f"{file.name}: no record of its install, so it cannot be trusted", fix)
    return expected


def read_record(directory: Path) -> dict[str, str]:
    """sha256 by file name, as written down at install; empty where that cannot be read."""
    try:
        record = json.loads((directory / RECORD_NAME).read_text("utf-8"))
        return {str(name): str(digest) for name, digest in record["sha256"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def verify_file(path: Path, expected: str, size_bytes: int | None, fix: str) -> None:
    """Passes if ``path`` is the file expected.

    Raises:
        ModelPackError: it is missing, or another; names the file and both sha256.
    """
    try:
        found, found_bytes = sha256_of(path), path.stat().st_size
    except OSError as error:
        raise ModelPackError(f"{path}: {error.strerror}", fix) from error
    if found != expected:
        sizes = f" ({found_bytes} bytes" + (f" of {size_bytes})" if size_bytes else ")")
        raise ModelPackError(
            f"{path} is not the file its manifest declares{sizes}\n"
            f"  expected sha256 {expected}\n  found    sha256 {found}",
            fix,
        )


def sha256_of(path: Path) -> str:
    """The sha256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
