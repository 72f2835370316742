"""Moments as people type them."""

import re
from datetime import UTC, datetime, time, timedelta, tzinfo

from agent.domain.hours.holidays import FIRST_YEAR, LAST_YEAR
from agent.domain.hours.iso_time import read_date, read_moment
from agent.errors import RefusedError

NEVER = "none"
"""What is typed for no bound."""

_AGE = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_moment(text: str) -> datetime:
    """ISO 8601; UTC where it names no zone.

    Raises:
        RefusedError: ``time``; it is none.
    """
    try:
        moment = read_moment(text)
        # What no calendar has in UTC can be compared with nothing.
        return moment.astimezone(UTC).astimezone(moment.tzinfo)
    except (ValueError, OverflowError):
        raise RefusedError("time", "the time is not ISO 8601, as 2021-05-03T18:00:00Z") from None


def parse_bound(text: str, zone: tzinfo, *, ends: bool) -> datetime | None:
    """A moment as people write one: ``2026-12-31``, ``2026-12-31T18:00``, with or without offset.

    Without an offset it is wall-clock time in ``zone``. A date alone is its whole day: as an end
    (``ends``) the midnight after it. ``none`` is no bound.

    Raises:
        RefusedError: ``validity``: it is no moment.
    """
    if text == NEVER:
        return None
    try:
        try:
            day = read_date(text) + timedelta(days=1 if ends else 0)
            moment = datetime.combine(day, time(), zone)
        except ValueError:
            moment = read_moment(text, zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise RefusedError(
            "validity",
            f"{text!r} is no date or time\nFix: 2026-12-31, or 2026-12-31T18:00, or none",
        ) from error


def bound_text(moment: datetime, zone: tzinfo, *, ends: bool) -> str:
    """``moment`` as people write it in ``zone``: a whole day by its date, else to the minute."""
    try:
        local = moment.astimezone(zone)
        if local.time() != time():
            return f"{local:%Y-%m-%d %H:%M}"
        # An end at midnight is all of the day before, as it is typed.
        return f"{local.date() - timedelta(days=1 if ends else 0)}"
    except OverflowError:
        return f"{moment:%Y-%m-%d}"


def parse_at(text: str, zone: tzinfo) -> datetime:
    """A moment as people write one, in ``zone`` where it has no offset; a date is its midnight.

    Raises:
        RefusedError: ``time``: it is none, or none that a schedule can say anything about.
    """
    try:
        moment = read_moment(text, zone)
    except ValueError:
        moment = None
    if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise RefusedError(
            "time", f"{text!r} is no date or time\nFix: 2026-12-31, or 2026-12-31T18:00"
        )
    return moment.astimezone(UTC)


def parse_duration(text: str) -> timedelta:
    """A length of time as people write one: ``90s``, ``15m``, ``8h``, ``7d``.

    Raises:
        RefusedError: ``duration``: it is none.
    """
    if length := _AGE.fullmatch(text):
        try:
            return timedelta(seconds=int(length[1]) * _SECONDS[length[2]])
        except OverflowError:
            pass
    raise RefusedError("duration", f"{text!r} is no length of time\nFix: 15m, 8h, 7d")


def parse_since(text: str | None, zone: tzinfo, now: datetime) -> datetime | None:
    """A moment as ``parse_bound`` reads one, or an age: ``90s``, ``15m``, ``8h``, ``7d``.

    Raises:
        RefusedError: ``validity``: it is neither.
    """
    if text is None:
        return None
    if age := _AGE.fullmatch(text):
        try:
            return now - timedelta(seconds=int(age[1]) * _SECONDS[age[2]])
        except OverflowError:
            return None
    try:
        return parse_bound(text, zone, ends=False)
    except RefusedError as error:
        message = f"{text!r} is no date, time or age"
        fix = "2026-12-31, or 2026-12-31T18:00, or an age: 15m, 8h, 7d"
        raise RefusedError(error.reason, f"{message}\nFix: {fix}") from error
