"""The near side of the control socket: one JSON line to the running agent, one line back."""

import contextlib
import grp
import json
import pwd
import socket
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.errors import UnavailableError

MOST_REQUEST_BYTES = 4096
_AGAIN_S = 0.01
CLIENT_TIMEOUT_S = 1.0
"""How long either end waits for the other's line."""


class NoRightError(UnavailableError):
    """The socket may be there, and an agent behind it, but not for this user."""


def ask(path: Path, request: Mapping[str, Any], timeout_s: float = 3.0) -> dict[str, Any]:
    """Send one command to the agent that listens at ``path``; its answer.

    Raises:
        NoRightError: the socket is not for this user.
        UnavailableError: nobody listens.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(timeout_s)
        try:
            _connect(client, path, timeout_s)
            client.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(read_line(client, limit=1_000_000))
        except PermissionError as error:
            raise NoRightError(f"the socket {path} is not for this user", _way_in(path)) from error
        except (OSError, ValueError) as error:
            fix = "start it with: gate-agent run, or systemctl start gate-agent"
            raise UnavailableError(f"no agent answers at {path}", fix) from error
    if not isinstance(answer, dict):
        raise UnavailableError(f"what answers at {path} is no gate agent")
    return answer


def _connect(client: socket.socket, path: Path, timeout_s: float) -> None:
    """Connect within ``timeout_s``; while others crowd in there, again and again.

    Raises:
        OSError: nobody listens, or not to us.
    """
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            client.connect(str(path))
        except BlockingIOError:
            # So says the kernel of a full queue, whatever the timeout.
            if time.monotonic() >= deadline_s:
                raise
            time.sleep(_AGAIN_S)
        else:
            return


def _way_in(path: Path) -> str:
    """What to do where the socket is not for this user: join the group that may use it, if any."""
    for place, lets_in in ((path, stat.S_IWGRP), (path.parent, stat.S_IXGRP)):
        with contextlib.suppress(OSError, KeyError):
            status = place.stat()
            # Nobody is to join the group of root for this.
            if status.st_gid and status.st_mode & lets_in:
                group = grp.getgrgid(status.st_gid).gr_name
                join = f"sudo usermod -aG {group} USER"
                return f"run as root, or join the group {group}: {join}, from the next login on"
    return "run as root, or as the user who runs the agent: sudo -u USER gate-agent ..."


def user_name(uid: int) -> str:
    """A user as events name them: the number, and the login where there is one."""
    try:
        return f"uid:{uid} {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"uid:{uid}"


def read_line(client: socket.socket, limit: int = MOST_REQUEST_BYTES) -> bytes:
    """One line from ``client``, without waiting longer than its timeout for the whole of it.

    Raises:
        OSError: it went away, dawdled, or its line is longer than ``limit`` bytes.
    """
    data = b""
    deadline_s = time.monotonic() + (client.gettimeout() or CLIENT_TIMEOUT_S)
    while not data.endswith(b"\n"):
        # One deadline for the whole line: a byte a second would hold the socket for ever.
        client.settimeout(max(deadline_s - time.monotonic(), 0.001))
        chunk = client.recv(4096)
        data += chunk
        if not chunk:
            break
        if len(data) > limit:
            raise OSError("the line is too long")
    return data
