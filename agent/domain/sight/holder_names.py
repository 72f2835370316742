"""The ids of a gallery's holders, in little memory: a million strings take half their codes'."""

from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np

from agent.domain.credential.holder import HolderId


class HolderNames(Sequence[HolderId]):
    """Ids in rising order, as one text with the places where each ends."""

    def __init__(self, names: Iterable[HolderId]) -> None:
        """``names`` come in the order in which they shall stand."""
        # An id out of a damaged row may hold what is no text; it must come back as it was.
        encoded = [name.encode(errors="surrogatepass") for name in names]
        ends = np.cumsum([0, *map(len, encoded)])
        self._text = b"".join(encoded)
        self._ends = ends.astype(np.uint32 if len(self._text) < 2**32 else np.uint64)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, at: int) -> HolderId: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[HolderId, ...]: ...
    def __getitem__(self, at: int | slice) -> HolderId | tuple[HolderId, ...]:
        if isinstance(at, slice):
            return tuple(self[number] for number in range(*at.indices(len(self))))
        number = range(len(self))[at]
        raw = self._text[int(self._ends[number]) : int(self._ends[number + 1])]
        return HolderId(raw.decode(errors="surrogatepass"))

    @property
    def nbytes(self) -> int:
        """What they take in memory."""
        return len(self._text) + self._ends.nbytes
