"""Who is let go where too many are connected to the control socket, and who is answered first."""

import selectors
import socket
from collections.abc import Iterator

import pytest

from agent.app.threads.control import clients as table
from agent.app.threads.control.clients import MOST_CLIENTS, MOST_OF_ONE_USER, Clients


@pytest.fixture
def clients() -> Iterator[Clients]:
    with selectors.DefaultSelector() as selector:
        made = Clients(selector)
        yield made
        made.close()


class Connections:
    """Pairs of sockets, of users by their number."""

    def __init__(self, clients: Clients, monkeypatch) -> None:
        self._clients = clients
        self._uid = 0
        self.far: list[socket.socket] = []
        monkeypatch.setattr(table, "peer_uid", lambda _: self._uid)

    def come(self, uid: int, line: bytes = b"") -> socket.socket:
        near, far = socket.socketpair(socket.AF_UNIX)
        far.sendall(line)
        self._uid = uid
        self._clients.add(near)
        self.far.append(far)
        return far


@pytest.fixture
def connections(clients: Clients, monkeypatch) -> Iterator[Connections]:
    made = Connections(clients, monkeypatch)
    yield made
    for far in made.far:
        far.close()


def gone(far: socket.socket) -> bool:
    far.setblocking(False)
    try:
        return far.recv(1) == b""
    except BlockingIOError:
        return False


def test_a_users_silent_clients_go_before_anybody_elses(
    clients: Clients, connections: Connections
) -> None:
    other = connections.come(1001)
    crowd = [connections.come(1002) for _ in range(3 * MOST_OF_ONE_USER)]
    assert not gone(other)
    assert [gone(far) for far in crowd] == [True] * (2 * MOST_OF_ONE_USER) + [
        False
    ] * MOST_OF_ONE_USER


def test_root_gets_in_and_comes_first_whoever_is_there(
    clients: Clients, connections: Connections
) -> None:
    line = b'{"command": "status"}\n'
    crowd = [connections.come(2000 + i % 20, line) for i in range(2 * MOST_CLIENTS)]
    root = connections.come(0, line)
    assert not gone(root)
    assert sum(map(gone, crowd)) >= MOST_CLIENTS
    client = clients.next_asked()
    assert client is not None
    assert client.uid == 0
    clients.give(client, b"{}\n")
    assert root.recv(10) == b"{}\n"
    oldest = clients.next_asked()
    assert oldest is not None
    assert oldest.uid == 2000
