"""What was handed over first and is not acknowledged: whether it ever will be.

MQTT 3.1.1 knows no refusal of a message, so a broker breaks off at one that it does not take, or
says nothing: RabbitMQ closes its channel at one that is too large, keeps the connection, and from
then on acknowledges nothing at all.

    oldest of the connection       then
    the same for 60 s              the connection is ended here
    the same as three ended        it is taken back, so that the others go
"""

STALLED_S = 60.0
_MOST_ENDS = 3


class Oldest:
    """Of one client; for its thread only."""

    def __init__(self) -> None:
        self._mid: int | None = None
        self._since_s = 0.0
        self._at_end: int | None = None
        self._ends = 0

    def connected(self, now_s: float) -> None:
        """A new connection: everything is sent again, and has its time again."""
        self._since_s = now_s

    def stalls(self, mid: int | None, now_s: float) -> bool:
        """Whether ``mid``, the oldest by now, has been that for too long."""
        if mid is None or mid != self._mid:
            self._mid, self._since_s = mid, now_s
        return now_s - self._since_s >= STALLED_S

    def ended(self, mid: int | None) -> None:
        """A connection ended before ``mid`` was acknowledged."""
        self._ends = self._ends + 1 if mid == self._at_end else 1
        self._at_end = mid

    def hopeless(self) -> tuple[int, int] | None:
        """What is to be taken back, and how many connections have shown it; told once."""
        mid, ends = self._at_end, self._ends
        if mid is None or ends < _MOST_ENDS:
            return None
        self._at_end, self._ends = None, 0
        return mid, ends
