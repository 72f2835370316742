"""The gallery's index built from the registry: codes in memory, templates where they lie sealed.

A reference that an index of before has coded is taken from it, so that a change of one holder costs
the reading of the list and not the opening of the whole gallery; where it is known which rows may
have changed, not even that.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from agent.adapters.int8_blocks import give_back, packed_block
from agent.domain.credential.holder import HolderId
from agent.domain.sight.coded.codes import TableInMaking
from agent.domain.sight.coded.splicing import NewRows, spliced
from agent.domain.sight.comparison import (
    Metric,
    Opened,
    ReferenceIndex,
    Rows,
    Template,
    Templates,
    comparable,
)
from agent.errors import KeyUnavailableError, StoreError
from agent.ports import GalleryArrays, ReferenceList
from agent.vision.packs.manifest import Manifest

_AT_ONCE = 256
"""Rows opened under one hold of the registry's lock, for which a decision may have to wait."""
_FIX = "see which references are wrong with gate-agent holders list, and enrol them again"


@dataclass(frozen=True, slots=True, eq=False)
class IndexedGallery:
    """An index, and where its rows lie in the registry; ``listed`` is how many were to be read.

    ``changed`` are the holders whose references are others than before; None where all were listed.
    """

    index: ReferenceIndex
    pack: tuple[str, str]
    numbers: npt.NDArray[np.int64]
    marks: npt.NDArray[np.uint32]
    listed: int
    changed: frozenset[HolderId] | None = None

    def known(self, numbers: npt.NDArray[np.int64], marks: npt.NDArray[np.uint32]) -> Rows:
        """Its row for each of these, -1 where it has none: the reference is another one."""
        if not len(self.numbers):
            return np.full(len(numbers), -1)
        order = np.argsort(self.numbers)
        places = np.searchsorted(self.numbers, numbers, sorter=order)
        rows = order[np.minimum(places, len(order) - 1)]
        same = (self.numbers[rows] == numbers) & (self.marks[rows] == marks)
        return np.where(same, rows, -1)


def index_gallery(
    registry: GalleryArrays,
    manifest: Manifest,
    revision: int,
    before: IndexedGallery | None = None,
    touched: AbstractSet[int] | None = None,
) -> IndexedGallery:
    """The references of a pack as they are on disk now; one that cannot be read is left out.

    ``touched`` are the numbers of all that may be others than ``before``, where that is known. The
    index reads the registry for each search, for as long as it is in use.

    Raises:
        KeyUnavailableError: there are references, and not the key that sealed them.
        StoreError: the registry cannot be read, or holds what cannot be compared.
    """
    pack, metric = (manifest.name, manifest.version), Metric(manifest.comparison.metric)
    if before is not None and before.pack == pack and touched is not None:
        followed = _followed(registry, manifest, revision, before, touched)
        if followed is not None:
            return followed
    listed = registry.list_references(*pack)
    table = TableInMaking(len(listed.owners), manifest.embedder.components, packed_block)
    known = np.full(len(listed.owners), -1)
    if before is not None and before.pack == pack:
        known = before.known(listed.numbers, listed.marks)
        at = np.flatnonzero(known >= 0)
        table.take(at, before.index.table, known[at])
    _open_rest(registry, pack, listed, np.flatnonzero(known < 0), table, metric)
    kept = np.flatnonzero(table.filled)
    numbers, marks = _narrow(listed.numbers[kept]), listed.marks[kept]
    owners = (listed.owners[row] for row in kept.tolist())
    opened = _opener(registry, pack, numbers, lambda row: index.holder_of(row))  # noqa: PLW0108 - it is made with this
    index = ReferenceIndex.of_table(owners, table.table(), opened, metric, revision)
    del table
    give_back()
    return IndexedGallery(index, pack, numbers, marks, len(listed.owners))


