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
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.errors import ModelPackError, UnavailableError
from agent.vision.packs.manifest import Download
from agent.vision.packs.packs import sha256_of

SILENCE_TIMEOUT_S = 30.0
LONGEST_DOWNLOAD_S = 2 * 3600.0
LEAST_SETUPTOOLS_RELEASE = 77
_POLL_S = 0.2
_CHUNK_BYTES = 1 << 18
_USER_AGENT = "gate-agent"

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
    download: Download, folder: Path, mirror: str | None, progress: ProgressCallback, fix: str
) -> Path:
    """``download`` as a checked file in ``folder``, which must be empty and private to the caller.

    With ``mirror``, an address, the file is ``mirror/NAME`` whatever its manifest says. On any
    error, Ctrl-C included, pip has ended; what it left in ``folder`` is the caller's to remove.

    Raises:
        UnavailableError: the network or pip is missing, or the file is in no public place.
        ModelPackError: it came, but is not the file the manifest pins.
    """
    if mirror is not None:
        path = _fetch_url(f"{mirror.rstrip('/')}/{download.file}", download, folder, progress, fix)
    elif download.package is not None:
        path = _fetch_package(download, folder, progress, fix)
    elif download.url is not None:
        path = _fetch_url(download.url, download, folder, progress, fix)
    else:
        raise UnavailableError(f"{download.file} cannot be downloaded, only brought along", fix)
    check_download(download, path, fix)
    return path


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


def _fetch_url(
    url: str, download: Download, folder: Path, progress: ProgressCallback, fix: str
) -> Path:
    if not url.startswith(("https://", "http://")):
        raise UnavailableError(f"{url} is no address of the web", fix)
    path = folder / download.file
    request = urllib.request.Request(url, headers={"User-Agent": _USER_AGENT})  # noqa: S310  # the scheme is checked above
    deadline_s = time.monotonic() + LONGEST_DOWNLOAD_S
    try:
        with (
            urllib.request.urlopen(  # noqa: S310 - the scheme is checked above
                request, timeout=SILENCE_TIMEOUT_S
            ) as answer,
            path.open("wb") as stream,
        ):
            total_bytes = int(answer.headers.get("Content-Length") or 0)
            done_bytes = 0
            while chunk := answer.read(_CHUNK_BYTES):
                done_bytes += len(chunk)
                if done_bytes > download.largest_bytes:
                    raise ModelPackError(
                        f"{download.file}: more than the {download.largest_bytes} bytes declared",
                        fix,
                    )
                if time.monotonic() > deadline_s:
                    raise TimeoutError("the download takes too long")
                stream.write(chunk)
                progress(Progress("download", download.file, done_bytes, total_bytes))
    except (OSError, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        reason = getattr(error, "reason", None) or error
        raise UnavailableError(f"{download.file} could not be downloaded: {reason}", fix) from error
    return path


def _fetch_package(download: Download, folder: Path, progress: ProgressCallback, fix: str) -> Path:
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
            _watch(process, download, folder, progress)
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
    process: subprocess.Popen[bytes], download: Download, folder: Path, progress: ProgressCallback
) -> None:
    deadline_s = time.monotonic() + LONGEST_DOWNLOAD_S
    while time.monotonic() < deadline_s:
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            done_bytes = max(map(_size_bytes, folder.glob(f"**/{download.file}")), default=0)
            progress(Progress("download", download.file, done_bytes, download.largest_bytes))
        else:
            return


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # pip moves its files while they are counted
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
