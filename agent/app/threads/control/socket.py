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
import selectors
import socket
import stat
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.app.open.control import user_name
from agent.app.open.files.state import BESIDE, SOCKET, SOCKET_LOCK
from agent.app.threads.control.clients import Client, Clients, peer_uid
from agent.app.threads.rounds import came_round
from agent.domain.foreign.boundary import read_or
from agent.domain.foreign.json_text import read_json
from agent.errors import InternalError, RefusedError, UnavailableError

_POLL_S = 0.5
_BACKLOG = 32

CommandHandler = Callable[[Mapping[str, Any], str], dict[str, Any]]
"""A command's arguments and its caller's name to the fields of the answer.

``ValueError`` and ``RefusedError`` refuse; ``UnavailableError`` (a locked journal, say) is told.
All else but ``InternalError`` is about what was asked: unreadable, and counted.
"""


class ControlServer:
    """Answers commands one after the other; a client that dawdles is cut off.

    All clients are listened to at once, so none of them keeps another waiting: ``clients`` says
    who goes where there are too many.
    """

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
            with self._socket, selectors.DefaultSelector() as selector:
                clients = Clients(selector)
                selector.register(self._socket, selectors.EVENT_READ)
                try:
                    while not self._stopping.is_set():
                        came_round()
                        self._round(selector, clients)
                finally:
                    clients.close()
            self._path.unlink(missing_ok=True)
        finally:
            # Last: until now nobody else may listen here, so it was our own socket that went.
            os.close(self._lock)

    def stop(self) -> None:
        """End ``work`` within half a second."""
        self._stopping.set()

    def _round(self, selector: selectors.BaseSelector, clients: Clients) -> None:
        """Hear whoever has something to say, then answer one of those who asked."""
        waits_s = _POLL_S if clients.next_asked() is None else 0.0
        for key, _ in selector.select(waits_s):
            if key.data is not None:
                clients.attend(key.data)
            else:
                self._accept(clients)
        if (client := clients.next_asked()) is not None:
            answer = self._answered(client)
            clients.give(client, json.dumps(answer).encode() + b"\n")
        clients.cut_off_late()

    def _accept(self, clients: Clients) -> None:
        for _ in range(_BACKLOG):
            try:
                connection, _ = self._socket.accept()
            except BlockingIOError:
                return
            except OSError:  # no descriptor is free: those who dawdle give theirs back
                self._stopping.wait(_POLL_S)
                return
            clients.add(connection)

    def _answered(self, client: Client) -> dict[str, Any]:
        """What a command raises on what it was asked ends no thread; a broken invariant does."""
        caller = user_name(client.uid)
        unread = {"ok": False, "error": "refused: it cannot be read"}
        return read_or("command", unread, lambda: self._answer(client.line, caller), InternalError)

    def _answer(self, line: bytes, caller: str) -> dict[str, Any]:
        try:
            request = read_json(line)
            if not isinstance(request, dict):
                return {"ok": False, "error": "a request is a JSON object"}
            name = request.get("command")
            command = self._commands.get(name) if isinstance(name, str) else None
            if command is None:
                known = ", ".join(self._commands)
                return {"ok": False, "error": f"unknown command; there are: {known}"}
            return {"ok": True, **command(request, caller)}
        except (ValueError, RefusedError, UnavailableError) as error:
            return {"ok": False, "error": f"refused: {error}"}


def caller_name(client: socket.socket) -> str:
    """Who is at the other end, as the kernel says: ``uid:0 root``."""
    return user_name(peer_uid(client))


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
        server.listen(_BACKLOG)
        server.setblocking(False)
    except BaseException:
        server.close()
        raise
    return server
