"""Fetches one file over https, no longer and no more of it than was said.

The connection runs in a thread of its own, because nothing bounds how long a name server may take:
whoever waits gives up in time, and the thread ends by itself.
"""

import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

SILENCE_TIMEOUT_S = 30.0
LONGEST_DOWNLOAD_S = 2 * 3600.0
SLOWEST_BYTES_PER_S = 32 * 1024
_POLL_S = 0.05
_CHUNK_BYTES = 1 << 18
_USER_AGENT = "gate-agent"


class Patience:
    """How long may be waited for sources that do not answer, all downloads together.

    Time counts in which less came than ``SLOWEST_BYTES_PER_S`` would have brought: a download that
    makes headway is let finish, and neither a source that hangs nor one that drips holds anybody
    up. ``limit_s`` None waits for as long as a single download may take.
    """

    def __init__(self, limit_s: float | None = None) -> None:
        self.limit_s = limit_s
        self._spent_s = 0.0

    def left_s(self, waited_s: float = 0.0, came_bytes: int = 0) -> float:
        """What is left, the download under way counted."""
        if self.limit_s is None:
            return LONGEST_DOWNLOAD_S
        return self.limit_s - self._spent_s - _idle_s(waited_s, came_bytes)

    def spend(self, waited_s: float, came_bytes: int) -> None:
        """A download has ended, well or not."""
        self._spent_s += _idle_s(waited_s, came_bytes)


def _idle_s(waited_s: float, came_bytes: int) -> float:
    return max(0.0, waited_s - came_bytes / SLOWEST_BYTES_PER_S)


class WebError(Exception):
    """Nothing came, or not all of it; says why."""


class TooMuchError(Exception):
    """More came than the file may have."""


def fetch_url(
    url: str,
    path: Path,
    largest_bytes: int,
    patience: Patience,
    progress: Callable[[int, int], None],
) -> None:
    """What lies at ``url``, at ``path``; ``progress`` hears the bytes so far and in all, or 0.

    Raises:
        WebError: no address of the web, no answer, none in time, or another than the file.
        TooMuchError: more than ``largest_bytes`` came.
    """
    if not url.startswith(("https://", "http://")):
        raise WebError(f"{url} is no address of the web")
    if patience.left_s() <= 0:
        raise WebError(f"not tried: {patience.limit_s:g} s went by waiting for other sources")
    transfer = _Transfer(url, path, largest_bytes)
    started_s = time.monotonic()
    thread = threading.Thread(target=transfer.run, daemon=True, name="download")
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_POLL_S)
            waited_s = time.monotonic() - started_s
            progress(transfer.done_bytes, transfer.total_bytes)
            if thread.is_alive() and (
                waited_s > LONGEST_DOWNLOAD_S or patience.left_s(waited_s, transfer.done_bytes) <= 0
            ):
                raise WebError(f"given up after {waited_s:.0f} s with {transfer.done_bytes} bytes")
    finally:
        transfer.stop()
        patience.spend(time.monotonic() - started_s, transfer.done_bytes)
    if transfer.error is not None:
        raise transfer.error
    progress(transfer.done_bytes, transfer.total_bytes)


class _Transfer:
    """One download, run by its thread and watched by another."""

    def __init__(self, url: str, path: Path, largest_bytes: int) -> None:
        self._url = url
        self._path = path
        self._largest_bytes = largest_bytes
        self._stopped = threading.Event()
        self.done_bytes = 0
        self.total_bytes = 0
        self.error: WebError | TooMuchError | None = None

    def stop(self) -> None:
        """Nobody waits any more."""
        self._stopped.set()

    def run(self) -> None:
        try:
            self._run()
        except TooMuchError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - http, ssl and sockets raise what they like
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            self.error = WebError(_said(error))

    def _run(self) -> None:
        request = urllib.request.Request(self._url, headers={"User-Agent": _USER_AGENT})  # noqa: S310  # the scheme is checked
        with (
            urllib.request.urlopen(  # noqa: S310 - the scheme is checked
                request, timeout=SILENCE_TIMEOUT_S
            ) as answer,
            self._path.open("wb") as stream,
        ):
            self.total_bytes = int(answer.headers.get("Content-Length") or 0)
            while chunk := answer.read1(_CHUNK_BYTES):
                if self._stopped.is_set():
                    return
                self.done_bytes += len(chunk)
                if self.done_bytes > self._largest_bytes:
                    raise TooMuchError
                stream.write(chunk)
        if self.total_bytes and self.done_bytes < self.total_bytes:
            raise WebError(f"ended after {self.done_bytes} of {self.total_bytes} bytes")


def _said(error: Exception) -> str:
    """Why nothing came, as people say it; libraries put a number before it, and not the cause."""
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, socket.gaierror):
        return "no such host is known here (no network?)"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return str(reason) or type(error).__name__
