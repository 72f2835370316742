"""Installs, lists, verifies and removes model packs.

An install either completes or leaves things as they were: the pack is made in a hidden folder
beside its place and moved there by one rename. What a killed install left is removed by the next.
"""

import fcntl
import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from agent.errors import ModelPackError, RefusedError, UnavailableError
from agent.operations.files import sync_folder
from agent.operations.packs.fetch import Progress, ProgressCallback, check_download, fetch
from agent.operations.packs.pack_files import check_original, convert, unpack
from agent.operations.packs.web import Patience
from agent.vision.packs.manifest import Manifest, manifest_names, read_any_manifest
from agent.vision.packs.manifest_base import PackFile, PackManifest, PackOriginal
from agent.vision.packs.packs import VerifiedPack, is_installed, load_any_pack, verify_file
from agent.vision.packs.pad_manifest import PadManifest
from agent.vision.packs.place import RECORD_NAME, packs_dir

MIRROR_VARIABLE = "GATE_AGENT_MODELS_MIRROR"
_STAGING_PREFIX = ".staging-"

AnyPack = VerifiedPack[Manifest | PadManifest]


@dataclass(frozen=True, slots=True)
class InstallResult:
    """The pack as it stands now; ``changed`` is False where it already did."""

    pack: AnyPack
    changed: bool


@dataclass(frozen=True, slots=True)
class PackStatus:
    """One line of a list: ``state`` is absent, installed (all files verified) or broken."""

    manifest: Manifest | PadManifest
    state: Literal["absent", "installed", "broken"]
    problem: str | None = None


def install(
    name: str,
    state_dir: Path,
    from_dir: Path | None = None,
    progress: ProgressCallback | None = None,
    accept_licence: str | None = None,
    patience: Patience | None = None,
) -> InstallResult:
    """Installs the pack ``name`` under ``state_dir``, from the network or from ``from_dir``.

    ``from_dir`` may hold the downloads, the originals in them or the converted files, by the names
    the manifest gives, itself or in a folder of the pack's name. A licence that is not free for
    commercial use must be accepted by its own name. ``patience`` bounds the wait for sources that
    do not answer. With ``GATE_AGENT_MODELS_MIRROR`` every download comes from there. A second
    install verifies and changes nothing.

    Raises:
        RefusedError: the licence is not free and was not accepted.
        UnavailableError: the network is missing, or ``from_dir`` lacks a file.
        ModelPackError: a file is not the one the manifest declares.
    """
    manifest = read_any_manifest(name)
    _check_licence(manifest, accept_licence)
    report = progress or _ignore
    try:
        return InstallResult(load_any_pack(name, state_dir), changed=False)
    except ModelPackError:
        pass
    with _staging(packs_dir(state_dir)) as staging:
        made = staging / "pack"
        made.mkdir(mode=0o755)
        folder = _own_folder(name, from_dir)
        downloads = _Downloads(manifest, staging, folder, report, patience or Patience())
        record = {}
        for file in manifest.file:
            content = downloads.content(file)
            _write_durably(made / file.name, content)
            record[file.name] = sha256(content).hexdigest()
        note = {"pack": name, "version": manifest.version, "sha256": record}
        _write_durably(made / RECORD_NAME, json.dumps(note, indent=1).encode())
        sync_folder(made)
        _put_in_place(made, packs_dir(state_dir) / name, staging)
        report(Progress("verify", name))
        return InstallResult(load_any_pack(name, state_dir), changed=True)


def list_packs(state_dir: Path) -> list[PackStatus]:
    """Every pack that has a manifest, with its state; reads the files of the installed ones."""
    statuses = []
    for name in manifest_names():
        manifest = read_any_manifest(name)
        if not is_installed(name, state_dir):
            statuses.append(PackStatus(manifest, "absent"))
            continue
        try:
            load_any_pack(name, state_dir)
        except ModelPackError as error:
            statuses.append(PackStatus(manifest, "broken", str(error)))
        else:
            statuses.append(PackStatus(manifest, "installed"))
    return statuses


def verify(name: str, state_dir: Path) -> AnyPack:
    """The pack, if every file of it is what its manifest declares.

    Raises:
        ModelPackError: it is not installed, or a file of it is another.
    """
    return load_any_pack(name, state_dir)


def remove(name: str, state_dir: Path) -> bool:
    """Removes the pack ``name``; False where it was not installed.

    Raises:
        ModelPackError: there is no pack of this name.
    """
    read_any_manifest(name)
    directory = packs_dir(state_dir) / name
    if not directory.is_dir():
        return False
    with _staging(packs_dir(state_dir)) as staging:
        directory.rename(staging / "old")
    return True