def _followed(
    registry: GalleryArrays,
    manifest: Manifest,
    revision: int,
    before: IndexedGallery,
    touched: AbstractSet[int],
) -> IndexedGallery | None:
    """``before`` with what was touched; None where that is not all that is to be read."""
    if len(before.numbers) != before.listed or not before.listed:
        return None
    pack, old = before.pack, before.index
    if not touched:
        return replace(before, index=old.at(revision), changed=frozenset())
    listed = registry.list_references(*pack, among=touched)
    order = sorted(
        range(len(listed.owners)), key=lambda row: (listed.owners[row], listed.numbers[row])
    )
    listed = ReferenceList(
        [listed.owners[row] for row in order], listed.numbers[order], listed.marks[order]
    )
    table = TableInMaking(len(order), manifest.embedder.components)
    try:
        _open_rest(registry, pack, listed, np.arange(len(order)), table, old.metric)
    except KeyUnavailableError:
        return None
    if not table.filled.all():
        return None
    numbers = before.numbers.astype(np.int64)
    out = np.isin(numbers, np.array([*touched], dtype=np.int64))
    new = NewRows(listed.owners, listed.numbers, table.table())
    made = spliced(old, numbers, out, new)
    numbers = _narrow(np.concatenate((numbers, listed.numbers))[made.source])
    marks = np.concatenate((before.marks, listed.marks))[made.source]
    gone = (old.holder_of(row) for row in np.flatnonzero(out).tolist())
    opened = _opener(registry, pack, numbers, lambda row: index.holder_of(row))  # noqa: PLW0108 - it is made with this
    index = ReferenceIndex.of_rows(made.names, made.starts, made.table, opened, old, revision)
    return IndexedGallery(
        index, pack, numbers, marks, len(numbers), frozenset((*gone, *listed.owners))
    )


def _opener(
    registry: GalleryArrays,
    pack: tuple[str, str],
    numbers: npt.NDArray[np.int64],
    holder_of: Callable[[int], HolderId],
) -> Opened:
    def opened(rows: Rows) -> Iterator[Template | None]:
        found = registry.open_references(*pack, numbers[rows].tolist())
        for row, one in zip(rows.tolist(), found, strict=True):
            # A row's number may come again, for somebody else.
            yield one[1] if one is not None and one[0] == holder_of(row) else None

    return opened


def changed_holders(now: IndexedGallery, before: IndexedGallery) -> frozenset[HolderId]:
    """Whose references ``now`` has that ``before`` had not."""
    new = np.flatnonzero(before.known(now.numbers, now.marks) < 0)
    return frozenset(now.index.holder_of(row) for row in new.tolist())


def _open_rest(
    registry: GalleryArrays,
    pack: tuple[str, str],
    listed: ReferenceList,
    rest: Rows,
    table: TableInMaking,
    metric: Metric,
) -> None:
    foreign: KeyUnavailableError | None = None
    for start in range(0, len(rest), _AT_ONCE):
        rows = rest[start : start + _AT_ONCE]
        at, templates = [], []
        try:
            found = registry.open_references(*pack, listed.numbers[rows].tolist())
            for row, one in zip(rows.tolist(), found, strict=True):
                if one is not None and one[0] == listed.owners[row]:
                    at.append(row)
                    templates.append(one[1])
        except KeyUnavailableError as error:
            foreign = error
        _put(table, at, templates, metric)
    if foreign is not None and not table.filled.any():
        raise foreign


def _put(
    table: TableInMaking, at: Sequence[int], templates: Sequence[Template], metric: Metric
) -> None:
    if not at:
        return
    for template in templates:
        if len(template) != table.components:
            message = f"references of {len(template)} components"
            raise StoreError(f"{message}, where the pack has {table.components}", _FIX)
    try:
        rows: Templates = comparable(np.array(templates), metric)
    except ValueError as error:
        raise StoreError(f"the gallery cannot be compared with: {error}", _FIX) from error
    table.put(np.array(at), rows)


def _narrow(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """In four bytes where they fit, as they do unless a registry saw four thousand million rows."""
    small = not len(numbers) or int(numbers.max()) < 2**32
    return numbers.astype(np.uint32) if small else numbers
