"""A console on a socket of this machine, and requests to it byte by byte, as an attacker sends."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.technician.console.desk import Desk
    from agent.technician.console.tickets import Tickets


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A console that runs; ``tickets`` are its own."""

    port: int
    tickets: "Tickets"
    session: str | None = None

    @property
    def here(self) -> str:
        return f"127.0.0.1:{self.port}"

    def raw(self, data: bytes, *, finish: bool = True) -> bytes:
        """Send these bytes; everything that comes back until the other end hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as client:
            client.sendall(data)
            if finish:
                client.shutdown(socket.SHUT_WR)
            heard = b""
            while chunk := client.recv(65_536):
                heard += chunk
            return heard

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str | None] | None = None,
    ) -> Reply:
        """A request as the page sends it; ``headers`` stand in place of its own, None: without."""
        content = b"" if body is None else json.dumps(body).encode()
        sent: dict[str, str | None] = {"Host": self.here, "Connection": "close"}
        if method == "POST":
            sent |= {"Origin": f"http://{self.here}", "Content-Type": "application/json"}
            sent["Content-Length"] = str(len(content))
        if self.session is not None:
            sent["Authorization"] = f"Bearer {self.session}"
        sent |= headers or {}
        lines = [f"{name}: {value}" for name, value in sent.items() if value is not None]
        head = "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode()
        return read_reply(self.raw(head + content, finish=False))

    def enter(self) -> "Served":
        """Go in with a new token."""
        self.session = None
        answer = self.ask("POST", "/api/enter", {"token": self.tickets.issue()})
        self.session = answer.json["session"]
        return self


def read_reply(data: bytes) -> Reply:
    """The first answer in what came back."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return Reply(int(first.split()[1]), {name.lower(): value for name, _, value in pairs}, body)


@contextmanager
def served(desk: "Desk") -> Iterator[Served]:
    """A console before ``desk`` while the block runs, with a token that nobody has used."""
    # Here, so that a test of it is skipped by name where the extra is absent.
    from agent.technician.console.server import Console, listen  # noqa: PLC0415 - as said
    from agent.technician.console.tickets import Tickets  # noqa: PLC0415 - as said

    tickets, server = Tickets(), listen(0)
    tickets.issue()
    console = Console(desk, tickets, server)
    thread = threading.Thread(target=console.serve)
    thread.start()
    try:
        yield Served(server.getsockname()[1], tickets)
    finally:
        console.stop()
        thread.join(30)
        server.close()
