"""Exact 1:N comparison: the best holder, and the best other one.

The whole gallery is one float32 matrix, and a probe costs one matrix-vector product, which is bound
by memory: everything else here must stay small beside it. For the Euclidean metric the order of

    |r - p|^2 = |r|^2 - 2 r.p + |p|^2     is that of     r.p - |r|^2 / 2

so the product and one subtraction rank all references. Float32 rounds, and two near references may
then stand in the wrong order: every row that rounding could have kept from the first two places is
scored again in float64, and those scores decide. The error of a sum of n float32 products, in
whatever order they are added, is at most n u |r| |p| with u = 2^-24 (N. Higham, "Accuracy and
Stability of Numerical Algorithms", 2nd ed., 2002, section 3.1).
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from enum import StrEnum
from heapq import nsmallest

import numpy as np
import numpy.typing as npt

from agent.domain.credential.holder import HolderId
from agent.domain.sight.track import Candidate

Templates = npt.NDArray[np.float32]
"""References x components."""
Template = npt.NDArray[np.float32]
"""One row of them."""

_UNIT_ROUNDOFF = 2.0**-24
_FURTHER_ROUNDINGS = 8
"""Of the subtraction, the halved square and a reference's division by its length."""
_LONGEST = 1e15
"""Beyond this length of a template a float32 product may overflow; real ones are near 1."""


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
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    products = (a * b).sum(axis=-1)
    unknown = np.full(len(a), -1.0)
    return np.asarray(np.divide(products, lengths, out=unknown, where=lengths > 0.0))


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
    ) -> None:
        """``holders`` names the owner of each row of ``templates`` (references x components).

        Raises:
            ValueError: the shapes do not fit, a component is not a finite number, or a template's
                length is out of all proportion (for the cosine also: nothing).
        """
        if templates.ndim != 2 or len(holders) != len(templates):
            raise ValueError("one holder a row of templates")
        if not np.isfinite(templates).all():
            raise ValueError("a reference holds a component that is no finite number")
        names = sorted(set(holders))
        number = {name: i for i, name in enumerate(names)}
        owners = np.array([number[holder] for holder in holders], dtype=np.int64)
        order = np.argsort(owners, kind="stable")
        self.revision = revision
        self.metric = metric
        self.names: tuple[HolderId, ...] = tuple(names)
        self.owner: npt.NDArray[np.int64] = owners[order]
        self.templates: Templates = np.ascontiguousarray(templates[order], dtype=np.float32)
        lengths = _lengths(self.templates)
        if (lengths > _LONGEST).any():
            raise ValueError("a reference is too long to be compared")
        if metric is Metric.COSINE:
            if not lengths.all():
                raise ValueError("a reference of length 0 has no direction")
            self.templates /= lengths[:, None]
            lengths = np.ones(len(lengths))
        self._starts = np.searchsorted(self.owner, np.arange(len(names) + 1))
        self._half_squares = (lengths**2 / 2).astype(np.float32)
        longest = float(lengths.max(initial=0.0))
        roundings = (self.components + _FURTHER_ROUNDINGS) * _UNIT_ROUNDOFF
        underflow = self.components * float(np.finfo(np.float32).tiny)
        self._error_a_length = roundings * longest
        self._error = roundings * longest**2 + 2.0 * underflow
        for array in (self.owner, self.templates, self._starts, self._half_squares):
            array.setflags(write=False)

    @classmethod
    def empty(cls, components: int, metric: Metric, revision: int = 0) -> "ReferenceIndex":
        """A gallery with nobody in it."""
        return cls([], np.zeros((0, components), dtype=np.float32), metric, revision)

    def __len__(self) -> int:
        """How many references there are."""
        return len(self.templates)

    @property
    def components(self) -> int:
        """The length of a template."""
        return int(self.templates.shape[1])

    def search(self, probe: Template) -> tuple[Candidate | None, Candidate | None]:
        """The best candidate and the best one who is another holder.

        A probe that is no template (a component that is no finite number, a length out of all
        proportion or, for the cosine, of nothing) is like nobody. Among equal scores the first
        holder by id comes first.

        Raises:
            ValueError: the probe has another length than the references.
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
        # Two rows may each be off by the error, one up and one down.
        tolerance = 2.0 * self._error_a_length * length + self._error
        ranks = self._ranks(probe)
        best = self._take_out(ranks, ranks.argmax(), probe)
        if len(self.names) == 1:
            return best, None
        row = ranks.argmax()
        floor = float(ranks[row]) - tolerance
        other = self._take_out(ranks, row, probe)
        if float(ranks[ranks.argmax()]) >= floor:
            return self._search_crowd(probe, floor)
        # As a rule nobody else comes near, and one look at two holders is enough.
        return (other, best) if _place(other) < _place(best) else (best, other)

    def verify(self, probe: Template, holder: HolderId) -> float | None:
        """The score 1:1 with the best reference of ``holder``; None where there is none."""
        rows = self.templates[self.rows_of(holder)]
        return float(row_scores(rows, probe, self.metric).max()) if len(rows) else None

    def rows(self, which: slice | npt.NDArray[np.int64]) -> Templates:
        """The references in these rows, in float32; for the cosine each of length 1."""
        return self.templates[which]

    def rows_of(self, holder: HolderId) -> slice:
        """Where the references of ``holder`` lie; empty where there are none."""
        at = bisect_left(self.names, holder)
        if at == len(self.names) or self.names[at] != holder:
            return slice(0, 0)
        return slice(int(self._starts[at]), int(self._starts[at + 1]))

    def _ranks(self, probe: Template) -> npt.NDArray[np.float32]:
        # A new array each time: a buffer kept here would be shared by the cameras' threads.
        ranks = self.templates @ probe
        if self.metric is Metric.EUCLIDEAN:
            ranks -= self._half_squares
        return ranks

    def _take_out(self, ranks: npt.NDArray[np.float32], row: np.intp, probe: Template) -> Candidate:
        """The holder of ``row`` by the best of their exact scores; they then rank behind all."""
        owner = self.owner[row]
        rows = slice(self._starts[owner], self._starts[owner + 1])
        ranks[rows] = -np.inf
        value = row_scores(self.templates[rows], probe, self.metric).max()
        return Candidate(self.names[owner], float(value))

    def _search_crowd(self, probe: Template, floor: float) -> tuple[Candidate, Candidate]:
        """The two best of all holders who rank at ``floor`` or above, of whom there are several."""
        ranks = self._ranks(probe)
        # The comparison is in float32, where the floor itself rounds.
        limit = np.nextafter(np.float32(floor), np.float32(-np.inf))
        rows = np.flatnonzero(ranks >= limit)
        scores = row_scores(self.templates[rows], probe, self.metric)
        owners, starts = np.unique(self.owner[rows], return_index=True)
        found = [
            Candidate(self.names[owner], value)
            for owner, value in zip(
                owners, np.maximum.reduceat(scores, starts).tolist(), strict=True
            )
        ]
        best, other = nsmallest(2, found, key=_place)
        return best, other


def _place(candidate: Candidate) -> tuple[float, HolderId]:
    return -candidate.score, candidate.holder


def _lengths(templates: Templates) -> npt.NDArray[np.float64]:
    squares = np.einsum("ij,ij->i", templates, templates, dtype=np.float64)
    return np.asarray(np.sqrt(squares))
