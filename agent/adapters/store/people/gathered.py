"""A gallery as it is gathered from sealed rows: one that does not open costs no other.

Where no row opens, and not because a bit or two has flipped, the gallery is another key's, and that
is said: the agent must not start as if nobody were enrolled.
"""

import numpy as np

from agent.adapters.store.people.rows.marks import intact
from agent.adapters.store.seal import KEY_ID_BYTES, Sealer
from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Template, Templates
from agent.errors import KeyUnavailableError, StoreError

_FLIPPED_BITS = 8
"""Of 64, up to which the id of a key is ours with damage; two keys differ in some 32."""


class Gathered:
    """The references of one pack, gathered row by row."""

    def __init__(self, count: int, pack: tuple[str, str]) -> None:
        """There are ``count`` rows of this pack and version."""
        self._count, self._pack = count, pack
        self._owners: list[HolderId] = []
        self._table = np.zeros((0, 0), dtype=np.float32)
        self._foreign: KeyUnavailableError | None = None

    def add(self, owner: object, sealed: object, sealer: Sealer) -> None:
        """One row; left out where it cannot be opened, or is no template."""
        template = self.opened(owner, sealed, sealer)
        if template is None:
            return
        if not self._owners:
            self._table = np.empty((self._count, len(template)), dtype=np.float32)
        if template.shape != self._table.shape[1:]:
            raise StoreError("references of one pack have different lengths")
        self._table[len(self._owners)] = template
        self._owners.append(HolderId(str(owner)))

    def opened(self, owner: object, sealed: object, sealer: Sealer) -> Template | None:
        """The template of one row, gathered or not; None where it cannot be opened."""
        if not intact(owner) or not isinstance(sealed, bytes):
            return None
        try:
            plain = sealer.open(sealed, "reference", owner, *self._pack)
            return np.frombuffer(plain, dtype="<f4")
        except KeyUnavailableError as error:
            if _bits_apart(sealed[1 : 1 + KEY_ID_BYTES], sealer.key_id) > _FLIPPED_BITS:
                self._foreign = error
            return None
        except (StoreError, ValueError):
            return None

    def refuse_foreign(self) -> None:
        """Called where no row opened.

        Raises:
            KeyUnavailableError: another key sealed them.
        """
        if self._foreign is not None:
            raise self._foreign

    def arrays(self) -> tuple[list[HolderId], Templates]:
        """What was gathered.

        Raises:
            KeyUnavailableError: no row opened, and another key sealed them.
        """
        if not self._owners:
            self.refuse_foreign()
        return self._owners, self._table[: len(self._owners)]


def _bits_apart(one: bytes, other: bytes) -> int:
    return sum((a ^ b).bit_count() for a, b in zip(one, other, strict=True))
