"""Many of the agent's own broker clients on one thread, without a limit of 1,024 of them.

paho's own loop waits by ``select()``, which knows no descriptor above 1,023 and says nothing of
one that it does not watch. So here nobody calls that loop: paho tells which socket it opened, and
whether it has something to write, and one ``epoll`` watches them all.

    connect --refused--> wait 1 s, 2 s, 4 s, ... 60 s, each by chance up to a half longer
       |                   ^
       `--socket--> served-'  lost
"""

import contextlib
import random
import selectors
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from paho.mqtt.enums import MQTTErrorCode

from agent.adapters.broker.mqtt import BrokerCallbacks, BrokerSettings, PahoBroker
from agent.errors import UnavailableError

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

_TEND_EVERY_S = 1.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0


class Driver:
    """The one loop; of one thread."""

    def __init__(self) -> None:
        """Raise ``UnavailableError`` where the system has nothing better than ``select()``."""
        self._selector = selectors.DefaultSelector()
        if isinstance(self._selector, selectors.SelectSelector):
            raise UnavailableError("this system has no epoll, poll or kqueue")
        self._tend_s = 0.0
        self._clients: list[DrivenBroker] = []
        self._wanting: dict[SocketLike, DrivenBroker] = {}
        self._watched_to_write: dict[SocketLike, DrivenBroker] = {}

    def add(self, client: "DrivenBroker") -> None:
        """Serve it from now on."""
        self._clients.append(client)

    def turn(self, timeout_s: float) -> None:
        """Read and write what may be; connect, ping and give up what is due."""
        self._watch_to_write()
        for key, events in self._selector.select(timeout_s):
            client: DrivenBroker = key.data
            if events & selectors.EVENT_READ:
                client.read()
            if events & selectors.EVENT_WRITE:
                client.write()
        now_s = time.monotonic()
        if now_s >= self._tend_s:
            self._tend_s = now_s + _TEND_EVERY_S / 10.0
            for client in self._clients:
                client.tend(now_s)

    def watch(self, client: "DrivenBroker", one: "SocketLike") -> None:
        """Its socket was opened."""
        self._selector.register(one, selectors.EVENT_READ, client)

    def wait_to_write(self, client: "DrivenBroker", one: "SocketLike", *, waits: bool) -> None:
        """Whether it has something to write."""
        if waits:
            self._wanting[one] = client
        else:
            self._wanting.pop(one, None)

    def forget(self, one: "SocketLike") -> None:
        """Its socket is about to be closed."""
        self._wanting.pop(one, None)
        self._watched_to_write.pop(one, None)
        with contextlib.suppress(KeyError):
            self._selector.unregister(one)

    def _watch_to_write(self) -> None:
        """Tell the system what changed since the last turn: hardly anything has to wait.

        paho says before each packet that it has one, and behind it that it has none: to pass both
        on costs two calls of the system for each.
        """
        before, self._watched_to_write = self._watched_to_write, dict(self._wanting)
        for one in before.keys() ^ self._watched_to_write.keys():
            client = self._watched_to_write.get(one)
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client is not None else 0)
            # paho says so of a socket that it just let go, too.
            with contextlib.suppress(KeyError):
                self._selector.modify(one, events, client or before[one])

    def close(self) -> None:
        """Let the system's object go; the clients' sockets are their own."""
        self._selector.close()


class DrivenBroker(PahoBroker):
    """The agent's own client, with its network in the hands of a ``Driver``."""

    def __init__(
        self,
        settings: BrokerSettings,
        callbacks: BrokerCallbacks,
        driver: Driver,
        chance: random.Random,
    ) -> None:
        super().__init__(settings, callbacks)
        self._driver = driver
        self._chance = chance
        self._wait_s = _FIRST_WAIT_S
        self._next_s = self._tend_s = 0.0
        self._ended = False
        client = self._client
        client.on_socket_open = lambda _c, _u, one: driver.watch(self, one)
        client.on_socket_close = lambda _c, _u, one: driver.forget(one)
        client.on_socket_register_write = self._waits(waits=True)
        client.on_socket_unregister_write = self._waits(waits=False)

    def start(self) -> None:
        """To be connected from the next turn on."""
        settings = self._settings
        self._client.connect_async(settings.host, settings.port, settings.keepalive_s)
        self._driver.add(self)

    def read(self) -> None:
        """Something came."""
        self._client.loop_read()

    def write(self) -> None:
        """Something may go."""
        self._client.loop_write()

    def tend(self, now_s: float) -> None:
        """Connect where that is due, else ping and give up what is silent."""
        if self._ended:
            return
        if self._client.socket() is None:
            if now_s >= self._next_s:
                self._connect(now_s)
        elif now_s >= self._tend_s:
            self._tend_s = now_s + _TEND_EVERY_S
            self._client.loop_misc()
            if self.connected():
                self._wait_s = _FIRST_WAIT_S

    def close(self, timeout_s: float = 0.0) -> None:
        """End without a word: the last will speaks for it."""
        del timeout_s
        self._ended = True
        with contextlib.suppress(OSError):
            self._client.disconnect()

    def _connect(self, now_s: float) -> None:
        # As the agent's own: twice as patient each time, and never all at the same moment.
        self._next_s = now_s + self._wait_s * self._chance.uniform(1.0, 1.5)
        self._wait_s = min(self._wait_s * 2.0, _LONGEST_WAIT_S)
        with contextlib.suppress(OSError):
            if self._client.reconnect() is MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._tend_s = now_s + _TEND_EVERY_S

    def _waits(self, *, waits: bool) -> Callable[[Any, Any, "SocketLike"], None]:
        return lambda _c, _u, one: self._driver.wait_to_write(self, one, waits=waits)
