"""Who is connected to the control socket: a few at a time, none waited for.

    state      its line is there     all was sent     time is up    too many
    silent     asked                 -                gone          the oldest goes, first of all
    asked      answered, in turn     -                -             the newest goes, last of all
    answered   -                     gone             gone          the oldest goes, then

Each user has a bound of their own, so that nobody's silent clients cost another user anything. Root
and the agent's own user come first: they get in whoever else is there, and are answered before
them.
"""

import os
import selectors
import socket
import struct
import time
from dataclasses import dataclass, field

from agent.app.open.control import CLIENT_TIMEOUT_S, MOST_REQUEST_BYTES

MOST_CLIENTS = 64
MOST_OF_ONE_USER = 16
_CHUNK = 65_536


@dataclass(slots=True, eq=False)
class Client:
    """One connection; ``deadline_s`` is monotonic, for its line and then for its answer."""

    socket: socket.socket
    uid: int
    deadline_s: float = field(default_factory=lambda: time.monotonic() + CLIENT_TIMEOUT_S)
    line: bytes = b""
    asked: bool = False
    answer: bytes | None = None

    @property
    def first(self) -> bool:
        """Whether it is root's or the agent's own user's."""
        return self.uid in (0, os.geteuid())


class Clients:
    """The connections of one server; used by its one thread."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._all: list[Client] = []  # the oldest first

    def add(self, connection: socket.socket) -> None:
        """Somebody connected; where they are too many, one goes who has not asked yet."""
        connection.setblocking(False)
        client = Client(connection, peer_uid(connection))
        self._all.append(client)
        self._selector.register(connection, selectors.EVENT_READ, client)
        # What was sent with the connection counts before anybody is called silent.
        self.attend(client)
        own = [one for one in self._all if one.uid == client.uid]
        if len(own) > MOST_OF_ONE_USER:
            self._evict(own)
        if len(self._all) > MOST_CLIENTS:
            self._evict([one for one in self._all if not one.first] or self._all)

    def attend(self, client: Client) -> None:
        """Read what it sends, or send what it reads; gone where there is no more of either."""
        try:
            if client.answer is not None:
                self._send(client, client.answer)
            elif not client.asked:
                self._receive(client)
        except BlockingIOError:
            return
        except OSError:
            self.drop(client)  # it went away; it may come again

    def next_asked(self) -> Client | None:
        """Whose line is to be answered now: root's and our own first, else the oldest."""
        asked = [one for one in self._all if one.asked and one.answer is None]
        return min(asked, key=lambda one: not one.first, default=None)

    def give(self, client: Client, answer: bytes) -> None:
        """Send ``answer``, in as many parts as it takes."""
        client.answer = answer
        client.deadline_s = time.monotonic() + CLIENT_TIMEOUT_S
        self._selector.register(client.socket, selectors.EVENT_WRITE, client)
        self.attend(client)

    def cut_off_late(self) -> None:
        """Whoever dawdles goes: with their line, or with our answer."""
        now_s = time.monotonic()
        for client in [*self._all]:
            owed = client.asked and client.answer is None
            if not owed and now_s >= client.deadline_s:
                self.drop(client)

    def drop(self, client: Client) -> None:
        """Hang up."""
        if client in self._all:
            self._all.remove(client)
            if not client.asked or client.answer is not None:
                self._selector.unregister(client.socket)
            client.socket.close()

    def close(self) -> None:
        """Hang up on all."""
        for client in [*self._all]:
            self.drop(client)

    def _receive(self, client: Client) -> None:
        while not client.asked:
            chunk = client.socket.recv(_CHUNK)
            client.line += chunk
            if len(client.line) > MOST_REQUEST_BYTES:
                raise OSError("the line is too long")
            client.asked = not chunk or client.line.endswith(b"\n")
        self._selector.unregister(client.socket)

    def _send(self, client: Client, answer: bytes) -> None:
        sent = client.socket.send(answer)
        client.answer = answer[sent:]
        if not client.answer:
            self.drop(client)

    def _evict(self, among: list[Client]) -> None:
        silent = [one for one in among if not one.asked]
        dawdling = silent or [one for one in among if one.answer is not None]
        self.drop(dawdling[0] if dawdling else among[-1])


def peer_uid(connection: socket.socket) -> int:
    """Which user is at the other end, as the kernel says."""
    size = struct.calcsize("3i")
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return int(struct.unpack("3i", found)[1])
