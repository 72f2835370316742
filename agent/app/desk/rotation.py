"""Changes the gallery's key: everything sealed is sealed anew, and the old key is gone at the end.

    next key made --> new rows by it --> old rows by it, some at a time --> file and log rebuilt
        (durable)      (one transaction)   (a transaction each)                   |
                                                         next key takes the old one's place

Killed anywhere, a repetition goes on: the next key lies on disk until the end, and each value names
the key that sealed it. The running agent decides on all the while: its gallery is in memory, and
what it reads meanwhile it opens by either key.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from agent.adapters.store.keys import init_next_key, load_key, next_path, replace_key
from agent.adapters.store.people.sealed_tables import FIRST, Place, Resealed
from agent.adapters.store.seal import Sealer
from agent.app.open.files.stores import Key, has_registry, move_changes, open_registry
from agent.app.open.site import Site, instant
from agent.domain.record.events import EventType
from agent.errors import RefusedError, StoreError

_AT_ONCE = 200
"""Values in a transaction: other writers wait for one at most."""
_LONGEST_WAIT_S = 30.0

Advance = Callable[[int, int], None]
"""Hears how many values are done, and of how many."""


class Sealed(Protocol):
    """The part of the registry that a rotation needs."""

    def seal_by(self, key_id: bytes) -> None:
        """New rows are sealed by this key from now on."""

    def sealed_otherwise(self, key_id: bytes) -> int:
        """How many values are sealed by another key."""

    def reseal(self, new: Sealer, most: int, after: Place = FIRST) -> Resealed:
        """Seal up to ``most`` values behind a place by ``new``."""

    def erase(self, within_s: float) -> bool:
        """Leave nothing of what was replaced; False where somebody reads on."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did; ``unreadable`` values no key of this kiosk opened, before or after."""

    old_key_id: str
    key_id: str
    file: str
    resealed: int
    unreadable: int
    resumed: bool

    def as_json(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


def rotate(site: Site, advance: Advance, at_once: int = _AT_ONCE, *, by: str) -> Rotation:
    """Give the gallery a new key, or end a rotation that was cut short; ``by`` says who.

    The event is written before the old key goes: a rotation that nobody tells of is none.

    Raises:
        RefusedError: ``rotation_runs``: another one is on.
        KeyUnavailableError: there is no key, or its folder cannot be written.
        StoreError: the registry cannot be written, or somebody reads it without end; the old key
            still stands.
    """
    resumed = not init_next_key(site.key_file)
    following = next_path(site.key_file)
    with _alone(following):
        old, new = Sealer(load_key(site.key_file)), Sealer(load_key(following))
        ids = old.key_id.hex(), new.key_id.hex()
        resealed = unreadable = 0
        if has_registry(site):
            with open_registry(site, Key.NEEDED) as registry:
                resealed, unreadable = _reseal_all(registry, new, advance, at_once)
                data = {"was": ids[0], "key_id": ids[1]}
                registry.note(EventType.KEY_ROTATED, data, by=by, now=instant(site))
                move_changes(site, registry)
        replace_key(site.key_file)
    return Rotation(*ids, str(site.key_file), resealed, unreadable, resumed)


def _reseal_all(registry: Sealed, new: Sealer, advance: Advance, at_once: int) -> tuple[int, int]:
    registry.seal_by(new.key_id)
    total = registry.sealed_otherwise(new.key_id)
    resealed = 0
    while True:
        done = unreadable = 0
        place: Place | None = FIRST
        while place is not None:
            step = registry.reseal(new, at_once, place)
            done, unreadable, place = done + step.done, unreadable + step.closed, step.place
            advance(resealed + done + unreadable, total)
        resealed += done
        # Durable, and no copy under the old key left in the file, before that key goes.
        if not registry.erase(_LONGEST_WAIT_S):
            fix = "see who reads it (fuser), and repeat: gate-agent key rotate"
            raise StoreError("the registry is read or written without end; the old key stays", fix)
        if not done:
            return resealed, unreadable


@contextlib.contextmanager
def _alone(following: Path) -> Iterator[None]:
    """One rotation at a time: a second one would put a key in place that seals nothing."""
    with contextlib.ExitStack() as opened:
        try:
            descriptor = os.open(following, os.O_RDONLY | os.O_CLOEXEC)
            opened.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Where the other one has ended meanwhile, this file is the present key already.
            alone = os.path.samestat(os.fstat(descriptor), following.stat())
        except (BlockingIOError, FileNotFoundError):
            alone = False
        if not alone:
            raise RefusedError("rotation_runs", "another rotation is on, or has just ended")
        yield
