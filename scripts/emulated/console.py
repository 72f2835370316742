"""Root's shell on the guest's serial console: one command at a time, its output and exit code.

A command's begin and end are told by a mark, drawn anew each time and typed in two halves, so that
the echo of what was typed is not taken for the answer. The line discipline of a console holds 4095
characters, so no more is taken.
"""

import contextlib
import re
import secrets
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from agent.errors import RefusedError, UnavailableError

LONGEST = 3900
PROMPT = re.compile(rb"root@gate:[^\n]*# ")
_PIECE = 32
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command printed, both streams together, and how it ended."""

    output: str
    code: int


def typed(command: str, mark: str) -> str:
    """The line to type.

    Raises:
        RefusedError: it is longer than a console takes, or more than one line.
    """
    half = len(mark) // 2
    first, last = mark[:half], mark[half:]
    line = (
        f' echo "[{first}""{last}]"; {{ {command} ; }} < /dev/null; echo "<{first}""{last} $?>"\n'
    )
    if "\n" in command or not command.strip():
        raise RefusedError("NotOneLine", "a command of one line is asked for")
    if len(line.encode()) > LONGEST:
        raise RefusedError("TooLong", f"a command may have {LONGEST} bytes")
    return line


def parsed(heard: bytes, mark: str) -> Answer | None:
    """The answer in what was heard, without the echo; None while it has not come."""
    text = _ESCAPES.sub("", heard.decode(errors="replace"))
    end = re.search(rf"<{mark} (\d+)>", text)
    if end is None:
        return None
    # What came before is the prompt, late, and the echo, which a console breaks where it is wide.
    _, _, output = text[: end.start()].partition(f"[{mark}]\n")
    return Answer(output.rstrip("\n"), int(end[1]))


def ask(path: Path, command: str, within_s: float) -> Answer:
    """Run a command in the guest whose console is the socket ``path``.

    Raises:
        RefusedError: it is no line for a console.
        UnavailableError: no guest is there, or no answer came in time.
    """
    mark = secrets.token_hex(4)
    line = typed(command, mark).encode()
    heard = b""
    ends = time.monotonic() + within_s
    with _connected(path) as link:
        for at in range(0, len(line), _PIECE):
            link.sendall(line[at : at + _PIECE])
            time.sleep(0.02)  # the console's hardware queue is short
        while time.monotonic() < ends:
            try:
                data = link.recv(65536)
            except TimeoutError:
                continue
            if not data:
                break
            heard += data
            if answer := parsed(heard, mark):
                return answer
        with contextlib.suppress(OSError):
            link.sendall(b"\x03")  # else the next command would wait behind this one
            time.sleep(0.2)
    said = _ESCAPES.sub("", heard.decode(errors="replace"))[-500:]
    raise UnavailableError(f"no answer within {within_s:.0f} s; heard: {said}", "scripts/rig cut")


def _connected(path: Path) -> socket.socket:
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(0.5)
    try:
        link.connect(str(path))
    except OSError as error:
        link.close()
        raise UnavailableError(f"no guest runs: {error.strerror}", "scripts/rig up") from error
    return link
