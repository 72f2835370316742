"""A large gallery compared with itself, beside the gate at work.

Nothing waits for it: whoever is named at the gate meanwhile is compared with the others by himself,
before anything opens (``GalleryWatch.judged``). What was found once is kept; after a change the
holders who are new are compared with all others, and those who were too close once more. Only where
the threshold has become looser, or much has changed, everything is compared anew.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from agent.app.open.gallery import IndexedGallery, changed_holders
from agent.app.open.snapshot import Snapshot
from agent.domain.credential.holder import HolderId
from agent.domain.sight.gallery_safety import (
    close_pairs,
    holders_too_close,
    stands_too_close,
    too_close,
)
from agent.errors import UnavailableError

_POLL_S = 0.5
_MOST_ANEW = 1000
"""Holders beyond which comparing them one by one takes longer than comparing all in blocks."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What was found of a gallery at a threshold."""

    gallery: IndexedGallery
    threshold: float
    close: frozenset[HolderId]


class _StoppedError(Exception):
    """The agent ends."""


class SelfComparison:
    """Compares whatever gallery has not been compared yet."""

    def __init__(
        self,
        newest: Callable[[], Snapshot],
        found: Callable[[IndexedGallery, frozenset[HolderId]], None],
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """``found`` is told of a gallery's holders who are too close to others."""
        self._newest, self._found = newest, found
        self._monotonic_s = monotonic_s
        self._known: _Known | None = None
        self._rested_s = 0.0
        self._stopping = threading.Event()

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        while not self._stopping.wait(_POLL_S):
            self.look()

    def look(self) -> None:
        """One round: the newest gallery, where it is still to be compared."""
        snapshot = self._newest()
        registry, gallery = snapshot.registry, snapshot.gallery
        threshold = registry.operating.threshold
        if registry.compared:
            self._known = _Known(gallery, threshold, registry.too_close)
            return
        start_s = self._rested_s = self._monotonic_s()
        try:
            close = self._compared(gallery, threshold)
        except _StoppedError:
            return
        except UnavailableError as error:  # who watches the gallery says so, too
            _log.warning("gallery_not_compared", error=str(error))
            return
        self._known = _Known(gallery, threshold, close)
        took_s = self._monotonic_s() - start_s
        _log.info("gallery_compared", took_s=round(took_s, 1), too_close=len(close))
        self._found(gallery, close)

    def stop(self) -> None:
        """End ``work`` after the block under way."""
        self._stopping.set()

    def _compared(self, gallery: IndexedGallery, threshold: float) -> frozenset[HolderId]:
        index, known = gallery.index, self._known
        if known is None or known.gallery.pack != gallery.pack or threshold < known.threshold:
            return holders_too_close(index, threshold, self._rest)
        new = changed_holders(gallery, known.gallery)
        if len(new) + len(known.close) > _MOST_ANEW:
            return holders_too_close(index, threshold, self._rest)
        close = set(too_close(close_pairs(index, threshold, new)))
        # The other one of a pair may have gone, or have another photograph now.
        for holder in known.close - close:
            if stands_too_close(index, holder, threshold):
                close.add(holder)
            self._rest()
        return frozenset(close)

    def _rest(self) -> None:
        """As long as the last block took: the cameras' threads come first."""
        if self._stopping.wait(self._monotonic_s() - self._rested_s):
            raise _StoppedError
        self._rested_s = self._monotonic_s()
