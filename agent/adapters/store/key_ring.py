"""The gallery's keys as they lie on disk: one, or two while a rotation is on.

    gallery.key  gallery.key.next     rows sealed by
    old          -                    old
    old          new                  old and new; new rows by new    (key rotate)
    new          -                    new

The next key is read before the present one: whoever is overtaken by the rotation's last step, where
the next takes the present one's place, finds it in one of the two.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.adapters.store.keys import load_key, next_path
from agent.adapters.store.seal import Sealer
from agent.errors import KeyUnavailableError

_ASK_DISK_AGAIN_S = 1.0


def keys_at(path: Path) -> tuple[bytes, ...]:
    """The key at ``path``, and behind it the next one where a rotation is on.

    Raises:
        KeyUnavailableError: the key is missing, open to others, or no key.
    """
    following: tuple[bytes, ...] = ()
    # There is none, or one that ``key rotate`` says what is wrong with: the present one serves on.
    with contextlib.suppress(KeyUnavailableError):
        following = (load_key(next_path(path)),)
    return load_key(path), *following


class KeyRing(Sealer):
    """Seals by the present key, opens by the next one as well; safe from any thread.

    A key id that it does not know makes it look on disk: so a running agent follows a rotation.
    """

    def __init__(self, load: Callable[[], Sequence[bytes]]) -> None:
        """``load`` gives the keys as they are now, the present one first.

        Raises:
            KeyUnavailableError: ``load`` has none.
        """
        keys = load()
        super().__init__(keys[0])
        self._load = load
        self._held = _sealers(keys)
        self._missed: dict[bytes, float] = {}

    @property
    def key_id(self) -> bytes:
        """The id of the present key."""
        return self._held[0].key_id

    def of(self, wanted: bytes) -> Sealer | None:
        """What seals by the key of this id, which is looked for on disk too; None without it."""
        found = self._among(wanted)
        now_s = time.monotonic()
        # A registry full of names under a lost key does not read the files for each of them.
        if found is None and now_s >= self._missed.get(wanted, now_s):
            # Where they cannot be read now, what is held stays good.
            with contextlib.suppress(KeyUnavailableError):
                self._held = _sealers(self._load())
            found = self._among(wanted)
            if found is None:
                self._missed[wanted] = now_s + _ASK_DISK_AGAIN_S
        return found

    def derived(self, purpose: bytes) -> bytes:
        """A key for ``purpose`` alone, from the present one."""
        return self._held[0].derived(purpose)

    def seal(self, plain: bytes, *bound_to: str) -> bytes:
        """``plain`` sealed by the present key and bound to these words."""
        return self._held[0].seal(plain, *bound_to)

    def _among(self, wanted: bytes) -> Sealer | None:
        return next((one for one in self._held if one.key_id == wanted), None)


def _sealers(keys: Sequence[bytes]) -> tuple[Sealer, ...]:
    return tuple(Sealer(key) for key in keys)
