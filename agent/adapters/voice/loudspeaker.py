"""Plays WAV files by the program aplay (Debian's package alsa-utils).

A program of its own can be killed in the middle of a word, and a sound card that hangs cannot hang
the agent. Not yet run on hardware.
"""

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from agent.errors import UnavailableError

PROGRAM = "aplay"
_LONGEST_S = 20.0
"""A message lasts 15 s at most; what plays longer hangs."""
_GONE_S = 2.0


class AplayLoudspeaker:
    """Implements ``ports.Loudspeaker``; ``device`` is ALSA's name, None for its default."""

    def __init__(
        self, device: str | None = None, *, program: str = PROGRAM, longest_s: float = _LONGEST_S
    ) -> None:
        self._command = [program, "-q", *(("-D", device) if device is not None else ())]
        self._longest_s = longest_s
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._is_playing = False
        """From before its program is started: who cuts then means this file as well."""
        self._was_cut = False

    def play(self, file: Path, wanted: Callable[[], bool]) -> None:
        """Play a file to its end, or until it is cut; nothing where it is not ``wanted``.

        Raises:
            UnavailableError: aplay is missing, fails, or does not end in 20 s.
        """
        with self._lock:
            if not wanted():
                return
            self._is_playing, self._was_cut = True, False
        try:
            self._play(file, wanted)
        finally:
            with self._lock:
                self._is_playing, self._running = False, None

    def _play(self, file: Path, wanted: Callable[[], bool]) -> None:
        # Not under the lock: a disk that is slow to give the program must not hold whoever cuts.
        process = self._start(file)
        with self._lock:
            self._running = process
            if self._was_cut or not wanted():
                self._was_cut = True
                process.kill()
        try:
            _, said = process.communicate(timeout=self._longest_s)
        except subprocess.TimeoutExpired as error:
            raise UnavailableError(
                f"{self._command[0]} did not end within {self._longest_s:g} s",
                "see whether the sound card answers: aplay -l",
            ) from error
        finally:
            _end(process)
        if process.returncode != 0 and not self._was_cut:
            why = said.decode(errors="replace").strip().splitlines()[-1:]
            message = f"{self._command[0]} failed: {' '.join(why)[:200] or 'it said nothing'}"
            raise UnavailableError(message, "see the sound cards: aplay -l; name one in [voice]")

    def cut(self) -> None:
        """End what is played now."""
        with self._lock:
            self._was_cut = self._is_playing
            if self._running is not None:
                self._running.kill()

    def _start(self, file: Path) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(  # noqa: S603 - a list, no shell; the file is the agent's own
                [*self._command, "--", str(file)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            fix = "install it: apt-get install alsa-utils"
            message = f"the program {self._command[0]} cannot be run: {error.strerror}"
            raise UnavailableError(message, fix) from error


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
        try:
            process.wait(_GONE_S)
        except subprocess.TimeoutExpired:
            # It hangs in the kernel with its sound card; nobody can end it, and nobody waits.
            return
    if process.stderr is not None:
        process.stderr.close()
