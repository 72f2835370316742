"""Exact 1:N comparison: the best holder, and the best other one.

The whole gallery is one float32 matrix, and a probe costs one matrix-vector product, which is bound
by memory: everything else here must stay small beside it. For the Euclidean metric the order of

    |r - p|^2 = |r|^2 - 2 r.p + |p|^2     is that of     r.p - |r|^2 / 2

so the product and one subtraction rank all references; only the two winners' scores are then
computed, in float64, because the difference of two near templates cancels in float32.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from agent.domain.evidence import Candidate
from agent.domain.holder import HolderId

Templates = npt.NDArray[np.float32]
"""References x components."""
Template = npt.NDArray[np.float32]
"""One row of them."""


_BLOCK_ROWS = 4096


class Metric(StrEnum):
    """How two templates compare; a score is higher the more they are alike."""

    EUCLIDEAN = "euclidean"
    COSINE = "cosine"


def score(one: Template, other: Template, metric: Metric) -> float:
    """The comparison score of two templates: minus their distance, or their cosine."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    if metric is Metric.EUCLIDEAN:
        return -float(np.linalg.norm(a - b))
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths > 0.0 else -1.0


class ReferenceIndex:
    """An immutable snapshot of a gallery, ready to be searched by one thread at a time.

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
            ValueError: the shapes do not fit, or a component is not a finite number.
        """
        if templates.ndim != 2 or len(holders) != len(templates):
            raise ValueError("one holder a row of templates")
        if not np.isfinite(templates).all():
            raise ValueError("a reference holds a component that is no finite number")
        names = sorted(set(holders))
        number = {name: i for i, name in enumerate(names)}
        rows = np.array([number[holder] for holder in holders], dtype=np.int64)
        order = np.argsort(rows, kind="stable")
        self.revision = revision
        self.metric = metric
        self.names: tuple[HolderId, ...] = tuple(names)
        self.owner: npt.NDArray[np.int64] = rows[order]
        self.templates: Templates = np.ascontiguousarray(templates[order], dtype=np.float32)
        if metric is Metric.COSINE and len(self.templates):
            lengths = np.linalg.norm(self.templates, axis=1, keepdims=True)
            self.templates /= np.maximum(lengths, np.float32(1e-12))
        self.templates.setflags(write=False)
        self._starts = np.searchsorted(self.owner, np.arange(len(names) + 1))
        squares = np.einsum("ij,ij->i", self.templates, self.templates)
        self._half_squares = (squares / 2).astype(np.float32)
        self._ranks = np.empty(len(self.templates), dtype=np.float32)

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

        A probe with a component that is no finite number is like nobody. Among equal scores the
        first holder by id comes first.

        Raises:
            ValueError: the probe has another length than the references.
        """
        if probe.shape != (self.components,):
            raise ValueError(f"a probe of {probe.shape} against {self.components} components")
        if not len(self) or not np.isfinite(probe).all():
            return None, None
        ranks = self._rank(probe.astype(np.float32, copy=False))
        best = int(ranks.argmax())
        owner = int(self.owner[best])
        ranks[self._starts[owner] : self._starts[owner + 1]] = -np.inf
        second = int(ranks.argmax())
        runner_up = None if np.isneginf(ranks[second]) else self._candidate(second, probe)
        return self._candidate(best, probe), runner_up

    def _rank(self, probe: Template) -> npt.NDArray[np.float32]:
        # Block by block, so that what is subtracted is still in the cache beside its products.
        for start in range(0, len(self), _BLOCK_ROWS):
            rows = slice(start, start + _BLOCK_ROWS)
            products = np.dot(self.templates[rows], probe, out=self._ranks[rows])
            if self.metric is Metric.EUCLIDEAN:
                products -= self._half_squares[rows]
        return self._ranks

    def rows_of(self, holder: HolderId) -> slice:
        """Where the references of ``holder`` lie; empty where there are none."""
        at = int(np.searchsorted(np.array(self.names, dtype=str), holder)) if self.names else 0
        if at >= len(self.names) or self.names[at] != holder:
            return slice(0, 0)
        return slice(int(self._starts[at]), int(self._starts[at + 1]))

    def _candidate(self, row: int, probe: Template) -> Candidate:
        name = self.names[self.owner[row]]
        return Candidate(name, score(self.templates[row], probe, self.metric))
