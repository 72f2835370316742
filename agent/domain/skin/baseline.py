"""What most people's skin had at this gate lately: the air, the sun and the part's drift in one.

    value = the median of the last hours' readings, held between two bounds

A forehead in the cold has 33 C and nobody is ill. Against what everybody had this hour somebody
with 35 stands out; that is what ``baseline_delta_c`` of a rule asks for, beside its own limit and
never in its place.

Nobody moves it alone, and no run of hot readings moves it far:

- only people who were granted without a warning (but that of drift itself), with a reading that was
  reliable and not elevated, are counted, and one holder once in half an hour;
- up to half of them may be wrong before a median is;
- more than half make it no higher than ``HIGHEST_C``, and that it lies at a bound is told as drift:
  the part, or the place, wants to be looked at.

Kept are a time and a temperature, never whose.
"""

from bisect import insort
from dataclasses import dataclass
from statistics import median
from typing import Any, Self

LEAST_PEOPLE = 20
MOST_PEOPLE = 200
LOWEST_C, HIGHEST_C = 31.0, 36.9
"""Foreheads average 36.2 +-0.3 C over 14 to 32 C of air; outdoors in frost some 31."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """``people`` are pairs of seconds (Unix time) and degrees Celsius, by time; at most 200."""

    people: tuple[tuple[float, float], ...] = ()

    def add(self, temperature_c: float, at_s: float) -> Self:
        """With one more person who passed; the oldest goes where there are too many."""
        grown = list(self.people)
        insort(grown, (at_s, temperature_c))
        return type(self)(tuple(grown[-MOST_PEOPLE:]))

    def value_c(self, now_s: float, hours: float) -> float | None:
        """What most people had, in degrees Celsius; None while too few passed."""
        raw_c = self._raw_c(now_s, hours)
        return None if raw_c is None else min(max(raw_c, LOWEST_C), HIGHEST_C)

    def drifting(self, now_s: float, hours: float) -> bool:
        """Whether it is no longer what people have, so that the part wants to be looked at."""
        raw_c = self._raw_c(now_s, hours)
        return raw_c is not None and not LOWEST_C <= raw_c <= HIGHEST_C

    def as_json(self) -> list[list[float]]:
        """JSON values for the disk."""
        return sorted([round(at_s, 1), round(celsius, 2)] for at_s, celsius in self.people)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """From ``as_json``; what is not a plain pair of plausible numbers is left out."""
        rows = value if isinstance(value, list) else []
        pairs = [_pair(row) for row in rows[-MOST_PEOPLE:]]
        return cls(tuple(sorted(pair for pair in pairs if pair is not None)))

    def _raw_c(self, now_s: float, hours: float) -> float | None:
        # What lies in the future was written by a clock that was wrong.
        lately = [c for at_s, c in self.people if 0.0 <= now_s - at_s <= hours * 3600.0]
        return median(lately) if len(lately) >= LEAST_PEOPLE else None


def _pair(row: Any) -> tuple[float, float] | None:
    if not isinstance(row, list) or len(row) != 2:
        return None
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in row):
        return None
    at_s, celsius = float(row[0]), float(row[1])
    return (at_s, celsius) if 0.0 <= at_s < 1e11 and 20.0 <= celsius <= 45.0 else None
