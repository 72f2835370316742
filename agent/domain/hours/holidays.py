"""Holidays: named sets of days on which a schedule's weekday gives way to its ``holiday`` spans.

A set's days are written as texts, one form each:

    2027-01-01              one day
    2027-02-06/2027-02-12   from the first to the last, both included
    05-01                   every year; 02-29 in leap years only
    12-24/01-02             every year; the last before the first runs past the year's end
"""

import re
from dataclasses import dataclass
from datetime import date

FIRST_YEAR, LAST_YEAR = 2000, 2199
"""What may stand in a config: a year beyond is a slip of the finger."""
_LEAP_YEAR = 2000
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_YEARLY = re.compile(r"([0-9]{2})-([0-9]{2})")


@dataclass(frozen=True, slots=True)
class DateRange:
    """The days from ``first`` to ``last``, both included."""

    first: date
    last: date

    def includes(self, day: date) -> bool:
        """Whether ``day`` is one of them."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Yearly:
    """The days of every year from ``first`` to ``last`` as (month, day), both included."""

    first: tuple[int, int]
    last: tuple[int, int]

    def includes(self, day: date) -> bool:
        """Whether ``day`` is one of them; a last before the first runs past the year's end."""
        here = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= here <= self.last
        return here >= self.first or here <= self.last


Days = DateRange | Yearly


@dataclass(frozen=True, slots=True)
class Holiday:
    """A named set of days."""

    id: str
    days: tuple[Days, ...]

    def includes(self, day: date) -> bool:
        """Whether ``day`` is one of them."""
        return any(days.includes(day) for days in self.days)


def parse_days(text: str) -> Days:
    """The days that ``text`` names.

    Raises:
        ValueError: it is of none of the forms above, or names a day that is in no calendar.
    """
    first_text, separator, last_text = text.partition("/")
    first = _one(first_text)
    last = _one(last_text) if separator else first
    if isinstance(first, date) and isinstance(last, date):
        if last < first:
            raise ValueError(f"{text!r} ends before it begins")
        return DateRange(first, last)
    if isinstance(first, tuple) and isinstance(last, tuple):
        return Yearly(first, last)
    raise ValueError(f"{text!r} mixes a date with a day of every year")


def _one(text: str) -> date | tuple[int, int]:
    if match := _YEARLY.fullmatch(text):
        month, day = int(match[1]), int(match[2])
        _existing(_LEAP_YEAR, month, day, text)
        return month, day
    if match := _DAY.fullmatch(text):
        year = int(match[1])
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise ValueError(f"{text!r} is not in {FIRST_YEAR} to {LAST_YEAR}")
        return _existing(year, int(match[2]), int(match[3]), text)
    raise ValueError(
        f"{text[:40]!r} is no day: 2027-01-01, 2027-02-06/2027-02-12, or of every year 05-01,"
        " 12-24/01-02"
    )


def _existing(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ValueError(f"{text!r} is in no calendar") from error
