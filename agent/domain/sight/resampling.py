"""How far error rates may be off: persons are drawn anew, and with them all of their pairs.

Pairs that share a person are alike, so P pairs are not P trials. Persons are: each draw takes as
many persons as there are, with replacement, and a pair counts as often as both of its persons were
drawn (the subset bootstrap: R. Bolle, N. Ratha and S. Pankanti, "Error analysis of pattern
recognition systems - the subsets bootstrap", Computer Vision and Image Understanding 93, 2004).

Where no error was seen every draw sees none. Then the bound is that of so many persons without one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agent.domain.sight.error_rates import FMRS, Scores, carries
from agent.domain.sight.gallery_safety import upper_bound

CONFIDENCE = 0.90
"""Of an interval; each of its ends by itself is a bound at 95 %."""
_DRAWS = 1_000
_MOST_CELLS = 200_000_000
_LEAST_DRAWS = 50
_SEED = 19_795

Persons = npt.NDArray[np.int64]
"""Numbers of persons, from 0."""
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class PairPersons:
    """Whose the pairs are: ``genuine`` one person each (pairs), ``impostor`` two (pairs x 2)."""

    genuine: Persons
    impostor: Persons

    @property
    def count(self) -> int:
        """How many persons there are."""
        return len(np.unique(np.concatenate((self.genuine, self.impostor.ravel()))))


@dataclass(frozen=True, slots=True)
class Intervals:
    """Of FNMR and threshold at each FMR of ``FMRS``; None where the pairs do not carry it."""

    fnmr: Mapping[str, Interval | None]
    threshold: Mapping[str, Interval | None]


def intervals(genuine: Scores, impostor: Scores, persons: PairPersons) -> Intervals:
    """The intervals of these scores, -inf where an image failed to acquire; same data, same answer.

    Some seconds for ten million pairs: the more there are, the fewer draws.
    """
    names = [name for name, fmr in FMRS.items() if carries(len(impostor), fmr)]
    known, numbers = np.unique(
        np.concatenate((persons.genuine, persons.impostor.ravel())), return_inverse=True
    )
    owners, others = np.split(numbers, [len(persons.genuine)])
    pairs = others.reshape(-1, 2)
    order = np.argsort(-impostor, kind="stable")
    falling, one, other = impostor[order], pairs[order, 0], pairs[order, 1]
    order = np.argsort(genuine, kind="stable")
    rising, owner = genuine[order], owners[order]
    random = np.random.default_rng(_SEED)
    cells = max(len(falling) + len(rising), 1)
    draws = int(np.clip(_MOST_CELLS // cells, _LEAST_DRAWS, _DRAWS))
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for _ in range(draws if names else 0):
        weight = np.bincount(random.integers(0, len(known), len(known)), minlength=len(known))
        accepted = np.cumsum(weight[one] * weight[other])
        refused = np.concatenate(([0], np.cumsum(weight[owner])))
        if not len(accepted) or not accepted[-1]:
            continue
        for name in names:
            at = int(np.searchsorted(accepted, FMRS[name] * accepted[-1], side="right"))
            threshold = float(np.nextafter(falling[min(at, len(falling) - 1)], np.inf))
            share = refused[np.searchsorted(rising, threshold)] / max(refused[-1], 1)
            found[name].append((threshold, float(share)))
    fnmr, threshold_of = {}, {}
    for name in FMRS:
        rows = np.array(found.get(name, [])).reshape(-1, 2)
        finite = rows[np.isfinite(rows[:, 0])]
        threshold_of[name] = _ends(finite[:, 0])
        fnmr[name] = _of_errors(_ends(finite[:, 1]), owners) if len(genuine) else None
    return Intervals(fnmr, threshold_of)


def _ends(values: Scores) -> Interval | None:
    if not len(values):
        return None
    low, high = np.quantile(values, [(1.0 - CONFIDENCE) / 2.0, (1.0 + CONFIDENCE) / 2.0])
    return float(low), float(high)


def _of_errors(found: Interval | None, owners: Persons) -> Interval | None:
    if found is None or found[1] > 0.0:
        return found
    return 0.0, upper_bound(0, len(np.unique(owners)), (1.0 + CONFIDENCE) / 2.0)