def _own_folder(name: str, brought: Path | None) -> Path | None:
    """Where the files of several packs were brought along, a folder each, that of ``name``."""
    own = None if brought is None else brought / name
    return own if own is not None and own.is_dir() else brought


def _check_licence(manifest: PackManifest, accepted: str | None) -> None:
    licence = manifest.licence
    if not licence.free_for_commercial_use and accepted != licence.spdx:
        raise RefusedError(
            "licence",
            f"The model pack {manifest.name} is not free for commercial use: {licence.text}\n"
            "Fix: accept its licence by name, if it allows what you do:"
            f" --accept-licence {shlex.quote(licence.spdx)}",
        )


class _Downloads:
    """Finds the content of each file of a pack, fetching every download at most once."""

    def __init__(
        self,
        manifest: PackManifest,
        staging: Path,
        from_dir: Path | None,
        report: ProgressCallback,
        patience: Patience,
    ) -> None:
        self._downloads = {download.file: download for download in manifest.download}
        self._staging = staging
        self._from_dir = from_dir
        self._report = report
        self._patience = patience
        self._checked: dict[str, Path] = {}
        install_command = f"gate-agent models install {manifest.name}"
        comes_by_net = all(one.urls or one.package for one in manifest.download)
        if from_dir is None:
            names = " and ".join(self._downloads)
            bring = f"{install_command} --from DIR (a folder with {names})"
            self._fix = f"check the network, or: {bring}" if comes_by_net else bring
        else:
            self._fix = f"put the right file into {from_dir}"
            if comes_by_net:
                self._fix += f", or: {install_command}"

    def content(self, file: PackFile) -> bytes:
        """The installed form of ``file``."""
        if self._from_dir is not None:
            brought = self._brought(file, self._from_dir)
            if brought is not None:
                return brought
        original = self._original(file)
        companion = b"" if file.companion is None else self._original(file.companion)
        self._report(Progress("convert", file.name))
        return convert(file, original, companion)

    def _original(self, wanted: PackOriginal) -> bytes:
        path = self._path(wanted.download)
        self._report(Progress("unpack", wanted.original))
        return unpack(wanted, path, self._fix)

    def _brought(self, file: PackFile, from_dir: Path) -> bytes | None:
        """The converted file or its originals, where they were brought along and can be checked."""
        finished = from_dir / file.name
        if file.sha256 is not None and finished.is_file():
            verify_file(finished, file.sha256, file.size_bytes, self._fix)
            return finished.read_bytes()
        original: bytes | None = self._brought_original(file, from_dir)
        companion: bytes | None = b""
        if file.companion is not None:
            companion = self._brought_original(file.companion, from_dir)
        if original is None or companion is None:
            return None
        self._report(Progress("convert", file.name))
        return convert(file, original, companion)

    def _brought_original(self, wanted: PackOriginal, from_dir: Path) -> bytes | None:
        path = from_dir / wanted.original
        if wanted.original_sha256 is None or not path.is_file():
            return None
        with path.open("rb") as stream:
            content = stream.read(wanted.original_largest_bytes + 1)
        check_original(wanted, content, self._fix)
        return content

    def _path(self, name: str) -> Path:
        if name not in self._checked:
            download = self._downloads[name]
            if self._from_dir is None:
                folder = Path(tempfile.mkdtemp(dir=self._staging))
                mirror = os.environ.get(MIRROR_VARIABLE) or None
                path = fetch(download, folder, mirror, self._report, self._fix, self._patience)
            else:
                path = self._from_dir / name
                if not self._from_dir.is_dir():
                    raise UnavailableError(f"{self._from_dir} is no folder", self._fix)
                if not path.is_file():
                    raise UnavailableError(f"{self._from_dir} holds no {name}", self._fix)
                check_download(download, path, self._fix)
            self._checked[name] = path
        return self._checked[name]


@contextmanager
def _staging(packs: Path) -> Iterator[Path]:
    """A folder of our own beside the packs, gone afterwards with all that is in it.

    One install at a time: the lock also says which leftovers belong to nobody any more.
    """
    try:
        packs.mkdir(parents=True, exist_ok=True)
        lock = (packs / ".lock").open("a")
    except OSError as error:
        raise UnavailableError(
            f"{packs}: {error.strerror}", "run as the user who owns the state directory"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UnavailableError(
                "Another install of a model pack is running", "wait for it to end"
            ) from error
        for leftover in packs.glob(f"{_STAGING_PREFIX}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=_STAGING_PREFIX, dir=packs))
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _put_in_place(made: Path, place: Path, staging: Path) -> None:
    if place.exists():
        place.rename(staging / "old")
    made.rename(place)
    sync_folder(place.parent)


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    path.chmod(0o644)


def _ignore(_progress: Progress) -> None:
    """Nobody watches."""
