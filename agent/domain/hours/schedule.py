"""When a rule, a free passage or a lockdown holds: wall-clock time at the kiosk.

Each moment is answered by the first line that says something:

    1  a closed exception   closes what lies in it
    2  an open exception    opens what lies in it
    3  the day's spans      of ``holiday`` on a day of the schedule's holidays, of the weekday on
                            any other; a holiday without such spans is closed
    4  nothing              closed

A span belongs to the day on which it begins. One that runs past midnight keeps its tail whatever
the next day is: a holiday cuts it not, and a holiday's own night span ends on the morning after.
Only a closed exception cuts a tail. One of a whole day (00:00 to 00:00) closes that day, and
nothing that would begin on it begins: its evening has no tail on the morning after.

Only the wall clock counts, so the answer is a pure function of the local date and time:

    clock put forward   a span that begins in the missing time begins at the jump; one that lies
                        in it whole is left out that day
    clock put back      the repeated time is one time: a span holds, or not, both times through
    a day left out      (a date line moved) as missing time: a night span of it has its tail
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from agent.domain.hours.holidays import Holiday

HOLIDAY = 7
"""The type of day beside the weekdays, 0 (Monday) to 6."""
HORIZON = timedelta(days=400)
"""How far ahead a change is looked for."""
_WINDOW = timedelta(days=7)
# Wall clocks are less than a day from UTC; a night span reaches into one day more.
_MARGIN_DAYS = 2
# Since 1970 no zone has moved its clock twice within six days.
_SAMPLE = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True)
class Span:
    """``[start, end)`` on the named types of day (0 is Monday, ``HOLIDAY`` a holiday).

    An end at or before the start runs past midnight into the next day, and equal ends make a whole
    day.
    """

    days: frozenset[int]
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class DatedSpan:
    """``[start, end)`` of one date, on which the schedule is open or closed whatever day it is."""

    day: date
    open: bool
    start: time = _MIDNIGHT
    end: time = _MIDNIGHT

    def covers(self, day: date, clock: time) -> bool:
        """Whether this wall-clock time lies in it."""
        ran = self.day == day - _DAY
        return _lies(self.start, self.end, clock, begins=self.day == day, ran=ran)

    @property
    def whole_day(self) -> bool:
        """From midnight to midnight."""
        return self.start == self.end == _MIDNIGHT


@dataclass(frozen=True, slots=True)
class Schedule:
    """Spans, holidays and exceptions in one time zone."""

    spans: tuple[Span, ...]
    zone: tzinfo
    holidays: tuple[Holiday, ...] = ()
    exceptions: tuple[DatedSpan, ...] = ()

    def holds(self, utc: datetime) -> bool:
        """Whether the schedule is open at ``utc`` (time-zone aware)."""
        local = utc.astimezone(self.zone)
        day, clock = local.date(), local.time()
        near = [one for one in self.exceptions if one.day in (day, day - _DAY)]
        if any(one.covers(day, clock) for one in near if not one.open):
            return False
        dropped = {one.day for one in near if not one.open and one.whole_day}
        if any(one.covers(day, clock) for one in near if one.open and one.day not in dropped):
            return True
        today, yesterday = self._type(day, dropped), self._type(day - _DAY, dropped)
        return any(
            _lies(
                span.start, span.end, clock, begins=today in span.days, ran=yesterday in span.days
            )
            for span in self.spans
        )

    def next_change(self, utc: datetime) -> datetime | None:
        """The first moment after ``utc`` at which ``holds`` differs from what it is at ``utc``.

        None where nothing changes for ``HORIZON``. To find that out takes some 10 ms, so whoever
        asks keeps the answer until it has passed or the clock was set.
        """
        now, end = self.holds(utc), utc + HORIZON
        begin = utc.astimezone(UTC)
        while begin < end:
            for moment in self._candidates(begin, min(begin + _WINDOW, end)):
                if self.holds(moment) != now:
                    return moment
            begin += _WINDOW
        return None

    def holidays_on(self, day: date) -> tuple[Holiday, ...]:
        """The holidays that ``day`` is one of."""
        return tuple(one for one in self.holidays if one.includes(day))

    def _type(self, day: date, dropped: set[date]) -> int | None:
        if day in dropped:
            return None
        return HOLIDAY if self.holidays_on(day) else day.weekday()

    def _candidates(self, begin: datetime, end: datetime) -> list[datetime]:
        """Every moment in ``(begin, end]`` at which an answer might change, in order."""
        clocks = {clock for span in self.spans for clock in (span.start, span.end)}
        first = begin.astimezone(self.zone).date() - timedelta(days=_MARGIN_DAYS)
        length = (end - begin).days + 2 * _MARGIN_DAYS + 1
        days = [first + timedelta(days=i) for i in range(length)]
        walls = {(day, clock) for day in days for clock in clocks}
        for one in self.exceptions:
            if first <= one.day <= days[-1]:
                walls |= {(one.day, one.start), (one.day, one.end), (one.day + _DAY, one.end)}
        found = {
            datetime.combine(day, clock, self.zone).replace(fold=fold).astimezone(UTC)
            for day, clock in walls
            for fold in (0, 1)
        }
        found |= set(shifts(self.zone, begin, end))
        return sorted(moment for moment in found if begin < moment <= end)


def shifts(zone: tzinfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """The moments in ``(begin, end]`` at which the wall clock is put forward or back, in UTC."""

    def offset(utc: datetime) -> timedelta | None:
        return utc.astimezone(zone).utcoffset()

    # Clocks are put forward and back on whole seconds.
    low = begin.astimezone(UTC).replace(microsecond=0)
    last = (end + _SECOND).astimezone(UTC).replace(microsecond=0)
    while low < last:
        high = min(low + _SAMPLE, last)
        before, after = low, high
        if offset(before) != offset(after):
            while after - before > _SECOND:
                middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
                if offset(middle) == offset(low):
                    before = middle
                else:
                    after = middle
            if after <= end:
                yield after
        low = high


def _lies(start: time, end: time, clock: time, *, begins: bool, ran: bool) -> bool:
    """Whether ``clock`` is in ``[start, end)`` that begins today, or began yesterday (``ran``)."""
    if start < end:
        return begins and start <= clock < end
    return (begins and clock >= start) or (ran and clock < end)
