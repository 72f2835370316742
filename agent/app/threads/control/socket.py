"""Commands to the running agent over a Unix socket: one JSON line in, one JSON line out.

The socket's mode (0660) says who may connect; the kernel says who did (SO_PEERCRED), and that name
goes into the event of what they changed. What the commands are is ``verbs``'s to say.

    {"command": "status"}                           -> {"ok": true, "status": {...}}
    {"command": "clear_fault", "part": "camera:c"}  -> {"ok": true}
    anything else                                   -> {"ok": false, "error": "..."}

One agent listens at a path: it holds the lock of the file ``<path>.lock`` while it lives, which the
kernel lets go with its process. Whoever holds it may clear a dead agent's socket away.
"""

import fcntl
import json
import os
import socket
import stat
import struct
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.app.open.control import CLIENT_TIMEOUT_S, read_line, user_name
from agent.app.open.state import BESIDE, SOCKET, SOCKET_LOCK
from agent.errors import RefusedError, UnavailableError

_POLL_S = 0.5

CommandHandler = Callable[[Mapping[str, Any], str], dict[str, Any]]
"""A command's arguments and its caller's name to the fields of the answer.

``ValueError`` and ``RefusedError`` refuse; ``UnavailableError`` (a locked journal, say) is told.
"""


class ControlServer:
    """Answers commands one after the other; a client that dawdles is cut off."""

    def __init__(self, path: Path, commands: Mapping[str, CommandHandler]) -> None:
        """Listen at ``path``.

        Raises:
            UnavailableError: another agent listens there, it is something else, or not writable.
        """
        self._path = path
        self._commands = commands
        self._stopping = threading.Event()
        self._lock, self._socket = _listen(path)

    def work(self) -> None:
        """The thread's loop."""
        try:
            with self._socket:
                while not self._stopping.is_set():
                    try:
                        client, _ = self._socket.accept()
                    except TimeoutError:
                        continue
                    with client:
                        self._serve(client)
            self._path.unlink(missing_ok=True)
        finally:
            # Last: until now nobody else may listen here, so it was our own socket that went.
            os.close(self._lock)

    def stop(self) -> None:
        """End ``work`` within half a second."""
        self._stopping.set()

    def _serve(self, client: socket.socket) -> None:
        try:
            client.settimeout(CLIENT_TIMEOUT_S)
            answer = self._answer(read_line(client), caller_name(client))
            client.sendall(json.dumps(answer).encode() + b"\n")
        except OSError:
            return  # the client went away or dawdled; it may come again

    def _answer(self, line: bytes, caller: str) -> dict[str, Any]:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                return {"ok": False, "error": "a request is a JSON object"}
            name = request.get("command")
            command = self._commands.get(name) if isinstance(name, str) else None
            if command is None:
                known = ", ".join(self._commands)
                return {"ok": False, "error": f"unknown command; there are: {known}"}
            return {"ok": True, **command(request, caller)}
        except (ValueError, RecursionError, RefusedError, UnavailableError) as error:
            return {"ok": False, "error": f"refused: {error}"}


def caller_name(client: socket.socket) -> str:
    """Who is at the other end, as the kernel says: ``uid:0 root``."""
    credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return user_name(uid)


def _listen(path: Path) -> tuple[int, socket.socket]:
    fix = "name a writable place of fewer than 108 characters with [control] socket"
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        lock = os.open(f"{path}{BESIDE}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, SOCKET_LOCK.mode)
    except OSError as error:
        message = f"cannot listen at {path}: {error.strerror or error}"
        raise UnavailableError(message, fix) from error
    try:
        _claim(path, lock)
        return lock, _bind(path)
    except OSError as error:
        os.close(lock)
        message = f"cannot listen at {path}: {error.strerror or error}"
        raise UnavailableError(message, fix) from error
    except BaseException:
        os.close(lock)
        raise


def _claim(path: Path, lock: int) -> None:
    """Hold the lock, and clear away the socket of an agent that is dead.

    Raises:
        UnavailableError: an agent is alive, or what stands there is no socket.
    """
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        fix = "stop the other agent first; one kiosk has one"
        raise UnavailableError(f"an agent already listens at {path}", fix) from error
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise UnavailableError(
            f"{path} is there and no socket", "name another place with [control] socket"
        )
    path.unlink()


def _bind(path: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        before = os.umask(0o777 & ~SOCKET.mode)
        try:
            server.bind(str(path))
        finally:
            os.umask(before)
        server.listen(8)
        server.settimeout(_POLL_S)
    except BaseException:
        server.close()
        raise
    return server
