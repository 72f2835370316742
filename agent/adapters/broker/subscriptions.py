"""What this kiosk asks to hear, and the question that a connection did not survive.

MQTT has a refusal for a subscription, and RabbitMQ breaks off in its place: a kiosk that may not
read one of its topics would be thrown out each time it comes. So each topic is asked for when the
one before it is answered, and a connection that ends in between has ended at that one (were all
asked for at once, the answers on their way would be lost with it). After three times the next
connection goes without it.

    begin --> next, ask --> answered --> next, ask --> answered ... --> nothing more
                  `-- connection lost, three times --> left out once
"""

from collections import Counter, deque
from collections.abc import Sequence

_MOST_ENDS = 3


class Subscriptions:
    """Of one client; for its thread only."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._asked: tuple[int, str] | None = None
        self._ends: Counter[str] = Counter()

    def begin(self, topics: Sequence[str]) -> list[str]:
        """A new connection, on which to ask for ``topics``; which of them not to."""
        if self._asked is not None:
            self._ends[self._asked[1]] += 1
        self._asked = None
        without = [topic for topic in topics if self._ends[topic] >= _MOST_ENDS]
        self._waiting = deque(topic for topic in topics if topic not in without)
        for topic in without:
            del self._ends[topic]
        return without

    def next(self) -> str | None:
        """What to ask for now; None where all is asked."""
        return self._waiting.popleft() if self._waiting else None

    def ask(self, mid: int | None, topic: str) -> None:
        """It is asked for under this id; None where the connection has gone already."""
        if mid is not None:
            self._asked = (mid, topic)

    def answered(self, mid: int) -> str | None:
        """Which topic the answer is about; None where it was not asked for on this connection."""
        if self._asked is None or self._asked[0] != mid:
            return None
        topic, self._asked = self._asked[1], None
        del self._ends[topic]
        return topic
