"""A broker without a network: it is away at times, answers late, and says things twice.

It outlives the agents, each of which has a client of its own. A client keeps what was not
acknowledged and sends it again after a reconnect, in its order, as MQTT clients do; what was on its
way when the connection broke may have come, and then comes twice.
"""

import random
from collections.abc import Callable

from agent.domain.record.topics import CLOUD_EVENT

Later = Callable[[float, Callable[[], None]], None]
"""Calls something after so many seconds."""
Heard = Callable[[str, bytes], None]
Answer = Callable[[int, str | None], None]

WINDOW = 100
_LATENCY_S = (0.01, 0.2)


class SimulatedBroker:
    """The community's broker; ``heard`` gets each message that reaches it."""

    def __init__(self, later: Later, heard: Heard, chance: random.Random) -> None:
        self.later = later
        self.heard = heard
        self.chance = chance
        self.there = True
        self.repeats = 0
        """So many of the next acknowledgements are said twice."""
        self.refuses: str | None = None
        """What it answers in place of an acknowledgement; nothing reaches it then."""
        self.client: SimulatedClient | None = None

    def go(self) -> None:
        """The connection breaks: of what was on its way some has come."""
        self.there = False
        if self.client is not None:
            self.client.breaks()

    def come_back(self) -> None:
        """The client is connected again, and sends what it keeps."""
        self.there = True
        if self.client is not None:
            self.client.reconnects()


class SimulatedClient:
    """Implements ``ports.Broker`` for one agent; dead with it."""

    def __init__(
        self,
        broker: SimulatedBroker,
        answered: Answer,
        connected: Callable[[], None],
        reach: Callable[[], None],
    ) -> None:
        """``reach`` is called where the agent may die."""
        self._broker = broker
        self._answered = answered
        self._connected = connected
        self._reach = reach
        self._kept: dict[int, tuple[str, bytes]] = {}
        self._sent: list[int] = []
        self._mid = 0
        self._dead = False
        broker.client = self

    @property
    def window(self) -> int:
        """How many messages may be under way."""
        return WINDOW

    @property
    def largest_bytes(self) -> int | None:
        """It does not say."""
        return None

    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._broker.there and not self._dead

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, kind: str = CLOUD_EVENT
    ) -> int | None:
        """Hand one message over; it is never retained here, and nobody asks of which kind it is."""
        del retain, kind
        self._reach()
        if not self.connected():
            return None
        self._mid += 1
        self._kept[self._mid] = (topic, payload)
        self._send(self._mid)
        self._reach()
        return self._mid

    def say(self, topic: str, payload: bytes) -> None:
        """Hand one message over that comes once, or never where the connection breaks."""
        self._reach()
        if not self.connected():
            return

        def arrives() -> None:
            if self.connected() and self._broker.refuses is None:
                self._broker.heard(topic, payload)

        self._broker.later(self._broker.chance.uniform(*_LATENCY_S), arrives)

    def close(self, timeout_s: float) -> None:
        """Say goodbye; nothing more is heard of it."""
        del timeout_s
        self.dies()

    def dies(self) -> None:
        """The agent is gone; what was on its way may come all the same, in order."""
        self.breaks()
        self._dead = True
        if self._broker.client is self:
            self._broker.client = None

    def breaks(self) -> None:
        """The connection is lost: the first so many on their way have come, nobody says so."""
        if self._broker.refuses is None and not self._dead:
            come = self._broker.chance.randint(0, len(self._sent))
            for mid in self._sent[:come]:
                self._broker.heard(*self._kept[mid])
        self._sent.clear()

    def reconnects(self) -> None:
        """Send again what was never acknowledged, then what waits."""
        for mid in self._kept:
            self._send(mid)
        self._connected()

    def _send(self, mid: int) -> None:
        self._sent.append(mid)
        if len(self._sent) == 1:
            self._broker.later(self._broker.chance.uniform(*_LATENCY_S), self._arrives)

    def _arrives(self) -> None:
        """All that is on its way by now comes, and is answered."""
        if self._dead or not self._broker.there:
            return
        sent, self._sent = self._sent, []
        for mid in sent:
            if mid not in self._kept:
                continue
            if self._broker.refuses is None:
                self._broker.heard(*self._kept[mid])
            del self._kept[mid]
            self._answered(mid, self._broker.refuses)
            if self._broker.repeats:
                self._broker.repeats -= 1
                self._answered(mid, self._broker.refuses)
