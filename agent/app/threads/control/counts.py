"""How often signed commands were refused, by reason; and how much is told of them at a time."""

import threading
from collections import Counter
from collections.abc import Mapping

import structlog

from agent.domain.record.command import CommandReason

_AT_ONCE, _REFILL_S = 20.0, 5.0

_log = structlog.get_logger(__name__)


class Counts:
    """Since the process began; any thread adds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[CommandReason] = Counter()

    def add(self, word: CommandReason) -> None:
        """Count one; the 1st, 2nd, 4th, 8th is logged: a flood fills no log."""
        with self._lock:
            self._counts[word] += 1
            count = self._counts[word]
        if count & (count - 1) == 0:
            _log.warning("command_refused", reason=word.value, count=count)

    def read(self) -> Mapping[str, int]:
        """The counts by reason, in the order of their names."""
        with self._lock:
            return {word.value: count for word, count in sorted(self._counts.items())}


class Paces:
    """Twenty refusals of a key are told at once, then one in five seconds."""

    def __init__(self) -> None:
        self._left: dict[bytes, tuple[float, float]] = {}

    def take(self, key_id: bytes, now_s: float) -> bool:
        """Whether one more may be told of."""
        left, since_s = self._left.get(key_id, (_AT_ONCE, now_s))
        left = min(_AT_ONCE, left + (now_s - since_s) / _REFILL_S)
        may = left >= 1.0
        self._left[key_id] = (left - 1.0 if may else left, now_s)
        return may
