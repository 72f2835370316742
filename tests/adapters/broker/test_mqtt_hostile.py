"""A broker that breaks the rules: it costs its own connection, and nothing else."""

import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from agent.adapters.broker.mqtt import BrokerCallbacks, BrokerSettings, PahoBroker

ACCEPTED = {"5": b"\x20\x03\x00\x00\x00", "3.1.1": b"\x20\x02\x00\x00"}
WAIT_S = 20.0
MEGABYTE = bytes(1_000_000)


class Rogue:
    """Listens where a broker should, and answers each connection by the next deed."""

    def __init__(self) -> None:
        self.port = 0
        self.may_return = threading.Event()
        self.poured = threading.Event()
        self.pinged = False
        self.clients: list[socket.socket] = []
        self._listener = self._listen()
        self._thread: threading.Thread | None = None

    def answer(self, *deeds: Callable[[socket.socket], None]) -> None:
        self._thread = threading.Thread(target=self._work, args=(deeds,), daemon=True)
        self._thread.start()

    def _listen(self) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", self.port))
        listener.settimeout(WAIT_S)
        self.port = listener.getsockname()[1]
        return listener

    def _work(self, deeds: tuple[Callable[[socket.socket], None], ...]) -> None:
        for deed in deeds:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.clients.append(client)
            client.settimeout(WAIT_S)
            client.recv(4096)
            deed(client)

    def refuse_the_version_and_vanish(self, client: socket.socket) -> None:
        """Paho then reconnects from within the answer, where nothing catches a failure."""
        self._listener.close()
        client.sendall(b"\x20\x02\x00\x01")
        self.may_return.wait(WAIT_S)
        self._listener = self._listen()

    def pour(self, client: socket.socket) -> None:
        """A message that says it is 256 MB long, and is."""
        client.sendall(ACCEPTED["5"] + b"\x30\xff\xff\xff\x7f")
        left = 268_435_455
        while left:
            left -= client.send(MEGABYTE[:left])
        # A packet that is answered: PUBLISH at QoS 1, of the number 7, on a topic of one letter.
        client.sendall(b"\x32\x06\x00\x01t\x00\x07\x00")
        self.pinged = client.recv(4096) == b"\x40\x02\x00\x07"
        self.poured.set()

    def accept(self, protocol: str) -> Callable[[socket.socket], None]:
        return lambda client: client.sendall(ACCEPTED[protocol])

    def close(self) -> None:
        self._listener.close()
        self._hang_up()
        if self._thread is not None:
            self._thread.join(WAIT_S)
        self._hang_up()  # who came meanwhile

    def _hang_up(self) -> None:
        for client in self.clients:
            client.close()


class Kiosk:
    """A client, and what it heard."""

    def __init__(self, port: int, protocol: str) -> None:
        self.up = threading.Semaphore(0)
        self.away = threading.Semaphore(0)
        callbacks = BrokerCallbacks(
            self.up.release, lambda _why: self.away.release(), lambda _mid, _refusal: None
        )
        settings = BrokerSettings("127.0.0.1", port, "kiosk", "t/status", {}, protocol=protocol)
        self.broker = PahoBroker(settings, callbacks)
        self.broker._client.pause_s = 0.1
        self.broker.start()


@pytest.fixture
def closing() -> Iterator[list[Rogue | PahoBroker]]:
    opened: list[Rogue | PahoBroker] = []
    yield opened
    for one in reversed(opened):
        if isinstance(one, Rogue):
            one.close()
        else:
            one.close(1.0)


def test_a_broker_that_vanishes_while_it_answers_is_connected_to_again(closing) -> None:
    rogue = Rogue()
    rogue.answer(rogue.refuse_the_version_and_vanish, rogue.accept("3.1.1"))
    closing.append(rogue)
    kiosk = Kiosk(rogue.port, "3.1.1")
    closing.append(kiosk.broker)
    assert kiosk.away.acquire(timeout=WAIT_S)
    rogue.may_return.set()
    assert kiosk.up.acquire(timeout=WAIT_S)
    assert kiosk.broker.connected()


def test_a_message_without_end_is_read_past_and_not_gathered_in_memory(closing) -> None:
    rogue = Rogue()
    rogue.answer(rogue.pour)
    closing.append(rogue)
    tracemalloc.start()
    try:
        kiosk = Kiosk(rogue.port, "5")
        closing.append(kiosk.broker)
        assert kiosk.up.acquire(timeout=WAIT_S)
        assert rogue.poured.wait(60)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    # What comes behind it is heard, on the same connection.
    assert kiosk.broker.connected()
    assert rogue.pinged
