"""The ids of a gallery's holders, in little memory: a million strings take half their codes'."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import overload

import numpy as np
import numpy.typing as npt

from agent.domain.credential.holder import HolderId


class HolderNames(Sequence[HolderId]):
    """Ids in rising order, as one text with the places where each ends."""

    def __init__(self, names: Iterable[HolderId]) -> None:
        """``names`` come in the order in which they shall stand."""
        # An id out of a damaged row may hold what is no text; it must come back as it was.
        encoded = [name.encode(errors="surrogatepass") for name in names]
        self._set(b"".join(encoded), np.array([*map(len, encoded)], dtype=np.int64))

    def _set(self, text: bytes, lengths: npt.NDArray[np.int64]) -> None:
        self._text = text
        ends = np.concatenate(([0], np.cumsum(lengths)))
        self._ends = ends.astype(np.uint32 if len(text) < 2**32 else np.uint64)

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

    def __iter__(self) -> Iterator[HolderId]:
        text, ends = self._text, self._ends.tolist()
        for start, end in pairwise(ends):
            yield HolderId(text[start:end].decode(errors="surrogatepass"))

    def spliced(self, gone: Collection[int], new: Mapping[HolderId, int]) -> "HolderNames":
        """Without the places ``gone``, and each of the ``new`` before the place of today given."""
        lengths = np.diff(self._ends).astype(np.int64)
        pieces: list[bytes] = []
        sizes: list[npt.NDArray[np.int64]] = []
        at = 0

        def up_to(place: int) -> None:
            pieces.append(self._text[int(self._ends[at]) : int(self._ends[place])])
            sizes.append(lengths[at:place])

        # At one place the new ones come first: whoever goes there stood behind them.
        steps = [(place, 0, name) for name, place in new.items()]
        for place, goes, name in sorted([*steps, *((place, 1, "") for place in gone)]):
            up_to(place)
            at = place + goes
            if not goes:
                encoded = name.encode(errors="surrogatepass")
                pieces.append(encoded)
                sizes.append(np.array([len(encoded)]))
        up_to(len(self))
        made = HolderNames(())
        made._set(b"".join(pieces), np.concatenate(sizes))
        return made

    @property
    def nbytes(self) -> int:
        """What they take in memory."""
        return len(self._text) + self._ends.nbytes
