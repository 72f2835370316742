"""Whether a broker of MQTT 3.1.1 passes events on: its acknowledgement does not say.

MQTT 3.1.1 has no refusal of a message: a broker that does not let a kiosk publish acknowledges all
the same, and drops what it got (section 3.3.5). So with each connection the kiosk subscribes to its
own events, and takes the first one for delivered only when it has come back.

    state     event handed over  came back  PUBACK, then 10 s  may not subscribe  connection lost
    asking    waiting            -          -                  unknown            asking
    waiting   -                  proven     asking, refused    unknown            asking
    proven    -                  -          -                  -                  asking
    unknown   -                  -          -                  -                  asking

Nothing that is heard so is acted upon. A kiosk whose subscription is refused cannot tell, and that
is no fault. A broker that grants it and lets nothing be read (Mosquitto's ACL files know no other
way) looks like one that drops what it gets: then nothing goes until one of the two is mended, for
what waits is not lost.
"""

import threading
from collections.abc import Callable
from enum import StrEnum

PATIENCE_S = 10.0
NOT_PASSED_ON = (
    "Not passed on: the broker acknowledges events and none comes back; let this kiosk write and"
    " read its own events there, or use MQTT 5"
)
LOST_FIRST = "Not passed on: the connection ended before it came back"


class Standing(StrEnum):
    """What is known of the connection."""

    ASKING = "asking"
    WAITING = "waiting"
    PROVEN = "proven"
    UNKNOWN = "unknown"


class Proof:
    """Of one connection at a time; safe to call from any thread.

    It never calls out with its lock: paho answers with locks of its own.
    """

    def __init__(
        self, answered: Callable[[int, str | None], None], now_s: Callable[[], float]
    ) -> None:
        """``answered`` gets what was kept back and its refusal; ``now_s`` is a monotonic clock."""
        self._answered = answered
        self._now_s = now_s
        self._lock = threading.Lock()
        self._standing = Standing.UNKNOWN
        self._payload = b""
        self._mid: int | None = None
        self._acknowledged_s: float | None = None
        self._early: set[int] = set()

    @property
    def settled(self) -> bool:
        """Whether there is nothing to find out any more, so that more than one may go."""
        return self._standing in (Standing.PROVEN, Standing.UNKNOWN)

    def connected(self) -> None:
        """A new connection, on which the subscription is asked for."""
        self._move(Standing.ASKING, LOST_FIRST)

    def hand_over(self, payload: bytes, publish: Callable[[], int]) -> int:
        """``publish`` an event; the first of a connection is watched. The message id."""
        with self._lock:
            watched = self._standing is Standing.ASKING
            if watched:
                self._standing, self._payload = Standing.WAITING, payload
        mid = None
        try:
            mid = publish()
        finally:
            if watched:
                self._watch(mid)
        return mid

    def _watch(self, mid: int | None) -> None:
        """The id of what was handed over; None where it could not be."""
        with self._lock:
            early, self._early = self._early, set()
            if mid is None:
                self._standing = Standing.ASKING
            elif self._standing is Standing.WAITING:
                self._mid = mid
                if mid in early:
                    self._acknowledged_s = self._now_s()
                    early.remove(mid)
        for other in early:
            self._answered(other, None)

    def holds(self, mid: int) -> bool:
        """A PUBACK came: whether it is kept back until the event has come back as well."""
        with self._lock:
            if self._standing is not Standing.WAITING:
                return False
            if self._mid is None:
                self._early.add(mid)
                return True
            if mid == self._mid:
                self._acknowledged_s = self._now_s()
            return mid == self._mid

    def heard(self, payload: bytes) -> bool:
        """An event of our own came; whether that settles it."""
        if self._standing is not Standing.WAITING or payload != self._payload:
            return False
        self._move(Standing.PROVEN, None)
        return True

    def not_allowed(self) -> None:
        """The subscription was refused."""
        self._move(Standing.UNKNOWN, None)

    def look(self) -> None:
        """Time has passed."""
        since_s = self._acknowledged_s
        if since_s is not None and self._now_s() - since_s >= PATIENCE_S:
            self._move(Standing.ASKING, NOT_PASSED_ON)

    def _move(self, to: Standing, refusal: str | None) -> None:
        """To a state in which nothing is watched; what was kept back until now is answered."""
        with self._lock:
            kept_back = self._mid if self._acknowledged_s is not None else None
            self._standing, self._payload = to, b""
            self._mid = self._acknowledged_s = None
        if kept_back is not None:
            self._answered(kept_back, refusal)
