"""Exact 1:N comparison: the best holder, and the best other one.

A probe costs one product with the whole gallery, which is bound by memory. So the gallery lies in
memory in eight bits a component (``codes``), and everything else must stay small beside that. For
the Euclidean metric the order of

    |r - p|^2 = |r|^2 - 2 r.p + |p|^2     is that of     r.p - |r|^2 / 2

so the product and one subtraction rank all references. The codes are off by a known bound: every
row that they could have kept from the first two places is opened, one after the other as they rank,
and scored in float64; those scores decide. Nothing that follows can come into the first two places
once a row ranks further behind the second than the bound.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from heapq import nsmallest

import numpy as np
import numpy.typing as npt

from agent.domain.credential.holder import HolderId
from agent.domain.sight.coded.blocks import PROBE_MOST, Pack, PlainBlock
from agent.domain.sight.coded.codes import CodeTable, TableInMaking, Templates, encode
from agent.domain.sight.coded.holder_names import HolderNames
from agent.domain.sight.coded.nearest import Nearest
from agent.domain.sight.track import Candidate

__all__ = ["Metric", "ReferenceIndex", "Template", "Templates", "row_scores", "score"]

Template = npt.NDArray[np.float32]
"""One row of templates."""
Rows = npt.NDArray[np.int64]
Opened = Callable[[Rows], Iterable[Template | None]]
"""The templates of these rows as they were enrolled, opened one by one as they are asked for.

