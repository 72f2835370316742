"""When a kiosk asks for what lacks.

what was asked for is there, or an update was taken over   at once
an update stands still                                     after 2 s, 4 s, 8 s, up to a minute
a gap, another sealing key                                 after a second, however many come
nothing is on its way                                      every ten minutes: one may be lost
"""

_FIRST_S, _LONGEST_S = 2.0, 60.0
_SOON_S = 1.0
_IDLE_S = 600.0


class AskPace:
    """Used by one thread; every time is monotonic, in seconds."""

    def __init__(self) -> None:
        self._due_s = float("-inf")
        self._wait_s = _FIRST_S

    def now(self, now_s: float) -> None:
        """Ask at the next turn."""
        self._due_s = now_s

    def soon(self, now_s: float) -> None:
        """Ask in a second, or earlier where that is due."""
        self._due_s = min(self._due_s, now_s + _SOON_S)

    def came(self, now_s: float) -> None:
        """Something came that lacked, and more of it may be on its way."""
        self._wait_s = _FIRST_S
        self._due_s = now_s + self._wait_s

    def asked(self, now_s: float, *, busy: bool) -> None:
        """It was asked; ``busy``: for an update that is on its way."""
        self._due_s = now_s + (self._wait_s if busy else _IDLE_S)
        self._wait_s = min(2.0 * self._wait_s, _LONGEST_S) if busy else _FIRST_S

    def due(self, now_s: float) -> bool:
        """Whether to ask now."""
        return now_s >= self._due_s
