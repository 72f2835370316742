"""The gallery in memory, kept in step with the registry on disk.

A snapshot is built beside the one in force and then swapped. A change made by another process shows
as a new revision, looked up twice a second, which costs one small read. What was touched is read,
so that it is in force within moments; once an hour, in a quiet moment, all is read again, because a
card that wears out touches rows and says nothing. While the registry cannot be read
the last snapshot holds, for a bounded time: a revocation may be among what cannot be read.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from agent.app.open.gallery import IndexedGallery
from agent.app.open.snapshot import Snapshot, damage_text, other_packs_text
from agent.app.threads.fault_line import FaultLine
from agent.controller.inputs import Input, RegistryChanged
from agent.credentials.passes.issuers import Issuers
from agent.domain.access.part import PartKind
from agent.domain.access.registry import Registry
from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import ReferenceIndex
from agent.domain.sight.track import Observation
from agent.errors import UnavailableError

_POLL_S = 0.5
_WHOLE_EVERY_S, _QUIET_S = 3600.0, 60.0
MAX_AGE_S = 60.0
_log = structlog.get_logger(__name__)


class GalleryWatch:
    """Holds the newest snapshot and looks for newer ones."""

    def __init__(
        self,
        first: Snapshot,
        renew: Callable[[Snapshot], Snapshot],
        revision: Callable[[], int],
        post: Callable[[Input], None],
        changed: Callable[[], None],
        *,
        max_age_s: float = MAX_AGE_S,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """``renew`` builds a snapshot on the one before; ``changed`` moves the changes' events.

        The latter is called at the start, for what a killed command left behind, after each new
        snapshot, and again where it could not. ``max_age_s`` after the registry was read for the
        last time nothing is decided by it any more.
        """
        self._snapshot = first
        self._renew = renew
        self._revision = revision
        self._post = post
        self._changed = changed
        self._max_age_s, self._monotonic_s = max_age_s, monotonic_s
        self._read_s = self._whole_s = self._renewed_s = monotonic_s()
        self._moved = False
        self._of_other_packs = 0
        self._fault = FaultLine(PartKind.GALLERY.part(), post)
        self._damage = FaultLine(PartKind.REGISTRY.part(), post)
        self._stopping = threading.Event()
        self._swapping = threading.Lock()
        self._asked: tuple[IndexedGallery, dict[HolderId, bool]] = (first.gallery, {})
        self._unsearched: UnavailableError | None = None

    def snapshot(self) -> Snapshot:
        """The newest one."""
        return self._snapshot

    def index(self) -> ReferenceIndex:
        """What to compare with now."""
        return self._snapshot.index

    def issuers(self) -> Issuers:
        """Whose passes to believe now."""
        return self._snapshot.issuers

    def registry(self) -> Registry:
        """What to judge by now."""
        return self._snapshot.registry

    def judged(self, seen: Observation) -> Observation:
        """Called by the cameras' threads: what was seen, and whether who is named stands apart.

        Only while the gallery was not compared with itself yet.

        Raises:
            StoreError: the references cannot be read.
        """
        stands = self._snapshot
        registry = stands.registry
        if registry.compared or seen.track is None or seen.gallery_revision != registry.revision:
            return seen
        gallery, asked = self._asked
        if gallery is not stands.gallery:
            asked = {}
            self._asked = (stands.gallery, asked)
        named = {
            sample.best.holder
            for sample in seen.track.samples
            if sample.best is not None and sample.best.score >= registry.operating.threshold
        }
        for holder in named - asked.keys():
            asked[holder] = stands.is_too_close(holder)
        return replace(seen, too_close={holder: asked[holder] for holder in named})

    def unsearched(self, error: UnavailableError) -> None:
        """Called by the cameras' threads: a face could not be compared with the gallery."""
        self._unsearched = error

    def compared(self, gallery: IndexedGallery, close: frozenset[HolderId]) -> None:
        """``gallery`` was compared with itself; nothing follows where another is in force now."""
        with self._swapping:
            stands = self._snapshot
            if stands.gallery is gallery and not stands.registry.compared:
                registry = replace(stands.registry, too_close=close, compared=True)
                self._swap(replace(stands, registry=registry))

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        self._tell_damage()
        while not self._stopping.wait(_POLL_S):
            self.look()

    def look(self) -> None:
        """One round: whether there is a newer registry, and what is to be told of it."""
        try:
            self._renew_if_changed()
            self._read_s = self._monotonic_s()
            if not self._moved:
                self._changed()
                self._moved = True
        except UnavailableError as error:
            self._fault.failed(error)
            self._expire()
        else:
            unsearched, self._unsearched = self._unsearched, None
            if unsearched is not None:
                self._fault.failed(unsearched)
            else:
                self._fault.works()

    def stop(self) -> None:
        """End ``work`` within half a second."""
        self._stopping.set()

    def _renew_if_changed(self) -> None:
        stands = self._snapshot.registry
        if self._revision() == stands.revision and not stands.outdated and not self._worn():
            return
        before = self._snapshot.forgetful() if self._worn() else self._snapshot
        renewed = self._renew(before)
        self._renewed_s = self._monotonic_s()
        if renewed.is_whole:
            self._whole_s = self._renewed_s
        with self._swapping:
            self._swap(renewed)
        self._moved = False
        self._tell_damage()

    def _worn(self) -> bool:
        """Whether it is time to read all again, and nobody waits for anything else."""
        now_s = self._monotonic_s()
        long_ago = not self._snapshot.is_whole and now_s - self._whole_s > _WHOLE_EVERY_S
        return long_ago and now_s - self._renewed_s > _QUIET_S

    def _expire(self) -> None:
        """The last good registry is in force for so long, and then nobody's word is."""
        with self._swapping:
            stands = self._snapshot.registry
            if not stands.outdated and self._monotonic_s() - self._read_s > self._max_age_s:
                self._swap(replace(self._snapshot, registry=replace(stands, outdated=True)))

    def _swap(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._post(RegistryChanged(snapshot.registry))

    def _tell_damage(self) -> None:
        registry = self._snapshot.registry
        if registry.of_other_packs not in (0, self._of_other_packs):
            said = other_packs_text(registry.of_other_packs, registry.pack)
            what, _, fix = said.partition("\nFix: ")
            _log.warning("holders_of_other_packs", what=what, fix=fix)
        self._of_other_packs = registry.of_other_packs
        unreadable = self._snapshot.unreadable
        if unreadable:
            self._damage.works()  # of other damage there is another word
            self._damage.failed(damage_text(unreadable))
        else:
            self._damage.works()