None for one that is no longer there.
"""

_LONGEST = 1e15
"""Beyond this length of a template a float32 product may overflow; real ones are near 1."""
_MOST_ROUNDS = 8


class Metric(StrEnum):
    """How two templates compare; a score is higher the more they are alike."""

    EUCLIDEAN = "euclidean"
    COSINE = "cosine"


def score(one: Template, other: Template, metric: Metric) -> float:
    """The comparison score of two templates: minus their distance, or their cosine."""
    return float(row_scores(one[None], other, metric)[0])


def row_scores(
    rows: Templates, others: Templates | Template, metric: Metric
) -> npt.NDArray[np.float64]:
    """Scores of ``rows`` with ``others``, row by row or all with the one, in double precision.

    A template without a length has no direction: its cosine with anything is -1.
    """
    if metric is Metric.EUCLIDEAN:
        differences = np.subtract(rows, others, dtype=np.float64)
        return np.asarray(-np.sqrt(np.einsum("ij,ij->i", differences, differences)))
    a, b = rows.astype(np.float64), others.astype(np.float64)
    # Sums as they stand: numpy's own norm asks much before it comes to them, for a row at a time.
    lengths = np.sqrt(np.add.reduce(a * a, axis=-1)) * np.sqrt(np.add.reduce(b * b, axis=-1))
    products = np.add.reduce(a * b, axis=-1)
    unknown = np.full(len(a), -1.0)
    return np.asarray(np.divide(products, lengths, out=unknown, where=lengths > 0.0))


def comparable(templates: Templates, metric: Metric) -> Templates:
    """References as they are compared: for the cosine each of length 1.

    Raises:
        ValueError: a component is no finite number, or a template's length is out of all proportion
            (for the cosine also: nothing).
    """
    given, templates = templates, templates.astype(np.float32, copy=False)
    lengths = _lengths(templates)
    # Not "longer than": a length that is no number is found by this as well.
    if not (lengths <= _LONGEST).all():
        if not np.isfinite(given).all():
            raise ValueError("a reference holds a component that is no finite number")
        raise ValueError("a reference is too long to be compared")
    if metric is Metric.EUCLIDEAN:
        return templates
    if not lengths.all():
        raise ValueError("a reference of length 0 has no direction")
    return (templates / lengths[:, None]).astype(np.float32)


class ReferenceIndex:
    """An immutable snapshot of a gallery; any number of threads may search it at once.

    References of one holder are rows next to each other, so leaving a holder out is one slice.
    """

    def __init__(
        self,
        holders: Sequence[HolderId],
        templates: Templates,
        metric: Metric,
        revision: int = 0,
        pack: Pack = PlainBlock,
    ) -> None:
        """An index of templates that stay in memory: ``holders`` names the owner of each row.

        Raises:
            ValueError: the shapes do not fit, or ``comparable`` refuses a template.
        """
        if templates.ndim != 2 or len(holders) != len(templates):
            raise ValueError("one holder a row of templates")
        order = np.array(sorted(range(len(holders)), key=holders.__getitem__), dtype=np.int64)
        kept = templates[order].astype(np.float32)
        table = TableInMaking(len(kept), kept.shape[1], pack)
        table.put(np.arange(len(kept)), comparable(kept, metric))
        owners = [holders[row] for row in order.tolist()]
        self._set_up(owners, table.table(), lambda rows: iter(kept[rows]), metric, revision)

    @classmethod
    def of_table(
        cls,
        owners: Iterable[HolderId],
        table: CodeTable,
        opened: Opened,
        metric: Metric,
        revision: int,
    ) -> "ReferenceIndex":
        """An index whose templates lie elsewhere: ``owners`` names each row's holder, by id."""
        index = cls.__new__(cls)
        index._set_up(owners, table, opened, metric, revision)  # noqa: SLF001 - of the same class
        return index

    @classmethod
    def of_rows(
        cls,
        names: HolderNames,
        starts: Rows,
        table: CodeTable,
        opened: Opened,
        like: "ReferenceIndex",
        revision: int,
    ) -> "ReferenceIndex":
        """An index of what was put together: each of ``names`` has the rows from its start on.

        It compares as ``like`` does; the last start is the number of rows.
        """
        index = cls.__new__(cls)
        index._hold(names, starts, table, opened, like.metric, revision)  # noqa: SLF001 - of the same class
        return index

    def at(self, revision: int) -> "ReferenceIndex":
        """The same rows, which are those of a later revision too."""
        starts = self._starts.astype(np.int64)
        return self.of_rows(self.names, starts, self.table, self._opened, self, revision)

    @classmethod
    def empty(cls, components: int, metric: Metric, revision: int = 0) -> "ReferenceIndex":
        """A gallery with nobody in it."""
        return cls([], np.zeros((0, components), dtype=np.float32), metric, revision)

    def _set_up(
        self,
        owners: Iterable[HolderId],
        table: CodeTable,
        opened: Opened,
        metric: Metric,
        revision: int,
    ) -> None:
        starts = [0]

        def names() -> Iterator[HolderId]:
            before = None
            row = -1
            for row, owner in enumerate(owners):
                if owner != before:
                    if row:
                        starts.append(row)
                    before = owner
                    yield owner
            if row >= 0:
                starts.append(row + 1)

        held = HolderNames(names())
        self._hold(held, np.array(starts), table, opened, metric, revision)

    def _hold(
        self,
        names: HolderNames,
        starts: Rows,
        table: CodeTable,
        opened: Opened,
        metric: Metric,
        revision: int,
    ) -> None:
        self.revision, self.metric = revision, metric
        self.table, self._opened = table, opened
        self.names: HolderNames = names
        self._starts = starts.astype(np.int32)
        self._starts.setflags(write=False)

    def __len__(self) -> int:
        """How many references there are."""
        return len(self.table)

    @property
    def components(self) -> int:
        """The length of a template."""
        return self.table.components

    @property
    def owner(self) -> npt.NDArray[np.int64]:
        """The number of each row's holder in ``names``."""
        return np.repeat(np.arange(len(self.names)), np.diff(self._starts))

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """How many references each of ``names`` has."""
        return np.diff(self._starts).astype(np.int64)

    @property
    def nbytes(self) -> int:
        """What it takes in memory, beside what opens the rows."""
        return self.table.nbytes + self._starts.nbytes + self.names.nbytes

    def search(
        self, probe: Template, *, but: HolderId | None = None
    ) -> tuple[Candidate | None, Candidate | None]:
        """The best candidate and the best one who is another holder, ``but`` for whom to leave out.

        A probe that is no template (a component that is no finite number, a length out of all
        proportion or, for the cosine, of nothing) is like nobody. Among equal scores the first
        holder by id comes first.

        Raises:
            ValueError: the probe has another length than the references.
            StoreError: the references' templates cannot be read.
        """
        if probe.shape != (self.components,):
            raise ValueError(f"a probe of {probe.shape} against {self.components} components")
        exact = probe.astype(np.float64)
        length = math.sqrt(float(exact @ exact))
        # Not "longer than": a length that is no number is refused by this as well.
        if not len(self) or not length <= _LONGEST:
            return None, None
        if self.metric is Metric.COSINE and length == 0.0:
            return None, None
        probe = probe.astype(np.float32, copy=False)
        coded = encode(probe[None], PROBE_MOST)
        out = self.rows_of(but) if but is not None else slice(0, 0)
        nearest = Nearest(
            self.table,
            coded,
            self.table.error(length, float(coded.lost[0])),
            self._rows_like,
            squared=self.metric is Metric.EUCLIDEAN,
            without=np.arange(out.start, out.stop),
        )
        found, rounds = self._decided(nearest, probe, length), 1
        while found is None:
            # Rows that vanish one after the other are no gallery any more, and name nobody.
            again = rounds < _MOST_ROUNDS
            found = self._decided(nearest, probe, length) if again else {}
            rounds += 1
        places = [Candidate(self.names[owner], value) for owner, value in found.items()]
        best, other = [*nsmallest(2, places, key=_place), None, None][:2]
        return best, other

    def verify(self, probe: Template, holder: HolderId) -> float | None:
        """The score 1:1 with the best reference of ``holder``; None where there is none.

        Raises:
            StoreError: the references' templates cannot be read.
        """
        rows = self.rows(self.rows_of(holder))
        rows = rows[np.isfinite(rows).all(axis=1)]
        return float(row_scores(rows, probe, self.metric).max()) if len(rows) else None

    def rows(self, which: slice | Rows) -> Templates:
        """The references in these rows, in float32; for the cosine each of length 1.

        They are opened one by one. One that was removed since is a row of ``nan``.

        Raises:
            StoreError: they cannot be read.
        """
        numbers = np.arange(len(self))[which] if isinstance(which, slice) else which
        templates = np.full((len(numbers), self.components), np.nan, dtype=np.float32)
        for at, template in enumerate(self._opened(numbers)):
            if template is not None:
                templates[at] = comparable(template[None], self.metric)[0]
        return templates

    def coded(self, which: Rows) -> Templates:
        """The references in these rows as their codes have them: nothing is opened.

        Each component is off by half a step of its row's scale at most: enough to tell how scores
        are distributed, not to decide by one.
        """
        return self.table.approximate(which)

    def rows_of(self, holder: HolderId) -> slice:
        """Where the references of ``holder`` lie; empty where there are none."""
        at = bisect_left(self.names, holder)
        if at == len(self.names) or self.names[at] != holder:
            return slice(0, 0)
        return slice(int(self._starts[at]), int(self._starts[at + 1]))

    def holder_of(self, row: int) -> HolderId:
        """Whose reference a row is."""
        return self.names[self._owner_of(row)]

    def _owner_of(self, row: int) -> int:
        return bisect_right(self._starts, row) - 1

    def _rows_like(self, row: int) -> slice:
        """All rows of the holder of one."""
        at = self._owner_of(row)
        return slice(int(self._starts[at]), int(self._starts[at + 1]))

    def _decided(self, nearest: Nearest, probe: Template, length: float) -> dict[int, float] | None:
        """The exact best scores of whoever may be first or second, by the holder's number.

        None where rows were removed meanwhile: they are left out then, and others may come up.
        """
        found: dict[int, float] = {}
        gone = []
        second = -math.inf
        rows, ranks = nearest.rows()
        for row, rank, template in zip(
            rows.tolist(), ranks.tolist(), self._opened(rows), strict=False
        ):
            if rank + nearest.error < second:
                break
            if template is None:
                gone.append(row)
                continue
            value = score(comparable(template[None], self.metric)[0], probe, self.metric)
            owner = self._owner_of(row)
            if value > found.get(owner, -math.inf):
                found[owner] = value
                if len(found) > 1:
                    second = self._rank(sorted(found.values())[-2], length)
        nearest.leave_out(gone)
        return None if gone else found

    def _rank(self, value: float, length: float) -> float:
        """A score as a rank of the codes: r.p - |r|^2 / 2, or r.p."""
        if self.metric is Metric.COSINE:
            return value * length
        return (length * length - value * value) / 2.0


def _place(candidate: Candidate) -> tuple[float, HolderId]:
    return -candidate.score, candidate.holder


def _lengths(templates: Templates) -> npt.NDArray[np.float64]:
    squares = np.einsum("ij,ij->i", templates, templates, dtype=np.float64)
    return np.asarray(np.sqrt(squares))
