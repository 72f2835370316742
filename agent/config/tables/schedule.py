"""[[schedule]] and [[holiday]]: when something holds.

Every time is wall-clock time in the kiosk's time zone; an ``until`` at or before its ``from`` runs
past midnight. What holds where they disagree is said in ``domain.hours.schedule``.
"""

from collections.abc import Iterator
from datetime import date as Date  # noqa: N812 - the key is called date
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag

from agent.config.base import Name, Table, WallTime, Weekday
from agent.config.lines import KeyPath
from agent.config.whole import UNREAD, Finding, Whole, known, repeated
from agent.domain.hours.holidays import FIRST_YEAR, LAST_YEAR, parse_days

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

    days: Annotated[
        tuple[DayType, ...],
        Field(
            min_length=1,
            max_length=8,
            description="on which it begins; holiday: in place of the weekday",
        ),
    ]
    from_: Annotated[WallTime, Field(alias="from", description="when it begins")]
    until: Annotated[
        WallTime, Field(description="when it ends; at or before from: on the next day")
    ]


class ExceptionConfig(_Hours):
    """A span of one date, open or closed whatever day it is; without hours the whole day."""

    date: Annotated[Date, AfterValidator(_of_our_time), Field(description="the one day")]
    open: Annotated[bool, Field(description="whether it holds then, whatever day it is")]
    from_: Annotated[
        WallTime, Field(alias="from", description="when it begins; default: midnight")
    ] = time(0)
    until: Annotated[WallTime, Field(description="when it ends; default: midnight")] = time(0)


class HolidayConfig(Table):
    """A named set of days: ``2027-01-01``, ``2027-02-06/2027-02-12``, every year ``05-01``."""

    id: Annotated[Name, Field(description="what schedules call it")]
    dates: Annotated[
        tuple[str, ...],
        Field(
            min_length=1, max_length=400, description="one day, FIRST/LAST, or MM-DD: every year"
        ),
    ]

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Ids named twice, and texts that are no day."""
        yield from repeated("holiday", [holiday.id for holiday in whole.rows(cls)])
        for i, holiday in enumerate(whole.rows(cls)):
            for j, text in enumerate(holiday.dates):
                path: KeyPath = ("holiday", i, "dates", j)
                if whole.unsure(*path) or text == UNREAD:
                    continue
                try:
                    parse_days(text)
                except ValueError as error:
                    yield path, str(error)


class ScheduleConfig(Table):
    """Spans under a name; ``holidays`` are the sets of [[holiday]] that count for it."""

    id: Annotated[Name, Field(description="what rules and doors call it")]
    spans: Annotated[
        tuple[ScheduleSpan, ...], Field(max_length=64, description="when it holds, week by week")
    ] = ()
    holidays: Annotated[
        tuple[Name, ...], Field(max_length=32, description="sets of [[holiday]] that count here")
    ] = ()
    exceptions: Annotated[
        tuple[ExceptionConfig, ...],
        Field(max_length=200, description="single dates on which it is otherwise"),
    ] = ()

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Ids named twice, holidays that are none, and schedules that never hold."""
        yield from repeated("schedule", [schedule.id for schedule in whole.rows(cls)])
        holidays = [holiday.id for holiday in whole.rows(HolidayConfig)]
        for i, schedule in enumerate(whole.rows(cls)):
            for j, name in enumerate(schedule.holidays):
                yield from known(("schedule", i, "holidays", j), name, holidays, "[[holiday]] ")
            # What is missing here may be what could not be read.
            if not any(path[:2] == ("schedule", i) for path in whole.mended):
                yield from _complete(("schedule", i), schedule)

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Their ids."""
        return {"schedules": [schedule.id for schedule in whole.rows(cls)]}


def _complete(path: KeyPath, schedule: ScheduleConfig) -> Iterator[Finding]:
    if not schedule.spans and not any(one.open for one in schedule.exceptions):
        yield path, "never holds: give it spans, or exceptions with open = true"
    if any("holiday" in span.days for span in schedule.spans) and not schedule.holidays:
        message = 'its spans name the day "holiday": say in holidays which [[holiday]] count'
        yield path, message


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
