"""What of the config says when: schedules, holidays, exceptions.

Every time is wall-clock time in the kiosk's time zone; an ``until`` at or before its ``from`` runs
past midnight. What holds where they disagree is said in ``domain.schedule``.
"""

from datetime import date as Date  # noqa: N812 - the key is called date
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag

from agent.config.base import Name, Table, WallTime, Weekday
from agent.domain.hours.holidays import FIRST_YEAR, LAST_YEAR

BY_ID, BY_SPANS = "by id", "by spans"
SCHEDULE_TAGS = frozenset({BY_ID, BY_SPANS})
"""What pydantic puts into the place of a finding, and no file has."""


def _of_our_time(value: Date) -> Date:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"is not in {FIRST_YEAR} to {LAST_YEAR}")
    return value


DayType = Literal[Weekday, "holiday"]


class _Hours(Table):
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True
    )


class ScheduleSpan(_Hours):
    """A weekly span; the day ``holiday`` stands in the place of the weekday on a holiday."""

    days: Annotated[tuple[DayType, ...], Field(min_length=1, max_length=8)]
    from_: Annotated[WallTime, Field(alias="from")]
    until: WallTime


class ExceptionConfig(_Hours):
    """A span of one date, open or closed whatever day it is; without hours the whole day."""

    date: Annotated[Date, AfterValidator(_of_our_time)]
    open: bool
    from_: Annotated[WallTime, Field(alias="from")] = time(0)
    until: WallTime = time(0)


class HolidayConfig(Table):
    """A named set of days: ``2027-01-01``, ``2027-02-06/2027-02-12``, every year ``05-01``."""

    id: Name
    dates: Annotated[tuple[str, ...], Field(min_length=1, max_length=400)]


class ScheduleConfig(Table):
    """Spans under a name; ``holidays`` are the sets of [[holiday]] that count for it."""

    id: Name
    spans: Annotated[tuple[ScheduleSpan, ...], Field(max_length=64)] = ()
    holidays: Annotated[tuple[Name, ...], Field(max_length=32)] = ()
    exceptions: Annotated[tuple[ExceptionConfig, ...], Field(max_length=200)] = ()


def _which(value: Any) -> str | None:
    if isinstance(value, str):
        return BY_ID
    return BY_SPANS if isinstance(value, list | tuple) else None


ScheduleChoice = Annotated[
    Annotated[Name, Tag(BY_ID)] | Annotated[tuple[ScheduleSpan, ...], Tag(BY_SPANS)],
    Discriminator(
        _which,
        custom_error_type="schedule",
        custom_error_message="is the id of a [[schedule]], or a list of spans",
    ),
]
"""Of a rule: a [[schedule]] by its id, or weekly spans on the spot."""
