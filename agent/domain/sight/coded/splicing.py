"""An index with some rows out and others in: what stays is copied, and not made anew.

To list, sort and code 100,000 references takes half a second, and a change of one must not.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agent.domain.credential.holder import HolderId
from agent.domain.sight.coded.codes import CodeTable
from agent.domain.sight.coded.holder_names import HolderNames
from agent.domain.sight.comparison import ReferenceIndex

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class NewRows:
    """Rows that come in, by holder and then by number, as all rows stand."""

    owners: Sequence[HolderId]
    numbers: Rows
    table: CodeTable


@dataclass(frozen=True, slots=True, eq=False)
class Spliced:
    """What an index is made of; of each of its rows where it comes from.

    ``source`` is the row of before, or behind all of those the one that came in.
    """

    names: HolderNames
    starts: Rows
    table: CodeTable
    source: Rows


def spliced(
    index: ReferenceIndex, numbers: Rows, out: npt.NDArray[np.bool_], new: NewRows
) -> Spliced:
    """``index``, whose rows have these ``numbers``, without the rows ``out`` and with the new ones.

    An owner of the new ones may be one who was there.
    """
    names = index.names
    stay = np.flatnonzero(~out)
    counts = np.bincount(index.owner[stay], minlength=len(names))
    begins = np.concatenate(([0], np.cumsum(counts)))
    kept = numbers[stay]
    at, more, comes = [], np.zeros_like(counts), Counter[HolderId]()
    places: dict[HolderId, int] = {}
    for owner, number in zip(new.owners, new.numbers.tolist(), strict=True):
        place = bisect_left(names, owner)
        first = int(begins[place])
        if place < len(names) and names[place] == owner:
            own = kept[first : int(begins[place + 1])]
            at.append(first + int(np.searchsorted(own, number)))
            more[place] += 1
        else:
            at.append(first)
            places[owner] = place
            comes[owner] += 1
    source = np.insert(stay, at, np.arange(len(new.owners)) + len(index))
    counts = counts + more
    gone = np.flatnonzero(counts == 0)
    inserted = sorted(places)
    sizes = np.insert(counts, [places[one] for one in inserted], [comes[one] for one in inserted])
    starts = np.concatenate(([0], np.cumsum(sizes[sizes > 0])))
    return Spliced(
        names.spliced(gone.tolist(), places), starts, index.table.spliced(new.table, source), source
    )
