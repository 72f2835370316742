"""UUIDv7: ids that sort by time (RFC 9562, section 5.7)."""

import threading
import uuid
from collections.abc import Callable
from datetime import datetime


def uuid7(unix_ms: int, random: bytes, counter: int) -> str:
    """The id of ``unix_ms`` (48 bits), ``counter`` (12 bits) and 8 bytes of ``random``."""
    value = (unix_ms & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (counter & 0xFFF) << 64
    value |= 0b10 << 62 | int.from_bytes(random[:8], "big") >> 2
    return str(uuid.UUID(int=value))


class Uuid7Source:
    """Ids that rise even within a millisecond and when the clock is set back; thread-safe.

    The counter of RFC 9562's method 1 restarts with each millisecond; where it runs over, or the
    clock goes back, the last millisecond is carried on.
    """

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._lock = threading.Lock()
        self._last_ms = 0
        self._counter = 0

    def make(self, moment: datetime) -> str:
        """The next id at ``moment``."""
        with self._lock:
            unix_ms = int(moment.timestamp() * 1000)
            if unix_ms > self._last_ms:
                self._last_ms, self._counter = unix_ms, 0
            else:
                self._counter += 1
                if self._counter > 0xFFF:
                    self._last_ms, self._counter = self._last_ms + 1, 0
            return uuid7(self._last_ms, self._random(8), self._counter)
