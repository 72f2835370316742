"""The one boundary behind which every decoder and parser of foreign bytes stands.

Whatever such code raises on what a stranger shows, sends or saves is "unreadable": an answer, and
never the end of the thread that asked. That holds for C++ exceptions (``cv2.error``), for a
``MemoryError`` of one input that declares too much, and for panics of Rust code, which are no
``Exception`` to Python. What ends a process on purpose passes: ``KeyboardInterrupt`` and
``SystemExit``. A crash of native code cannot be caught here.

Each is counted by its part, which ``gate-agent status`` shows, and logged at the 1st, 2nd, 4th,
8th ... time: a code that hangs on the wall fills no log. Of the error only the class is told, for
its text may quote what was shown.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

_ON_PURPOSE = (KeyboardInterrupt, SystemExit, GeneratorExit)

_log = logging.getLogger(__name__)


class UnreadableCount:
    """How often each part met what it could not read, since the process began."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def note(self, part: str, error: BaseException) -> None:
        """Count one; any thread may."""
        with self._lock:
            self._counts[part] += 1
            count = self._counts[part]
        if count & (count - 1) == 0:
            _log.info("unreadable: %s raised %s, time %d", part, type(error).__name__, count)

    def read(self) -> Mapping[str, int]:
        """The counts by part, in the order of their names; empty where all could be read."""
        with self._lock:
            return dict(sorted(self._counts.items()))


UNREADABLE = UnreadableCount()
"""The process's own: decoders lie deep, and nothing could hand them a counter."""


@contextmanager
def boundary(
    part: str, refusal: Callable[[], Exception], *known: type[Exception]
) -> Iterator[None]:
    """What is raised inside becomes ``refusal()``, but for ``known``, which passes as it is.

    Around a block, or as the decorator of a function.
    """
    passing: tuple[type[BaseException], ...] = (*_ON_PURPOSE, *known)
    try:
        yield
    except passing:
        raise
    except BaseException as error:  # noqa: BLE001 - a decoder may raise anything at all
        UNREADABLE.note(part, error)
        raise refusal() from None


def read_or(part: str, otherwise: T, read: Callable[[], T], *known: type[Exception]) -> T:
    """What ``read`` returns; ``otherwise`` where it raises anything but ``known``."""
    passing: tuple[type[BaseException], ...] = (*_ON_PURPOSE, *known)
    try:
        return read()
    except passing:
        raise
    except BaseException as error:  # noqa: BLE001 - a decoder may raise anything at all
        UNREADABLE.note(part, error)
        return otherwise
