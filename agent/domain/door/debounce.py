"""One input's way from bouncing levels to changes that lasted.

What is known of a wire is samples: an *edge* says the level and the moment at which it began, a
*poll* says the level at a moment and nothing of when it began. They make runs of one level:

    told    ___________          edges     rise 1.000            fall 1.420
    wire               |~|_|~~~~~~~~~~~|__________
    polls   0     0      .   1     1     0

A run's ends are known exactly (an edge) or as the span between two samples (a poll), so it has a
least and a greatest duration. A run of the level that was not told last

    lasted for debounce_s at least            is told, from its beginning
    may have lasted for 400 ms                is told too: that much is never missed
    else                                      is a bounce

An edge to the level that was there already means that one was lost between: the same rule judges
the run that nobody saw. So whatever edges are lost, and however late the reader comes, nothing of
400 ms is missed as long as one sample falls into it. Samples may arrive late and out of order.
"""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass

from agent.domain.door.signal import InputChange

NEVER_MISSED_S = 0.4
"""IEC 60839-11-1: an input that is active for longer than this must be noticed."""

_RECENT_S = 2.0
_MOST_SAMPLES = 64
_DENSE_S = 0.05
_EPSILON_S = 1e-9


@dataclass(frozen=True, slots=True, order=True)
class _Sample:
    at_s: float
    number: int
    active: bool
    exact: bool


@dataclass(slots=True)
class _Run:
    """One level's time: it began within ``after_s`` to ``from_s``, and was there at ``seen_s``.

    ``number`` is its first sample's; of a run that nobody saw, the last one's before it.
    """

    active: bool
    after_s: float
    from_s: float
    seen_s: float
    number: int
    unseen: bool = False


class Debouncer:
    """What one input's samples mean; ``settle`` tells it. Bounded: old samples fold together."""

    def __init__(self, name: str, debounce_s: float, *, active: bool, at_s: float) -> None:
        """The level as it was found at ``at_s`` counts as told."""
        self._name = name
        self.debounce_s = debounce_s
        self._told = active
        # The told level was there at this moment; samples up to this number are spent.
        self._known_s, self._known = at_s, 0
        self._samples: list[_Sample] = []
        self._number = 0

    def edge(self, at_s: float, *, active: bool) -> None:
        """The level became this at ``at_s``."""
        self._add(at_s, active=active, exact=True)

    def poll(self, at_s: float, *, active: bool) -> None:
        """The level was this at ``at_s``."""
        near = self._samples[-2:]
        dense = len(near) == 2 and at_s - _DENSE_S < near[0].at_s <= near[1].at_s <= at_s
        if dense and all(one.active is active and not one.exact for one in near):
            # Polls that come fast say nothing that the first and the last of them do not.
            self._samples.pop()
        self._add(at_s, active=active, exact=False)

    @property
    def deadline_s(self) -> float | None:
        """When ``settle`` has something to tell if nothing else happens; None for nothing."""
        for run, ended in self._ends():
            if run.active is not self._told and (ended is None or self._lasted(run, ended)):
                return run.from_s + self.debounce_s
        return None

    def settle(self, now_s: float) -> list[InputChange]:
        """What has lasted by ``now_s``, oldest first, each once; ``at_s`` is when it began."""
        changes: list[InputChange] = []
        for run, ended in self._ends():
            if run.active is self._told:
                continue
            going_on = now_s - run.from_s >= self.debounce_s - _EPSILON_S
            if going_on if ended is None else self._lasted(run, ended):
                self._told, self._known_s, self._known = run.active, run.from_s, run.number
                changes.append(InputChange(self._name, run.active, run.from_s))
        self._fold(now_s)
        return changes

    def _add(self, at_s: float, *, active: bool, exact: bool) -> None:
        if at_s < self._known_s:
            return  # what it could say has been told
        self._number += 1
        insort(self._samples, _Sample(at_s, self._number, active, exact))
        if len(self._samples) > _MOST_SAMPLES:
            self._spend(1)

    def _ends(self) -> Iterator[tuple[_Run, _Run | None]]:
        """The runs from the told level on, each with what ended it; None: it goes on."""
        before: _Run | None = None
        for run in self._runs():
            if before is not None:
                yield before, run
            before = run
        if before is not None:
            yield before, None

    def _runs(self) -> Iterator[_Run]:
        """The runs by their samples; one that nobody saw stands between two of one level."""
        run = _Run(self._told, self._known_s, self._known_s, self._known_s, self._known)
        last = self._known
        for one in list(self._samples):
            if one.active is not run.active:
                yield run
                after_s = one.at_s if one.exact else run.seen_s
                run = _Run(one.active, after_s, one.at_s, one.at_s, one.number)
            elif one.exact and one.at_s > run.seen_s:
                yield run
                yield _Run(not run.active, run.seen_s, run.seen_s, run.seen_s, last, unseen=True)
                run = _Run(one.active, one.at_s, one.at_s, one.at_s, one.number)
            else:
                run.seen_s = one.at_s
            last = one.number
        yield run

    def _lasted(self, run: _Run, ended: _Run) -> bool:
        """Whether a run that is over counts: it did last, or may have for long."""
        least_s = 0.0 if run.unseen else ended.after_s - run.from_s
        most_s = ended.from_s - run.after_s
        return max(least_s - self.debounce_s, most_s - NEVER_MISSED_S) >= -_EPSILON_S

    def _fold(self, now_s: float) -> None:
        """Forget what is told, and what was judged long ago."""
        key = (self._known_s, self._known)
        spent = sum((one.at_s, one.number) <= key for one in self._samples)
        old_s = now_s - _RECENT_S
        for i, one in enumerate(self._samples):
            if one.at_s > old_s:
                break
            if one.active is self._told:
                spent = max(spent, i + 1)
        self._spend(spent)

    def _spend(self, count: int) -> None:
        for one in self._samples[:count]:
            if one.active is self._told and one.at_s >= self._known_s:
                self._known_s, self._known = one.at_s, one.number
        del self._samples[:count]
