"""Dates and times by the grammar of the standards, not by what one library happens to read.

    date        YYYY-MM-DD or YYYYMMDD                   ISO 8601, RFC 3339, FHIR, EU DCC
    in part     YYYY-MM or YYYY                          FHIR dates, EU dates of birth
    date-time   date  (T | t | space)  hh[:mm[:ss]]      with colons or without; a fraction of
                [(. | ,) fraction]                       the second of any length
                [Z | z | +h | +hh | +hhmm | +hh:mm]      or no zone, which the caller then names

Digits are ASCII, the year has four. A leap second is the second after :59. What is finer than
a microsecond is cut off. Whether a year is one that the subject can have is the caller's to ask:
``is_plausible``.
"""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

_DATE = re.compile(r"(\d{4})(-?)(\d\d)\2(\d\d)", re.ASCII)
_IN_PART = re.compile(r"(\d{4})(?:-(\d\d))?", re.ASCII)
_TIME = re.compile(
    r"(\d\d)(?:(:?)(\d\d)(?:\2(\d\d)(?:[.,](\d+))?)?)?"
    r"(?:([Zz])|([+-])(\d\d:?\d\d|\d\d?))?",
    re.ASCII,
)
_SEPARATORS = frozenset("Tt ")
_DATE_LENGTHS = (10, 8)
_LEAP_SECOND = 60
_MICROSECOND_DIGITS = 6


def read_date(text: str) -> date:
    """A whole date.

    Raises:
        ValueError: it is none, or no calendar has it.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError("no date")
    return date(int(found[1]), int(found[3]), int(found[4]))


def read_span(text: str) -> tuple[date, date]:
    """The first and the last day of a date that may lack its day, or its month too.

    Raises:
        ValueError: it is none, or no calendar has it.
    """
    found = _IN_PART.fullmatch(text)
    if found is None:
        day = read_date(text)
        return day, day
    year, first, last = int(found[1]), int(found[2] or 1), int(found[2] or 12)
    begin = date(year, first, 1)
    return begin, date(year, last, monthrange(year, last)[1])


def read_moment(text: str, zone: tzinfo | None = UTC) -> datetime:
    """A date-time; of ``zone`` where it names none, and a date alone is its midnight there.

    With ``zone`` None what names none stays without one.

    Raises:
        ValueError: it is none, or no calendar has it.
    """
    for length in _DATE_LENGTHS:
        if len(text) == length or text[length : length + 1] in _SEPARATORS:
            day, rest = read_date(text[:length]), text[length + 1 :]
            if len(text) == length:
                return datetime.combine(day, time(), zone)
            return _at(day, rest, zone)
    raise ValueError("no date-time")


def is_plausible(day: date, first: date, last: date) -> bool:
    """Whether ``day`` is one that the subject can have.

    A year of another calendar (Buddhist 2564, Hijri 1442) is as well formed as any: only its
    distance tells.
    """
    return first <= day <= last


def _at(day: date, text: str, zone: tzinfo | None) -> datetime:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("no time of day")
    hour, _, minute, second, fraction, utc, sign, offset = found.groups()
    seconds = int(second or 0)
    leap = seconds == _LEAP_SECOND
    micro = (fraction or "")[:_MICROSECOND_DIGITS].ljust(_MICROSECOND_DIGITS, "0")
    clock = time(int(hour), int(minute or 0), seconds - leap, int(micro))
    if utc is not None:
        zone = UTC
    elif sign is not None:
        zone = _offset(sign, offset.replace(":", ""))
    moment = datetime.combine(day, clock, zone)
    try:
        return moment + timedelta(seconds=1) if leap else moment
    except OverflowError:
        raise ValueError("a time in no calendar") from None


def _offset(sign: str, digits: str) -> tzinfo:
    """RFC 3339: up to 23:59 either way."""
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 23 or minutes > 59:
        raise ValueError("no offset from UTC")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if sign == "-" else offset)
