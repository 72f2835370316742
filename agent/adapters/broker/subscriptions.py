"""What this kiosk asks to hear, and the question that a connection did not survive.

MQTT has a refusal for a subscription, and RabbitMQ breaks off in its place: a kiosk that may not
read one of its topics would be thrown out each time it comes. Answers come in the order of the
questions, so the first one without an answer is what a connection ended at. After three times the
next connection goes without it.
"""

from collections import Counter
from collections.abc import Iterable

_MOST_ENDS = 3


class Subscriptions:
    """Of one client; for its thread only."""

    def __init__(self) -> None:
        self._asked: dict[int, str] = {}
        self._ends: Counter[str] = Counter()

    def begin(self, topics: Iterable[str]) -> list[str]:
        """A new connection: which of ``topics`` not to ask for on it."""
        unanswered = next(iter(self._asked.values()), None)
        self._asked.clear()
        if unanswered is not None:
            self._ends[unanswered] += 1
        without = [topic for topic in topics if self._ends[topic] >= _MOST_ENDS]
        for topic in without:
            del self._ends[topic]
        return without

    def ask(self, mid: int | None, topic: str) -> None:
        """It is asked for under this id; None where the connection has gone already."""
        if mid is not None:
            self._asked[mid] = topic

    def answered(self, mid: int) -> str | None:
        """Which topic the answer is about; None where it was not asked for on this connection."""
        topic = self._asked.pop(mid, None)
        if topic is not None:
            del self._ends[topic]
        return topic
