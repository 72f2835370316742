"""One update on its way in: chunks become parts in memory, parts lie sealed on the disk.

    head   of a later version, from ours or a snapshot   begins, or takes the place of an older one
           of the same update                            opens one more part, two at most at a time
           anything else                                 refused: replayed, gap
    chunk  named by an open part's head                  kept
           of the update, and not (or no more) open      dropped: it is asked for when due
           anything else                                 refused: broken_chunk, not_asked
    part   whole, opens and is signed inside             written
           anything else                                 the update is dropped, with its reason

What is on the disk is named by its head, and read again after a start: nothing of it is believed
before its signatures hold.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cbor2

from agent.credentials.errors import CredentialError
from agent.credentials.formats import cbor
from agent.credentials.sealed.chunks import (
    SEALED_BYTES,
    Chunk,
    Head,
    chunk_hash,
    read_message,
)
from agent.credentials.sealed.parcel import PUSHED
from agent.credentials.signed.receipt import MOST_RANGES, Ranges
from agent.credentials.signed.update import KeyOf, Part, Step, UpdateError
from agent.domain.record.registry_sync import SyncReason
from agent.errors import StoreError
from agent.operations.files import write_whole

MOST_OPEN = 2
"""Parts that are put together in memory at a time."""

Opener = Callable[[bytes, Step, int], Part]
"""Opens and verifies a sealed part of a step."""


@dataclass(slots=True)
class _Open:
    """A part in the making; ``message`` is its head as it came."""

    head: Head
    message: bytes
    chunks: list[bytes | None] = field(repr=False)

    @property
    def lacks(self) -> list[int]:
        return [number for number, one in enumerate(self.chunks) if one is None]


class Assembly:
    """Puts one update together; used by one thread."""

    def __init__(
        self, place: Path, key_of: KeyOf, kiosk: str, opener: Opener, most_bytes: int
    ) -> None:
        """Parts lie at ``place``, each with its number for the ``*`` in its name.

        ``most_bytes`` is the largest update.
        """
        self._place = place
        self._key_of, self._kiosk, self._opener = key_of, kiosk, opener
        self._most_bytes = most_bytes
        self.step: Step | None = None
        self._open: dict[int, _Open] = {}
        self._sizes: dict[int, int] = {}
        self._done_before: bytes | None = None

    @property
    def progress(self) -> tuple[int, int]:
        """How many parts are whole, and of how many; 0 of 0 where nothing is on its way."""
        return len(self._sizes), 0 if self.step is None else self.step.parts

    @property
    def whole(self) -> bool:
        """Whether every part is there."""
        return self.step is not None and len(self._sizes) == self.step.parts

    @property
    def idle(self) -> bool:
        """Whether nothing is being put together just now."""
        return not self._open

    def resume(self, version: int) -> None:
        """After a start: what lies there, where it leads on from ``version``; else nothing.

        An update to ``version`` itself is in force, and something is still to be done about it.
        """
        for path in self._files():
            try:
                head, sealed = self._stored(path)
                done = head.step.version == version
                leads_on = done or self._leads_on(head.step, version)
                if not leads_on or not self._belongs(head.step):
                    raise UpdateError(SyncReason.REPLAYED, "of an older update")
                self.step = head.step
                self._sizes[head.number] = len(sealed)
            except (CredentialError, OSError):
                _remove(path)
        if self.step is not None and self.step.version == version and not self.whole:
            self.drop()

    def hear_head(self, head: Head, message: bytes, version: int) -> bool:
        """A head that a key of the registry signed for this kiosk, which is at ``version``.

        True where it begins an update of which not all is sent unasked.

        Raises:
            UpdateError: ``replayed``, ``gap``, ``too_large``.
        """
        step = head.step
        if step.update == self._done_before:
            return False  # it was taken over just now; the broker says things twice
        if step.version <= version:
            raise UpdateError(SyncReason.REPLAYED, "a version that is here, or one before it")
        if not self._leads_on(step, version):
            raise UpdateError(SyncReason.GAP, "from a version that is not here")
        if not self._belongs(step):
            if self.step is not None and step.version < self.step.version:
                return False  # what is on its way leads further
            self.drop()
        taken = sum(self._sizes.values()) + sum(one.head.size for one in self._open.values())
        if taken + head.size > self._most_bytes:
            self.drop()
            raise UpdateError(SyncReason.TOO_LARGE, "the update")
        begins = self.step is None and (step.parts > 1 or len(head.hashes) >= PUSHED)
        self.step = step
        known = self._open.get(head.number)
        known_so = known is not None and known.head.hashes == head.hashes
        has_room = known is not None or len(self._open) < MOST_OPEN
        if head.number not in self._sizes and has_room and not known_so:
            self._open[head.number] = _Open(head, message, [None] * len(head.hashes))
        return begins

    def hear_chunk(self, chunk: Chunk) -> bool:
        """Whether the chunk was one that lacked.

        Raises:
            UpdateError: ``not_asked``, ``broken_chunk``; or what its part turns out to be.
            StoreError: the part cannot be written.
        """
        if self.step is None or chunk.update != self.step.update:
            if chunk.update == self._done_before:
                return False
            raise UpdateError(SyncReason.NOT_ASKED, "a chunk of an update that nobody announced")
        part = self._open.get(chunk.part)
        if part is None:
            return False
        hashes = part.head.hashes
        if chunk.number >= len(hashes) or chunk.hash != hashes[chunk.number]:
            raise UpdateError(SyncReason.BROKEN_CHUNK, "a chunk that its head does not name")
        if part.chunks[chunk.number] is not None:
            return False
        part.chunks[chunk.number] = chunk.data
        if not part.lacks:
            self._finish(part)
        return True

    def lacks(self) -> list[tuple[int, Ranges]]:
        """What to ask for next: what lacks of open parts, and parts that are not open yet."""
        if self.step is None or self.whole:
            return []
        asked = [(number, _runs(part.lacks)) for number, part in sorted(self._open.items())]
        for number in range(self.step.parts):
            if len(asked) >= MOST_OPEN:
                break
            if number not in self._sizes and number not in self._open:
                asked.append((number, ()))
        return asked

    def parts(self) -> Iterator[Part]:
        """Every part of the whole update, opened one after the other.

        Raises:
            UpdateError: one cannot be opened any more.
            StoreError: one cannot be read.
        """
        assert self.step is not None
        for number in range(self.step.parts):
            try:
                head, sealed = self._stored(self._path(number))
            except OSError as error:
                said = f"a part of an update cannot be read: {error.strerror}"
                raise StoreError(said) from error
            yield self._opener(sealed, head.step, head.number)

    def taken(self) -> None:
        """The update is in force: nothing of it stays here, and a repetition is no news."""
        done = self.step
        self.drop()
        self._done_before = None if done is None else done.update

    def drop(self) -> None:
        """Forget what came of the update."""
        self.step = None
        self._open.clear()
        self._sizes.clear()
        for path in self._files():
            _remove(path)

    def _finish(self, part: _Open) -> None:
        head = part.head
        chunks = [one for one in part.chunks if one is not None]
        sealed = b"".join(chunks)
        del self._open[head.number]
        try:
            self._opener(sealed, head.step, head.number)
        except UpdateError:
            self.drop()
            raise
        write_whole(cbor2.dumps([part.message, chunks]), self._path(head.number))
        self._sizes[head.number] = len(sealed)

    def _stored(self, path: Path) -> tuple[Head, bytes]:
        match cbor.decode(path.read_bytes(), max_bytes=2 * SEALED_BYTES):
            case (bytes(message), tuple(chunks)):
                head = read_message(message, self._key_of, self._kiosk)
            case _:
                raise UpdateError(SyncReason.MALFORMED, "no part")
        if not isinstance(head, Head) or head.hashes != tuple(map(chunk_hash, chunks)):
            raise UpdateError(SyncReason.BROKEN_CHUNK, "a part that its head does not name")
        return head, b"".join(chunks)

    def _leads_on(self, step: Step, version: int) -> bool:
        return step.version > version and (step.is_snapshot or step.since == version)

    def _belongs(self, step: Step) -> bool:
        return self.step is None or step == self.step

    def _path(self, number: int) -> Path:
        return self._place.with_name(self._place.name.replace("*", f"{number:06}"))

    def _files(self) -> list[Path]:
        return sorted(self._place.parent.glob(self._place.name))


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _runs(numbers: list[int]) -> Ranges:
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return tuple(runs[:MOST_RANGES])
